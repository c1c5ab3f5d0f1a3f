"""The web page in a real browser: Debian's Chromium, driven by Playwright, on the running service."""

import shutil
import sys
from collections.abc import Iterator

import live
import pytest
from live import Live, serving
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium")
FLAGS = [  # no sandbox inside containers, and no talk with anyone but the service
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    command = [sys.executable, live.__file__, str(tmp_path_factory.mktemp("live"))]
    with serving(command, SHIZI_MAX_BYTES="100000") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Debian's package chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, service: Live) -> Iterator[Page]:
    """The page, opened in English; in the end nothing has gone wrong in it, no other host been asked."""
    context = browser.new_context(locale="en-GB", permissions=["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    problems: list[str] = []
    hosts: set[str] = set()
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            problems.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text  # the statuses tested below
            else None
        ),
    )
    opened.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "http" in request.url else None)
    opened.goto(f"http://127.0.0.1:{service.port}/ocr/webui")
    yield opened
    context.close()
    assert problems == []
    assert hosts == {f"127.0.0.1:{service.port}"}


def choose(page: Page, content: bytes, name: str = "a.png") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": content})


def test_choose_see_and_copy(page: Page, png: bytes) -> None:
    choose(page, png)
    rows = page.locator("#lines li span")
    expect(rows).to_have_text(["识字 reads", "第二行 <b>&amp;"])
    expect(page.locator("#lines b")).to_have_count(0)  # recognised text is never markup
    expect(page.locator("#pages canvas")).to_be_visible()
    expect(page.locator("#pages polygon")).to_have_count(2)
    expect(page.locator("#state")).to_contain_text("2 lines")
    page.locator("#lines li").first.hover()
    expect(page.locator("#pages polygon.active")).to_have_attribute("points", "10,10 190,10 190,35 10,35")
    page.click("#copy")
    expect(page.locator("#state")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "识字 reads\n第二行 <b>&amp;"


def test_save_as_a_file(page: Page, png: bytes) -> None:
    expect(page.locator("#saving")).to_be_hidden()
    choose(page, png, "扫描 1.png")
    page.select_option("#format", "pdf")
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "扫描 1.pdf"
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    expect(page.locator("#problem")).to_be_hidden()


def test_a_file_that_cannot_be_made_is_told(page: Page) -> None:
    choose(page, b"no picture at all")
    expect(page.locator("#lines li")).to_have_count(2)  # the fake reader reads anything
    page.select_option("#format", "pdf")
    page.click("#save")
    expect(page.locator("#problem")).to_contain_text("This file is no picture of a format that can be read.")


def test_paste_and_drop(page: Page, png: bytes) -> None:
    for event in ("paste", "drop"):
        page.evaluate(
            """([event, bytes]) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], `${event}.png`, {type: "image/png"}));
                document.body.dispatchEvent(event === "paste"
                    ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true})
                    : new DragEvent("drop", {dataTransfer: data, bubbles: true}));
            }""",
            [event, list(png)],
        )
        expect(page.locator("#name")).to_have_text(f"{event}.png")
        expect(page.locator("#lines li")).to_have_count(2)


def test_an_option_reads_again(page: Page, png: bytes) -> None:
    choose(page, png)
    expect(page.locator("#lines li")).to_have_count(2)
    page.select_option("#mode", "accurate")
    expect(page.locator("#state")).to_have_text("No text was found in this picture.")
    page.select_option("#mode", "auto")
    expect(page.locator("#lines li")).to_have_count(2)


def test_a_file_too_large_is_told_before_it_is_sent(page: Page) -> None:
    choose(page, bytes(100_001))
    expect(page.locator("#problem")).to_contain_text("this service takes up to 0.1 MB")


def test_a_refusal_is_told_in_plain_words(page: Page) -> None:
    choose(page, b"damaged")
    expect(page.locator("#problem")).to_have_text("Not read: This picture is damaged or empty.The file ends early.")
    expect(page.locator("#copy")).to_be_disabled()


def test_chinese_by_browser_language_and_by_switch(browser: Browser, service: Live) -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{service.port}/ocr/webui")
    expect(page.locator("label[for=file]")).to_have_text("选择图片")
    page.click("text=English")
    expect(page.locator("label[for=file]")).to_have_text("Choose a picture")
    context.close()


def test_nothing_on_the_page_overflows_a_phone(browser: Browser, service: Live, png: bytes) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{service.port}/ocr/webui")
    choose(page, png)
    expect(page.locator("#lines li")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()

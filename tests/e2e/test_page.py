"""The web page as a page: languages, themes, screens, keyboard, screen readers, what it must never do."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from desk import encoded, give, row, ruled, sheet, texts, wait_until
from live import Live
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, Request, expect

pytestmark = pytest.mark.slow

Opens = Callable[..., Page]
# WCAG 2.2, levels A and AA, and what axe takes for good practice.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def found_wrong(page: Page) -> list[str]:
    """Give what axe finds wrong with the page as it is now."""
    violations = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]} ({len(one['nodes'])})" for one in violations]


def test_chinese_by_browser_language_and_by_switch(told: Live, open_page: Opens, png: bytes) -> None:
    page = open_page(told, locale="zh-CN")
    expect(page.locator("#welcome-title .mouse")).to_have_text("把图片或 PDF 拖到这里")
    give(page, {"a.png": png})
    wait_until(page, "a.png", "done")
    page.click("#language")
    expect(page.locator("#language")).to_have_text("中文")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#tally")).to_have_text("1 of 1")
    expect(texts(page)).to_have_count(2)  # nothing was lost to the switch


def test_light_and_dark(told: Live, open_page: Opens) -> None:
    page = open_page(told, color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    for theme in ("light", "dark"):
        page.click("#theme")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_axe_finds_nothing(service: Live, open_page: Opens) -> None:
    page = open_page(service)
    wrong = found_wrong(page)
    give(page, {"table.png": encoded(ruled(("姓名", "数量"), ("王芳", "12"))), "bad.txt": b"no picture"})
    wait_until(page, "table.png", "done")
    wait_until(page, "bad.txt", "failed")
    page.locator("#doubt").fill("100")
    page.locator("#lines .line").first.dblclick()
    wrong += found_wrong(page)
    page.fill(".edit-text", "名字")
    page.keyboard.press("Enter")
    wrong += found_wrong(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(400)  # colours pass slowly
    wrong += found_wrong(page)
    for tab in ("tables", "fields"):
        page.click(f"#tab-{tab}")
        wrong += found_wrong(page)
    page.click("#save")
    wrong += found_wrong(page)
    page.keyboard.press("Escape")
    for dialog in ("options", "help", "key"):
        page.click(f"#{dialog}-open")
        wrong += found_wrong(page)
        page.keyboard.press("Escape")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_nothing_overflows_a_phone(service: Live, open_page: Opens) -> None:
    page = open_page(service, locale="zh-CN", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    expect(page.locator("#welcome-camera")).to_be_visible()
    give(page, {"table.png": encoded(ruled(("姓名", "数量", "单价"), ("王芳", "12", "3.50")))})
    wait_until(page, "table.png", "done")
    wrong = found_wrong(page)
    page.locator(".row-open").tap()
    expect(page.locator(".sheet-picture")).to_be_visible()
    page.locator(".bottom [data-show=text]").tap()
    page.locator("#lines .line").first.tap()
    page.get_by_role("button", name="改正这一行").first.tap()
    page.fill(".edit-text", "名字")
    page.get_by_role("button", name="保留").tap()
    expect(texts(page).first).to_have_text("名字")
    wrong += found_wrong(page)
    for view in ("files", "picture", "text"):
        page.locator(f".bottom [data-show={view}]").tap()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_everything_can_be_done_with_the_keyboard(told: Live, open_page: Opens, png: bytes) -> None:
    page = open_page(told)
    give(page, {"a.png": png, "b.png": png + b" "})
    wait_until(page, "b.png", "done")
    page.locator(".row-open").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(row(page, "b.png")).to_contain_class("selected")
    page.wait_for_load_state("networkidle")  # a picture that comes later is shown whole again
    expect(page.locator(".frames polygon").first).to_be_visible()
    page.locator("#stage").focus()
    level = page.locator("#zoom-level").text_content()
    page.keyboard.press("+")
    expect(page.locator("#zoom-level")).not_to_have_text(level or "")
    page.keyboard.press("0")
    expect(page.locator("#zoom-level")).to_have_text(level or "")
    page.locator("#tab-text").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-tables")).to_be_focused()
    expect(page.locator("#pane-tables")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.locator("#save").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#save-menu [role=menuitem]").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#save")).to_be_focused()
    page.locator(".row-open").first.focus()
    page.keyboard.press("Delete")
    expect(page.locator("#queue li")).to_have_count(1)


def test_paste_and_drop(told: Live, open_page: Opens, png: bytes) -> None:
    page = open_page(told)
    for event in ("paste", "drop"):
        page.evaluate(
            """([event, bytes]) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], `${event}.png`, {type: "image/png"}));
                document.body.dispatchEvent(event === "paste"
                    ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
                    : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
            }""",
            [event, list(png)],
        )
        wait_until(page, f"{event}.png", "done")


def test_what_a_picture_says_is_never_markup(service: Live, open_page: Opens) -> None:
    page = open_page(service)
    fired: list[str] = []
    page.on("dialog", lambda dialog: (fired.append(dialog.message), dialog.dismiss()))
    give(page, {"<img src=x onerror=alert(2)>.png": encoded(sheet("<img src=x onerror=alert(1)>", "plain words"))})
    expect(page.locator("#queue li[data-state=done]")).to_have_count(1)
    expect(texts(page).first).to_have_text(re.compile(r"<img ?src=x ?onerror=alert\(1\)>"))
    page.click("#tab-fields")
    page.click("#tab-tables")
    assert page.locator("#lines img, .letters img, #name img, .row-name img").count() == 0
    assert fired == []


def test_a_hundred_pictures_are_all_read_two_at_a_time(told: Live, open_page: Opens) -> None:
    page = open_page(told)
    running, most = set[Request](), [0]

    def begins(request: Request) -> None:
        if request.url.endswith("/ocr/predict"):
            running.add(request)
            most[0] = max(most[0], len(running))

    page.on("request", begins)
    page.on("requestfinished", lambda request: running.discard(request))
    files = {f"{number:03}.png": encoded(Image.new("RGB", (300, 200), (number, 200, 90))) for number in range(100)}
    give(page, files)
    expect(page.locator("#queue li")).to_have_count(100)
    expect(page.locator("#tally")).to_have_text("100 of 100", timeout=120_000)
    expect(page.locator("#queue li[data-state=done]")).to_have_count(100)
    expect(page.locator("#queue li .thumb img")).to_have_count(100)
    assert most[0] <= 2
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#remove-all")
    expect(page.locator("#queue li")).to_have_count(0)


def place_of(part: Locator) -> FloatRect:
    """Give where a part of the page stands; the page may just be drawing it anew."""
    for _ in range(100):
        expect(part).to_be_visible()
        if (found := part.bounding_box()) is not None:
            return found
        part.page.wait_for_timeout(50)
    raise AssertionError("it has no place for five seconds")


def test_the_picture_is_zoomed_and_moved(told: Live, open_page: Opens) -> None:
    page = open_page(told)
    give(page, {"wide.png": encoded(Image.new("RGB", (200, 80), "white"))})
    wait_until(page, "wide.png", "done")
    sheet_layer = page.locator(".sheet-layer")
    before, stage = place_of(sheet_layer), place_of(page.locator("#stage"))
    corner = (stage["x"] + 30, stage["y"] + 30)
    page.mouse.move(*corner)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(100)
    larger = sheet_layer.bounding_box()
    assert larger is not None
    assert larger["width"] > before["width"] * 1.3
    page.mouse.down()
    page.mouse.move(corner[0] + 80, corner[1] + 40, steps=4)
    page.mouse.up()
    page.wait_for_timeout(100)
    moved = sheet_layer.bounding_box()
    assert moved is not None
    assert (round(moved["x"] - larger["x"]), round(moved["y"] - larger["y"])) == (80, 40)
    page.click("#zoom-fit")
    page.wait_for_timeout(100)
    assert sheet_layer.bounding_box() == before


def test_text_can_be_selected_on_the_picture(told: Live, open_page: Opens, png: bytes) -> None:
    page = open_page(told)
    give(page, {"a.png": png})
    wait_until(page, "a.png", "done")
    letters = page.locator(".letters > *")
    first, second = letters.first.bounding_box(), letters.nth(1).bounding_box()
    frame = page.locator(".frames polygon").first.bounding_box()
    assert first is not None
    assert second is not None
    assert frame is not None
    assert abs(first["width"] - frame["width"]) < 0.1 * frame["width"], "letters lie over their line"
    page.mouse.move(first["x"] + 1, first["y"] + first["height"] / 2)
    page.mouse.down()
    page.mouse.move(second["x"] + second["width"] - 1, second["y"] + second["height"] / 2, steps=5)
    page.mouse.up()
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()").split("\n") == ["识字 reads", "第二行 <b>&amp;"]


def test_a_second_tab_leaves_the_first_ones_files_alone(told: Live, open_page: Opens, png: bytes) -> None:
    first = open_page(told)
    give(first, {"a.png": png})
    wait_until(first, "a.png", "done")
    second = first.context.new_page()
    second.goto(first.url)
    second.wait_for_selector("body[data-ready]")
    expect(second.locator("#queue li")).to_have_count(0)
    first.close()
    second.reload()
    expect(second.locator("#queue li")).to_have_count(1)


def test_files_can_be_left_out_of_the_browser(told: Live, open_page: Opens, png: bytes) -> None:
    page = open_page(told)
    page.click("#options-open")
    page.locator("#keep").uncheck()
    page.keyboard.press("Escape")
    give(page, {"a.png": png})
    wait_until(page, "a.png", "done")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("#queue li")).to_have_count(0)
    assert page.evaluate("indexedDB.databases().then((all) => all.length)") == 0

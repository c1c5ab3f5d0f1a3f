"""What goes wrong at the web page: refused files, a busy service, no network, a reload in the middle, keys."""

import io
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import live
import pikepdf
import pytest
from desk import encoded, give, noise, row, scanned, sheet, texts, wait_until
from live import Live, serving, until
from playwright.sync_api import Page, Request, Route, expect

from shizi.service.access import Keys

pytestmark = pytest.mark.slow

Opens = Callable[..., Page]


def test_refused_files_are_told_in_plain_words(told: Live, open_page: Opens) -> None:
    page = open_page(told)
    give(page, {"large.png": noise(1400), "empty.png": b"", "damaged.png": b"damaged"})
    for name, words in (
        ("large.png", "Too large: 5.9 MB. Send a smaller picture"),
        ("empty.png", "The file is empty."),
        ("damaged.png", "Damaged or cut short. Save or scan it again."),
    ):
        wait_until(page, name, "failed")
        expect(row(page, name)).to_contain_text(words)
    row(page, "damaged.png").locator(".row-open").click()
    expect(page.locator("#lines")).to_contain_text("The file ends early.")  # the service's own words too
    expect(page.locator("#copy")).to_be_disabled()


def test_a_wrong_type_is_refused_by_the_service_itself(service: Live, open_page: Opens) -> None:
    page = open_page(service)
    give(page, {"notes.txt": b"only words", "cut.png": encoded(sheet("Whole"))[:2000]})
    wait_until(page, "notes.txt", "failed")
    expect(page.locator("#lines")).to_contain_text("No picture or document that can be read.")  # it is the one shown
    expect(row(page, "notes.txt")).to_contain_text("No picture or document that can be read.")
    wait_until(page, "cut.png", "failed")
    page.get_by_role("button", name="Remove: notes.txt").click()
    expect(page.locator("#queue li")).to_have_count(1)


def test_a_busy_service_is_asked_again_by_itself(told: Live, told_folder: Path, open_page: Opens, png: bytes) -> None:
    page = open_page(told)
    with ThreadPoolExecutor(2) as others:
        (told_folder / "release").unlink(missing_ok=True)
        (told_folder / "held").unlink(missing_ok=True)
        held = [
            others.submit(told.request, "POST", "/ocr/predict?no_store=true", b"hold", Content_Type="image/png")
            for _ in range(2)
        ]  # one is read, one waits: the queue is full
        until((told_folder / "held").exists)
        time.sleep(0.5)
        give(page, {"patient.png": png})
        expect(row(page, "patient.png")).to_contain_text("Service busy; again in")
        (told_folder / "release").touch()
        wait_until(page, "patient.png", "done")
        assert [answer.result()[0] for answer in held] == [200, 200]
    expect(texts(page)).to_have_text(["识字 reads", "第二行 <b>&amp;"])
    expect(page.locator("#lines b")).to_have_count(0)  # recognised text is never markup


def test_files_wait_while_the_network_is_cut(told: Live, open_page: Opens, png: bytes) -> None:
    page = open_page(told)
    page.context.set_offline(True)
    give(page, {"patient.png": png})
    expect(page.locator("#banner")).to_contain_text("No network. Files wait here")
    expect(row(page, "patient.png")).to_contain_text("Waiting")
    expect(page.locator(".sheet-picture")).to_be_visible()  # the picture is here, offline or not
    page.context.set_offline(False)
    wait_until(page, "patient.png", "done")
    expect(page.locator("#banner")).to_be_hidden()


def test_a_service_that_goes_and_comes_back_loses_nothing(told: Live, open_page: Opens, png: bytes) -> None:
    page = open_page(told)
    page.route("**/ocr/*", lambda route: route.abort())
    give(page, {"patient.png": png})
    expect(page.locator("#banner")).to_contain_text("The service cannot be reached.")
    page.unroute("**/ocr/*")
    wait_until(page, "patient.png", "done")
    expect(page.locator("#banner")).to_be_hidden()


def jobs_sent(page: Page) -> list[str]:
    """Note the key of every job that the page sends, over reloads."""
    jobs: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/ocr/jobs"):
            jobs.append(request.headers["idempotency-key"])

    page.on("request", note)
    return jobs


def test_a_reload_as_a_job_ends(service: Live, open_page: Opens) -> None:
    """The job is let go in the same step in which the file is done: it is not read twice."""
    page = open_page(service)
    jobs = jobs_sent(page)
    with page.expect_request(lambda request: request.method == "DELETE"):
        give(page, {"short.pdf": scanned(sheet("Page 1"), sheet("Page 2"))})
    page.reload()
    wait_until(page, "short.pdf", "done")
    assert len(jobs) == 1
    row(page, "short.pdf").locator(".row-open").click()
    expect(page.locator("#page-count")).to_have_text("/ 2")


def test_a_reload_in_the_middle_of_a_job(service: Live, open_page: Opens) -> None:
    page = open_page(service)
    jobs = jobs_sent(page)
    pages = [sheet(f"Page {number} of six", "识字读出文字") for number in range(1, 7)]
    give(page, {"long.pdf": scanned(*pages), "after.png": encoded(sheet("After"))})
    expect(row(page, "long.pdf")).to_contain_text("of 6 pages")
    until_one = page.locator("#queue .row-progress[value]")
    expect(until_one).to_have_count(1)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("#queue li")).to_have_count(2)
    wait_until(page, "long.pdf", "done")
    wait_until(page, "after.png", "done")
    assert len(jobs) == 1, "the job was taken up, not sent again"
    row(page, "long.pdf").locator(".row-open").click()
    expect(page.locator("#page-count")).to_have_text("/ 6")
    page.reload()
    expect(texts(page).first).to_have_text("Page 1 of six")  # the same file, its result kept


def test_without_jobs_pages_are_read_one_by_one_and_go_on_after_a_reload(told: Live, open_page: Opens) -> None:
    page = open_page(told)
    asked: list[bytes] = []

    def slowly(route: Route) -> None:
        asked.append(route.request.post_data_buffer or b"")
        if len(asked) == 3:
            route.abort()  # the reload comes here
        else:
            route.continue_()

    page.route("**/ocr/predict", slowly)
    give(page, {"long.pdf": scanned(*(sheet(f"Page {number}") for number in range(1, 5)))})
    expect(page.locator("#banner")).to_be_visible()
    page.reload()
    wait_until(page, "long.pdf", "done")
    expect(page.locator("#page-count")).to_have_text("/ 4")
    numbers = [body.split(b'name="pages"\r\n\r\n')[1][:1] for body in asked]
    assert numbers == [b"1", b"2", b"3", b"3", b"4"]


def test_cancel_retry_and_remove(told: Live, told_folder: Path, open_page: Opens) -> None:
    page = open_page(told)
    (told_folder / "release").unlink(missing_ok=True)
    give(page, {"slow.png": b"hold"})
    page.get_by_role("button", name="Cancel: slow.png").click()
    wait_until(page, "slow.png", "cancelled")
    (told_folder / "release").touch()
    page.get_by_role("button", name="Read again: slow.png").click()
    wait_until(page, "slow.png", "done")
    page.get_by_role("button", name="Remove: slow.png").click()
    expect(page.locator("#welcome")).to_be_visible()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("#queue li")).to_have_count(0)


def test_a_locked_pdf_asks_for_its_password(service: Live, open_page: Opens, tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(scanned(sheet("Locked away")))) as document:
        document.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="o", user="secret"))
    page = open_page(service)
    give(page, {"locked.pdf": (tmp_path / "locked.pdf").read_bytes()})
    wait_until(page, "locked.pdf", "failed")
    expect(row(page, "locked.pdf")).to_contain_text("Locked: give its password.")
    page.get_by_label("Password: locked.pdf").fill("secret")
    page.keyboard.press("Enter")
    wait_until(page, "locked.pdf", "done")
    row(page, "locked.pdf").locator(".row-open").click()
    expect(texts(page)).to_have_text(["Locked away"])
    expect(page.locator(".sheet-picture")).to_be_visible()


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[tuple[Live, str]]:
    store = tmp_path / "keys.sqlite"
    keys = Keys(str(store))
    key = keys.add("desk", ("read", "admin"))
    keys.close()
    with serving([sys.executable, live.__file__, str(tmp_path)], SHIZI_KEYS=str(store)) as running:
        yield running, key


def test_a_key_is_asked_for_and_kept_for_the_tab(keyed: tuple[Live, str], open_page: Opens, png: bytes) -> None:
    running, key = keyed
    page = open_page(running)
    give(page, {"a.png": png})
    expect(page.locator("#key-dialog")).to_be_visible()
    expect(page.locator("#key-hint")).to_have_text("This service needs an API key.")
    page.fill("#key", "shizi_wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#key-hint")).to_have_text("The key was not accepted. Give another one.")
    page.fill("#key", key)
    page.keyboard.press("Enter")
    wait_until(page, "a.png", "done")
    page.reload()
    give(page, {"b.png": png + b" "})
    wait_until(page, "b.png", "done")
    assert page.evaluate("Object.values(localStorage).some((value) => value.includes('shizi_'))") is False

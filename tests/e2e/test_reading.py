"""Reading at the web page, on the real service: files in, progress, results beside the picture, corrections."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import encoded, give, row, ruled, scanned, sheet, texts, wait_until
from live import Live
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.slow

LETTER = ("会议纪要", "时间：2026年11月26日", "Attendees: 12 people")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Three pictures and a PDF."""
    return {
        "letter.png": encoded(sheet(*LETTER)),
        "table.png": encoded(ruled(("姓名", "数量", "单价"), ("王芳", "12", "3.50"), ("李娜", "7", "18.00"))),
        "sideways.jpg": encoded(sheet("这一页是横放的", "It lies on its side", size=(900, 900)).rotate(90), "JPEG"),
        "合同.pdf": scanned(*(sheet(f"第{number}页", f"This is page {number}") for number in (1, 2, 3))),
    }


@pytest.fixture(scope="module")
def invoice() -> bytes:
    """A drawn VAT invoice of the bench."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
    from forms import invoices

    sys.path.pop(0)
    return encoded(invoices.specimen(5, "special", "clean").picture)


def test_three_pictures_and_a_pdf(service: Live, open_page: Callable[..., Page], files: dict[str, bytes]) -> None:
    page = open_page(service)
    expect(page.locator("#welcome")).to_be_visible()
    give(page, files)
    expect(page.locator("#welcome")).to_be_hidden()
    expect(page.locator("#queue li")).to_have_count(4)
    expect(page.locator("#overall")).to_be_visible()  # progress of all
    for name in files:
        wait_until(page, name, "done")
        expect(row(page, name).locator(".thumb img")).to_be_visible()
    expect(page.locator("#tally")).to_have_text("4 of 4")
    expect(page.locator("#overall")).to_be_hidden()
    _letter(page)
    _table(page)
    _sideways(page)
    _document(page)


def _letter(page: Page) -> None:
    row(page, "letter.png").locator(".row-open").click()
    expect(texts(page)).to_have_text(list(LETTER))
    expect(page.locator(".frames polygon")).to_have_count(3)
    expect(page.locator(".sheet-picture")).to_be_visible()
    expect(page.locator(".letters > *").nth(1)).to_have_text(LETTER[1])  # to be selected on the picture
    page.locator("#lines .line").nth(1).hover()
    expect(page.locator(".frames polygon").nth(1)).to_contain_class("hovered")
    page.locator("#lines .line").nth(1).click()
    expect(page.locator(".frames polygon").nth(1)).to_contain_class("active")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#lines .line").nth(2)).to_be_focused()
    expect(page.locator(".frames polygon").nth(2)).to_contain_class("active")
    page.locator(".letters > *").first.click()  # from the picture to the line
    expect(page.locator("#lines .line").first).to_have_attribute("aria-selected", "true")
    expect(page.locator("#lines .chip").first).to_have_attribute("title", re.compile(r"\(.+\)"))


def _table(page: Page) -> None:
    row(page, "table.png").locator(".row-open").click()
    expect(page.locator("#tab-tables .count")).to_have_text("1")
    page.click("#tab-tables")
    expect(page.locator("#pane-tables tr")).to_have_count(3)
    expect(page.locator("#pane-tables td").nth(3)).to_have_text("王芳")
    page.locator("#pane-tables td").nth(3).hover()
    expect(page.locator(".frames .outline")).to_have_count(1)
    page.get_by_role("button", name="Copy for Excel").click()
    assert page.evaluate("navigator.clipboard.readText()").split("\n")[1] == "王芳\t12\t3.50"
    page.click("#tab-text")


def _sideways(page: Page) -> None:
    row(page, "sideways.jpg").locator(".row-open").click()
    expect(texts(page).first).to_have_text("这一页是横放的")
    expect(page.locator(".frames polygon").first).to_be_visible()
    first = page.locator(".frames polygon").first.bounding_box()
    assert first is not None
    assert first["width"] > 3 * first["height"], "the page is shown upright"


def _document(page: Page) -> None:
    row(page, "合同.pdf").locator(".row-open").click()
    expect(row(page, "合同.pdf")).to_contain_text("3 pages")
    expect(texts(page).nth(1)).to_have_text("This is page 1")
    page.click("#next-page")
    expect(texts(page).nth(1)).to_have_text("This is page 2")
    page.fill("#page", "3")
    page.keyboard.press("Enter")
    expect(texts(page).nth(1)).to_have_text("This is page 3")
    expect(page.locator(".sheet-picture")).to_be_visible()
    page.click("#copy")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert [f"This is page {number}" in copied for number in (1, 2, 3)] == [True] * 3


def test_progress_is_told_page_by_page(service: Live, open_page: Callable[..., Page]) -> None:
    page = open_page(service)
    page.evaluate(
        """() => {
            window.told = [];
            new MutationObserver(() => window.told.push(document.querySelector("#queue .row-state")?.textContent))
                .observe(document.getElementById("queue"), {subtree: true, childList: true, characterData: true});
        }"""
    )
    give(page, {"long.pdf": scanned(*(sheet(f"Page {number} of four") for number in range(1, 5)))})
    wait_until(page, "long.pdf", "done")
    told = page.evaluate("window.told")
    assert any(text and text.startswith("Reading: ") and text.endswith("of 4 pages") for text in told), told


def test_doubt_is_marked_by_a_threshold_of_ones_own(service: Live, open_page: Callable[..., Page]) -> None:
    page = open_page(service)
    give(page, {"letter.png": encoded(sheet(*LETTER))})
    wait_until(page, "letter.png", "done")
    page.locator("#doubt").fill("0")
    expect(page.locator("#lines .line.doubtful")).to_have_count(0)
    page.locator("#doubt").fill("100")
    expect(page.locator("#lines .line.doubtful")).to_have_count(3)
    expect(page.locator(".frames polygon.doubtful")).to_have_count(3)
    expect(page.locator("#lines .sure.doubtful svg").first).to_be_visible()  # a sign, not colour alone
    expect(page.locator("#doubt-count")).to_have_text("3 of 3")
    page.keyboard.press("Tab")
    page.click("#next-doubt")
    expect(page.locator("#lines .line").first).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("#lines .line").nth(1)).to_be_focused()


def test_a_line_is_corrected_undone_and_kept(service: Live, open_page: Callable[..., Page]) -> None:
    page = open_page(service)
    give(page, {"letter.png": encoded(sheet(*LETTER))})
    wait_until(page, "letter.png", "done")
    page.locator("#lines .line").nth(2).click()
    page.keyboard.press("Enter")
    expect(page.locator(".editor .piece")).to_be_visible()  # the line's piece of the picture
    expect(page.locator(".edit-text")).to_have_value(LETTER[2])
    page.keyboard.press("Escape")
    expect(texts(page)).to_have_text(list(LETTER))
    page.keyboard.press("Enter")
    page.fill(".edit-text", "Attendees: <b>13</b>")
    page.keyboard.press("Enter")
    expect(texts(page).nth(2)).to_have_text("Attendees: <b>13</b>")
    expect(page.locator("#lines .line-before del")).to_have_text(LETTER[2])  # before and after
    expect(page.locator("#lines b")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(texts(page).nth(2)).to_have_text(LETTER[2])
    page.locator("#lines .line").first.dblclick()
    page.fill(".edit-text", "会议记录")
    page.get_by_role("button", name="Keep").click()
    page.click("#copy")
    expect(page.locator(".notice", has_text="Copied")).to_be_visible()
    assert "会议记录" in page.evaluate("navigator.clipboard.readText()")
    page.reload()
    expect(texts(page).first).to_have_text("会议记录")
    page.get_by_role("button", name="Back to what was read").click()
    expect(texts(page).first).to_have_text(LETTER[0])


def test_other_readings_are_offered(service: Live, open_page: Callable[..., Page]) -> None:
    """The service's answer for the line's piece is told here: what the models make of it changes with them."""
    page = open_page(service)
    give(page, {"letter.png": encoded(sheet(*LETTER))})
    wait_until(page, "letter.png", "done")
    asked: list[str] = []

    def other(route: Route) -> None:
        asked.append((route.request.post_data_buffer or b"").decode(errors="replace"))
        answer = {"success": True, "confidence": 0.5, "pages": [{"lines": [{"text": "会议记要"}]}]}
        route.fulfill(json=answer)

    page.route("**/ocr/predict", other)
    page.locator("#lines .line").first.dblclick()
    page.get_by_role("group", name="Other readings").get_by_role("button").click()
    page.keyboard.press("Enter")
    expect(texts(page).first).to_have_text("会议记要")
    assert len(asked) == 2, "both recognisers are asked, and one and the same answer is offered once"
    assert all('name="no_store"' in body for body in asked)


def test_corrected_lines_are_sent_where_they_are_kept(service: Live, open_page: Callable[..., Page]) -> None:
    """The page is told here that corrections are kept; what the service does with them has tests of its own."""
    page = open_page(service)
    sent: list[bytes] = []

    def keep(route: Route) -> None:
        sent.append(route.request.post_data_buffer or b"")
        route.fulfill(json={"success": True})

    def allow(route: Route) -> None:
        nowhere, here = (f"&#34;corrections&#34;:&#34;{place}&#34;" for place in ("", "/kept"))
        body = route.fetch().text()
        assert nowhere in body
        body = body.replace(nowhere, here)
        route.fulfill(body=body, content_type="text/html")

    page.route("**/kept", keep)
    page.route("**/ocr/webui", allow)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.click("#options-open")
    expect(page.locator("#teach")).to_be_checked()
    page.keyboard.press("Escape")
    give(page, {"letter.png": encoded(sheet(*LETTER))})
    wait_until(page, "letter.png", "done")
    for index, text in ((0, "undone at once"), (2, "Attendees: 13 people")):
        page.locator("#lines .line").nth(index).dblclick()
        page.fill(".edit-text", text)
        page.keyboard.press("Enter")
        expect(texts(page).nth(index)).to_have_text(text)
        if index == 0:
            page.click("#undo")
    with page.expect_request("**/kept"):
        pass
    page.wait_for_timeout(500)
    assert len(sent) == 1
    for part in (
        b'name="text"\r\n\r\nAttendees: 13 people',
        b'name="read"\r\n\r\nAttendees: 12 people',
        b'name="polygon"',
    ):
        assert part in sent[0]


def test_options_read_again(service: Live, open_page: Callable[..., Page]) -> None:
    page = open_page(service)
    page.click("#options-open")
    page.locator("#options input[name=tables][value=none]").check(force=True)
    page.get_by_role("button", name="Done").click()
    give(page, {"table.png": encoded(ruled(("姓名", "数量"), ("王芳", "12")))})
    wait_until(page, "table.png", "done")
    page.click("#tab-tables")
    expect(page.locator("#pane-tables")).to_contain_text("Tables were not looked for")
    page.click("#options-open")
    page.locator("#options input[name=tables][value=auto]").check(force=True)
    page.get_by_role("button", name="Read this file again so").click()
    expect(page.locator("#pane-tables table")).to_be_visible()


def test_fields_with_their_checks(service: Live, open_page: Callable[..., Page], invoice: bytes) -> None:
    page = open_page(service)
    give(page, {"invoice.png": invoice})
    wait_until(page, "invoice.png", "done")
    page.click("#tab-fields")
    total = page.get_by_label("Total", exact=True)
    expect(total).to_be_visible()
    assert float(total.input_value()) > 0
    field = page.locator(".field", has=total)
    expect(field.locator(".checks .passed, .checks .failed")).not_to_have_count(0)
    expect(page.locator(".verdict")).to_be_visible()
    total.focus()
    expect(page.locator(".frames .outline")).to_have_count(1)
    before = total.input_value()
    total.fill("1.00")
    total.blur()
    expect(page.locator(".field.edited del")).to_have_text(before)
    page.click("#undo")
    expect(page.get_by_label("Total", exact=True)).to_have_value(before)

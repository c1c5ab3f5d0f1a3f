"""Out of the web page, on the real service: each format opened and checked, corrections in all of them."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import docx
import openpyxl
import pypdfium2
import pytest
from desk import encoded, give, ruled, sheet, texts, wait_until
from live import Live
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

LINES = ("会议纪要", "Attendees 12 people")
CORRECTED = "会议记录 <b>&"


@pytest.fixture(scope="module")
def saved(service: Live, browser: object, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Page, str], bytes]:
    folder = tmp_path_factory.mktemp("saved")

    def save(page: Page, name: str) -> bytes:
        page.click("#save")
        with page.expect_download() as download:
            page.locator(f"#save-menu [data-format={name}]").click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path.read_bytes()

    return save


def corrected_page(service: Live, open_page: Callable[..., Page]) -> Page:
    page = open_page(service)
    give(page, {"扫描 1.png": encoded(sheet(*LINES))})
    wait_until(page, "扫描 1.png", "done")
    page.locator("#lines .line").first.dblclick()
    page.fill(".edit-text", CORRECTED)
    page.keyboard.press("Enter")
    expect(texts(page).first).to_have_text(CORRECTED)
    return page


def test_every_format_holds_what_was_corrected(
    service: Live, open_page: Callable[..., Page], saved: Callable[[Page, str], bytes]
) -> None:
    page = corrected_page(service, open_page)
    assert saved(page, "text").decode().split() == [*CORRECTED.split(), *LINES[1].split()]
    assert json.loads(saved(page, "json"))["pages"][0]["lines"][0]["text"] == CORRECTED
    markdown = saved(page, "markdown").decode()
    assert "会议记录" in markdown
    assert "<b>" not in markdown, "read text is no markup"
    html = saved(page, "html").decode()
    assert "会议记录 &lt;b&gt;&amp;" in html
    assert CORRECTED in _contents(saved(page, "alto"))
    assert "会议记录 &lt;b&gt;&amp;" in saved(page, "hocr").decode()
    rows = list(csv.DictReader(io.StringIO(saved(page, "csv").decode("utf-8-sig"))))
    assert rows[0]["text"] == CORRECTED
    book = openpyxl.load_workbook(io.BytesIO(saved(page, "xlsx")))
    assert any(cell.value == CORRECTED for sheet_ in book for row in sheet_.iter_rows() for cell in row)
    letter = docx.Document(io.BytesIO(saved(page, "docx")))
    assert CORRECTED in "\n".join(paragraph.text for paragraph in letter.paragraphs)
    pdf = pypdfium2.PdfDocument(saved(page, "pdf"))
    text = pdf[0].get_textpage().get_text_bounded()
    assert "会议记录" in text
    assert "Attendees" in text
    pdf.close()


def _contents(alto: bytes) -> str:
    return " ".join(element.get("CONTENT", "") for element in ElementTree.fromstring(alto).iter())


def test_a_corrected_line_is_corrected_in_its_cell(
    service: Live, open_page: Callable[..., Page], saved: Callable[[Page, str], bytes]
) -> None:
    page = open_page(service)
    give(page, {"table.png": encoded(ruled(("姓名", "数量"), ("王芳", "12"), ("李娜", "7")))})
    wait_until(page, "table.png", "done")
    page.locator("#lines .line", has_text="王芳").dblclick()
    page.fill(".edit-text", "王方")
    page.keyboard.press("Enter")
    page.click("#tab-tables")
    expect(page.locator("#pane-tables td").nth(2)).to_have_text("王方")
    sheet_ = openpyxl.load_workbook(io.BytesIO(saved(page, "xlsx"))).worksheets[0]
    assert [[cell.value for cell in row] for row in sheet_.iter_rows()] == [
        ["姓名", "数量"],
        ["王方", "12"],
        ["李娜", "7"],
    ]


def test_all_files_in_all_formats_as_one_zip(service: Live, open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page(service)
    give(page, {"同名.png": encoded(sheet("First file")), "bad.txt": b"no picture"})
    give(page, {"同名.jpg": encoded(sheet("Second file"), "JPEG")})
    wait_until(page, "同名.png", "done")
    wait_until(page, "同名.jpg", "done")
    wait_until(page, "bad.txt", "failed")
    page.click("#export-all")
    for name in ("json", "markdown", "xlsx"):
        page.locator(f"#export-formats input[value={name}]").uncheck()
    with page.expect_download() as download:
        page.click("#export-go")
    expect(page.locator("#export-state")).to_have_text("Done: 2 files.")
    path = tmp_path / "all.zip"
    download.value.save_as(path)
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        assert sorted(packed.namelist()) == ["同名 (2).pdf", "同名 (2).txt", "同名.pdf", "同名.txt"]
        assert packed.read("同名.txt").split() == [b"First", b"file"]
        assert packed.read("同名 (2).pdf").startswith(b"%PDF-")

"""Tables and fields as CSV, Excel, Word, Markdown and HTML: spans kept, numbers as printed, nothing a formula."""

import csv
import io
import zipfile
from dataclasses import replace

import docx
import openpyxl
import pytest
from documents import field, page_of, table
from docx.oxml.ns import qn
from lxml import html as lxml_html

from shizi.document import Document, Field, Verdict
from shizi.export import FORMATS, grid

SPANNED = table(
    [["项目", "金额", ""], ["", "税前", "税额"], ["0012", "1,234.50", "=SUM(A1)"]], {(0, 0): (2, 1), (0, 1): (1, 2)}
)
PLAIN = table([["名称", "数量"], ["铅笔|笔", "007"], ["多\n行", "-5"]])


def of(*tables: object) -> Document:
    return Document((page_of("outside", tables=tables),))  # type: ignore[arg-type]


def rows_of(document: Document) -> list[list[str]]:
    data = FORMATS["csv"].write(document)
    assert data.startswith(b"\xef\xbb\xbf")
    text = data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert text.count("\n") - text.count("\r\n") == sum(cell.count("\n") for row in rows for cell in row)
    assert len({len(row) for row in rows}) <= 1, "every row is equally long"
    return rows


def test_csv_of_tables() -> None:
    assert rows_of(of(SPANNED, PLAIN)) == [
        ["项目", "金额", ""],
        ["", "税前", "税额"],
        ["0012", "1,234.50", "'=SUM(A1)"],
        ["", "", ""],
        ["名称", "数量", ""],
        ["铅笔|笔", "007", ""],
        ["多\n行", "-5", ""],
    ]


def test_csv_of_lines_where_there_is_no_table() -> None:
    rows = rows_of(Document((page_of('He said "hi", twice', "第二行"),)))
    assert rows == [
        ["page", "line", "text", "confidence", "left", "top", "right", "bottom"],
        ["1", "1", 'He said "hi", twice', "0.95", "10", "10", "500", "35"],
        ["1", "2", "第二行", "0.95", "10", "40", "500", "65"],
    ]


def with_fields() -> Document:
    rows = ((field("name", "铅笔"), field("amount", "5.00", False)), (field("name", "纸"),))
    fields = (field("invoice_number", "00123456"), Field("items", "", "", 0.5, rows=rows))
    return Document((page_of("x"),), fields=fields, verdict=Verdict("review", ("sum",)))


def test_csv_of_fields() -> None:
    rows = rows_of(with_fields())
    assert rows[0] == ["field", "value", "text", "confidence", "page", "checks"]
    assert [row[:2] for row in rows[1:]] == [
        ["invoice_number", "00123456"],
        ["items.1.name", "铅笔"],
        ["items.1.amount", "5.00"],
        ["items.2.name", "纸"],
    ]
    assert rows[3][5] == "sum: failed"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@A1", "\t=1", "  =1+1", "＝1+1", "|cmd", "%0A=1", "\n=1", "-1-2"]
)
def test_csv_guards_formulas(text: str) -> None:
    assert rows_of(of(table([[text]]))) == [[f"'{text}"]]


@pytest.mark.parametrize("text", ["-5", "+3.20", "-1,234.50", "-12%", "a=b", "1-2", "电话：-", "100%"])
def test_csv_leaves_numbers_and_text(text: str) -> None:
    assert rows_of(of(table([[text]]))) == [[text]]


def book_of(document: Document) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(FORMATS["xlsx"].write(document)))


def test_xlsx_has_a_sheet_a_table_with_its_spans() -> None:
    book = book_of(of(SPANNED, PLAIN))
    assert book.sheetnames == ["Table 1", "Table 2"]
    sheet = book["Table 1"]
    assert {str(area) for area in sheet.merged_cells.ranges} == {"A1:A2", "B1:C1"}
    values = [sheet[place].value for place in ("A1", "B1", "A3", "B3", "C3")]
    assert values == ["项目", "金额", "0012", "1,234.50", "=SUM(A1)"]
    assert {sheet[place].data_type for place in ("A3", "B3", "C3")} == {"s"}, "as printed, no number, no formula"
    assert sheet["A3"].number_format == "@", "still text after a click into the cell"
    assert book["Table 2"]["A3"].value == "多\n行"


def test_xlsx_shows_all_of_a_merged_cell() -> None:
    long = "名称：当当网信息技术有限公司\n地址：眉山市彭山区青龙镇"  # 28 and 22 wide, over two columns
    sheet = book_of(of(table([[long, "", "甲"], ["1", "2", "乙" * 200]], {(0, 0): (1, 2)}))).worksheets[0]
    first, second, third = (sheet.column_dimensions[name] for name in "ABC")
    assert (first.min, first.max) == (1, 2)  # one entry for columns alike
    assert 28 <= 2 * first.width <= 34
    assert second.width <= first.width
    assert third.width < 62
    assert sheet.row_dimensions[1].height == 30
    assert sheet.row_dimensions[2].height == 15 * 7
    assert sheet.page_setup.paperSize == 9


def test_xlsx_holds_no_formula_and_no_link() -> None:
    data = FORMATS["xlsx"].write(of(table([["=1+1", "http://example.org"], ["{=A1}", "internal:Sheet!A1"]])))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = b"".join(archive.read(name) for name in archive.namelist() if "worksheets/" in name)
    assert b"<f>" not in sheets
    assert b"hyperlink" not in sheets


def test_xlsx_of_fields_and_of_lines() -> None:
    book = book_of(with_fields())
    assert book.sheetnames == ["Fields"]
    assert [cell.value for cell in book["Fields"][2]][:2] == ["invoice_number", "00123456"]
    book = book_of(Document((page_of("一", "二"), page_of("三", number=2))))
    assert [[cell.value for cell in row] for row in book["Lines"]] == [
        ["page", "line", "text", "confidence"],
        [1, 1, "一", 0.95],
        [1, 2, "二", 0.95],
        [2, 1, "三", 0.95],
    ]


@pytest.mark.parametrize("character", ["长", "𠀀"])
def test_xlsx_loses_nothing_of_a_line_longer_than_a_cell(character: str) -> None:
    sheet = book_of(Document((page_of(character * 40_000),)))["Lines"]
    assert "".join(str(row[2].value) for row in list(sheet)[1:]) == character * 40_000


def test_markdown_writes_pipes_or_html() -> None:
    written = FORMATS["markdown"].write(of(PLAIN)).decode()
    assert "| 名称 | 数量 |\n| --- | --- |\n| 铅笔\\|笔 | 007 |\n| 多<br>行 | -5 |" in written
    written = FORMATS["markdown"].write(of(SPANNED)).decode()
    assert '<table><tr><td rowspan="2">项目</td><td colspan="2">金额</td></tr>' in written


def test_html_table() -> None:
    root = lxml_html.document_fromstring(FORMATS["html"].write(of(SPANNED)))
    [made] = root.xpath("//table")
    assert [[cell.text for cell in row] for row in made] == [
        ["项目", "金额"],
        ["税前", "税额"],
        ["0012", "1,234.50", "=SUM(A1)"],
    ]
    assert made[0][0].get("rowspan") == "2"


def test_html_fields_with_their_checks() -> None:
    root = lxml_html.document_fromstring(FORMATS["html"].write(with_fields()))
    assert root.xpath("//section[@id='fields']/p/text()") == ["review: sum"]
    assert "sum: failed" in root.xpath("//section[@id='fields']//td/text()")


def test_docx_merges_spans_and_names_a_chinese_typeface() -> None:
    word = docx.Document(io.BytesIO(FORMATS["docx"].write(of(SPANNED, PLAIN))))
    first, second = word.tables
    assert first.cell(0, 0)._tc is first.cell(1, 0)._tc
    assert first.cell(0, 1)._tc is first.cell(0, 2)._tc
    assert [cell.text for cell in second.rows[1].cells] == ["铅笔|笔", "007"]
    assert [paragraph.text for paragraph in word.paragraphs if paragraph.text] == ["outside"]
    fonts = word.styles["Normal"].element.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
    assert fonts.get(qn("w:eastAsia")) == "SimSun"


@pytest.mark.parametrize(("size", "wide"), [((600, 900), False), ((900, 600), True)])
def test_docx_is_a4_as_the_pages_lie(size: tuple[int, int], wide: bool) -> None:
    document = of(PLAIN)
    pages = tuple(replace(page, width=size[0], height=size[1]) for page in document.pages)
    word = docx.Document(io.BytesIO(FORMATS["docx"].write(replace(document, pages=pages))))
    (section,) = word.sections
    assert section.page_width is not None
    assert section.page_height is not None
    assert (round(section.page_width.mm), round(section.page_height.mm)) == ((297, 210) if wide else (210, 297))


def test_html_breaks_no_word_of_a_table() -> None:
    assert (
        "table{border-collapse:collapse;margin:1rem 0;overflow-wrap:normal}"
        in FORMATS["html"].write(of(PLAIN)).decode()
    )


def test_a_grid_never_leaves_its_bounds_nor_covers_itself() -> None:
    overlapping = table([["a", "b"], ["c", "d"]], {})
    cells = tuple(replace(cell, row_span=5, column_span=5) for cell in overlapping.cells)
    places = list(grid.places(replace(overlapping, cells=cells)))
    covered = [(p.row + i, p.column + j) for p in places for i in range(p.row_span) for j in range(p.column_span)]
    assert sorted(covered) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert grid.texts(replace(overlapping, rows=10**9, columns=10**9)) == [["a", "b"], ["c", "d"]]

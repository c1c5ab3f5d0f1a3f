"""Excel: a sheet for each table, one for the fields, and the lines where there is neither.

Takes a document, gives an XLSX workbook. Everything read is written as text, so nothing becomes a formula, a link or
another number than printed (invoice numbers keep their leading zeros); spans are merged cells.
"""

import io
from collections.abc import Iterable, Sequence

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from shizi.document import Document, Table
from shizi.export import field_rows, grid
from shizi.export.printable import printable

# What a cell holds at most, in UTF-16 units (Excel specifications and limits).
_LONGEST = 32_767
_LINES = ("page", "line", "text", "confidence")
_WIDEST, _NARROWEST, _PADDING = 60, 6, 2  # of columns, in digits
_ROW_HEIGHT, _TALLEST = 15, 27  # of a line, in points; lines of a row (a row has 409 points at most)
_A4 = 9


def write(document: Document) -> bytes:
    """Write a workbook; text beyond what a cell holds goes on in the cell below (of tables: it ends with …)."""
    document = printable(document)
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        body = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        framed = book.add_format({"text_wrap": True, "valign": "vcenter", "num_format": "@", "border": 1})
        bold = book.add_format({"bold": True})
        tables = [(page.number, table) for page in document.pages for table in page.tables]
        for number, (_, table) in enumerate(tables, start=1):
            _write_table(_sheet(book, f"Table {number}"), table, framed)
        if document.fields:
            rows = field_rows.all_rows(document)
            _write_rows(_sheet(book, "Fields"), field_rows.HEADING, rows, bold, body)
        if not tables and not document.fields:
            lines = (
                (page.number, number, text, round(line.confidence, 4))
                for page in document.pages
                for number, line in enumerate(page.lines, start=1)
                for text in _pieces(line.text)
            )
            _write_rows(_sheet(book, "Lines"), _LINES, lines, bold, body)
    return file.getvalue()


def _sheet(book: xlsxwriter.Workbook, name: str) -> Worksheet:
    sheet = book.add_worksheet(name)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})  # it is meant so
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)  # printed as wide as the paper, as long as it takes
    return sheet


def _write_table(sheet: Worksheet, table: Table, framed: Format) -> None:
    rows, columns = grid.size(table)
    places = list(grid.places(table))
    for place in places:
        last_row, last_column = place.row + place.row_span - 1, place.column + place.column_span - 1
        if (last_row, last_column) != (place.row, place.column):
            sheet.merge_range(place.row, place.column, last_row, last_column, "", framed)
        sheet.write_string(place.row, place.column, _cut(place.text), framed)
    widths = _widths(places, columns)
    _set_widths(sheet, dict(enumerate(widths)))
    for row, height in enumerate(_heights(places, widths, rows)):
        if height > 1:
            sheet.set_row(row, height * _ROW_HEIGHT)


def _widths(places: Sequence[grid.Place], columns: int) -> list[int]:
    """Give the columns' widths: what their own cells need, and of cells that span several an even share of the rest."""
    widths = [_NARROWEST] * columns
    for place in sorted(places, key=lambda place: place.column_span):
        spanned = range(place.column, place.column + place.column_span)
        missing = min(_WIDEST, _width(place.text) + _PADDING) - sum(widths[i] for i in spanned)
        for i in spanned:
            widths[i] += max(0, -(-missing // len(spanned)))
    return widths


def _heights(places: Sequence[grid.Place], widths: Sequence[int], rows: int) -> list[int]:
    """Give how many lines of text each row holds. Excel finds that by itself, but not of merged cells."""
    heights = [1] * rows
    for place in sorted(places, key=lambda place: place.row_span):
        wide = sum(widths[place.column : place.column + place.column_span]) - 1
        lines = sum(max(1, -(-_width(row) // wide)) for row in place.text.split("\n"))
        spanned = range(place.row, place.row + place.row_span)
        heights[spanned[-1]] += max(0, lines - sum(heights[i] for i in spanned))
    return [min(height, _TALLEST) for height in heights]


def _write_rows(
    sheet: Worksheet, heading: Sequence[str], rows: Iterable[Sequence[object]], bold: Format, body: Format
) -> None:
    widths = dict(enumerate(map(len, heading)))
    for column, name in enumerate(heading):
        sheet.write_string(0, column, name, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, int | float):
                sheet.write_number(number, column, value)
            else:
                sheet.write_string(number, column, _cut(str(value)), body)
                widths[column] = max(widths[column], _width(str(value)))
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    _set_widths(sheet, {column: width + _PADDING for column, width in widths.items()})


def _set_widths(sheet: Worksheet, widths: dict[int, int]) -> None:
    for column, width in widths.items():
        sheet.set_column(column, column, min(_WIDEST, max(_NARROWEST, width)))


def _width(text: str) -> int:
    """Give the width of a text in digits: Chinese characters are two wide."""
    return max((sum(2 if ord(character) > 0x2E7F else 1 for character in row) for row in text.split("\n")), default=0)


def _pieces(text: str) -> list[str]:
    """Cut a text into what cells hold; one piece unless it is very long."""
    step = _LONGEST // 2  # characters beyond the Basic Multilingual Plane are two units
    return [text] if _units(text) <= _LONGEST else [text[at : at + step] for at in range(0, len(text), step)]


def _cut(text: str) -> str:
    return text if _units(text) <= _LONGEST else _pieces(text)[0] + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2

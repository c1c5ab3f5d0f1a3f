"""Word: headings, paragraphs, lists and tables in reading order, to go on writing with.

Takes a document, gives a DOCX file; needs the extra `shizi[docx]`. Text is what is kept, not places: spans of tables
are merged cells, a page of the document begins a new page.
"""

import io
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Mm

from shizi.document import Document, Table
from shizi.export import field_rows, grid
from shizi.export.flow import Heading, Paragraph, Part, flow
from shizi.export.lists import Listing
from shizi.export.printable import printable

_A4, _MARGIN = (210, 297), 25  # millimetres
_CHINESE_FONT = "SimSun"  # what Word has everywhere; others put their own song typeface for it


def write(document: Document) -> bytes:
    """Write the document."""
    word: Any = docx.Document()
    document = printable(document)
    _set_chinese_font(word)
    _set_paper(word, document)
    if document.fields:
        _add_rows(word, [field_rows.HEADING, *field_rows.all_rows(document)])
    for number, page in enumerate(document.pages):
        if number or document.fields:
            word.add_page_break()
        for part in flow(page):
            _add(word, part)
    file = io.BytesIO()
    word.save(file)
    return file.getvalue()


def _set_paper(word: Any, document: Document) -> None:
    """Set A4, which the template of python-docx is not, on its side where most pages are wider than high."""
    wide = 2 * sum(page.width > page.height for page in document.pages) > len(document.pages)
    section = word.sections[0]
    width, height = sorted(_A4, reverse=wide)
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(_MARGIN)


def _set_chinese_font(word: Any) -> None:
    """Name the typeface of Chinese characters, which Word keeps apart from that of Latin ones."""
    for style in word.styles:
        fonts = style.element.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
        if style.name == "Normal" or fonts is not None:
            style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _CHINESE_FONT)


def _add(word: Any, part: Part) -> None:
    if isinstance(part, Heading):
        word.add_heading(part.text, part.level)
    elif isinstance(part, Table):
        _add_table(word, part)
    elif isinstance(part, Listing):
        for i, item in enumerate(part.items):
            # Word would count on from the list before: numbers are written as they were read
            text = f"{part.start + i}. {item}" if part.kind == "numbers" else item
            word.add_paragraph(text, style="List Bullet" if part.kind == "bullets" else "List Paragraph")
    elif isinstance(part, Paragraph) and not part.furniture:
        word.add_paragraph("\n".join(part.rows))  # python-docx makes line breaks of \n


def _add_table(word: Any, table: Table) -> None:
    rows, columns = grid.size(table)
    if not rows:
        return
    made = word.add_table(rows, columns, style="Table Grid")
    # The cells of a row or a table are found by counting from its start each time; take them once.
    cells = [list(row.cells) for row in made.rows]
    for place in grid.places(table):
        cell = cells[place.row][place.column]
        if place.row_span > 1 or place.column_span > 1:
            cell = cell.merge(cells[place.row + place.row_span - 1][place.column + place.column_span - 1])
        cell.text = place.text
    word.add_paragraph()  # two tables with nothing between would become one


def _add_rows(word: Any, rows: list[tuple[object, ...]]) -> None:
    made = word.add_table(0, len(rows[0]), style="Table Grid")
    for row in rows:
        for cell, value in zip(made.add_row().cells, row, strict=True):
            cell.text = str(value)

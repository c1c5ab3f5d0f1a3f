"""Printable: a document without the characters that no file format may carry.

Takes a document, gives it back with control characters taken out and broken code points replaced; the same object
if there are none, which is the rule. What is read from pixels never has them; text layers of files may.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from shizi.document import Cell, Document, Field, Line, Page

# What XML 1.0 forbids (section 2.2), and the C1 controls, which no text means.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("\r\n?|[\u2028\u2029]")


def printable(document: Document) -> Document:
    """Give the document with every text cleaned: `\\n` is the only line break, half surrogates are U+FFFD."""
    if all(cleaned(text) == text for text in _texts(document)):
        return document
    pages = tuple(_page(page) for page in document.pages)
    forms = tuple(replace(form, fields=tuple(map(_field, form.fields))) for form in document.forms)
    return replace(document, pages=pages, fields=tuple(map(_field, document.fields)), forms=forms)


def cleaned(text: str) -> str:
    """Clean one text."""
    return _FORBIDDEN.sub(_substitute, _BREAKS.sub("\n", text))


def _substitute(found: re.Match[str]) -> str:
    return "\ufffd" if "\ud800" <= found[0] <= "\udfff" else ""


def _texts(document: Document) -> Iterable[str]:
    for page in document.pages:
        for line in page.lines:
            yield line.text
            yield from (word.text for word in line.words)
        yield from (cell.text for table in page.tables for cell in table.cells)
    fields = (*document.fields, *(field for form in document.forms for field in form.fields))
    yield from (text for field in fields for text in _field_texts(field))


def _field_texts(field: Field) -> Iterable[str]:
    yield from (field.name, field.value, field.text, field.repaired, *(check.detail for check in field.checks))
    yield from (text for row in field.rows for part in row for text in _field_texts(part))


def _page(page: Page) -> Page:
    tables = tuple(replace(table, cells=tuple(map(_cell, table.cells))) for table in page.tables)
    return replace(page, lines=tuple(map(_line, page.lines)), tables=tables)


def _line(line: Line) -> Line:
    words = tuple(replace(word, text=cleaned(word.text)) for word in line.words)
    return replace(line, text=cleaned(line.text), words=words)


def _cell(cell: Cell) -> Cell:
    return replace(cell, text=cleaned(cell.text))


def _field(field: Field) -> Field:
    return replace(
        field,
        name=cleaned(field.name),
        value=cleaned(field.value),
        text=cleaned(field.text),
        repaired=cleaned(field.repaired),
        checks=tuple(replace(check, detail=cleaned(check.detail)) for check in field.checks),
        rows=tuple(tuple(map(_field, row)) for row in field.rows),
    )

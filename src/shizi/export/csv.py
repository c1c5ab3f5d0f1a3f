"""CSV: the tables of a document, or its fields if it has no table, or its lines if it has neither.

Takes a document, gives RFC 4180: UTF-8 with the mark by which Excel knows it, rows ended by CR LF, every row equally
long. Cells that a spreadsheet would take for a formula get an apostrophe before them. Knows of no colours, no spans: a
cell's text stands in its first place.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from shizi.document import Document
from shizi.export import field_rows, grid
from shizi.export.printable import printable

_LINES = ("page", "line", "text", "confidence", "left", "top", "right", "bottom")
# What spreadsheets take for a formula, full-width forms included (OWASP, CSV injection); plain numbers are none.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t|%]")
_NUMBER = re.compile(r"[+-]?(\d[\d,]*)(\.\d+)?%?")


def write(document: Document) -> bytes:
    """Write several tables one under another, an empty row between."""
    rows = [[_guarded(str(value)) for value in row] for row in _rows(printable(document))]
    widest = max(map(len, rows), default=0)
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows([*row, *[""] * (widest - len(row))] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def _rows(document: Document) -> Iterator[Sequence[object]]:
    tables = [table for page in document.pages for table in page.tables]
    if tables:
        for number, table in enumerate(tables):
            if number:
                yield ()
            yield from grid.texts(table)
    elif document.fields:
        yield field_rows.HEADING
        yield from field_rows.all_rows(document)
    else:
        yield _LINES
        for page in document.pages:
            for number, line in enumerate(page.lines, start=1):
                bounds = (round(value, 1) for value in line.polygon.bounds)
                yield page.number, number, line.text, round(line.confidence, 4), *bounds


def _guarded(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text

"""Markdown: headings, paragraphs, lists and tables in reading order, for people, wikis and language models.

Takes a document, gives UTF-8 bytes of CommonMark with the tables of GitHub's flavour; a table with spans, which that
cannot say, stands as HTML. Text that looks like markup is escaped: what a picture says never becomes markup.
"""

import re

from shizi.document import Document, Table
from shizi.export import grid
from shizi.export.flow import Heading, Paragraph, Part, flow
from shizi.export.lists import Listing
from shizi.export.printable import printable

# Marks that may mean something anywhere in a line, ~ and | by GitHub's flavour, $ by what many programs add.
_ANYWHERE = re.compile(r"([\\`*_\[\]<>~|$]|&(?=#?\w+;)|!(?=\[))")
# Marks that mean something at the start of a line only.
_AT_START = re.compile(r"#{1,6}(?=\s|$)|[+-](?=\s|$)|[-=]+$|\d{1,9}(?=[.)](\s|$))")
_BREAK = "  \n"  # two spaces: a line break that stays invisible to those who read the source
_PAGE_BREAK = "---"


def write(document: Document) -> bytes:
    """Write the document, a thematic break between pages; headers and footers of pages are left out."""
    pages = ["\n\n".join(filter(None, map(_part, flow(page)))) for page in printable(document).pages]
    text = f"\n\n{_PAGE_BREAK}\n\n".join(pages).strip("\n") if any(pages) else ""
    return f"{text}\n".encode() if text else b""


def _part(part: Part) -> str:
    if isinstance(part, Heading):
        return f"{'#' * part.level} {_escaped(part.text)}"
    if isinstance(part, Paragraph):
        return "" if part.furniture else _BREAK.join(_escaped(row) for row in part.rows)
    if isinstance(part, Listing):
        numbered = part.kind == "numbers"
        marks = (f"{part.start + i}." if numbered else "-" for i in range(len(part.items)))
        return "\n".join(f"{mark} {_escaped(item)}" for mark, item in zip(marks, part.items, strict=True))
    return grid.html(part) if grid.spanned(part) else _pipes(part)


def _escaped(text: str) -> str:
    """Escape one row of text; white space is folded, since rows that begin with much of it are code."""
    text = _ANYWHERE.sub(r"\\\1", " ".join(text.split()))
    start = _AT_START.match(text)
    if start is None:
        return text
    return f"{start[0]}\\{text[start.end() :]}" if start[0].isdigit() else f"\\{text}"


def _pipes(table: Table) -> str:
    """Write a table in pipes; its first row is the heading, which the syntax demands."""
    rows = [[_cell(text) for text in row] for row in grid.texts(table)]
    if not rows:
        return ""
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(text: str) -> str:
    return "<br>".join(_ANYWHERE.sub(r"\\\1", " ".join(row.split())) for row in text.split("\n"))

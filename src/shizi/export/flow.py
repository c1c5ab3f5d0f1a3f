"""Flow: what stands on a page, in reading order, as headings, paragraphs and tables.

Takes a page, gives `Heading`, `Paragraph` and `Table` values for formats that are read rather than measured. Lines are
joined where the text runs on: no space between Chinese characters, one between words, hyphens at line ends closed.
Knows nothing of any format.

Whether a line goes on in the next cannot be told from its words alone; as typesetters do, a line counts as full when
what follows would not have fitted behind it. Rows of forms and lists stay rows.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from shizi.document import Block, Line, Page, Table
from shizi.export.lists import Listing, run_of
from shizi.geometry import Polygon

_FULL_LENGTH = 10.0  # shorter lines, in line heights, are rows of a form rather than lines of a paragraph
_INDENT = 1.0  # a start further right, in line heights, begins a paragraph
_RAGGED = 1.2  # room, in line heights, that Chinese lines leave at their end (a mark that may not begin a line)
_LETTER = 0.55  # width of a Latin letter, in line heights

_ITEM = re.compile(
    r"[-*•·●○■□◆◇▪▫※➢➤①-⑳]|[(（]?(\d{1,3}|[a-zA-Z]|[一二三四五六七八九十百]{1,3})[)）.、．](?!\d)|第[一二三四五六七八九十百\d]+[条章节款]"
    r"|[^\s：:，。]{1,10}[：:](?!//)"  # the label of a form's row
)
_FURNITURE = ("header", "footer", "page_number")
_TITLES = {"title": 1, "heading": 2}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `level` from 1."""

    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `rows` stay apart. `furniture`: it belongs to the page's margin, not to its text."""

    rows: tuple[str, ...]
    furniture: bool = False


Part = Heading | Paragraph | Listing | Table


def flow(page: Page) -> Iterator[Part]:
    """Give the parts of a page in reading order; each table once, where its first line stands."""
    rows: list[tuple[int, str]] = []  # of paragraphs that follow one another: which paragraph, and the text
    for number, part in enumerate(_parts(page)):
        if isinstance(part, Paragraph) and not part.furniture:
            rows += [(number, row) for row in part.rows]
            continue
        yield from _listed(rows)
        rows = []
        yield part
    yield from _listed(rows)


def _listed(rows: Sequence[tuple[int, str]]) -> Iterator[Paragraph | Listing]:
    """Take lists out of rows; what stands between keeps to its paragraphs."""
    free: list[tuple[int, str]] = []
    at = 0
    while at < len(rows):
        found = run_of([row for _, row in rows[at:]])
        if found is None:
            free.append(rows[at])
            at += 1
            continue
        yield from _grouped(free)
        free = []
        yield found
        at += len(found.items)
    yield from _grouped(free)


def _grouped(rows: Sequence[tuple[int, str]]) -> Iterator[Paragraph]:
    for _, group in groupby(rows, key=lambda row: row[0]):
        yield Paragraph(tuple(text for _, text in group))


def _parts(page: Page) -> Iterator[Heading | Paragraph | Table]:
    table_of = {i: table for table in page.tables for cell in table.cells for i in cell.lines}
    given: list[Table] = []
    waiting = sorted((t for t in page.tables if t not in table_of.values()), key=_top)
    for block in page.blocks or (_whole(page),):
        free: list[int] = []
        for i in block.lines:
            table = table_of.get(i)
            if table is None:
                free.append(i)
                continue
            yield from _texts(page, block, free)
            free = []
            if not any(table is other for other in given):
                given.append(table)
                yield table
        while waiting and free and _top(waiting[0]) < page.lines[free[0]].polygon.bounds[1]:
            yield waiting.pop(0)  # a table without text of its own
        yield from _texts(page, block, free)
    yield from waiting


def _whole(page: Page) -> Block:
    return Block("lines", Polygon.from_bounds(0, 0, page.width, page.height), tuple(range(len(page.lines))))


def _top(table: Table) -> float:
    return table.polygon.bounds[1]


def _texts(page: Page, block: Block, indexes: Sequence[int]) -> Iterator[Heading | Paragraph]:
    lines = [page.lines[i] for i in indexes if page.lines[i].text.strip()]
    if not lines:
        return
    if block.kind in _TITLES:
        yield Heading(joined([line.text for line in lines]), _TITLES[block.kind])
        return
    if block.kind in ("lines", "seal") or block.kind in _FURNITURE:
        yield Paragraph(tuple(line.text for line in lines), block.kind in _FURNITURE)
        return
    for rows in _paragraphs(lines, block):
        yield Paragraph(tuple(rows))


def _paragraphs(lines: Sequence[Line], block: Block) -> list[list[str]]:
    """Gather lines into rows (lines that run on), and rows into paragraphs: a row of several lines stands alone."""
    rows: list[list[Line]] = []
    for line in lines:
        if rows and _goes_on(rows[-1][-1], line, block.polygon):
            rows[-1].append(line)
        else:
            rows.append([line])
    paragraphs: list[list[str]] = []
    alone = True
    for row in rows:
        text = joined([line.text for line in row])
        if len(row) > 1 or alone:
            paragraphs.append([text])
        else:
            paragraphs[-1].append(text)
        alone = len(row) > 1
    return paragraphs


def _goes_on(line: Line, following: Line, frame: Polygon) -> bool:
    """Say whether the text of `line` runs on in `following`, the next line of its block."""
    if line.vertical != following.vertical or _ITEM.match(following.text.lstrip()):
        return False
    start, end, size = _extent(line)
    next_start, _, next_size = _extent(following)
    left, top, right, bottom = frame.bounds
    first, last = (top, bottom) if line.vertical else (left, right)
    if end - start < _FULL_LENGTH * size or not 0.7 < size / next_size < 1.4:
        return False
    below = (
        following.polygon.centre[0] < line.polygon.centre[0] - size / 2
        if line.vertical
        else (following.polygon.centre[1] > line.polygon.centre[1] + size / 2)
    )
    return below and last - end < _room(following.text) * size and next_start - first < _INDENT * size


def _extent(line: Line) -> tuple[float, float, float]:
    """Give where a line starts and ends in its direction, and its height."""
    left, top, right, bottom = line.polygon.bounds
    if line.vertical:
        return top, bottom, max(line.polygon.width, 1.0)
    return left, right, max(line.polygon.height, 1.0)


def _room(text: str) -> float:
    """Give the room, in line heights, without which the beginning of a text goes to the next line."""
    word = re.match(r"\s*[^\s\u2e80-\uffef]*", text)
    letters = len(word[0].strip()) if word else 0
    return _RAGGED + _LETTER * letters


def joined(texts: Sequence[str]) -> str:
    """Join lines that run on into one text."""
    whole = texts[0].strip()
    for text in texts[1:]:
        whole = _two(whole, text.strip())
    return whole


def _two(before: str, after: str) -> str:
    if not before or not after:
        return before + after
    hyphenated = re.search(r"[^\W\d_]-$", before) and after[0].islower()
    if hyphenated:
        word = before.rsplit(None, 1)[-1]
        return before + after if "-" in word[:-1] else before[:-1] + after
    glued = _unspaced(before[-1]) or _unspaced(after[0]) or before.endswith(("-", "/", "\u2014"))
    return before + after if glued else f"{before} {after}"


def _unspaced(character: str) -> bool:
    """Say whether a character is of a script written without spaces: Chinese and Japanese, but not Korean."""
    wide = unicodedata.east_asian_width(character) in "WF"
    return wide and not "\uac00" <= character <= "\ud7a3"

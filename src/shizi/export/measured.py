"""Measured: lines by their blocks and words by their lines, for formats that tell where everything stands.

Takes pages and lines, gives groups and words that lose nothing: a line that no block names has a group of its own, a
line without words is one word. Knows nothing of any format.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shizi.document import Document, Line, Page
from shizi.geometry import Polygon

# The share of a line's frame below its baseline: descenders and the margin that detection leaves.
_BELOW = 0.2


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together, each with its index on the page."""

    polygon: Polygon
    lines: tuple[tuple[int, Line], ...]


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """One word; `spaced`: a space follows it."""

    text: str
    confidence: float
    polygon: Polygon
    spaced: bool


def groups(page: Page) -> Iterator[Group]:
    """Give the lines of a page by blocks; each line once."""
    given: set[int] = set()
    for block in page.blocks:
        indexes = [i for i in dict.fromkeys(block.lines) if i not in given]
        given.update(indexes)
        if indexes:
            yield Group(block.polygon, tuple((i, page.lines[i]) for i in indexes))
    for i, line in enumerate(page.lines):
        if i not in given:
            yield Group(line.polygon, ((i, line),))


def words_of(line: Line) -> Iterator[PlacedWord]:
    """Give the words of a line; the line itself is one where it has none."""
    at = 0
    for i, word in enumerate(line.words):
        place = line.text.find(word.text, at)
        at = place + len(word.text) if place >= 0 else at
        spaced = i + 1 < len(line.words) and line.text[at : at + 1].isspace()
        yield PlacedWord(word.text, word.confidence, word.polygon, spaced)
    if not line.words and line.text:
        yield PlacedWord(line.text, line.confidence, line.polygon, False)


def below_baseline(line: Line) -> float:
    """Give how far above the lower edge of its frame a line's baseline runs, in pixels."""
    return _BELOW * line.polygon.height


def language(document: Document) -> str:
    """Give the language of a document as far as its characters tell: `zh` or `en`."""
    return "zh" if re.search("[\u4e00-\u9fff]", document.text) else "en"

"""Pieces: the text of one page, character by character, and where it stands once the page is laid straight.

Takes a `Page` (lines with characters if it has them), gives `Piece`s: stretches of lines that know their place.
Knows nothing of forms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from shizi.document import Line, Page
from shizi.geometry import Polygon

# White space between two characters, in line heights from centre to centre, that parts the cells of a row.
CELL_GAP = 1.35
# The same between two figures, in steps of the stretch's own characters: figures of two columns read as one.
FIGURE_GAP = 1.6
_FIGURES = "0123456789.,"
_CENTS = re.compile(r"\.\d\d(?=免|不|零|\*|[¥￥]|\d{1,2}%$)")
SAME_ROW = 0.55  # lines whose middles differ by less than this share of their height stand on one row


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character: as printed, folded (NFKC), and its stretch of the line, shares 0..1."""

    text: str
    folded: str
    confidence: float
    start: float
    end: float

    @property
    def centre(self) -> float:
        """The middle of its stretch."""
        return (self.start + self.end) / 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one line; `spaced` are the indexes of glyphs that white space precedes."""

    line: int
    glyphs: tuple[Glyph, ...]
    polygon: Polygon
    vertical: bool
    confidence: float
    spaced: frozenset[int] = frozenset()

    @property
    def folded(self) -> str:
        """The text after NFKC, without white space: one character for each glyph."""
        return "".join(glyph.folded for glyph in self.glyphs)

    @property
    def text(self) -> str:
        """The text as printed, with its spaces."""
        spaced = self.spaced
        return "".join((" " if i and i in spaced else "") + glyph.text for i, glyph in enumerate(self.glyphs))

    @property
    def place(self) -> Polygon:
        """The stretch's own corners."""
        if not self.glyphs:
            return self.polygon
        return self.polygon.part(max(0.0, self.glyphs[0].start), min(1.0, self.glyphs[-1].end), self.vertical)

    def cut(self, start: int, end: int | None = None) -> Piece:
        """Take the glyphs from `start` to `end`."""
        end = len(self.glyphs) if end is None else end
        spaced = frozenset(i - start for i in self.spaced if start <= i < end)
        return Piece(self.line, self.glyphs[start:end], self.polygon, self.vertical, self.confidence, spaced)

    def cells(self) -> Iterator[Piece]:
        """Part the stretch at spaces and wide gaps, and where an amount ends; stacked characters one by one."""
        steps = [b.centre - a.centre for a, b in pairwise(self.glyphs)]
        usual = sorted(steps)[len(steps) // 2] if steps else 0.0
        cents = {match.end() for match in _CENTS.finditer(self.folded)}
        starts = [0]
        for i, step in enumerate(steps, 1):
            gap = step * self.polygon.width
            figures = all(glyph.folded in _FIGURES for glyph in self.glyphs[i - 1 : i + 1])
            wide = gap > CELL_GAP * self.polygon.height
            wide = wide or (figures and step > FIGURE_GAP * usual and gap > 0.5 * self.polygon.height)
            if self.vertical or i in self.spaced or wide or i in cents:
                starts.append(i)
        for start, end in zip(starts, [*starts[1:], len(self.glyphs)], strict=True):
            if end > start:
                yield self.cut(start, end)


def piece_of(line: Line, index: int) -> Piece:
    """Make a piece of a whole line."""
    text = line.text
    known = [char for word in line.words for char in word.chars]
    glyphs: list[Glyph] = []
    spaced: set[int] = set()
    solid = sum(not character.isspace() for character in text)
    exact = len(known) == solid
    position = 0
    for place, character in enumerate(text):
        if character.isspace():
            spaced.add(len(glyphs))
            continue
        if exact:
            char = known[position]
            start, end, confidence = char.start, char.end, char.confidence
        else:  # no places are known: all characters are taken to be as wide
            start, end, confidence = place / len(text), (place + 1) / len(text), line.confidence
        position += 1
        # NFKC makes several characters of a few (㎡, ％): one glyph each, all at the same place
        for folded in unicodedata.normalize("NFKC", character).replace(" ", "") or character:
            glyphs.append(Glyph(character, folded, confidence, start, end))
    return Piece(index, tuple(glyphs), line.polygon, line.vertical, line.confidence, frozenset(spaced))


class Sheet:
    """The pieces of one page and the way from pixels to rows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pieces = tuple(piece_of(line, i) for i, line in enumerate(page.lines))
        self._shift = 0.0  # what `settle` adds to the slope

    @cached_property
    def _slope(self) -> tuple[float, float, float]:
        """Fit the lines' slope as a + b x + c y (shares of the page): a turned or foreshortened page."""
        rows = []
        for piece in self.pieces:
            a, b, c, d = piece.polygon.corners
            along = (b[0] + c[0] - a[0] - d[0]) / 2
            if not piece.vertical and along > 4 * piece.polygon.height:
                slope = ((b[1] + c[1] - a[1] - d[1]) / 2) / along
                if abs(slope) < 0.3:
                    x, y = piece.polygon.centre
                    rows.append((along, x / self.page.width, y / self.page.height, slope))
        return _fit(rows)

    def row(self, x: float, y: float) -> float:
        """Give the height at which the row through (x, y) crosses the middle of the page."""
        a, b, c = self._slope
        middle = self.page.width / 2
        share = (x + middle) / 2 / self.page.width
        return y - (a + self._shift + b * share + c * y / self.page.height) * (x - middle)

    def settle(self, points: Sequence[tuple[float, float]]) -> None:
        """Take points known to stand on one row, such as a table's headings: they tell the slope best."""
        if len(points) < 4:
            return
        xs, ys = [x for x, _ in points], [y for _, y in points]
        x, y = sum(xs) / len(xs), sum(ys) / len(ys)
        spread = sum((other - x) ** 2 for other in xs)
        if spread < (0.1 * self.page.width) ** 2:
            return
        slope = sum((px - x) * (py - y) for px, py in points) / spread
        a, b, c = self._slope
        share = (x + self.page.width / 2) / 2 / self.page.width
        shift = slope - (a + b * share + c * y / self.page.height)
        self._shift = shift if abs(shift) < 0.05 else 0.0

    def row_of(self, piece: Piece) -> float:
        """Give the row of a piece's centre."""
        return self.row(*piece.place.centre)


def _fit(rows: Sequence[tuple[float, float, float, float]]) -> tuple[float, float, float]:
    """Fit slope = a + b x + c y by weighted least squares, twice: the second time without what stands off."""
    if not rows:
        return 0.0, 0.0, 0.0
    import numpy as np

    values = np.array(rows, float)
    ordered = values[np.argsort(values[:, 3])]
    median = ordered[np.searchsorted(np.cumsum(ordered[:, 0]), ordered[:, 0].sum() / 2)][3]
    values = values[np.abs(values[:, 3] - median) < 0.04]
    if len(values) < 6:
        return float(median), 0.0, 0.0
    weights = np.sqrt(values[:, 0])
    sides = np.stack([np.ones(len(values)), values[:, 1], values[:, 2]], axis=1)
    # a little ridge on b and c: few lines must not make a page bend
    sides = np.concatenate([sides * weights[:, None], np.diag([0.0, 20.0, 20.0])])
    wanted = np.concatenate([values[:, 3] * weights, np.zeros(3)])
    a, b, c = np.linalg.lstsq(sides, wanted, rcond=None)[0]
    return float(a), float(b), float(c)

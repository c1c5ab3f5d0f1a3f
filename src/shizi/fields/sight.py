"""Sight: what of a page's pixels the fields ask for again: codes, runner-up readings, a second opinion.

Everything is looked up only when asked and kept for the page. Knows nothing of forms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from shizi.charset import Charset
from shizi.constrained import Hypothesis, Pattern, n_best
from shizi.crop import Region, cut
from shizi.document import Reading
from shizi.fields.pieces import Piece
from shizi.fields.values import folded
from shizi.geometry import Polygon
from shizi.line_image import Pixels
from shizi.recognise import ReadsLines, Recogniser

# In line heights: how far before its line's end a piece may end to be its end; how much of the line is read again, and
# how much of what is behind; the white between characters of one line. How many characters tell the known end, and how
# sure the one behind must be.
BEHIND, TAIL, FURTHER, GAP = 0.8, 3.0, 1.2, 0.5
TAIL_CHARS, SURE = 2, 0.5


class Sight:
    """The pixels of one page and the recognisers that can look at them again.

    `others` read independently of what read the page first; there may be none.
    """

    def __init__(self, pixels: Pixels, strong: Recogniser, *others: ReadsLines) -> None:
        self._pixels = pixels
        self._strong = strong
        self._others = others
        self._spreads: dict[Polygon, np.ndarray] = {}
        self._texts: dict[Polygon, list[str]] = {}

    def codes(self, holds: Callable[[float, float], bool]) -> tuple[str, ...]:
        """Give the texts of the QR codes whose middle `holds` says is within the area asked about."""
        return tuple(dict.fromkeys(text for text, middle in self._codes if holds(*middle)))

    @cached_property
    def _codes(self) -> tuple[tuple[str, tuple[float, float]], ...]:
        """The texts of all QR codes on the page, and their middles (read by zxing-cpp)."""
        import zxingcpp

        found = zxingcpp.read_barcodes(self._pixels, formats=zxingcpp.barcode_formats_from_str("QRCode"))
        return tuple((code.text, _middle(code.position)) for code in found if code.text)

    def alternatives(self, piece: Piece, allowed: Pattern) -> list[Hypothesis]:
        """Give the likeliest texts of a piece that the pattern allows, with their chances."""
        probabilities = self._spread(piece)
        start = max(0, math.floor(piece.glyphs[0].start * len(probabilities)))
        end = min(len(probabilities), math.ceil(piece.glyphs[-1].end * len(probabilities)))
        return n_best(probabilities[start:end], self._charset, allowed) if end > start else []

    def agrees(self, piece: Piece, text: str) -> bool | None:
        """Say whether the other recognisers read `text` on the piece's line, too; None if there are none."""
        if not self._others:
            return None
        if piece.polygon not in self._texts:
            strips = [self._strip(piece)]
            self._texts[piece.polygon] = [folded(other.read(strips, margins=True)[0].text) for other in self._others]
        return all(folded(text) in said for said in self._texts[piece.polygon])

    def goes_on(self, piece: Piece) -> bool:
        """Say whether more text stands right behind a piece at its line's end: the line was seen shorter than it is."""
        place, height = piece.polygon, piece.polygon.height
        end = piece.glyphs[-1].end * place.width
        if piece.vertical or place.width - end > BEHIND * height:
            return False
        start, width = max(0.0, end - TAIL * height), place.width + FURTHER * height
        reading = self.read(place.part(start / place.width, width / place.width))
        chars = [char for char in reading.chars if not char.text.isspace()]
        known, said = piece.folded[-TAIL_CHARS:], [folded(char.text) for char in chars]
        for i in range(len(said), 0, -1):  # from the right: where what is known ends
            if "".join(said[:i]).endswith(known):
                if i == len(said):
                    return False
                apart = (chars[i].start - chars[i - 1].end) * (width - start)
                return said[i].isalnum() and chars[i].confidence > SURE and apart < GAP * height
        return False

    def read(self, polygon: Polygon) -> Reading:
        """Read what stands in a rectangle where no line was seen."""
        return self._strong.read([strip_of(self._pixels, polygon)])[0]

    @property
    def _charset(self) -> Charset:
        return self._strong.charset

    def _spread(self, piece: Piece) -> np.ndarray:
        if piece.polygon not in self._spreads:
            self._spreads[piece.polygon] = self._strong.spread(self._strip(piece))
        return self._spreads[piece.polygon]

    def _strip(self, piece: Piece) -> Pixels:
        return strip_of(self._pixels, piece.polygon)


def _middle(position: Any) -> tuple[float, float]:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return sum(corner.x for corner in corners) / 4, sum(corner.y for corner in corners) / 4


def strip_of(pixels: Pixels, polygon: Polygon) -> Pixels:
    """Cut a line out of the page."""
    return cut(pixels, Region(np.array(polygon.corners, np.float32)))

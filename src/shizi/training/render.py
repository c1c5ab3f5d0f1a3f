"""Render: one line of text becomes ink on a strip, and where each character's ink lies.

Takes a text, faces and a `Look` (all random choices already made), gives an ink mask and spans. The glyph
places are what the first training phase learns from. Knows nothing of paper, damage or tensors.
"""

from collections import OrderedDict
from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt
from PIL import ImageFont

from shizi.training.fonts import Face

Ink = npt.NDArray[np.uint8]
Spans = npt.NDArray[np.float32]

# Sizes are drawn from few values, so that frequent glyphs come from the cache; strips are scaled afterwards.
SIZES = (12, 14, 16, 18, 22, 26, 32, 40)
SIZE_WEIGHTS = (3, 4, 6, 8, 14, 22, 30, 13)
CACHED_GLYPHS = 150_000


@dataclass(frozen=True, slots=True)
class Glyph:
    """The ink of one character (H W), its offset from the pen on the baseline, and its advance, in pixels."""

    ink: Ink
    left: int
    top: int
    advance: float


@dataclass(frozen=True, slots=True)
class Look:
    """How one line is set: size, letter spacing in em, crop margins in em (top, bottom, left, right)."""

    size: int
    spacing: float
    margins: tuple[float, float, float, float]
    tight_box: bool
    thicken: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn line: ink H W (255 = full ink), the text as drawn, and its spans N 2 (x from, x to)."""

    ink: Ink
    text: str
    spans: Spans


def draw_look(random: Random) -> Look:
    """Draw the look of one line: mostly plain setting, sometimes wide, tight or cropped loosely."""
    size = random.choices(SIZES, SIZE_WEIGHTS)[0]
    spacing = random.uniform(0.02, 0.5) if random.random() < 0.15 else max(-0.03, random.gauss(0.0, 0.02))
    tight = random.random() < 0.15
    margin = random.uniform(0.0, 0.08) if tight else random.uniform(0.08, 0.34)
    # A detector's regions hold more above a line than below (samples.LOW).
    top, bottom = (max(0.0, margin + shift + random.uniform(-0.06, 0.06)) for shift in (0.04, -0.04))
    left, right = (random.uniform(0.0, 0.1 if tight else 0.5) for _ in range(2))
    margins = (top, bottom, left, right)
    thicken = 1 if size >= 22 and random.random() < 0.06 else 0
    return Look(size, spacing, margins, random.random() < 0.3, thicken)


class Pen:
    """Draws lines with loaded faces; keeps the glyphs it has drawn. One for each process."""

    def __init__(self, faces: list[Face], fallback: Face) -> None:
        self._characters = {face.name: frozenset(face.characters) for face in (*faces, fallback)}
        self._fallback = fallback
        self._fonts: dict[tuple[str, int], ImageFont.FreeTypeFont] = {}
        self._glyphs: OrderedDict[tuple[str, int, str], Glyph] = OrderedDict()

    def draw(self, text: str, chinese: Face, latin: Face, look: Look) -> Drawn:
        """Draw `text`: ASCII in `latin`, the rest in `chinese`; what neither has, in the fallback or not."""
        glyphs, kept = self._set(text, chinese, latin, look.size)
        pens = np.cumsum([0.0] + [glyph.advance + look.spacing * look.size for glyph in glyphs])
        return _compose(glyphs, kept, pens, look)

    def _set(self, text: str, chinese: Face, latin: Face, size: int) -> tuple[list[Glyph], str]:
        glyphs, kept = [], []
        for character in text:
            face = self._face(character, chinese, latin)
            if face is not None:
                glyphs.append(self._glyph(face, size, character))
                kept.append(character)
        return glyphs, "".join(kept)

    def _face(self, character: str, chinese: Face, latin: Face) -> Face | None:
        first, second = (latin, chinese) if character < "\u2000" else (chinese, latin)
        if character == " ":
            return first
        for face in (first, second, self._fallback):
            if character in self._characters[face.name]:
                return face
        return None

    def _glyph(self, face: Face, size: int, character: str) -> Glyph:
        key = (face.name, size, character)
        glyph = self._glyphs.get(key)
        if glyph is None:
            glyph = self._rasterise(face, size, character)
            self._glyphs[key] = glyph
            if len(self._glyphs) > CACHED_GLYPHS:
                self._glyphs.popitem(last=False)
        return glyph

    def _rasterise(self, face: Face, size: int, character: str) -> Glyph:
        font = self._fonts.get((face.name, size))
        if font is None:
            font = ImageFont.truetype(face.path, size, layout_engine=ImageFont.Layout.BASIC)
            self._fonts[face.name, size] = font
        mask, (left, top) = font.getmask2(character, "L", anchor="ls")
        ink = np.asarray(bytearray(bytes(mask)), np.uint8).reshape(mask.size[1], mask.size[0])
        return Glyph(ink, int(left), int(top), font.getlength(character))


def _compose(glyphs: list[Glyph], text: str, pens: npt.NDArray[np.float64], look: Look) -> Drawn:
    """Lay glyphs along the baseline on a canvas cut like a detector's crop."""
    size = look.size
    inked = [glyph for glyph in glyphs if glyph.ink.size]
    tops = [glyph.top for glyph in inked] or [-size // 2]
    bottoms = [glyph.top + glyph.ink.shape[0] for glyph in inked] or [0]
    top, bottom = min(tops), max(bottoms)
    if not look.tight_box or bottom - top < 0.5 * size:
        top, bottom = min(top, round(-0.78 * size)), max(bottom, round(0.1 * size))
    above, below, before, after = (round(margin * size) for margin in look.margins)
    height = bottom - top + above + below
    width = max(8, round(pens[-1]) + before + after)
    ink = np.zeros((height, width), np.uint8)
    spans = np.empty((len(glyphs), 2), np.float32)
    for place, (glyph, pen) in enumerate(zip(glyphs, pens, strict=False)):
        x, y = round(pen) + before + glyph.left, glyph.top - top + above
        x = min(max(0, x), max(0, width - glyph.ink.shape[1]))
        _stamp(ink, glyph.ink, x, y)
        start, length = (x, glyph.ink.shape[1]) if glyph.ink.size else (before + pen, glyph.advance)
        spans[place] = start, start + length
    return Drawn(ink, text, spans)


def _stamp(canvas: Ink, ink: Ink, x: int, y: int) -> None:
    height, width = ink.shape
    part = canvas[max(0, y) : y + height, x : x + width]
    cut = ink[max(0, -y) : max(0, -y) + part.shape[0], : part.shape[1]]
    np.maximum(part, cut, out=part)

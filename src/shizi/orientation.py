"""Orientation: which way up a page is, and which of its lines stand on their heads.

Takes strips and the recogniser, gives quarter turns and better readings. The trial is reading itself: text the right
way up is read surely, any other way it is not (docs/decisions/003 has the figures, and why no classifier is asked).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from shizi.charset import is_chinese
from shizi.crop import Region, cut
from shizi.document import Reading
from shizi.line_image import Pixels, as_pixels
from shizi.recognise import ReadsLines

TRIALS = 4  # columns read each way before a page is turned
# Columns of vertical Chinese read at least this surely restacked as lying down; turned lines under half as surely.
COLUMN_SURE = 0.75
DOUBTFUL = 0.95  # 94% of lines standing on their heads are read with less a character, 8% of upright ones
# Of these, on pages of more than a few lines, only those that the small recogniser reads upside down nearly as surely
# are read so in earnest.
FEW, SLACK = 3, 0.2
MARGIN = 0.1  # another way round is taken for a reading this much surer; on a page of turned lines without a margin


@dataclass(frozen=True, slots=True)
class ReadRegion:
    """A region read: its place from the text's top left (an upright column's own), whether it is such a column, and
    whether it was read upside down to what its place on the page suggests.
    """

    region: Region
    reading: Reading
    vertical: bool
    turned: bool


def sureness(reading: Reading) -> float:
    """Give the geometric mean of the characters' chances, so that long and short readings compare; 0 for none."""
    return math.prod(char.confidence for char in reading.chars) ** (1 / len(reading.chars)) if reading.chars else 0.0


def page_turn(pixels: Pixels, regions: Sequence[Region], recogniser: ReadsLines) -> int:
    """Give the quarter turns clockwise that set a page upright whose lines run up or down: 0, 1 or 3.

    A page of upright columns (vertical Chinese) and a page of horizontal lines both need none. Half turns show only
    in the readings: see `set_upright`.
    """
    tall = sorted((region for region in regions if region.is_tall), key=lambda region: -region.height)
    if sum(region.height for region in tall) <= sum(region.width for region in regions if region.is_wide):
        return 0
    sample = tall[:TRIALS]
    down = _sum_sure(recogniser, [cut(pixels, region.rolled(-1)) for region in sample])
    up = _sum_sure(recogniser, [cut(pixels, region.rolled(1)) for region in sample])
    if up > down:
        return 1
    stacked = _sum_sure(recogniser, [restack(cut(pixels, region)) for region in sample])
    return 0 if stacked > COLUMN_SURE * down else 3


def _sum_sure(recogniser: ReadsLines, strips: Sequence[Pixels]) -> float:
    return sum(map(sureness, recogniser.read(strips, margins=True)))


def turn_page(pixels: Pixels, quarters: int) -> Pixels:
    """Turn a page (H W 3) clockwise by quarter turns."""
    return np.ascontiguousarray(np.rot90(pixels, -quarters))


def read_regions(
    pixels: Pixels, regions: Sequence[Region], recogniser: ReadsLines, search: bool, glance: ReadsLines | None = None
) -> list[ReadRegion]:
    """Read every region of a page; with `search`, whichever way up it reads best; `glance` as for `set_upright`."""
    lying = [region.rolled(-1) if region.is_tall else region for region in regions]
    strips = [cut(pixels, region) for region in lying]
    readings = recogniser.read(strips, margins=True)
    turned = [False] * len(strips)
    if search:
        readings, turned = set_upright(strips, readings, recogniser, glance)
    found = []
    for i, reading in enumerate(readings):
        if regions[i].is_tall and not turned[i] and _is_column(reading):
            found.append(ReadRegion(regions[i], _standing(reading), True, False))
        else:
            found.append(ReadRegion(lying[i].rolled(2 * turned[i]), reading, False, turned[i]))
    return _restacked(pixels, found, recogniser) if search else found


def _is_column(reading: Reading) -> bool:
    """Say whether what was read lying down is an upright column: mostly Chinese; Latin letters lie truly."""
    return 2 * sum(is_chinese(character) for character in reading.text) >= len(reading.text)


def _standing(reading: Reading) -> Reading:
    """Give back the dashes of a column: read lying down, a dash across it looks like an upright bar."""
    chars = tuple(replace(char, text="—") if char.text == "|" else char for char in reading.chars)
    return replace(reading, text="".join(char.text for char in chars), chars=chars)


def _restacked(pixels: Pixels, regions: list[ReadRegion], recogniser: ReadsLines) -> list[ReadRegion]:
    """Read doubtful columns again with their characters side by side; keep what is surer."""
    doubtful = [i for i, region in enumerate(regions) if region.vertical and sureness(region.reading) < DOUBTFUL]
    again = recogniser.read([restack(cut(pixels, regions[i].region)) for i in doubtful], margins=True)
    for i, reading in zip(doubtful, again, strict=True):
        if sureness(reading) > sureness(regions[i].reading) + MARGIN:
            regions[i] = replace(regions[i], reading=reading)
    return regions


def set_upright(
    strips: Sequence[Pixels],
    readings: Sequence[Reading],
    recogniser: ReadsLines,
    glance: ReadsLines | None = None,
) -> tuple[list[Reading], list[bool]]:
    """Read again, upside down, the strips that were read without sureness.

    Gives the better readings and which strips were turned. `glance`, a quicker recogniser, is asked first which are
    worth it. When most of the text turns out to stand on its head, all remaining strips are tried.
    """
    better, turned = list(readings), [False] * len(strips)

    def upside_down(candidates: Sequence[int]) -> list[Pixels]:
        return [np.ascontiguousarray(strips[i][::-1, ::-1]) for i in candidates]

    def try_turned(candidates: Sequence[int], margin: float) -> None:
        again = recogniser.read(upside_down(candidates), margins=True)
        for i, reading in zip(candidates, again, strict=True):
            if sureness(reading) > sureness(readings[i]) + margin:
                better[i], turned[i] = reading, True

    doubtful = [i for i, reading in enumerate(readings) if sureness(reading) < DOUBTFUL]
    if glance is not None and len(strips) > FEW:
        seen = glance.read(upside_down(doubtful), margins=True)
        doubtful = [i for i, look in zip(doubtful, seen, strict=True) if sureness(look) > sureness(readings[i]) - SLACK]
    try_turned(doubtful, MARGIN)
    if _most([len(reading.text) for reading in better], turned):
        try_turned([i for i, done in enumerate(turned) if not done], 0.0)
    return better, turned


def on_its_head(regions: Sequence[ReadRegion]) -> bool:
    """Say whether more than half of the text of a page was read upside down."""
    return _most([len(region.reading.text) for region in regions], [region.turned for region in regions])


def _most(lengths: Sequence[int], turned: Sequence[bool]) -> bool:
    return 2 * sum(length for length, done in zip(lengths, turned, strict=True) if done) > sum(lengths)


def restack(column: Pixels) -> Pixels:
    """Lay the characters of an upright column (H W 3, taller than wide) side by side as a line.

    Cells are cut at the evenest row near each multiple of the column's width.
    """
    height, width = column.shape[:2]
    unevenness = cv2.cvtColor(column, cv2.COLOR_RGB2GRAY).std(axis=1)  # a row across a gap is even
    cells, top = [], 0
    while height - top > 1.4 * width:
        low, high = top + max(1, round(0.6 * width)), top + max(2, round(1.4 * width))
        bottom = low + int(np.argmin(unevenness[low:high]))
        cells.append(column[top:bottom])
        top = bottom
    cells.append(column[top:])
    return np.ascontiguousarray(np.hstack([_square(cell, width) for cell in cells]))


def _square(cell: Pixels, side: int) -> Pixels:
    """Pad or shrink a cell to `side` rows, its own edge colour above and below."""
    height = cell.shape[0]
    if height > side:
        return as_pixels(cv2.resize(cell, (side, side), interpolation=cv2.INTER_AREA))
    above = (side - height) // 2
    return as_pixels(cv2.copyMakeBorder(cell, above, side - height - above, 0, 0, cv2.BORDER_REPLICATE))

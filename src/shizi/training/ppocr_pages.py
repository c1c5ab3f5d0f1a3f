"""PP-OCR pages: pages and lines drawn to measure the ranges of PP-OCR's maps on.

Takes the faces of `fonts`, gives float tensors as the float models want them. They are meant to reach further than
real pages do (a map that leaves its range in use is cut off there): paper of every colour, blotches like a
photograph's, inverse and tinted print, rules, text of 9 to 80 pixels. Item i is the same whatever else is drawn.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from shizi.line_image import LineFormat, Pixels, Tensor, as_pixels, to_tensor
from shizi.training import fonts, samples
from shizi.training.ppocr_graph import PIXEL

Floats = npt.NDArray[np.float64]

LINES_RUN, PAGES_RUN = 997, 996  # runs of `samples` that training does not use
SIDES = (320, 480, 640)
WIDEST_LINE = 1200
LINE = LineFormat(48, 3, 127.5, 127.5, "BGR")
_MOST_STRIPS = 1000  # on one page: keeps the pages' numbers of strips apart


class Drawer:
    """Draws calibration pages and lines."""

    def __init__(self, faces: Sequence[fonts.Face]) -> None:
        self._maker = samples.Maker(faces, [])

    def line_tensor(self, index: int) -> Tensor:
        """Give line `index`, 1 3 48 W, at most `WIDEST_LINE` wide."""
        strip = self._maker.make(LINES_RUN, index, 0.0, 1.0 if index % 3 else 0.3).strip
        shown = _tinted(strip, np.random.default_rng(index))[:, : WIDEST_LINE * strip.shape[0] // LINE.height]
        return to_tensor(shown, LINE)[None]

    def page_tensor(self, index: int) -> Tensor:
        """Give page `index`, 1 4 H W: red, green, blue and one plane that counts nothing, scaled to -1..1."""
        page = self.page(index).astype(np.float32)
        planes = np.pad(page, [(0, 0), (0, 0), (0, PIXEL - page.shape[2])], constant_values=255)
        return np.ascontiguousarray(((planes - 127.5) / 127.5).transpose(2, 0, 1)[None].astype(np.float32))

    def page(self, index: int) -> Pixels:
        """Draw page `index`: H W 3, square."""
        random = np.random.default_rng(index)
        side = SIDES[index % len(SIDES)]
        page = _rules(_paper(side, random), random)
        height = int(random.integers(12, 40))
        pitch = int(height * random.uniform(1.1, 2.2))
        number = index * _MOST_STRIPS
        for top in range(int(random.integers(0, height)), side - height, pitch):
            left = int(random.integers(0, 60))
            while left < side - 40:
                strip = self._strip(number, min(_some_height(height, random), side - top))[:, : side - left]
                spot = page[top : top + strip.shape[0], left : left + strip.shape[1]]
                spot[:] = _printed(strip, spot, random) if random.random() < 0.6 else _tinted(strip, random)
                left += strip.shape[1] + int(random.integers(8, 80))
                number += 1
        return page

    def _strip(self, number: int, height: int) -> Pixels:
        strip = self._maker.make(PAGES_RUN, number, 0.0, 0.4).strip
        width = max(8, strip.shape[1] * height // strip.shape[0])
        return as_pixels(cv2.resize(strip, (width, height), interpolation=cv2.INTER_AREA))


def _some_height(height: int, random: np.random.Generator) -> int:
    """Give most lines about a page's own height, some twice of it."""
    return max(8, int(height * (random.uniform(0.85, 1.15) if random.random() < 0.85 else random.uniform(1.2, 2))))


def _tinted(strip: Pixels, random: np.random.Generator) -> Pixels:
    """Give a grey strip (H W) colours of its own: black on white, tinted, inverse, or any two."""
    kind = random.random()
    ink, paper = np.zeros(3), np.full(3, 255.0)
    if kind > 0.8:
        ink, paper = random.uniform(0, 255, 3), random.uniform(0, 255, 3)
    elif kind > 0.65:
        ink, paper = random.uniform(150, 255, 3), random.uniform(0, 110, 3)
    elif kind > 0.35:
        ink, paper = random.uniform(0, 110, 3), random.uniform(150, 255, 3)
    return _blended(ink, paper, strip[:, :, None] / 255)


def _printed(strip: Pixels, spot: Pixels, random: np.random.Generator) -> Pixels:
    """Print a grey strip on what is there, dark on light or light on dark."""
    ink = random.uniform(170, 255, 3) if spot.mean() < 128 else random.uniform(0, 90, 3)
    grey = strip[:, :, None] / 255
    paper = float(np.median(grey))
    return _blended(ink, spot.astype(np.float64), 1 - np.abs(grey - paper) / max(paper, 1 - paper))


def _blended(ink: Floats, paper: Floats, share: Floats) -> Pixels:
    return as_pixels(np.clip(ink * (1 - share) + paper * share, 0, 255).astype(np.uint8))


def _paper(side: int, random: np.random.Generator) -> Pixels:
    """Draw a ground: nearly white, a gradient of two colours, or blotches."""
    kind = random.random()
    first, second = random.uniform(0, 255, 3), random.uniform(0, 255, 3)
    if kind < 0.5:
        first = second = np.full(3, random.uniform(225, 255))
    rows, columns = np.mgrid[0:side, 0:side] / side
    slope = np.clip(columns * random.uniform(-1, 1) + rows * random.uniform(-1, 1) + 0.5, 0, 1)
    page = _blended(second, first, 1 - slope[:, :, None])
    if kind > 0.7:
        for _ in range(12):
            centre, axes = (random.integers(low, high, 2).tolist() for low, high in ((0, side), (10, side // 3)))
            colour = random.uniform(0, 255, 3).tolist()
            cv2.ellipse(page, centre, axes, float(random.uniform(0, 180)), 0, 360, colour, -1)
        page = as_pixels(cv2.GaussianBlur(page, (0, 0), float(random.uniform(0.5, 4))))
    return page


def _rules(page: Pixels, random: np.random.Generator) -> Pixels:
    """Draw some rules from edge to edge, straight and slanted, on two pages of five."""
    side = len(page)
    for _ in range(int(random.integers(2, 9)) if random.random() < 0.4 else 0):
        start, end = random.integers(0, side, 2).tolist()
        upright = random.random() < 0.5
        first, last = ((start, 0), (end, side)) if upright else ((0, start), (side, end))
        cv2.line(page, first, last, random.uniform(0, 120, 3).tolist(), int(random.integers(1, 3)))
    return page

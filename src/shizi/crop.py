"""Crop: regions of a page, and the upright strip of pixels under each.

Takes pixels (H W 3) and a `Region`, gives strips (h w 3) whose text runs to the right. Knows nothing of how regions
are found or read.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from shizi.line_image import Pixels, as_pixels

Points = npt.NDArray[np.float32]

# A region this much taller than wide holds a column, or a line of a page that lies on its side (PaddleOCR's rule).
TALL = 1.5
RULE_CONTRAST = 25  # grey levels by which a rule differs from its ground
RULE_COVER = 0.9  # share of the gap's height a rule runs through


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of text: `corners` 4 2, clockwise from the text's top left, page pixels.

    A line that bends (on the page of an open book) has a `bow`: by how much, x and y, the middle of its centre line
    stands off the straight one between the middles of its ends.
    """

    corners: Points
    bow: tuple[float, float] = (0.0, 0.0)

    @property
    def width(self) -> float:
        """The length of the side that runs in reading direction."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def height(self) -> float:
        """The length of the side across the reading direction."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))

    @property
    def is_tall(self) -> bool:
        """Whether the region is a column rather than a line."""
        return self.height >= TALL * self.width

    @property
    def is_wide(self) -> bool:
        """Whether the region is clearly a line rather than a column."""
        return self.width >= TALL * self.height

    def rolled(self, quarters: int) -> "Region":
        """Name another corner the text's top left, `quarters` steps anticlockwise around the rectangle.

        One step makes the side that runs up on the left the reading direction (text that runs upwards), minus one
        the side that runs down on the right (text that runs downwards).
        """
        return replace(self, corners=np.roll(self.corners, quarters, axis=0))

    def turned(self, quarters: int, width: int, height: int) -> "Region":
        """Move with a page of `width` and `height` that is turned clockwise by quarter turns."""
        x, y = self.corners[:, 0], self.corners[:, 1]
        right, down = self.bow
        moved, bow = {
            0: ((x, y), (right, down)),
            1: ((height - y, x), (-down, right)),
            2: ((width - x, height - y), (-right, -down)),
            3: ((y, width - x), (down, -right)),
        }[quarters % 4]
        return Region(np.stack(moved, axis=1), bow)

    def upright(self) -> "Region":
        """Start at the corner whose first side runs right, within 45 degrees."""
        right, down = self.corners[1] - self.corners[0]
        return self.rolled(round(float(np.arctan2(down, right)) / (np.pi / 2)))


def cut(pixels: Pixels, region: Region) -> Pixels:
    """Cut the strip under `region` out of `pixels`, straightened."""
    a, b, _, d = region.corners
    width, height = max(1, round(region.width)), max(1, round(region.height))
    if region.bow != (0.0, 0.0):
        return _cut_bent(pixels, region, width, height)
    if abs(b[1] - a[1]) < 1 and abs(d[0] - a[0]) < 1 and b[0] > a[0] and d[1] > a[1]:  # upright: no resampling
        left, top = max(0, round(float(a[0]))), max(0, round(float(a[1])))
        upright = pixels[top : top + height, left : left + width]
        if upright.size:
            return upright
    frame = np.array([[0, 0], [width, 0], [0, height]], np.float32)
    turn = cv2.getAffineTransform(np.array([a, b, d], np.float32), frame)
    strip = cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return as_pixels(strip)


def _cut_bent(pixels: Pixels, region: Region, width: int, height: int) -> Pixels:
    """Follow the centre line, a parabola through the ends and the bow, while cutting."""
    a, b, _, d = region.corners
    along = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :, None]  # 1, W, 1
    across = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None, None]  # H, 1, 1
    bow = np.array(region.bow, np.float32) * 4 * along * (1 - along)
    places = (a + (b - a) * along + (d - a) * across + bow - 0.5).astype(np.float32)  # H, W, 2
    x, y = places[:, :, 0], places[:, :, 1]
    return as_pixels(cv2.remap(pixels, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def rule_between(pixels: Pixels, left: Points, right: Points) -> bool:
    """Say whether a rule (a thin line as high as the text) stands in the gap between two rectangles on one baseline.

    A column of the gap is part of a rule when nearly all its pixels differ from the gap's ground the same way.
    """
    gap = np.array([left[1], right[0], right[3], left[2]], np.float32)
    if gap[1][0] - gap[0][0] < 2:
        return False
    grey = cv2.cvtColor(cut(pixels, Region(gap)), cv2.COLOR_RGB2GRAY).astype(np.int16)
    difference = grey - int(np.median(grey))
    darker, lighter = (difference < -RULE_CONTRAST).mean(axis=0), (difference > RULE_CONTRAST).mean(axis=0)
    return bool(max(darker.max(), lighter.max()) > RULE_COVER)

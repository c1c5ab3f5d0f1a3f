"""Crop: cut the strip under a rotated rectangle out of a page, turned so that its text runs to the right.

Takes pixels (H W 3) and corners (4 2), gives strips (h w 3). Knows nothing of detection or reading.
"""

import cv2
import numpy as np
import numpy.typing as npt

from shizi.line_image import Pixels

Corners = npt.NDArray[np.float32]
# A strip this much taller than wide holds a column, or a line of a page that lies on its side (PaddleOCR's rule).
TALL = 1.5
RULE_CONTRAST = 25  # grey levels by which a rule differs from its ground
RULE_COVER = 0.9  # share of the gap's height a rule runs through


def cut(pixels: Pixels, corners: Corners) -> Pixels:
    """Cut the rectangle `corners` (clockwise from the text's top left) out of `pixels`."""
    a, b, _, d = corners
    width, height = (max(1, round(float(np.linalg.norm(side)))) for side in (b - a, d - a))
    if abs(b[1] - a[1]) < 1 and abs(d[0] - a[0]) < 1:  # upright: no resampling
        top, left = int(round(float(a[1]))), int(round(float(a[0])))
        strip = pixels[max(0, top) : top + height, max(0, left) : left + width]
        if strip.size:
            return strip
    frame = np.array([[0, 0], [width, 0], [0, height]], np.float32)
    turn = cv2.getAffineTransform(np.array([a, b, d], np.float32), frame)
    return cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def is_tall(corners: Corners) -> bool:
    """Say whether the rectangle is a column rather than a line."""
    a, b, _, d = corners
    return float(np.linalg.norm(d - a)) >= TALL * float(np.linalg.norm(b - a))


def turn_corners(corners: Corners, quarters: int) -> Corners:
    """Name another corner the text's top left: `quarters` steps anticlockwise around the rectangle.

    One step makes the side that ran upwards on the left the new reading direction (text that runs upwards); minus
    one the side that ran down on the right (text that runs downwards).
    """
    return np.roll(corners, quarters, axis=0)


def rule_between(pixels: Pixels, left: Corners, right: Corners) -> bool:
    """Say whether a rule (a thin line as high as the text) stands in the gap between two rectangles on one baseline.

    A column of the gap is part of a rule when nearly all its pixels differ from the gap's ground the same way.
    """
    gap = np.array([left[1], right[0], right[3], left[2]], np.float32)
    if np.linalg.norm(gap[1] - gap[0]) < 2 or gap[1][0] <= gap[0][0]:
        return False
    grey = cv2.cvtColor(cut(pixels, gap), cv2.COLOR_RGB2GRAY).astype(np.int16)
    difference = grey - int(np.median(grey))
    darker, lighter = (difference < -RULE_CONTRAST).mean(axis=0), (difference > RULE_CONTRAST).mean(axis=0)
    return bool(max(darker.max(), lighter.max()) > RULE_COVER)

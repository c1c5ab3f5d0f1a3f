"""Drawings: the picture with a frame and an order number at each line, to see what was found where.

Takes the pixels of a page as decoded and the page that was read from them, gives PNG bytes. Knows nothing of
how either was made.
"""

import io
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from shizi.document import Page
from shizi.geometry import Polygon

_COLOURS = ("#0d6efd", "#d63384", "#198754", "#fd7e14")  # neighbours in the order differ


def write(pixels: npt.NDArray[np.uint8], page: Page) -> bytes:
    """Draw the lines of `page` on its picture, turned upright. `pixels`: H W 3 uint8 RGB as decoded."""
    upright = np.rot90(pixels, -page.rotation // 90)  # rot90 turns anticlockwise, rotation is clockwise
    picture = Image.fromarray(np.ascontiguousarray(upright))
    brush = ImageDraw.Draw(picture)
    for order, line in enumerate(page.lines, start=1):
        _draw_line(brush, line.polygon, order)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def _draw_line(brush: ImageDraw.ImageDraw, polygon: Polygon, order: int) -> None:
    colour = _COLOURS[order % len(_COLOURS)]
    size = min(28.0, max(10.0, polygon.height * 0.45))
    brush.polygon(list(polygon.corners), outline=colour, width=max(1, round(size / 8)))
    font = cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))
    left, top = polygon.corners[0]
    place = (max(0.0, left), max(0.0, top - size * 1.2))
    brush.rectangle(brush.textbbox(place, str(order), font=font), fill=colour)
    brush.text(place, str(order), font=font, fill="white")

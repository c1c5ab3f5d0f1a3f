"""Looks: what drop-in endpoints want of a file's pixels beside its text. Done by an engine, like all decoding.

Each takes the bytes of a file and gives plain values. Knows nothing of HTTP, and imports nothing of it: engines do not
load what only the front needs.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from shizi.line_image import Pixels
from shizi.pages import Limits, open_pages

Corners = Sequence[tuple[float, float]]


def framed(data: bytes, frames: Mapping[int, Sequence[Corners]], side: int, limits: Limits) -> list[tuple[str, str]]:
    """Give each page whose number `frames` names, with these frames and without: JPEGs in base64.

    Longer pages are shrunk to `side` pixels. Raises what `open_pages` raises.
    """
    drawn = []
    for image in open_pages(data, limits):
        if image.number in frames:
            plain = _jpeg(image.pixels, side)
            drawn.append((_jpeg(_with_frames(image.pixels, frames[image.number]), side), plain))
    return drawn


@dataclass(frozen=True, slots=True)
class Preparing:
    """What is done to a picture before codes are looked for, in this order.

    median     side of the median filter, odd; 1 does nothing
    sharpness  factors from 0.1 to 10; 1 does nothing
    contrast
    grey       whether colours go
    threshold  grey values above it become white, others black; None leaves them
    """

    median: int = 1
    sharpness: float = 1.0
    contrast: float = 1.0
    grey: bool = False
    threshold: int | None = None


def codes(data: bytes, preparing: Preparing, limits: Limits) -> list[dict[str, Any]]:
    """Find the codes on the first page: text, format, orientation (degrees) and box (four x, y in its pixels).

    Raises what `open_pages` raises.
    """
    import zxingcpp  # 15 ms that an engine need not spend before it is asked for codes

    picture = _prepared(Image.fromarray(next(iter(open_pages(data, limits))).pixels), preparing)
    return [_found(code) for code in zxingcpp.read_barcodes(np.asarray(picture)) if code.valid]


def _found(code: Any) -> dict[str, Any]:
    place = code.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    box = [[corner.x, corner.y] for corner in corners]
    return {"text": code.text, "format": code.format.name, "box": box, "orientation": code.orientation}


def _prepared(picture: Image.Image, preparing: Preparing) -> Image.Image:
    if preparing.median > 1:
        picture = picture.filter(ImageFilter.MedianFilter(preparing.median))
    if preparing.sharpness != 1:
        picture = ImageEnhance.Sharpness(picture).enhance(preparing.sharpness)
    if preparing.contrast != 1:
        picture = ImageEnhance.Contrast(picture).enhance(preparing.contrast)
    if preparing.grey:
        picture = picture.convert("L")
        if (limit := preparing.threshold) is not None:
            picture = picture.point(lambda value: 255 if value > limit else 0)
    return picture


def _with_frames(pixels: Pixels, frames: Sequence[Corners]) -> Pixels:
    drawn = pixels.copy()
    thickness = max(1, round(max(pixels.shape) / 1000))
    for corners in frames:
        places = np.array(corners, np.float32).round().astype(np.int32)
        cv2.polylines(drawn, [places], True, (255, 0, 0), thickness, cv2.LINE_AA)
    return drawn


def _jpeg(pixels: Pixels, side: int) -> str:
    scale = min(1.0, side / max(pixels.shape[:2]))
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return base64.b64encode(cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()).decode()

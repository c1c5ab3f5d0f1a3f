"""Pixels: an array of any depth with or without transparency becomes an upright H W 3 uint8 RGB page.

Takes what `decoders` gives, and what the header said of orientation and DPI. Knows no file formats.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]

# EXIF 2.32, tag 0x0112: what makes the stored picture upright.
_TURNS: dict[int, tuple[int | None, int | None]] = {  # orientation: (flip code, rotate code), flip first
    2: (1, None),
    3: (None, cv2.ROTATE_180),
    4: (0, None),
    5: (1, cv2.ROTATE_90_COUNTERCLOCKWISE),
    6: (None, cv2.ROTATE_90_CLOCKWISE),
    7: (1, cv2.ROTATE_90_CLOCKWISE),
    8: (None, cv2.ROTATE_90_COUNTERCLOCKWISE),
}

# Fax machines scan with twice as many dots across as down; thinner differences are rounding, larger ones
# nonsense.
_OBLONG = (1.3, 4.0)

_SENSE = 1e30


def eight_bits(array: Array) -> Pixels:
    """Scale any depth to 0..255: 16 bits by 257, as PNG and TIFF say; others by the range they show."""
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        scaled = cv2.convertScaleAbs(np.ascontiguousarray(array, np.uint16), alpha=1 / 257)
        return np.asarray(scaled, np.uint8).reshape(array.shape)
    # Damaged floats may be anything; what is beyond all sense must not overflow on the way.
    values = np.nan_to_num(np.clip(array, -_SENSE, _SENSE).astype(np.float32), nan=0.0)
    values -= min(0.0, float(values.min()))
    highest = float(values.max())
    # Floats run to 1 by habit, but files with 0..255 and 0..65535 in floats or long integers are common too.
    full = next((step for step in (1.0, 255.0, 65535.0) if highest <= step), highest)
    if full == 1.0 and array.dtype.kind in "iu":
        full = 255.0
    return np.asarray(np.rint(values * (255.0 / full)), np.uint8)


def to_rgb(array: Pixels) -> tuple[Pixels, str | None]:
    """Give H W 3 RGB of grey, RGB or RGBA, and the ground ("white", "black") put behind transparency."""
    if array.ndim == 2:
        return cv2.cvtColor(array, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False), None
    if array.shape[2] == 3:
        return array, None
    alpha = array[:, :, 3]
    colours = np.ascontiguousarray(array[:, :, :3])
    if alpha.min() == 255:
        return colours, None
    ground = _ground(colours, alpha)
    return _composited(colours, alpha, ground), ground


def _ground(colours: Pixels, alpha: Pixels) -> str:
    """Choose the ground on which what is visible can be read: black under light text, else white.

    A picture that is opaque over most of its area brings its own ground: only its corners or shadow are
    transparent.
    """
    weight = float(alpha.sum(dtype=np.int64))
    opaque = float(np.count_nonzero(alpha >= 128)) / alpha.size
    if weight == 0 or opaque > 0.5:
        return "white"
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    luminance = float(np.sum(cv2.multiply(grey, alpha, dtype=cv2.CV_32F), dtype=np.float64)) / weight
    return "black" if luminance > 127.5 else "white"


def _composited(colours: Pixels, alpha: Pixels, ground: str) -> Pixels:
    """Blend over white or black, rounding once; OpenCV's saturated product needs no wider copy."""
    cover = cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB)
    if ground == "black":
        return np.asarray(cv2.multiply(colours, cover, scale=1 / 255), np.uint8)
    shade = cv2.multiply(cv2.bitwise_not(colours), cover, scale=1 / 255)
    return np.asarray(cv2.bitwise_not(shade), np.uint8)


def squared(pixels: Pixels, dpi: tuple[float, float], limit: int) -> Pixels:
    """Stretch the coarser direction of an oblong scan (a fax) so that its dots become square."""
    height, width = pixels.shape[:2]
    across, down = dpi
    ratio = max(across, down) / min(across, down)
    if not _OBLONG[0] <= ratio <= _OBLONG[1] or width * height * ratio > limit:
        return pixels
    size = (width, round(height * ratio)) if across > down else (round(width * ratio), height)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn a picture by its EXIF orientation, 1-8; the result is contiguous."""
    flip, turn = _TURNS.get(orientation, (None, None))
    if flip is not None:
        pixels = np.asarray(cv2.flip(pixels, flip), np.uint8)
    if turn is not None:
        pixels = np.asarray(cv2.rotate(pixels, turn), np.uint8)
    return np.ascontiguousarray(pixels)

"""Enhance: plain functions that make a page easier to read, and the choice of which are applied.

Takes and gives pixels (H W 3 uint8 RGB). `auto` applies only what was measured to help (docs/decisions/004); the
other steps stand here for whoever needs them. Knows nothing of detection or reading.
"""

import cv2
import numpy as np

from shizi.line_image import Pixels, as_pixels
from shizi.options import Enhance

TILE_GRID = (8, 8)  # CLAHE tiles (Zuiderveld, Contrast Limited Adaptive Histogram Equalization, 1994)
CLIP_LIMIT = 2.0
CLASSIC_HEIGHT = 64  # height to which `normalise_height` brings a line


def prepare(pixels: Pixels, choice: Enhance) -> Pixels:
    """Apply the steps of `choice` to a page."""
    if choice == "classic":
        return binarise(even_light(local_contrast(pixels)))
    return pixels


def to_grey(pixels: Pixels) -> Pixels:
    """Give H W grey values (ITU-R BT.601 weights) of H W 3 or H W pixels."""
    return pixels if pixels.ndim == 2 else as_pixels(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def to_rgb(grey: Pixels) -> Pixels:
    """Repeat H W grey values over three channels."""
    return as_pixels(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))


def local_contrast(pixels: Pixels) -> Pixels:
    """Raise contrast tile by tile on the lightness alone (CLAHE)."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[:, :, 0] = cv2.createCLAHE(CLIP_LIMIT, TILE_GRID).apply(lab[:, :, 0])
    return as_pixels(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def even_light(pixels: Pixels) -> Pixels:
    """Divide by the paper's own brightness, taken as the large-scale maximum: shadows go, ink stays."""
    small = cv2.resize(to_grey(pixels), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    side = max(3, min(small.shape) // 12) | 1
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), min(side, 255))
    paper = cv2.resize(paper, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    gain = 255.0 / np.maximum(paper, 32).astype(np.float32)
    return as_pixels(cv2.convertScaleAbs(pixels * gain[:, :, None]))


def denoise(pixels: Pixels) -> Pixels:
    """Smooth noise but keep edges (bilateral filter; Tomasi and Manduchi, ICCV 1998)."""
    return as_pixels(cv2.bilateralFilter(pixels, d=5, sigmaColor=40, sigmaSpace=3))


def binarise(pixels: Pixels) -> Pixels:
    """Make text and ground black and white at the one threshold that parts them best (Otsu, 1979)."""
    _, result = cv2.threshold(to_grey(pixels), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return to_rgb(as_pixels(result))


def normalise_height(line: Pixels, height: int = CLASSIC_HEIGHT) -> Pixels:
    """Scale the picture of one line to `height`, its aspect ratio kept."""
    width = max(1, round(line.shape[1] * height / line.shape[0]))
    shrinking = height < line.shape[0]
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return as_pixels(cv2.resize(line, (width, height), interpolation=method))


def deskew(pixels: Pixels, degrees: float) -> Pixels:
    """Turn a page clockwise by `degrees` about its centre, with its edge colour where nothing was."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = round(width * cos + height * sin), round(width * sin + height * cos)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned = cv2.warpAffine(pixels, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return as_pixels(turned)

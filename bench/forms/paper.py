"""Paper: a sheet to draw forms on in millimetres, seals and codes, and what scanners and phones do to it.

Takes millimetres and words, gives pictures (PIL, RGB). Every random choice comes from the generator passed in.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONTS = Path("/usr/share/fonts")
# Where a typeface is not installed the next one stands in; the last ones come with fonts-noto-cjk, fonts-dejavu.
FACES = {
    "kai": ("truetype/arphic-gkai00mp/gkai00mp.ttf", "opentype/noto/NotoSerifCJK-Regular.ttc"),
    "song": (
        "truetype/arphic-gbsn00lp/gbsn00lp.ttf",
        "truetype/arphic/uming.ttc",
        "opentype/noto/NotoSerifCJK-Regular.ttc",
    ),
    "hei": ("truetype/wqy/wqy-zenhei.ttc", "opentype/noto/NotoSansCJK-Regular.ttc"),
    "serif": ("opentype/noto/NotoSerifCJK-Regular.ttc",),
    "sans": ("opentype/noto/NotoSansCJK-Regular.ttc",),
    "bold": ("opentype/noto/NotoSansCJK-Bold.ttc",),
    "mono": ("truetype/liberation/LiberationMono-Regular.ttf", "truetype/dejavu/DejaVuSansMono.ttf"),
    "latin": ("truetype/liberation/LiberationSerif-Regular.ttf", "truetype/dejavu/DejaVuSerif.ttf"),
}
Ink = tuple[int, int, int]
BLACK, RED = (25, 25, 30), (215, 35, 40)


@cache
def font(face: str, size: int) -> ImageFont.FreeTypeFont:
    """Load a typeface by its name in `FACES`, `size` in pixels. Raises FileNotFoundError when none is installed."""
    for name in FACES[face]:
        if (FONTS / name).exists():
            chinese = 2 if name.endswith("CJK-Regular.ttc") or name.endswith("CJK-Bold.ttc") else 0  # 0 is Japanese
            return ImageFont.truetype(str(FONTS / name), size, index=chinese)
    raise FileNotFoundError(f"none of {FACES[face]} is under {FONTS}: apt-get install fonts-noto-cjk fonts-liberation")


class Sheet:
    """A white or coloured sheet, `scale` pixels a millimetre."""

    def __init__(self, width: float, height: float, scale: float, paper: Ink = (255, 255, 255)) -> None:
        self.scale = scale
        self.picture = Image.new("RGB", (round(width * scale), round(height * scale)), paper)
        self._draw = ImageDraw.Draw(self.picture)

    def line(self, x0: float, y0: float, x1: float, y1: float, ink: Ink, width: float = 0.25) -> None:
        """Draw a rule from one point to another."""
        ends = [(x * self.scale) for x in (x0, y0, x1, y1)]
        self._draw.line(ends, ink, max(1, round(width * self.scale)))

    def box(self, x0: float, y0: float, x1: float, y1: float, ink: Ink, width: float = 0.3) -> None:
        """Draw a rectangle."""
        bounds = [(x * self.scale) for x in (x0, y0, x1, y1)]
        self._draw.rectangle(bounds, None, ink, max(1, round(width * self.scale)))

    def fill(self, x0: float, y0: float, x1: float, y1: float, ink: Ink) -> None:
        """Paint a rectangle."""
        self._draw.rectangle([(x * self.scale) for x in (x0, y0, x1, y1)], ink)

    def width(self, text: str, size: float, face: str) -> float:
        """Measure a text in millimetres."""
        return font(face, round(size * self.scale)).getlength(text) / self.scale

    def text(
        self, x: float, y: float, text: str, size: float, face: str = "song", ink: Ink = BLACK, anchor: str = "lm"
    ) -> float:
        """Write at (x, y); gives the x where the text ends (for anchors on the left)."""
        self._draw.text((x * self.scale, y * self.scale), text, ink, font(face, round(size * self.scale)), anchor)
        return x + self.width(text, size, face)

    def spread(self, x0: float, x1: float, y: float, text: str, size: float, face: str, ink: Ink) -> None:
        """Write characters spread evenly from x0 to x1, as forms letter-space their labels."""
        step = (x1 - x0 - self.width(text[-1], size, face)) / max(1, len(text) - 1)
        for i, character in enumerate(text):
            self.text(x0 + i * step, y, character, size, face, ink)

    def down(self, x: float, y0: float, y1: float, text: str, size: float, face: str, ink: Ink) -> None:
        """Write characters one under another, spread evenly from y0 to y1."""
        step = (y1 - y0) / len(text)
        for i, character in enumerate(text):
            self.text(x, y0 + (i + 0.5) * step, character, size, face, ink, "mm")

    def code(self, x: float, y: float, size: float, content: str, ink: Ink = BLACK) -> None:
        """Draw a QR code whose quiet zone ends outside of the square at (x, y)."""
        matrix = np.array([list(row) for row in segno.make(content, error="m", micro=False).matrix])
        side = round(size * self.scale)
        cells = cv2.resize((matrix * 255).astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
        self.picture.paste(Image.new("RGB", (side, side), ink), self._at(x, y), Image.fromarray(cells))

    def seal(self, x: float, y: float, arc: str, middle: Sequence[str], radii: tuple[float, float], ink: Ink) -> None:
        """Press an oval seal over what is there, centred at (x, y): a name along its arc, rows in its middle."""
        rx, ry = (radius * self.scale for radius in radii)
        side = round(2.2 * max(rx, ry))
        layer = Image.new("L", (side, side), 0)
        draw, centre = ImageDraw.Draw(layer), side / 2
        bounds = [centre - rx, centre - ry, centre + rx, centre + ry]
        draw.ellipse(bounds, None, 255, max(2, round(0.6 * self.scale)))
        size = max(8, round(min(3.2, 34 / max(8, len(arc))) * self.scale))
        for i, character in enumerate(arc):
            angle = math.radians(200 + (i + 0.5) * 140 / len(arc))
            tile = Image.new("L", (2 * size, 2 * size), 0)
            ImageDraw.Draw(tile).text((size, size), character, 255, font("song", size), "mm")
            tile = tile.rotate(-math.degrees(angle) - 90, Image.Resampling.BICUBIC)
            place = centre + (rx - size) * math.cos(angle), centre + (ry - size) * math.sin(angle)
            layer.paste(tile, (round(place[0] - size), round(place[1] - size)), tile)
        for i, row in enumerate(middle):
            row_size = round(2.6 * self.scale)
            at = centre, centre + (i + 0.3) * 1.25 * row_size
            draw.text(at, row, 255, font("song", row_size), "mm")
        worn = layer.filter(ImageFilter.GaussianBlur(0.6)).point([round(0.8 * level) for level in range(256)])
        under = self.picture.crop(self._around(x, y, side))
        inked = Image.composite(Image.new("RGB", worn.size, ink), Image.new("RGB", worn.size, "white"), worn)
        multiplied = Image.fromarray(
            (np.asarray(under, np.uint16) * np.asarray(inked, np.uint16) // 255).astype(np.uint8)
        )
        self.picture.paste(multiplied, self._around(x, y, side)[:2])

    def paste_print(self, layer: Sheet, shift: tuple[float, float], dots: bool) -> None:
        """Print another sheet's ink over this one, shifted as printers are; `dots` as a dot-matrix head strikes."""
        ink = 255 - np.asarray(layer.picture, np.int16)
        if dots:
            pitch = max(2.0, 0.32 * self.scale)
            y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
            mask = 0.78 + 0.22 * np.cos(2 * np.pi * y / pitch) * np.cos(2 * np.pi * x / pitch)
            ink = (ink * mask[:, :, None]).astype(np.int16)
        turn = np.array([[1, 0, shift[0] * self.scale], [0, 1, shift[1] * self.scale]], np.float32)
        moved = cv2.warpAffine(ink, turn, ink.shape[1::-1])
        self.picture = Image.fromarray(np.clip(np.asarray(self.picture, np.int16) - moved, 0, 255).astype(np.uint8))
        self._draw = ImageDraw.Draw(self.picture)

    def _at(self, x: float, y: float) -> tuple[int, int]:
        return round(x * self.scale), round(y * self.scale)

    def _around(self, x: float, y: float, side: int) -> tuple[int, int, int, int]:
        left, top = round(x * self.scale - side / 2), round(y * self.scale - side / 2)
        return left, top, left + side, top + side


def worn(picture: Image.Image, condition: str, rng: np.random.Generator) -> Image.Image:
    """Do to a picture what its way into the computer does: `clean`, `scanned` or `photographed`."""
    if condition == "clean":
        return picture
    pixels = np.asarray(picture).astype(np.float32)
    pixels = _creased(pixels, rng) if rng.random() < 0.6 else pixels
    pixels = _scanned(pixels, rng) if condition == "scanned" else _photographed(pixels, rng)
    file = io.BytesIO()
    quality = int(rng.integers(60, 92))
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def _creased(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fold the sheet once or twice: a thin bright or dark line with soft sides."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle, place = rng.uniform(-0.1, 0.1), rng.uniform(0.2, 0.8)
        along = (
            (x - place * width) + (y - height / 2) * angle if rng.random() < 0.7 else (y - place * height) + x * angle
        )
        depth = rng.uniform(8, 30) * rng.choice([-1, 1])
        pixels = pixels + (depth * np.exp(-np.abs(along) / rng.uniform(1, 4)))[:, :, None]
        pixels = pixels - (rng.uniform(0, 8) * (along > 0) * np.exp(-np.abs(along) / (0.2 * width)))[:, :, None]
    return pixels


def _scanned(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn a little, soften, add noise and dust, and lose contrast, as flatbed scanners do."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-1.2, 1.2), 1.0)
    pixels = cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=(250, 250, 250))
    pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 0.9))
    if rng.random() < 0.3:
        pixels = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    pixels = pixels * rng.uniform(0.85, 1.0) + rng.uniform(0, 30)
    pixels = pixels + rng.normal(0, rng.uniform(2, 7), pixels.shape[:2])[:, :, None]
    for _ in range(int(rng.integers(0, 30))):
        at = int(rng.integers(0, width)), int(rng.integers(0, height))
        cv2.circle(pixels, at, int(rng.integers(1, 3)), (90, 90, 90), -1)
    return pixels


def _photographed(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lay the sheet on a table, look at it askew by hand: perspective, shadow, blur, noise."""
    height, width = pixels.shape[:2]
    frame = int(1.12 * width), int(height + 0.2 * width)
    ground = np.full((frame[1], frame[0], 3), rng.uniform(40, 150, 3), np.float32)
    ground += cv2.resize(rng.normal(0, 14, (frame[1] // 8, frame[0] // 8)).astype(np.float32), frame)[:, :, None]
    left, top = 0.06 * width, 0.1 * width
    corners = np.array(
        [[left, top], [left + width, top], [left + width, top + height], [left, top + height]], np.float32
    )
    askew = corners + rng.uniform(-0.035, 0.035, (4, 2)).astype(np.float32) * width
    middle = askew.mean(axis=0)
    turn = math.radians(rng.uniform(-4, 4))
    spin = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]], np.float32)
    askew = (askew - middle) @ spin.T + middle
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, askew.astype(np.float32))
    warped = cv2.warpPerspective(pixels, matrix, frame, flags=cv2.INTER_CUBIC)
    mask = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, frame)[:, :, None]
    photo = ground * (1 - mask) + warped * mask
    y, x = np.mgrid[: frame[1], : frame[0]].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    slope = (np.cos(angle) * (x / frame[0] - 0.5) + np.sin(angle) * (y / frame[1] - 0.5)) * rng.uniform(0.1, 0.45)
    light = 0.85 + slope
    if rng.random() < 0.5:  # the shadow of a hand or phone, with a soft edge
        edge = (
            np.cos(angle + 1) * (x / frame[0] - rng.uniform(0.2, 0.8)) + np.sin(angle + 1) * (y / frame[1] - 0.5)
        ) * 12
        light = light * (1 - rng.uniform(0.15, 0.4) / (1 + np.exp(-edge)))
    photo = photo * light[:, :, None] * rng.uniform(0.94, 1.06, 3)
    photo = cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.5, 1.3))
    if rng.random() < 0.3:
        photo = _shaken(photo, rng)
    return photo + rng.normal(0, rng.uniform(2, 8), photo.shape)


def _shaken(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur along one direction by a few pixels."""
    length, angle = int(rng.integers(3, 6)), rng.uniform(0, np.pi)
    kernel = np.zeros((7, 7), np.float32)
    for step in np.linspace(-length / 2, length / 2, 21):
        kernel[round(3 + step * np.sin(angle) * 0.9), round(3 + step * np.cos(angle) * 0.9)] += 1
    return cv2.filter2D(photo, -1, kernel / kernel.sum())

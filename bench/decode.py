"""Measure how long pictures take to decode: OpenCV alone, Pillow alone, and `shizi.pages`, in turns.

    python bench/decode.py

Draws one photo-like picture of 12 megapixels and one A4 scan of 300 DPI, writes them in each format, prints a
Markdown table of the median of 9 rounds in milliseconds.
"""

import io
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shizi.pages import open_pages

ROUNDS = 9


def drawn(size: tuple[int, int]) -> Image.Image:
    page = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size[0] // 50)
    for y in range(100, size[1] - 200, size[0] // 25):
        draw.text((100, y), "The same pixels give the same text, however they are packed.", (40, 20, 60), font)
    return page


def photo() -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 4, (3000, 4000, 1))
    return Image.fromarray(np.clip(np.asarray(drawn((4000, 3000))) + noise, 0, 255).astype(np.uint8))


def encoded(picture: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, name, **options)
    return file.getvalue()


def files() -> dict[str, bytes]:
    large, scan = photo(), drawn((2480, 3508))
    bilevel, deep = scan.convert("1", dither=0), np.asarray(scan.convert("L")).astype(np.uint16) * 257
    return {
        "JPEG, 12 MP": encoded(large, "JPEG", quality=90),
        "JPEG progressive, 12 MP": encoded(large, "JPEG", quality=90, progressive=True),
        "JPEG CMYK, 12 MP": encoded(large.convert("CMYK"), "JPEG", quality=90),
        "WebP lossy, 12 MP": encoded(large, "WEBP", quality=85, method=0),
        "PNG, 12 MP": encoded(large, "PNG", compress_level=1),
        "BMP, 12 MP": encoded(large, "BMP"),
        "PNG, A4": encoded(scan, "PNG"),
        "PNG palette, A4": encoded(scan.quantize(64), "PNG"),
        "PNG 1 bit, A4": encoded(bilevel, "PNG"),
        "WebP lossless, A4": encoded(scan, "WEBP", lossless=True, method=0),
        "GIF, A4": encoded(scan.quantize(64), "GIF"),
        "TIFF G4, A4": encoded(bilevel, "TIFF", compression="group4"),
        "TIFF LZW grey, A4": encoded(scan.convert("L"), "TIFF", compression="tiff_lzw"),
        "TIFF LZW RGB, A4": encoded(scan, "TIFF", compression="tiff_lzw"),
        "TIFF 16 bits, A4": encoded(Image.fromarray(deep), "TIFF", compression="tiff_lzw"),
        "TIFF JPEG, 12 MP": encoded(large, "TIFF", compression="jpeg", quality=90),
    }


def by_opencv(data: bytes) -> None:
    cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


def by_pillow(data: bytes) -> None:
    np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def by_pages(data: bytes) -> None:
    list(open_pages(data))


def milliseconds(decode: Callable[[bytes], None], data: bytes) -> float:
    start = time.perf_counter()
    decode(data)
    return (time.perf_counter() - start) * 1000


def main() -> None:
    ways = (by_opencv, by_pillow, by_pages)
    print("| file | MB | OpenCV | Pillow | shizi.pages |\n| --- | --- | --- | --- | --- |")
    for name, data in files().items():
        rounds = [[milliseconds(way, data) for way in ways] for _ in range(ROUNDS)]
        medians = (f"{statistics.median(column):.0f}" for column in zip(*rounds, strict=True))
        print(f"| {name} | {len(data) / 1e6:.2f} | {' | '.join(medians)} |", flush=True)


if __name__ == "__main__":
    main()

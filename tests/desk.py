"""What somebody does at the web page, in the words of the tests; and the files they have."""

import io
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Locator, Page, expect

PATIENCE = 90_000
FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
KINDS = {"png": "image/png", "jpg": "image/jpeg", "pdf": "application/pdf", "txt": "text/plain"}


def sheet(*lines: str, size: tuple[int, int] = (900, 420), letters: int = 40) -> Image.Image:
    """Draw lines of text on a white sheet."""
    picture = Image.new("RGB", size, "white")
    brush = ImageDraw.Draw(picture)
    font = ImageFont.truetype(FONT, letters, index=2)
    for row, line in enumerate(lines):
        brush.text((50, 40 + row * letters * 2), line, "black", font)
    return picture


def encoded(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind)
    return buffer.getvalue()


def scanned(*pages: Image.Image) -> bytes:
    """Give a PDF of pictures, one a page."""
    buffer = io.BytesIO()
    pages[0].save(buffer, format="PDF", save_all=True, append_images=pages[1:], resolution=100)
    return buffer.getvalue()


def ruled(*rows: Sequence[str]) -> Image.Image:
    """Draw a table with rules."""
    wide, high, left, top = 210, 76, 40, 40
    picture = Image.new("RGB", (2 * left + wide * len(rows[0]), 2 * top + high * len(rows)), "white")
    brush = ImageDraw.Draw(picture)
    font = ImageFont.truetype(FONT, 30, index=2)
    for y, row in enumerate(rows):
        for x, text in enumerate(row):
            place = (left + x * wide, top + y * high)
            brush.rectangle((*place, place[0] + wide, place[1] + high), outline="black", width=2)
            brush.text((place[0] + 20, place[1] + 16), text, "black", font)
    return picture


def noise(side: int) -> bytes:
    """Give a picture of so many pixels a side that cannot be packed."""
    pixels = np.random.default_rng(5).integers(0, 256, (side, side, 3), np.uint8)
    return encoded(Image.fromarray(pixels))


def choose(page: Page, **files: bytes) -> None:
    """Choose files: `choose(page, a_png=...)` is a.png."""
    give(page, {name[::-1].replace("_", ".", 1)[::-1]: content for name, content in files.items()})


def give(page: Page, files: dict[str, bytes]) -> None:
    page.set_input_files(
        "#file",
        [
            {"name": name, "mimeType": KINDS[name.rpartition(".")[2]], "buffer": content}
            for name, content in files.items()
        ],
    )


def row(page: Page, name: str) -> Locator:
    """Give the row of a file in the list."""
    return page.locator("#queue li", has_text=re.compile(re.escape(name)))


def wait_until(page: Page, name: str, state: str) -> None:
    expect(row(page, name)).to_have_attribute("data-state", state, timeout=PATIENCE)


def texts(page: Page) -> Locator:
    return page.locator("#lines .line-text")

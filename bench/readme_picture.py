"""Make docs/pictures/webui.png: the web page in Chromium, with a drawn menu that the real service has just
read.

Run on an idle machine (the page shows the milliseconds): `.venv/bin/python bench/readme_picture.py`. Needs
the test extra, Debian's chromium and fonts-noto-cjk.
"""

import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parents[1] / "docs/pictures/webui.png"
FONTS = "/usr/share/fonts/opentype/noto/NotoS{}.ttc"
PAPER, INK = "#f6f1e4", "#3b2a1a"
DISHES = [
    ("龙井茶 Longjing", "¥ 68.00"),
    ("铁观音 Tieguanyin", "¥ 58.00"),
    ("普洱茶 Pu-erh, aged ten years", "¥ 128.00"),
    ("桂花糕 Osmanthus cake", "¥ 22.00"),
]
NOTES = [
    "清泉石上流，明月松间照。",
    "Open daily 9:30–22:00 · 周一休息",
    "地址：杭州市西湖区龙井路 12 号",
    "电话 Tel. 0571-8888 0123",
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


def draw_menu() -> bytes:
    """Draw the menu of a tea house as a slightly tilted, shaded, noisy photo; give JPEG bytes."""
    picture = Image.new("RGB", (1000, 760), PAPER)
    brush = ImageDraw.Draw(picture)
    title, dish, note = (
        ImageFont.truetype(FONTS.format(face), size)
        for face, size in (("erifCJK-Bold", 42), ("erifCJK-Regular", 32), ("ansCJK-Regular", 26))
    )
    brush.text((500, 60), "山水茶馆  Shanshui Tea House", INK, title, anchor="mm")
    brush.line((80, 110, 920, 110), INK, 3)
    for row, (name, price) in enumerate(DISHES):
        brush.text((90, 150 + row * 72), name, "#222", dish)
        brush.text((910, 150 + row * 72), price, "#222", dish, anchor="ra")
    brush.line((80, 450, 920, 450), INK, 2)
    for row, text in enumerate(NOTES):
        brush.text((90, 480 + row * 56), text, "#333", note)
    tilted = picture.rotate(1.6, Image.Resampling.BICUBIC, fillcolor=PAPER)
    tilted = tilted.filter(ImageFilter.GaussianBlur(0.7))
    light = np.linspace(1.0, 0.8, tilted.width)[None, :, None]
    noise = np.random.default_rng(1).normal(0, 4, (tilted.height, tilted.width, 3))
    pixels = (np.asarray(tilted) * light + noise).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def photograph(address: str) -> bytes:
    """Let the page at `address` read the menu; give a PNG of it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_context(viewport={"width": 1240, "height": 880}, locale="en-GB").new_page()
        page.goto(address)
        page.set_input_files("#file", {"name": "menu.jpg", "mimeType": "image/jpeg", "buffer": draw_menu()})
        page.wait_for_selector("#lines li:nth-child(6)")
        page.hover("#lines li:nth-child(6)")
        return page.screenshot(full_page=True)


def main() -> None:
    """Start a service, take the picture, stop it."""
    command = [str(Path(sys.executable).with_name("shizi")), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            address = re.search(r"http://\S+", service.stdout.readline())
            assert address
            shot = Image.open(io.BytesIO(photograph(address[0]))).convert("RGB")
        finally:
            service.terminate()
    shot.quantize(200, dither=Image.Dither.NONE).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()

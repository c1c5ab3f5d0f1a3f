"""Make docs/images: the web page in Chromium at three sizes, light and dark, with what the real service has just read.

Run on an idle machine (the page shows the times): `.venv/bin/python bench/screenshots.py`. Needs the test extra,
Debian's chromium and fonts-noto-cjk. All pictures are drawn here or by `forms`.
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from forms import invoices, tables
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from playwright.sync_api import Browser, Page, expect, sync_playwright

TARGET = Path(__file__).parents[1] / "docs/images"
COLOURS = 220
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


@cache  # each PDF is stamped with its time: another would be read again
def draw_contract() -> bytes:
    """Draw three pages as a PDF of scans."""
    title, text = (ImageFont.truetype(FONTS.format("ansCJK-Regular"), size, index=2) for size in (52, 32))
    pages = []
    for number in (1, 2, 3):
        page = Image.new("RGB", (1000, 1414), "white")
        brush = ImageDraw.Draw(page)
        brush.text((120, 140), f"第{number}章 交付与验收 Delivery", "#111", title)
        for row, line in enumerate(NOTES * 3):
            brush.text((120, 300 + row * 72), line, "#222", text)
        pages.append(page)
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:], resolution=120)
    return buffer.getvalue()


def files() -> list[dict[str, object]]:
    """Give the files of the pictures, as they are chosen at the page."""

    def png(picture: Image.Image) -> bytes:
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        return buffer.getvalue()

    drawn = {
        "VAT invoice 增值税发票.png": png(invoices.specimen(5, "special", "clean").picture),
        "menu 茶馆.jpg": draw_menu(),
        "contract 合同.pdf": draw_contract(),
        "e-invoice 电子发票.png": png(invoices.specimen(8, "digital_ordinary", "clean").picture),
        "price list 价目表.png": png(Image.fromarray(tables.specimen("ruled", 4).pixels)),
        "taxi 出租车.png": png(invoices.specimen(6, "taxi", "clean").picture),
    }
    kinds = {"png": "image/png", "jpg": "image/jpeg", "pdf": "application/pdf"}
    return [
        {"name": name, "mimeType": kinds[name.rpartition(".")[2]], "buffer": content} for name, content in drawn.items()
    ]


def opened(browser: Browser, address: str, width: int, height: int, scheme: str, language: str) -> Page:
    """Open the page and wait until all files are read."""
    small = width < 1000
    page = browser.new_context(
        viewport={"width": width, "height": height}, locale=language, color_scheme=scheme, has_touch=small,
        is_mobile=small,
    ).new_page()  # fmt: skip
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    chosen = files()
    page.set_input_files("#file", chosen)
    expect(page.locator("#queue li[data-state=done]")).to_have_count(len(chosen), timeout=300_000)
    return page


def choose(page: Page, name: str) -> None:
    """Open a file of the list and wait for its picture."""
    page.locator(".row-open", has_text=name).click()
    page.wait_for_selector(".sheet-picture")
    page.wait_for_timeout(600)


def keep(page: Page, name: str) -> None:
    """Keep what the page shows, in few colours."""
    page.wait_for_timeout(400)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(TARGET / f"{name}.png", optimize=True)


def photograph(browser: Browser, address: str) -> None:
    """Take all pictures; all files are read once before, so that no time of a busy machine is shown."""
    opened(browser, address, 1440, 900, "light", "en-GB").context.close()
    for width, height in ((1440, 900), (820, 1180)):
        page = opened(browser, address, width, height, "light", "en-GB")
        choose(page, "VAT invoice")
        page.click("#tab-fields")
        page.get_by_label("Invoice code", exact=True).focus()
        keep(page, f"{width}-light")
        page = opened(browser, address, width, height, "dark", "zh-CN")
        choose(page, "menu")
        page.locator("#doubt").fill("88")
        page.locator("#lines .line").nth(5).click()
        keep(page, f"{width}-dark")
    page = opened(browser, address, 390, 844, "light", "en-GB")
    choose(page, "menu")
    keep(page, "390-light")
    page.click("[data-show=text]")
    page.locator("#lines .line").nth(3).click()
    page.keyboard.press("Enter")
    page.wait_for_timeout(4000)
    keep(page, "390-light-correcting")
    page = opened(browser, address, 390, 844, "dark", "zh-CN")
    keep(page, "390-dark")
    choose(page, "增值税发票")
    page.click("[data-show=text]")
    page.click("#tab-fields")
    keep(page, "390-dark-fields")
    operator(browser, address)


def operator(browser: Browser, address: str) -> None:
    """Take the picture of the operator's page, while files are being read anew."""
    status = browser.new_context(viewport={"width": 1240, "height": 760}, locale="en-GB").new_page()
    status.goto(f"{address}/status")
    for mode in ("accurate", "auto", "fast"):
        page = browser.new_page()
        page.add_init_script(
            f"localStorage.setItem('shizi.options', JSON.stringify({{mode: '{mode}', enhance: 'none'}}))"
        )
        page.goto(address)
        page.set_input_files("#file", files())
        expect(page.locator("#queue li[data-state=done]")).to_have_count(len(files()), timeout=300_000)
        page.close()
        status.wait_for_timeout(6000)
    keep(status, "status")


@contextmanager
def serving() -> Iterator[str]:
    """Start a service; give the page's address; stop it."""
    command = [str(Path(sys.executable).with_name("shizi")), "serve", "--port", "0"]
    environment = {**os.environ, "SHIZI_CACHE_SECONDS": "3600"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as service:
        try:
            assert service.stdout is not None
            address = re.search(r"http://\S+", service.stdout.readline())
            assert address
            yield address[0]
        finally:
            service.terminate()


def main() -> None:
    """Start a service, take the pictures, stop it."""
    TARGET.mkdir(exist_ok=True)
    with serving() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        photograph(browser, address)
        browser.close()


if __name__ == "__main__":
    main()

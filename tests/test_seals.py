"""Seals: found by their ring, taken off, their text told from the page's; what only looks red is none."""

import math

import cv2
import numpy as np
import pytest
from conftest import CHINESE_FONT
from PIL import Image, ImageDraw, ImageFont

from shizi.document import Document
from shizi.geometry import Polygon
from shizi.line_image import Pixels
from shizi.options import ReadOptions
from shizi.reader import Reader
from shizi.seals import find_seals, is_seal_text, without_seals

RED = (215, 45, 45)


def sheet(*rows: str, seal: tuple[int, int] | None = None, radii: tuple[int, int] = (120, 120)) -> Image.Image:
    """Draw rows of black text, and a seal with 合同专用章 pressed over them."""
    if not CHINESE_FONT.exists():
        pytest.skip("Debian's package fonts-noto-cjk is missing: apt-get install fonts-noto-cjk")
    page = Image.new("RGB", (1000, 700), "white")
    for i, row in enumerate(rows):
        ImageDraw.Draw(page).text((60, 60 + 70 * i), row, "black", ImageFont.truetype(str(CHINESE_FONT), 36))
    if seal is None:
        return page
    layer = Image.new("RGB", page.size, "white")
    (x, y), (a, b), draw = seal, radii, ImageDraw.Draw(layer)
    draw.ellipse((x - a, y - b, x + a, y + b), outline=RED, width=7)
    draw.text((x, y), "合同专用章", RED, ImageFont.truetype(str(CHINESE_FONT), 34), "mm")
    return Image.fromarray(np.minimum(np.asarray(page), np.asarray(layer)))


@pytest.mark.parametrize("radii", [(120, 120), (150, 105)])
@pytest.mark.parametrize("tilt", [0, 8])
def test_round_and_oval_seals_are_found_where_they_are(radii: tuple[int, int], tilt: float) -> None:
    page = sheet("本合同一式两份，双方各执一份", seal=(700, 400), radii=radii).rotate(
        tilt, Image.Resampling.BICUBIC, center=(700, 400), fillcolor="white"
    )
    (seal,) = find_seals(np.asarray(page))
    assert math.dist(seal.centre, (700, 400)) < 4
    assert sorted(seal.radii) == pytest.approx(sorted(radii), abs=5)


@pytest.mark.parametrize("cut", [(0, 0, 1000, 500), (0, 0, 780, 700), (640, 0, 1000, 700)])
def test_a_seal_that_the_page_s_edge_cuts_off_is_found(cut: tuple[int, int, int, int]) -> None:
    (seal,) = find_seals(np.asarray(sheet("本合同一式两份", seal=(700, 420)).crop(cut)))
    assert math.dist(seal.centre, (700 - cut[0], 420)) < 8
    assert seal.radii == pytest.approx((120, 120), abs=8)


def test_a_seal_on_a_dim_noisy_photograph_is_found() -> None:
    page = np.asarray(sheet("本合同一式两份", seal=(500, 300))).astype(np.float32)
    light = np.linspace(0.45, 0.9, page.shape[1])[None, :, None]
    noisy = page * light + np.random.default_rng(0).normal(0, 6, page.shape)
    (seal,) = find_seals(np.clip(cv2.GaussianBlur(noisy, (0, 0), 1.2), 0, 255).astype(np.uint8))
    assert math.dist(seal.centre, (500, 300)) < 5


def marked(kind: str) -> Pixels:
    page = np.asarray(sheet("红色的东西不都是印章")).copy()
    if kind == "disc":
        cv2.circle(page, (600, 400), 120, RED, -1)
    elif kind == "table":
        for i in range(4):
            cv2.line(page, (400, 300 + 80 * i), (640, 300 + 80 * i), RED, 3)
            cv2.line(page, (400 + 80 * i, 300), (400 + 80 * i, 540), RED, 3)
    elif kind == "sign":
        page[250:550, 400:800] = RED
        cv2.circle(page, (600, 400), 100, (255, 230, 0), -1)
    elif kind == "arc":
        cv2.ellipse(page, (600, 400), (120, 120), 0, 0, 200, RED, 6)
    elif kind == "blue":
        cv2.circle(page, (600, 400), 120, (40, 60, 210), 6)
    elif kind == "words":
        cv2.putText(page, "SALE 50%", (300, 450), cv2.FONT_HERSHEY_SIMPLEX, 3, RED, 8)
    return page


@pytest.mark.parametrize("kind", ["disc", "table", "sign", "arc", "blue", "words", "none"])
def test_what_only_looks_red_or_round_is_no_seal(kind: str) -> None:
    assert find_seals(marked(kind)) == []


def test_the_ink_is_taken_off_and_what_is_under_it_stays() -> None:
    plain = np.asarray(sheet("一二三四五六七八九十一二三四五六七八九十"))
    page = np.asarray(sheet("一二三四五六七八九十一二三四五六七八九十", seal=(500, 100))).copy()
    cleared = without_seals(page, find_seals(page))
    changed = np.abs(cleared.astype(int) - plain).mean(axis=2)
    assert (changed > 60).sum() < 0.05 * (np.abs(page.astype(int) - plain).mean(axis=2) > 60).sum()  # edges of letters
    assert (page != plain).any()  # the page itself was not touched
    assert without_seals(page, []) is page


def test_a_form_s_own_red_rules_stay_under_a_seal() -> None:
    page = np.asarray(sheet(seal=(500, 350))).copy()
    cv2.line(page, (100, 350), (900, 350), (200, 30, 40), 3)
    cleared = without_seals(page, find_seals(page))
    assert (cleared[350, 390:610, 1] < 120).all()


def test_black_text_under_a_seal_is_the_page_s() -> None:
    page = np.asarray(sheet("本合同一式两份，双方各执一份，自签字之日起生效", seal=(500, 100)))
    (seal,) = find_seals(page)
    assert not is_seal_text(page, Polygon.from_bounds(400, 60, 600, 110), seal)
    alone = np.asarray(sheet(seal=(500, 400)))
    assert is_seal_text(alone, Polygon.from_bounds(410, 380, 590, 420), find_seals(alone)[0])
    assert not is_seal_text(alone, Polygon.from_bounds(10, 380, 100, 420), find_seals(alone)[0])


def read(reader: Reader, page: Image.Image) -> Document:
    return reader.read(np.asarray(page), ReadOptions(mode="accurate"))


def test_a_seal_is_a_block_of_its_own_after_the_text(real_reader: Reader) -> None:
    rows = ("甲方：青岛识字科技有限公司", "乙方：上海明月贸易有限公司")
    (page,) = read(real_reader, sheet(*rows, seal=(700, 450))).pages
    assert [line.text for line in page.lines] == [*rows, "合同专用章"]
    assert [(block.kind, block.lines) for block in page.blocks][-1] == ("seal", (2,))
    left, top, right, bottom = page.blocks[-1].polygon.bounds
    assert (left, top, right, bottom) == pytest.approx((580, 330, 820, 570), abs=8)


def test_a_seal_that_cannot_be_read_is_told_all_the_same(real_reader: Reader) -> None:
    page = np.asarray(sheet("甲方：青岛识字科技有限公司")).copy()
    cv2.circle(page, (700, 450), 110, RED, 6)
    (found,) = real_reader.read(page).pages
    assert [(block.kind, block.lines) for block in found.blocks] == [("text", (0,)), ("seal", ())]
    assert found.text == "甲方：青岛识字科技有限公司"

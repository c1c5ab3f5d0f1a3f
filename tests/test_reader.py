"""The whole path on drawn pages: the same text in every encoding, whichever way up, alone or among threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import CHINESE_FONT
from numpy.typing import NDArray
from pictures import ENCODINGS, LIGHT_ON_TRANSPARENCY, LOSSY, drawn_page, encoded, laid_down
from PIL import Image, ImageDraw, ImageFont

from shizi.document import Page
from shizi.errors import DamagedFile, InputError, OptionsError, UnsupportedFormat
from shizi.options import CHOICES, ReadOptions
from shizi.reader import Reader
from shizi.weights import Weights, find

TEXT = ["天津增值税电子普通发票", "Reading order and spaces", "名称：识字科技有限公司"]
COLUMNS = ["有评是是非非之士师也", "是非不得问之人要取之", "取之时不参一人见而知"]
Pixels = NDArray[np.uint8]


def needs_font() -> str:
    if not CHINESE_FONT.exists():
        pytest.skip("Debian's package fonts-noto-cjk is missing: apt-get install fonts-noto-cjk")
    return str(CHINESE_FONT)


@pytest.fixture(scope="module")
def page() -> Image.Image:
    return drawn_page(TEXT, (480, 200), font_size=32, font_file=needs_font())


@pytest.fixture(scope="module")
def pixels(page: Image.Image) -> Pixels:
    return np.asarray(page)


@pytest.fixture(scope="module")
def columns() -> Pixels:
    """Three columns of vertical Chinese, the first on the right."""
    font = ImageFont.truetype(needs_font(), 40)
    picture = Image.new("RGB", (260, 520), "white")
    draw = ImageDraw.Draw(picture)
    for place, text in enumerate(COLUMNS):
        for row, character in enumerate(text):
            draw.text((190 - 75 * place, 15 + 49 * row), character, "black", font)
    return np.asarray(picture)


def lines(reader: Reader, data: bytes | Pixels, **options: str) -> list[str]:
    document = reader.read(data, ReadOptions.parse(options))
    return [line.text for page in document.pages for line in page.lines]


@pytest.mark.parametrize("name", [*ENCODINGS, *LOSSY])
def test_every_encoding_reads_the_same(real_reader: Reader, page: Image.Image, name: str) -> None:
    data = (ENCODINGS | LOSSY)[name](page)
    found = [line.text for line in real_reader.read(data).pages[0].lines]
    assert found == TEXT


@pytest.mark.parametrize("name", LIGHT_ON_TRANSPARENCY)
def test_light_text_on_transparency_reads_the_same(real_reader: Reader, page: Image.Image, name: str) -> None:
    assert lines(real_reader, LIGHT_ON_TRANSPARENCY[name](page)) == TEXT


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_reads_the_same(
    real_reader: Reader, page: Image.Image, orientation: int, name: str
) -> None:
    assert lines(real_reader, laid_down(page, orientation, name)) == TEXT


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_turned_page_is_turned_back(real_reader: Reader, pixels: Pixels, quarters: int) -> None:
    (page,) = real_reader.read(np.ascontiguousarray(np.rot90(pixels, quarters))).pages
    assert [line.text for line in page.lines] == TEXT
    assert page.rotation == 90 * quarters
    assert (page.width, page.height) == (480, 200)
    assert bool(page.warnings) == bool(quarters)
    upright = real_reader.read(pixels).pages[0]
    for line, same in zip(page.lines, upright.lines, strict=True):
        assert np.abs(np.array(line.polygon.corners) - same.polygon.corners).max() < 12


def test_orientation_none_leaves_a_turned_page(real_reader: Reader, pixels: Pixels) -> None:
    assert real_reader.read(pixels[::-1, ::-1], ReadOptions(orientation="none")).pages[0].rotation == 0


def test_one_line_upside_down_is_read_too(real_reader: Reader, pixels: Pixels) -> None:
    mixed = pixels.copy()
    mixed[100:150] = mixed[100:150][::-1, ::-1]
    document = real_reader.read(mixed)
    assert sorted(line.text for line in document.pages[0].lines) == sorted(TEXT)
    assert document.pages[0].rotation == 0
    (turned,) = (line for line in document.pages[0].lines if line.text == TEXT[2])
    assert abs(turned.polygon.angle) > 170


@pytest.mark.parametrize("degrees", [-8, -3, 1, 5, 8])
def test_a_tilted_page_is_read(real_reader: Reader, pixels: Pixels, degrees: float) -> None:
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.9)
    tilted = cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    (page,) = real_reader.read(np.asarray(tilted, np.uint8)).pages
    assert [line.text for line in page.lines] == TEXT
    assert page.lines[1].polygon.angle == pytest.approx(-degrees, abs=1.5)


def test_columns_are_read_from_top_to_bottom_and_from_the_right(real_reader: Reader, columns: Pixels) -> None:
    (page,) = real_reader.read(columns).pages
    assert [line.text for line in page.lines] == COLUMNS
    assert all(line.vertical for line in page.lines)
    assert page.rotation == 0


def test_white_on_black_reads_the_same(real_reader: Reader, pixels: Pixels) -> None:
    assert lines(real_reader, 255 - pixels) == TEXT


def test_grey_pixels_are_taken_and_other_arrays_refused(real_reader: Reader, pixels: Pixels) -> None:
    assert lines(real_reader, pixels[:, :, 0]) == TEXT
    for wrong in (pixels.astype(np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(UnsupportedFormat, match="expected H W"):
            real_reader.read(wrong)  # type: ignore[arg-type]


def test_an_empty_page_is_a_page_without_lines(real_reader: Reader) -> None:
    for shape in ((1, 1, 3), (200, 300, 3), (3, 4000, 3)):
        (page,) = real_reader.read(np.full(shape, 255, np.uint8)).pages
        assert page.lines == page.blocks == ()
        assert (page.height, page.width) == shape[:2]


def test_a_document_has_every_frame(real_reader: Reader, page: Image.Image) -> None:
    other = drawn_page(["第二页"], (300, 120), font_size=40, font_file=needs_font())
    data = encoded(page, "TIFF", save_all=True, append_images=[other], compression="tiff_lzw")
    document = real_reader.read(data)
    assert [[line.text for line in page.lines] for page in document.pages] == [TEXT, ["第二页"]]
    assert [page.number for page in document.pages] == [1, 2]
    assert document.source == "TIFF"


def test_words_and_characters_lie_within_their_line(real_reader: Reader, pixels: Pixels) -> None:
    (page,) = real_reader.read(pixels, ReadOptions(detail="character")).pages
    for line in page.lines:
        left, top, right, bottom = line.polygon.bounds
        assert "".join(word.text for word in line.words) == line.text.replace(" ", "")
        for word in line.words:
            inner = word.polygon.bounds
            assert left - 1 <= inner[0] < inner[2] <= right + 1
            assert top - 1 <= inner[1] < inner[3] <= bottom + 1
            assert "".join(char.text for char in word.chars) == word.text
    assert [word.text for word in page.lines[1].words] == TEXT[1].split()


def test_a_path_and_its_bytes_read_the_same(real_reader: Reader, page: Image.Image, tmp_path: Path) -> None:
    data = encoded(page, "PNG")
    file = tmp_path / "page.png"
    file.write_bytes(data)
    assert real_reader.read(file) == real_reader.read(str(file)) == real_reader.read(data)
    with pytest.raises(InputError, match=r"missing\.png cannot be opened"):
        real_reader.read(tmp_path / "missing.png")
    with pytest.raises(DamagedFile):
        real_reader.read(data[: len(data) // 2])


def test_one_reader_serves_many_threads_with_their_own_options(real_reader: Reader, pixels: Pixels) -> None:
    kinds = [ReadOptions(detail=detail) for detail in ("line", "word", "character")] * 4  # type: ignore[arg-type]
    alone = {options: real_reader.read(pixels, options) for options in set(kinds)}
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda options: real_reader.read(pixels, options), kinds))
    assert together == [alone[options] for options in kinds]


@pytest.mark.parametrize("enhance", CHOICES["enhance"])
def test_every_enhancement_keeps_clean_text(real_reader: Reader, pixels: Pixels, enhance: str) -> None:
    assert lines(real_reader, pixels, enhance=enhance) == TEXT


class TestModes:
    """Which models a reader takes for which mode; the strong one plays the small one here."""

    @pytest.fixture
    def reader(self, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Reader:
        strong = find("strong")
        small = Weights("small", strong.path, strong.digest, {**strong.metadata, **request.param})
        monkeypatch.setattr("shizi.reader.has", lambda name: True)
        monkeypatch.setattr("shizi.reader.weights_of", lambda folder, version: small)
        return Reader(threads=2)

    @pytest.mark.parametrize("reader", [{}], indirect=True)
    def test_without_a_measured_doubt_auto_is_the_strong_model(self, reader: Reader, pixels: Pixels) -> None:
        models = {mode: {line.model for line in read.lines} for mode, read in self.read(reader, pixels).items()}
        assert models == {"fast": {"small"}, "auto": {find("strong").name}, "accurate": {find("strong").name}}
        assert [reader.first_model(mode) for mode in CHOICES["mode"]] == [None] * 3
        assert [label.split("@")[0] for label in reader.weights][1:] == ["small", find("strong").name]

    @pytest.mark.parametrize(
        ("reader", "fast", "auto"),
        [({"doubt": "0 0"}, "small", "small"), ({"doubt": "0 1"}, "small", "strong")],
        indirect=["reader"],
    )
    def test_what_a_mode_doubts_is_read_again(self, reader: Reader, pixels: Pixels, fast: str, auto: str) -> None:
        names = {"small": "small", "strong": find("strong").name}
        pages = self.read(reader, pixels)
        assert {line.model for line in pages["fast"].lines} == {names[fast]}
        assert {line.model for line in pages["auto"].lines} == {names[auto]}
        assert {line.model for line in pages["accurate"].lines} == {names["strong"]}
        cascade = "small" if auto == "small" else None
        assert [reader.first_model(mode) for mode in ("fast", "auto", "accurate")] == ["small", cascade, None]

    @pytest.mark.parametrize(
        "reader",
        [{"doubt": "0 0", "calibration_fast": "0:0 1:0.5", "calibration_auto": "0:0 1:0.25"}],
        indirect=True,
    )
    def test_each_mode_has_its_own_calibration(self, reader: Reader, pixels: Pixels) -> None:
        sure = {mode: [line.confidence for line in page.lines] for mode, page in self.read(reader, pixels).items()}
        assert sure["accurate"]
        assert sure["fast"] == pytest.approx([0.5 * chance for chance in sure["accurate"]])
        assert sure["auto"] == pytest.approx([0.25 * chance for chance in sure["accurate"]])

    def read(self, reader: Reader, pixels: Pixels) -> dict[str, Page]:
        return {mode: reader.read(pixels, ReadOptions.parse({"mode": mode})).pages[0] for mode in CHOICES["mode"]}


def test_fast_is_refused_without_its_model(monkeypatch: pytest.MonkeyPatch, pixels: Pixels) -> None:
    monkeypatch.setattr("shizi.reader.has", lambda name: False)
    with pytest.raises(OptionsError, match="fast"):
        Reader(threads=2).read(pixels, ReadOptions(mode="fast"))


def test_small_text_is_warned_of_once(real_reader: Reader, page: Image.Image, pixels: Pixels) -> None:
    small = np.asarray(page.resize((150, 62), Image.Resampling.BOX))
    (read,) = real_reader.read(small).pages
    assert [warning.split(":")[0] for warning in read.warnings] == ["low_resolution"]
    stated = encoded(Image.fromarray(small), "TIFF", dpi=(50, 50))
    (read,) = real_reader.read(stated).pages
    assert [warning.split(":")[0] for warning in read.warnings] == ["low_resolution"]
    assert real_reader.read(pixels).pages[0].warnings == ()

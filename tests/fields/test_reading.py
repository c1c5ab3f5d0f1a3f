"""Fields through the whole path, on drawn forms: the engine, the second recogniser, QR codes, templates, patterns."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CHINESE_FONT
from PIL import Image, ImageDraw, ImageFont

from shizi.document import Char, Document, Line, Word
from shizi.errors import OptionsError
from shizi.fields.pieces import piece_of
from shizi.geometry import Polygon
from shizi.options import ReadOptions
from shizi.reader import Reader

BENCH = str(Path(__file__).parents[2] / "bench")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The generator of specimen forms, which lies beside the package."""
    if not CHINESE_FONT.exists():
        pytest.skip("Debian's package fonts-noto-cjk is missing: apt-get install fonts-noto-cjk")
    monkeypatch.syspath_prepend(BENCH)
    from forms import invoices

    return invoices


@pytest.mark.slow
def test_an_invoice_proves_itself_and_a_falsified_one_does_not(real_reader: Reader, drawn: Any) -> None:
    specimen = drawn.specimen(3, "electronic", "clean")
    document = real_reader.read(np.asarray(specimen.picture), ReadOptions(fields="auto"))
    values = {field.name: field.value for field in document.fields}
    assert document.verdict is not None
    assert document.verdict.decision == "accept", document.verdict.reasons
    for name in ("invoice_code", "invoice_number", "date", "total", "seller_tax_id", "total_in_words"):
        assert values[name] == specimen.fields[name]
    assert Document.from_dict(document.to_dict()).to_dict() == document.to_dict()
    assert all(not line.words for page in document.pages for line in page.lines)  # detail was not asked for
    false = drawn.specimen(3, "electronic", "clean", True)
    assert false.falsified
    verdict = real_reader.read(np.asarray(false.picture), ReadOptions(fields="auto")).verdict
    assert verdict is not None
    assert verdict.decision == "review"


@pytest.mark.slow
def test_a_train_ticket_photographed(real_reader: Reader, drawn: Any) -> None:
    specimen = drawn.specimen(1, "train_blue", "photographed")
    document = real_reader.read(np.asarray(specimen.picture), ReadOptions(fields="auto"))
    values = {field.name: field.value for field in document.fields}
    for name in ("train_number", "date", "time", "serial_number"):
        assert values[name] == specimen.fields[name]


@pytest.mark.parametrize(
    ("printed", "seen", "goes_on"),
    [
        ("中国工商银行成都支行", "中国工商银行成都支行", False),
        ("中国工商银行成都支行", "中国工商银行成都支", True),
        ("中国工商银行成都支行", "中国工商银行", True),
        ("3550000", "3550000", False),
    ],
)
def test_a_line_that_was_seen_too_short_goes_on(real_reader: Reader, printed: str, seen: str, goes_on: bool) -> None:
    if not CHINESE_FONT.exists():
        pytest.skip("Debian's package fonts-noto-cjk is missing: apt-get install fonts-noto-cjk")
    picture = Image.new("RGB", (640, 100), "white")
    font = ImageFont.truetype(str(CHINESE_FONT), 32, index=2)
    ImageDraw.Draw(picture).text((20, 25), printed, "black", font)
    ImageDraw.Draw(picture).text((450, 25), "备注", "black", font)  # of another cell
    shares = [i / len(seen) for i in range(len(seen) + 1)]
    chars = tuple(Char(c, 0.9, a, b) for c, a, b in zip(seen, shares, shares[1:], strict=False))
    polygon = Polygon.from_bounds(18, 25, 22 + font.getlength(seen), 71)
    piece = piece_of(Line(seen, 0.9, polygon, (Word(seen, 0.9, polygon, chars),), "strong"), 0)
    assert real_reader._sight(np.asarray(picture), "auto").goes_on(piece) is goes_on


def note() -> np.ndarray:
    if not CHINESE_FONT.exists():
        pytest.skip("Debian's package fonts-noto-cjk is missing: apt-get install fonts-noto-cjk")
    picture = Image.new("RGB", (640, 240), "white")
    brush, font = ImageDraw.Draw(picture), ImageFont.truetype(str(CHINESE_FONT), 32)
    brush.text((40, 20), "送货单", "black", font)
    brush.text((40, 90), "订单号：AB1204", "black", font)
    brush.text((40, 160), "AB1204", "black", font)
    return np.asarray(picture)


def test_a_template_of_the_operators_folder(
    tmp_path: Path, real_reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "note.yaml").write_text("match: [送货单]\nfields: {order: {anchor: 订单号, pattern: '[A-Z]{2}\\d{4}'}}")
    with pytest.raises(OptionsError, match="SHIZI_TEMPLATES"):
        real_reader.read(note(), ReadOptions(template="note"))
    monkeypatch.setattr(real_reader, "_templates", tmp_path)
    document = real_reader.read(note(), ReadOptions(template="note"))
    assert [(field.name, field.value) for field in document.fields] == [("order", "AB1204")]
    assert document.verdict is not None
    assert document.verdict.decision == "accept"


def test_reading_within_a_pattern_leaves_out_what_says_something_else(real_reader: Reader) -> None:
    document = real_reader.read(note(), ReadOptions(pattern=r"[A-Z]{2}\d{4}", detail="character"))
    [line] = document.pages[0].lines
    assert line.text == "AB1204"
    assert line.confidence > 0.9
    [word] = line.words
    assert [char.start for char in word.chars] == sorted(char.start for char in word.chars)


def test_a_pattern_that_is_none_is_refused(real_reader: Reader) -> None:
    with pytest.raises(OptionsError, match="pattern"):
        real_reader.read(note(), ReadOptions(pattern="(["))


def test_specimens_are_the_same_every_time(drawn: Any) -> None:
    one, two = (drawn.specimen(5, "digital_special", "scanned", True) for _ in range(2))
    assert one.picture.tobytes() == two.picture.tobytes()
    assert one.fields == two.fields
    assert one.fields != drawn.specimen(5, "digital_special", "scanned").fields

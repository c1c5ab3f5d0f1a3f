"""Corrections: kept once, by their pixels; bounded, deleted for good, and split so that no text is on both sides."""

import hashlib
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import as_png

from shizi.charset import Charset
from shizi.corrections import Corrections, Given, Place, Retention, Strip, export, held_back
from shizi.errors import DamagedFile, InputError, OptionsError
from shizi.geometry import Polygon
from shizi.line_image import LineFormat
from shizi.pages import Limits
from shizi.strips import strip_of

CHARSET = Charset.from_metadata("\n".join("识字读出文¥~-0123456789ABCDEF"))
FORM = LineFormat(32, 1, trim=(0.1, 0.1))


def strip(text: str, picture: bytes = b"") -> Strip:
    picture = picture or text.encode()
    return Strip(picture, hashlib.sha256(picture).hexdigest(), text, False)


def test_a_picture_is_kept_once_and_its_later_text_counts(tmp_path: Path) -> None:
    kept = Corrections(tmp_path / "new")
    assert kept.keep(strip("识", b"one"), "讥", "crnn@1", "desk") == "kept"
    assert kept.keep(strip("识", b"one")) == "known"
    assert kept.keep(strip("字", b"one")) == "replaced"
    [line] = kept.lines()
    assert line.strip.text == "字"
    assert kept.size() == (1, 3)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "corrections.db").stat().st_mode & 0o777 == 0o600


def test_the_oldest_go_first(tmp_path: Path) -> None:
    now = [1000.0]
    kept = Corrections(tmp_path, Retention(lines=3, bytes=20, days=1), lambda: now[0])
    for text in "识字读出":
        now[0] += 1
        kept.keep(strip(text))
    assert sorted(line.strip.text for line in kept.lines()) == sorted("字读出")
    kept.keep(strip("文", b"fifteen bytes!!"))
    assert "文" in {line.strip.text for line in kept.lines()}
    assert kept.size()[1] <= 20
    before = kept.size()[0]
    now[0] += 86_401
    assert kept.sweep() == before == 2
    assert kept.size() == (0, 0)


def test_what_is_deleted_is_gone_from_the_disk(tmp_path: Path) -> None:
    kept = Corrections(tmp_path)
    kept.keep(strip("识", b"SECRET-PICTURE"), read="SECRET-READING", sender="desk")
    kept.keep(strip("字", b"another"), sender="scanner")
    assert kept.purge(sender="desk") == 1
    kept.close()
    assert not [path for path in tmp_path.iterdir() if b"SECRET" in path.read_bytes()]
    kept = Corrections(tmp_path)
    assert [line.sender for line in kept.lines()] == ["scanner"]
    assert kept.purge(before=0.0) == 0
    assert kept.purge() == 1


def test_many_may_keep_at_once(tmp_path: Path) -> None:
    stores = [Corrections(tmp_path) for _ in range(2)]

    def keep(store: Corrections, part: int) -> None:
        for number in range(10):
            store.keep(strip(f"{part}{number}"))

    threads = [threading.Thread(target=keep, args=(stores[part % 2], part)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].size()[0] == 40


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionsError, match="SHIZI_CORRECTIONS"):
        Corrections(tmp_path / "file")
    (tmp_path / "corrections.db").write_bytes(b"no database at all, but long enough to be looked at")
    with pytest.raises(OptionsError, match="SHIZI_CORRECTIONS"):
        Corrections(tmp_path)


def test_export_writes_what_training_takes(tmp_path: Path) -> None:
    kept = Corrections(tmp_path / "kept")
    kept.keep(strip("识字"))
    kept.keep(replace(strip("文"), margins=True))
    assert export(kept.lines(), tmp_path / "out") == 2
    rows = (tmp_path / "out" / "labels.tsv").read_text().splitlines()
    assert sorted(row.split("\t")[1:] for row in rows) == [["文", "region"], ["识字"]]
    assert (tmp_path / "out" / rows[0].split("\t")[0]).is_file()


def test_a_fifth_of_the_texts_is_held_back() -> None:
    share = sum(held_back(f"第{number}行") for number in range(2000)) / 2000
    assert 0.17 < share < 0.23


# Cutting


def line_png(width: int = 320, height: int = 40) -> bytes:
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[10:30, 10 : width - 10 : 3] = 0
    return as_png(pixels)


def page_png() -> bytes:
    pixels = np.full((200, 400, 3), 255, np.uint8)
    pixels[60:90, 40:360:4] = 0
    return as_png(pixels)


def cut(given: Given, data: bytes = b"") -> Strip:
    return strip_of(data or line_png(), given, Limits(), CHARSET, FORM)


def test_a_text_is_spelt_as_the_models_write_it() -> None:
    assert cut(Given("  ￥12～３４  识 字 ")).text == "¥12~34识字"


def test_the_same_pixels_are_the_same_whatever_file_they_came_in() -> None:
    first, second = cut(Given("识字")), cut(Given("识字"), line_png())
    assert first == second
    assert first.picture.startswith(b"\x89PNG")
    assert cut(Given("识字"), line_png(321)).digest != first.digest


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Given("识字魑魅"), "lacks 魑 魅"),
        (Given(" \t "), "0 characters"),
        (Given("识\n字"), "several lines"),
        (Given("识" * 201), "201 characters"),
        (Given("识字" * 40), "wide enough for"),
    ],
)
def test_what_cannot_be_learned_is_refused(given: Given, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cut(given)


@pytest.mark.parametrize("size", [(320, 6), (9000, 40), (30, 200)])
def test_a_picture_that_is_no_line_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="expected one line"):
        cut(Given("识"), as_png(np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), np.uint8)))


def test_a_blank_line_and_a_broken_file_are_refused() -> None:
    with pytest.raises(InputError, match="one colour"):
        cut(Given("识"), as_png(np.full((40, 100, 3), 255, np.uint8)))
    with pytest.raises(DamagedFile):
        cut(Given("识"), line_png()[:60])


def place(left: float, top: float, right: float, bottom: float, **more: object) -> Place:
    return Place(Polygon.from_bounds(left, top, right, bottom), **more)  # type: ignore[arg-type]


def test_a_line_is_cut_out_of_its_page() -> None:
    found = cut(Given("识字", place(30, 50, 370, 100)), page_png())
    assert found.margins
    pixels = np.full((50, 340, 3), 255, np.uint8)
    pixels[10:40, 10:330:4] = 0
    assert found.digest == cut(Given("识字", margins=True), as_png(pixels)).digest


def test_a_line_is_cut_out_of_a_page_that_was_turned() -> None:
    turned = as_png(np.rot90(np.asarray(_pixels(page_png())), 1).copy())
    found = cut(Given("识字", place(30, 50, 370, 100, rotation=90)), turned)
    assert found.digest == cut(Given("识字", place(30, 50, 370, 100)), page_png()).digest


def _pixels(data: bytes) -> np.ndarray:
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_a_column_is_laid_down() -> None:
    upright = as_png(np.random.default_rng(1).integers(0, 255, (200, 60, 3), np.uint8))
    found = cut(Given("识字文", place(10, 10, 50, 170, vertical=True)), upright)
    assert found.margins


@pytest.mark.parametrize("bounds", [(30, 50, 500, 100), (-40, 50, 100, 100), (30, 50, 34, 100), (100, 50, 100, 50)])
def test_a_place_off_the_page_is_refused(bounds: tuple[float, float, float, float]) -> None:
    with pytest.raises(InputError, match="polygon"):
        cut(Given("识", place(*bounds)), page_png())


def test_a_page_that_is_not_there_is_refused() -> None:
    with pytest.raises((InputError, OptionsError)):
        cut(Given("识", place(30, 50, 370, 100, page=3)), page_png())


def test_one_file_holds_it_all(tmp_path: Path) -> None:
    Corrections(tmp_path).keep(strip("识"))
    with sqlite3.connect(tmp_path / "corrections.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from shizi.crop import Region
from shizi.detect import Detector
from shizi.document import Char, Reading
from shizi.training import fonts, regions, samples, sheets
from shizi.training.sheets import Piece
from shizi.weights import find

pytestmark = pytest.mark.training


def rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def piece(text: str, *sides: float) -> Piece:
    return Piece(text, rectangle(*sides))


LINE = Region(rectangle(10, 10, 210, 40))


@pytest.mark.parametrize(
    ("pieces", "label"),
    [
        ([piece("Total", 15, 15, 80, 35)], "Total"),
        ([piece("Total", 8, 15, 80, 35)], "Total"),  # sticks out a little
        ([piece("Total", 100, 15, 320, 35)], ""),  # cut in two
        ([piece("right", 120, 15, 200, 35), piece("left", 15, 15, 80, 35)], "left right"),
        ([piece("left", 15, 15, 80, 35), piece("close", 82, 15, 200, 35)], "leftclose"),
        ([piece("left", 15, 15, 80, 35), piece("perhaps", 84, 15, 200, 35)], ""),  # a space or none
        ([piece("合", 15, 15, 80, 35), piece("计", 84, 15, 200, 35)], "合计"),
        ([piece("金额", 15, 15, 80, 35), piece("合计", 120, 15, 200, 35)], "金额合计"),
        ([piece("above", 15, 10, 80, 24), piece("below", 15, 26, 80, 40)], ""),  # two rows
        ([piece("Total", 15, 15, 80, 35), piece("next line", 15, 37, 200, 57)], "Total"),  # its heads look in
        ([piece("Total", 15, 15, 80, 35), piece("half", 90, 25, 200, 45)], "Total half"),
        ([piece("Total", 15, 15, 80, 35), piece("half", 90, 30, 200, 50)], ""),  # neither in nor out
        ([piece("far", 300, 15, 380, 35)], ""),
        ([], ""),
    ],
)
def test_a_region_says_what_lies_in_it(pieces: list[Piece], label: str) -> None:
    assert regions.label_of(LINE, pieces) == label


def test_a_tilted_region_says_what_lies_in_it() -> None:
    turn = np.array([[0.98, -0.2], [0.2, 0.98]], np.float32)
    tilted = [
        Piece(part.text, part.corners @ turn.T) for part in (piece("a b", 15, 15, 80, 35), piece("c", 90, 15, 99, 35))
    ]
    assert regions.label_of(Region(LINE.corners @ turn.T), tilted) == "a b c"


@pytest.fixture(scope="module")
def writer(faces: list[fonts.Face]) -> sheets.Writer:
    return sheets.Writer(faces, [])


def test_a_page_depends_on_its_seed_alone(faces: list[fonts.Face], writer: sheets.Writer) -> None:
    pixels, pieces = sheets.page(writer, Random("1 0 0"))
    sheets.page(writer, Random("1 0 1"))
    again, same = sheets.page(sheets.Writer(faces, []), Random("1 0 0"))
    assert np.array_equal(pixels, again)
    assert [part.text for part in pieces] == [part.text for part in same]


def test_pieces_lie_on_their_ink(writer: sheets.Writer) -> None:
    sheet = sheets.Sheet(300, 60, 250)
    ink, text = writer.drawn(Random(1), "Amount 12.50", writer.faces(Random(1)), 20, 290)
    sheet.lay(ink, text, 7, 9, 10)
    sheet.lay(ink, "does not fit", 290, 9, 10)
    assert [part.text for part in sheet.pieces] == ["Amount 12.50"]
    left, top = sheet.pieces[0].corners[0]
    right, bottom = sheet.pieces[0].corners[2]
    rows, columns = np.nonzero(sheet.pixels < 120)
    assert left <= columns.min()
    assert columns.max() < right
    assert top <= rows.min()
    assert rows.max() < bottom


def test_text_is_cut_at_the_room_it_has(writer: sheets.Writer) -> None:
    ink, text = writer.drawn(Random(1), "Amount 12.50", writer.faces(Random(1)), 20, 70)
    assert "Amount 12.50".startswith(text)
    assert 3 <= len(text) < 12
    assert ink.shape[1] <= 75
    assert writer.drawn(Random(1), "Amount", writer.faces(Random(1)), 20, 2)[1] == ""


def test_the_detector_finds_most_pieces_and_crops_come_back_as_written(writer: sheets.Writer, tmp_path: Path) -> None:
    detector = Detector(find("detector"), 1)
    pages = [sheets.page(writer, Random(f"5 0 {number}")) for number in range(12)]
    found = [crop for pixels, pieces in pages for crop in regions.crops_of(pixels, pieces, detector)]
    assert len(found) > 0.4 * sum(len(pieces) for _, pieces in pages)
    assert all(strip.shape[0] <= regions.HIGHEST and text for strip, text in found)

    regions.write(tmp_path, 5, 1, writer, detector, shard=len(found) - 5)
    kept = samples.load_regions(tmp_path)
    assert [crop.text for crop in kept[: len(found)]] == [text for _, text in found]
    assert np.array_equal(samples.decode(kept[3]), found[3][0])
    assert all(crop.margins and crop.worn for crop in kept)


def test_a_shard_that_is_there_is_kept(writer: sheets.Writer, tmp_path: Path) -> None:
    (tmp_path / "005000.jsonl").write_text(json.dumps({"mine": True}), "utf-8")
    regions.write(tmp_path, 5, 1, writer, Detector(find("detector"), 1), shard=1)
    assert json.loads((tmp_path / "005000.jsonl").read_text("utf-8")) == {"mine": True}
    assert not (tmp_path / "005000.tar.gz").exists()


def test_what_is_read_right_and_surely_is_mostly_left_out() -> None:
    def told(text: str, *chances: float) -> Reading:
        return Reading(text, 0.9, tuple(Char(c, p, 0.0, 1.0) for c, p in zip(text, chances, strict=True)), "crnn")

    strip = np.full((30, 90), 255, np.uint8)
    crops = [(strip, text) for text in ("sure", "unsure", "wr0ng", "a b", "label of another line")]
    reads = [
        told("sure", *[0.99] * 4), told("unsure", 0.3, *[0.99] * 5), told("wrong", *[0.99] * 5),
        told("ab", 0.99, 0.99), told("something", *[0.99] * 9),
    ]  # fmt: skip

    class Recogniser:
        def read(self, strips: list[np.ndarray], margins: bool) -> list[Reading]:
            assert margins
            assert all(strip.shape == (30, 90, 3) for strip in strips)
            return reads

    def chosen(easy: float) -> list[str]:
        return [text for _, text in regions.Choice(Recogniser(), easy).of(crops, Random(1))]

    assert chosen(0.0) == ["unsure", "wr0ng", "a b"]
    assert chosen(1.0) == ["sure", "unsure", "wr0ng", "a b"]


def test_a_run_mixes_regions_in(faces: list[fonts.Face], writer: sheets.Writer, tmp_path: Path) -> None:
    regions.write(tmp_path, 6, 1, writer, Detector(find("detector"), 1), shard=10)
    kept = samples.load_regions(tmp_path)
    maker = samples.Maker(faces, [], regions=kept, region_share=0.5)
    texts = {crop.text for crop in kept}
    share = np.mean([maker.make(1, index, 0.0).text in texts for index in range(200)])
    assert 0.35 < share < 0.65
    assert not any(maker.make(1, index, 0.0, placed=True).text in texts for index in range(30))

import io
import json
import tarfile
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from shizi.errors import InputError
from shizi.training import degrade, fonts, samples

pytestmark = pytest.mark.training


def picture(text: str = "abc") -> bytes:
    strip = np.full((40, 40 * len(text)), 255, np.uint8)
    cv2.putText(strip, text, (4, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2)
    return cv2.imencode(".png", strip)[1].tobytes()


@pytest.fixture
def lines_folder(tmp_path: Path) -> Path:
    rows = [("中文", "a"), ("abc", "b"), ("ж", "c"), ("１２", "d")]
    with tarfile.open(tmp_path / "000.tar.gz", "w:gz") as archive:
        for number in range(len(rows)):
            data = picture()
            entry = tarfile.TarInfo(f"{number:06d}.png")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    (tmp_path / "labels.jsonl").write_text(
        "\n".join(
            json.dumps({"file": f"000/{number:06d}.png", "text": text, "source": source})
            for number, (text, source) in enumerate(rows)
        ),
        "utf-8",
    )
    return tmp_path


def test_a_sample_depends_on_run_and_index_alone(faces: list[fonts.Face]) -> None:
    first, second = samples.Maker(faces, []), samples.Maker(faces, [])
    ahead = [first.make(1, index, 0.0) for index in range(12)]
    for index in reversed(range(12)):  # another order, another process's glyph cache
        again = second.make(1, index, 0.0)
        assert again.text == ahead[index].text
        assert np.array_equal(again.strip, ahead[index].strip)
    assert any(a.text != first.make(2, i, 0.0).text for i, a in enumerate(ahead))


def test_spans_follow_their_characters(maker: samples.Maker) -> None:
    for index in range(60):
        sample = maker.make(5, index, 0.0, strength=0.0)
        assert sample.spans is not None
        assert len(sample.spans) == len(sample.text)
        if not sample.text:  # these few faces could draw none of it
            continue
        middles = sample.spans.mean(1)
        assert (np.diff(middles) >= -1.0).all()
        assert -2 <= middles.min() <= middles.max() <= sample.strip.shape[1] + 2


def test_what_no_face_can_draw_leaves_the_label_too(maker: samples.Maker) -> None:
    assert all("中" not in maker.make(7, index, 0.0).text for index in range(100))


@pytest.mark.parametrize("flaw", [flaw for flaw, _ in degrade.RECIPE], ids=lambda flaw: flaw.__name__)
def test_a_flaw_keeps_size_and_depends_on_its_seed(flaw: degrade.Flaw) -> None:
    for height, width in ((12, 9), (33, 200), (80, 90)):
        ink = np.zeros((height, width), np.uint8)
        ink[height // 4 : height // 2, 2:-2] = 255
        strip = degrade.paper(ink, Random(3))
        spoilt = flaw(strip.copy(), Random(4))
        assert spoilt.dtype == np.uint8
        assert spoilt.shape == strip.shape
        assert np.array_equal(spoilt, flaw(strip.copy(), Random(4)))


def test_warping_moves_the_spans_along() -> None:
    ink = np.zeros((32, 200), np.uint8)
    ink[8:24, 90:110] = 255
    for seed in range(20):
        warped, spans = degrade.warp(ink, np.array([[90, 110]], np.float32), Random(seed), 0)
        columns = np.flatnonzero(warped.max(0) > 100)
        assert spans is not None
        assert abs(spans.mean() - columns.mean()) < 6


def test_crops_outside_the_charset_are_left_out_whole(lines_folder: Path) -> None:
    train, held = samples.load_crops(lines_folder)
    assert sorted(crop.text for crop in train + held) == ["12", "abc", "中文"]
    assert samples.decode(train[0]).shape[0] == 40


def test_documents_are_held_back_by_name() -> None:
    kept = sum(samples.held_back(f"owner/repository:{number}.pdf") for number in range(2000))
    assert 60 < kept < 140
    assert samples.held_back("a") == samples.held_back("a")


def test_crops_are_mixed_in(faces: list[fonts.Face]) -> None:
    maker = samples.Maker(faces, [samples.Crop(picture("中文"), "中文", "a")])
    texts = [maker.make(1, index, 0.5).text for index in range(200)]
    assert 70 < texts.count("中文") < 140
    placed = maker.make(1, 0, 1.0, placed=True)
    assert placed.spans is not None


def test_even_spans_are_squares() -> None:
    strip = np.full((40, 100), 255, np.uint8)
    strip[5:35, 11:69] = 0
    spans = samples.even_spans(strip, "中文字")
    assert spans is not None
    assert np.allclose(spans.mean(1), [20, 40, 60], atol=1)
    assert samples.even_spans(np.full((40, 100), 255, np.uint8), "中") is None
    assert not samples.evenly_set("中a")


def test_own_crops_are_read_from_labels_tsv(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(picture())
    (tmp_path / "labels.tsv").write_text("one.png\tabc\n", "utf-8")
    assert [crop.text for crop in samples.load_folder(tmp_path)] == ["abc"]
    for bad in ("one.png abc", "two.png\tabc", "one.png\tabж", "one.png\t"):
        (tmp_path / "labels.tsv").write_text(bad + "\n", "utf-8")
        with pytest.raises(InputError, match="line 1"):
            samples.load_folder(tmp_path)


def test_the_contact_sheet_shows_every_sample(maker: samples.Maker) -> None:
    made = [maker.make(1, index, 0.0) for index in range(7)]
    assert samples.sheet(made, columns=3, width=100, height=20).shape == (3 * 28, 3 * 108)

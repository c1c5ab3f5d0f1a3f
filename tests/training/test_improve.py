"""Improving: upside-down lines are learned, upright ones kept, and what comes out is judged by lines of its own."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import cv2
import numpy as np
import onnx
import pytest
import torch
from turned import plain_lines

from shizi import weights
from shizi.errors import InputError
from shizi.training import evaluate, export_onnx, fonts, improve, labels, samples
from shizi.training.crnn import Crnn

pytestmark = pytest.mark.training
# What was tuned is what is compared, however many drawn lines it reads: how far to go is chosen below.
ALL_THE_WAY = "from shizi.training import improve; improve.REACHES = (1.0,); improve.main()"
FULL, SMALL = weights.find("crnn-full").path, weights.find("crnn").path


def write(folder: Path, face: fonts.Face, seed: int, count: int, upside_down: bool = True) -> None:
    """Write lines as a folder of crops: upside down, a typeface never seen."""
    folder.mkdir()
    rows = []
    for number, line in enumerate(plain_lines(face, count, upside_down, seed)):
        cv2.imwrite(str(folder / f"{number}.png"), line.strip)
        rows.append(f"{number}.png\t{line.text}\tregion\n")
    (folder / "labels.tsv").write_text("".join(rows))


@pytest.mark.slow
def test_from_corrections_to_a_compared_candidate(tmp_path: Path, faces: list[fonts.Face]) -> None:
    write(tmp_path / "learn", faces[0], 1, 48)
    write(tmp_path / "held", faces[0], 2, 60)
    write(tmp_path / "upright", faces[0], 3, 100, upside_down=False)
    (tmp_path / "fonts").mkdir()
    fonts.write(tmp_path / "fonts", faces)
    command = [
        *("--current", SMALL, "--start", FULL, "--learn", tmp_path / "learn", "--held", tmp_path / "held"),
        *("--to", tmp_path / "to", "--fonts", tmp_path / "fonts", "--frozen", tmp_path / "upright"),
        *("--minutes", "60", "--steps", "300", "--ranks", "2", "--batch", "8", "--count", "200"),
    ]
    ran = subprocess.run(
        [sys.executable, "-c", ALL_THE_WAY, *map(str, command)],
        capture_output=True, text=True, timeout=1500, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = [json.loads(row) for row in ran.stdout.splitlines() if row.startswith("{")]
    assert list(dict.fromkeys(row["step"] for row in told)) == ["tune", "choose", "calibrate", "compare", "done"]
    found = json.loads((tmp_path / "to" / improve.COMPARISON).read_text())
    assert list(found["sets"]) == ["corrections", "drawn", "unseen faces", "frozen"]
    own, drawn, upright = (found["sets"][name] for name in ("corrections", "drawn", "frozen"))
    learned = [row["learned"] for row in told if "learned" in row]
    assert learned[-1] < 0.6 * learned[0]
    assert own["candidate"]["exact"] >= own["current"]["exact"] + 0.3
    assert upright["candidate"]["exact"] >= upright["current"]["exact"] - 0.05
    assert drawn["candidate"]["exact"] >= drawn["current"]["exact"] - 0.05
    assert own["current"]["lines"] == 60
    assert drawn["current"]["lines"] == 200
    assert len([row for row in found["rows"] if row["set"] == "corrections"]) == 60
    assert found["cpu_minutes"] > 0
    kept = {entry.key: entry.value for entry in onnx.load(SMALL).metadata_props}
    for name in (improve.FULL, improve.SMALL):
        assert {entry.key: entry.value for entry in onnx.load(tmp_path / "to" / name).metadata_props} == kept
    assert (tmp_path / "to" / improve.SMALL).stat().st_size < 0.4 * (tmp_path / "to" / improve.FULL).stat().st_size


def test_half_the_way_lies_between() -> None:
    start, tuned = Crnn(len(labels.charset())), Crnn(len(labels.charset()))
    export_onnx.restore(FULL, start)
    middle = improve.between(start, tuned, 0.5).state_dict()
    name = "lstm.weight_ih_l0"
    assert torch.allclose(middle[name], (start.state_dict()[name] + tuned.state_dict()[name]) / 2)
    assert torch.equal(improve.between(start, tuned, 1.0).state_dict()[name], tuned.state_dict()[name])


@pytest.mark.parametrize(
    ("right", "reach", "written"),
    [
        ([900, 910], 1.0, 1), ([900, 897, 898, 900], 0.8, 3), ([900, 896, 898, 899], 0.8, 3),
        ([900, 4, 5, 6, 7, 6, 5, 4], 0.6, 8), ([900, 8, 8, 0, 0, 0, 0, 0], 1.0, 8),
    ],
)  # fmt: skip
def test_the_farthest_that_loses_next_to_nothing_is_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, right: list[int], reach: float, written: int
) -> None:
    counts, candidates = iter(right), []
    monkeypatch.setattr(improve, "_right", lambda path, lines: next(counts))
    monkeypatch.setattr(
        improve, "write", lambda model, arguments, found: candidates.append(model.classes.bias[0].item())
    )
    start, tuned = Crnn(len(labels.charset())), Crnn(len(labels.charset()))
    for model, value in ((start, 0.0), (tuned, 1.0)):
        torch.nn.init.constant_(model.classes.bias, value)
    arguments = argparse.Namespace(current=SMALL, to=tmp_path)
    found = improve.Material([], [], {})
    lines = [samples.Sample(np.zeros((1, 1), np.uint8), "")] * 1000  # of which one may be lost
    assert improve.choose(start, tuned, arguments, found, lines) == reach
    assert len(candidates) == written
    assert candidates[-1] == pytest.approx(reach)  # the files that stay are those of the reach that was chosen


def test_only_lines_that_one_model_reads_tell_of_the_gain() -> None:
    before = [True] * 900 + [True] * 20 + [False] * 30 + [False] * 50
    after = [True] * 900 + [False] * 20 + [True] * 30 + [False] * 50
    found = evaluate.gain(before, after)
    assert found["exact"] == 0.01
    assert found["lowest"] == pytest.approx(0.01 - 0.0140, abs=2e-4)  # 1.96 * sqrt(51 / 1002 - 0.01 ** 2) / sqrt(1002)
    assert found["highest"] == pytest.approx(0.01 + 0.0140, abs=2e-4)
    unchanged = evaluate.gain([True] * 1000, [True] * 1000)
    assert unchanged["exact"] == 0.0
    assert unchanged["lowest"] == -unchanged["highest"] < 0.0  # nothing seen to change is not nothing that changes
    assert evaluate.gain([], [])["exact"] == 0.0


def test_a_region_keeps_its_margins(tmp_path: Path, faces: list[fonts.Face]) -> None:
    write(tmp_path / "own", faces[0], 1, 2)
    [crop, _] = samples.load_folder(tmp_path / "own")
    assert crop.margins
    maker = samples.Maker(faces, [crop])
    height = samples.decode(crop).shape[0]
    made = [maker.crop(crop, Random(seed), 0.0) for seed in range(30)]
    assert all(sample.margins and abs(sample.strip.shape[0] - height) <= 0.12 * height for sample in made)
    (tmp_path / "own" / "labels.tsv").write_text("0.png\tAB\tsomething\n")
    with pytest.raises(InputError, match="region"):
        samples.load_folder(tmp_path / "own")


def test_the_systems_faces_stand_in(tmp_path: Path) -> None:
    import matplotlib

    with pytest.raises(FileNotFoundError, match="fonts-noto-cjk"):
        fonts.installed(tmp_path / "none", [Path(matplotlib.get_data_path()) / "fonts"])
    assert improve.SYSTEM_FONTS[0] == Path("/usr/share/fonts")

"""The shipped files: what their cards promise, and that they can be trained on."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from turned import plain_lines

from shizi import weights
from shizi.errors import WeightsError
from shizi.recognise import Recogniser
from shizi.training import (
    batches,
    calibrate,
    evaluate,
    export_onnx,
    fonts,
    gate,
    labels,
    quantise,
    samples,
    tune,
)
from shizi.training.crnn import Crnn

pytestmark = pytest.mark.training

MODELS = Path(str(resources.files("shizi") / "models"))
FULL, SMALL = MODELS / "crnn.onnx", MODELS / "crnn-int8.onnx"
# What eight bits may cost: half a character in a hundred on clean lines of plain faces.
INT8_BUDGET = 0.005


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(5)


def share_right(path: Path, lines: Sequence[samples.Sample]) -> float:
    readings, _ = evaluate.read_lines(Recogniser(weights.from_file(path)), lines)
    return float(np.mean(evaluate.right(lines, readings)))


@pytest.mark.parametrize("path", [FULL, SMALL], ids=lambda path: path.stem)
def test_a_shipped_file_is_of_the_frozen_charset_and_calibrated(path: Path) -> None:
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert metadata["character"] == labels.charset().to_metadata()
    knots = [tuple(map(float, pair.split(":"))) for pair in metadata[calibrate.KEY].split()]
    assert [x for x, _ in knots] == sorted(x for x, _ in knots)
    assert [y for _, y in knots] == sorted(y for _, y in knots)
    assert metadata["licence"] == "Apache-2.0"
    assert path.with_suffix(".md").is_file()


def test_int8_is_small_and_reads_as_well(faces: list[fonts.Face]) -> None:
    assert SMALL.stat().st_size < 0.4 * FULL.stat().st_size
    lines = plain_lines(faces[0], 60) + plain_lines(faces[1], 60)
    errors = {}
    for path in (FULL, SMALL):
        readings, _ = evaluate.read_lines(Recogniser(weights.from_file(path)), lines)
        texts = [reading.text for reading in readings]
        errors[path] = evaluate.measure([line.text for line in lines], texts)["cer"]
    assert errors[SMALL] <= errors[FULL] + INT8_BUDGET


def test_int8_reads_a_line_the_same_in_any_batch(maker: samples.Maker) -> None:
    recogniser = Recogniser(weights.from_file(SMALL))
    strips = [np.repeat(maker.make(6, index, 0.0).strip[:, :, None], 3, 2) for index in range(40)]
    together = recogniser.read(strips)
    alone = [recogniser.read([strip])[0] for strip in strips]
    assert [reading.text for reading in together] == [reading.text for reading in alone]
    assert np.allclose([r.confidence for r in together], [r.confidence for r in alone], atol=1e-4)


@pytest.mark.parametrize("recipe", ["gated", "head", "dynamic"])
def test_each_recipe_writes_a_file_that_reads(tmp_path: Path, faces: list[fonts.Face], recipe: str) -> None:
    model = Crnn(len(labels.charset())).eval()
    export_onnx.restore(FULL, model)
    lines = plain_lines(faces[0], 30)
    opened = gate.fit(model, lines)
    assert 0.0 < opened.open_share < 0.8
    quantise.quantise(FULL, tmp_path / "new.onnx", recipe, lines, opened)
    assert share_right(tmp_path / "new.onnx", lines) >= share_right(FULL, lines) - 0.1
    with pytest.raises(WeightsError):
        export_onnx.restore(SMALL, model)


def test_a_line_without_an_open_step_reads_as_nothing() -> None:
    white = np.full((32, 96, 3), 255, np.uint8)
    assert Recogniser(weights.from_file(SMALL)).read([white])[0].text == ""


@pytest.mark.slow
def test_fine_tuning_learns_a_typeface_it_read_wrongly(tmp_path: Path, faces: list[fonts.Face]) -> None:
    lines = plain_lines(faces[0], 48, upside_down=True, seed=1)
    unseen = plain_lines(faces[0], 100, upside_down=True, seed=2)
    upright = plain_lines(faces[0], 100, seed=3)
    folder = tmp_path / "own"
    folder.mkdir()
    rows = []
    for number, line in enumerate(lines):
        cv2.imwrite(str(folder / f"{number}.png"), line.strip)
        rows.append(f"{number}.png\t{line.text}")
    (folder / "labels.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    kept = share_right(FULL, upright)
    assert share_right(FULL, unseen) < 0.3

    (tmp_path / "fonts").mkdir()
    fonts.write(tmp_path / "fonts", faces)
    command = [
        *("--name", "own", "--out", tmp_path, "--from", FULL, "--data", folder, "--fonts", tmp_path / "fonts"),
        *("--ranks", "1", "--batch", "8", "--steps", "720", "--minutes", "60"),
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "shizi.training.train", *map(str, command)],
        capture_output=True, text=True, timeout=1500, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr

    tuned = tune.load(tmp_path / "own" / "checkpoint.pt")
    onnx.save(export_onnx.build(tuned, "reading", export_onnx.metadata()), tmp_path / "own.onnx")
    assert share_right(tmp_path / "own.onnx", unseen) > 0.7
    assert share_right(tmp_path / "own.onnx", upright) >= kept - 0.05
    assert batches.FORM.height == 32


def test_what_tuning_changes_is_in_every_file_since_the_first() -> None:
    # A promoted file of an earlier export is tuned on: it must have whatever a new one would put in its place.
    names = {tensor.name for tensor in onnx.load(SMALL).graph.initializer if tensor.name.startswith(quantise.TUNED)}
    first = {"lstm.W.half", "lstm.R.half", "lstm.B.half", "lstm.shape"}
    assert names == first | {"gate.weight", "gate.bias", "gate.axis", "gate.zero"}

"""Tuning: what learns, what stays number for number, and what is handed back."""

from pathlib import Path

import cv2
import onnx
import pytest
import torch
from onnx import numpy_helper
from turned import plain_lines

from shizi import weights
from shizi.errors import WeightsError
from shizi.training import fonts, gate, quantise, samples, tune
from shizi.training.crnn import parameters
from shizi.training.together import Together

pytestmark = pytest.mark.training
FULL, SMALL = weights.find("crnn-full").path, weights.find("crnn").path


def crops(face: fonts.Face) -> list[samples.Crop]:
    lines = plain_lines(face, 6, upside_down=True)
    return [samples.Crop(cv2.imencode(".png", line.strip)[1].tobytes(), line.text, "own", True) for line in lines]


def test_the_lstm_alone_learns_and_its_later_weights_are_averaged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faces: list[fonts.Face]
) -> None:
    seen: list[torch.Tensor] = []

    class Recorded(torch.optim.AdamW):
        def step(self, closure: None = None) -> None:
            super().step(closure)
            seen.append(self.param_groups[0]["params"][0].detach().clone())

    monkeypatch.setattr(torch.optim, "AdamW", Recorded)
    tuning = tune.Tuning(FULL, crops(faces[0]), faces, 60.0, 4, 1, 2, 1)
    start = tune.load(FULL)
    told: list[tuple[float, float, float]] = []
    tune._rank(tuning, 0, Together(1, parameters(start)), tmp_path / "tuned.pt", lambda *values: told.append(values))
    before, after = start.state_dict(), torch.load(tmp_path / "tuned.pt", weights_only=True)
    changed = {name.split(".")[0] for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed == {"lstm"}
    name = next(name for name, _ in start.lstm.named_parameters())
    assert len(seen) == 4
    assert torch.allclose(after[f"lstm.{name}"], (seen[2] + seen[3]) / 2, atol=1e-7)
    assert not torch.allclose(seen[2], seen[3], atol=1e-7)
    [(share, learned, kept)] = told
    assert share < 0.5
    assert learned > 0.5
    assert kept == pytest.approx(0.0, abs=1e-6)  # nothing has moved at the first step, so nothing holds it


def test_a_candidate_is_the_file_in_force_with_what_was_tuned(tmp_path: Path, faces: list[fonts.Face]) -> None:
    def numbers(path: Path) -> dict[str, bytes]:
        return {tensor.name: numpy_helper.to_array(tensor).tobytes() for tensor in onnx.load(path).graph.initializer}

    model, lines = tune.load(FULL), plain_lines(faces[0], 30)
    opened = gate.fit(model, lines)
    quantise.retuned(SMALL, tmp_path / "same.onnx", model, opened)
    before, same = numbers(SMALL), numbers(tmp_path / "same.onnx")
    assert {name for name in before if before[name] != same[name]} == {"gate.weight", "gate.bias"}
    with torch.no_grad():
        for weight in model.lstm.parameters():
            weight.mul_(1.5)
    quantise.retuned(SMALL, tmp_path / "other.onnx", model, opened)
    other = numbers(tmp_path / "other.onnx")
    tuned = {"lstm.W.half", "lstm.R.half", "lstm.B.half"}
    assert {name for name in before if same[name] != other[name]} == tuned
    assert onnx.load(tmp_path / "other.onnx").metadata_props == onnx.load(SMALL).metadata_props
    with pytest.raises(WeightsError, match="recipe 'full'"):
        quantise.retuned(FULL, tmp_path / "none.onnx", model, opened)

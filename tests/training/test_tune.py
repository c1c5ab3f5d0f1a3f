"""Tuning: what learns, what stays number for number, and what is handed back."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from turned import plain_lines

from shizi import adopt, weights
from shizi.errors import WeightsError
from shizi.line_image import to_tensor
from shizi.recognise import Recogniser
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


def test_a_candidate_is_the_file_in_force_with_what_was_tuned_beside_it(
    tmp_path: Path, faces: list[fonts.Face]
) -> None:
    def numbers(path: Path) -> dict[str, bytes]:
        return {tensor.name: numpy_helper.to_array(tensor).tobytes() for tensor in onnx.load(path).graph.initializer}

    model, lines = tune.load(FULL), plain_lines(faces[0], 30)
    opened = gate.fit(model, lines)
    quantise.retuned(SMALL, tmp_path / "same.onnx", model, opened)
    before, same = numbers(SMALL), numbers(tmp_path / "same.onnx")
    assert {name: same[name] for name in before} == before
    twice = {name.removeprefix(quantise.SECOND): same[name] for name in same.keys() - before.keys()}
    assert {name for name in twice if twice[name] != before[name]} == {"gate.weight", "gate.bias"}
    with torch.no_grad():
        for weight in model.lstm.parameters():
            weight.mul_(1.5)
    quantise.retuned(tmp_path / "same.onnx", tmp_path / "other.onnx", model, opened)
    other = numbers(tmp_path / "other.onnx")
    tuned = {f"tuned.lstm.{part}.half" for part in "WRB"}
    assert other.keys() == same.keys()
    assert {name for name in same if same[name] != other[name]} == tuned
    assert onnx.load(tmp_path / "other.onnx").metadata_props == onnx.load(SMALL).metadata_props
    with pytest.raises(WeightsError, match="recipe 'full'"):
        quantise.retuned(FULL, tmp_path / "none.onnx", model, opened)


def test_a_candidate_gives_what_was_read_before_and_what_is_read_now(tmp_path: Path, faces: list[fonts.Face]) -> None:
    tuned, lines = tune.load(FULL), plain_lines(faces[0], 12)
    with torch.no_grad():
        for weight in tuned.lstm.parameters():
            weight.mul_(0.7)
    quantise.retuned(SMALL, tmp_path / "tuned.onnx", tuned, gate.fit(tuned, lines))
    before, now = (Recogniser(weights.from_file(path)) for path in (SMALL, tmp_path / "tuned.onnx"))
    tensors = np.stack([to_tensor(np.repeat(lines[0].strip[:, :, None], 3, axis=2), now.form)])
    [(path, probability)], [first, second] = before._best_paths(tensors), now._best_paths(tensors)
    assert np.array_equal(first[0], path)
    assert np.array_equal(first[1], probability)
    assert second[0].shape == path.shape
    assert not np.array_equal(second[1], probability)
    findings = {finding.name: finding.value for finding in adopt.adopt(tmp_path / "tuned.onnx").findings}
    assert findings["output"] == "the likeliest classes and their probabilities"

import sys
from pathlib import Path

import pytest
import torch

from shizi.training import average, checkpoint, labels
from shizi.training.crnn import Crnn, best_path

pytestmark = pytest.mark.training


def test_an_average_lies_between_and_sharpened_scores_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    start, end = (Crnn(len(labels.charset())) for _ in range(2))
    for name, model in (("start", start), ("end", end)):
        checkpoint.save(
            tmp_path / name, model, torch.optim.AdamW(model.parameters()), checkpoint.Progress(lines=len(name))
        )

    def averaged(*options: str) -> Crnn:
        words = [str(tmp_path / "start"), str(tmp_path / "end"), "--to", str(tmp_path / "made"), *options]
        monkeypatch.setattr(sys, "argv", ["average", *words])
        average.main()
        made = Crnn(len(labels.charset()))
        assert checkpoint.load(tmp_path / "made", made).lines == len("end")
        return made.eval()

    for share in (0.0, 0.25, 1.0):
        weight = averaged("--share", str(share)).narrow.weight
        assert torch.allclose(weight, start.narrow.weight * (1 - share) + end.narrow.weight * share, atol=1e-6)
    lines = torch.randn(2, 1, 32, 96)
    plain, sharp = (averaged("--share", "1", *more)(lines) for more in ((), ("--sharpen", "1.5")))
    assert torch.allclose(sharp, plain * 1.5, atol=1e-4)
    assert torch.equal(best_path(sharp)[0], best_path(plain)[0])
    assert (best_path(sharp)[1] >= best_path(plain)[1]).all()

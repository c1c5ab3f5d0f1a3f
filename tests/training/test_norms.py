from pathlib import Path

import onnx
import pytest
import torch

from shizi.training import checkpoint, export_onnx, labels, norms, tune
from shizi.training.crnn import Crnn

pytestmark = pytest.mark.training


def test_a_restored_network_gives_what_it_gave_with_norms_that_fit(tmp_path: Path) -> None:
    torch.manual_seed(3)
    shipped = Crnn(len(labels.charset()))
    batches = [torch.rand(2, 1, 32, width) for width in (64, 128, 96)]
    shipped.train()
    for lines in batches * 3:  # norms that are not those of a new network
        shipped.seen(lines)
    onnx.save(export_onnx.build(shipped.eval(), "reading", export_onnx.metadata()), tmp_path / "crnn.onnx")
    restored = tune.load(tmp_path / "crnn.onnx")
    before = restored.seen(batches[0])

    norms.put_back(restored, batches)
    torch.testing.assert_close(restored.seen(batches[0]), before, atol=1e-4, rtol=1e-4)
    # Training now normalises by the batch: one of all these lines gives what the norms give, nearly.
    lines = torch.cat([torch.rand(6, 1, 32, 96), batches[2]])
    norms.put_back(restored, [lines])
    kept = restored.seen(lines)
    torch.testing.assert_close(restored.train().seen(lines), kept, atol=1e-3, rtol=1e-3)

    checkpoint.save(tmp_path / "start.pt", restored, None, checkpoint.Progress())
    assert checkpoint.load(tmp_path / "start.pt", Crnn(len(labels.charset()))).steps == 0

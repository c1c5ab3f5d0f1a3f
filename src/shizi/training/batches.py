"""Batches: samples of a run, padded together by like widths, with the targets of both training phases.

Takes a `Maker`, gives tensors. Samples are made in chunks, sorted by width and cut into batches; each rank
makes every ranks-th sample, so the run's samples are the same for any number of ranks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch import Tensor

from shizi import line_image
from shizi.charset import BLANK
from shizi.training import labels
from shizi.training.crnn import HEIGHT, STEP
from shizi.training.samples import Maker, Sample

# Regions of the detector, their margins trimmed, were read with a third fewer errors (runs/LOG.md): larger glyphs.
# Their text stands a little low, so more is cut above it.
FORM = line_image.LineFormat(height=HEIGHT, channels=1, trim=(0.14, 0.08))
CHUNK_BATCHES = 12
# A frame belongs to a glyph within this share of the glyph's width from its middle.
CORE = 0.22


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines N 1 32 W, steps of each line N, labels joined, their lengths N, frame targets N T (-1: none)."""

    lines: Tensor
    steps: Tensor
    targets: Tensor
    lengths: Tensor
    frames: Tensor


def shown(sample: Sample) -> line_image.Pixels:
    """Give what of a sample's strip the model is shown: without the margins of a detector's region."""
    return line_image.trimmed(sample.strip, FORM) if sample.margins else sample.strip


def frame_targets(sample: Sample, classes: Sequence[int], steps: int) -> Tensor:
    """Give every frame's class: a glyph's near its middle, else blank; -1 everywhere without spans. T."""
    if sample.spans is None or len(sample.spans) != len(classes):
        return torch.full((steps,), -1, dtype=torch.long)
    frames = np.full(steps, BLANK, np.int64)
    scale = FORM.height / shown(sample).shape[0] / STEP
    for kind, (start, end) in zip(classes, sample.spans * scale, strict=True):
        middle, reach = (start + end) / 2, CORE * (end - start)
        first = max(0, min(int(middle - reach), steps - 1))
        frames[first : max(first + 1, min(int(middle + reach + 0.5), steps))] = kind
    return torch.from_numpy(frames)


def collate(samples: Sequence[Sample]) -> Batch:
    """Pad samples to the widest and join their targets."""
    tensors = [line_image.to_tensor(shown(sample), FORM) for sample in samples]
    widest = max(tensor.shape[2] for tensor in tensors)
    lines = np.zeros((len(tensors), 1, FORM.height, widest), np.float32)
    encoded = [labels.charset().encode(sample.text) for sample in samples]
    frames = torch.full((len(samples), widest // STEP), -1, dtype=torch.long)
    for row, (tensor, sample, classes) in enumerate(zip(tensors, samples, encoded, strict=True)):
        lines[row, :, :, : tensor.shape[2]] = tensor
        steps = tensor.shape[2] // STEP
        frames[row, :steps] = frame_targets(sample, classes, steps)
    return Batch(
        torch.from_numpy(lines),
        torch.tensor([tensor.shape[2] // STEP for tensor in tensors]),
        torch.tensor([kind for classes in encoded for kind in classes], dtype=torch.long),
        torch.tensor([len(classes) for classes in encoded]),
        frames,
    )


def chunk(
    maker: Maker, run: int, start: int, rank: int, ranks: int, size: int,
    share: float, strength: float, placed: bool,
) -> Iterator[Batch]:  # fmt: skip
    """Give one rank's `CHUNK_BATCHES` batches of `size` lines out of the chunk that starts at sample `start`.

    `share` is the share of PDF crops (with `placed`, of those with known glyph places), `strength` how often
    flaws strike.
    """
    indices = range(start + rank, start + CHUNK_BATCHES * size * ranks, ranks)
    samples = [maker.make(run, index, share, strength, placed) for index in indices]
    samples.sort(key=lambda sample: line_image.tensor_width(shown(sample), FORM.height))
    order = list(range(CHUNK_BATCHES))
    Random(start).shuffle(order)
    for place in order:
        yield collate(samples[place * size : (place + 1) * size])

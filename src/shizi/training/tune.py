"""Tune: a trained network learns corrected lines and keeps what it knew.

Takes the checkpoint or fp32 file to start from, crops to learn and faces to draw with, gives the tuned network. CTC on
corrected lines and on drawn ones; on those the chances of the classes at each step are also held to those of the start
(Li and Hoiem, ECCV 2016, "Learning without forgetting"). The LSTM alone learns (docs/decisions/090). What comes out is
the mean of its weights over the later steps (Izmailov et al., UAI 2018, "Averaging weights leads to wider optima and
better generalization"): the noise of single batches goes.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from shizi.training import checkpoint, export_onnx, fonts, labels, samples
from shizi.training.batches import CHUNK_BATCHES, Batch, chunk
from shizi.training.crnn import Crnn, parameters
from shizi.training.losses import choose, ctc, divergence
from shizi.training.together import CLIP, Together, half_pays, rate_at

RATE = 1e-3
# What a nat of divergence from the start costs on a drawn character, against one of CTC on any.
KEEP = 10.0
NEGATIVES = 500
# The weights of steps after this share of the budget are averaged.
AVERAGED_FROM = 0.5
# Corrected lines are spoilt less than drawn ones: they were really seen.
STRENGTH, DRAWN_STRENGTH = 0.6, 0.7
_TELL_STEPS = 10


@dataclass(frozen=True, slots=True)
class Tuning:
    """One run: from which file, on what, for so many minutes of processor time (of all ranks) or steps."""

    start: Path
    crops: Sequence[samples.Crop]
    faces: Sequence[fonts.Face]
    cpu_minutes: float
    steps: int
    ranks: int
    batch: int
    seed: int


def load(path: Path) -> Crnn:
    """Give the network of a checkpoint (`.pt`) or an exported fp32 file. Raises WeightsError for another ONNX file."""
    model = Crnn(len(labels.charset()))
    if path.suffix == ".pt":
        checkpoint.load(path, model)
    else:
        export_onnx.restore(path, model)
    return model.eval()


def tune(tuning: Tuning, tell: Callable[[float, float, float], None]) -> Crnn:
    """Tune, and `tell` now and then the share done and both losses. Raises RuntimeError when a process dies.

    Each rank is a process of one thread: see `train`. Nothing of torch may have run in this one before.
    """
    together = Together(tuning.ranks, parameters(Crnn(len(labels.charset()))))
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tuned.pt"
        ranks = [
            context.Process(target=_rank, args=(tuning, rank, together, path, tell)) for rank in range(tuning.ranks)
        ]
        for process in ranks:
            process.start()
        while any(process.is_alive() for process in ranks):
            if any(process.exitcode not in (None, 0) for process in ranks):
                for process in ranks:
                    process.kill()
            time.sleep(0.1)
        if any(process.exitcode for process in ranks) or not path.is_file():
            raise RuntimeError("a process that tunes died; its error is above")
        model = Crnn(len(labels.charset()))
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval()


def _rank(
    tuning: Tuning, rank: int, together: Together, path: Path, tell: Callable[[float, float, float], None]
) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(tuning.seed)
    # Both read as they will be used: a restored network has its norms folded away, and noise would count as change.
    start, model = load(tuning.start), load(tuning.start)
    start.requires_grad_(False)
    model.requires_grad_(False)
    model.lstm.requires_grad_(True)
    learning, averaged = list(model.lstm.parameters()), AveragedModel(model.lstm)
    optimiser = torch.optim.AdamW(learning, lr=RATE, weight_decay=0.0, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(tuning.seed * 7919 + rank)
    began = time.process_time()
    for step, (own, drawn) in enumerate(_batches(tuning, rank)):
        used = (time.process_time() - began) * tuning.ranks / (tuning.cpu_minutes * 60)
        share = together.agree(rank, max(used, step / tuning.steps if tuning.steps else 0.0))
        if share >= 1.0:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate_at(share, step, RATE)
        with torch.autocast("cpu", torch.bfloat16, enabled=half_pays("cpu")):
            learned, kept = _losses(model, start, own, drawn, generator)
        optimiser.zero_grad(set_to_none=False)
        (learned + KEEP * kept).backward()  # type: ignore[no-untyped-call]
        together.average(rank, learning)
        torch.nn.utils.clip_grad_norm_(learning, CLIP)
        optimiser.step()
        if share >= AVERAGED_FROM:
            averaged.update_parameters(model.lstm)
        if rank == 0 and step % _TELL_STEPS == 0:
            tell(share, float(learned.detach()), float(kept.detach()))
    if rank == 0:
        # Without a step in the later share, as with one step, the mean is the start's.
        model.lstm.load_state_dict(averaged.module.state_dict())
        torch.save(model.state_dict(), path)


def _batches(tuning: Tuning, rank: int) -> Iterator[tuple[Batch, Batch]]:
    """Give pairs without end: corrected lines, and as many drawn ones."""
    maker, place = samples.Maker(tuning.faces, tuning.crops), 0
    while True:
        own, drawn = (
            chunk(maker, tuning.seed + run, place, rank, tuning.ranks, tuning.batch, share, strength, False)
            for run, share, strength in ((0, 1.0, STRENGTH), (1, 0.0, DRAWN_STRENGTH))
        )
        yield from zip(own, drawn, strict=True)
        place += CHUNK_BATCHES * tuning.batch * tuning.ranks


def _losses(model: Crnn, start: Crnn, own: Batch, drawn: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Give what is still wrong of all lines, and how far the outputs for drawn ones have moved, both scalars.

    Corrected lines and drawn ones weigh the same, each kind by character.
    """
    rows = len(own.lines)
    with torch.no_grad():
        seen = model.seen(_joined(own.lines, drawn.lines))  # N, T, 192; the start sees the same
        features = start.narrow(start.lstm(seen[rows:])[0])  # N, T, 120
        scores = start.classes(features)
        # What is likeliest at any step: `argmax` takes longer in 16 bits.
        likely = (scores == scores.amax(-1, keepdim=True)).flatten(0, 1).any(0).nonzero().squeeze(1)
    classes = model.classes.out_features
    chosen, shifts = choose(torch.cat([own.targets, drawn.targets, likely]), classes, NEGATIVES, generator)
    scores = model.scores_of(model.narrow(model.lstm(seen)[0]), chosen, shifts)  # N, T, K
    with torch.no_grad():
        before = start.scores_of(features, chosen, shifts)
    learned = ctc(scores[:rows], own, chosen, model) + ctc(scores[rows:], drawn, chosen, model)
    return learned, divergence(scores[rows:], before, drawn)


def _joined(*parts: Tensor) -> Tensor:
    """Put lines of two batches into one, padded to the wider: one pass serves both."""
    widest = max(part.shape[3] for part in parts)
    return torch.cat([nn.functional.pad(part, (0, widest - part.shape[3])) for part in parts])

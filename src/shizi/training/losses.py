"""Losses: both training phases, over the classes of the batch and a random sample of the others.

The softmax over all classes costs as much as the convolutions. Sampled negatives stand for all that were left
out: their scores are raised by the log of the sampling ratio, which keeps the partition sum unbiased (Jean et
al., 2015).
"""

import math

import torch
from torch import Tensor, nn

from shizi.charset import BLANK
from shizi.training.batches import Batch
from shizi.training.crnn import Crnn


def choose(targets: Tensor, classes: int, negatives: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Choose blank, the batch's own classes and `negatives` others: gives class indices K, score shifts K."""
    wanted = torch.unique(torch.cat([torch.tensor([BLANK]), targets.cpu()]))
    others = torch.ones(classes, dtype=torch.bool)
    others[wanted] = False
    pool = others.nonzero().squeeze(1)
    taken = pool[torch.randperm(len(pool), generator=generator)[:negatives]]
    shifts = torch.zeros(len(wanted) + len(taken))
    if len(taken):
        shifts[len(wanted) :] = math.log(len(pool) / len(taken))
    return torch.cat([wanted, taken]), shifts


def loss_of(model: Crnn, batch: Batch, phase: int, negatives: int, generator: torch.Generator) -> Tensor:
    """Give the loss of one batch, a scalar: phase 1 frame by frame at the known glyphs, phase 2 CTC."""
    classes = model.classes.out_features
    chosen, shifts = choose(batch.targets, classes, negatives, generator)
    place = torch.full((classes + 1,), -1)
    place[chosen] = torch.arange(len(chosen))
    features = model.features(batch.lines)
    scores = model.scores_of(features, chosen.to(features.device)) + shifts.to(features.device)  # N, T, K
    if phase == 1:
        frames = place[batch.frames.cpu()].to(scores.device)  # index -1 reads the last entry, which stays -1
        return nn.functional.cross_entropy(scores.flatten(0, 1).float(), frames.flatten(), ignore_index=-1)
    log_probability = torch.log_softmax(scores.float(), -1).transpose(0, 1)  # T, N, K
    targets = place[batch.targets.cpu()].to(scores.device)
    total = nn.functional.ctc_loss(
        log_probability, targets, batch.steps, batch.lengths, blank=0, reduction="sum", zero_infinity=True
    )
    return total / batch.lengths.sum().clamp(min=1)

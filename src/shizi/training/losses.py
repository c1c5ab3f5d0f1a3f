"""Losses: both training phases, over the classes of the batch and a random sample of the others.

The softmax over all classes costs as much as the convolutions. Sampled negatives stand for all that were left
out: their scores are raised by the log of the sampling ratio, which keeps the partition sum unbiased (Jean et
al., 2015).
"""

import math
from typing import Any

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
    chosen, shifts = choose(batch.targets, model.classes.out_features, negatives, generator)
    features = model.features(batch.lines)
    scores = model.scores_of(features, chosen.to(features.device), shifts.to(features.device))  # N, T, K
    if phase == 1:
        frames = _columns(batch.frames, chosen, model).to(scores.device)
        return nn.functional.cross_entropy(scores.flatten(0, 1).float(), frames.flatten(), ignore_index=-1)
    return ctc(scores, batch, chosen, model)


def ctc(scores: Tensor, batch: Batch, chosen: Tensor, model: Crnn) -> Tensor:
    """Give the CTC loss of one batch by character, a scalar, from the scores N T K of the `chosen` classes K."""
    targets = _columns(batch.targets, chosen, model).to(scores.device)
    total: Tensor = Ctc.apply(scores, targets, batch.steps, batch.lengths)  # type: ignore[no-untyped-call]
    return total / batch.lengths.sum().clamp(min=1)


def divergence(scores: Tensor, before: Tensor, batch: Batch) -> Tensor:
    """Give how far `scores` are from those `before` (both N T K), by character: KL divergences of all steps."""
    was, now = (values.float().log_softmax(-1) for values in (before, scores))
    by_step = (was.exp() * (was - now)).sum(-1)  # N, T
    counted = torch.arange(by_step.shape[1], device=by_step.device) < batch.steps.to(by_step.device)[:, None]
    return (by_step * counted).sum() / batch.lengths.sum().clamp(min=1)


def _columns(classes: Tensor, chosen: Tensor, model: Crnn) -> Tensor:
    """Give where each class stands among the chosen; -1 for -1 and for those that were not."""
    place = torch.full((model.classes.out_features + 1,), -1)  # index -1 reads the last entry, which stays -1
    place[chosen] = torch.arange(len(chosen))
    return place[classes.cpu()]


class Ctc(torch.autograd.Function):
    """The CTC loss summed over lines, as `torch.nn.functional.ctc_loss` of a softmax gives it, at half its cost.

    Each line's alignment needs the probabilities of its own classes and blank only; torch's walks and writes all K
    of them forwards and backwards. The gradient is softmax minus alignment (Graves et al., ICML 2006, equation 16).
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, targets: Tensor, steps: Tensor, lengths: Tensor) -> Tensor:
        """Take scores N T K (class 0 is blank), targets joined, steps and lengths N; lines too long count nothing."""
        highest = scores.amax(-1, keepdim=True).float()  # N, T, 1
        powers = scores.to(torch.float32, copy=True).sub_(highest).exp_()  # N, T, K; ends as the gradient
        mass = powers.sum(-1, keepdim=True)  # N, T, 1
        labels = nn.utils.rnn.pad_sequence(list(torch.split(targets, lengths.tolist())), batch_first=True)
        own = nn.functional.pad(labels, (0, 1))  # N, L; never without a column, even if no line has a label
        # CTC must know a character that is written twice: both stand for the column of the first.
        first = (own[:, :, None] == own[:, None, :]).int().argmax(-1) + 1  # N, L
        columns = nn.functional.pad(own, (1, 0))[:, None].expand(-1, scores.shape[1], -1)  # N, T, 1 + L
        chances = (scores.gather(2, columns) - highest - mass.log()).requires_grad_()
        with torch.enable_grad():
            losses = nn.functional.ctc_loss(
                chances.transpose(0, 1), first, steps, lengths, blank=0, reduction="none", zero_infinity=True
            )
            (slope,) = torch.autograd.grad(losses.sum(), chances)
        counted = torch.arange(scores.shape[1], device=scores.device) < steps.to(scores.device)[:, None]
        counted = (counted & (losses > 0)[:, None])[:, :, None]  # N, T, 1; impossible lines have loss 0
        # torch's slope is that of the scores, chance - alignment, wherever the line counts.
        alignment = (chances.detach().exp() - slope) * counted
        gradient = powers.mul_(counted / mass).scatter_add_(2, columns, -alignment)
        ctx.save_for_backward(gradient.to(scores.dtype))
        return losses.detach().sum()

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Give the gradient of the scores; the labels have none."""
        (gradient,) = ctx.saved_tensors
        return gradient * upstream, None, None, None

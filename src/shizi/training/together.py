"""Together: what ranks share, each a process with a core of its own: mean gradients, the rate's course, the precision.

With the cores busy, an LSTM of two threads took five times as long as one of one: each of its steps waits for both. So
a core is a rank, and gradients go through shared memory.
"""

import math
import multiprocessing
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier

import torch
from torch import Tensor

WARM_UP_STEPS = 100
LAST_RATE = 0.02
CLIP = 5.0


class Together:
    """Averages gradients of all ranks through shared memory; waits idly, however long a rank is stopped."""

    def __init__(self, ranks: int, numbers: int) -> None:
        context = multiprocessing.get_context("fork")
        self._shared = torch.zeros(ranks, numbers).share_memory_()  # type: ignore[no-untyped-call]
        self._barrier: Barrier = context.Barrier(ranks)
        self._ranks = ranks

    def average(self, rank: int, weights: Sequence[Tensor]) -> None:
        """Replace each weight's gradient by its mean over the ranks."""
        if self._ranks == 1:
            return
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        sizes = [gradient.numel() for gradient in gradients]
        used = self._shared[:, : sum(sizes)]
        torch.cat([gradient.flatten() for gradient in gradients], out=used[rank])
        self._barrier.wait()
        mean = used.mean(0)
        self._barrier.wait()
        for gradient, part in zip(gradients, mean.split(sizes), strict=True):
            gradient.copy_(part.view_as(gradient))

    def agree(self, rank: int, value: float) -> float:
        """Give rank 0's value to every rank."""
        if self._ranks == 1:
            return value
        self._shared[rank, 0] = value
        self._barrier.wait()
        agreed = float(self._shared[0, 0])
        self._barrier.wait()
        return agreed


def rate_at(share: float, step: int, highest: float) -> float:
    """Give the learning rate after `share` of the budget: a linear warm-up, then half a cosine."""
    cosine = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
    return highest * min(1.0, (step + 1) / WARM_UP_STEPS) * cosine


def half_pays(device: str) -> bool:
    """Tell whether 16 bits are faster: on a GPU, and on a CPU with AVX-512 BF16 (2.6 times; others: 3 times slower)."""
    return device != "cpu" or torch.cpu._is_avx512_bf16_supported()

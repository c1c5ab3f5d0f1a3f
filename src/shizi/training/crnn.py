"""Crnn: convolutions, a bidirectional LSTM and a CTC head (Shi, Bai, Yao, 2015).

Takes line tensors, gives features or class scores for each time step of 4 pixels. Knows nothing of data.

Choices, and what they cost on a 1x32x320 line in million multiply-adds (runs/LOG.md has the measurements):
  two strided 3x3 convolutions first      7.2   reach 4 px a step early: most work is on small maps
  six plain 3x3 convolutions            128.2   train faster than depthwise ones of equal cost; the three whose input
                                                is added to their output are a tenth of a line's time in 8 bits
  a (2, 1) convolution to height 1        3.9   the LSTM reads 192 channels, not 256
  one bidirectional LSTM, 128 each way   26.2
  a narrow layer of 120                   2.5   halves the last layer; 120 is the width of the strong model's
  the last layer, 8,489 classes          81.5   starts from the strong model's
"""

import torch
from torch import Tensor, nn

STEP = 4
HEIGHT = 32
CHANNELS = (24, 48, 96, 128, 192)
HIDDEN = 128
NARROW = 120
# Batches are of like widths, so their means differ; the running ones are taken over many.
NORM_MOMENTUM = 0.03


def block(inputs: int, outputs: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    """Make a 3x3 convolution with batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs, momentum=NORM_MOMENTUM),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Sequential):
    """A block of as many outputs as inputs, its input added."""

    def __init__(self, channels: int) -> None:
        super().__init__(*block(channels, channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Give N C H W for N C H W."""
        changed: Tensor = super().forward(maps)  # type: ignore[no-untyped-call]
        return maps + changed


class Crnn(nn.Module):
    """Read line tensors N 1 32 W; W is a multiple of 32, T = W / 4."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        first, second, third, fourth, last = CHANNELS
        self.stem = nn.Sequential(
            block(1, first, 2),  # N, 24, 16, W/2
            block(first, second, 2),  # N, 48, 8, T
            block(second, third, (2, 1)),  # N, 96, 4, T
            Residual(third),  # N, 96, 4, T
            block(third, fourth, (2, 1)),  # N, 128, 2, T
            block(fourth, fourth),  # N, 128, 2, T
            Residual(fourth),  # N, 128, 2, T
            Residual(fourth),  # N, 128, 2, T
        )
        self.collapse = nn.Sequential(
            nn.Conv2d(fourth, last, (2, 1), bias=False),
            nn.BatchNorm2d(last, momentum=NORM_MOMENTUM),
            nn.ReLU(inplace=True),
        )  # N, 192, 1, T
        self.lstm = nn.LSTM(last, HIDDEN, bidirectional=True, batch_first=True)
        self.narrow = nn.Linear(2 * HIDDEN, NARROW)
        self.classes = nn.Linear(NARROW, classes)

    def seen(self, lines: Tensor) -> Tensor:
        """Give what the convolutions see, the LSTM's input: N T 192."""
        maps: Tensor = self.collapse(self.stem(lines))  # N, 192, 1, T
        return maps.squeeze(2).transpose(1, 2)

    def context(self, lines: Tensor) -> Tensor:
        """Give the LSTM's output: N T 256."""
        context: Tensor = self.lstm(self.seen(lines))[0]
        return context

    def features(self, lines: Tensor) -> Tensor:
        """Give the features before the last layer: N T 120."""
        narrowed: Tensor = self.narrow(self.context(lines))  # N, T, 120
        return narrowed

    def forward(self, lines: Tensor) -> Tensor:
        """Give the scores of every class (before softmax): N T classes."""
        scores: Tensor = self.classes(self.features(lines))
        return scores

    def scores_of(self, features: Tensor, chosen: Tensor, shifts: Tensor) -> Tensor:
        """Give the scores of the `chosen` classes only (class indices K), raised by `shifts` (K): N T K."""
        return nn.functional.linear(features, self.classes.weight[chosen], self.classes.bias[chosen] + shifts)


def parameters(model: nn.Module) -> int:
    """Count the trainable numbers of a model."""
    return sum(parameter.numel() for parameter in model.parameters())


def best_path(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Give each step's best class and its probability: N T each."""
    best, path = torch.softmax(scores, -1).max(-1)
    return path, best

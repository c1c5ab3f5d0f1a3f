"""Crnn: convolutions, a bidirectional LSTM and a CTC head (Shi, Bai, Yao, 2015).

Takes line tensors, gives features or class scores for each time step of 4 pixels. Knows nothing of data.

Choices, and what they cost on a 1x32x320 line in million multiply-adds (runs/LOG.md has the measurements):
  two strided 3x3 convolutions first      7.2   reach 4 px a step early: most work is on small maps
  four plain 3x3 convolutions            78.2   train faster than depthwise ones of equal cost
  a (2, 1) convolution to height 1        3.9   the LSTM reads 192 channels, not 256
  one bidirectional LSTM, 128 each way   26.2
  a narrow layer of 120                   2.5   halves the last layer; 120 is the width of the strong model's
  the last layer, 8,489 classes          81.5   starts from the strong model's
"""

import torch
from torch import Tensor, nn

STEP = 4
HEIGHT = 32
CHANNELS = (24, 48, 96, 128, 128, 128, 192)
HIDDEN = 128
NARROW = 120


def block(inputs: int, outputs: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    """Make a 3x3 convolution with batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Crnn(nn.Module):
    """Read line tensors N 1 32 W; W is a multiple of 32, T = W / 4."""

    def __init__(self, classes: int, dropout: float = 0.1) -> None:
        super().__init__()
        first, second, third, fourth, fifth, sixth, last = CHANNELS
        self.stem = nn.Sequential(
            block(1, first, 2),  # N, 24, 16, W/2
            block(first, second, 2),  # N, 48, 8, T
            block(second, third, (2, 1)),  # N, 96, 4, T
            block(third, fourth, (2, 1)),  # N, 128, 2, T
            block(fourth, fifth),  # N, 128, 2, T
        )
        self.inner = block(fifth, sixth)  # N, 128, 2, T
        self.collapse = nn.Sequential(
            nn.Conv2d(sixth, last, (2, 1), bias=False), nn.BatchNorm2d(last), nn.ReLU(inplace=True)
        )  # N, 192, 1, T
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(last, HIDDEN, bidirectional=True, batch_first=True)
        self.narrow = nn.Linear(2 * HIDDEN, NARROW)
        self.classes = nn.Linear(NARROW, classes)

    def context(self, lines: Tensor) -> Tensor:
        """Give the LSTM's output: N T 256."""
        maps = self.stem(lines)
        maps = self.collapse(maps + self.inner(maps))  # N, 192, 1, T
        steps = maps.squeeze(2).transpose(1, 2)  # N, T, 192
        context: Tensor = self.lstm(self.dropout(steps))[0]  # N, T, 256
        return context

    def features(self, lines: Tensor) -> Tensor:
        """Give the features before the last layer: N T 120."""
        narrowed: Tensor = self.narrow(self.dropout(self.context(lines)))  # N, T, 120
        return narrowed

    def forward(self, lines: Tensor) -> Tensor:
        """Give the scores of every class (before softmax): N T classes."""
        scores: Tensor = self.classes(self.features(lines))
        return scores

    def scores_of(self, features: Tensor, chosen: Tensor) -> Tensor:
        """Give the scores of the `chosen` classes only (class indices K): N T K."""
        return nn.functional.linear(features, self.classes.weight[chosen], self.classes.bias[chosen])


def parameters(model: nn.Module) -> int:
    """Count the trainable numbers of a model."""
    return sum(parameter.numel() for parameter in model.parameters())


def best_path(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Give each step's best class and its probability: N T each."""
    best, path = torch.softmax(scores, -1).max(-1)
    return path, best

"""Gate: which time steps can hold a character at all.

Most of a line's steps are blank, and the last layer costs about as much as all convolutions together. A
single linear score on the LSTM's output tells most blank steps from the rest, so that the last layer runs on
the others only. It is fitted to a trained network, which stays unchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from shizi.charset import BLANK
from shizi.training.batches import collate
from shizi.training.crnn import Crnn
from shizi.training.samples import Sample

# One written step in so many may be closed out; its neighbours usually write the character too.
LOST_ONE_IN = 10_000
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Gate:
    """A step is open when weight . context + bias > 0; `open_share` of the fitted lines' steps are."""

    weight: npt.NDArray[np.float32]
    bias: float
    open_share: float


def contexts(model: Crnn, lines: Sequence[Sample]) -> tuple[torch.Tensor, torch.Tensor]:
    """Give every step's LSTM output (S 256) and whether the network writes a character there (S)."""
    outputs, written = [], []
    model.eval()
    with torch.inference_mode():
        for line in lines:
            context = model.context(collate([line]).lines)[0]  # T, 256
            outputs.append(context)
            written.append(model.classes(model.narrow(context)).argmax(-1) != BLANK)
    return torch.cat(outputs).clone(), torch.cat(written).clone()


def fit(model: Crnn, lines: Sequence[Sample]) -> Gate:
    """Fit the gate by logistic regression, its bias so that one in `LOST_ONE_IN` written steps is lost."""
    context, written = contexts(model, lines)
    score = torch.nn.Linear(context.shape[1], 1)
    optimiser = torch.optim.LBFGS(score.parameters(), max_iter=ROUNDS, line_search_fn="strong_wolfe")
    # A character lost costs more than a blank step computed for nothing.
    weight = torch.where(written, 5.0, 1.0)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(score(context).squeeze(1), written.float(), weight)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        scores = score(context).squeeze(1) - score.bias
        passing = scores[written].sort().values
        lowest = float(passing[len(passing) // LOST_ONE_IN]) if len(passing) else 0.0
        margin = 0.05 * float(scores.std())
        bias = margin - lowest
        share = float((scores + bias > 0).float().mean())
    return Gate(score.weight.detach()[0].numpy().astype(np.float32), bias, share)

"""Average: weights between two checkpoints of one line of training, and how sure they are.

`python -m shizi.training.average START END --share 0.8 --sharpen 1.15 --to FILE` goes so far from START to END
(Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022): what a run learned stays, and what it forgot on
the way comes back. Scores times `sharpen` read the same and are surer; choose it where lines of known text are right as
often as told.
"""

import argparse
from pathlib import Path
from typing import Any

import torch

from shizi.training import checkpoint, labels
from shizi.training.crnn import Crnn


def between(start: dict[str, Any], end: dict[str, Any], share: float) -> dict[str, Any]:
    """Give a state so far from `start` to `end`; what is no real number is `end`'s."""
    return {
        name: value + (end[name] - value) * share if value.is_floating_point() else end[name]
        for name, value in start.items()
    }


def sharpen(model: Crnn, factor: float) -> None:
    """Multiply the scores of all classes by `factor`."""
    with torch.no_grad():
        model.classes.weight.mul_(factor)
        model.classes.bias.mul_(factor)


def main() -> None:
    """Average two checkpoints and write a third, to be exported or trained on from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("start", type=Path)
    parser.add_argument("end", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="how far from START to END, 0 to 1")
    parser.add_argument("--sharpen", type=float, default=1.0)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    models = [Crnn(len(labels.charset())) for _ in range(2)]
    _, progress = (
        checkpoint.load(path, model) for path, model in zip((arguments.start, arguments.end), models, strict=True)
    )
    first, second = models
    second.load_state_dict(between(first.state_dict(), second.state_dict(), arguments.share))
    sharpen(second, arguments.sharpen)
    checkpoint.save(arguments.to, second, torch.optim.AdamW(second.parameters()), progress)


if __name__ == "__main__":
    main()

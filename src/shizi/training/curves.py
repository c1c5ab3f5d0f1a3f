"""Curves: a run's log becomes a picture of loss, learning rate and validation over the lines trained."""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib


def draw(log: Path, picture: Path) -> None:
    """Draw the log that `train` wrote (`log.jsonl`) to a PNG."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [json.loads(row) for row in log.read_text(encoding="utf-8").splitlines()]
    steps = [row for row in rows if "loss" in row]
    checks = [row for row in rows if "validation" in row]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    for phase in (1, 2):
        part = [row for row in steps if row["phase"] == phase]
        left.plot([r["lines"] for r in part], [r["loss"] for r in part], label=f"loss, phase {phase}")
    left.set(xlabel="lines", yscale="log")
    left.legend()
    _validation(right, checks)
    figure.savefig(picture, dpi=90, bbox_inches="tight")
    pyplot.close(figure)


def _validation(axes: Any, checks: list[dict[str, Any]]) -> None:
    names = sorted({name for row in checks for name in row["validation"] if name.endswith("_cer")})
    for name in names:
        points = [(row["lines"], 100 * row["validation"][name]) for row in checks if name in row["validation"]]
        axes.plot(*zip(*points, strict=True), marker="o", label=f"{name.removesuffix('_cer')}: CER %")
    axes.set(xlabel="lines", yscale="log")
    if names:
        axes.legend()


def main() -> None:
    """Draw one run's curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    draw(arguments.log, arguments.to)


if __name__ == "__main__":
    main()

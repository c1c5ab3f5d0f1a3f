"""Checkpoint: everything a run needs to go on mid-phase, written so that a crash never leaves half a file."""

import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn


@dataclass(slots=True)
class Progress:
    """Where a run stands: samples drawn, lines and steps trained, seconds of training (stops not counted)."""

    next_index: int = 0
    lines: int = 0
    steps: int = 0
    seconds: float = 0.0


def save(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer | None, progress: Progress) -> None:
    """Write model, optimiser (none: nothing goes on from here) and progress to `path` in one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = optimiser.state_dict() if optimiser else None
    state = {"model": model.state_dict(), "optimiser": kept, "progress": asdict(progress)}
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer | None = None) -> Progress:
    """Restore model, optimiser and progress from `path`.

    Raises FileNotFoundError, or RuntimeError for weights of another shape.
    """
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    if optimiser is not None and state.get("optimiser"):
        optimiser.load_state_dict(state["optimiser"])
    known = {field.name for field in fields(Progress)}
    return Progress(**{key: value for key, value in state["progress"].items() if key in known})

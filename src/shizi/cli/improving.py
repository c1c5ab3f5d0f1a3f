"""The work of `shizi improve`: from kept corrections to a version that may be promoted, or the reasons why not.

Splits the corrections, has `shizi.training.improve` tune and compare in a process of its own, judges, writes the page
and puts the version into the folder of models. Puts none in force.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from shizi.cli.comparison_page import page
from shizi.corrections import Correction, Corrections, export, held_back
from shizi.errors import OptionsError, ShiziError
from shizi.versions import COMPARISON, READ_WITH, TUNED_FROM, Version, Versions

# Fewer tell nothing: of 40 lines about 8 are held back, and one of them is 12 points.
LEAST_LINES, LEAST_HELD = 40, 5
# A candidate may lose so much on lines that were not corrected, in line accuracy and in CER.
MOST_LOST = 0.002
_NEEDED = ("torch", "onnx", "fontTools", "jieba", "matplotlib")
_STEPS = {
    "fonts": "cutting the system's typefaces",
    "tune": "tuning",
    "choose": "choosing how far to go",
    "calibrate": "calibrating",
    "compare": "comparing",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What `shizi improve` is asked: where corrections and models lie, what to draw with, for how long."""

    corrections: Corrections
    versions: Versions
    fonts: Path
    frozen: Path | None
    minutes: float
    steps: int
    lines: int


def improve(plan: Plan) -> Version:
    """Make a version and give it. Raises OptionsError when there is too little to learn from, or no training extra."""
    _check_extra()
    current = plan.versions.current
    with plan.versions.building() as building:
        work = building / "work"
        learned, held = _split(plan.corrections, work)
        if learned + held < LEAST_LINES or held < LEAST_HELD:
            raise OptionsError(
                f"There are {learned + held} corrections, {held} of them held back to judge by; expected {LEAST_LINES} "
                f"and {LEAST_HELD}: correct more lines, of different texts."
            )
        result = _run(plan, current, work, work / "candidate")
        refusals = judge(result["sets"])
        built = building / "version"
        built.mkdir()
        for name in (READ_WITH, TUNED_FROM):
            (work / "candidate" / name).rename(built / name)
        manifest = {
            **{"learned": learned, "held": held, "figures": result["sets"], "refusals": refusals},
            **{"reach": result["reach"], "cpu_minutes": result["cpu_minutes"]},
        }
        told = page(manifest | {"parent": current}, result["rows"], _pictures(work / "held"))
        (built / COMPARISON).write_text(told, encoding="utf-8")
        return plan.versions.add(built, current, **manifest)


def judge(sets: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Say why a candidate may not be promoted; nothing if it may.

    It must read more of the held-back corrections right, and lose no more than `MOST_LOST` on any other set.
    """
    reasons = []
    own = sets["corrections"]
    if own["candidate"]["exact"] <= own["current"]["exact"]:
        reasons.append("It reads no more of the held-back corrections right.")
    for name, figures in sets.items():
        before, after = figures["current"], figures["candidate"]
        lost = before["exact"] - after["exact"]
        if name != "corrections" and round(lost, 6) > MOST_LOST:
            reasons.append(f"It loses {lost:.2%} of the lines of '{name}'; {MOST_LOST:.1%} may be lost.")
        more = after["cer"] - before["cer"]
        if round(more, 6) > MOST_LOST:
            reasons.append(f"Its errors on '{name}' rise from {before['cer']:.2%} to {after['cer']:.2%} of characters.")
    return reasons


def tell(version: Version) -> None:
    """Print the figures, and what may be done with the version."""
    for name, figures in version.figures.items():
        before, after = figures["current"], figures["candidate"]
        gain = figures.get("gain")  # versions of before have none
        sure = f" ({100 * gain['lowest']:+.2f} to {100 * gain['highest']:+.2f} points)" if gain else ""
        typer.echo(
            f"{name:14} {round(before['lines']):6} lines   right {before['exact']:6.1%} -> {after['exact']:6.1%}{sure}"
            f"   CER {before['cer']:6.2%} -> {after['cer']:6.2%}"
        )
    for reason in version.refusals:
        typer.echo(f"not to be promoted: {reason}")
    if not version.refusals:
        typer.echo(f"put it in force with `shizi models promote {version.name}`")


def _check_extra() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise OptionsError(
            f"Improving needs the training extra ({', '.join(missing)} missing): `pip install 'shizi[training]'`."
        )


def _split(corrections: Corrections, work: Path) -> tuple[int, int]:
    """Write the lines to learn from and those to judge by; count both."""

    def side(held: bool) -> Iterator[Correction]:
        return (line for line in corrections.lines() if held_back(line.strip.text) is held)

    return export(side(False), work / "learn"), export(side(True), work / "held")


def _run(plan: Plan, current: str, work: Path, to: Path) -> dict[str, Any]:
    """Tune and compare in another process, showing where it stands. Raises ShiziError when that fails."""
    command = [
        *(sys.executable, "-m", "shizi.training.improve", "--to", str(to)),
        *("--current", str(plan.versions.weights(current).path)),
        *("--start", str(plan.versions.weights(current, TUNED_FROM).path)),
        *("--learn", str(work / "learn"), "--held", str(work / "held")),
        *("--fonts", str(plan.fonts if plan.fonts.is_dir() else work / "fonts")),
        *("--minutes", str(plan.minutes), "--steps", str(plan.steps), "--count", str(plan.lines)),
        *(("--frozen", str(plan.frozen)) if plan.frozen else ()),
    ]
    with (work / "errors").open("w+") as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            try:
                assert process.stdout is not None
                _show(process.stdout)
            except BaseException:
                process.terminate()
                raise
            code = process.wait()
        if code != 0:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or [f"exit code {code}"])[-1]
            raise ShiziError(f"The model was not improved: {last[:500]}")
    result: dict[str, Any] = json.loads((to / "comparison.json").read_text(encoding="utf-8"))
    return result


def _show(rows: Iterator[str]) -> None:
    """Follow the steps on standard error: as a bar on a terminal, else as a row for each step and each way tried."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    live, shown = sys.stderr.isatty(), ""
    with Progress(*columns, console=Console(stderr=True), disable=not live) as progress:
        task = progress.add_task("starting", total=1.0)
        for row in rows:
            if not row.startswith("{"):
                continue
            values = json.loads(row)
            step = _STEPS.get(values["step"], values["step"])
            progress.update(task, description=step, completed=values.get("share", 0.0))
            if not live and (step != shown or "right" in values):
                typer.echo(step + _way(values), err=True)
            shown = step


def _way(values: Mapping[str, Any]) -> str:
    """Tell how a candidate on the way from old to new reads the lines that are chosen by."""
    if "right" not in values:
        return ""
    return (
        f": {values['reach']:.0%} of the way, {values['right']} of {values['lines']} drawn lines right, "
        f"{values['before']} with the model in force"
    )


def _pictures(folder: Path) -> Sequence[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.png"))]

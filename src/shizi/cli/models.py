"""`shizi models`: the model files that read. `check` tells whether one of others can be used, and what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from shizi.adopt import Adopted

app = typer.Typer(help="Look into the model files that read.", no_args_is_help=True)


@app.callback()
def models() -> None:
    """Look into the model files that read."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CTC recogniser, an ONNX file.")],
    threads: Annotated[int, typer.Option(min=1, max=256, help="CPU threads to try it on.")] = 1,
) -> None:
    """Tell what a recogniser's file says of itself and what it lacks, and let it read a drawn line.

    Ends with the exit code of a model error when it cannot be used.
    """
    from shizi.adopt import adopt  # only here: it brings the engine

    adopted = adopt(file, threads)
    Console().print(_table(adopted))
    trial = adopted.trial
    typer.echo(
        f"read {trial.read!r} where {trial.drawn!r} was drawn, {trial.milliseconds:g} ms a line, {threads} threads"
    )
    typer.echo(f"doubtful: {adopted.advice}" if trial.doubtful else f"usable: SHIZI_RECOGNISER={file.resolve()}")


def _table(adopted: Adopted) -> Table:
    table = Table("", "value", "from", box=None, pad_edge=False)
    path = adopted.weights.path
    size = path.stat().st_size / 1e6
    table.add_row(
        "file", Text(f"{adopted.weights.label}, {size:.1f} MB", overflow="fold"), Text(path.name, overflow="fold")
    )
    for finding in adopted.findings:
        shown = finding.value if len(finding.value) <= 60 else f"{finding.value[:60]}…"
        table.add_row(finding.name, Text(shown, overflow="fold"), Text(finding.origin, overflow="fold"))
    return table

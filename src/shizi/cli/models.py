"""`shizi models`: the model files that read.

`check` tells whether a recogniser of others can be used, and what it lacks. `list`, `promote` and `rollback` are of the
versions of the small recogniser: they work on the folder that SHIZI_MODELS names (or --folder); a service that follows
it reads with the new version a second later, without losing a request.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shizi.errors import OptionsError

if TYPE_CHECKING:
    from shizi.adopt import Adopted
    from shizi.versions import Version, Versions

app = typer.Typer(
    help="Look into the model files that read; list, promote and roll back versions.", no_args_is_help=True
)

_FOLDER = typer.Option(
    "--folder", envvar="SHIZI_MODELS", metavar="DIR", help="The folder of models. Default: what SHIZI_MODELS names."
)


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


@app.command("list")
def show(folder: Annotated[Path | None, _FOLDER] = None) -> None:
    """List the versions: which is in force, what each was tuned from, and whether it may be promoted."""
    versions = versions_of(folder)
    current = versions.current
    for version in versions.list():
        mark = "*" if version.name == current else " "
        typer.echo(f"{mark} {version.name}\t{_told(version)}")


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="A name that `shizi models list` shows, or shipped.")],
    folder: Annotated[Path | None, _FOLDER] = None,
) -> None:
    """Put a version in force that lost nothing against the one in force."""
    versions = versions_of(folder)
    _try(versions, version)
    typer.echo(f"{versions.promote(version).name} is in force")


@app.command()
def rollback(folder: Annotated[Path | None, _FOLDER] = None) -> None:
    """Put in force what was before."""
    typer.echo(f"{versions_of(folder).rollback().name} is in force again")


def versions_of(folder: Path | None) -> Versions:
    """Open the folder of models. Raises OptionsError when none is named."""
    from shizi.versions import Versions  # only here: the command line starts without it

    if folder is None or not str(folder):
        raise OptionsError("No folder of models is named; set SHIZI_MODELS or give --folder.")
    return Versions(folder)


def _told(version: Version) -> str:
    if not version.made:
        return "the model in the package"
    gain = version.figures.get("corrections", {})
    exact = {name: figures.get("exact", 0.0) for name, figures in gain.items()}
    right = (
        f"{exact.get('current', 0.0):.1%} -> {exact.get('candidate', 0.0):.1%} of {version.held} held-back lines right"
    )
    allowed = "may be promoted" if not version.refusals else "may not be promoted: " + " ".join(version.refusals)
    return f"from {version.parent}\t{version.learned} corrections\t{right}\t{allowed}"


def _try(versions: Versions, name: str) -> None:
    """Read a blank line with a version before any service does. Raises WeightsError when it cannot be read with."""
    import numpy as np

    from shizi.recognise import Recogniser

    versions.get(name)
    Recogniser(versions.weights(name)).read([np.full((32, 128, 3), 255, np.uint8)])

"""`shizi models`: the versions of the small recogniser, listed, put in force and gone back from while services run.

Works on the folder that SHIZI_MODELS names (or --folder); a service that follows it reads with the new version a second
later, without losing a request.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shizi.errors import OptionsError

if TYPE_CHECKING:
    from shizi.versions import Version, Versions

app = typer.Typer(help="List, promote and roll back models.", no_args_is_help=True)

_FOLDER = typer.Option(
    "--folder", envvar="SHIZI_MODELS", metavar="DIR", help="The folder of models. Default: what SHIZI_MODELS names."
)


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

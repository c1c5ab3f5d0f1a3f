"""`shizi corrections`: the lines that callers put right, counted, taken out and deleted.

Works on the folder that SHIZI_CORRECTIONS names (or --folder), also while a service keeps more there.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shizi.errors import OptionsError

if TYPE_CHECKING:
    from shizi.corrections import Corrections

app = typer.Typer(help="Count, export and delete corrected lines.", no_args_is_help=True)

_FOLDER = typer.Option(
    "--folder",
    envvar="SHIZI_CORRECTIONS",
    metavar="DIR",
    help="The folder of corrections. Default: what SHIZI_CORRECTIONS names.",
)


@app.command()
def count(folder: Annotated[Path | None, _FOLDER] = None) -> None:
    """Tell how many lines are kept, and how many bytes their pictures have."""
    lines, held = corrections_of(folder).size()
    typer.echo(f"{lines} lines, {held:,} bytes")


@app.command()
def export(
    to: Annotated[Path, typer.Argument(metavar="TO", help="A folder that is not there yet.")],
    folder: Annotated[Path | None, _FOLDER] = None,
) -> None:
    """Write the lines as PNG files with a labels.tsv."""
    from shizi.corrections import export as write

    if to.exists():
        raise OptionsError(f"{to} exists; expected a folder that is not there yet.")
    typer.echo(f"{write(corrections_of(folder).lines(), to)} lines in {to}")


@app.command()
def purge(
    all: Annotated[bool, typer.Option("--all", help="Delete every line.")] = False,
    sender: Annotated[str | None, typer.Option(metavar="KEY", help="Delete what the key of this name sent.")] = None,
    before: Annotated[
        datetime.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Delete what was kept before this day (UTC).")
    ] = None,
    folder: Annotated[Path | None, _FOLDER] = None,
) -> None:
    """Delete lines for good: their place in the file is overwritten."""
    if all == (sender is not None or before is not None):
        raise OptionsError("Expected --all, or --sender or --before (or both of these).")
    day = before.replace(tzinfo=datetime.UTC).timestamp() if before else None
    typer.echo(f"{corrections_of(folder).purge(sender, day)} lines deleted")


def corrections_of(folder: Path | None) -> Corrections:
    """Open the folder of corrections as it is. Raises OptionsError when none is named or there is none."""
    from shizi.corrections import Corrections, Retention  # only here: the command line starts without it

    if folder is None or not str(folder):
        raise OptionsError("No folder of corrections is named; set SHIZI_CORRECTIONS or give --folder.")
    if not (folder / "corrections.db").is_file():
        raise OptionsError(f"There are no corrections in {folder}; a service with SHIZI_CORRECTIONS keeps them there.")
    return Corrections(folder, Retention(days=0))  # what is too old goes by the service's own rules

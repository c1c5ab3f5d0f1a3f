"""`shizi keys`: the keys that callers of the service need, made, listed and taken away while it runs.

Works on the file that SHIZI_KEYS names (or --file). A key is shown once, when it is made.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shizi.errors import OptionsError

if TYPE_CHECKING:
    from shizi.service.access import Keys

app = typer.Typer(help="Make, list and revoke the keys of the service.", no_args_is_help=True)

_FILE = typer.Option(
    "--file", envvar="SHIZI_KEYS", metavar="FILE", help="The key file. Default: what SHIZI_KEYS names."
)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is; shown in logs.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="[read|jobs|correct|admin]", help="What it may do; again for more. Default: read."),
    ] = None,
    rate: Annotated[int, typer.Option(help="Requests a minute; 0 = no limit.")] = 0,
    quota: Annotated[int, typer.Option(help="Requests a day (UTC); 0 = no limit.")] = 0,
    file: Annotated[Path | None, _FILE] = None,
) -> None:
    """Make a key and print it. It cannot be shown again."""
    typer.echo(_keys(file).add(name, scope or ["read"], rate, quota))


@app.command("list")
def show(file: Annotated[Path | None, _FILE] = None) -> None:
    """List the keys: name, what they may do, limits, requests of today, when made."""
    for key in _keys(file).list():
        made = datetime.datetime.fromtimestamp(key.created, datetime.UTC)
        limits = f"rate {key.rate or '-'}, quota {key.quota or '-'}, used {key.used if key.quota or key.rate else '-'}"
        typer.echo(f"{key.name}\t{','.join(key.scopes)}\t{limits}\t{made:%Y-%m-%d}")


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Whose key to take away.")], file: Annotated[Path | None, _FILE] = None
) -> None:
    """Take a key away; it is refused from the next request on."""
    _keys(file).revoke(name)


def _keys(file: Path | None) -> Keys:
    from shizi.service.access import Keys  # only here: the command line starts without the service

    if file is None or not str(file):
        raise OptionsError("No key file is named; set SHIZI_KEYS or give --file.")
    return Keys(file)

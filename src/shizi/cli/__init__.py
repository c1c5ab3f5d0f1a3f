"""The command line: `shizi read`, `batch`, `template`, `serve`, `eval`, `bench`, `doctor`; each has its own file.

Takes arguments, calls `Reader` or starts the service, writes results to standard output and everything else
to standard error. The engine is imported inside the commands, so that `shizi --help` comes at once. Holds no
OCR knowledge; exit codes are those of `shizi.errors`.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer

import shizi
from shizi.cli import corrections, keys, models
from shizi.errors import OptionsError, ShiziError
from shizi.export import FORMATS
from shizi.options import CHOICES, ReadOptions

app = typer.Typer(
    name="shizi",
    help="识字 shizi reads text from pictures, Chinese and English first.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(keys.app, name="keys")
app.add_typer(corrections.app, name="corrections")
app.add_typer(models.app, name="models")

Recogniser = Annotated[
    Path | None,
    typer.Option(
        "--recogniser",
        envvar="SHIZI_RECOGNISER",
        metavar="FILE",
        help="A recogniser of others, an ONNX file, in place of the strong one.",
    ),
]
Promoted = Annotated[
    Path | None,
    typer.Option("--models", envvar="SHIZI_MODELS", metavar="DIR", help="Read with the model promoted there."),
]


def main() -> None:
    """Run the command line; every ShiziError becomes a message and its exit code, a defect one row."""
    sys.excepthook = _say_defect
    try:
        typer.main.get_command(app)(prog_name="shizi")
    except ShiziError as error:
        say(error.message)
        sys.exit(error.exit_code)


def say(message: str) -> None:
    """Write a message to standard error."""
    typer.echo(f"shizi: {message}", err=True)


def _say_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    place = traceback.extract_tb(trace)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}, {place.name}"
    reason = f"{kind.__name__} at {where}: {error}".rstrip(": ")
    say(f"internal error: {reason}. This is a defect of shizi; please report it.")


def _values(option: str) -> str:
    return f"[{'|'.join(CHOICES[option])}]"


def _default(option: str) -> str:
    return f"Default: {getattr(ReadOptions(), option)}."


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"shizi {shizi.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def read(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Pictures, documents; - is standard input.")],
    format: Annotated[str, typer.Option(metavar=f"[{'|'.join(FORMATS)}]", help="How to write the result.")] = "text",
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write one file a picture into DIR instead of printing."),
    ] = None,
    mode: Annotated[
        str | None, typer.Option(metavar=_values("mode"), help=f"Fast, or careful. {_default('mode')}")
    ] = None,
    enhance: Annotated[
        str | None,
        typer.Option(metavar=_values("enhance"), help=f"How to better the picture. {_default('enhance')}"),
    ] = None,
    orientation: Annotated[
        str | None,
        typer.Option(metavar=_values("orientation"), help=f"Stand the text upright. {_default('orientation')}"),
    ] = None,
    detail: Annotated[
        str | None, typer.Option(metavar=_values("detail"), help=f"How deep JSON goes. {_default('detail')}")
    ] = None,
    tables: Annotated[bool, typer.Option("--tables", help="Find tables and their cells.")] = False,
    skip_tables: Annotated[bool, typer.Option("--skip-tables", help="Leave out what stands in tables.")] = False,
    fields: Annotated[
        str | None,
        typer.Option(metavar=_values("fields"), help=f"Find a form's fields and check them. {_default('fields')}"),
    ] = None,
    pdf: Annotated[
        str | None, typer.Option(metavar=_values("pdf"), help=f"Text layer of a PDF, or pixels. {_default('pdf')}")
    ] = None,
    pages: Annotated[str | None, typer.Option(metavar="RANGES", help="Pages to read: 1-3,7,10-. Default: all.")] = None,
    password: Annotated[str | None, typer.Option(help="What opens an encrypted PDF.")] = None,
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Find the fields that this template describes.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(metavar="REGEX", help="What every line must be: read within it, not filtered.")
    ] = None,
    draw: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw frames and order numbers on the picture.")
    ] = None,
    recogniser: Recogniser = None,
    promoted: Promoted = None,
) -> None:
    """Read pictures and documents and print their text.

    One unreadable file does not stop the others; the exit code is that of the first error.
    """
    from shizi.cli.reading import ReadingList

    if tables and skip_tables:
        raise OptionsError("--tables and --skip-tables ask for opposite things; choose one.")
    chosen = {
        "mode": mode,
        "enhance": enhance,
        "orientation": orientation,
        "detail": detail,
        "tables": "skip" if skip_tables else "auto" if tables else None,
        "fields": fields,
        "pdf": pdf,
        "pages": pages,
        "password": password,
        "template": template.stem if template else None,
        "pattern": pattern,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    folder = template.parent if template else None
    error = ReadingList(files, format, given, output, draw, folder, recogniser, promoted).read_all(say)
    if error is not None:
        raise typer.Exit(error.exit_code)


@app.command()
def batch(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Files, folders, zip and tar archives, addresses, @LISTs of them."),
    ],
    output: Annotated[Path, typer.Option(metavar="DIR", help="The folder for the results.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the results in DIR.")] = False,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Go on, and read again what has only an error.")
    ] = False,
    results: Annotated[str, typer.Option(metavar="[jsonl|parquet]", help="How the rows are kept.")] = "jsonl",
    format: Annotated[
        list[str] | None,
        typer.Option(metavar=f"[{'|'.join(FORMATS)}]", help="Write a file for each input too; again for more formats."),
    ] = None,
    engine: Annotated[str, typer.Option(metavar="[local|ray]", help="Who reads.")] = "local",
    address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="The Ray cluster; without one it is started on this machine.")
    ] = "",
    workers: Annotated[
        int, typer.Option(min=0, max=10_000, help="Processes that read; 0: as this machine, or the cluster, allows.")
    ] = 0,
    threads: Annotated[int, typer.Option(min=0, max=256, help="CPU threads of each; 0: an equal share.")] = 0,
    include: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Of folders and archives only such: '*.png'.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Of folders and archives none such.")
    ] = None,
    page_seconds: Annotated[float, typer.Option(min=1, help="Longest time a page may take.")] = 300,
    shard_rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="Rows of one file of results.")] = 1000,
    mode: Annotated[
        str | None, typer.Option(metavar=_values("mode"), help=f"Fast, or careful. {_default('mode')}")
    ] = None,
    enhance: Annotated[
        str | None,
        typer.Option(metavar=_values("enhance"), help=f"How to better the picture. {_default('enhance')}"),
    ] = None,
    orientation: Annotated[
        str | None,
        typer.Option(metavar=_values("orientation"), help=f"Stand the text upright. {_default('orientation')}"),
    ] = None,
    detail: Annotated[
        str | None, typer.Option(metavar=_values("detail"), help=f"How deep JSON goes. {_default('detail')}")
    ] = None,
    tables: Annotated[bool, typer.Option("--tables", help="Find tables and their cells.")] = False,
    fields: Annotated[
        str | None,
        typer.Option(metavar=_values("fields"), help=f"Find a form's fields and check them. {_default('fields')}"),
    ] = None,
    pdf: Annotated[
        str | None, typer.Option(metavar=_values("pdf"), help=f"Text layer of a PDF, or pixels. {_default('pdf')}")
    ] = None,
    pages: Annotated[str | None, typer.Option(metavar="RANGES", help="Pages to read: 1-3,7,10-. Default: all.")] = None,
    password: Annotated[str | None, typer.Option(help="What opens encrypted PDFs.")] = None,
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Find the fields that this template describes.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(metavar="REGEX", help="What every line must be: read within it, not filtered.")
    ] = None,
    recogniser: Recogniser = None,
    promoted: Promoted = None,
) -> None:
    """Read very many inputs, each exactly once; goes on after any interruption.

    An input that cannot be read is a row with its error; the exit code is 0 when every input has its row.
    """
    from shizi.cli.batching import Asked, read_batch

    chosen = {
        "mode": mode,
        "enhance": enhance,
        "orientation": orientation,
        "detail": detail,
        "tables": "auto" if tables else None,
        "fields": fields,
        "pdf": pdf,
        "pages": pages,
        "password": password,
        "template": template.stem if template else None,
        "pattern": pattern,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    asked = Asked(
        sources, output, given, engine, address, results, format or (), resume or retry_errors, retry_errors,
        include or (), exclude or (), workers, threads, page_seconds, shard_rows,
        template.parent if template else None, recogniser, promoted,
    )  # fmt: skip
    raise typer.Exit(read_batch(asked))


templates = typer.Typer(help="Templates of your own forms.", no_args_is_help=True)
app.add_typer(templates, name="template")


@templates.command("try")
def try_template(
    template: Annotated[Path, typer.Argument(metavar="TEMPLATE", help="The template, a YAML file.")],
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Pictures of the form.")],
    draw: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw where each field was found, with its number.")
    ] = None,
) -> None:
    """Show which fields a template finds in pictures, and why others fail."""
    from shizi.cli.templates import try_on

    error = try_on(template, files, draw, say)
    if error is not None:
        raise typer.Exit(error.exit_code)


@app.command()
def serve(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in. Default: 127.0.0.1."),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one. Default: 5000.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes, each with its models. Default: 1.")] = None,
    threads: Annotated[
        int | None,
        typer.Option(help="CPU threads of each worker; 0 shares the quota among them. Default: 0."),
    ] = None,
) -> None:
    """Serve the HTTP API and the web page.

    More settings are read from the environment (SHIZI_...): see docs/settings.md.
    """
    from shizi.service.server import run
    from shizi.service.settings import load

    run(load(host=host, port=port, workers=workers, threads=threads))


@app.command()
def doctor() -> None:
    """Check what shizi needs: packages, CPU, memory, model files, folders."""
    from shizi.cli.checkup import examine

    error = examine()
    if error is not None:
        raise typer.Exit(error.exit_code)


@app.command()
def eval(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="A folder with labels.jsonl and its pictures.")],
    mode: Annotated[
        str | None, typer.Option(metavar=_values("mode"), help=f"Fast, or careful. {_default('mode')}")
    ] = None,
    enhance: Annotated[
        str | None,
        typer.Option(metavar=_values("enhance"), help=f"How to better the picture. {_default('enhance')}"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one row of JSON.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was read, one JSON object a picture.")
    ] = None,
    recogniser: Recogniser = None,
) -> None:
    """Measure accuracy, speed and confidence on a labelled set."""
    from shizi.cli.measuring import measure

    given = {name: value for name, value in {"mode": mode, "enhance": enhance}.items() if value is not None}
    measure(dataset, given, as_json, predictions, recogniser)


@app.command()
def improve(
    corrections: Annotated[
        Path | None,
        typer.Option(envvar="SHIZI_CORRECTIONS", metavar="DIR", help="What to learn from. Default: SHIZI_CORRECTIONS."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--models", envvar="SHIZI_MODELS", metavar="DIR", help="Where models are. Default: SHIZI_MODELS."),
    ] = None,
    fonts: Annotated[
        Path, typer.Option(metavar="DIR", help="Typefaces to draw with; without any, the system's. Default: fonts.")
    ] = Path("fonts"),
    frozen: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Lines of yours (labels.tsv) that no model may read worse."),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.05, help="Processor time of tuning, of all cores together.")] = 20.0,
    steps: Annotated[int, typer.Option(min=0, help="Steps of tuning at most; 0: by time alone.")] = 0,
    lines: Annotated[int, typer.Option(min=50, help="Drawn lines to compare on.")] = 10_000,
) -> None:
    """Make a better model of corrected lines, and compare it with the one in force.

    It is put in force by `shizi models promote`, which takes a model that loses nothing.
    """
    from shizi.cli import corrections as kept
    from shizi.cli import improving

    plan = improving.Plan(
        kept.corrections_of(corrections), models.versions_of(folder), fonts, frozen, minutes, steps, lines
    )
    version = improving.improve(plan)
    typer.echo(f"{version.name} in {plan.versions.folder / version.name / 'comparison.html'}")
    improving.tell(version)


@app.command()
def bench(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE...]", help="Pictures; without any, drawn.")
    ] = None,
    mode: Annotated[
        str | None, typer.Option(metavar=_values("mode"), help=f"Fast, or careful. {_default('mode')}")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to read for each row of the table.")] = 8.0,
    as_json: Annotated[bool, typer.Option("--json", help="End with one row of JSON.")] = False,
) -> None:
    """Measure this machine and print how many workers and threads read the most."""
    from shizi.cli.benching import bench as measure

    measure(files or [], {} if mode is None else {"mode": mode}, seconds, as_json)

"""The work of `shizi template try`: what a template finds in pictures, row by row, and on request drawn.

Takes a template and files; writes to standard output. Knows nothing of how fields are found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import typer

from shizi.cli.reading import content_of, unique_stems, write_file
from shizi.document import Document, Field, Line
from shizi.errors import ShiziError
from shizi.fields.template import from_file
from shizi.options import ReadOptions


def try_on(template: Path, files: Sequence[str], draw: Path | None, say: Callable[[str], None]) -> ShiziError | None:
    """Try a template on files and give the first error; `say` takes messages.

    Raises OptionsError for an unusable template, before anything is read.
    """
    described = from_file(template)
    options = ReadOptions.parse({"template": template.stem})
    from shizi.reader import Reader  # after the template, which is refused at once

    reader = Reader(templates=template.parent)
    first: ShiziError | None = None
    for name, stem in zip(files, unique_stems(files), strict=True):
        try:
            data = content_of(name)
            document = reader.read(data, options)
        except ShiziError as error:
            say(f"{name}: {error.message}")
            first = first or error
            continue
        typer.echo(f"==> {name} <==")
        missing = [wanted.name for wanted in described.fields if wanted.name not in {f.name for f in document.fields}]
        _tell(document, missing)
        if draw is not None:
            _draw(data, document, draw.with_stem(f"{draw.stem}-{stem}") if len(files) > 1 else draw)
    return first


def _tell(document: Document, missing: Sequence[str]) -> None:
    for number, field in enumerate(document.fields, 1):
        repaired = f" (read at first: {field.repaired})" if field.repaired else ""
        typer.echo(f"{number:3} {field.name} = {field.value}{repaired}  {_checks(field)}".rstrip())
    for name in missing:
        typer.echo(f"  - {name} was not found")
    if document.verdict is not None:
        typer.echo(document.verdict.decision + "".join(f"\n    {reason}" for reason in document.verdict.reasons))


def _checks(field: Field) -> str:
    return " ".join(f"[{'ok' if check.passed else 'FAILED'} {check.name}]" for check in field.checks)


def _draw(data: bytes, document: Document, path: Path) -> None:
    """Draw the fields' frames on the page they stand on, numbered as they are printed."""
    from shizi.export import drawing
    from shizi.pages import open_pages

    for image, page in zip(open_pages(data), document.pages, strict=False):
        here = [field for field in document.fields if field.page == page.number]
        if here:
            places = tuple(Line(f.value, f.confidence, f.polygon) for f in here if f.polygon is not None)
            write_file(path, drawing.write(image.pixels, replace(page, lines=places, blocks=())))

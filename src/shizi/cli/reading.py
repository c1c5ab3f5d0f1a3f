"""The work of `shizi read`: files in, one result each, to standard output or into a folder.

Takes names ('-' is standard input) and what to make of them; gives back the first error, after all files were
tried. Knows the command line's ways of writing, nothing of how a picture is read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from shizi.document import Document
from shizi.errors import InputError, OptionsError, ShiziError
from shizi.export import FORMATS, Format
from shizi.options import ReadOptions

if TYPE_CHECKING:
    from shizi.reader import Reader

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class ReadingList:
    """Files to read and where their results go. `output`: a folder, None prints; `draw`: a PNG to draw on.

    `templates`: the folder of the template that the options name; `recogniser`: a model file of others; `models`: the
    folder of promoted models.
    """

    files: Sequence[str]
    format: str
    options: Mapping[str, str]
    output: Path | None = None
    draw: Path | None = None
    templates: Path | None = None
    recogniser: Path | None = None
    models: Path | None = None

    def read_all(self, say: Callable[[str], None]) -> ShiziError | None:
        """Read every file and give the first error; `say` takes messages and the pages' warnings.

        Raises OptionsError before anything is read, and WeightsError when the models cannot be loaded.
        """
        if self.format not in FORMATS:
            raise OptionsError(f"The format is {self.format!r}; expected one of {', '.join(FORMATS)}.")
        form = FORMATS[self.format]
        form.check()
        options = form.asking(ReadOptions.parse(self.options))
        self._check_printable(form)
        stems = unique_stems(self.files)
        _make_folder(self.output)
        from shizi.reader import Reader  # after the options, which are refused at once

        if self.templates or self.recogniser or self.models:
            reader = Reader(templates=self.templates, recogniser=self.recogniser, models=self.models)
        else:
            reader = Reader()
        first: ShiziError | None = None
        with _progress(self.output is None) as bars:
            work = list(zip(self.files, stems, strict=True))
            files = bars.add_task("Reading", total=len(work), visible=len(work) > 1)
            for name, stem in work:
                try:
                    self._read_one(reader, options, name, stem, say, bars)
                except ShiziError as error:
                    say(f"{name}: {error.message}")
                    first = first or error
                bars.advance(files)
        return first

    def _check_printable(self, form: Format) -> None:
        if self.output is not None or not form.binary:
            return
        if sys.stdout.isatty():
            raise OptionsError(f"The format {self.format} is not for a terminal; give --output DIR or redirect with >.")
        if len(self.files) > 1:
            raise OptionsError(f"{len(self.files)} results of the format {self.format} need --output DIR.")

    def _read_one(
        self, reader: Reader, options: ReadOptions, name: str, stem: str, say: Callable[[str], None], bars: Progress
    ) -> None:
        form, source = FORMATS[self.format], content_of(name)
        # Only a bar that is seen is worth counting the pages for.
        told = {} if bars.disable else {"on_page": _PageBar(bars, name)}
        document = reader.read(source, options, **told)
        said: set[str] = set()
        for page in document.pages:
            for warning in page.warnings:
                if warning not in said:  # once for all the pages it is true of
                    say(f"{name}: page {page.number}: {warning}")
                said.add(warning)
        data = form.write(document, source, options.password)
        if self.output is None:
            self._print(document, name, data)
        else:
            write_file(self.output / f"{stem}{form.suffix}", data)
        if self.draw is not None:
            self._draw(source, options, document, stem)

    def _print(self, document: Document, name: str, data: bytes) -> None:
        """Print one result; of several files each says whose it is: by a heading row, in JSON by `file`."""
        if len(self.files) > 1 and self.format == "json":
            data = (json.dumps({"file": name} | document.to_dict(), ensure_ascii=False) + "\n").encode()
        elif len(self.files) > 1:
            data = f"==> {name} <==\n".encode() + data + b"\n"
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def _draw(self, source: bytes, options: ReadOptions, document: Document, stem: str) -> None:
        from shizi.export import drawing
        from shizi.pages import open_pages

        assert self.draw is not None
        several = len(document.pages) > 1
        for image, page in zip(open_pages(source, options=options), document.pages, strict=False):
            parts = [self.draw.stem, *([stem] if len(self.files) > 1 else ())]
            parts += [str(page.number)] if several else []
            write_file(self.draw.with_name("-".join(parts) + ".png"), drawing.write(image.pixels, page))


@dataclass(slots=True)
class _PageBar:
    """Shows how far the reading of one document has come; nothing of a single picture."""

    bars: Progress
    name: str
    task: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        """Take the count of pages read and to be read; called before the first page and after each."""
        if self.task is None and total > 1:
            self.task = self.bars.add_task(Path(self.name).name, total=total)
        if self.task is not None:
            self.bars.update(self.task, completed=done, visible=done < total)


def _progress(printing: bool) -> Progress:
    console = Console(stderr=True)
    # Text and bars would run into each other where both go to a terminal.
    hidden = not console.is_terminal or (printing and sys.stdout.isatty())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=hidden)


def unique_stems(files: Sequence[str]) -> list[str]:
    """Name each file's result by its stem; where two are equal, by its whole name, then with a number."""
    taken: set[str] = set()
    stems = []
    for file in files:
        path = Path("standard-input" if file == STANDARD_INPUT else file)
        candidates = [path.stem, path.name, *(f"{path.name}-{number}" for number in range(2, len(files) + 2))]
        stems.append(next(name for name in candidates if name not in taken))
        taken.add(stems[-1])
    return stems


def content_of(name: str) -> bytes:
    """Take the bytes of a file, one more than a reader takes at most: of a larger one the rest is not wanted."""
    from shizi.pages import Limits

    most = Limits().bytes + 1
    if name == STANDARD_INPUT:
        data = sys.stdin.buffer.read(most)
        if not data:
            raise InputError("Standard input is empty; expected the bytes of a picture.")
        return data
    try:
        with open(name, "rb") as file:
            return file.read(most)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"The file cannot be opened ({reason}); expected the name of a picture.") from error


def _make_folder(folder: Path | None) -> None:
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionsError(
            f"The folder {folder} cannot be made ({error.strerror}); choose another --output."
        ) from error


def write_file(path: Path, data: bytes) -> None:
    """Write a result. Raises OptionsError when the place does not take it."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OptionsError(f"{path} cannot be written ({error.strerror}); choose another place.") from error

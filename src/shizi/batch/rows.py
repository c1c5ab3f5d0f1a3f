"""Row: what a batch says of one input, and the work that makes it: read, export. Runs where the models are.

Takes an `Item` and its bytes, gives a `Row`, whatever happens: an input that cannot be read is a row with its error.
"""

import errno
import hashlib
import json
import os
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from shizi.batch.items import Item
from shizi.document import Document
from shizi.errors import ShiziError, Unavailable
from shizi.export import FORMATS
from shizi.options import ReadOptions

# Beside the results: what is being written, on the same disk, so that it can be renamed into place.
PARTS = ".parts"
FILES = "files"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LONGEST_NAME = 200  # bytes; file systems take 255, and a suffix and a process number come on top


@dataclass(frozen=True, slots=True)
class Row:
    """The outcome of one input. `document`: as JSON, '' with an error; `files`: exports by format, in the output."""

    input: str
    error_code: str = ""
    error: str = ""
    text: str = ""
    confidence: float = 0.0
    pages: int = 0
    attempts: int = 1
    milliseconds: float = 0.0
    files: Mapping[str, str] = field(default_factory=dict)
    document: str = ""

    @classmethod
    def failed(cls, item: Item, error: ShiziError, attempts: int = 1, milliseconds: float = 0.0) -> "Row":
        """Make the row of an input that was not read."""
        return cls(item.id, error.code, error.message, attempts=attempts, milliseconds=milliseconds)

    def to_json(self) -> str:
        """Write the row as one row of JSON, without its end; the document is not parsed for that."""
        error = {"code": self.error_code, "message": self.error} if self.error_code else None
        head: dict[str, Any] = {"input": self.input, "error": error, "attempts": self.attempts}
        head |= {"milliseconds": self.milliseconds, "files": dict(self.files)}
        return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "document": {self.document or "null"}}}'


class Reads(Protocol):
    """What a worker loads: a reader."""

    def read(self, data: bytes, options: ReadOptions, on_page: Callable[[int, int], None] | None = None) -> Document:
        """Read `data`; `on_page` is called before the first page and after each."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """What is done to every input. `load` makes the reader (it must pickle); `output`: the folder of the results."""

    load: Callable[[], Reads]
    options: ReadOptions = ReadOptions()
    formats: tuple[str, ...] = ()
    output: str = ""

    def deepened(self) -> "Work":
        """Give the same work with the options as deep as the formats need them. Raises OptionsError."""
        options = self.options
        for name in self.formats:
            FORMATS[name].check()
            options = FORMATS[name].asking(options)
        return replace(self, options=options)


def load_reader(
    threads: int,
    templates: Path | None = None,
    recogniser: Path | None = None,
    models: Path | None = None,
    version: str = "",
) -> Reads:
    """Load the models on `threads` CPU threads and warm them; called in the process that reads.

    `version`: of the small recogniser, in the folder `models`; whatever is promoted meanwhile, a run reads with one.
    """
    import cv2

    from shizi.reader import Reader  # only here: a driver needs no models

    cv2.setNumThreads(threads)  # otherwise each process would take all cores of the machine
    reader = Reader(threads, templates=templates, recogniser=recogniser, models=models, version=version)
    reader.warm()
    return reader


def read_item(
    reader: Reads,
    work: Work,
    item: Item,
    content: Callable[[], bytes],
    on_page: Callable[[int, int], None] | None = None,
) -> Row:
    """Read and export one input, whose bytes `content` gives or raises why not; every error is a row."""
    started = time.monotonic()
    try:
        return replace(_read(reader, work, item, content(), on_page), milliseconds=_since(started))
    except ShiziError as error:
        return Row.failed(item, error, milliseconds=_since(started))
    except Exception as error:  # noqa: BLE001  # a batch row: a defect fails one input
        # The message may hold recognised text: only its kind and place are kept.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}, {frame.name}"
        defect = ShiziError(f"{type(error).__name__} at {place}. This is a defect of shizi; please report it.")
        return Row.failed(item, defect, milliseconds=_since(started))


def _read(reader: Reads, work: Work, item: Item, data: bytes, on_page: Callable[[int, int], None] | None) -> Row:
    document = reader.read(data, work.options, on_page)
    files = {name: _export(work, name, item, document, data) for name in work.formats}
    text = FORMATS["json"].write(document).decode().rstrip("\n")
    shown = document.text.encode("utf-8", "replace").decode()
    return Row(
        item.id, text=shown, confidence=round(document.confidence, 4), pages=len(document.pages), files=files,
        document=text,
    )  # fmt: skip


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)


def _export(work: Work, name: str, item: Item, document: Document, data: bytes) -> str:
    """Write one export, whole or not at all, and give its place within the output."""
    path = Path(FILES, name, _path_of(item.id) + FORMATS[name].suffix)
    content = FORMATS[name].write(document, data, work.options.password)
    part = Path(work.output, PARTS, uuid.uuid4().hex)
    try:
        write_whole(Path(work.output, path), content, part)
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror})."
        if error.errno in _FULL:
            raise Unavailable(f"{message} Make room, then go on with --resume.") from error
        raise ShiziError(message) from error
    return path.as_posix()


def write_whole(path: Path, content: bytes, part: Path) -> None:
    """Write a file by way of `part`, so that it is there whole or not at all, also after a power failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _path_of(name: str) -> str:
    """Make a relative path of an input's id that leads nowhere else and is nobody else's.

    It is the id itself where that is a plain relative path; `/a` becomes `_root/a`; what had to change gets a digest.
    """
    parts = [part for part in name.replace("\0", "/").split("/") if part not in ("", ".")]
    plain = [part.encode()[:_LONGEST_NAME].decode("utf-8", "ignore").replace(":", "_") for part in parts]
    path = "/".join(["_root"] * name.startswith("/") + ["_" if part == ".." else part for part in plain])
    if path not in (name, f"_root{name}") or name.startswith("_root"):
        path += "-" + hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return path

"""Stands in for the engine in the tests of the doors: a reader that recognises nothing, drawn pictures."""

import hashlib
import io
import threading
import time
from collections.abc import Mapping

import numpy as np
from PIL import Image

from shizi import errors, weights
from shizi.corrections import Given, Strip
from shizi.document import Document, Line, Page
from shizi.errors import ShiziError
from shizi.geometry import Polygon
from shizi.options import Mode, ReadOptions
from shizi.versions import READ_WITH, TUNED_FROM, Version, Versions

# AccessError and its children are raised by the service alone, before a reader is asked: see test_access.py.
RAISED = [
    errors.InputError,
    errors.UnsupportedFormat,
    errors.DamagedFile,
    errors.TooLarge,
    errors.EncryptedPdf,
    errors.OptionsError,
    errors.WeightsError,
    errors.Busy,
    errors.Stopping,
]


class FakeReader:
    """Stands in for `shizi.reader.Reader`: answers every input with fixed lines, or with the error it was
    given.

    `hold()` keeps readings inside until `release` is set; `arrived` counts those that got in.
    """

    weights = ("fake@00000000",)
    firsts: Mapping[Mode, str] = {}

    def __init__(self) -> None:
        self.asked: list[tuple[object, ReadOptions]] = []
        self.error: BaseException | None = None
        self.errors_by_data: dict[bytes, ShiziError] = {}
        self.lines = ("识字 reads", "第二行 <b>&amp;")
        self.pages = 1
        self.release = threading.Event()
        self.release.set()
        self.arrived = threading.Semaphore(0)

    def read(self, data: object, options: ReadOptions = ReadOptions()) -> Document:
        self.asked.append((data, options))
        self.arrived.release()
        self.release.wait()
        if self.error is not None:
            raise self.error
        if isinstance(data, bytes) and data in self.errors_by_data:
            raise self.errors_by_data[data]
        pages = tuple(self._page(number) for number in range(1, self.pages + 1) if options.wants(number))
        return Document(pages, source="PNG", weights=self.weights)

    def _page(self, number: int) -> Page:
        lines = tuple(
            Line(
                text,
                0.9 - 0.2 * row,
                Polygon.from_bounds(10, 10 + 30 * row, 190, 35 + 30 * row),
                model="fake",
            )
            for row, text in enumerate(self.lines)
        )
        return Page(number, 200, 80, lines=lines)

    def first_model(self, mode: Mode) -> str | None:
        return self.firsts.get(mode)

    def count(self, data: bytes, options: ReadOptions) -> int:
        return self.pages

    def corrected(self, data: bytes, given: Given) -> Strip:
        if self.error is not None:
            raise self.error
        if data in self.errors_by_data:
            raise self.errors_by_data[data]
        self.given = given
        return Strip(data, hashlib.sha256(data).hexdigest(), given.text.strip(), given.margins)

    def warm(self) -> None:
        pass

    def hold(self) -> None:
        self.release.clear()


class Versioned(FakeReader):
    """The fake reader in one version, whose readings say which; the version `broken` does not load."""

    def __init__(self, version: str) -> None:
        super().__init__()
        if version == "broken":
            raise errors.WeightsError("The model file is spoilt.")
        self.weights = (f"fake@{version}",)
        self.lines = (version,)

    def read(self, data: object, options: ReadOptions = ReadOptions()) -> Document:
        time.sleep(0.005)
        return super().read(data, options)


def add_version(
    versions: Versions, parent: str, more: bytes = b"", refusals: tuple[str, ...] = (), model: bytes | None = None
) -> Version:
    """Put a version in: the shipped model (or `model`), followed by `more`."""
    with versions.building() as building:
        built = building / "version"
        built.mkdir()
        (built / READ_WITH).write_bytes((weights.find("crnn").path.read_bytes() if model is None else model) + more)
        (built / TUNED_FROM).write_bytes(b"full")
        figures = {"corrections": {"current": {"exact": 0.1}, "candidate": {"exact": 0.5}}}
        return versions.add(built, parent, learned=200, held=50, figures=figures, refusals=list(refusals))


def as_png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()

"""Inside: a reader in this very process, called as `engines` are: for tests, and where processes cannot be started."""

import os
from collections.abc import Callable
from typing import TypeVar

from shizi.corrections import Given, Strip
from shizi.document import Document
from shizi.export import FORMATS
from shizi.options import ReadOptions
from shizi.pages.picture import Wanted, draw
from shizi.service.child import Reads
from shizi.service.engine import firsts_of

Seen = TypeVar("Seen")


class Inside:
    """A reader of the caller's, which stays the caller's."""

    memory = 0

    def __init__(self, reader: Reads) -> None:
        self._reader = reader
        self.weights = tuple(reader.weights)
        self.firsts = firsts_of(reader)

    @property
    def alive(self) -> int:
        """One, as long as this process is."""
        return 1

    @property
    def pids(self) -> tuple[int, ...]:
        """This process."""
        return (os.getpid(),)

    def read(self, data: bytes, options: ReadOptions, deadline: float | None = None) -> Document:
        """Read `data`; the deadline is not kept."""
        return self._reader.read(data, options)

    def count(self, data: bytes, options: ReadOptions, deadline: float | None = None) -> int:
        """Count the pages of `data`."""
        return self._reader.count(data, options)

    def write(
        self, name: str, document: Document, data: bytes, options: ReadOptions, deadline: float | None = None
    ) -> bytes:
        """Write `document` in the format of this name."""
        return FORMATS[name].write(document, data, options.password)

    def picture(self, data: bytes, wanted: Wanted, deadline: float | None = None) -> tuple[bytes, int]:
        """Give one page of `data` as a JPEG, and how many pages there are."""
        return draw(data, wanted)

    def corrected(self, data: bytes, given: Given, deadline: float | None = None) -> Strip:
        """Cut out the line of `data` that was put right."""
        return self._reader.corrected(data, given)

    def look(self, data: bytes, look: Callable[[bytes], Seen], deadline: float | None = None) -> Seen:
        """Give what `look` sees in `data`."""
        return look(data)

    def close(self) -> None:
        """Do nothing: the reader is the caller's."""

"""Paging: the reader as engines load it, which can also tell how many pages a file has.

Takes what `Reader` takes. Runs in the processes that read.
"""

from itertools import islice

from shizi.options import ReadOptions
from shizi.pages import Limits, format_of, tiff
from shizi.reader import Reader


class PagingReader(Reader):
    """A `Reader` that counts pages."""

    def __init__(self, threads: int, limits: Limits) -> None:
        super().__init__(threads, limits)
        self._most = limits.frames

    def count(self, data: bytes, options: ReadOptions) -> int:
        """Tell how many pages `data` has, up to the limit. Raises InputError for what cannot be opened."""
        if format_of(data) != "TIFF":
            return 1
        return sum(1 for _ in islice(tiff.directories(data), self._most))

"""Paging: the reader as engines load it, which can also tell how many pages a file has.

Takes what `Reader` takes. Runs in the processes that read.
"""

from pathlib import Path

from shizi.options import ReadOptions
from shizi.pages import Limits, page_count
from shizi.reader import Reader


class PagingReader(Reader):
    """A `Reader` that counts pages."""

    def __init__(self, threads: int, limits: Limits, templates: Path | None = None) -> None:
        super().__init__(threads, limits, templates)
        self._within = limits

    def count(self, data: bytes, options: ReadOptions) -> int:
        """Tell how many pages `data` has, up to the limit. Raises InputError for what cannot be opened."""
        return min(page_count(data, self._within, options), self._within.frames)

"""Cascade: a small recogniser reads every line, a strong one again what the small one doubts.

Takes strips, gives readings that name the model they come from. Knows nothing of pages.
"""

from collections.abc import Sequence

from shizi.document import Reading
from shizi.line_image import Pixels
from shizi.recognise import ReadsLines


class Cascade:
    """Two recognisers in turn. Safe to use from several threads at once."""

    def __init__(self, first: ReadsLines, strong: ReadsLines, threshold: float) -> None:
        """Read lines again whose confidence (calibrated: the chance that the line is right) is under `threshold`."""
        self._first = first
        self._strong = strong
        self._threshold = threshold

    def read(self, strips: Sequence[Pixels], margins: bool = False) -> list[Reading]:
        """Read each strip (H W 3 uint8 RGB, text upright, left to right); `margins`: see `ReadsLines`."""
        readings = self._first.read(strips, margins)
        doubtful = [i for i, reading in enumerate(readings) if reading.confidence < self._threshold]
        again = self._strong.read([strips[i] for i in doubtful], margins)
        for i, reading in zip(doubtful, again, strict=True):
            readings[i] = reading
        return readings

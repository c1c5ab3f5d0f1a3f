from dataclasses import dataclass, field

import numpy as np

from shizi.cascade import Cascade
from shizi.document import Reading


@dataclass
class Fixed:
    """Reads each strip as its first pixel says: its confidence in hundredths."""

    name: str
    asked: list[int] = field(default_factory=list)

    def read(self, strips, margins=False):  # type: ignore[no-untyped-def]
        self.asked.append(len(strips))
        return [Reading(f"{self.name}{strip[0, 0, 0]}", strip[0, 0, 0] / 100, model=self.name) for strip in strips]


def strip(confidence: int) -> np.ndarray:
    return np.full((10, 40, 3), confidence, np.uint8)


def test_only_doubtful_lines_are_read_again_and_each_says_by_whom() -> None:
    first, strong = Fixed("first"), Fixed("strong")
    readings = Cascade(first, strong, 0.9).read([strip(95), strip(40), strip(90), strip(89)])
    assert [reading.text for reading in readings] == ["first95", "strong40", "first90", "strong89"]
    assert [reading.model for reading in readings] == ["first", "strong", "first", "strong"]
    assert (first.asked, strong.asked) == ([4], [2])


def test_nothing_gives_nothing() -> None:
    assert Cascade(Fixed("first"), Fixed("strong"), 0.9).read([]) == []

"""Which strips are read upside down in earnest, and which a glance rules out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from shizi.document import Char, Reading
from shizi.line_image import Pixels
from shizi.orientation import set_upright


def reading(text: str, chance: float) -> Reading:
    return Reading(text, chance, tuple(Char(letter, chance, 0.0, 1.0) for letter in text), "fake")


@dataclass
class Knows:
    """Reads strips by the grey of their first pixel, and remembers which it was asked for."""

    answers: Mapping[int, Reading]
    asked: list[int] = field(default_factory=list)

    def read(self, strips: Sequence[Pixels], margins: bool = False) -> list[Reading]:
        found = [int(strip[0, 0, 0]) for strip in strips]
        self.asked += found
        return [self.answers[grey] for grey in found]


def strip(grey: int) -> Pixels:
    """Make a strip whose first pixel, once upside down, is of this grey."""
    pixels = np.zeros((8, 20, 3), np.uint8)
    pixels[-1, -1] = grey
    return pixels


STRIPS = [strip(grey) for grey in (1, 2, 3, 4, 5)]
UPRIGHT = [reading("sure", 0.99), *(reading("unsure", 0.7) for _ in range(3)), reading("sure", 0.99)]
UPSIDE_DOWN = {2: reading("worse", 0.6), 3: reading("better", 0.9), 4: reading("better", 0.9)}


def test_what_a_glance_cannot_read_upside_down_is_not_tried() -> None:
    glance = Knows({2: reading("noise", 0.1), 3: reading("noise", 0.1), 4: reading("clear", 0.55)})
    recogniser = Knows(UPSIDE_DOWN)
    readings, turned = set_upright(STRIPS, UPRIGHT, recogniser, glance)
    assert glance.asked == [2, 3, 4]
    assert recogniser.asked == [4]
    assert turned == [False, False, False, True, False]
    assert readings[3].text == "better"


def test_without_a_glance_all_unsure_strips_are_tried() -> None:
    recogniser = Knows(UPSIDE_DOWN)
    _, turned = set_upright(STRIPS, UPRIGHT, recogniser)
    assert recogniser.asked == [2, 3, 4]
    assert turned == [False, False, True, True, False]


@pytest.mark.parametrize("count", [1, 3])
def test_a_page_of_few_lines_is_tried_without_a_glance(count: int) -> None:
    """Nothing but that line itself tells that such a page stands on its head."""
    recogniser, glance = Knows(UPSIDE_DOWN), Knows({})
    set_upright(STRIPS[1 : 1 + count], UPRIGHT[1 : 1 + count], recogniser, glance)
    assert recogniser.asked[:count] == [2, 3, 4][:count]
    assert glance.asked == []

"""A line of these tests is a strip of cells, `CELL` columns each, whose first row tells the character."""

from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pytest

from shizi.cascade import Cascade, stretches, wide_gaps, with_spaces
from shizi.charset import Charset
from shizi.document import Char, Reading
from shizi.line_image import Pixels
from shizi.weights import find

CELL = 12
SIMPLE = Charset(tuple("一二三四五六七八九十横abcdefgh01O "))  # what the small one can write
LETTERS = Charset(tuple("一二三四五六七八九十横橫頁abcdefgh01O "))


def strip(text: str) -> Pixels:
    pixels = np.zeros((20, CELL * len(text), 3), np.uint8)
    for place, letter in enumerate(text):
        pixels[:, CELL * place : CELL * (place + 1)] = LETTERS.encode(letter)[0]
    return pixels


def truth(pixels: Pixels) -> str:
    """Tell what a piece shows: a cell counts when more than half of it is there."""
    cells = np.split(pixels[0, :, 0], np.flatnonzero(np.diff(pixels[0, :, 0].astype(int))) + 1)
    return "".join(LETTERS.characters[cell[0] - 1] * round(len(cell) / CELL) for cell in cells)


def reading(text: str, chances: float | list[float], model: str) -> Reading:
    each = chances if isinstance(chances, list) else [chances] * len(text)
    chars = tuple(
        Char(c, p, i / len(text), (i + 1) / len(text)) for i, (c, p) in enumerate(zip(text, each, strict=True))
    )
    return Reading(text, float(np.prod(each)) if text else 0.0, chars, model)


@dataclass
class Small:
    """Reads each strip as it is told to: text and chances."""

    told: list[tuple[str, list[float]]]
    charset = SIMPLE

    def read(self, strips: list[Pixels], margins: bool = False) -> list[Reading]:
        return [reading(*told, "small") for _, told in zip(strips, self.told, strict=True)]

    def joined(self, chars: tuple[Char, ...]) -> Reading:
        chances = [char.confidence for char in chars]
        return Reading("".join(char.text for char in chars), float(np.prod(chances)), chars, "small")


@dataclass
class Strong:
    """Reads what is there, surely."""

    asked: list[list[str]] = field(default_factory=list)

    def read(self, strips: list[Pixels], margins: bool = False) -> list[Reading]:
        self.asked.append([truth(pixels) for pixels in strips])
        return [reading(text, 0.99, "strong") for text in self.asked[-1]]


def read(shown: str, said: str, chances: list[float]) -> tuple[Reading, list[str]]:
    strong = Strong()
    (found,) = Cascade(Small([(said, chances)]), strong, 0.9).read([strip(shown)])  # type: ignore[arg-type]
    return found, list(chain(*strong.asked))


def test_a_line_read_surely_is_not_read_again() -> None:
    found, asked = read("一二三四", "一二三四", [0.95] * 4)
    assert (found.text, found.model, asked) == ("一二三四", "small", [])


def test_a_doubtful_character_is_read_again_with_its_neighbours_and_set_in() -> None:
    found, asked = read("一二三四五六七八九十", "一二三四八六七八九十", [0.95] * 4 + [0.5] + [0.95] * 5)
    assert asked == ["三四五六七"]
    assert (found.text, found.model) == ("一二三四五六七八九十", "strong")
    assert found.confidence == pytest.approx(0.95**7 * 0.99**3)
    assert [char.start for char in found.chars] == pytest.approx([place / 10 for place in range(10)], abs=0.01)
    assert [char.end for char in found.chars] == pytest.approx([place / 10 for place in range(1, 11)], abs=0.01)


def test_stretches_far_apart_are_both_set_in() -> None:
    chances = [0.95] * 20
    chances[2] = chances[16] = 0.4
    shown = "一二三四五六七八九十" * 2
    said = "一二四四五六七八九十一二三四五六八八九十"
    found, asked = read(shown, said, chances)
    assert asked == ["一二三四五", "五六七八九"]
    assert found.text == shown


def test_where_the_neighbours_are_not_seen_the_whole_line_is_read() -> None:
    shown = "一二三四五六七八九十"
    found, asked = read(shown, "一二四四八六七八九十", [0.95] * 4 + [0.5] + [0.95] * 5)
    assert asked == ["三四五六七", shown]
    assert found == reading(shown, 0.99, "strong")


@pytest.mark.parametrize(("said", "chances"), [("一二三四", [0.4, 0.95, 0.4, 0.95]), ("", [])])
def test_a_line_mostly_doubtful_or_unread_is_read_whole(said: str, chances: list[float]) -> None:
    found, asked = read("一二三四", said, chances)
    assert asked == ["一二三四"]
    assert (found.text, found.model) == ("一二三四", "strong")


def test_the_rest_of_a_word_is_read_along() -> None:
    shown = "一二三四五六七八cab0de一二三四五六七八"
    said = shown.replace("0", "O")
    chances = [0.95] * len(said)
    chances[said.index("O")] = 0.6
    found, asked = read(shown, said, chances)
    assert asked == ["七八cab0de一二"]
    assert found.text == shown


@pytest.mark.parametrize(
    ("seen", "said", "text"),
    [
        (
            "一二三四橫六七八九十一二三四",
            "一二三四横六七八九十一二三四",
            "一二三四横六七八九十一二三四",
        ),  # a twin of what the small one read
        (
            "一二三四橫六七八九十一二三四",
            "一二三四五六七八九十一二三四",
            "一二三四橫六七八九十一二三四",
        ),  # of something else
        (
            "一二三四橫頁七八九十一二三四",
            "一二三四横六七八九十一二三四",
            "一二三四橫頁七八九十一二三四",
        ),  # in traditional text
    ],
)
def test_a_simplified_character_is_not_taken_for_its_twin(seen: str, said: str, text: str) -> None:
    found, asked = read(seen, said, [0.95] * 4 + [0.5] * 2 + [0.95] * 8)
    assert len(asked) == 1
    assert found.text == text


@pytest.mark.parametrize(
    ("again", "before", "text"),
    [
        ("ab cd", "a bcd", "a b cd"),  # each left one out
        ("abcd", "ab cd", "ab cd"),
        ("ab cd", "abcd", "ab cd"),
        ("一 ab 二", "一ab二", "一ab二"),  # seen around Chinese, where none is typed
        ("一ab 二", "一 ab二", "一 ab二"),
        ("a b c", "d e f", "a b c"),  # read otherwise: nothing to go by
        ("a0cd ef", "ab cd ef", "a0cd ef"),
        (" ab ", "ab", "ab"),
        ("", "ab", ""),
    ],
)
def test_spaces_are_taken_from_both_readings(again: str, before: str, text: str) -> None:
    chars = with_spaces(reading(again, 0.9, "").chars, reading(before, 0.9, "").chars)
    assert "".join(char.text for char in chars) == text
    edges = [edge for char in chars for edge in (char.start, char.end)]
    assert edges == sorted(edges)


def test_a_sure_space_at_the_edge_of_a_stretch_is_there_once() -> None:
    shown = "一二三四五 ab0de 六七八九十一二三四"
    chances = [0.95] * len(shown)
    chances[shown.index("0")] = 0.6
    found, asked = read(shown, shown.replace("0", "O"), chances)
    assert len(asked) == 1
    assert found.text == shown


@pytest.mark.parametrize(
    ("text", "gap", "places"),
    [("ab", 12, [1]), ("ab", 3, []), ("12", 12, []), ("a1", 12, [1]), (".1", 12, [1]), ("a.", 12, []), ("a一", 12, [])],
)
def test_bare_paper_between_letters_is_a_doubtful_gap(text: str, gap: int, places: list[int]) -> None:
    pixels = np.full((50, 40 + gap, 3), 240, np.uint8)
    pixels[15:40, 10:20] = pixels[15:40, 20 + gap : 30 + gap] = 30
    pixels[:5] = 30  # the line above looks in
    middles = [15 / (40 + gap), (25 + gap) / (40 + gap)]
    chars = [Char(c, 0.99, middle - 0.1, middle + 0.1) for c, middle in zip(text, middles, strict=True)]
    assert wide_gaps(pixels, chars) == places
    assert wide_gaps(255 - pixels, chars) == places  # white on black
    assert wide_gaps(np.full_like(pixels, 9), chars[:1]) == wide_gaps(pixels[:0], chars) == []


@pytest.mark.parametrize(
    ("text", "places"), [("1.6", []), ("2:0", []), ("号:7", []), ("o.7", [2]), ("1:a", [2]), ("号:a", [2]), ("1,0", [])]
)
def test_figures_after_a_mark_may_stand_wide(text: str, places: list[int]) -> None:
    pixels = np.full((50, 100, 3), 240, np.uint8)
    pixels[15:40, [*range(10, 20), *range(30, 32), *range(60, 70)]] = 30
    chars = [Char(c, 0.99, middle - 0.1, middle + 0.1) for c, middle in zip(text, (0.15, 0.31, 0.65), strict=True)]
    assert wide_gaps(pixels, chars) == places


def test_in_spaced_type_a_gap_is_wider_than_the_others() -> None:
    ends = [10, 40, 70, 100, 160]  # 20 wide each, 10 or 40 apart
    pixels = np.full((50, 190, 3), 240, np.uint8)
    for end in ends:
        pixels[15:40, end : end + 20] = 30
    middles = [(end + 10) / 190 for end in ends]
    chars = [Char(c, 0.99, middle - 0.05, middle + 0.05) for c, middle in zip("abcde", middles, strict=True)]
    assert wide_gaps(pixels, chars) == [4]
    assert wide_gaps(
        pixels[:, :60], [Char(c, 0.99, m - 0.1, m + 0.1) for c, m in zip("ab", (0.33, 0.83), strict=True)]
    ) == [1]


def test_stretches_that_touch_are_one() -> None:
    chars = reading("一二三四五六七八九十一二", 0.95, "").chars
    (stretch,) = stretches(chars, [(4, 5), (6, 6), (8, 9)])
    assert (stretch.first, stretch.last, stretch.before, stretch.after) == (3, 10, 2, 10)
    assert stretch.ends(chars) == pytest.approx((2 / 12, 11 / 12))
    (edge,) = stretches(chars, [(0, 1)])
    assert (edge.first, edge.before, edge.ends(chars)[0]) == (0, None, 0.0)


def test_lines_keep_their_order_and_do_not_mix() -> None:
    lines = ["一二三四五六七八九十", "四五六七", "十九八七六五四三二一"]
    told = [("一二三四八六七八九十", [0.95] * 4 + [0.5] + [0.95] * 5), ("四五六七", [0.95] * 4), ("", [])]
    together = Cascade(Small(told), Strong(), 0.9).read([strip(line) for line in lines])  # type: ignore[arg-type]
    assert [found.text for found in together] == lines
    assert [found.model for found in together] == ["strong", "small", "strong"]
    for found, line, said in zip(together, lines, told, strict=True):
        assert Cascade(Small([said]), Strong(), 0.9).read([strip(line)]) == [found]  # type: ignore[arg-type]


def test_its_confidence_is_calibrated() -> None:
    curve = ([0.0, 0.5, 1.0], [0.0, 0.2, 0.8])
    told = [("一二三四五六七八九十", [0.95] * 9 + [0.8]), ("一二", [0.3, 0.3])]
    lines = [strip("一二三四五六七八九十"), strip("一二")]
    raw = Cascade(Small(told), Strong(), 0.5).read(lines)  # type: ignore[arg-type]
    found = Cascade(Small(told), Strong(), 0.5, curve).read(lines)  # type: ignore[arg-type]
    assert [r.model for r in found] == ["small", "strong"]
    assert [r.confidence for r in found] == pytest.approx([np.interp(r.confidence, *curve) for r in raw])
    assert [r.chars for r in found] == [r.chars for r in raw]


def test_nothing_gives_nothing() -> None:
    assert Cascade(Small([]), Strong(), 0.9).read([]) == []  # type: ignore[arg-type]


def test_the_shipped_models_as_a_cascade() -> None:
    from pictures import drawn_page

    from shizi.recognise import Recogniser

    small, strong = Recogniser(find("crnn"), 1), Recogniser(find("strong"), 1)
    lines = [np.asarray(drawn_page([text], (420, 44), font_size=24)) for text in ("Invoice No. 20391", "Total 12.50")]
    assert Cascade(small, strong, 0.0).read(lines) == small.read(lines)
    assert Cascade(small, strong, 1.1).read(lines) == strong.read(lines)
    alone = [Cascade(small, strong, 0.9).read([line])[0] for line in lines]
    together = Cascade(small, strong, 0.9).read(lines)
    assert [found.text for found in together] == [found.text for found in alone]

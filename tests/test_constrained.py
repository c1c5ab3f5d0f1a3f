"""Patterns, and reading within them."""

import time

import numpy as np
import pytest

from shizi.charset import Charset
from shizi.constrained import Pattern, align, n_best
from shizi.errors import OptionsError

LETTERS = Charset(("0", "O", "1", "A", " "))


def output(*steps: dict[str, float]) -> np.ndarray:
    """Make a model's output: the chance of some characters at each step, the rest is blank."""
    rows = np.zeros((len(steps), len(LETTERS)))
    for row, chances in zip(rows, steps, strict=True):
        for character, chance in chances.items():
            row[LETTERS.encode(character)[0]] = chance
        row[0] = 1 - sum(chances.values())
    return rows


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (r"\d{4}-\d{2}", "2024-01", "2024-1"),
        ("(ab|c)*d?", "ababcd", "abb"),
        (r"[¥￥]?-?\d+\.\d{2}", "¥12.30", "12.3"),
        ("a{2,}", "aaaa", "a"),
        ("a{0,2}b", "b", "aaab"),
        ("(ab){2}", "abab", "ab"),
        ("[^/]+", "abc", "a/c"),
        (r"\w+\.", "a1.", "a1"),
        (r"[A-F\d-]{3}", "A-9", "A-G"),
        ("川[A-Z].{5}", "川A12345", "川12345"),
    ],
)
def test_what_a_pattern_allows(pattern: str, matching: str, other: str) -> None:
    assert Pattern(pattern).matches(matching)
    assert not Pattern(pattern).matches(other)


@pytest.mark.parametrize(
    "pattern", ["", "a" * 301, "(a", "a)", "*a", "[a", "a{2", "a{3,1}", "a{0}", "a{999}", "((a{200}){200}){200}", "a\\"]
)
def test_a_pattern_that_is_none(pattern: str) -> None:
    with pytest.raises(OptionsError, match="pattern"):
        Pattern(pattern)


def test_a_large_pattern_costs_little() -> None:
    """Whether a character fits is found out once an atom: with 200 copies of a set of 290 it took minutes a line."""
    many = tuple(chr(0x4E00 + number) for number in range(8000))
    spread = np.full((20, len(Charset(many)) + 1), 1e-5)
    began = time.process_time()
    n_best(spread, Charset(many), Pattern(f"[{''.join(many[::27][:290])}]{{200}}"))
    assert time.process_time() - began < 5


def test_the_likeliest_allowed_text_is_read_not_the_likeliest_filtered() -> None:
    """Greedy reading says OA; within digits and a letter 0A is what the output supports, in its own probability."""
    spread = output({"O": 0.6, "0": 0.3}, {}, {"A": 0.9})
    assert n_best(spread, LETTERS, Pattern(".*"))[0].text == "OA"
    best = n_best(spread, LETTERS, Pattern(r"\d[A-Z]"))[0]
    assert best.text == "0A"
    assert best.probability == pytest.approx(0.3 * 0.9)


def test_a_pattern_with_a_count_finds_the_character_greedy_reading_lost() -> None:
    spread = output({"1": 0.9}, {"1": 0.2}, {}, {"1": 0.45}, {"0": 0.9})
    assert n_best(spread, LETTERS, Pattern(r"\d{3}"))[0].text == "110"


def test_every_path_of_a_text_counts() -> None:
    """Two steps, each A or blank by halves: A is written by three of the four paths."""
    assert n_best(output({"A": 0.5}, {"A": 0.5}), LETTERS, Pattern("A+"))[0] == ("A", pytest.approx(0.75))


def test_nothing_fits() -> None:
    assert n_best(output({"A": 0.9}), LETTERS, Pattern("川")) == []


def test_characters_stand_where_they_were_written() -> None:
    spread = output({}, {"O": 0.9}, {"O": 0.8}, {}, {"O": 0.9}, {"1": 0.9})
    spans = align(spread, LETTERS, "OO1")
    assert [(span.character, span.start, span.end) for span in spans] == [("O", 1, 3), ("O", 4, 5), ("1", 5, 6)]

import numpy as np
import pytest

from shizi.charset import Charset, is_chinese, text_of
from shizi.errors import WeightsError

ABC = Charset.from_metadata("a\nb\nc\n")


def collapse(path: list[int], probability: list[float] | None = None) -> list[tuple[str, int, int, float]]:
    values = probability or [1.0] * len(path)
    return [tuple(span) for span in ABC.collapse(np.array(path, int), np.array(values, float))]


def test_blank_is_first_and_space_last() -> None:
    assert len(ABC) == 5
    assert ABC.encode("ab c") == [1, 2, 4, 3]


def test_metadata_comes_back_as_it_went() -> None:
    assert Charset.from_metadata(ABC.to_metadata()) == ABC


@pytest.mark.parametrize("value", ["", "\n\n", "a\n\nb"])
def test_a_charset_with_holes_is_refused(value: str) -> None:
    with pytest.raises(WeightsError, match="charset"):
        Charset.from_metadata(value)


def test_repeats_merge_and_a_blank_keeps_doubles() -> None:
    assert [span[0] for span in collapse([0, 1, 1, 0, 1, 2, 2, 0, 0, 3])] == ["a", "a", "b", "c"]


def test_a_span_tells_its_steps_and_its_best_probability() -> None:
    assert collapse([0, 1, 1, 0], [0.9, 0.3, 0.7, 0.9]) == [("a", 1, 3, 0.7)]


def test_nothing_and_blanks_give_nothing() -> None:
    assert collapse([]) == []
    assert collapse([0, 0, 0]) == []
    assert text_of([]) == ""


def test_a_character_outside_is_an_error_not_a_loss() -> None:
    with pytest.raises(KeyError):
        ABC.encode("az")


def test_chinese_is_told_from_latin() -> None:
    assert all(map(is_chinese, "识，。（Ａ"))
    assert not any(map(is_chinese, "a1 ,("))

import re
from random import Random

import pytest

from shizi.training import corpus, labels

pytestmark = pytest.mark.training

LINES = [corpus.line(Random(seed)) for seed in range(600)]


def test_lines_are_labels_of_the_charset() -> None:
    for line in LINES:
        assert 1 <= len(line) <= corpus.LONGEST
        assert line.strip() == line
        assert all(character in labels.charset() for character in line)


def test_a_seed_gives_one_line() -> None:
    assert [corpus.line(Random(seed)) for seed in range(50)] == LINES[:50]


def test_all_kinds_of_text_are_drawn() -> None:
    text = "\n".join(LINES)
    for sign in ("，", "：", "¥", ".com", "年", "壹", "the ", "（"):
        assert sign in text


def test_words_figures_and_letters_are_parted_by_spaces() -> None:
    text = "\n".join(corpus.spaced(Random(seed), 8) for seed in range(300))
    for pattern in (r"[a-z] \d", r"\d [A-Za-z]", r"\bI [a-z]", r"^[A-Z0-9]( [A-Z0-9]){4}", r"No\. "):
        assert re.search(pattern, text, re.MULTILINE), pattern


def test_real_texts_are_drawn_again() -> None:
    lines = [corpus.line(Random(seed), ["真实的一行"]) for seed in range(60)]
    assert 3 <= lines.count("真实的一行") <= 30


def test_rare_characters_are_drawn_as_often_as_frequent_ones() -> None:
    drawn = set("".join(corpus.rare(Random(seed), 500) for seed in range(100)))
    assert len(drawn) > 0.98 * len(labels.charset())


def test_a_section_that_is_not_there_is_an_error() -> None:
    assert "发票号码" in corpus.printed("form_words")
    with pytest.raises(KeyError):
        corpus.printed("nothing")

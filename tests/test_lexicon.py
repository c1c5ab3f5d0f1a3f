from collections.abc import Sequence

import numpy as np
import pytest

from shizi.lexicon import Lexicon, Seen, code, digest, is_han, shipped


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    pairs = {"线程": 10, "程序": 9, "过程": 3}
    numbers = sorted((code(*pair), level) for pair, level in pairs.items())
    return Lexicon(
        np.array([number for number, _ in numbers], np.uint32),
        np.array([level for _, level in numbers], np.uint8),
        np.array(sorted(map(digest, ("finally", "orange", "cat"))), np.uint32),
    )


def places(text: str, **doubts: Sequence[tuple[str, float]]) -> list[list[Seen]]:
    """Make a line that is seen surely but for `_0`, `_1`, ...: what is seen at that place instead."""
    seen = [[Seen(letter, 0.999)] for letter in text]
    for name, choices in doubts.items():
        seen[int(name[1:])] = [Seen(*choice) for choice in choices]
    return seen


def text_of(found: Sequence[Seen]) -> str:
    return "".join(seen.text for seen in found)


def test_a_character_that_makes_a_word_of_its_neighbour_is_taken(lexicon: Lexicon) -> None:
    found = lexicon.weighed(places("多线理安全", _2=[("理", 0.6), ("程", 0.3)]))
    assert text_of(found) == "多线程安全"
    assert found[2].chance == pytest.approx(0.3 * np.exp(3.0) / (0.3 * np.exp(3.0) + 0.6 + 0.1), rel=1e-3)
    assert [seen.chance for i, seen in enumerate(found) if i != 2] == [0.999] * 4


def test_what_was_seen_stays_where_it_is_sure_or_nothing_else_was_seen(lexicon: Lexicon) -> None:
    assert text_of(lexicon.weighed(places("线理", _1=[("理", 0.99), ("程", 0.009)]))) == "线理"
    assert text_of(lexicon.weighed(places("线理", _1=[("理", 0.6), ("里", 0.3)]))) == "线理"
    assert text_of(lexicon.weighed(places("线理", _1=[("理", 0.9), ("程", 0.011)]))) == "线理"  # too unlikely
    assert text_of(lexicon.weighed(places("线理", _1=[("理", 0.6), ("c", 0.3)]))) == "线理"
    assert lexicon.weighed([]) == []


def test_a_word_makes_sure_and_none_makes_unsure(lexicon: Lexicon) -> None:
    (_, known), (_, unknown) = (lexicon.weighed(places(f"线{c}", _1=[(c, 0.8), ("里", 0.1)])) for c in "程理")
    assert known.chance > 0.98
    assert unknown.chance == pytest.approx(0.8)
    # Another choice makes a word, but was hardly seen: it makes what was seen doubtful, and does not take its place.
    for seen, other in (("理", "程"), ("l", "t")):
        before = "线" if seen == "理" else "ca"
        found = lexicon.weighed([*places(before), [Seen(seen, 0.6), Seen(other, 0.025)]])
        assert text_of(found) == before + seen
        assert found[-1].chance < 0.6


def test_two_places_beside_each_other_are_weighed_together(lexicon: Lexicon) -> None:
    doubts = {"_1": [("钱", 0.5), ("线", 0.4)], "_2": [("理", 0.5), ("程", 0.4)]}
    found = lexicon.weighed(places("多钱理安", **doubts))
    assert text_of(found) == "多线程安"
    # The chances are those of all four ways, summed by place.
    ways = {"钱理": 0.25, "钱程": 0.2, "线理": 0.2, "线程": 0.16 * np.exp(3.0)}
    total = sum(ways.values()) + 2 * 0.1 * 0.9 + 0.01
    assert found[1].chance == pytest.approx((ways["线理"] + ways["线程"] + 0.4 * 0.1) / total, rel=1e-6)


@pytest.mark.parametrize(
    ("seen", "doubts", "text"),
    [
        ("} finaily {", {"_6": [("i", 0.7), ("l", 0.25)]}, "} finally {"),
        ("2621 0RANGE", {"_5": [("0", 0.6), ("O", 0.3)]}, "2621 ORANGE"),
        ("FINAILY", {"_4": [("I", 0.5), ("l", 0.3), ("L", 0.15)]}, "FINALLY"),  # not a small letter among capitals
        ("ca", {"_1": [("a", 0.5), ("t", 0.4)]}, "ca"),
        ("cal", {"_2": [("l", 0.5), ("t", 0.4)]}, "cat"),
        ("calx", {"_2": [("l", 0.5), ("t", 0.4)]}, "calx"),  # the whole run is no word
        ("cal9", {"_2": [("l", 0.5), ("t", 0.4)]}, "cal9"),
        ("c.l", {"_2": [("l", 0.5), ("t", 0.4)]}, "c.l"),
        ("cat", {"_2": [("t", 0.5), ("l", 0.45)]}, "cat"),
    ],
)
def test_letters_that_make_a_word_are_taken(
    lexicon: Lexicon, seen: str, doubts: dict[str, list[tuple[str, float]]], text: str
) -> None:
    assert text_of(lexicon.weighed(places(seen, **doubts))) == text


def test_of_a_word_the_least_sure_letters_are_weighed(lexicon: Lexicon) -> None:
    blurred = [[Seen(letter, 0.9), Seen("x", 0.05)] for letter in "finally"]
    blurred[3] = [Seen("o", 0.5), Seen("a", 0.4)]
    found = lexicon.weighed(blurred)
    assert text_of(found) == "finally"
    assert found[3].chance > 0.9
    assert all(0 < seen.chance <= 1 for seen in found)


def test_what_makes_a_pair_and_what_a_word(lexicon: Lexicon) -> None:
    assert [is_han(text) for text in ("线", "㐀", "，", "a", "", "线程", "\U00020000")] == [True, True, *[False] * 5]
    numbers = np.array([code(*pair) for pair in ("线程", "程线", "程程")], np.uint32)
    assert lexicon.levels_of(numbers).tolist() == [10, 0, 0]
    texts = ["finally", "Finally", "FINALLY", "finaLLy", "yllanif", "", "cat", "ca7"]
    assert lexicon.are_words(texts).tolist() == [True, True, True, False, False, False, True, False]


def test_the_shipped_words() -> None:
    found = shipped()
    common, none = found.levels_of(np.array([code(*"发票"), code(*"线理")], np.uint32)).tolist()
    assert common > 5
    assert none == 0
    assert found.are_words(["invoice", "lnvoice"]).tolist() == [True, False]
    assert np.all(np.diff(found.pairs.astype(np.int64)) > 0)
    assert np.all(np.diff(found.words.astype(np.int64)) > 0)
    assert len(found.pairs) == len(found.levels)

import numpy as np
import pytest

from shizi.lexicon import HIGHEST_LEVEL, code, digest, shipped
from shizi.training import lexicon

pytestmark = pytest.mark.training


def test_pairs_count_as_often_as_their_words() -> None:
    assert lexicon.pairs({"线程": 4, "线程池": 3, "a线": 5, "池": 9}) == {"线程": 7, "程池": 3}


def test_a_lexicon_is_sorted_and_leaves_out_what_is_rare_or_short() -> None:
    made = lexicon.build({"线程": 8, "程序": 16, "过程": 10**6, "罕字": 2}, ["Cat", "of", "it's", "tree", "cat"])
    numbers = np.array([code(*pair) for pair in ("程序", "过程", "线程", "罕字")], np.uint32)
    assert made.levels_of(numbers).tolist() == [4, HIGHEST_LEVEL, 0, 0]
    assert made.words.tolist() == sorted([digest("cat"), digest("tree")])
    assert made.are_words(["CAT", "of", "it"]).tolist() == [True, False, False]


def test_the_shipped_file_holds_jieba_s_words() -> None:
    found = shipped()
    assert found.levels_of(np.array([code(*pair) for pair in ("税务", "车站", "密码")], np.uint32)).min() > 0
    assert 100_000 < len(found.pairs) < 120_000
    assert found.levels.max() == HIGHEST_LEVEL

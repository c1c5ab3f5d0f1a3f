"""Lexicon: makes the file of words that `shizi.lexicon` weighs by.

`python -m shizi.training.lexicon --words american-english-small --to src/shizi/models/lexicon.npz`: pairs of Chinese
characters from the words of jieba's dictionary (MIT) with their frequency, English words from a list of SCOWL (the file
of Debian's package `wamerican-small`) and those of Python's documentation that are written twice. `models/lexicon.md`
holds the notices.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import jieba  # type: ignore[import-untyped]
import numpy as np

from shizi.lexicon import HIGHEST_LEVEL, SHORTEST, Lexicon, code, digest, is_han
from shizi.training import corpus

RAREST = 10  # a pair whose words come less often in jieba's corpora is left out


def pairs(frequencies: Mapping[str, int]) -> Counter[str]:
    """Count pairs of Chinese characters in words, each as often as its words come."""
    counted: Counter[str] = Counter()
    for word, count in frequencies.items():
        for first, second in pairwise(word):
            if is_han(first) and is_han(second):
                counted[first + second] += count
    return counted


def build(frequencies: Mapping[str, int], words: Iterable[str]) -> Lexicon:
    """Make a lexicon of Chinese words with their frequencies and of Latin ones."""
    kept = sorted((code(*pair), count) for pair, count in pairs(frequencies).items() if count >= RAREST)
    levels = [min(HIGHEST_LEVEL, round(np.log2(count))) for _, count in kept]
    digests = {digest(word) for word in words if len(word) >= SHORTEST and word.isascii() and word.isalpha()}
    return Lexicon(
        np.array([number for number, _ in kept], np.uint32),
        np.array(levels, np.uint8),
        np.array(sorted(digests), np.uint32),
    )


def main() -> None:
    """Read jieba's dictionary and a list of English words; write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=Path, required=True, help="English words, one a row")
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    rows = Path(jieba.__file__).with_name("dict.txt").read_text(encoding="utf-8").splitlines()
    frequencies = {word: int(count) for word, count, _ in (row.split(" ") for row in rows)}
    written = Counter(word.lower() for word in corpus.english_words())
    listed = arguments.words.read_text(encoding="utf-8").split()
    made = build(frequencies, (*listed, *(word for word, count in written.items() if count > 1)))
    np.savez_compressed(arguments.to, pairs=made.pairs, levels=made.levels, words=made.words)
    size = arguments.to.stat().st_size
    print(f"{len(made.pairs)} pairs, {len(made.words)} words, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

"""Lexicon: which Chinese characters stand side by side in words, and which Latin letters are words.

Takes what a recogniser saw of a line, the likeliest characters at each place, gives the likeliest text and how sure
each character is once it is weighed what is written at all. Knows nothing of pixels or of a model.

A place is weighed only where the recogniser is not sure, and only among characters that it saw there itself: a name
that no dictionary has stays as it was seen (docs/decisions/092).
"""

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# What is seen as surely as this is not weighed. What is seen less likely than that is no choice; what is less likely
# than that share of the best choice makes it doubtful, but never takes its place.
SURE, LEAST, NEAR = 0.98, 0.01, 0.05
# How much likelier a place is for standing in a word, in nats: of a pair of Chinese characters by the level of the pair
# (log2 of its words' frequency, 0 for none), of Latin letters for each of the word's, up to so many.
PAIR, LETTER, LONGEST = 0.3, 0.6, 6
HIGHEST_LEVEL = 10
SHORTEST = 3  # two letters are a word by chance
# Of a word so many letters at most are weighed, the least sure ones: all their choices are tried.
WEIGHED = 3
FIRST_HAN, LAST_HAN = "\u3400", "\u9fff"


class Seen(NamedTuple):
    """A character and its chance."""

    text: str
    chance: float


Place = Sequence[Seen]  # what may stand there, the likeliest first; what is missing to 1 is something else
OTHER = ""  # stands for that


def code(first: str, second: str) -> int:
    """Give the number of a pair of Chinese characters, 32 bits."""
    return ord(first) - ord(FIRST_HAN) << 16 | ord(second) - ord(FIRST_HAN)


def digest(word: str) -> int:
    """Give the number of a Latin word, 32 bits; one word in 100,000 that is none has that of one."""
    return zlib.crc32(word.lower().encode())


def is_han(text: str) -> bool:
    """Say whether this is one Chinese character of the two blocks that print needs."""
    return len(text) == 1 and FIRST_HAN <= text <= LAST_HAN


def is_letter_or_figure(text: str) -> bool:
    """Say whether this may be part of a Latin word or was taken for one: O for 0."""
    return text.isascii() and text.isalnum()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Pairs by their `code`, rising (uint32), the level of each (uint8), and words by their `digest`, rising."""

    pairs: npt.NDArray[np.uint32]
    levels: npt.NDArray[np.uint8]
    words: npt.NDArray[np.uint32]

    def levels_of(self, numbers: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
        """Give how often the pairs of these codes stand side by side in words: 0 (never) to 10."""
        places = np.searchsorted(self.pairs, numbers).clip(max=len(self.pairs) - 1)
        return np.where(self.pairs[places] == numbers, self.levels[places], np.uint8(0))

    def are_words(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Say of each text whether it is a Latin word, written as words are."""
        numbers = np.array([digest(text) for text in texts], np.uint32)
        places = np.searchsorted(self.words, numbers).clip(max=len(self.words) - 1)
        found: npt.NDArray[np.bool_] = (self.words[places] == numbers) & [_may_be_word(text) for text in texts]
        return found

    def weighed(self, places: Sequence[Place]) -> list[Seen]:
        """Give the likeliest character of each place, and its chance in the company of the others."""
        found = [place[0] for place in places]
        for first, last in _runs([is_han(seen.text) for seen in found]):
            for start, end in _doubtful(found, first, last):
                found[start:end] = self._chinese(places[start:end])
        for first, last in _runs([is_letter_or_figure(seen.text) for seen in found]):
            if last - first >= SHORTEST and any(seen.chance < SURE for seen in found[first:last]):
                found[first:last] = self._latin(places[first:last])
        return found

    def _chinese(self, places: Sequence[Place]) -> list[Seen]:
        """Weigh a run of Chinese characters by its pairs: sums over all ways through it (forward, backward)."""
        choices = [_choices(place, is_han) for place in places]
        steps = [np.exp(PAIR * self.levels_of(_codes(before, after))) for before, after in pairwise(choices)]
        seen = [np.array([one.chance for one in some]) for some in choices]
        forward, backward = [seen[0]], [np.ones(len(seen[-1]))]
        for step, own in zip(steps, seen[1:], strict=True):
            ahead = forward[-1] @ step * own
            forward.append(ahead / ahead.sum())
        for step, own in zip(reversed(steps), reversed(seen[1:]), strict=True):
            behind = step @ (own * backward[-1])
            backward.append(behind / behind.sum())
        found = []
        for place, some, ahead, behind in zip(places, choices, forward, reversed(backward), strict=True):
            chances = ahead * behind / (ahead * behind).sum()
            near = [i for i, one in enumerate(some) if one.text and one.chance >= NEAR * some[0].chance]
            best = max(near, key=chances.__getitem__)
            found.append(Seen(some[best].text, float(chances[best])) if len(some) > 1 else place[0])
        return found

    def _latin(self, places: Sequence[Place]) -> list[Seen]:
        """Weigh a run of Latin letters as one word: every choice of its least sure letters is tried."""
        weighed = sorted(range(len(places)), key=lambda i: places[i][0].chance)[:WEIGHED]
        weighed = sorted(i for i in weighed if places[i][0].chance < SURE)
        letters = [place[0].text for place in places]
        ways = list(product(*(_choices(places[i], is_letter_or_figure) for i in weighed)))
        texts = []
        for way in ways:
            for i, seen in zip(weighed, way, strict=True):
                letters[i] = seen.text
            texts.append("".join(letters) if all(letters) else OTHER)
        seen_so = np.array([math.prod(seen.chance for seen in way) for way in ways])
        chances = seen_so * np.exp(LETTER * min(len(letters), LONGEST) * self.are_words(texts))
        near = [i for i, text in enumerate(texts) if text and seen_so[i] >= NEAR * seen_so[0]]
        best = ways[max(near, key=chances.__getitem__)]
        found = [place[0] for place in places]
        for place, (i, seen) in enumerate(zip(weighed, best, strict=True)):
            alike = [way[place].text == seen.text for way in ways]
            found[i] = Seen(seen.text, float(chances[alike].sum() / chances.sum()))
        return found


def _may_be_word(text: str) -> bool:
    return len(text) >= SHORTEST and text.isalpha() and (text.islower() or text.isupper() or text.istitle())


def _codes(before: Sequence[Seen], after: Sequence[Seen]) -> npt.NDArray[np.uint32]:
    """Give the codes of all pairs of two places' choices; what is something else makes none that there is."""
    return np.array(
        [[code(one.text, two.text) if one.text and two.text else 0 for two in after] for one in before], np.uint32
    )


def _choices(place: Place, fits: Callable[[str], bool]) -> list[Seen]:
    """Give what may stand at a place: what was seen best, others like it if that was not sure, and the rest."""
    best = place[0]
    if best.chance >= SURE:
        return [best]
    others = [seen for seen in place[1:] if seen.chance >= LEAST and fits(seen.text)]
    rest = 1.0 - best.chance - sum(seen.chance for seen in others)
    return [best, *others, Seen(OTHER, max(rest, 1e-6))]


def _runs(belongs: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Give the ranges of places that belong together."""
    edges = np.flatnonzero(np.diff([False, *belongs, False]))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _doubtful(found: Sequence[Seen], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Give the ranges of a run in which something is to be weighed, each with a sure neighbour on both sides."""
    for start, end in _runs([seen.chance < SURE for seen in found[first:last]]):
        yield max(first, first + start - 1), min(last, first + end + 1)


@cache
def shipped() -> Lexicon:
    """Read the lexicon that comes with the package."""
    with resources.files("shizi").joinpath("models/lexicon.npz").open("rb") as file, np.load(file) as arrays:
        return Lexicon(arrays["pairs"], arrays["levels"], arrays["words"])

"""Cascade: a small recogniser reads every line, a strong one again the stretches that the small one doubts.

Takes strips, gives readings that name the model that read last. Knows nothing of pages.

A long line is nearly always doubtful somewhere, so reading whole lines again wins little (docs/decisions/024). A
stretch is cut out between characters that were read surely, one of them on each side: there it is set in again, and
where the strong recogniser does not see these, it reads the whole line.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np

from shizi.charset import is_chinese
from shizi.document import Char, Reading
from shizi.line_image import Pixels
from shizi.recognise import AS_IT_IS, Curve, ReadsLines, Recogniser
from shizi.spelling import TWINS, clean

# Doubtful characters with at most so many sure ones between them are one stretch.
NEAR = 3
# Sure characters taken along at each end, and of a word of Latin letters or figures so many: O and 0, l and 1 are told
# apart by their company.
ALONG, WORD = 1, 8
# Shares of a strip's height that are not looked at above and below (neighbours look in there), of its strongest
# contrast from which a column holds ink, and of the height left that is wider than between letters.
EDGES, INKED, WIDE = (0.14, 0.08), 0.25, 0.21
# In spaced type so many times what is usual between the line's characters.
LOOSE = 1.6
# Stretches that are together so much of a line's length are read as the whole line.
MOST = 0.6


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters `first` to `last` (left out) of a reading, and the sure ones next to them, if any."""

    first: int
    last: int
    before: int | None
    after: int | None

    def ends(self, chars: Sequence[Char]) -> tuple[float, float]:
        """Give where it starts and ends with the sure ones, as shares of the line."""
        start = 0.0 if self.before is None else chars[self.before].start
        end = 1.0 if self.after is None else chars[self.after].end
        return start, end


class Cascade:
    """Two recognisers in turn. Safe to use from several threads at once."""

    def __init__(self, first: Recogniser, strong: ReadsLines, doubt: float, calibration: Curve = AS_IT_IS) -> None:
        """Read again what `first` gives a smaller chance than `doubt`; `calibration` is of what comes out."""
        self._first = first
        self._strong = strong
        self._doubt = doubt
        self._calibration = calibration

    def read(self, strips: Sequence[Pixels], margins: bool = False) -> list[Reading]:
        """Read each strip (H W 3 uint8 RGB, text upright, left to right); `margins`: see `ReadsLines`."""
        readings = self._first.read(strips, margins)
        places: list[tuple[int, Stretch]] = []
        whole: list[int] = []
        for i, reading in enumerate(readings):
            gaps = wide_gaps(strips[i], reading.chars) if self._doubt else ()
            found = list(stretches(reading.chars, doubtful(reading.chars, self._doubt, gaps)))
            covered = sum(end - start for start, end in (stretch.ends(reading.chars) for stretch in found))
            if not reading.chars or covered > MOST:
                whole.append(i)
            else:
                places += [(i, stretch) for stretch in found]
        pieces = [_cut(strips[i], stretch.ends(readings[i].chars)) for i, stretch in places]
        again = self._strong.read([*pieces, *(strips[i] for i in whole)], margins)
        first_read = list(readings)
        unfit = self._set_in(readings, places, again[: len(pieces)])
        again_whole = [*again[len(pieces) :], *self._strong.read([strips[i] for i in unfit], margins)]
        for i, reading in zip([*whole, *unfit], again_whole, strict=True):
            chars = with_spaces(reading.chars, first_read[i].chars)
            readings[i] = replace(reading, text="".join(char.text for char in chars), chars=chars)
        return [replace(found, confidence=float(np.interp(found.confidence, *self._calibration))) for found in readings]

    def _set_in(
        self, readings: list[Reading], places: Sequence[tuple[int, Stretch]], again: Sequence[Reading]
    ) -> list[int]:
        """Set what was read of stretches into their lines, the last first; give the lines in which one does not fit."""
        unfit: set[int] = set()
        for (i, stretch), piece in reversed(list(zip(places, again, strict=True))):
            chars = readings[i].chars
            between = _between(piece.chars, chars, stretch)
            if between is None:
                unfit.add(i)
                continue
            start, end = stretch.ends(chars)
            length = end - start
            between = self._simplified(between, chars[stretch.first : stretch.last])
            moved = [replace(c, start=start + c.start * length, end=start + c.end * length) for c in between]
            read = with_spaces((*chars[: stretch.first], *moved, *chars[stretch.last :]), chars)
            readings[i] = replace(self._first.joined(read), model=piece.model)
        return sorted(unfit)

    def _simplified(self, read: Sequence[Char], before: Sequence[Char]) -> Sequence[Char]:
        """Keep a simplified character that the strong recogniser takes for its twin: of few neighbours it often does.

        Not in traditional text, where it reads other characters as well that the small one cannot write.
        """
        twins = [place for place, char in enumerate(read) if char.text in TWINS]
        others = [char for place, char in enumerate(read) if place not in twins]
        if not twins or len(read) != len(before) or any(char.text not in self._first.charset for char in others):
            return read
        kept = {place: before[place].text for place in twins if before[place].text == TWINS[read[place].text]}
        return [replace(char, text=kept.get(place, char.text)) for place, char in enumerate(read)]


def with_spaces(read: Sequence[Char], before: Sequence[Char]) -> tuple[Char, ...]:
    """Set the spaces that either reading, next to Chinese the first alone, shows between characters both read alike.

    Each recogniser now and then leaves a space out; the strong one also sees some around Chinese where none was typed.
    """
    letters, old = [c for c in read if not c.text.isspace()], [c for c in before if not c.text.isspace()]
    spaces, old_spaces = _spaces(read), _spaces(before)
    alike = SequenceMatcher(None, [clean(c.text) for c in letters], [clean(c.text) for c in old], autojunk=False)
    for place, old_place, size in alike.get_matching_blocks():
        for i in range(1, size):
            mine, first = spaces.get(place + i), old_spaces.get(old_place + i)
            chinese = is_chinese(letters[place + i - 1].text[-1:]) or is_chinese(letters[place + i].text[:1])
            space = first if chinese else mine or first
            ends = letters[place + i - 1].end, letters[place + i].start
            spaces[place + i] = mine if space is mine else space and replace(space, start=ends[0], end=max(ends))
    return tuple(char for i, letter in enumerate(letters) for char in (spaces.get(i), letter) if char is not None)


def _spaces(chars: Sequence[Char]) -> dict[int, Char | None]:
    """Give the space before each character that is none, by that character's place among them; none at the edges."""
    found: dict[int, Char | None] = {}
    place = 0
    for char in chars:
        if char.text.isspace() and place:
            found.setdefault(place, char)
        else:
            place += 1
    return found


def wide_gaps(strip: Pixels, chars: Sequence[Char]) -> list[int]:
    """Find where a space may be missing: a letter or figure with as much bare paper before it as is between words.

    Seen in the strip (H W 3) itself, since the small recogniser leaves spaces out without a doubt.
    """
    height, width = strip.shape[:2]
    inner = strip[int(EDGES[0] * height) : height - int(EDGES[1] * height), :, 1]
    if not inner.size:
        return []
    column = inner.max(axis=0).astype(np.int16) - inner.min(axis=0)
    inked = np.flatnonzero(column > INKED * max(1, int(column.max())))  # columns
    bare = []  # the widest paper between each character's middle and the next one's, in heights
    for pair in pairwise(chars):
        first, last = (int((char.start + char.end) / 2 * width) for char in pair)
        ink = inked[np.searchsorted(inked, first) : np.searchsorted(inked, last)]
        bare.append(int(np.diff(ink, prepend=first, append=last).max()) / len(inner))
    letters = ["", *(char.text for char in chars)]
    least = max(WIDE, LOOSE * float(np.median(bare))) if len(bare) > 2 else WIDE
    return [i + 1 for i, gap in enumerate(bare) if gap > least and _may_be_parted(*letters[i : i + 3])]


def _may_be_parted(before: str, one: str, other: str) -> bool:
    """Say whether a space between two characters (`before`: what comes first) would be typed.

    Figures stand wide in tables without any, so do decimals and times, and what follows a Chinese caption.
    """
    letters = one.isascii() and other.isascii() and other.isalnum() and (one.isalnum() or one in ".,:;!?)")
    if one in ".,:" and other.isdigit() and (before.isdigit() or is_chinese(before[-1:] or " ")):
        return False
    return letters and not (one.isdigit() and other.isdigit())


def doubtful(chars: Sequence[Char], doubt: float, gaps: Collection[int] = ()) -> list[tuple[int, int]]:
    """Give the ranges of characters under `doubt`, and as empty ranges the `gaps` before characters, in order."""
    ranges = [(i, i + 1) for i, char in enumerate(chars) if char.confidence < doubt]
    return sorted(ranges + [(place, place) for place in gaps])


def stretches(chars: Sequence[Char], ranges: Iterable[tuple[int, int]]) -> Iterator[Stretch]:
    """Join doubtful ranges (in order) that are near to each other, and find the sure characters next to them."""
    joined: list[tuple[int, int]] = []
    for first, last in ranges:
        if joined and first - joined[-1][1] <= NEAR:
            first, last = joined[-1][0], max(last, joined[-1][1])
            joined.pop()
        joined.append((first, last))
    for first, last in joined:
        start, end = max(0, _word_start(chars, first) - ALONG), min(len(chars), _word_end(chars, last) + ALONG)
        before = next((i for i in range(start - 1, -1, -1) if not chars[i].text.isspace()), None)
        after = next((i for i in range(end, len(chars)) if not chars[i].text.isspace()), None)
        yield Stretch(start, end, before, after)


def _word_start(chars: Sequence[Char], place: int) -> int:
    least = max(0, place - WORD)
    while place > least and _is_of_word(chars[place - 1]):
        place -= 1
    return place


def _word_end(chars: Sequence[Char], place: int) -> int:
    most = min(len(chars), place + WORD)
    while place < most and _is_of_word(chars[place]):
        place += 1
    return place


def _is_of_word(char: Char) -> bool:
    return char.text.isascii() and not char.text.isspace()


def _cut(strip: Pixels, ends: tuple[float, float]) -> Pixels:
    """Cut a stretch out of a strip (H W 3), at least a pixel wide."""
    width = strip.shape[1]
    start = min(int(ends[0] * width), width - 1)
    return strip[:, start : max(start + 1, round(ends[1] * width))]


def _between(piece: Sequence[Char], chars: Sequence[Char], stretch: Stretch) -> Sequence[Char] | None:
    """Take the sure characters off both ends of what was read of a stretch; None where they are not there."""
    wanted = [None if place is None else clean(chars[place].text) for place in (stretch.before, stretch.after)]
    first, last = int(wanted[0] is not None), len(piece) - int(wanted[1] is not None)
    if last < first:
        return None
    if (wanted[0] is not None and clean(piece[0].text) != wanted[0]) or (
        wanted[1] is not None and clean(piece[-1].text) != wanted[1]
    ):
        return None
    return piece[first:last]

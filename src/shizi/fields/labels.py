"""Labels: the words printed before values, found in the pieces of a page, and the value that stands at each.

A vocabulary maps a key to the ways its label is printed; the longest that fits wins, so that 名称 is not found in
货物名称. A key that begins with '!' is no field but ends what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shizi.fields.pieces import SAME_ROW, Piece, Sheet

Vocabulary = Mapping[str, Sequence[str]]

COLONS = ":;.·,'"  # what a colon is read as
# How far to the right of its label a value may begin, in line heights.
REACH = 4.0
_CIPHER = re.compile(r"[\d<>/+\-*,.]{16,}")


@dataclass(frozen=True, slots=True)
class Label:
    """One label found: its key, its piece and the glyphs [start, end) with the colon; `marked`: there is a colon."""

    key: str
    piece: Piece
    start: int
    end: int
    marked: bool

    @property
    def at(self) -> tuple[float, float]:
        """The centre of the label's own words."""
        return self.piece.cut(self.start, self.end).place.centre


@dataclass(frozen=True, slots=True)
class Valued:
    """A label and the piece that stands at it, None if nothing does."""

    label: Label
    value: Piece | None


def find_labels(pieces: Iterable[Piece], vocabulary: Vocabulary) -> list[Label]:
    """Find every label of the vocabulary, in the order of the pieces."""
    words = sorted(((word, key) for key, words in vocabulary.items() for word in words), key=lambda row: -len(row[0]))
    found: list[Label] = []
    for piece in pieces:
        if piece.vertical:
            continue
        here = _exact(piece, words)
        if not any(label.start == 0 for label in here) and (label := _nearly(piece, words)):
            here = [label, *(other for other in here if other.start >= label.end)]
        found.extend(here)
    return found


def _exact(piece: Piece, words: Sequence[tuple[str, str]]) -> list[Label]:
    text, here, taken = piece.folded, [], [False] * len(piece.glyphs)
    for word, key in words:
        start = text.find(word)
        while start >= 0:
            end = start + len(word)
            if not any(taken[start:end]):
                marked = text[end : end + 1] in tuple(COLONS)
                begins = start == 0 or start in piece.spaced or not text[start - 1].isalnum()
                # a label within running text is none, unless a colon or its own brackets tell
                if word.endswith(":") and key != "!":  # the rest of a label whose beginning was lost
                    begins, marked = start == 0, False
                    word_fits = begins
                else:
                    word_fits = key.startswith("!") or marked or begins or word[0] == "("
                if word_fits:
                    for i in range(start, end):
                        taken[i] = True
                    here.append(Label(key, piece, start, end + marked, marked))
            start = text.find(word, start + 1)
    return sorted(here, key=lambda label: label.start)


def _nearly(piece: Piece, words: Sequence[tuple[str, str]]) -> Label | None:
    """Find a label at the piece's beginning in which up to a quarter of the characters were misread or lost."""
    text = piece.folded
    colon = next((i for i, character in enumerate(text[:24]) if character == ":"), -1)
    if colon < 2:
        return None
    head = text[:colon]
    for word, key in words:
        if len(word) >= 3 and not key.startswith("!") and distance(head, word) <= max(1, len(word) // 4):
            return Label(key, piece, 0, colon + 1, True)
    return None


def distance(a: str, b: str) -> int:
    """Count the edits (Levenshtein) from one text to the other."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


def values_of(sheet: Sheet, labels: Sequence[Label], reach: Mapping[str, float]) -> list[Valued]:
    """Give each label what stands at it: behind it in its line, else the nearest piece to its right on its row."""
    starts: dict[int, list[Label]] = {}
    for label in labels:
        starts.setdefault(label.piece.line, []).append(label)
    valued = []
    for label in labels:
        if label.key.startswith("!"):
            continue
        after = [other.start for other in starts[label.piece.line] if other.start >= label.end]
        piece = label.piece.cut(label.end, min(after, default=len(label.piece.glyphs)))
        own = piece if piece.glyphs else None
        if own is None and not after:
            own = _to_the_right(sheet, label, starts, reach.get(label.key, REACH))
        valued.append(Valued(label, own))
    return valued


def _to_the_right(sheet: Sheet, label: Label, starts: Mapping[int, Sequence[Label]], reach: float) -> Piece | None:
    words = label.piece.cut(label.start, label.end).place
    size = words.height
    right, row = words.bounds[2], sheet.row_of(label.piece)
    best: tuple[float, Piece] | None = None
    for piece in sheet.pieces:
        if piece.line == label.piece.line or piece.vertical or not piece.glyphs:
            continue
        gap = piece.place.bounds[0] - right
        left_end = sheet.row(piece.place.bounds[0], sum(y for _, y in _left(piece)) / 2)
        near = abs(left_end - row) < SAME_ROW * max(size, piece.polygon.height)
        if near and -0.8 * size < gap < reach * size and (best is None or gap < best[0]):
            best = gap, piece
    if best is None:
        return None
    piece = best[1]
    ends = [other.start for other in starts.get(piece.line, ())]
    piece = piece.cut(0, min(ends, default=len(piece.glyphs)))
    return piece if piece.glyphs and not _CIPHER.fullmatch(piece.folded) else None


def _left(piece: Piece) -> tuple[tuple[float, float], tuple[float, float]]:
    corners = piece.place.corners
    return corners[0], corners[3]

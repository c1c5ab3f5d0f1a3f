"""Text layer: whether the characters a file gives for a font's shapes are those the shapes show.

Takes a page whose text its file holds and a recogniser, gives the fonts that are not to be believed. A font may call
its shapes anything, and a wrong table of them looks like any other: only reading tells. A few pieces of each font are
read and compared; docs/decisions/030 has the figures.
"""

import unicodedata
from collections.abc import MutableMapping, Sequence
from difflib import SequenceMatcher

from shizi.charset import Charset, is_chinese
from shizi.document import Fragment, PageText
from shizi.line_image import Pixels
from shizi.orientation import sureness
from shizi.recognise import ReadsLines

SAMPLES = 3  # pieces read of each font
SHORTEST, LONGEST = 3, 40  # characters of a piece that is read
SURE = 0.8  # a reading less sure says nothing of the font
ALIKE = 0.5  # share of characters in common, below which two texts are not the same one misread
MARGIN = 0.15  # of a piece's height, shown around it


def doubtful_fonts(
    page: PageText, recogniser: ReadsLines, charset: Charset, judged: MutableMapping[str, bool]
) -> frozenset[str]:
    """Give the fonts of a page whose characters are not what they show, and those that share lines with them.

    `judged` keeps what was found for the document's next page: whether each font is doubtful.
    """
    samples = [(font, piece) for font in _unjudged(page, judged) for piece in _samples(page.fragments, font)]
    readings = recogniser.read([_cut(page, piece) for _, piece in samples])
    votes: dict[str, list[bool]] = {}
    for (font, piece), reading in zip(samples, readings, strict=True):
        if sureness(reading) >= SURE and _comparable(piece.text, reading.text, charset):
            votes.setdefault(font, []).append(_alike(piece.text, reading.text) < ALIKE)
    judged.update({font: 2 * sum(wrong) > len(wrong) for font, wrong in votes.items()})
    doubtful = {font for piece in page.fragments for font in piece.fonts if judged.get(font)}
    while more := {font for piece in page.fragments if piece.fonts & doubtful for font in piece.fonts} - doubtful:
        doubtful |= more
    return frozenset(doubtful)


def _unjudged(page: PageText, judged: MutableMapping[str, bool]) -> list[str]:
    return sorted({font for piece in page.fragments for font in piece.fonts} - set(judged) - page.borrowed)


def _samples(pieces: Sequence[Fragment], font: str) -> list[Fragment]:
    """Choose pieces in one font, the longest that are not too long for a strip; they lie along the page."""
    fit = [
        piece
        for piece in pieces
        if piece.fonts == {font}
        and not piece.vertical
        and abs(piece.polygon.angle) < 1
        and SHORTEST <= len(piece.text) <= LONGEST
    ]
    return sorted(fit, key=lambda piece: -len(piece.text))[:SAMPLES]


def _cut(page: PageText, piece: Fragment) -> Pixels:
    left, top, right, bottom = piece.polygon.bounds
    margin = MARGIN * (bottom - top)
    box = (int(left - margin), int(top - margin), int(right + margin) + 1, int(bottom + margin) + 1)
    return page.draw(box)


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _alike(text: str, read: str) -> float:
    return SequenceMatcher(None, _folded(text), _folded(read), autojunk=False).ratio()


def _comparable(text: str, read: str, charset: Charset) -> bool:
    """Say whether a reading can speak against a text: one in a script the model cannot write must not be held
    against the file, unless what is read is Chinese, which no other script resembles.
    """
    letters = [character for character in text if not character.isspace()]
    writable = sum(character in charset for character in letters)
    return 2 * writable > len(letters) or 2 * sum(map(is_chinese, read)) > len(read)

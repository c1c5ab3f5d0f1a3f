"""Text: the characters of a PDF page become fragments of lines, those whose text can be taken at its word.

Takes a `PdfPage`, gives `Fragment`s in points of the upright page and the text objects they came from. What a file
calls its text may be anything: characters without a meaning, or with a private one, text nobody sees, the guess of
another program laid under a scan. Such text is left out here and read from the picture (docs/decisions/030); whether a
font's characters are those its shapes show is for `shizi.text_layer`, since it takes reading to know.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from shizi.charset import is_chinese
from shizi.document import Char, Fragment, Reading
from shizi.geometry import Polygon
from shizi.pdf import PdfPage

MODEL = "text-layer"
# Characters on one baseline are one piece up to this gap, in line heights: the same as of pieces read from pixels.
JOIN_GAP = 1.0
WORD_GAP = 0.17  # a gap, in line heights, that stands for a space between Latin words
ON_ONE_ROW = 0.5  # share of the lower one's height by which two characters of a row overlap
TWICE = 0.15  # of the height: the same words this close are bold by being drawn again
STRAIGHT = 3.0  # degrees; text further off the axes is a watermark or a drawing's
COVERS = 0.5  # share of the page from which a picture drawn over text hides it
BAD_SHARE = 0.1  # characters without a meaning: beyond this share nothing of the page's text is trusted
MOST_PIECES = 4000  # a page of more is a drawing, whose letters stand where they like

# Symbol fonts keep their signs in the private area; these are the marks of lists (Symbol and Wingdings, Microsoft).
_MARKS = {0xF0B7: "•", 0xF0A7: "▪", 0xF06C: "●", 0xF06E: "■", 0xF0D8: "➢", 0xF0FC: "✓", 0xF0E0: "→", 0xF0B0: "°"}
# Ligatures, radicals and compatibility ideographs stand for plain characters; writers of PDF take either.
_PLAIN = ((0xFB00, 0xFB06), (0x2E80, 0x2FDF), (0xF900, 0xFAFF))

# The fonts every viewer has (ISO 32000-1, 9.6.2.2), and what they are called by others.
_STANDARD = ("Helvetica", "Times", "Courier", "Symbol", "ZapfDingbats", "Arial")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]
Rule = tuple[float, float, float]  # x, top, bottom


@dataclass(frozen=True, slots=True)
class Layer:
    """A page's text: its fragments, the page's quarter turns clockwise that stand it upright, the texts they use.

    `left_out`: how many characters of text that is seen are not among them. `borrowed`: fonts of Chinese whose shapes
    the file leaves to the machine, which may not have them.
    """

    fragments: tuple[Fragment, ...]
    quarters: int
    used: tuple[int, ...]
    left_out: int
    borrowed: frozenset[str]


@dataclass(slots=True)
class _Piece:
    """Characters of one row, or of one column: texts of one character or a few that share a place, and their boxes.

    `spaced`: before which of them a space stands.
    """

    texts: list[str]
    boxes: Floats  # N, 4
    spaced: list[bool]
    owners: set[int]
    vertical: bool

    def joined(self, after: "_Piece", space: bool) -> "_Piece":
        """Give the two as one piece."""
        spaced = [*self.spaced, space, *after.spaced[1:]]
        boxes = np.concatenate((self.boxes, after.boxes))
        return _Piece(self.texts + after.texts, boxes, spaced, self.owners | after.owners, False)


@lru_cache(maxsize=8192)
def plain(code: int) -> str | None:
    """Give the text of a character code of a PDF; None where it has no meaning."""
    if code in _MARKS:
        return _MARKS[code]
    if code < 0 or code > 0x10FFFF:
        return None
    character = chr(code)
    if character in "\t\n\r\xa0" or code == 0x3000:
        return " "
    if code in (0xAD, 0x2):  # a soft hyphen; pdfium's own sign for a hyphen at a line's end
        return "-"
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category == "Cf":
        return ""  # marks of direction and width, which draw nothing
    if category in ("Cc", "Cn", "Co", "Cs") or code == 0xFFFD:
        return None
    if any(first <= code <= last for first, last in _PLAIN):
        return unicodedata.normalize("NFKC", character)
    return character


def read_layer(page: PdfPage, upright: bool = True, every: bool = False, whole: bool = False) -> Layer:
    """Take a page's text.

    `upright`: turn a page whose text runs sideways. `every`: leave nothing out that has a meaning, seen or not.
    `whole`: give each piece as one `Char`, where nobody asks for words; it halves the time.
    """
    texts = [plain(code) for code in page.codes.tolist()]
    middles = (page.boxes[:, :2] + page.boxes[:, 2:]) / 2
    inside = ((middles >= 0) & (middles <= (page.width, page.height))).all(axis=1)
    seen = inside & np.array([page.texts[owner].shown for owner in page.owners], bool)
    bad = np.array([text is None for text in texts], bool)
    if not every:
        seen &= ~_covered(page, middles)
        spoilt = np.zeros(len(page.texts), bool)
        spoilt[page.owners[bad & seen]] = True
        wanted = seen & ~spoilt[page.owners] if len(texts) else seen
        if (bad & seen).sum() > BAD_SHARE * seen.sum():
            wanted = np.zeros_like(wanted)
    else:
        wanted = inside & ~bad
    quarters = _quarters(page, wanted) if upright else 0
    pieces = _pieces(page, texts, wanted, whole)
    if len(pieces) > MOST_PIECES and not every:
        pieces, wanted = [], np.zeros_like(wanted)
    used = tuple(np.unique(page.owners[wanted]).tolist())
    return Layer(
        tuple(turned(pieces, quarters, page.width, page.height)),
        quarters,
        used,
        int((seen & ~wanted).sum()),
        frozenset(_borrowed(page, texts, wanted)),
    )


def _borrowed(page: PdfPage, texts: Sequence[str | None], wanted: npt.NDArray[np.bool_]) -> Iterable[str]:
    """Name the fonts of Chinese text that are not in the file. pdfium brings the shapes of the Latin ones itself."""
    lent = np.array([not text.embedded and not text.font.startswith(_STANDARD) for text in page.texts], bool)
    for i in np.flatnonzero(wanted & lent[page.owners]).tolist():
        if _is_chinese((texts[i] or " ")[0]):
            yield page.texts[page.owners[i]].font


def _covered(page: PdfPage, middles: Floats) -> npt.NDArray[np.bool_]:
    """Tell which characters lie under a large picture that is drawn after them."""
    covered = np.zeros(len(middles), bool)
    ranks = np.array([page.texts[owner].rank for owner in page.owners], int)
    for image in page.images:
        left, top, right, bottom = image.box
        if (right - left) * (bottom - top) >= COVERS * page.width * page.height:
            within = ((middles >= (left, top)) & (middles <= (right, bottom))).all(axis=1)
            covered |= within & (ranks < image.rank)
    return covered


def _quarters(page: PdfPage, wanted: npt.NDArray[np.bool_]) -> int:
    """Give the quarter turns clockwise after which most text runs from left to right."""
    counts = [0, 0, 0, 0]
    for owner, count in zip(*np.unique(page.owners[wanted], return_counts=True), strict=True):
        angle = page.texts[owner].angle
        if _is_straight(angle):
            counts[round(angle / 90) % 4] += int(count)
    return -counts.index(max(counts)) % 4


def _is_straight(angle: float) -> bool:
    return abs((angle + 45) % 90 - 45) <= STRAIGHT


def _pieces(page: PdfPage, texts: Sequence[str | None], wanted: npt.NDArray[np.bool_], whole: bool) -> list[Fragment]:
    """Cut the characters into pieces of lines, each direction of text on its own."""
    directions = np.array([round(text.angle / 90) % 4 if _is_straight(text.angle) else -1 for text in page.texts], int)
    fragments: list[Fragment] = []
    for direction in range(4):
        chosen = np.flatnonzero(wanted & (directions[page.owners] == direction)).tolist()
        if not chosen:
            continue
        # Turned so that the text runs from left to right, put together, and turned back.
        boxes = turned_boxes(page.boxes[chosen], -direction % 4, page.width, page.height)
        size = (page.width, page.height) if direction % 2 == 0 else (page.height, page.width)
        rules = upright_rules(turned_boxes(page.frames, -direction % 4, page.width, page.height))
        rows = _rows([texts[i] or "" for i in chosen], boxes, page.owners[chosen], rules)
        fragments.extend(turned((_fragment(row, page, whole) for row in rows), direction, *size))
    oblique = wanted & (directions[page.owners] == -1)
    fragments.extend(_oblique(page, texts, oblique))
    return fragments


def _fragment(piece: _Piece, page: PdfPage, whole: bool) -> Fragment:
    left, top = piece.boxes[:, :2].min(axis=0).tolist()
    right, bottom = piece.boxes[:, 2:].max(axis=0).tolist()
    fonts = frozenset(page.texts[owner].font for owner in piece.owners)
    return Fragment(Polygon.from_bounds(left, top, right, bottom), _reading(piece, whole), piece.vertical, fonts)


def upright_rules(frames: Floats) -> list[Rule]:
    """Give (x, top, bottom) of the upright edges of frames, rules among them."""
    rules: list[Rule] = []
    for left, top, right, bottom in frames.tolist():
        if bottom - top > 2:
            rules.extend((x, top, bottom) for x in ({left, right} if right - left > 2 else {(left + right) / 2}))
    return rules


def _rows(texts: Sequence[str], boxes: Floats, owners: Integers, rules: Sequence[Rule]) -> list[_Piece]:
    """Put characters, in the order of their drawing, together to pieces of rows; then pieces that meet."""
    shown = np.array([bool(text.strip()) for text in texts], bool)
    places = np.flatnonzero(shown)
    if not len(places):
        return []
    spaces = np.cumsum([text.isspace() for text in texts])[places]
    marks = [texts[i] for i in places.tolist()]
    boxes, owners = boxes[places], owners[places]
    # The letters of a ligature have one place: they stay one mark.
    alone = np.append(True, (boxes[1:] != boxes[:-1]).any(axis=1) | (owners[1:] != owners[:-1]))
    if not alone.all():
        firsts = np.flatnonzero(alone).tolist()
        marks = ["".join(marks[i:j]) for i, j in zip(firsts, [*firsts[1:], len(marks)], strict=True)]
        boxes, owners, spaces = boxes[alone], owners[alone], spaces[alone]
    columns = np.isin(owners, _columns(boxes, owners))
    chinese = np.array([_is_chinese(mark[0]) for mark in marks], bool)
    meets, wide = _meeting(boxes[:-1], boxes[1:], rules)
    same = owners[:-1] == owners[1:]
    follows = np.where(columns[:-1] | columns[1:], same & columns[:-1], meets)
    told = (spaces[1:] > spaces[:-1]) & ~(chinese[:-1] & chinese[1:])
    spaced = [False, *(told | (wide & ~columns[1:] & ~chinese[:-1] & ~chinese[1:])).tolist()]
    starts = [0, *(np.flatnonzero(~follows) + 1).tolist()]
    pieces = [
        _Piece(
            marks[start:end],
            boxes[start:end],
            [False, *spaced[start + 1 : end]],
            set(owners[start:end].tolist()),
            bool(columns[start]),
        )
        for start, end in zip(starts, [*starts[1:], len(marks)], strict=True)
    ]
    return _met(pieces, rules)


_is_chinese = lru_cache(maxsize=8192)(is_chinese)


def _columns(boxes: Floats, owners: Integers) -> Integers:
    """Tell which text objects run down: their characters stand under one another."""
    numbers, firsts = np.unique(owners, return_index=True)
    _, lasts = np.unique(owners[::-1], return_index=True)
    ends = boxes[len(owners) - 1 - lasts] - boxes[firsts]
    step = np.abs(ends[:, :2] + ends[:, 2:])
    down = (ends[:, 1] > 0) & (step[:, 1] > 2 * step[:, 0])
    return np.asarray(numbers[down])


def _meeting(
    first: Floats, second: Floats, rules: Sequence[Rule]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Say which characters go on with those before them: on their row, close behind, no rule between; and which of
    them a space's width behind.
    """
    heights = np.stack((first[:, 3] - first[:, 1], second[:, 3] - second[:, 1]))
    low, high = heights.min(axis=0), heights.max(axis=0)
    tops, bottoms = np.maximum(first[:, 1], second[:, 1]), np.minimum(first[:, 3], second[:, 3])
    gap = second[:, 0] - first[:, 2]
    back = np.maximum(0.5 * high, first[:, 2] - first[:, 0])
    meets = (bottoms - tops >= ON_ONE_ROW * low) & (high <= 3 * low) & (-back < gap) & (gap < JOIN_GAP * low)
    wide = gap > WORD_GAP * low
    for i in np.flatnonzero(meets & wide).tolist() if rules else ():
        meets[i] = not ruled((first[i, 2], second[i, 0]), (tops[i], bottoms[i]), rules)
    return meets, wide


def ruled(gap: tuple[float, float], row: tuple[float, float], rules: Iterable[Rule]) -> bool:
    """Say whether an upright rule stands in the gap (left, right), beside the middle of the row (top, bottom)."""
    middle = (row[0] + row[1]) / 2
    return any(gap[0] - 1 <= x <= gap[1] + 1 and top <= middle <= bottom for x, top, bottom in rules)


def _met(pieces: Sequence[_Piece], rules: Sequence[Rule]) -> list[_Piece]:
    """Join pieces of one row that were drawn apart, from left to right; take those drawn twice once."""
    lying = sorted((piece for piece in pieces if not piece.vertical), key=lambda piece: float(piece.boxes[0, 0]))
    lying = _once(lying)
    joined: list[_Piece] = []
    ends = np.empty((len(lying), 4))  # the last box of each in `joined`
    starts = np.array([piece.boxes[0] for piece in lying]).reshape(-1, 4)
    reach = JOIN_GAP * (starts[:, 3] - starts[:, 1]).max(initial=0)
    for piece, start in zip(lying, starts, strict=True):
        near = ends[: len(joined)]
        # Cheap first: most pieces have no neighbour that ends before them on their row.
        close = np.flatnonzero((near[:, 1] < start[3]) & (near[:, 3] > start[1]) & (near[:, 2] > start[0] - reach))
        # What begins left of another's last character is drawn over it, not after it.
        close = close[start[0] > near[close, 0]]
        if len(close):
            meets, wide = _meeting(near[close], np.broadcast_to(start, (len(close), 4)), rules)
            if meets.any():
                first = int(np.flatnonzero(meets)[0])
                i = int(close[first])
                latin = not (is_chinese(joined[i].texts[-1][-1]) or is_chinese(piece.texts[0][0]))
                joined[i] = joined[i].joined(piece, bool(wide[first]) and latin)
                ends[i] = piece.boxes[-1]
                continue
        ends[len(joined)] = piece.boxes[-1]
        joined.append(piece)
    return joined + [piece for piece in pieces if piece.vertical]


def _once(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Leave out what is drawn again in its own place, to look bold."""
    drawn: dict[str, list[Floats]] = {}
    kept = []
    for piece in pieces:
        start = piece.boxes[0]
        twins = drawn.setdefault("".join(piece.texts), [])
        if not any(np.abs(start - twin).max() < TWICE * (start[3] - start[1]) for twin in twins):
            twins.append(start)
            kept.append(piece)
    return kept


def _reading(piece: _Piece, whole: bool) -> Reading:
    """Give what a piece says, each character with its share of the piece's length; or as one, if `whole`."""
    if whole:
        spaced = any(piece.spaced)
        text = (
            "".join(piece.texts)
            if not spaced
            else "".join(" " * space + text for text, space in zip(piece.texts, piece.spaced, strict=True))
        )
        return Reading(text, 1.0, (Char(text, 1.0, 0.0, 1.0),), MODEL)
    near, far = piece.boxes[:, 1::2].T if piece.vertical else piece.boxes[:, ::2].T
    first = near.min()
    length = max(float(far.max() - first), 1e-6)
    starts = ((near - first) / length).clip(0, 1).tolist()
    ends = ((far - first) / length).clip(0, 1).tolist()
    chars: list[Char] = []
    for text, start, end, space in zip(piece.texts, starts, ends, piece.spaced, strict=True):
        if space:
            chars.append(Char(" ", 1.0, min(chars[-1].end, start), start))
        step = (end - start) / len(text)
        chars.extend(Char(mark, 1.0, start + i * step, start + (i + 1) * step) for i, mark in enumerate(text))
    return Reading("".join(char.text for char in chars), 1.0, tuple(chars), MODEL)


def _oblique(page: PdfPage, texts: Sequence[str | None], wanted: npt.NDArray[np.bool_]) -> list[Fragment]:
    """Give each slanting text object as one piece along its characters' middles."""
    fragments = []
    for owner in np.unique(page.owners[wanted]).tolist():
        chosen = np.flatnonzero(wanted & (page.owners == owner)).tolist()
        words = "".join(texts[i] or "" for i in chosen).strip()
        if not words:
            continue
        middles = (page.boxes[chosen, :2] + page.boxes[chosen, 2:]) / 2
        angle = math.radians(page.texts[owner].angle)
        along = np.array((math.cos(angle), math.sin(angle)))
        # The box around a slanting square is larger than its side by this.
        side = float(np.median(page.boxes[chosen, 3] - page.boxes[chosen, 1])) / (abs(along).sum() or 1.0)
        across = np.array((-along[1], along[0])) * side / 2
        start, end = middles[0] - along * side / 2, middles[-1] + along * side / 2
        polygon = Polygon.from_points((start - across, end - across, end + across, start + across))
        share = 1 / len(words)
        chars = tuple(Char(c, 1.0, i * share, (i + 1) * share) for i, c in enumerate(words))
        fonts = frozenset((page.texts[owner].font,))
        fragments.append(Fragment(polygon, Reading(words, 1.0, chars, MODEL), False, fonts))
    return fragments


def turned_boxes(boxes: Floats, quarters: int, width: float, height: float) -> Floats:
    """Turn boxes (N, 4: left, top, right, bottom) with their page, clockwise."""
    left, top, right, bottom = boxes.T
    match quarters % 4:
        case 0:
            return boxes
        case 1:
            return np.stack((height - bottom, left, height - top, right), axis=1)
        case 2:
            return np.stack((width - right, height - bottom, width - left, height - top), axis=1)
        case _:
            return np.stack((top, width - right, bottom, width - left), axis=1)


def turned(fragments: Iterable[Fragment], quarters: int, width: float, height: float) -> Iterable[Fragment]:
    """Turn fragments with their page of `width` x `height`, clockwise."""
    if quarters % 4 == 0:
        yield from fragments
        return
    for fragment in fragments:
        points = fragment.polygon.corners
        match quarters % 4:
            case 1:
                moved = [(height - y, x) for x, y in points]
            case 2:
                moved = [(width - x, height - y) for x, y in points]
            case _:
                moved = [(y, width - x) for x, y in points]
        yield Fragment(Polygon.from_points(moved), fragment.reading, fragment.vertical, fragment.fonts)

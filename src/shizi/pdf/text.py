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
STRAIGHT = 3.0  # degrees; text further off the axes is a watermark or a drawing's
COVERS = 0.5  # share of the page from which a picture drawn over text hides it
BAD_SHARE = 0.1  # characters without a meaning: beyond this share nothing of the page's text is trusted
MOST_PIECES = 4000  # a page of more is a drawing, whose letters stand where they like

# Symbol fonts keep their signs in the private area; these are the marks of lists (Symbol and Wingdings, Microsoft).
_MARKS = {0xF0B7: "•", 0xF0A7: "▪", 0xF06C: "●", 0xF06E: "■", 0xF0D8: "➢", 0xF0FC: "✓", 0xF0E0: "→", 0xF0B0: "°"}
# Ligatures, radicals and compatibility ideographs stand for plain characters; writers of PDF take either.
_PLAIN = ((0xFB00, 0xFB06), (0x2E80, 0x2FDF), (0xF900, 0xFAFF))

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layer:
    """A page's text: its fragments, the page's quarter turns clockwise that stand it upright, the texts they use.

    `left_out`: how many characters of text that is seen are not among them.
    """

    fragments: tuple[Fragment, ...]
    quarters: int
    used: tuple[int, ...]
    left_out: int


@dataclass(slots=True)
class _Piece:
    """Characters of one row so far; `texts` are single characters, or several that share a place."""

    texts: list[str]
    boxes: list[tuple[float, float, float, float]]
    owners: set[int]
    vertical: bool = False

    @property
    def left(self) -> float:
        return min(box[0] for box in self.boxes)

    @property
    def top(self) -> float:
        return min(box[1] for box in self.boxes)

    @property
    def right(self) -> float:
        return max(box[2] for box in self.boxes)

    @property
    def bottom(self) -> float:
        return max(box[3] for box in self.boxes)


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


def read_layer(page: PdfPage, upright: bool = True, every: bool = False) -> Layer:
    """Take a page's text. `upright`: turn a page whose text runs sideways. `every`: leave nothing out that has a
    meaning, seen or not.
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
    pieces = _pieces(page, texts, wanted)
    if len(pieces) > MOST_PIECES and not every:
        pieces, wanted = [], np.zeros_like(wanted)
    used = tuple(np.unique(page.owners[wanted]).tolist())
    return Layer(tuple(turned(pieces, quarters, page.width, page.height)), quarters, used, int((seen & ~wanted).sum()))


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


def _pieces(page: PdfPage, texts: Sequence[str | None], wanted: npt.NDArray[np.bool_]) -> list[Fragment]:
    """Cut the characters into pieces of lines, each direction of text on its own."""
    directions = np.array([round(text.angle / 90) % 4 if _is_straight(text.angle) else -1 for text in page.texts], int)
    fragments: list[Fragment] = []
    for direction in range(4):
        chosen = np.flatnonzero(wanted & (directions[page.owners] == direction)).tolist()
        # Turned so that the text runs from left to right, put together, and turned back.
        boxes = _turned_boxes(page.boxes[chosen], -direction % 4, page.width, page.height)
        size = (page.width, page.height) if direction % 2 == 0 else (page.height, page.width)
        rules = upright_rules(_turned_boxes(page.frames, -direction % 4, page.width, page.height))
        rows = _rows([texts[i] or "" for i in chosen], boxes, page.owners[chosen].tolist(), rules)
        fragments.extend(turned(map(_Fonts(page).fragment, rows), direction, *size))
    oblique = wanted & (directions[page.owners] == -1)
    fragments.extend(_oblique(page, texts, oblique))
    return fragments


@dataclass(frozen=True, slots=True)
class _Fonts:
    page: PdfPage

    def fragment(self, piece: _Piece) -> Fragment:
        fonts = frozenset(self.page.texts[owner].font for owner in piece.owners)
        return Fragment(
            Polygon.from_bounds(piece.left, piece.top, piece.right, piece.bottom),
            _reading(piece),
            piece.vertical,
            fonts,
        )


def upright_rules(frames: Floats) -> list[tuple[float, float, float]]:
    """Give (x, top, bottom) of the upright edges of frames, rules among them."""
    rules: list[tuple[float, float, float]] = []
    for left, top, right, bottom in frames.tolist():
        if bottom - top > 2:
            rules.extend((x, top, bottom) for x in ({left, right} if right - left > 2 else {(left + right) / 2}))
    return rules


def _rows(
    texts: Sequence[str], boxes: Floats, owners: Sequence[int], rules: Sequence[tuple[float, float, float]]
) -> list[_Piece]:
    """Put characters, in the order of their drawing, together to pieces of rows; then pieces that meet."""
    pieces: list[_Piece] = []
    space = False
    columns = _columns(texts, boxes, owners)
    for text, box, owner in zip(texts, map(tuple, boxes.tolist()), owners, strict=True):
        if not text.strip():
            space = space or bool(text)
            continue
        last = pieces[-1] if pieces else None
        if last is not None and owner in columns and owner in last.owners:
            joined = True
        else:
            joined = last is not None and owner not in columns and not last.vertical and _meets(last, box, rules)
        if last is not None and joined:
            _append(last, text, box, owner, space)
        else:
            pieces.append(_Piece([text], [box], {owner}, owner in columns))
        space = False
    return _met(pieces, rules)


def _columns(texts: Sequence[str], boxes: Floats, owners: Sequence[int]) -> set[int]:
    """Tell which text objects run down: their characters stand under one another."""
    places: dict[int, list[tuple[float, float]]] = {}
    for text, box, owner in zip(texts, boxes.tolist(), owners, strict=True):
        if text.strip():
            places.setdefault(owner, []).append(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
    return {
        owner
        for owner, middles in places.items()
        if len(middles) > 1 and middles[-1][1] - middles[0][1] > 2 * abs(middles[-1][0] - middles[0][0])
    }


def _meets(piece: _Piece, box: tuple[float, ...], rules: Sequence[tuple[float, float, float]]) -> bool:
    """Say whether a character goes on with a piece: on its row, close behind its end, no rule between."""
    left, top, right, bottom = piece.boxes[-1]
    low, high = sorted((bottom - top, box[3] - box[1]))
    if min(bottom, box[3]) - max(top, box[1]) < ON_ONE_ROW * low or high > 3 * low:
        return False
    gap = box[0] - right
    if not -max(0.5 * high, right - left) < gap < JOIN_GAP * low:
        return False
    return gap < WORD_GAP * low or not ruled((right, box[0]), (max(top, box[1]), min(bottom, box[3])), rules)


def ruled(gap: tuple[float, float], row: tuple[float, float], rules: Iterable[tuple[float, float, float]]) -> bool:
    """Say whether an upright rule stands in the gap (left, right), along most of the row (top, bottom)."""
    middle = (row[0] + row[1]) / 2
    return any(gap[0] - 1 <= x <= gap[1] + 1 and top <= middle <= bottom for x, top, bottom in rules)


def _append(piece: _Piece, text: str, box: tuple[float, float, float, float], owner: int, space: bool) -> None:
    before = piece.boxes[-1]
    low = min(before[3] - before[1], box[3] - box[1])
    wide = not piece.vertical and box[0] - before[2] > WORD_GAP * low
    chinese = is_chinese(piece.texts[-1][-1]), is_chinese(text[0])
    if (space and not all(chinese)) or (wide and not any(chinese)):
        piece.texts.append(" ")
        piece.boxes.append((before[2], before[1], max(before[2], box[0]), before[3]))
    piece.texts.append(text)
    piece.boxes.append(box)
    piece.owners.add(owner)


def _met(pieces: list[_Piece], rules: Sequence[tuple[float, float, float]]) -> list[_Piece]:
    """Join pieces of one row that were drawn apart, from left to right."""
    joined: list[_Piece] = []
    columns = [piece for piece in pieces if piece.vertical]
    for piece in sorted((piece for piece in pieces if not piece.vertical), key=lambda piece: piece.left):
        for before in joined:
            # A piece that begins within another is drawn over it, not after it.
            if piece.boxes[0][0] > before.boxes[-1][0] and _meets(before, piece.boxes[0], rules):
                for text, box in zip(piece.texts, piece.boxes, strict=True):
                    if text != " ":
                        _append(before, text, box, next(iter(piece.owners)), False)
                    else:
                        before.texts.append(text)
                        before.boxes.append(box)
                before.owners |= piece.owners
                break
        else:
            joined.append(piece)
    return joined + columns


def _reading(piece: _Piece) -> Reading:
    """Give what a piece says, each character with its share of the piece's length."""
    first, last = (piece.top, piece.bottom) if piece.vertical else (piece.left, piece.right)
    side = 1 if piece.vertical else 0
    length = max(last - first, 1e-6)
    chars: list[Char] = []
    for text, box in zip(piece.texts, piece.boxes, strict=True):
        start, end = (min(1.0, max(0.0, (box[i] - first) / length)) for i in (side, side + 2))
        step = (end - start) / len(text)
        chars.extend(Char(c, 1.0, start + i * step, start + (i + 1) * step) for i, c in enumerate(text))
    return Reading("".join(piece.texts), 1.0, tuple(chars), MODEL)


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


def _turned_boxes(boxes: Floats, quarters: int, width: float, height: float) -> Floats:
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
    for fragment in fragments:
        points = fragment.polygon.corners
        match quarters % 4:
            case 1:
                moved = [(height - y, x) for x, y in points]
            case 2:
                moved = [(width - x, height - y) for x, y in points]
            case 3:
                moved = [(y, width - x) for x, y in points]
            case _:
                moved = list(points)
        yield Fragment(Polygon.from_points(moved), fragment.reading, fragment.vertical, fragment.fonts)

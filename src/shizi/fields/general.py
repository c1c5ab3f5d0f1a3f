"""General: `label: value` pairs of any form, named as their labels are printed.

A label ends in a colon, or is Chinese with its English in brackets (终端号(TERMINAL)); its value stands behind it, to
its right, or below it. Rows of receipts that end in an amount are pairs, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shizi.fields.found import Form, Found
from shizi.fields.labels import COLONS, Label, values_of
from shizi.fields.pieces import SAME_ROW, Piece, Sheet

_MOST = 200  # pairs of one page
_BILINGUAL = re.compile(r"[\u4e00-\u9fff&]{2,10}\([A-Za-z][A-Za-z.&]{1,24}\)?$")
_PRICE = re.compile(r"-?[¥￥$€£]-?\d[\d,]*\.\d\d")
_STATED = re.compile(r"(DATE|TIME|日期|时间)((?:\d{1,4}[-/.]){2}\d{2,4}|\d{1,2}:\d\d(?::\d\d)?)", re.IGNORECASE)
_BELOW = 1.6  # line heights from a label's middle to that of the value below it


def read_general(sheet: Sheet) -> Form:
    """Find pairs on a page: what stands behind a colon in its line, else to its right on its row."""
    form = Form("")
    labels = [label for piece in sheet.pieces if not piece.vertical for label in _labels(piece)]
    named = {label.piece.line for label in labels}
    pairs: list[tuple[str, Piece]] = []
    for item in values_of(sheet, labels, {}):
        beside = item.value is not None and item.value.line != item.label.piece.line
        # what stands beside a label may be far smaller or larger, or the next label: then it is no value of its own
        alone = beside and item.value is not None and (item.value.line in named or item.value.vertical)
        value = None if alone else item.value
        value = value if value is not None else _value_below(sheet, item.label, named)
        if value is not None:
            pairs.append((item.label.key, value))
    taken = named | {piece.line for _, piece in pairs}
    pairs += [pair for pair in (*_priced(sheet, taken), *_stated(sheet)) if pair[1].line not in named]
    for name, piece in pairs[:_MOST]:
        text = piece.text.strip()
        unique = next(n for n in (name, *(f"{name} {i}" for i in range(2, _MOST + 2))) if n not in form.values)
        if text and name:
            form.values[unique] = Found(text, text, piece)
    return form


def _value_below(sheet: Sheet, label: Label, named: set[int]) -> Piece | None:
    """Find what stands right below a label, beginning where it begins."""
    if label.end < len(label.piece.glyphs):
        return None
    place = label.piece.cut(label.start, label.end).place
    row, left, right = sheet.row_of(label.piece), place.bounds[0], place.bounds[2]
    below = [
        piece
        for piece in sheet.pieces
        if not piece.vertical
        and piece.line not in named
        and 0.5 * place.height < sheet.row_of(piece) - row < _BELOW * max(place.height, piece.place.height)
        and left - place.height < piece.place.centre[0] < right + place.height
    ]
    return min(below, key=sheet.row_of, default=None)


def _priced(sheet: Sheet, taken: set[int]) -> Iterator[tuple[str, Piece]]:
    """Give the rows of a receipt: words, and an amount with its sign at their end."""
    pieces = [piece for piece in sheet.pieces if not piece.vertical and piece.line not in taken]
    for piece in pieces:
        cells = list(piece.cells())
        if not cells or not _PRICE.fullmatch(cells[-1].folded):
            continue
        before = cells[:-1] or _to_the_left(sheet, pieces, piece)
        name = " ".join(cell.text.strip() for cell in before).strip(" " + COLONS)
        if any(character.isalpha() for character in name):
            yield name, cells[-1]


def _to_the_left(sheet: Sheet, pieces: Sequence[Piece], piece: Piece) -> list[Piece]:
    row, left, height = sheet.row_of(piece), piece.place.bounds[0], piece.place.height
    beside = [
        other
        for other in pieces
        if other is not piece
        and other.place.bounds[2] < left + height
        and abs(sheet.row_of(other) - row) < SAME_ROW * min(height, other.place.height)
        and not _PRICE.search(other.folded)
    ]
    return sorted(beside, key=lambda other: other.place.bounds[0])


def _stated(sheet: Sheet) -> Iterator[tuple[str, Piece]]:
    """Give dates and times that follow their word without a colon: DATE 12/30/2016."""
    for piece in sheet.pieces:
        for found in () if piece.vertical else _STATED.finditer(piece.folded):
            yield piece.cut(*found.span(1)).text.strip(), piece.cut(*found.span(2))


def _labels(piece: Piece) -> list[Label]:
    """Find the labels of a line: before each colon, back to a space. Times and addresses have colons, too."""
    text, found, begin = piece.folded, [], 0
    if _BILINGUAL.fullmatch(text):
        return [Label(piece.text.strip(), piece, 0, len(text), False)]
    for i, character in enumerate(text):
        if character != ":" or i == begin:
            continue
        digits = text[i - 1].isdigit() and text[i + 1 : i + 2].isdigit()
        if digits or text[i + 1 : i + 3] == "//":
            continue
        start = max((space for space in piece.spaced if begin < space < i and _is_break(piece, space)), default=begin)
        name = piece.cut(start, i).text.strip()
        if 1 < len(name) <= 24 and not name[0].isdigit():
            found.append(Label(name, piece, start, i + 1, True))
        begin = i + 1
    return found


def _is_break(piece: Piece, space: int) -> bool:
    """Say whether a space parts a value from the next label: not between Latin words that are one label."""
    before, after = piece.glyphs[space - 1].folded, piece.glyphs[space].folded
    # nor before the brackets that are part of a label: 卡号 (CARD NUMBER)
    return not (before.isascii() and before.isalpha() and after.isascii()) and after != "("

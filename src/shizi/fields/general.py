"""General: `label: value` pairs of any form, named as their labels are printed."""

from __future__ import annotations

from shizi.fields.found import Form, Found
from shizi.fields.labels import Label, values_of
from shizi.fields.pieces import Piece, Sheet

_MOST = 200  # pairs of one page


def read_general(sheet: Sheet) -> Form:
    """Find pairs on a page: what stands behind a colon in its line, else to its right on its row."""
    form = Form("")
    labels = [label for piece in sheet.pieces if not piece.vertical for label in _labels(piece)]
    for item in values_of(sheet, labels, {})[:_MOST]:
        name = item.label.key
        if item.value is None or not name:
            continue
        text = item.value.text.strip()
        unique = next(n for n in (name, *(f"{name} {i}" for i in range(2, _MOST + 2))) if n not in form.values)
        if text:
            form.values[unique] = Found(text, text, item.value)
    return form


def _labels(piece: Piece) -> list[Label]:
    """Find the labels of a line: before each colon, back to a space. Times and addresses have colons, too."""
    text, found, begin = piece.folded, [], 0
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
    return not (before.isascii() and before.isalpha() and after.isascii())

"""Overlooked: what was not seen as a line in a row of goods, looked for where it must stand.

Detectors miss single characters, the 1 of a quantity above all, and the small *** of a row that bears no tax. A figure
counts only if the arithmetic of its row proves it, stars only in a row whose rate says that there is no tax.
"""

from __future__ import annotations

from collections.abc import Iterator

from shizi.document import Reading
from shizi.fields.checks import FREE
from shizi.fields.found import Form, Found
from shizi.fields.items import STARS, fits
from shizi.fields.pieces import Glyph, Piece
from shizi.fields.sight import Sight
from shizi.fields.values import folded, number
from shizi.geometry import Polygon

# How far to the left of its unit price a quantity may stand, in line heights.
_REACH = 12.0


def read_overlooked(form: Form, sight: Sight) -> None:
    """Put into the form's rows the quantities and the stars that were overlooked."""
    _read_stars(form, sight)
    for row in form.items:
        price, amount = row.get("unit_price"), row.get("amount")
        if "quantity" in row or price is None or amount is None or price.piece is None:
            continue
        known, product = number(price.value), number(amount.value)
        if known is None or product is None:
            continue
        for found in _quantities(price.piece, row.get("unit"), sight):
            value = number(found.value)
            if value is not None and fits(value, known, product):
                row["quantity"] = found
                break


def _read_stars(form: Form, sight: Sight) -> None:
    """Read the tax of rows that bear none below or above where other taxes stand."""
    beside = [row["tax"] for row in form.items if "tax" in row]
    known = [
        found.piece for found in (*beside, form.values.get("tax")) if found is not None and found.piece is not None
    ]
    for row in form.items:
        amount = row["amount"].piece if "amount" in row else None
        if "tax" in row or "tax_rate" not in row or row["tax_rate"].value not in FREE or amount is None or not known:
            continue
        place, other = amount.place, known[0].place
        start, width = place.bounds[0], place.width
        pad = 0.5 * place.height
        polygon = place.part((other.bounds[0] - pad - start) / width, (other.bounds[2] + pad - start) / width)
        reading = sight.read(polygon)
        if STARS.fullmatch(folded(reading.text)):
            row["tax"] = Found("***", reading.text, _piece(reading, polygon))


def _piece(reading: Reading, polygon: Polygon) -> Piece:
    glyphs = tuple(Glyph(char.text, folded(char.text), char.confidence, char.start, char.end) for char in reading.chars)
    return Piece(-1, glyphs, polygon, False, reading.confidence)


def _quantities(price: Piece, unit: Found | None, sight: Sight) -> Iterator[Found]:
    """Read the figure that stands between the unit and the unit price, in one window after the other."""
    place = price.place
    height, width = place.height, place.width
    start = -_REACH * height / width
    if unit is not None and unit.piece is not None:
        start = max(start, (unit.piece.place.bounds[2] - place.bounds[0]) / width)
    end = -0.15 * height / width
    steps = [(start, end), (start / 2, end), (start, start / 2)]  # the whole gap, its halves, then short windows
    steps += [(-(far + 3) * height / width, -far * height / width) for far in (0.2, 1, 2, 3, 4, 5)]
    for left, right in steps:
        if not start <= left < right <= end:
            continue
        polygon = place.part(left, right)
        reading = sight.read(polygon)
        text = folded(reading.text).strip(".,:;'|·")
        if number(text) is not None and len(text) < 10:
            yield Found(str(number(text)), text, _piece(reading, polygon))

"""Overlooked: what was not seen as a line in a row of goods, looked for where it must stand.

Detectors miss single characters, the 1 of a quantity above all, and the small *** of a row that bears no tax. A figure
counts only if the arithmetic of its row proves it, stars only in a row whose rate says that there is no tax.
"""

from __future__ import annotations

from collections.abc import Iterator

from shizi.document import Reading
from shizi.fields.checks import FREE, is_free
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
    """Read the tax of rows that bear none, and of their sum, where other taxes or the heading tell that it stands."""
    for _ in range(2):  # what is found tells where the others stand
        for row in form.items:
            if "tax" not in row and "tax_rate" in row and row["tax_rate"].value in FREE and "amount" in row:
                found = _stars_beside(row["amount"], row["tax_rate"], form, sight)
                if found is not None:
                    row["tax"] = found
        amount = form.values.get("amount")
        if "tax" not in form.values and amount is not None and is_free(form):
            found = _stars_beside(amount, form.items[0]["tax_rate"], form, sight)
            if found is not None:
                form.values["tax"] = found


def _stars_beside(amount: Found, rate: Found, form: Form, sight: Sight) -> Found | None:
    """Look for stars on the row of an amount, in the column of the taxes."""
    if amount.piece is None:
        return None
    place = amount.piece.place
    for left, right in _where_taxes_stand(rate, form, place.height):
        polygon = place.part((left - place.bounds[0]) / place.width, (right - place.bounds[0]) / place.width)
        reading = sight.read(polygon)
        if STARS.fullmatch(folded(reading.text)):
            return Found("***", reading.text, _piece(reading, polygon))
    return None


def _where_taxes_stand(rate: Found, form: Form, height: float) -> list[tuple[float, float]]:
    """Give the stretches, from left to right in pixels, in which a tax is looked for: where others are, or its column.

    Forms print taxes at the right of their column or in its middle; the column begins behind the rates.
    """
    beside = [row["tax"] for row in form.items if "tax" in row]
    known = [found.piece.place for found in (*beside, form.values.get("tax")) if found is not None and found.piece]
    widest = max(known, key=lambda place: place.width, default=None)
    where = (
        []
        if widest is None
        else [(widest.bounds[0] - pad * height, widest.bounds[2] + pad * height) for pad in (0.5, 1.5)]
    )
    if "tax" not in form.columns or rate.piece is None:
        return where
    middle = form.columns["tax"]
    half = middle - rate.piece.place.bounds[2] - 0.5 * height
    if half < height:
        return where
    halves = [(middle - half / 2, middle + half / 2), (middle, middle + half)]
    return [*where, *halves, (middle + half / 2, middle + half), (middle - half, middle + half)]


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

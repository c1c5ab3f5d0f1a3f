"""Items: the rows of goods of an invoice, put under the headings they stand below.

Rules are not needed: each row's words are laid into the columns in order, by what they are (an amount, a rate, a
word) and by how far they stand from the headings. So it holds for forms without drawn columns, too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from shizi.fields.found import Found, taken
from shizi.fields.pieces import SAME_ROW, Piece, Sheet
from shizi.fields.values import cents, number

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "name": (
        "货物或应税劳务、服务名称",
        "货物或应税劳务,服务名称",
        "货物或应税劳务服务名称",
        "货物或应税劳务名称",
        "货物劳务名称",
        "项目名称",
        "商品名称",
        "服务名称",
        "品名",
        "项目",
    ),
    "spec": ("规格型号", "规格"),
    "unit": ("单位",),
    "quantity": ("数量",),
    "unit_price": ("单价",),
    "amount": ("金额",),
    "tax_rate": ("税率/征收率", "税率征收率", "税率"),
    "tax": ("税额",),
}
# Where the columns' middles stand on the form of 2014, for headings that could not be read.
_USUAL = dict(zip(HEADINGS, (38.0, 77.0, 94.0, 110.5, 133.5, 160.5, 182.5, 210.0), strict=True))
_NUMBER = re.compile(r"[¥￥Y]?-?[¥￥]?\d[\d,]*(\.\d+)?")
_MONEY = re.compile(r"[¥￥Y]?-?[¥￥]?\d[\d,]*\.\d\d")
_RATE = re.compile(r"\d{1,2}(\.\d)?%|免税|不征税|零税率|\*{2,}|[.…]{2,}|出口.*|减按.*")
# The class of goods between two stars, the first of which is small and often lost or read as a quotation mark.
_CLASS = re.compile(r"(?:[^\w(（]?([\u4e00-\u9fff]{2,12})\*|[*“”\"'‘’]([\u4e00-\u9fff]{2,12})[*“”\"'‘’])(?=\S)")
STARS = re.compile(r"\*+|…|[.…·*★☆x×]{2,6}|[—\-]{2,}")
_WRAP = 2.2  # line heights from one row to the next within which words go on with the goods above
_SPECKS = ".·,:;'’`| "  # what dust at the end of a word is read as
_DIRT = "*.·,:'’ |[]"  # what specks and rules beside a figure are read as
_REPEATS = 0.3  # cost of a second word in the same column; columns of words only
_STRAY = 2.5  # cost of leaving a cell out: dirt, or words printed beside the form


@dataclass(frozen=True, slots=True)
class Columns:
    """The headings found: the row they stand on, and the middle of each column."""

    row: float
    height: float
    middles: Mapping[str, float]

    @property
    def names(self) -> list[str]:
        """The columns from left to right."""
        return sorted(self.middles, key=self.middles.__getitem__)


def find_columns(sheet: Sheet) -> Columns | None:
    """Find the row of headings: the one that holds the most of them; None under three."""
    hits: list[tuple[str, float, float, float]] = []  # heading, middle, row, height
    places: dict[tuple[float, float], tuple[float, float]] = {}
    for piece in sheet.pieces:
        if piece.vertical:
            continue
        text, taken_until = piece.folded, 0
        for start in range(len(text)):
            if start < taken_until:
                continue
            for name, words in HEADINGS.items():
                word = next((word for word in words if text.startswith(word, start)), None)
                if word:
                    place = piece.cut(start, start + len(word)).place
                    hit = name, place.centre[0], sheet.row(*place.centre), place.height
                    hits.append(hit)
                    places[hit[1:3]] = place.centre
                    taken_until = start + len(word)
                    break
    best: list[tuple[str, float, float, float]] = []
    for _, _, row, height in hits:
        group = [hit for hit in hits if abs(hit[2] - row) < 0.8 * height]
        if len({hit[0] for hit in group}) > len({hit[0] for hit in best}):
            best = group
    middles: dict[str, float] = {}
    for name, x, _, _ in best:
        middles.setdefault(name, x)
    points = [places[hit[1:3]] for hit in best]
    sheet.settle(points)
    taxed = bool({"tax", "tax_rate"} & set(middles))
    if len(middles) < 3 or not (taxed or "amount" in middles):
        return None
    height = sorted(hit[3] for hit in best)[len(best) // 2]
    row = sorted(sheet.row(*point) for point in points)[len(best) // 2]
    return Columns(row, height, _completed(middles) if taxed else middles)


def _completed(middles: Mapping[str, float]) -> dict[str, float]:
    """Put headings that were not read where they stand on the usual form, stretched to those that were."""
    known = sorted((usual, middles[name]) for name, usual in _USUAL.items() if name in middles)
    (u0, x0), (u1, x1) = known[0], known[-1]
    scale = (x1 - x0) / (u1 - u0)
    return {name: middles.get(name, x0 + (usual - u0) * scale) for name, usual in _USUAL.items()}


def rows_between(sheet: Sheet, top: float, bottom: float) -> list[list[Piece]]:
    """Give the cells standing between two rows, row by row, each from left to right."""
    cells = [
        (sheet.row_of(cell), cell)
        for piece in sheet.pieces
        if not piece.vertical
        for cell in piece.cells()
        if top < sheet.row_of(cell) < bottom
    ]
    rows: list[list[Piece]] = []
    last = -1e9
    for row, cell in sorted(cells, key=lambda pair: pair[0]):
        if rows and row - last < SAME_ROW * cell.place.height:
            rows[-1].append(cell)
            last = last + (row - last) / len(rows[-1])
        else:
            rows.append([cell])
            last = row
    return [sorted(row, key=lambda cell: cell.place.bounds[0]) for row in rows]


def lay(cells: Sequence[Piece], columns: Columns, names: Sequence[str]) -> dict[str, list[Piece]]:
    """Lay a row's cells into columns in order, at the least cost of distance and of unlikely content."""
    middles = [columns.middles[name] for name in names]
    steps = [abs(b - a) for a, b in itertools.pairwise(middles)] or [1.0]
    spread = [max(1.0, (steps[max(0, i - 1)] + steps[min(i, len(steps) - 1)]) / 2) for i in range(len(names))]
    best: dict[int, tuple[float, list[int]]] = {-1: (0.0, [])}  # last column filled -> least cost, each cell's column
    for cell in cells:
        x, text = cell.place.centre[0], cell.folded
        here = {j: (cost + _STRAY, [*path, -1]) for j, (cost, path) in best.items()}
        for i, name in enumerate(names):
            own = abs(x - middles[i]) / spread[i] + _unlikely(name, text)
            for j, (cost, path) in best.items():
                repeats = j == i and name in ("name", "spec")
                whole = cost + own + (_REPEATS if repeats else 0.0)
                if (j < i or repeats) and (i not in here or whole < here[i][0]):
                    here[i] = whole, [*path, i]
        best = here
    laid: dict[str, list[Piece]] = {}
    for cell, i in zip(cells, min(best.values(), key=lambda option: option[0])[1], strict=True):
        if i >= 0:
            laid.setdefault(names[i], []).append(cell)
    return laid


def _unlikely(column: str, text: str) -> float:
    """Give a cost, in column widths, of finding `text` in a column."""
    if any(character.isdigit() for character in text):
        text = text.strip(_DIRT)
    numeric = bool(_NUMBER.fullmatch(text))
    if column == "name":
        return 1.0 if numeric else 0.0
    if column == "spec":
        return 0.3
    if column == "unit":
        return 2.0 if numeric or len(text) > 4 else 0.0
    if column in ("quantity", "unit_price"):
        return 0.0 if numeric else 3.0
    if column == "amount":
        return 0.0 if _MONEY.fullmatch(text) else 1.0 if numeric else 4.0
    if column == "tax_rate":
        return 0.0 if _RATE.fullmatch(text) else 1.0 if len(text) <= 3 else 4.0
    return 0.0 if _MONEY.fullmatch(text) or STARS.fullmatch(text) else 1.0 if numeric else 4.0


def find_items(sheet: Sheet, columns: Columns, bottom: float) -> list[dict[str, Found]]:
    """Read the rows between the headings and `bottom`: an amount begins a row, words without one go on with it."""
    items: list[dict[str, list[Piece]]] = []
    names = columns.names
    rows = rows_between(sheet, columns.row + 0.6 * columns.height, bottom)
    _add_stacked_units(sheet, columns, rows)
    before = columns.row
    for row in rows:
        laid = lay(row, columns, names)
        place = sum(map(sheet.row_of, row)) / len(row)
        apart, before = place - before > _WRAP * columns.height, place
        if "amount" in laid or not items:
            if "amount" in laid and items and "amount" not in items[-1]:
                items[-1] |= {name: [*items[-1].get(name, ()), *cells] for name, cells in laid.items()}
            else:
                items.append(laid)
        elif apart:  # a table of another kind below the goods: travellers, building sites
            break
        else:
            for name in ("name", "spec"):
                if name in laid:
                    items[-1].setdefault(name, []).extend(laid[name])
    return [_parted(_as_found(laid)) for laid in items if "amount" in laid]


def _add_stacked_units(sheet: Sheet, columns: Columns, rows: Sequence[list[Piece]]) -> None:
    """Give rows their units of one character, which were read as one upright line: in order, else the nearest."""
    if "unit" not in columns.middles or not rows:
        return
    middle, reach = columns.middles["unit"], 2 * columns.height
    heights = [sum(map(sheet.row_of, row)) / len(row) for row in rows]
    for piece in sheet.pieces:
        if not piece.vertical or abs(piece.polygon.centre[0] - middle) > reach:
            continue
        top, bottom = (sheet.row(middle, y) for y in piece.polygon.bounds[1::2])
        beside = [i for i, height in enumerate(heights) if top < height < bottom]
        for n, cell in enumerate(piece.cells()):
            row = sheet.row_of(cell)
            nearest = min(range(len(rows)), key=lambda i: abs(heights[i] - row))
            i = beside[n] if len(beside) == len(piece.glyphs) else nearest
            if abs(heights[i] - row) < 2 * columns.height:
                rows[i].append(cell)
                rows[i].sort(key=lambda cell: cell.place.bounds[0])


def _as_found(laid: Mapping[str, Sequence[Piece]]) -> dict[str, Found]:
    row = {}
    for name, cells in laid.items():
        found = taken(cells[0])
        if len(cells) > 1:
            same_line = all(cell.line == cells[0].line for cell in cells)
            text = (" " if same_line or name == "spec" else "").join(cell.text for cell in cells)
            found = Found(text, text, cells[0], rest=tuple(cells[1:]))
        row[name] = replace(found, value=normal(name, found.text))
    return row


def _parted(row: dict[str, Found]) -> dict[str, Found]:
    """Part quantity and unit price that were read as one number, where one place alone makes their product right."""
    both = row.get("unit_price") or row.get("quantity")
    amount = number(row["amount"].value)
    if both is None or both.piece is None or {"unit_price", "quantity"} <= set(row) or not amount:
        return row
    text = both.piece.folded
    if not re.fullmatch(r"[\d.]{2,30}", text) or _is_price_alone(text, amount):
        return row
    places = [
        i for i in range(1, len(text)) if (q := number(text[:i])) and (p := number(text[i:])) and fits(q, p, amount)
    ]
    if len(places) != 1:
        return row
    left, right = both.piece.cut(0, places[0]), both.piece.cut(places[0])
    return {**row, "quantity": taken(left, left.folded), "unit_price": taken(right, right.folded)}


def _is_price_alone(text: str, amount: Decimal) -> bool:
    """Say whether a number is the price of so many whole pieces: 34.61 once is not 34.6 of 1, though that fits too."""
    price = number(text)
    pieces = round(amount / price) if price else 0
    return price is not None and pieces > 0 and fits(Decimal(pieces), price, amount)


def fits(quantity: Decimal, price: Decimal, amount: Decimal) -> bool:
    """Say whether quantity x price is the amount, as far as the places printed tell."""
    slack = Decimal("0.005") + (abs(quantity) * _last_place(price) + abs(price) * _last_place(quantity)) / 2
    return abs(quantity * price - amount) <= slack


def _last_place(value: Decimal) -> Decimal:
    """Give the unit of the last decimal printed; whole numbers are taken to be exact."""
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) and exponent < 0 else Decimal(0)


def normal(column: str, text: str) -> str:
    """Bring a cell to its normal form: plain numbers, cents, *** for no tax."""
    plain = number(text.strip(_DIRT))
    if column in ("amount", "tax") and plain is not None:
        return cents(plain)
    if column == "tax" and STARS.fullmatch(text):
        return "***"
    if column in ("quantity", "unit_price") and plain is not None:
        return str(plain)
    if column == "tax_rate":
        return "***" if STARS.fullmatch(text) else "".join(text.split())
    if column in ("unit", "spec"):
        return text.strip(_SPECKS) if text.count("[") == text.count("]") else text.strip(_SPECKS + "[]")
    if column == "name" and (found := _CLASS.match(text)):
        return f"*{found[1] or found[2]}*{text[found.end() :]}"
    return text

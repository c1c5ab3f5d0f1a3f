"""VAT invoices: the fields of special, ordinary, electronic and fully digital ones, by labels and relative places."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from shizi.fields.found import Form, Found, taken
from shizi.fields.items import STARS, Columns, find_columns, find_items, lay, rows_between
from shizi.fields.labels import COLONS, Valued, Vocabulary, find_labels, values_of
from shizi.fields.pieces import SAME_ROW, Piece, Sheet
from shizi.fields.values import CAPITAL_CHARACTERS, day, folded, from_capitals, money

VOCABULARY: Vocabulary = {
    "invoice_code": ("发票代码",),
    "invoice_number": ("发票号码",),
    "date": ("开票日期", "票日期:"),
    "check_code": ("校验码", "验码:"),
    "machine_number": ("机器编号", "机器号码", "器编号:"),
    "name": ("名称", "称:"),
    "tax_id": (
        "统一社会信用代码/纳税人识别号",
        "统一社会信用代码纳税人识别号",
        "纳税人识别号/统一社会信用代码",
        "统一社会信用代码",
        "纳税人识别号",
        "纳税人登记号",
        "识别号:",
        "别号:",
    ),
    "address_phone": ("地址、电话", "地址,电话", "地址电话", "地址.电话", "址、电话:", "、电话:", "电话:", "话:"),
    "bank_account": ("开户行及账号", "开户行及帐号", "开户银行及账号", "户行及账号:", "及账号:", "账号:", "行号:"),
    "buyer_name": ("购买方名称", "购方名称"),
    "buyer_tax_id": ("购买方纳税人识别号", "购买方税号"),
    "seller_name": ("销售方名称", "销方名称"),
    "seller_tax_id": ("销售方纳税人识别号", "销售方税号"),
    "total_in_words": ("价税合计(大写)", "价税合计大写", "税合计(大写)", "合计(大写)", "(大写)", "大写)"),
    "total": ("(小写)", "小写)", "(小写"),
    "payee": ("收款人",),
    "reviewer": ("复核人", "复核"),
    "drawer": ("开票人",),
    "!": (
        "货物或应税劳务、服务名称",
        "货物或应税劳务名称",
        "货物或应税劳务",
        "项目名称",
        "密码区",
        "备注",
        "销售方:(章)",
        "销售方(章)",
        "销售方:",
        "销货单位:(章)",
        "购买方:",
    ),
}
SIDED = ("name", "tax_id", "address_phone", "bank_account")
REACH = {"total": 14.0, "total_in_words": 9.0, "name": 6.0, "tax_id": 6.0}
LEFT_OUT = re.compile(r"发票专用章|样张|^\(?章\)?$|收款人|复核|开票人|销售方|销货单位")


def read_vat(sheet: Sheet, kind: str) -> Form:
    """Find the fields of a VAT invoice; `kind` as `kinds.find_kind` gives it."""
    form = Form(kind)
    valued = values_of(sheet, find_labels(sheet.pieces, VOCABULARY), REACH)
    columns = find_columns(sheet)
    for item in valued:
        if item.label.key not in SIDED and item.value is not None:
            _put(form, item.label.key, item.value)
    sided = _sides(sheet, valued, columns)
    for side, item in sided:
        if item.value is not None:
            _put(form, f"{side}_{item.label.key}", item.value)
    _rows_without_label(sheet, form, sided)
    _numbers_beside_title(sheet, form, columns)
    if columns is not None:
        _figures(sheet, form, columns)
    _total_without_label(sheet, form)
    _remarks(sheet, form, valued)
    return form


def _put(form: Form, name: str, piece: Piece) -> None:
    """Put a value in its normal form unless the name has a better one already."""
    found = normal(name, piece)
    if found is not None and not (name in form.values and form.values[name].value):
        form.values[name] = found


def normal(name: str, piece: Piece) -> Found | None:
    """Bring what stands at a label to the form of its field; None if it is no such value."""
    read = NORMAL.get(name.removeprefix("buyer_").removeprefix("seller_"))
    if read is not None:
        return read(piece)
    text = piece.text.strip(" ：；，。、_|☐☑☒" + COLONS)
    return Found(text, text, piece) if text else None


def _digits(piece: Piece) -> Found | None:
    """Take a number of digits only, whatever spaces stand in it."""
    found = re.search(r"\d[\d]{5,}", piece.folded)
    return _stretch(piece, found, found[0]) if found else None


def _tax_id(piece: Piece) -> Found | None:
    found = re.search(r"[0-9A-Za-z]{12,24}", piece.folded)
    return _stretch(piece, found, found[0].upper()) if found else None


def _day(piece: Piece) -> Found | None:
    value = day(piece.text)
    return taken(piece, value) if value else None


def _money(piece: Piece) -> Found | None:
    value = money(piece.text)
    return taken(piece, value) if value else None


def _words(piece: Piece) -> Found | None:
    """Take the capital numerals without what guards them on the left (a crossed circle, whatever it is read as)."""
    numeral = f"[{CAPITAL_CHARACTERS}圓貳]"
    found = re.search(f"{numeral}(?:.{{0,40}}{numeral})", piece.folded)  # one misread within is left to the repair
    if not found:
        return None
    # Written out, ten is 壹拾: a text that begins with 拾 says the same, and a lost 壹 changes no amount.
    return _stretch(piece, found, f"壹{found[0]}" if found[0].startswith("拾") else found[0])


def _stretch(piece: Piece, found: re.Match[str], value: str) -> Found:
    part = piece.cut(*found.span())
    return Found(value, part.text, part)


def _account(piece: Piece) -> Found | None:
    """Take a bank and its account; a sign behind the figures is of the cell beside (密码区 stands upright there)."""
    text = piece.text.strip(" ：；，。、" + COLONS)
    text = re.sub(r"(?<=\d{10})[^\d)）]$", "", text).rstrip()
    return Found(text, piece.text, piece) if text else None


NORMAL: dict[str, Callable[[Piece], Found | None]] = {
    "bank_account": _account,
    "invoice_code": _digits,
    "invoice_number": _digits,
    "check_code": _digits,
    "machine_number": _digits,
    "tax_id": _tax_id,
    "date": _day,
    "total": _money,
    "total_in_words": _words,
}


def _sides(sheet: Sheet, valued: Sequence[Valued], columns: Columns | None) -> list[tuple[str, Valued]]:
    """Tell buyer from seller: left from right where both stand on one row, else above from below the goods."""
    told = []
    for key in SIDED:
        group = [item for item in valued if item.label.key == key]
        if key == "name" and columns is not None:  # 名称 within the headings or the goods is no party's
            group = [item for item in group if abs(sheet.row(*item.label.at) - columns.row) > columns.height]
        places = [(sheet.row(*item.label.at), item.label.at[0], item) for item in group]
        if not places:
            continue
        if columns is not None:
            above = sorted((place for place in places if place[0] < columns.row), key=lambda place: place[0])
            below = sorted((place for place in places if place[0] > columns.row), key=lambda place: place[0])
        else:
            places.sort(key=lambda place: place[0])
            above, below = places[:1], places[1:]
        height = group[0].label.piece.polygon.height
        beside = [place for place in above if abs(place[0] - above[0][0]) < 1.5 * height]
        if len(beside) > 1 or (beside and not below and _is_right(sheet, beside[0][1])):
            for _, x, item in sorted(beside, key=lambda place: place[1]):
                told.append(("seller" if _is_right(sheet, x) else "buyer", item))
            continue
        told.extend(("buyer", place[2]) for place in above[:1])
        told.extend(("seller", place[2]) for place in below[:1])
    return told


def _rows_without_label(sheet: Sheet, form: Form, sided: Sequence[tuple[str, Valued]]) -> None:
    """Find address and bank, whose wide labels fall to pieces, by the even spacing of a party's four rows."""
    for side in ("buyer", "seller"):
        rows = {item.label.key: sheet.row(*item.label.at) for told, item in sided if told == side}
        places = [SIDED.index(key) for key in rows]
        if len(rows) < 2 or form.kind.startswith("digital"):
            continue
        first, last = min(places), max(places)
        step = (rows[SIDED[last]] - rows[SIDED[first]]) / (last - first)
        left = max(item.label.piece.place.bounds[0] for told, item in sided if told == side)
        for key in set(SIDED) - set(rows):
            row = rows[SIDED[first]] + (SIDED.index(key) - first) * step
            for piece in sheet.pieces:
                x = piece.place.bounds[0]
                colon = piece.folded.find(":")
                near = abs(sheet.row_of(piece) - row) < 0.35 * abs(step) and abs(x - left) < 20 * piece.polygon.height
                if near and not piece.vertical and 0 < colon < 8 and x < sheet.page.width / 2:
                    value = piece.cut(colon + 1)
                    if value.glyphs:
                        _put(form, f"{side}_{key}", value)


def _is_right(sheet: Sheet, x: float) -> bool:
    """Say whether x lies on the right half of what is printed."""
    left = min(piece.place.bounds[0] for piece in sheet.pieces)
    return x > (left + max(piece.place.bounds[2] for piece in sheet.pieces)) / 2


def _numbers_beside_title(sheet: Sheet, form: Form, columns: Columns | None) -> None:
    """Find code and number of paper forms, which stand without labels left and right of the title."""
    if "invoice_number" in form.values and ("invoice_code" in form.values or form.kind.startswith("digital")):
        return
    labels = [form.values[name].piece for name in ("buyer_name", "buyer_tax_id") if name in form.values]
    rows = [sheet.row_of(piece) for piece in labels if piece]
    bottom = min(rows, default=columns.row - 6 * columns.height if columns else sheet.page.height * 0.35)
    known = {found.piece.line for found in form.values.values() if found.piece}
    above = [piece for piece in sheet.pieces if not piece.vertical and sheet.row_of(piece) < bottom - 2]
    candidates: dict[str, list[tuple[float, Found]]] = {"invoice_code": [], "invoice_number": []}
    for piece in above:
        if piece.line in known:
            continue
        for cell in piece.cells():
            found = re.fullmatch(r"(?:N[o0°º]?|№)?\.?:?(\d{8}|\d{10}|\d{12})", cell.folded, re.IGNORECASE)
            if found:
                name = "invoice_number" if len(found[1]) == 8 else "invoice_code"
                part = cell.cut(*found.span(1))
                candidates[name].append((part.polygon.height, Found(found[1], part.text, part)))
    for name, options in candidates.items():
        if options and name not in form.values:
            form.values[name] = max(options, key=lambda option: option[0])[1]  # the largest print


def _figures(sheet: Sheet, form: Form, columns: Columns) -> None:
    """Read the rows of goods, and amount and tax from the row of their sums."""
    form.columns = columns.middles
    bottom = _sum_row(sheet, columns)
    limit = _end_row(sheet, form, columns)
    if bottom is None:
        form.items = find_items(sheet, columns, limit - 0.6 * columns.height)
        return
    form.items = find_items(sheet, columns, bottom - 0.75 * columns.height)
    names = [name for name in ("amount", "tax") if name in columns.middles]
    wanted = [
        cell
        for row in rows_between(sheet, bottom - 0.8 * columns.height, min(limit, bottom + 0.8 * columns.height))
        for cell in row
        if money(cell.text) or STARS.fullmatch(cell.folded)
    ]
    wanted.sort(key=lambda cell: cell.place.bounds[0])
    for name, cells in lay(wanted[-2:], columns, names).items():
        value = money(cells[0].text) or "***"
        form.values[name] = Found(value, cells[0].text, cells[0])


def _sum_row(sheet: Sheet, columns: Columns) -> float | None:
    """Find the row 合计 under the goods, or, where its label is lost, the first one with marked amounts."""
    for piece in sheet.pieces:
        text = piece.folded
        row = sheet.row_of(piece)
        if row > columns.row + columns.height and text and re.match(r"合?计?$|合计[¥￥\d]|小计$", text):
            return row
    marked = [
        sheet.row_of(cell)
        for piece in sheet.pieces
        if not piece.vertical and "小写" not in piece.folded
        for cell in piece.cells()
        if re.match(r"[¥￥]\d", cell.folded) and sheet.row_of(cell) > columns.row
    ]
    return min(marked, default=None)


def _end_row(sheet: Sheet, form: Form, columns: Columns) -> float:
    """Give the row on which the total stands: goods and sums end above."""
    rows = [
        sheet.row_of(found.piece)
        for name in ("total_in_words", "total")
        if (found := form.values.get(name)) and found.piece
    ]
    rows = [row for row in rows if row > columns.row]
    return min(rows) - 0.6 * columns.height if rows else float(sheet.page.height)


def _total_without_label(sheet: Sheet, form: Form) -> None:
    """Take the amount on the row of the capital numerals where (小写) could not be read."""
    words = form.values.get("total_in_words")
    if words is None:
        known = (f for piece in sheet.pieces if not piece.vertical and (f := _words(piece)))
        found = next((f for f in known if from_capitals(f.value) is not None), None)
        if found is not None:
            form.values["total_in_words"] = words = found
    if "total" in form.values or words is None or words.piece is None:
        return
    row, right = sheet.row_of(words.piece), words.piece.place.bounds[2]
    for piece in sheet.pieces:
        if piece.vertical or piece.place.bounds[0] < right:
            continue
        if abs(sheet.row_of(piece) - row) < SAME_ROW * piece.polygon.height and money(piece.text):
            form.values["total"] = taken(piece, money(piece.text))


def _remarks(sheet: Sheet, form: Form, valued: Sequence[Valued]) -> None:
    """Take the lines in the box to the right of 备注; on the rows between the total and the drawer."""
    heading = next((piece for piece in sheet.pieces if piece.folded in ("备注", "备", "注")), None)
    ends = [sheet.row(*item.label.at) for item in valued if item.label.key in ("drawer", "payee", "reviewer")]
    totals = [found.piece for n in ("total", "total_in_words") if (found := form.values.get(n)) and found.piece]
    starts = [sheet.row_of(piece) + 0.5 * piece.place.height for piece in totals]
    if heading is not None:
        left, top, right, bottom = heading.polygon.bounds
        size = right - left
        middle = sheet.row(*heading.polygon.centre)
        reach = max((bottom - top) * 0.75, (2.2 if len(heading.glyphs) > 1 else 3.5) * size)
        low = min((end - 0.8 * size for end in ends if end > middle), default=middle + reach)
        high = max((start for start in starts if start < middle), default=middle - reach)
        low, high = min(low, middle + reach), max(high, middle - reach)
        begins, after = right - 0.3 * size, right
    else:  # overlooked: its box is all that stands there on digital forms, on others it is the right one
        size = max((piece.place.height for piece in totals), default=0.0)
        high, low = max(starts, default=0.0), min((end for end in ends if starts and end > max(starts)), default=0.0)
        low -= 0.8 * size
        begins = after = _left_of_remarks(sheet, form)
    lines = [
        piece
        for piece in sheet.pieces
        if piece.place.bounds[0] > begins
        and piece.place.centre[0] > after
        and high < sheet.row_of(piece) < low
        and not piece.vertical
        and not _is_seal(piece, form)
    ]
    if lines:
        lines.sort(key=sheet.row_of)
        text = "\n".join(piece.text for piece in lines)
        form.values["remarks"] = Found(text, text, lines[0], rest=tuple(lines[1:]))


def _left_of_remarks(sheet: Sheet, form: Form) -> float:
    """Give from where to the right remarks stand on a form whose heading 备注 was not seen."""
    if form.kind.startswith("digital"):
        return 0.0
    price, amount = form.columns.get("unit_price"), form.columns.get("amount")
    return float(sheet.page.width) if price is None or amount is None else price + 0.3 * (amount - price)


def _is_seal(piece: Piece, form: Form) -> bool:
    """Say whether a line belongs to the seller's seal rather than to the remarks."""
    text = folded(piece.text)
    seller = form.value("seller_tax_id")
    name = folded(form.value("seller_name"))
    tax_id = re.fullmatch(r"[0-9A-Z]{15,20}", text) and (not seller or _alike(text, seller))
    part_of_name = len(text) >= 2 and text in name
    return bool(LEFT_OUT.search(text) or tax_id or part_of_name or len(text) < 2 or piece.confidence < 0.4)


def _alike(a: str, b: str) -> bool:
    same = sum(x == y for x, y in zip(a, b, strict=False))
    return same >= 0.6 * max(len(a), len(b))

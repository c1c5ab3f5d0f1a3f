"""Tickets and receipts: train tickets, taxi receipts, machine-printed receipts."""

from __future__ import annotations

import re
from collections.abc import Callable

from shizi.fields.found import Form, Found, taken
from shizi.fields.items import find_columns, find_items
from shizi.fields.labels import COLONS, Vocabulary, find_labels, values_of
from shizi.fields.pieces import SAME_ROW, Piece, Sheet
from shizi.fields.values import CAPITAL_CHARACTERS, clock, day, folded, from_capitals, money

SEAT_CLASSES = (
    "商务座|特等座|优选一等座|一等座|二等座|高级软卧|高级动卧|一等卧|二等卧|动卧|新空调硬座|新空调软座|新空调硬卧|"
    "新空调软卧|硬座|软座|硬卧|软卧"
)
_MONEY = re.compile(r"[¥￥Y]?(\d{1,6}(?:\.\d{1,2})?)元?")

TAXI: Vocabulary = {
    "invoice_code": ("发票代码", "代码"),
    "invoice_number": ("发票号码", "号码"),
    "vehicle_number": ("车牌号码", "车牌号", "车辆号牌", "车号", "车牌"),
    "driver_number": ("驾驶员证号", "资格证号", "服务证号", "监督卡号", "证号", "工号"),
    "date": ("乘车日期", "日期"),
    "board_time": ("上车时间", "上车"),
    "alight_time": ("下车时间", "下车"),
    "times": ("乘车时间", "时间"),
    "unit_price": ("单价",),
    "distance": ("计费里程", "行驶里程", "里程数", "里程"),
    "waiting_time": ("等候时间", "等候", "候时"),
    "total": ("实收金额", "合计金额", "总金额", "总额", "金额", "合计"),
    "seller_name": ("单位名称", "公司名称", "单位"),
    "!": ("电话", "投诉电话", "监督电话", "状态", "燃油附加费", "附加费", "卡号"),
}
MACHINE: Vocabulary = {
    "invoice_code": ("发票代码",),
    "invoice_number": ("发票号码",),
    "machine_number": ("机器编号", "机器号码"),
    "check_code": ("校验码", "防伪码"),
    "date": ("开票日期", "日期"),
    "seller_name": ("销售方名称", "收款单位名称", "收款单位", "收款方名称", "收款方", "销售方", "商户名称"),
    "seller_tax_id": ("销售方纳税人识别号", "收款方识别号", "纳税人识别号", "识别号", "税号"),
    "buyer_name": ("购买方名称", "付款单位名称", "付款单位", "付款方名称", "付款方", "购买方"),
    "buyer_tax_id": ("购买方税号", "付款方识别号", "购买方纳税人识别号"),
    "payee": ("收款员", "收款人", "开票人"),
    "total": ("合计金额(小写)", "金额合计(小写)", "合计(小写)", "(小写)", "小写", "合计金额", "总计"),
    "total_in_words": ("合计金额(大写)", "金额合计(大写)", "合计(大写)", "(大写)", "大写"),
    "!": ("机打号码", "机打代码", "项目", "品名", "合计"),
}


def read_train(sheet: Sheet, kind: str) -> Form:
    """Find the fields of a train ticket, paper or electronic, by what each looks like."""
    form = Form(kind)
    pieces = [piece for piece in sheet.pieces if not piece.vertical]
    _look(form, pieces, "ticket_number", r"(?<![0-9A-Z])\d{0,4}[A-Z]\d{6}(?!\d)")
    _look(form, pieces, "serial_number", r"(?<!\d)\d{10,16}[A-Z]\d{6}(?!\d)")
    _look(form, pieces, "time", r"(?<!\d)\d{1,2}:\d\d(?=开|$|[^\d])", clock)
    _look(form, pieces, "seat", r"\d{1,2}车(?:厢)?(?:无座|[0-9A-Z]{1,4}号?(?:[上中下]铺)?)")
    _look(form, pieces, "seat_class", SEAT_CLASSES)
    _look(form, pieces, "total", r"[¥￥Y]\d{1,5}(?:\.\d{1,2})?(?!\d|[.:,;]\d)", money)
    _look(form, pieces, "total", r"(?<![\d.:,;])\d{1,5}\.\d{1,2}(?=元)", money)
    if kind == "train_electronic":
        _electronic(sheet, form)
    _travel_date(sheet, form, pieces)
    _stations(sheet, form, pieces)
    return form


def _look(
    form: Form, pieces: list[Piece], name: str, wanted: str, value: Callable[[str], str] = lambda text: text
) -> None:
    """Put the first stretch that looks like `wanted`, unless the field is known."""
    for piece in pieces:
        found = re.search(wanted, piece.folded)
        if found and name not in form.values:
            part = piece.cut(*found.span())
            if value(found[0]):
                form.values[name] = Found(value(found[0]), part.text, part)


def _electronic(sheet: Sheet, form: Form) -> None:
    """Add what only the electronic invoice prints: its number, the buyer, the number of the ticket."""
    form.values.pop("ticket_number", None)
    form.values.pop("serial_number", None)
    vocabulary: Vocabulary = {
        "invoice_number": ("发票号码",),
        "ticket_number": ("电子客票号",),
        "buyer_name": ("购买方名称",),
        # 社会信用代码: its first characters are misread where a long name before it touches them
        "buyer_tax_id": ("统一社会信用代码", "社会信用代码", "纳税人识别号"),
        "total": ("票价",),
        "!": ("开票日期",),
    }
    for item in values_of(sheet, find_labels(sheet.pieces, vocabulary), {}):
        if item.value is None:
            continue
        text = item.value.folded.strip(COLONS)
        value = money(text) if item.label.key == "total" else item.value.text.strip(" " + COLONS)
        if value:
            form.values[item.label.key] = Found(value, item.value.text, item.value)


def _travel_date(sheet: Sheet, form: Form, pieces: list[Piece]) -> None:
    """Take the date that stands on the row of the time: other dates are those of issue."""
    departs = form.values.get("time")
    row = sheet.row_of(departs.piece) if departs and departs.piece else None
    dated = []
    for piece in pieces:
        found = re.search(r"\d{4}年\d{1,2}月\d{1,2}日", piece.folded)
        if found:
            part = piece.cut(*found.span())
            dated.append((abs(sheet.row_of(part) - row) if row is not None else 0.0, part))
    if dated:
        part = min(dated, key=lambda pair: pair[0])[1]
        form.values["date"] = Found(day(part.text), part.text, part)


def _stations(sheet: Sheet, form: Form, pieces: list[Piece]) -> None:
    """Find the two stations and the train between them: the names before 站, or beside one standing alone."""
    found: list[tuple[float, float, Found]] = []
    for piece in pieces:
        for match in re.finditer(r"([\u4e00-\u9fff]{2,7}?)站", piece.folded):
            part = piece.cut(*match.span(1))
            found.append((*_spot(sheet, part), Found(match[1], part.text, part)))
        if piece.folded == "站":
            found.extend(_spelled_before(sheet, piece, pieces))
    best: list[tuple[float, float, Found]] = []
    for _, row, known in found:
        height = known.piece.polygon.height if known.piece else 1.0
        group = [other for other in found if abs(other[1] - row) < 0.8 * height]
        if len(group) > len(best):
            best = group
    best = sorted(best, key=lambda item: item[0])[:2]
    if len(best) == 2:
        form.values["departure_station"], form.values["arrival_station"] = best[0][2], best[1][2]
    _train_number(sheet, form, pieces, best)


def _spot(sheet: Sheet, piece: Piece) -> tuple[float, float]:
    return piece.place.centre[0], sheet.row_of(piece)


def _spelled_before(sheet: Sheet, mark: Piece, pieces: list[Piece]) -> list[tuple[float, float, Found]]:
    """Join the characters spread out to the left of a lone 站."""
    height, row, edge = mark.polygon.height, sheet.row_of(mark), mark.place.bounds[0]
    parts: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: -piece.place.bounds[2]):
        size = max(height, piece.polygon.height)
        gap = edge - piece.place.bounds[2]
        if abs(sheet.row_of(piece) - row) < SAME_ROW * size and -0.5 * size < gap < 2.5 * size and piece is not mark:
            if not re.fullmatch(r"[\u4e00-\u9fff]+", piece.folded):
                break
            parts.insert(0, piece)
            edge = piece.place.bounds[0]
    text = "".join(part.folded for part in parts)
    return [(*_spot(sheet, parts[0]), Found(text, text, parts[0], rest=tuple(parts[1:])))] if len(text) >= 2 else []


def _train_number(sheet: Sheet, form: Form, pieces: list[Piece], stations: list[tuple[float, float, Found]]) -> None:
    row = stations[0][1] if stations else None
    for piece in pieces:
        match = re.search(r"(?<![A-Z0-9])(?:[GDCZTKYLSP]\d{1,4}|\d{4})(?![0-9A-Z年])", piece.folded)
        if not match:
            continue
        part = piece.cut(*match.span())
        near = row is None or abs(sheet.row_of(part) - row) < 1.2 * part.polygon.height
        if near and (match[0][0].isalpha() or row is not None) and "train_number" not in form.values:
            form.values["train_number"] = Found(match[0], part.text, part)


def read_taxi(sheet: Sheet) -> Form:
    """Find the fields of a taxi receipt."""
    form = Form("taxi")
    for item in values_of(sheet, find_labels(sheet.pieces, TAXI), dict.fromkeys(TAXI, 9.0)):
        if item.value is not None:
            _taxi_value(form, item.label.key, item.value)
    if "seller_name" not in form.values:
        _look(form, [p for p in sheet.pieces if not p.vertical], "seller_name", r"[\u4e00-\u9fff]{4,}公司")
    return form


def _taxi_value(form: Form, key: str, piece: Piece) -> None:
    text = folded(piece.text).strip(COLONS)
    if key == "times":
        found = re.findall(r"\d{1,2}:\d\d", text)
        for name, value in zip(("board_time", "alight_time"), found if len(found) == 2 else (), strict=False):
            form.values.setdefault(name, taken(piece, clock(value)))
        return
    normal = _TAXI_NORMAL.get(key)
    value = normal(piece.text.strip(" " + COLONS) if key == "date" else text) if normal else text
    if value and key not in form.values:
        form.values[key] = taken(piece, value)


def _plain_money(text: str) -> str:
    found = _MONEY.search(text)
    return money(found[1]) if found else ""


def _first_number(text: str) -> str:
    found = re.search(r"\d+(?:\.\d+)?", text)
    return found[0] if found else ""


def _only_digits(text: str) -> str:
    return text if text.isdigit() else ""


def _letters_and_digits(text: str) -> str:
    return re.sub(r"[^\w]", "", text)


_TAXI_NORMAL: dict[str, Callable[[str], str]] = {
    "date": day,
    "board_time": clock,
    "alight_time": clock,
    "total": _plain_money,
    "unit_price": _first_number,
    "distance": _first_number,
    "invoice_code": _only_digits,
    "invoice_number": _only_digits,
    "vehicle_number": _letters_and_digits,
}


def read_machine(sheet: Sheet, kind: str) -> Form:
    """Find the fields of a machine-printed receipt, on a roll or a sheet."""
    form = Form(kind)
    labels = find_labels(sheet.pieces, MACHINE)
    for item in values_of(sheet, labels, dict.fromkeys(MACHINE, 8.0)):
        if item.value is not None and item.label.key not in form.values:
            _machine_value(form, item.label.key, item.value)
    columns = find_columns(sheet)
    if columns is not None:
        ends = [sheet.row(*label.at) for label in labels if label.key in ("total", "total_in_words")]
        ends += [sheet.row(*label.at) for label in labels if label.piece.folded.startswith("合计")]
        below = [end for end in ends if end > columns.row]
        if below:
            form.items = find_items(sheet, columns, min(below) - 0.6 * columns.height)
    return form


def _machine_value(form: Form, key: str, piece: Piece) -> None:
    text = piece.text.strip(" " + COLONS)
    if key == "total_in_words":
        found = re.search(f"[{CAPITAL_CHARACTERS}]{{2,}}", piece.folded)
        value = found[0] if found and from_capitals(found[0]) is not None else ""
    else:
        plain = folded(text)
        value = {
            "date": lambda: day(text),
            "total": lambda: _plain_money(plain),
            "invoice_code": lambda: _only_digits(plain),
            "invoice_number": lambda: _only_digits(plain),
            "machine_number": lambda: _only_digits(plain),
            "check_code": lambda: _only_digits(plain),
            "seller_tax_id": plain.upper,
            "buyer_tax_id": plain.upper,
        }.get(key, lambda: text)()
    if value:
        form.values[key] = taken(piece, value)

"""Invoices: specimen Chinese VAT invoices, tickets and receipts, drawn as printed, with all they say.

`specimen(seed, kind, condition)` gives a picture and its truth. The words are of this folder's own, apart from what
any recogniser trains on; every seal says specimen (样张).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from forms import truth
from forms.paper import BLACK, RED, Ink, Sheet, worn
from forms.truth import Form, pick

COLOURS: tuple[Ink, ...] = ((150, 75, 25), (140, 60, 30), (60, 60, 130), (30, 110, 80), (40, 40, 45))
BLUE: Ink = (40, 60, 150)


@dataclass(frozen=True, slots=True)
class Specimen:
    """One drawn form: its picture, kind, condition, truth, and which printed figure was falsified ('' = none)."""

    picture: Image.Image
    kind: str
    condition: str
    fields: dict[str, Any]
    falsified: str = ""


TICKETS = ("train_red", "train_blue", "train_electronic", "taxi", "machine")
KINDS = (*truth.VAT_KINDS, *TICKETS)


def specimen(seed: int, kind: str, condition: str, falsified: bool = False) -> Specimen:
    """Draw one form; the same arguments give the same picture. Only VAT invoices are falsified."""
    rng = np.random.default_rng([seed, KINDS.index(kind), 77])
    wrong = ""
    if kind in truth.VAT_KINDS:
        form = truth.vat_invoice(rng, kind)
        code = form.pop("code")
        if falsified:
            wrong = truth.falsify(form, rng)
        draw = _digital if kind.startswith("digital") else _classic
        sheet = draw(form, code, kind, rng)
    elif kind == "taxi":
        form = truth.taxi_receipt(rng)
        sheet = _taxi(form, rng)
    elif kind == "machine":
        form = truth.machine_receipt(rng)
        sheet = _machine(form, rng)
    else:
        form = truth.train_ticket(rng)
        sheet = _train_electronic(form, rng) if kind == "train_electronic" else _train(form, kind == "train_red", rng)
    fields = {name: value for name, value in form.items() if value}
    return Specimen(worn(sheet.picture, condition, rng), kind, condition, fields, wrong)


def _day(date: str) -> str:
    year, month, day = date.split("-")
    return f"{year}年{month}月{day}日"


def _classic(form: Form, code: str, kind: str, rng: np.random.Generator) -> Sheet:
    """Draw the ruled form of 2014 to 2024: paper (dot-matrix printed) or electronic."""
    paper = kind in ("special", "ordinary")
    scale = float(rng.uniform(5.0, 8.0))
    colour = pick(rng, COLOURS[:4] if paper else COLOURS)
    face = pick(rng, ("kai", "song", "hei"))
    sheet, ink = Sheet(240, 140, scale), Sheet(240, 140, scale)
    typed = pick(rng, ("song", "song", "hei")) if paper else pick(rng, ("song", "hei", "sans"))
    size = float(rng.uniform(3.1, 3.6))
    place = pick(rng, truth.CITIES)
    title = place + form["invoice_type"]
    # the rules
    left, right = 10.0, 230.0
    tops = {"buyer": 30.0, "items": 52.0, "total": 92.0, "seller": 100.0, "end": 122.0}
    for y in tops.values():
        sheet.line(left, y, right, y, colour)
    for x in (left, right):
        sheet.line(x, tops["buyer"], x, tops["end"], colour)
    for top, bottom in ((tops["buyer"], tops["items"]), (tops["seller"], tops["end"])):
        for x in (17, 136, 143):
            sheet.line(x, top, x, bottom, colour)
    columns = [10, 66, 88, 100, 121, 146, 175, 190, 230]
    for x in columns[1:-1]:
        sheet.line(x, tops["items"], x, tops["total"], colour)
    sheet.line(66, tops["total"], 66, tops["seller"], colour)
    # what the form itself says
    sheet.text(120, 13, title, 7.6 if len(title) < 12 else 6.6, face, colour, "mm")
    for y in (18.6, 19.6):
        sheet.line(82, y, 158, y, colour, 0.3)
    arc = "全国统一发票监制章"
    sheet.seal(120, 20, arc, ("样张", "税务局"), (15, 9.5), RED)
    sheet.down(13.5, 31, 51, pick(rng, ("购买方", "购货单位")), 3.4, face, colour)
    sheet.down(13.5, 101, 121, pick(rng, ("销售方", "销货单位")), 3.4, face, colour)
    sheet.down(139.5, 31, 51, "密码区", 3.4, face, colour)
    sheet.down(139.5, 103, 119, "备注", 3.4, face, colour)
    names = (
        "名称",
        pick(rng, ("纳税人识别号", "纳税人识别号", "统一社会信用代码/纳税人识别号")),
        "地址、电话",
        "开户行及账号",
    )
    wide = 3.1 if len(names[1]) > 10 else 3.4
    for side, top in (("buyer", tops["buyer"]), ("seller", tops["seller"])):
        for i, (label, name) in enumerate(zip(names, ("name", "tax_id", "address_phone", "bank_account"), strict=True)):
            y = top + 3.2 + 5.2 * i
            ends = 19 + max(6 * 3.4, sheet.width(names[1], wide, face))
            step = wide if label == names[1] else 3.4
            sheet.spread(19, ends, y, label, step, face, colour)
            sheet.text(ends + 0.2, y, pick(rng, (":", "：")), 3.4, face, colour)
            _fit(ink, ends + 2.5, y, form[f"{side}_{name}"], size * (1.15 if name == "tax_id" else 1), typed, 135)
    heads = (
        pick(rng, ("货物或应税劳务、服务名称", "货物或应税劳务名称")),
        "规格型号",
        "单位",
        "数 量",
        "单 价",
        "金 额",
        "税率",
        "税 额",
    )
    for head, x0, x1 in zip(heads, columns, columns[1:], strict=False):
        sheet.text((x0 + x1) / 2, tops["items"] + 3, head, 3.2, face, colour, "mm")
    for i, row in enumerate(form["items"]):
        y = tops["items"] + 8.6 + 5.2 * i
        _row(ink, row, y, columns, size, typed)
    sheet.spread(24, 46, 88.5, "合计", 3.5, face, colour)
    mark = "￥" if typed == "song" else pick(rng, ("¥", "￥"))  # the Song typeface lacks the narrow sign
    ink.text(174, 88.5, mark + form["amount"], size, typed, BLACK, "rm")
    ink.text(229, 88.5, form["tax"] if form["tax"] == "***" else mark + form["tax"], size, typed, BLACK, "rm")
    sheet.text(38, 96, pick(rng, ("价税合计(大写)", "价税合计（大写）")), 3.6, face, colour, "mm")
    _words(ink, 70, 96, form["total_in_words"], size * 1.05, typed)
    sheet.text(165, 96, pick(rng, ("(小写)", "（小写）")), 3.5, face, colour, "lm")
    ink.text(180, 96, mark + form["total"], size * 1.1, typed)
    # what the printer adds
    if form["remarks"]:
        _fit(ink, 145, 104, form["remarks"], size, typed, 200)
    for x, label, name in ((22, "收款人", "payee"), (75, "复核", "reviewer"), (125, "开票人", "drawer")):
        end = sheet.text(x, 127, label + pick(rng, (":", "：")), 3.4, face, colour)
        ink.text(end + 1, 127, form[name], size, typed)
    sheet.text(178, 127, "销售方:(章)", 3.4, face, colour)
    for i in range(4):
        cipher = "".join(pick(rng, "0123456789<>/+-*") for _ in range(27))
        ink.text(146, 33.4 + 5 * i, cipher, 3.9, "mono")
    if paper:
        sheet.text(30, 12, form["invoice_code"], 6.2, "latin", (60, 60, 70))
        end = sheet.text(170, 12, pick(rng, ("№ ", "No ")), 6.0, "latin", colour)
        sheet.text(end, 12, form["invoice_number"], 7.0, "latin", BLUE)
        ink.text(212, 11, form["invoice_code"], 3.2, typed)
        ink.text(212, 15, form["invoice_number"], 3.2, typed)
        end = sheet.text(178, 24, "开票日期" + pick(rng, (":", "：")), 3.5, face, colour)
        ink.text(end + 1, 24, _day(form["date"]), size, typed)
        if form["check_code"]:
            end = ink.text(30, 24, "校验码 ", size, typed)
            ink.text(end, 24, _fives(form["check_code"]), size, typed)
        if form["machine_number"]:
            end = sheet.text(30, 28, "机器编号:", 3.2, face, colour)
            ink.text(end + 1, 28, form["machine_number"], size, typed)
        sheet.down(234, 45, 95, "第三联:发票联购买方记账凭证", 2.4, face, colour)
    else:
        labels = [
            ("发票代码", "invoice_code"),
            ("发票号码", "invoice_number"),
            ("开票日期", "date"),
            ("校验码", "check_code"),
        ]
        for i, (label, name) in enumerate(labels):
            y = 8 + 5.4 * i
            sheet.spread(176, 176 + 4 * 3.4, y, label, 3.4, face, colour)
            end = sheet.text(176 + 4 * 3.4 + 0.2, y, pick(rng, (":", "：")), 3.4, face, colour)
            value = _fives(form[name]) if name == "check_code" else form[name]
            if name == "date":
                value = _day(value) if rng.random() < 0.6 else value.replace("-", "  ")
            ink.text(end + 1, y, value, size, typed)
        if form["machine_number"]:
            end = sheet.text(12, 27, "机器编号" + pick(rng, (":", "：")), 3.3, face, colour)
            ink.text(end + 1, 27, form["machine_number"], size, typed)
    ink.code(11.5 if not paper else 9, 4, 19 if not paper else 17, code)
    shift = (float(rng.uniform(-1.2, 1.2)), float(rng.uniform(-1.0, 1.0))) if paper else (0.0, 0.0)
    sheet.paste_print(ink, shift, dots=paper and rng.random() < 0.7)
    seal = (form["seller_tax_id"], "发票专用章") if not paper or rng.random() < 0.8 else ("样张",)
    spot = (205 + float(rng.uniform(-12, 8)), 117 + float(rng.uniform(-9, 5)))
    sheet.seal(*spot, form["seller_name"], seal, (19, 13), RED)
    return sheet


def _row(ink: Sheet, row: Form, y: float, columns: list[float], size: float, face: str) -> None:
    """Print one row of goods into the columns: words on the left, figures on the right."""
    names = ("name", "spec", "unit", "quantity", "unit_price", "amount", "tax_rate", "tax")
    for name, x0, x1 in zip(names, columns, columns[1:], strict=False):
        value = row[name]
        fits = min(size, size * (x1 - x0 - 1.5) / max(1, ink.width(value, size, face)))
        if name in ("name", "spec"):
            ink.text(x0 + 0.8, y, value, fits, face)
        elif name in ("unit", "tax_rate"):
            ink.text((x0 + x1) / 2, y, value, fits, face, BLACK, "mm")
        else:
            ink.text(x1 - 0.9, y, value, fits, face, BLACK, "rm")


def _fit(ink: Sheet, x: float, y: float, text: str, size: float, face: str, right: float) -> None:
    ink.text(x, y, text, min(size, size * (right - x) / max(1, ink.width(text, size, face))), face)


def _words(ink: Sheet, x: float, y: float, words: str, size: float, face: str) -> None:
    """Write capital numerals behind the crossed circle that guards them."""
    r, cx, cy = size * 0.45, x, y
    ink.text(x + size, y, words, size, face)
    for dx, dy in ((1, 1), (1, -1)):
        ink.line(cx - 0.7 * r * dx, cy - 0.7 * r * dy, cx + 0.7 * r * dx, cy + 0.7 * r * dy, BLACK, 0.25)
    steps = np.linspace(0, 2 * np.pi, 25)
    for a, b in itertools.pairwise(steps):
        ink.line(cx + r * np.cos(a), cy + r * np.sin(a), cx + r * np.cos(b), cy + r * np.sin(b), BLACK, 0.25)


def _fives(code: str) -> str:
    return " ".join(code[i : i + 5] for i in range(0, len(code), 5))


def _digital(form: Form, code: str, kind: str, rng: np.random.Generator) -> Sheet:
    """Draw the fully digital invoice of 2021 on: buyer beside seller, no columns ruled."""
    scale = float(rng.uniform(5.5, 8.5))
    sheet = Sheet(210, 140, scale)
    colour = pick(rng, ((140, 50, 40), (128, 0, 0), (150, 70, 40)))
    face, typed = pick(rng, (("song", "song"), ("kai", "song"), ("serif", "sans"), ("hei", "hei"))), "song"
    face, typed = face
    size = float(rng.uniform(3.1, 3.5))
    sheet.text(105, 14, form["invoice_type"], 6.4, face, colour, "mm")
    for y in (19.6, 20.6):
        sheet.line(68, y, 142, y, colour, 0.3)
    sheet.seal(105, 20, "全国统一发票监制章", ("样张", "税务局"), (14, 9), RED)
    sheet.code(12, 5, 19, code)
    for y, label, value in ((14, "发票号码", form["invoice_number"]), (21, "开票日期", _day(form["date"]))):
        end = sheet.text(148, y, label + pick(rng, ("：", ":")), 3.4, face, colour)
        sheet.text(end + 0.5, y, value, size, typed)
    left, right, tops = 8.0, 202.0, (30.0, 52.0, 93.0, 101.0, 124.0)
    for y in tops:
        sheet.line(left, y, right, y, colour)
    for x in (left, right):
        sheet.line(x, tops[0], x, tops[-1], colour)
    for x in (14, 105, 111):
        sheet.line(x, tops[0], x, tops[1], colour)
    sheet.line(14, tops[3], 14, tops[4], colour)
    sheet.line(56, tops[2], 56, tops[3], colour)
    label = pick(rng, ("统一社会信用代码/纳税人识别号", "统一社会信用代码/纳税人识别号", "纳税人识别号"))
    colon = pick(rng, ("：", ":"))
    for side, x, words in (("buyer", 16.0, "购买方信息"), ("seller", 113.0, "销售方信息")):
        sheet.down(x - 5, tops[0] + 0.5, tops[1] - 0.5, words, 3.2, face, colour)
        for y, name, value in ((36, "名称", f"{side}_name"), (46, label, f"{side}_tax_id")):
            end = sheet.text(x, y, name + colon, 3.2, face, colour)
            _fit(sheet, end + 0.5, y, form[value], size, typed, x + 88)
    columns = [8, 56, 78, 92, 109, 130, 156, 176, 202]
    heads = ("项目名称", "规格型号", "单 位", "数 量", "单 价", "金 额", "税率/征收率", "税 额")
    for head, x0, x1 in zip(heads, columns, columns[1:], strict=False):
        sheet.text((x0 + x1) / 2, 55, head, 3.1, face, colour, "mm")
    for i, row in enumerate(form["items"]):
        _row(sheet, row, 60.5 + 5.2 * i, columns, size, typed)
    sheet.spread(22, 42, 89, "合计", 3.4, face, colour)
    mark = "￥" if typed == "song" else "¥"
    sheet.text(155, 89, mark + form["amount"], size, typed, BLACK, "rm")
    sheet.text(201, 89, form["tax"] if form["tax"] == "***" else mark + form["tax"], size, typed, BLACK, "rm")
    sheet.text(32, 97, "价税合计（大写）", 3.4, face, colour, "mm")
    _words(sheet, 60, 97, form["total_in_words"], size * 1.05, typed)
    end = sheet.text(140, 97, "（小写）", 3.4, face, colour)
    sheet.text(end + 1, 97, mark + form["total"], size * 1.05, typed)
    sheet.down(11, 104, 121, "备注", 3.3, face, colour)
    if form["remarks"]:
        _fit(sheet, 16, 105, form["remarks"], size, typed, 150)
    end = sheet.text(22, 129, "开票人" + colon, 3.3, face, colour)
    sheet.text(end + 1, 129, form["drawer"], size, typed)
    return sheet


def _train(form: Form, red: bool, rng: np.random.Generator) -> Sheet:
    """Draw a paper train ticket, red (soft) or blue (magnetic)."""
    scale = float(rng.uniform(8, 12))
    sheet = Sheet(86, 54, scale, (250, 225, 225) if red else (210, 230, 240))
    if not red:
        sheet.fill(0, 47, 86, 54, (150, 200, 215))
    sheet.text(6, 4.5, form["ticket_number"], 4.4, "sans", (200, 50, 80))
    for x0, name in ((9, "departure_station"), (57, "arrival_station")):
        station, size = form[name], 5.0 if len(form[name]) < 4 else 4.4
        sheet.spread(x0, x0 + 16.5, 11, station, size, "hei", BLACK) if len(station) > 1 else None
        sheet.text(x0 + 17, 11.6, "站", 3.2, "song")
    sheet.text(44.5, 10.5, form["train_number"], 4.6, "latin", BLACK, "mm")
    sheet.line(37, 13.6, 52, 13.6, BLACK, 0.3)
    x = 8.0
    year, month, day = form["date"].split("-")
    for text, unit in ((year, "年"), (month, "月"), (day, "日"), (form["time"], "开")):
        x = sheet.text(x, 19, text, 4.2, "sans")
        x = sheet.text(x + 0.2, 19.2, unit, 2.6, "song") + 0.8
    carriage, _, rest = form["seat"].partition("车")
    x = sheet.text(55, 19, carriage, 4.2, "sans")
    x = sheet.text(x + 0.2, 19.2, "车", 2.6, "song")
    sheet.text(x + 0.5, 19, rest, 3.9, "sans")
    x = sheet.text(9, 24.2, pick(rng, ("￥", "¥")), 3.6, "sans")
    x = sheet.text(x + 0.3, 24.2, form["total"], 4.0, "sans")
    sheet.text(x + 0.2, 24.4, "元", 2.6, "song")
    if rng.random() < 0.6:
        sheet.text(40, 24.2, pick(rng, ("网", "微", "网折")), 3.4, "song")
    sheet.text(58, 24.2, form["seat_class"], 3.4, "song")
    sheet.text(8, 29, "限乘当日当次车", 3.3, "song")
    sheet.text(8, 36, f"{truth.digits(rng, 10)}****{truth.digits(rng, 4)} {truth.person(rng)}", 3.4, "song")
    sheet.text(18, 41, "买票请到12306 发货请到95306", 2.6, "song")
    sheet.text(23, 44.5, "中国铁路祝您旅途愉快", 2.6, "song")
    sheet.text(9, 50, f"{form['serial_number']} {pick(rng, ('北京南', '武汉', '上海虹桥'))}售", 3.0, "song")
    sheet.code(66, 31, 14, truth.digits(rng, 80))
    return sheet


def _train_electronic(form: Form, rng: np.random.Generator) -> Sheet:
    """Draw the electronic invoice (铁路电子客票) that follows train tickets since 2024."""
    form["invoice_type"] = "电子发票（铁路电子客票）"
    form["invoice_number"] = f"25{truth.digits(rng, 18)}"
    form["issue_date"] = truth.date(rng)
    form["ticket_number"] = truth.digits(rng, 21)
    form["buyer_name"], form["buyer_tax_id"] = truth.company(rng), truth.tax_id(rng)
    del form["serial_number"]
    sheet = Sheet(180, 100, float(rng.uniform(6, 9)))
    colour: Ink = (128, 30, 30)
    sheet.text(90, 10, form["invoice_type"], 6, "song", colour, "mm")
    sheet.seal(90, 14, "全国统一发票监制章", ("样张", "税务局"), (13, 8), RED)
    end = sheet.text(10, 22, "发票号码:", 3.6, "song", BLACK)
    sheet.text(end, 22, form["invoice_number"], 3.6)
    end = sheet.text(120, 22, "开票日期:", 3.6)
    sheet.text(end, 22, _day(form.pop("issue_date")), 3.6)
    sheet.text(28, 34, form["departure_station"] + "站", 5.5, "hei")
    sheet.text(90, 33, form["train_number"], 5.2, "latin", BLACK, "mm")
    sheet.line(78, 37, 102, 37, BLACK)
    sheet.text(122, 34, form["arrival_station"] + "站", 5.5, "hei")
    sheet.text(20, 44, f"{_day(form['date'])} {form['time']}开", 4)
    sheet.text(84, 44, form["seat"], 4)
    sheet.text(130, 44, form["seat_class"], 4)
    sheet.text(20, 53, "票价:", 4)
    sheet.text(31, 53, "￥" + form["total"], 4)
    sheet.text(20, 62, f"{truth.digits(rng, 10)}****{truth.digits(rng, 4)}  {truth.person(rng)}", 4)
    sheet.text(20, 72, f"电子客票号:{form['ticket_number']}", 4)
    end = sheet.text(20, 82, "购买方名称:", 4)
    _fit(sheet, end, 82, form["buyer_name"], 4, "song", 98)
    sheet.text(100, 82, f"统一社会信用代码:{form['buyer_tax_id']}", 4)
    sheet.text(20, 91, "买票请到12306 发货请到95306 中国铁路祝您旅途愉快", 3.4)
    code = f"01,51,,{form['invoice_number']},{form['total']},{form['date'].replace('-', '')},,A1B2,"
    sheet.code(146, 50, 22, code)
    return sheet


def _taxi(form: Form, rng: np.random.Generator) -> Sheet:
    """Draw a taxi receipt: a narrow form with a dot-matrix print."""
    scale = float(rng.uniform(9, 12))
    sheet, ink = Sheet(60, 130, scale, (252, 248, 240)), Sheet(60, 130, scale)
    colour = pick(rng, ((170, 60, 60), BLUE, (60, 60, 60)))
    place = form["seller_name"][:2]
    sheet.text(30, 8, f"{place}出租汽车专用发票", 4.2, "song", colour, "mm")
    sheet.text(30, 14, "发票联", 4, "song", colour, "mm")
    for y, label, name in ((22, "发票代码", "invoice_code"), (28, "发票号码", "invoice_number")):
        end = sheet.text(6, y, label + " ", 3.4, "song", colour)
        sheet.text(end, y, form[name], 3.6, "sans", BLACK)
    sheet.text(6, 35, "单位:" + form["seller_name"], 2.9, "song", colour)
    rows = [
        (pick(rng, ("车号", "车牌号")), form["vehicle_number"]),
        (pick(rng, ("证号", "工号")), form["driver_number"]),
        ("日期", pick(rng, (form["date"], _day(form["date"])))),
        ("上车", form["board_time"]),
        ("下车", form["alight_time"]),
        ("单价", form["unit_price"] + pick(rng, ("", "元/公里", "元"))),
        (pick(rng, ("里程", "里程")), form["distance"] + pick(rng, ("", "km", "公里"))),
        (pick(rng, ("等候", "候时")), form["waiting_time"]),
        (pick(rng, ("金额", "实收金额", "总金额")), pick(rng, ("", "￥")) + form["total"] + pick(rng, ("", "元"))),
    ]
    colon, shift = pick(rng, ("", ":", "：")), float(rng.uniform(-0.8, 0.8))
    for i, (label, value) in enumerate(rows):
        y = 44 + 7 * i
        sheet.text(8, y, label + colon, 3.6, "song", colour)
        ink.text(28, y, value, 3.7, pick(rng, ("mono", "song")) if value.isascii() else "song")
    sheet.paste_print(ink, (shift, float(rng.uniform(-0.6, 0.6))), dots=True)
    sheet.seal(42, 112, form["seller_name"], ("样张", "发票专用章"), (13, 9), RED)
    return sheet


def _machine(form: Form, rng: np.random.Generator) -> Sheet:
    """Draw a machine-printed receipt on a roll (通用机打发票, 增值税普通发票(卷票))."""
    scale = float(rng.uniform(7, 10))
    height = 128 + 10 * len(form["items"])
    sheet = Sheet(76, height, scale, (254, 252, 248))
    colour = pick(rng, ((150, 60, 60), (60, 60, 60)))
    roll = rng.random() < 0.5
    title = "增值税普通发票(卷票)" if roll else f"{pick(rng, truth.CITIES)}通用机打发票"
    form["invoice_type"] = "增值税普通发票(卷票)" if roll else "通用机打发票"
    sheet.text(38, 8, title, 4.6, "song", colour, "mm")
    sheet.text(38, 14, "发票联", 4, "song", colour, "mm")
    rows = [("发票代码", form["invoice_code"]), ("发票号码", form["invoice_number"])]
    rows += [("机器编号" if roll else "机打号码", form["machine_number"])] if roll else []
    if not roll:
        form["machine_number"] = ""
    rows += [("销售方名称" if roll else "收款单位", form["seller_name"])]
    rows += [("纳税人识别号" if roll else "税号", form["seller_tax_id"])]
    rows += [("开票日期", form["date"]), ("收款员", form["payee"])]
    rows += [("购买方名称" if roll else "付款单位", form["buyer_name"])]
    y = 22.0
    for label, value in rows:
        end = sheet.text(5, y, label + pick(rng, (":", "：")), 3.3, "song", colour)
        _fit(sheet, end + 0.5, y, value, 3.3, "song", 73)
        y += 6.2
    for x, head, anchor in ((5, "项目", "lm"), (38, "数量", "rm"), (54, "单价", "rm"), (72, "金额", "rm")):
        sheet.text(x, y, head, 3.3, "song", colour, anchor)
    for row in form["items"]:
        y += 6
        sheet.text(5, y, row["name"], 3.2)
        for x, name in ((38, "quantity"), (54, "unit_price"), (72, "amount")):
            sheet.text(x, y, row[name], 3.3, "song", BLACK, "rm")
    y += 9
    end = sheet.text(5, y, "合计金额(小写):", 3.3, "song", colour)
    sheet.text(end + 0.5, y, "￥" + form["total"], 3.4)
    y += 6.2
    end = sheet.text(5, y, "合计金额(大写):", 3.3, "song", colour)
    _fit(sheet, end + 0.5, y, form["total_in_words"], 3.4, "song", 73)
    y += 6.2
    end = sheet.text(5, y, "校验码:", 3.3, "song", colour)
    sheet.text(end + 0.5, y, _fives(form["check_code"]), 3.3)
    sheet.seal(50, y + 10, form["seller_name"], ("样张",), (15, 10), RED)
    return sheet

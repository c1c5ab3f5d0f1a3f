"""Truth: what specimen forms say. Companies, goods and figures are made up; the arithmetic is that of real invoices.

Gives plain dictionaries: field names as shizi's, values as printed on the form but for normal forms of dates.
"""

from __future__ import annotations

import calendar
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np

Form = dict[str, Any]

CITIES = (
    "北京",
    "上海",
    "天津",
    "重庆",
    "四川",
    "浙江",
    "广东",
    "江苏",
    "湖北",
    "山东",
    "福建",
    "陕西",
    "辽宁",
    "安徽",
)
TOWNS = ("杭州市", "成都市", "武汉市", "苏州市", "青岛市", "厦门市", "西安市", "合肥市", "大连市", "佛山市", "宁波市")
BRANDS = [
    "恒瑞",
    "鼎盛",
    "华源",
    "博远",
    "中睿",
    "天和",
    "金泰",
    "银河",
    "东方",
    "瑞丰",
    "万通",
    "新诚",
    "安达",
    "嘉禾",
    "卓越",
    "联创",
    "百川",
    "凯德",
    "锦程",
    "宏图",
    "长青",
]
TRADES = [
    "信息技术",
    "商贸",
    "电子科技",
    "建筑工程",
    "物流",
    "餐饮管理",
    "医疗器械",
    "文化传媒",
    "机械设备",
    "环保科技",
    "酒店管理",
    "人力资源服务",
]
ENDS = ("有限公司", "有限公司", "股份有限公司", "有限责任公司", "（集团）有限公司", "有限公司分公司")
ROADS = [
    "人民路",
    "中山北路",
    "解放大道",
    "科技园路",
    "建设西街",
    "和平南路",
    "高新六路",
    "滨江大道",
    "文昌街",
    "工业园三路",
]
BANKS = ["中国工商银行", "中国建设银行", "中国银行", "中国农业银行", "招商银行", "交通银行", "浦发银行", "兴业银行"]
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静强磊军洋勇艳杰娟涛明超霞平刚桂英华玉红"
GOODS = (
    ("*电子计算机*笔记本电脑", "X1-14", "台", 3200, 9800),
    ("*纸制品*复印纸", "A4 70g", "箱", 90, 220),
    ("*餐饮服务*餐费", "", "次", 80, 3000),
    ("*信息技术服务*软件开发费", "", "项", 5000, 90000),
    ("*运输服务*货物运输费", "", "", 500, 8000),
    ("*汽油*92号车用汽油", "92号", "升", 6, 8),
    ("*住宿服务*住宿费", "", "天", 180, 880),
    ("*办公用品*中性笔", "0.5mm", "支", 1, 6),
    ("*家具*办公椅", "BY-220", "把", 260, 980),
    ("*金属制品*不锈钢管", "DN50", "米", 40, 130),
    ("*印刷品*技术手册印刷", "16开", "册", 15, 60),
    ("*供电*电费", "", "千瓦时", 1, 2),
    ("*现代服务*咨询服务费", "", "项", 2000, 30000),
    ("*医疗仪器器械*一次性手套", "M", "盒", 18, 45),
    ("*物业管理服务*物业管理费", "", "月", 800, 6000),
)
RATES = ("13%", "9%", "6%", "3%", "1%")
DIGITS, PLACES = "零壹贰叁肆伍陆柒捌玖", ("", "拾", "佰", "仟")
CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def pick(rng: np.random.Generator, choices: Any) -> Any:
    """Choose one of several."""
    return choices[int(rng.integers(len(choices)))]


def digits(rng: np.random.Generator, count: int) -> str:
    """Make a number of `count` digits."""
    return "".join(str(int(digit)) for digit in rng.integers(0, 10, count))


def money(value: Decimal) -> Decimal:
    """Round to cents."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def in_words(value: Decimal) -> str:
    """Write an amount in capital numerals (正确填写票据和结算凭证的基本规定)."""
    cents = int(value * 100)
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    groups = []
    for unit in ("", "万", "亿"):
        groups.append((yuan % 10000, unit))
        yuan //= 10000
    text = ""
    for number, unit in reversed(groups):
        part = _group(number)
        if number and text and number < 1000:
            part = "零" + part
        text += part + unit if number else ""
    text = (text.removeprefix("零") + "圆") if text else ""
    if not jiao and not fen:
        return (text or "零圆") + "整"
    text += DIGITS[jiao] + "角" if jiao else ("零" if text else "")
    return text + (DIGITS[fen] + "分" if fen else "")


def _group(number: int) -> str:
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            text += ("零" if gap and text else "") + DIGITS[digit] + PLACES[place]
        gap = not digit
    return text


def tax_id(rng: np.random.Generator) -> str:
    """Make a unified social credit code with its check character (GB 32100-2015)."""
    body = (
        pick(rng, ("91", "91", "91", "92", "12")) + "".join(pick(rng, ("11", "31", "51", "44", "33"))) + digits(rng, 4)
    )
    body += "".join(pick(rng, CODE_CHARACTERS) if rng.random() < 0.3 else digits(rng, 1) for _ in range(9))
    total = sum(CODE_CHARACTERS.index(character) * pow(3, i, 31) for i, character in enumerate(body))
    return body + CODE_CHARACTERS[-total % 31]


def person(rng: np.random.Generator) -> str:
    """Make a person's name."""
    return pick(rng, SURNAMES) + "".join(pick(rng, GIVEN) for _ in range(int(rng.integers(1, 3))))


def company(rng: np.random.Generator) -> str:
    """Make a company's name."""
    place = pick(rng, CITIES) if rng.random() < 0.5 else pick(rng, TOWNS)
    return place + pick(rng, BRANDS) + pick(rng, TRADES) + pick(rng, ENDS)


def party(rng: np.random.Generator, side: str) -> Form:
    """Make the four fields of a buyer or a seller."""
    road = f"{pick(rng, TOWNS)}{pick(rng, ROADS)}{int(rng.integers(1, 999))}号"
    return {
        f"{side}_name": company(rng),
        f"{side}_tax_id": tax_id(rng),
        f"{side}_address_phone": f"{road} 0{digits(rng, 2)}-{1 + int(rng.integers(8))}{digits(rng, 7)}",
        f"{side}_bank_account": f"{pick(rng, BANKS)}{pick(rng, TOWNS)}{pick(rng, ROADS)[:2]}支行 {digits(rng, 19)}",
    }


def date(rng: np.random.Generator) -> str:
    """Make a day of the years 2016 to 2025."""
    year, month = int(rng.integers(2016, 2026)), int(rng.integers(1, 13))
    return f"{year}-{month:02}-{int(rng.integers(1, calendar.monthrange(year, month)[1] + 1)):02}"


def items(rng: np.random.Generator, free: bool) -> list[Form]:
    """Make the rows of an invoice; `free` of tax rows have 免税 and ***."""
    rate = "免税" if free else pick(rng, RATES)
    rows = []
    for _ in range(int(rng.choice([1, 1, 1, 2, 2, 3, 4, 5]))):
        name, spec, unit, low, high = pick(rng, GOODS)
        row_rate = rate if rng.random() < 0.85 or free else pick(rng, RATES)
        share = Decimal(0) if free else Decimal(row_rate[:-1]) / 100
        quantity = Decimal(int(rng.integers(1, 60)))
        if unit in ("升", "千瓦时", "米") and rng.random() < 0.7:
            quantity += Decimal(int(rng.integers(1, 100))) / 100
        gross = money(Decimal(str(round(float(rng.uniform(low, high)), 2))) * quantity)
        amount = money(gross / (1 + share))
        tax = gross - amount if abs(amount * share - (gross - amount)) < Decimal("0.01") else money(amount * share)
        bare = not unit or rng.random() < 0.15
        price = (amount / quantity).quantize(Decimal(1).scaleb(-int(rng.choice([2, 5, 8]))), ROUND_HALF_UP)
        if not bare and abs(price * quantity - amount) > Decimal("0.005"):
            price = (amount / quantity).quantize(Decimal("0.00000001"), ROUND_HALF_UP)
        rows.append(
            {
                "name": name,
                "spec": spec,
                "unit": "" if bare else unit,
                "quantity": "" if bare else f"{quantity.normalize():f}",
                "unit_price": "" if bare else str(price),
                "amount": str(amount),
                "tax_rate": row_rate,
                "tax": "***" if free else str(tax),
            }
        )
    if 1 < len(rows) < 5 and not free and rng.random() < 0.12:  # a discount: a second row of the same goods, below zero
        first = rows[0]
        amount = -money(Decimal(first["amount"]) * Decimal("0.1"))
        tax = money(amount * Decimal(first["tax_rate"][:-1]) / 100)
        blank = {"spec": "", "unit": "", "quantity": "", "unit_price": ""}
        rows.insert(1, {**first, **blank, "amount": str(amount), "tax": str(tax)})
    return rows


VAT_KINDS = {
    "special": ("增值税专用发票", "01", 10),
    "ordinary": ("增值税普通发票", "04", 10),
    "electronic": ("增值税电子普通发票", "10", 12),
    "electronic_special": ("增值税电子专用发票", "08", 12),
    "digital_special": ("电子发票（增值税专用发票）", "31", 0),
    "digital_ordinary": ("电子发票（普通发票）", "32", 0),
}


def vat_invoice(rng: np.random.Generator, kind: str) -> Form:
    """Make a VAT invoice of one of `VAT_KINDS`, with `code`, what its QR code says."""
    title, number, code_length = VAT_KINDS[kind]
    digital, special = kind.startswith("digital"), "special" in kind
    rows = items(rng, free=not special and rng.random() < 0.1)
    amount = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    tax = sum((Decimal(row["tax"]) for row in rows if row["tax"] != "***"), Decimal(0))
    form: Form = {"invoice_type": title, **party(rng, "buyer"), **party(rng, "seller"), "items": rows}
    if not special and rng.random() < 0.3:
        form |= {"buyer_name": "个人", "buyer_tax_id": "", "buyer_address_phone": "", "buyer_bank_account": ""}
    if not special and rng.random() < 0.4:
        form |= {"buyer_address_phone": "", "buyer_bank_account": ""}
    if digital:
        for side in ("buyer", "seller"):
            del form[f"{side}_address_phone"], form[f"{side}_bank_account"]
        form |= {
            "invoice_number": f"{int(rng.integers(22, 26))}{pick(rng, ('11', '31', '51', '44'))}2000000{digits(rng, 9)}"
        }
    else:
        form |= {
            "invoice_code": digits(rng, code_length - 1) + ("0" if code_length == 10 else "1"),
            "invoice_number": digits(rng, 8),
            "machine_number": "" if special else f"{1 + int(rng.integers(9))}{digits(rng, 11)}",
            "check_code": "" if kind == "special" else digits(rng, 20),
            "payee": person(rng) if rng.random() < 0.8 else "",
            "reviewer": person(rng) if rng.random() < 0.8 else "",
        }
    form |= {"date": date(rng), "drawer": person(rng), "remarks": _remark(rng)}
    total = amount + tax
    form |= {"amount": str(amount), "tax": "***" if rows[0]["tax"] == "***" else str(tax), "total": str(total)}
    form["total_in_words"] = in_words(total)
    told = total if digital else amount
    stamp = digits(rng, 2) + "AF"
    form["code"] = (
        f"01,{number},{form.get('invoice_code', '')},{form['invoice_number']},{told},"
        f"{form['date'].replace('-', '')},{form.get('check_code', '')},{stamp},"
    )
    return form


def _remark(rng: np.random.Generator) -> str:
    return pick(
        rng,
        (
            "",
            "",
            f"订单号:{digits(rng, 11)}",
            f"合同号HT-{digits(rng, 6)}",
            f"项目名称:{pick(rng, TOWNS)}{pick(rng, BRANDS)}广场",
        ),
    )


def falsify(form: Form, rng: np.random.Generator) -> str:
    """Change one printed figure of a VAT invoice; gives the field's name (`items.0.tax` for a row's)."""
    rows = [i for i, row in enumerate(form["items"]) if row["tax"] != "***"]
    choices = ["total", "amount", "total_in_words", "seller_tax_id", "date", "invoice_number", "items.amount"]
    choices += ["tax", "items.tax"] if rows else []
    choices += ["buyer_tax_id"] if form["buyer_tax_id"] else []
    choices += ["invoice_code"] if form.get("invoice_code") else []
    name = pick(rng, choices)
    if name.startswith("items."):
        i = pick(rng, rows or range(len(form["items"])))
        column = name.removeprefix("items.")
        form["items"][i][column] = _other_digit(form["items"][i][column], rng)
        return f"items.{i}.{column}"
    if name == "total_in_words":
        form[name] = _other(form[name], DIGITS[1:], rng)
    elif name == "date":
        year, month, day = form["date"].split("-")
        form["date"] = pick(rng, (f"{year}-02-30", f"2039-{month}-{day}", f"{int(year) - 1}-{month}-{day}"))
        if form["date"].endswith("02-29"):
            form["date"] = f"{year}-02-30"
    elif name.endswith("tax_id"):
        middle = form[name][8:-1]
        if any(character.isdigit() for character in middle):
            form[name] = form[name][:8] + _other_digit(middle, rng) + form[name][-1]
        else:
            form[name] = form[name][:-1] + pick(rng, [c for c in CODE_CHARACTERS if c != form[name][-1]])
    else:
        form[name] = _other_digit(form[name], rng)
    return name


def _other_digit(text: str, rng: np.random.Generator) -> str:
    return _other(text, "0123456789", rng)


def _other(text: str, alphabet: str, rng: np.random.Generator) -> str:
    """Put another character of `alphabet` in the place of one."""
    i = pick(rng, [i for i, character in enumerate(text) if character in alphabet])
    return text[:i] + pick(rng, [c for c in alphabet if c != text[i]]) + text[i + 1 :]


STATIONS = [
    "北京南",
    "上海虹桥",
    "杭州东",
    "武汉",
    "成都东",
    "西安北",
    "南京南",
    "广州南",
    "深圳北",
    "长沙南",
    "郑州东",
    "合肥南",
    "驻马店西",
    "南昌",
    "厦门北",
    "汉口",
]
CLASSES = (("二等座", "GD"), ("一等座", "GD"), ("商务座", "G"), ("硬座", "KT"), ("新空调硬卧", "KZ"), ("软卧", "ZT"))


def train_ticket(rng: np.random.Generator) -> Form:
    """Make a train ticket."""
    seat_class, letters = pick(rng, CLASSES)
    start, end = (pick(rng, STATIONS[:8]), pick(rng, STATIONS[8:]))
    seat = f"{int(rng.integers(1, 17)):02}车{int(rng.integers(1, 20)):02}{pick(rng, 'ABCDF')}号"
    if "硬座" in seat_class:
        seat = f"{int(rng.integers(1, 17)):02}车{int(rng.integers(1, 118)):03}号"
    elif "卧" in seat_class:
        seat = f"{int(rng.integers(1, 17)):02}车{int(rng.integers(1, 20)):03}号{pick(rng, '上中下')}铺"
    letter = pick(rng, "ABCDEFGHJKLX")
    ticket = f"{digits(rng, 3) if rng.random() < 0.5 else ''}{letter}{digits(rng, 6)}"
    return {
        "invoice_type": "火车票",
        "ticket_number": ticket,
        "train_number": pick(rng, letters) + str(int(rng.integers(10, 9000))),
        "departure_station": start,
        "arrival_station": end,
        "date": date(rng),
        "time": f"{int(rng.integers(5, 24)):02}:{int(rng.integers(60)):02}",
        "seat": seat,
        "seat_class": seat_class,
        "total": f"{int(rng.integers(18, 3600)) / 2:.1f}" + ("" if rng.random() < 0.7 else "0"),
        "serial_number": f"{digits(rng, 14)}{ticket[-7:]}",
    }


def taxi_receipt(rng: np.random.Generator) -> Form:
    """Make a taxi receipt."""
    price, distance = (
        Decimal(str(pick(rng, ("2.30", "2.00", "2.60", "1.80")))),
        Decimal(int(rng.integers(15, 480))) / 10,
    )
    board = int(rng.integers(0, 22 * 60))
    alight = board + int(distance * 2) + 3
    return {
        "invoice_type": "出租车发票",
        "invoice_code": "1" + digits(rng, 11),
        "invoice_number": digits(rng, 8),
        "vehicle_number": pick(rng, "京沪川浙粤") + pick(rng, "ABC") + pick(rng, "TXE") + digits(rng, 4),
        "driver_number": digits(rng, 6),
        "date": date(rng),
        "board_time": f"{board // 60:02}:{board % 60:02}",
        "alight_time": f"{alight // 60 % 24:02}:{alight % 60:02}",
        "unit_price": str(price),
        "distance": str(distance),
        "waiting_time": f"00:{int(rng.integers(0, 15)):02}:{int(rng.integers(60)):02}",
        "total": str(money(price * distance + 10)),
        "seller_name": pick(rng, TOWNS) + pick(rng, BRANDS) + "出租汽车有限公司",
    }


def machine_receipt(rng: np.random.Generator) -> Form:
    """Make a machine-printed receipt on a roll."""
    rows = []
    for _ in range(int(rng.integers(1, 5))):
        name, _, _, low, high = pick(rng, GOODS)
        quantity, price = int(rng.integers(1, 6)), money(Decimal(str(rng.uniform(low, high))))
        name = name.split("*")[-1]
        row = {"name": name, "quantity": str(quantity), "unit_price": str(price), "amount": str(price * quantity)}
        rows.append(row)
    total = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    return {
        "invoice_type": "通用机打发票",
        "invoice_code": "1" + digits(rng, 11),
        "invoice_number": digits(rng, 8),
        "machine_number": digits(rng, 12),
        "seller_name": company(rng),
        "seller_tax_id": tax_id(rng),
        "date": date(rng),
        "payee": person(rng),
        "buyer_name": company(rng) if rng.random() < 0.6 else "个人",
        "items": rows,
        "total": str(total),
        "total_in_words": in_words(total),
        "check_code": digits(rng, 20),
    }

"""Values: what is printed in a field brought to its normal form, and the arithmetic of Chinese forms.

Plain functions of text; each gives '' or None where the text is no such value.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

CENT = Decimal("0.01")
_MONEY = re.compile(r"(?<![\d.])-?\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?(?!\d)|-?\d+(?:\.\d{1,2})?(?![\d.])")
_CAPITALS = {**{c: i for i, c in enumerate("零壹贰叁肆伍陆柒捌玖")}, "壹": 1, "貳": 2, "两": 2, "〇": 0}
_UNITS = {"拾": 10, "佰": 100, "仟": 1000}
CAPITAL_CHARACTERS = "零壹贰叁肆伍陆柒捌玖拾佰仟万亿圆元角分整正负"
# The 31 characters of GB 32100-2015, table 2; each place weighs 3^i mod 31.
CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def folded(text: str) -> str:
    """Fold widths (NFKC) and drop white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def number(text: str) -> Decimal | None:
    """Read a plain decimal number; None if it is none."""
    plain = re.sub(r"[¥Y￥,]", "", folded(text)).removesuffix("元")
    if not re.fullmatch(r"-?\d+(\.\d+)?", plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:  # more digits than a decimal holds
        return None


def money(text: str) -> str:
    """Find an amount and write it with two decimals; '' if there is none."""
    found = _MONEY.search(folded(text).strip(".,:;·"))
    return cents(Decimal(found[0].replace(",", ""))) if found else ""


def cents(value: Decimal) -> str:
    """Write a value in cents: 12.30."""
    return str(value.quantize(CENT, ROUND_HALF_UP))


def day(text: str) -> str:
    """Find a date and write it YYYY-MM-DD, real or not; '' if there is none."""
    plain = unicodedata.normalize("NFKC", text)
    found = re.search(r"(?<!\d)(\d{4})年(\d{1,2})月(\d{1,2})(?!\d)", folded(text))
    found = found or re.search(r"(?<!\d)(\d{4})\s*[年./\-\s]\s*(\d{1,2})\s*[月./\-\s]\s*(\d{1,2})(?!\d)", plain)
    found = found or re.search(r"(?<!\d)(\d{4})(\d{2})(\d{2})(?!\d)", folded(text))
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else ""


def is_real_day(value: str, today: date | None = None) -> bool:
    """Say whether YYYY-MM-DD is a day of the calendar, after 1980 and not after today."""
    try:
        return date(1980, 1, 1) <= date.fromisoformat(value) <= (today or date.today())
    except ValueError:
        return False


def clock(text: str) -> str:
    """Find a time of the day and write it HH:MM; '' if there is none."""
    found = re.search(r"(?<!\d)([01]?\d|2[0-3])[:：;时]([0-5]\d)(?!\d)", unicodedata.normalize("NFKC", text))
    return f"{int(found[1]):02}:{found[2]}" if found else ""


def from_capitals(text: str) -> Decimal | None:
    """Read an amount in capital numerals (壹佰贰拾圆叁角整); None if it is none.

    Follows the rules for filling in bills of the People's Bank of China; 元 and 圆, 整 and 正 are the same.
    """
    plain = folded(text).replace("圓", "圆").replace("元", "圆").rstrip("整正")
    negative = plain[:1] == "负"
    whole, mark, rest = plain.removeprefix("负").rpartition("圆")
    if not mark and not re.search("[角分]", rest):
        return None
    found = re.fullmatch(r"零?(?:([壹贰叁肆伍陆柒捌玖])角)?零?(?:([零壹贰叁肆伍陆柒捌玖])分)?", rest)
    yuan = _whole(whole) if mark else 0
    if found is None or yuan is None:
        return None
    parts = [_CAPITALS[digit] if digit else 0 for digit in found.groups()]
    value = Decimal(yuan) + Decimal(parts[0]) / 10 + Decimal(parts[1]) / 100
    return -value if negative else value


def _whole(text: str) -> int | None:
    """Read the part before 圆: groups of up to four digits, of 亿, of 万 and of ones; None for what is none."""
    head, large, text = text.rpartition("亿")
    above = _whole(head) if large else 0
    middle, ten_thousands, ones = text.rpartition("万")
    parts = above, _group(middle) if ten_thousands else 0, _group(ones)
    if None in parts or (large and not head) or (ten_thousands and not middle):
        return None
    return (parts[0] or 0) * 10**8 + (parts[1] or 0) * 10**4 + (parts[2] or 0)


def _group(text: str) -> int | None:
    """Read up to four digits with their places, each place under the one before."""
    total, digit, last = 0, 0, 10_000
    for character in text:
        if character in _CAPITALS:
            if digit:
                return None
            digit = _CAPITALS[character]
            continue
        place = _UNITS.get(character, last)
        if place >= last or not (digit or character == "拾"):  # 拾 alone is ten
            return None
        total, digit, last = total + (digit or 1) * place, 0, place
    return total + digit


def is_tax_id(value: str) -> bool:
    """Say whether a taxpayer's id of 18 characters can be true: a unified social credit code or a citizen's number."""
    return len(value) == 18 and (is_credit_code(value) or is_citizen_number(value))


def is_older_tax_id(value: str) -> bool:
    """Say whether a value looks like a taxpayer's id of before 2015, which has no check character of its own.

    15: six digits of a region and nine of an organisation; 17 and 20 digits: a citizen's number and two more.
    """
    return bool(re.fullmatch(r"\d{6}[0-9A-Z]{9}|\d{17}|\d{17}[0-9X]\d\d", value))


def is_credit_code(value: str) -> bool:
    """Check the last character of a unified social credit code (GB 32100-2015)."""
    if not re.fullmatch(f"[{CODE_CHARACTERS}]{{18}}", value):
        return False
    total = sum(CODE_CHARACTERS.index(character) * pow(3, i, 31) for i, character in enumerate(value[:17]))
    return CODE_CHARACTERS[-total % 31] == value[17]


def is_citizen_number(value: str) -> bool:
    """Check the last character of a citizen's id number (GB 11643-1999, ISO 7064 MOD 11-2)."""
    if not re.fullmatch(r"\d{17}[\dX]", value):
        return False
    total = sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(value[:17]))
    return "10X98765432"[total % 11] == value[17]

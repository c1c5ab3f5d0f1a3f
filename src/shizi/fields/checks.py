"""Checks: what the values of a form must fulfil, each told as a `Result` that names the fields it rests on.

Pure functions of values. A result that could not be had (a value is missing) is not made: it is neither passed nor
failed, and the verdict says what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shizi.fields.codes import InvoiceCode
from shizi.fields.found import Form
from shizi.fields.items import fits
from shizi.fields.kinds import VAT
from shizi.fields.values import CENT, folded, from_capitals, is_older_tax_id, is_real_day, is_tax_id, number

FREE = ("免税", "不征税", "***")
LISTED = "详见"
RATES = frozenset(["0", "0.5", "1", "1.5", "2", "3", "4", "5", "6", "7", "9", "10", "11", "13", "16", "17"])
# Lengths by field; None: any of the form's kinds
LENGTHS: Mapping[str, tuple[int, ...]] = {
    "invoice_code": (10, 12),
    "invoice_number": (8, 20),
    "check_code": (20,),
    "machine_number": (12,),
}
# A company's name that lost its end; 有限合伙 is a partnership.
_CUT_SHORT = re.compile(r"有限(?!责任公司|公司|合伙)|公$")
_STROKE = re.compile(r"[\u4e00-\u9fff)\]][Il|1!]$")


@dataclass(frozen=True, slots=True)
class Result:
    """One check made: its name, the flat names of the fields it rests on, whether it holds, and what was compared."""

    name: str
    fields: tuple[str, ...]
    passed: bool
    detail: str = ""


def results(form: Form, code: InvoiceCode | None, today: date | None = None) -> list[Result]:
    """Make every check of a form that its values allow."""
    return [*_sums(form), *_rows(form), *_single(form, today), *_coded(form, code)]


def _decimal(form: Form, name: str) -> Decimal | None:
    value = form.value(name)
    return Decimal(0) if value == "***" else number(value) if value else None


def is_free(form: Form) -> bool:
    """Say whether no row of the invoice bears tax."""
    rates = [row["tax_rate"].value for row in form.items if "tax_rate" in row]
    return bool(rates) and len(rates) == len(form.items) and all(rate in FREE for rate in rates)


def _sums(form: Form) -> Iterator[Result]:
    amount, total = _decimal(form, "amount"), _decimal(form, "total")
    tax = _decimal(form, "tax")
    names: tuple[str, ...] = ("amount", "tax", "total")
    if tax == 0 or (tax is None and is_free(form)):  # a sum does not prove nothing: *** read as 0.00 adds up as well
        tax, names = Decimal(0), ("amount", "total")
    if amount is not None and tax is not None and total is not None:
        yield Result("amount_plus_tax", names, amount + tax == total, f"{amount} + {tax} = {total}")
    if form.value("total_in_words") and total is not None:
        words = from_capitals(form.value("total_in_words"))
        told = f"the numerals say {words}" if words is not None else "the numerals are no amount"
        yield Result("in_words", ("total", "total_in_words"), words == total, f"{told}, the figures {total}")
    for name in ("amount", "tax"):
        whole = amount if name == "amount" else tax
        if form.kind in ("machine", "roll", "taxi"):
            whole = total if name == "amount" else None
        if whole is None or not form.items:
            continue
        parts = [_row_decimal(form, i, name) for i in range(len(form.items))]
        if any(part is None for part in parts):
            if name == "tax" and is_free(form):
                continue
            parts = [part for part in parts if part is not None]
        added = sum((part for part in parts if part is not None), Decimal(0))
        sum_name = name if form.kind not in ("machine", "roll", "taxi") else "total"
        rows = tuple(f"items.{i}.{name}" for i in range(len(form.items)) if name in form.items[i])
        if sum_name in form.values and not (name == "tax" and added == whole == 0):
            told = f"the rows add up to {added}, {whole} is printed"
            yield Result(f"rows_{name}", (sum_name, *rows), added == whole, told)


def complete(form: Form, made: list[Result]) -> list[Result]:
    """Tell of every row's values whether the rows add up: else one may be missing, or two read as one."""
    names = tuple(f"items.{i}.{name}" for i, row in enumerate(form.items) for name in row)
    sums = [result for result in made if result.name == "rows_amount"]
    told = "the rows add up" if sums else "what the rows add up to was not found"
    holds = bool(sums) and all(result.passed for result in sums)
    return (
        [Result("rows_complete", names, holds, told if holds or not sums else "the rows do not add up")]
        if names
        else []
    )


def _row_decimal(form: Form, i: int, name: str) -> Decimal | None:
    found = form.items[i].get(name)
    if found is None:
        return None
    return Decimal(0) if found.value == "***" else number(found.value)


def _rows(form: Form) -> Iterator[Result]:
    for i, row in enumerate(form.items):
        amount, tax = _row_decimal(form, i, "amount"), _row_decimal(form, i, "tax")
        listed = "name" in row and LISTED in row["name"].value  # the sum of a list on another page
        if "tax_rate" in row and amount is not None and tax is not None and not listed:
            share = rate(row["tax_rate"].value)
            names = tuple(f"items.{i}.{name}" for name in ("amount", "tax_rate", "tax"))
            holds = share is not None and abs(amount * share - tax) <= CENT
            yield Result("row_rate", names, holds, f"row {i + 1}: {amount} x {row['tax_rate'].value} against {tax}")
        quantity, price = _row_decimal(form, i, "quantity"), _row_decimal(form, i, "unit_price")
        if quantity is not None and price is not None and amount is not None:
            names = tuple(f"items.{i}.{name}" for name in ("quantity", "unit_price", "amount"))
            holds = fits(quantity, price, amount)
            yield Result("row_price", names, holds, f"row {i + 1}: {quantity} x {price} against {amount}")
        elif (quantity is None) != (price is None):
            name = f"items.{i}.{'unit_price' if quantity is None else 'quantity'}"
            yield Result("row_price", (name,), False, f"row {i + 1}: of quantity and unit price only one was found")


def rate(text: str) -> Decimal | None:
    """Read a tax rate as a share; None if it is no rate that there is."""
    if text in FREE or text == "零税率":
        return Decimal(0)
    found = re.fullmatch(r"(\d{1,2}(?:\.\d)?)%", text)
    return Decimal(found[1]) / 100 if found and found[1].removesuffix(".0") in RATES else None


def _single(form: Form, today: date | None) -> Iterator[Result]:
    if form.value("date"):
        value = form.value("date")
        yield Result("real_date", ("date",), is_real_day(value, today), f"{value} must be a day not after today")
    for name, lengths in LENGTHS.items():
        value = form.value(name)
        if not value:
            continue
        if name == "invoice_number" and form.kind in VAT:
            lengths = (20,) if form.kind.startswith("digital") else (8,)
        if name == "invoice_code" and form.kind in ("electronic", "electronic_special"):
            lengths = (12,)
        if name == "check_code" and form.kind == "special":
            continue
        holds = value.isdigit() and len(value) in lengths
        expected = " or ".join(map(str, lengths))
        yield Result("length", (name,), holds, f"{len(value)} digits, {expected} expected")
    for name in ("buyer_tax_id", "seller_tax_id"):
        value = form.value(name)
        if value and is_older_tax_id(value):
            yield Result("length", (name,), True, f"{len(value)} characters: an older id, without a check character")
        elif value:
            yield Result("check_character", (name,), is_tax_id(value), "GB 32100-2015, of 18 characters")
    yield from _words(form)
    for name in ("time", "board_time", "alight_time"):
        if form.value(name):
            holds = bool(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", form.value(name)))
            yield Result("real_time", (name,), holds, f"{form.value(name)} must be a time of day")
    if form.kind.startswith("train"):
        yield from _train(form)


def _words(form: Form) -> Iterator[Result]:
    """Check what two recognisers read alike if the line was cut short, or has a rule in it."""
    for name in ("buyer_name", "seller_name"):
        value = folded(form.value(name))
        if "有限" in value or value.endswith("公"):
            holds = not _CUT_SHORT.search(value)
            yield Result("whole_name", (name,), holds, "有限 goes on to 公司 or 合伙, and no name ends with 公")
    for i, row in enumerate(form.items):
        if "name" in row and _STROKE.search(folded(row["name"].value)):
            told = "its last stroke may be a rule beside the text"
            yield Result("stroke", (f"items.{i}.name",), False, told)


def _train(form: Form) -> Iterator[Result]:
    """Check what a train ticket says of itself."""
    total = form.value("total")
    if total:
        value = number(total)
        holds = value is not None and 0 < value < 20_000
        yield Result("price", ("total",), holds, f"{total} must be a price under 20,000")
    ticket, serial = form.value("ticket_number"), form.value("serial_number")
    if ticket and serial:
        holds = serial.endswith(ticket[-7:])
        yield Result("same_number", ("ticket_number", "serial_number"), holds, "the serial number ends as the ticket's")
    if form.value("train_number"):
        holds = bool(re.fullmatch(r"[GDCZTKYLSP]?\d{1,4}", form.value("train_number")))
        yield Result("train_number", ("train_number",), holds, "a letter and up to four digits")


def _coded(form: Form, code: InvoiceCode | None) -> Iterator[Result]:
    """Compare with the QR code."""
    for name, told in (code.fields if code else {}).items():
        found = form.values.get(name)
        if found is None or found.source != "ocr":
            continue
        value = found.value
        if name in ("amount", "total"):
            other = "total" if name == "amount" else "amount"
            if number(value) != number(told) and number(form.value(other) or "-1") == number(told):
                name, value = other, form.value(other)  # some issuers put the one, some the other
            holds = number(value) == number(told)
        else:
            holds = value == told
        yield Result("qr", (name,), holds, f"printed {value}, the QR code says {told}")

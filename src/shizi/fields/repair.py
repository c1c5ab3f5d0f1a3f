"""Repair: our own misreadings put right where exactly one runner-up reading makes the checks hold.

Printed figures that contradict each other are no misreading: their characters are read surely, have no runner-up
worth the name, and so stay as they are, with their check failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shizi.constrained import pattern
from shizi.fields.checks import Result
from shizi.fields.found import Form, Found
from shizi.fields.items import normal as normal_cell
from shizi.fields.sight import Sight
from shizi.fields.values import CAPITAL_CHARACTERS, CODE_CHARACTERS, day, folded, money

Checks = Callable[[Form], list[Result]]

# What a misread value may be read as: a pattern each, by the last part of the field's name.
MONEY = r"[¥￥]?-?\d{1,10}\.\d\d元?"
PATTERNS = {
    "total": MONEY,
    "amount": MONEY,
    "tax": MONEY,
    "unit_price": r"\d{1,9}(\.\d{1,15})?",
    "quantity": r"-?\d{1,9}(\.\d{1,15})?",
    "tax_rate": r"\d{1,2}%|免税|不征税",
    "total_in_words": f"[{CAPITAL_CHARACTERS}]{{2,40}}",
    "invoice_code": r"\d{10}(\d\d)?",
    "invoice_number": r"\d{8}(\d{12})?",
    "check_code": r"\d{20}",
    "machine_number": r"\d{12}",
    "date": r"[^\d]{0,6}\d{4}[年\-./ ]?\d\d?[月\-./ ]?\d\d?日?",
    "tax_id": f"[{CODE_CHARACTERS}]{{15,20}}",
}
# How likely, of all that the strip can be, a runner-up must be to be believed, and how many are tried.
# See docs/decisions/041.
BELIEVED = 0.02
TRIED = 6


def repaired(form: Form, checks: Checks, sight: Sight) -> Form:
    """Give the form with misreadings put right: values that cannot be what they are, then failed checks one by one."""
    form = _conformed(form, sight)
    for _ in range(4):
        failed = [result for result in checks(form) if not result.passed]
        mended = next((better for result in failed if (better := _mended(form, result, checks, sight))), None)
        if mended is None:
            return form
        form = mended
    return form


def _conformed(form: Form, sight: Sight) -> Form:
    """Read values with characters that their field cannot have (抬 among capital numerals) again within its pattern."""
    for name, found in form.flat().items():
        wanted = PATTERNS.get(_kind(name))
        plain = folded(found.text).replace(",", "")
        if wanted is None or found.source != "ocr" or found.rest or pattern(wanted).matches(plain):
            continue
        best = next(iter(alternatives(name, found, sight)), None)
        form = _with(form, name, best) if best else form
    return form


def _mended(form: Form, broken: Result, checks: Checks, sight: Sight) -> Form | None:
    """Give the form in which the one substitution that mends a failed check is made; None without exactly one."""
    before = checks(form)
    failed = {(result.name, result.fields) for result in before if not result.passed}
    options: list[Form] = []
    for name in broken.fields:
        found = form.flat().get(name)
        if found is None or found.piece is None or found.source != "ocr" or found.repaired:
            continue
        for other in alternatives(name, found, sight):
            changed = _with(form, name, other)
            after = checks(changed)
            still = {(result.name, result.fields) for result in after if not result.passed}
            mine = [result for result in after if name in result.fields]
            if still < failed and all(result.passed for result in mine):
                options.append(changed)
    return options[0] if len(options) == 1 else None


def _kind(name: str) -> str:
    return name.rpartition(".")[2].removeprefix("buyer_").removeprefix("seller_")


def alternatives(name: str, found: Found, sight: Sight) -> list[Found]:
    """Give the believable other readings of a value."""
    kind = _kind(name)
    if kind not in PATTERNS or found.piece is None or not found.piece.glyphs:
        return []
    others: dict[str, Found] = {}
    for hypothesis in sight.alternatives(found.piece, pattern(PATTERNS[kind]))[:TRIED]:
        value = value_of(name, kind, hypothesis.text)
        if value and value != found.value and hypothesis.probability >= BELIEVED:
            others.setdefault(value, replace(found, value=value, text=hypothesis.text, repaired=found.text))
    return list(others.values())


def value_of(name: str, kind: str, text: str) -> str:
    """Bring a reading to the normal form of its field."""
    if name.startswith("items."):
        return normal_cell(kind, text)
    if kind == "date":
        return day(text)
    if kind in ("total", "amount", "tax"):
        return money(text)
    return text


def _with(form: Form, name: str, found: Found) -> Form:
    changed = replace(form, values=dict(form.values), items=[dict(row) for row in form.items])
    changed.put(name, found)
    return changed

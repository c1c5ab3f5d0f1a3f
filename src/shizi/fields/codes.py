"""Codes: what the QR code of a Chinese tax invoice says.

The text is `01,KIND,CODE,NUMBER,AMOUNT,YYYYMMDD,CHECK CODE,...`; KIND names the form. The amount is the one before
tax, on fully digital invoices (31, 32) and rail invoices (51) the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shizi.fields.values import cents, day, number

KINDS: Mapping[str, str] = {
    "01": "special",
    "04": "ordinary",
    "08": "electronic_special",
    "10": "electronic",
    "11": "roll",
    "20": "electronic_special",
    "31": "digital_special",
    "32": "digital_ordinary",
    "51": "train_electronic",
}


@dataclass(frozen=True, slots=True)
class InvoiceCode:
    """One invoice's QR code: the kind of form ('' = not known) and fields by name, empty ones left out."""

    kind: str
    fields: Mapping[str, str]


def invoice_code(texts: Iterable[str]) -> InvoiceCode | None:
    """Find the invoice's code among the codes of a page; None if there is none, or if several disagree."""
    found = {code.fields["invoice_number"]: code for text in texts if (code := _parsed(text))}
    return next(iter(found.values())) if len(found) == 1 else None


def _parsed(text: str) -> InvoiceCode | None:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < 7 or parts[0] != "01" or not parts[3].isdigit() or len(parts[3]) not in (8, 20):
        return None
    kind = KINDS.get(parts[1], "")
    told = number(parts[4])
    whole = kind.startswith("digital") or kind == "train_electronic" or len(parts[3]) == 20
    fields = {
        "invoice_code": parts[2],
        "invoice_number": parts[3],
        "total" if whole else "amount": cents(told) if told is not None else "",
        "date": day(parts[5]),
        "check_code": parts[6],
    }
    return InvoiceCode(kind, {name: value for name, value in fields.items() if value})

"""Fields: which form a page is, its fields with their proof, and whether they can be taken unseen.

A `Finder` looks at the pages of one document in turn and gives the fields of each form it knows, with its verdict.
Each field carries its checks. Knows nothing of how pages are read; of pixels only what `Sight` shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shizi.document import UNKNOWN_FORM, Check, Field, FilledForm, Page, Verdict, distinct, first_of
from shizi.fields.checks import Result, complete, is_free, results
from shizi.fields.codes import InvoiceCode, invoice_code
from shizi.fields.found import Form, Found
from shizi.fields.general import read_general
from shizi.fields.items import normal
from shizi.fields.kinds import VAT, find_kind, name_of
from shizi.fields.overlooked import read_overlooked
from shizi.fields.own import fits_page, judged, read_own
from shizi.fields.parts import Part, parts_of
from shizi.fields.pieces import Piece, Sheet
from shizi.fields.repair import repaired
from shizi.fields.sight import Sight
from shizi.fields.template import Template
from shizi.fields.tickets import read_machine, read_taxi, read_train
from shizi.fields.values import money
from shizi.fields.vat import read_vat

__all__ = ["Finder", "Sight"]

Stated = tuple[Mapping[str, str], Sequence[Mapping[str, str]]]
# Checks that no misreading passes but by a rare chance. Values without one are read by a second recogniser.
PROOFS = frozenset(["amount_plus_tax", "in_words", "rows_amount", "rows_tax", "check_character", "qr", "same_number"])
DOUBTS = ("read_twice", "read_surely", "title")
_WIDE_PROOFS = {"tax_rate": frozenset({"row_rate"})}
# What must be there, and read alike twice or proven, before a form is taken unseen.
NEEDED = {
    "vat": ("invoice_number", "date", "seller_tax_id", "amount", "total", "total_in_words"),
    "train": ("ticket_number", "train_number", "departure_station", "arrival_station", "date", "time", "total"),
    "taxi": ("invoice_code", "invoice_number", "date", "board_time", "alight_time", "distance", "total"),
    "machine": ("invoice_code", "invoice_number", "date", "seller_name", "total"),
}
ORDER = [
    "invoice_type",
    "invoice_code",
    "invoice_number",
    "date",
    "check_code",
    "machine_number",
    "ticket_number",
    "train_number",
    "departure_station",
    "arrival_station",
    "time",
    "seat",
    "seat_class",
    "vehicle_number",
    "driver_number",
    "board_time",
    "alight_time",
    "unit_price",
    "distance",
    "waiting_time",
    "buyer_name",
    "buyer_tax_id",
    "buyer_address_phone",
    "buyer_bank_account",
    "seller_name",
    "seller_tax_id",
    "seller_address_phone",
    "seller_bank_account",
    "items",
    "amount",
    "tax",
    "total",
    "total_in_words",
    "remarks",
    "payee",
    "reviewer",
    "drawer",
    "serial_number",
]
COLUMNS = ["name", "spec", "unit", "quantity", "unit_price", "amount", "tax_rate", "tax"]


class Finder:
    """What is found while the pages of one document pass by: the forms known here, or those of a template.

    `stated`: what an e-invoice's own data say of it, fields by name and the rows of its goods; it goes before what is
    printed.
    """

    def __init__(self, template: Template | None = None, stated: Stated | None = None) -> None:
        self._template = template
        self._forms: list[FilledForm] = []
        self._stated = stated is not None and template is None
        if stated is not None and template is None:
            self._forms = [FilledForm(1, *_proved(_stated(*stated), None, None, None, 1))]
        self._general: list[Field] = []

    def look(self, page: Page, sight: Sight | None) -> None:
        """Look at one page, whose lines carry their characters; `sight` is None where there are no pixels."""
        if not page.lines or self._stated:
            return
        sheet = Sheet(page)
        if self._template is not None:
            self._look_for(self._template, sheet, sight)
            return
        parts = parts_of(sheet)
        forms = [form for part in parts if (form := _filled(part, sight))]
        if len(parts) > 1 and not all(_is_whole(form) for form in forms):  # words of one form, not several
            whole = _filled(Part(sheet, lambda _x, _y: True), sight)
            forms = [_doubted(whole, len(parts))] if whole else []
        self._forms += forms
        if not forms and not self._forms:
            self._look_at_anything(sheet, sight)

    def _look_at_anything(self, sheet: Sheet, sight: Sight | None) -> None:
        """Keep the pairs of label and value of a form that is not known."""
        taken = {field.name for field in self._general}
        number = sheet.page.number
        for name, value in read_general(sheet).values.items():
            unique = name if name not in taken else f"{name} (page {number})"
            self._general.append(_read_twice(name, value, sight).as_field(unique, number))

    def _look_for(self, template: Template, sheet: Sheet, sight: Sight | None) -> None:
        """Read a page that bears the template's words; without such words, the first page, and others with values."""
        if not fits_page(template, sheet):
            return
        form = read_own(sheet, template, sight)
        if template.match or form.values or not self._forms:
            number = sheet.page.number
            fields = tuple(found.as_field(name, number) for name, found in form.values.items())
            self._forms.append(FilledForm(number, fields, judged(template, form)))

    def result(self) -> tuple[tuple[Field, ...], Verdict]:
        """Give the fields and the verdict on all pages: of several forms the first one's, and no `accept`."""
        if self._forms:
            return first_of(distinct(self._forms))
        if self._template is not None:
            words = ", ".join(self._template.match)
            told = f"no page bears all of: {words}" if words else "no page bears any text"
            return (), Verdict("review", (f"the template {self._template.name} fits no page: {told}",))
        return tuple(self._general), Verdict("review", (UNKNOWN_FORM,))

    @property
    def forms(self) -> tuple[FilledForm, ...]:
        """All forms where there are several, else none."""
        forms = distinct(self._forms)
        return forms if len(forms) > 1 else ()


def _filled(part: Part, sight: Sight | None) -> FilledForm | None:
    """Read the form that stands in a part of a page; None if it is none of those known here."""
    sheet = part.sheet
    code = invoice_code(sight.codes(part.holds)) if sight else None
    kind, title = find_kind(sheet)
    # a seal may hide a part of the title: what is left of 电子发票(普通发票) must not say another form
    if code and code.kind and (kind in ("", "vat") or (kind in VAT and name_of(kind) in name_of(code.kind))):
        kind = code.kind
    if not kind:
        return None
    form = _read(sheet, kind)
    if kind in ("special", "ordinary") and len(form.value("invoice_number")) == 20:
        form.kind = f"digital_{kind}"
    return FilledForm(sheet.page.number, *_proved(form, title, code, sight, sheet.page.number))


def _is_whole(form: FilledForm) -> bool:
    """Say whether a part of a page holds a form of its own: its total or its journey, and what it is known by."""
    known = any(map(form.value, ("invoice_number", "ticket_number", "train_number")))
    return known and any(map(form.value, ("total", "departure_station")))


def _doubted(form: FilledForm, count: int) -> FilledForm:
    told = f"page {form.page} looks like {count} forms that could not be told apart: values may be of either"
    return replace(form, verdict=Verdict("review", (*form.verdict.reasons, told)))


def _stated(fields: Mapping[str, str], items: Sequence[Mapping[str, str]]) -> Form:
    """Make a form of an e-invoice's own data, in the normal forms of printed ones."""
    told, number = fields.get("invoice_type", ""), fields.get("invoice_number", "")
    special = "专" in told
    kind = ("digital_" if len(number) == 20 else "electronic_") + ("special" if special else "ordinary")
    form = Form("electronic" if kind == "electronic_ordinary" else kind)
    for name, text in fields.items():
        if name != "invoice_type":
            value = normal(name, text) if name in ("amount", "tax") else money(text) if name == "total" else text
            form.values[name] = Found(value or text, text, source="xml")
    for row in items:
        form.items.append({name: Found(normal(name, text), text, source="xml") for name, text in row.items()})
    return form


def _read(sheet: Sheet, kind: str) -> Form:
    if kind.startswith("train"):
        return read_train(sheet, kind)
    if kind == "taxi":
        return read_taxi(sheet)
    if kind in ("machine", "roll"):
        return read_machine(sheet, kind)
    return read_vat(sheet, kind)


def _proved(
    form: Form, title: Piece | None, code: InvoiceCode | None, sight: Sight | None, page: int
) -> tuple[tuple[Field, ...], Verdict]:
    """Repair what was misread, add what only the code says, attach the checks, and judge."""
    if sight is not None:
        read_overlooked(form, sight)
        form = repaired(form, lambda form: results(form, code), sight)
    for name, value in (code.fields if code else {}).items():
        if name not in form.values:
            form.values[name] = Found(value, value, source="qr")
    made = results(form, code)
    for result in (*made, *complete(form, made)):
        for name in result.fields:
            form.put(name, form.flat()[name].checked(Check(result.name, result.passed, result.detail)))
    for name, found in form.flat().items():
        form.put(name, _read_twice(name, found, sight))
    form.values["invoice_type"] = _type(form, title, code)
    return _fields(form, page), _verdict(form, made, code)


def _type(form: Form, title: Piece | None, code: InvoiceCode | None) -> Found:
    text = title.text if title else ""
    if form.source == "xml":
        return Found(name_of(form.kind), text, source="xml")
    found = Found(name_of(form.kind), text, title)
    if code and code.kind:
        told = name_of(code.kind)
        return found.checked(Check("qr", code.kind == form.kind, f"the QR code says {told}"))
    if form.kind == "train":  # paper tickets bear no title
        return found.checked(Check("words", True, "told by the words that only train tickets bear"))
    return found.checked(Check("title", bool(title), "told by the title" if title else "told by other words"))


def _read_twice(name: str, found: Found, sight: Sight | None) -> Found:
    """Have a value without proof read again by the other recogniser, and add whether it reads the same."""
    wide = _WIDE_PROOFS.get(name.rpartition(".")[2], frozenset())
    proven = any(check.passed and check.name in PROOFS | wide for check in found.checks)
    if proven or found.piece is None or found.source != "ocr" or not found.piece.glyphs:
        return found
    pieces = (found.piece, *found.rest)
    if sight is None:
        return found.checked(Check("file_text", True, "the text of the file itself"))
    said = [sight.agrees(piece, piece.folded) for piece in pieces]
    if None in said:
        sure = found.confidence >= 0.99
        return found.checked(Check("read_surely", sure, f"the least sure character: {found.confidence:.2f}"))
    found = found.checked(Check("read_twice", all(said), "by a second recogniser"))
    if all(said) and any(map(sight.goes_on, pieces)):  # both read alike a line that was seen too short
        found = found.checked(Check("whole_line", False, "more text stands right behind it"))
    return found


def _fields(form: Form, page: int) -> tuple[Field, ...]:
    fields = [found.as_field(name, page) for name, found in form.values.items()]
    if form.items:
        rows = tuple(tuple(row[name].as_field(name, page) for name in COLUMNS if name in row) for row in form.items)
        fields.append(Field("items", "", "", min(f.confidence for row in rows for f in row), page, rows=rows))
    return tuple(sorted(fields, key=lambda field: ORDER.index(field.name) if field.name in ORDER else len(ORDER)))


def _verdict(form: Form, made: list[Result], code: InvoiceCode | None) -> Verdict:
    family = "vat" if form.kind in (*VAT, "vat") else "train" if form.kind.startswith("train") else form.kind
    family = "machine" if family == "roll" else family
    needed = list(NEEDED[family])
    if family == "vat" and not is_free(form):
        needed.append("tax")
    reasons = [
        f"{', '.join(result.fields)}: {result.name} failed: {result.detail}" for result in made if not result.passed
    ]
    reasons += [f"{name} was not found" for name in needed if not form.value(name)]
    if family == "vat":
        reasons += [] if form.items else ["no rows of goods were found"]
        reasons += (
            []
            if code or form.source == "xml"
            else ["no QR code of the invoice could be read: number and date have no proof"]
        )
    # words (names, goods, addresses) decide nothing: their own checks tell whether they were read alike twice
    for name in (*needed, "invoice_type", "invoice_code", "buyer_tax_id"):
        checks = form.values[name].checks if name in form.values else ()
        doubts = [check for check in checks if not check.passed and (check.name in DOUBTS or name == "invoice_type")]
        reasons += [f"{name}: {check.name} failed: {check.detail}" for check in doubts]
    return Verdict("review" if reasons else "accept", tuple(dict.fromkeys(reasons)))

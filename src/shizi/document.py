"""Documents: what a reading gives. Frozen values on the standard library, with their way to JSON and back.

Lines are kept once, flat, in reading order; blocks point to them by index. An empty page is a page with no lines.
Coordinates are pixels of the upright page image, origin top left. A line's confidence is the estimated chance that
the whole line is right, 0..1; a word's and a character's likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any

from shizi.geometry import Polygon

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class PageImage:
    """One decoded page: `pixels` H W 3 uint8 RGB, `number` from 1, `dpi` if the file states it."""

    pixels: npt.NDArray[np.uint8]
    number: int = 1
    dpi: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Char:
    """One character; `start` and `end` are shares 0..1 of its line's length."""

    text: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a recogniser read on one strip; `model` names its weights."""

    text: str
    confidence: float
    chars: tuple[Char, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One piece of text: where, what, and whether it runs down. `fonts`: what draws it, if its file says."""

    polygon: Polygon
    reading: Reading
    vertical: bool = False
    fonts: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The text read."""
        return self.reading.text


@dataclass(frozen=True, slots=True)
class PageText:
    """One page whose text its file holds; its pixels are drawn only if something asks for them, while the file is open:
    until the page after it is asked for.

    `draw` gives the picture (H W 3 uint8 RGB) of a box (left, top, right, bottom) of it, or all. `rest` gives the
    picture without the text, but for that in the fonts named; None if nothing stands there that may be text. `rules`:
    the upright rules (x, top, bottom). `rotation`: by how many degrees clockwise the page was turned to stand upright.
    `borrowed`: fonts whose shapes are not the file's own, so that its picture tells nothing of them. `drawn`: whether
    the picture shows the text at all.
    """

    fragments: tuple[Fragment, ...]
    width: int
    height: int
    draw: Callable[[tuple[int, int, int, int] | None], npt.NDArray[np.uint8]]
    rest: Callable[[Collection[str]], npt.NDArray[np.uint8] | None]
    rules: tuple[tuple[float, float, float], ...] = ()
    number: int = 1
    dpi: float | None = None
    rotation: int = 0
    borrowed: frozenset[str] = frozenset()
    drawn: bool = True
    warnings: tuple[str, ...] = ()

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """The whole picture as the file shows it, before the turn by `rotation`."""
        import numpy as np  # the types of this file are read without it

        return np.ascontiguousarray(np.rot90(self.draw(None), self.rotation // 90))


@dataclass(frozen=True, slots=True)
class Word:
    """A run of Latin letters and digits, or of Chinese characters, within one line."""

    text: str
    confidence: float
    polygon: Polygon
    chars: tuple[Char, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line (or one column, if `vertical`) of text; `model` names the weights that read it."""

    text: str
    confidence: float
    polygon: Polygon
    words: tuple[Word, ...] = ()
    model: str = ""
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together; `lines` are indexes into the page's lines."""

    kind: str
    polygon: Polygon
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `row` and `column` from 0, `lines`: indexes into the page's lines it took text from."""

    row: int
    column: int
    text: str
    polygon: Polygon
    row_span: int = 1
    column_span: int = 1
    confidence: float = 1.0
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One table of `rows` x `columns`; `ruled` tells that drawn rules, not gaps, made its cells."""

    polygon: Polygon
    rows: int
    columns: int
    cells: tuple[Cell, ...]
    ruled: bool = True

    @property
    def html(self) -> str:
        """The table as one HTML element, spans kept."""
        rows = []
        for row in range(self.rows):
            cells = sorted((cell for cell in self.cells if cell.row == row), key=lambda cell: cell.column)
            rows.append("<tr>" + "".join(map(_cell_html, cells)) + "</tr>")
        return "<table>" + "".join(rows) + "</table>"


@dataclass(frozen=True, slots=True)
class Check:
    """One test of a field; `detail` says what was compared with what."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: `value` normalised, `text` as printed.

    `source`: what told it (ocr, text, qr, xml). `repaired`: the text before our own misreading was put right, '' if
    nothing was. `rows`: of a field that is a list (an invoice's items), each row's fields by name.
    """

    name: str
    value: str
    text: str
    confidence: float
    page: int = 1
    polygon: Polygon | None = None
    source: str = "ocr"
    checks: tuple[Check, ...] = ()
    repaired: str = ""
    rows: tuple[tuple[Field, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the fields prove themselves: `accept` or `review`, with the reasons for a review."""

    decision: str
    reasons: tuple[str, ...] = ()


# The reason for a review where no form was known: the fields are pairs of label and value.
UNKNOWN_FORM = "the kind of form is not known: values are as printed, and nothing proves them"


@dataclass(frozen=True, slots=True)
class FilledForm:
    """One of the forms in a document: the page it stands on, its fields, and its own verdict."""

    page: int
    fields: tuple[Field, ...]
    verdict: Verdict

    def value(self, name: str) -> str:
        """Give the value of a field, '' if the form has none of that name."""
        return next((field.value for field in self.fields if field.name == name), "")

    def goes_on(self, before: FilledForm) -> bool:
        """Say whether this is a further page of the form before: it bears no title, and no other number."""
        kind = next((field for field in self.fields if field.name == "invoice_type"), None)
        untitled = kind is not None and any(check.name == "title" and not check.passed for check in kind.checks)
        return untitled and self.value("invoice_number") in ("", before.value("invoice_number"))


@dataclass(frozen=True, slots=True)
class Page:
    """One page read. `rotation`: degrees clockwise (0, 90, 180, 270) the picture was turned to stand upright.

    `source`: `ocr` if its text was read from pixels, `text` if it was taken from the file.
    """

    number: int
    width: int
    height: int
    dpi: float | None = None
    rotation: int = 0
    lines: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()
    tables: tuple[Table, ...] = ()
    warnings: tuple[str, ...] = ()
    source: str = "ocr"

    @property
    def text(self) -> str:
        """The page's lines, one a row, a blank row between blocks."""
        if not self.blocks:
            return "\n".join(line.text for line in self.lines)
        return "\n\n".join("\n".join(self.lines[i].text for i in block.lines) for block in self.blocks if block.lines)

    @property
    def confidence(self) -> float:
        """The mean confidence of the lines, weighted by their characters; 0 on an empty page."""
        return _mean_confidence(self.lines)


@dataclass(frozen=True, slots=True)
class Document:
    """One input read: its pages, the format it came in, and the weights that read it (`name@digest`).

    `fields` and `verdict` are there if they were asked for. `forms`: where there are several forms all of them, the
    first included; `fields` are the first one's, and `verdict` is never `accept`. `milliseconds`: what each stage of
    this reading took; no part of the result, so it is neither compared nor written by `to_dict`.
    """

    pages: tuple[Page, ...]
    source: str = ""
    weights: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    verdict: Verdict | None = None
    milliseconds: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)
    forms: tuple[FilledForm, ...] = ()

    @property
    def text(self) -> str:
        """The text of all pages; a form feed between pages, as in the output of pdftotext."""
        return "\n\f".join(page.text for page in self.pages)

    @property
    def confidence(self) -> float:
        """The mean confidence of all lines, weighted by their characters; 0 if there are none."""
        return _mean_confidence(tuple(line for page in self.pages for line in page.lines))

    def to_dict(self) -> dict[str, Any]:
        """Give the document as JSON-ready values; `from_dict` reads them back."""
        values: dict[str, Any] = {
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "source": self.source,
            "weights": list(self.weights),
            "pages": [_page_to_dict(page) for page in self.pages],
        }
        if self.verdict is not None:
            values["fields"] = {field.name: _field_to_dict(field) for field in self.fields}
            values["verdict"] = _verdict_to_dict(self.verdict)
        if self.forms:
            values["forms"] = [
                {
                    "page": form.page,
                    "fields": {field.name: _field_to_dict(field) for field in form.fields},
                    "verdict": _verdict_to_dict(form.verdict),
                }
                for form in self.forms
            ]
        return values

    @classmethod
    def join(cls, documents: Sequence[Document]) -> Document:
        """Put the pages of one input together that were read apart; forms stay apart, none is mixed with another."""
        fields, verdict, forms = _joined_forms(documents)
        return cls(
            pages=tuple(page for document in documents for page in document.pages),
            source=documents[0].source if documents else "",
            weights=tuple(dict.fromkeys(label for document in documents for label in document.weights)),
            fields=fields,
            verdict=verdict,
            forms=forms,
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Document:
        """Read what `to_dict` wrote."""
        return cls(
            pages=tuple(_page_from_dict(page) for page in values["pages"]),
            source=values.get("source", ""),
            weights=tuple(values.get("weights", ())),
            fields=tuple(_field_from_dict(name, field) for name, field in values.get("fields", {}).items()),
            verdict=_verdict_from_dict(values.get("verdict")),
            forms=tuple(_form_from_dict(form) for form in values.get("forms") or ()),
        )


def first_of(forms: Sequence[FilledForm]) -> tuple[tuple[Field, ...], Verdict]:
    """Give what stands for all forms of a document: the first one's fields, and, beside others, never `accept`."""
    fields, verdict = forms[0].fields, forms[0].verdict
    if len(forms) == 1:
        return fields, verdict
    pages = ", ".join(str(number) for number in dict.fromkeys(form.page for form in forms))
    told = f"several_forms: {len(forms)} forms stand on page {pages}; these fields are the first one's, forms has all"
    return fields, Verdict("review", (*verdict.reasons, told))


def distinct(forms: Iterable[FilledForm]) -> tuple[FilledForm, ...]:
    """Leave out what is only a further page of the form before."""
    kept: list[FilledForm] = []
    for form in forms:
        if not kept or not form.goes_on(kept[-1]):
            kept.append(form)
    return tuple(kept)


def _joined_forms(
    documents: Sequence[Document],
) -> tuple[tuple[Field, ...], Verdict | None, tuple[FilledForm, ...]]:
    """Give the fields, the verdict and the forms of documents that are pages of one."""
    judged = [(document, document.verdict) for document in documents if document.verdict is not None]
    forms: list[FilledForm] = []
    for document, verdict in judged:
        if document.forms:
            forms += document.forms
        elif document.fields and UNKNOWN_FORM not in verdict.reasons:
            forms.append(FilledForm(document.fields[0].page, document.fields, verdict))
    known = distinct(forms)
    if known:
        return *first_of(known), known if len(known) > 1 else ()
    pairs: dict[str, Field] = {}
    for pair in (pair for document, _ in judged for pair in document.fields):
        name = pair.name if pair.name not in pairs else f"{pair.name} (page {pair.page})"
        pairs[name] = replace(pair, name=name)
    reasons = tuple(dict.fromkeys(reason for _, verdict in judged for reason in verdict.reasons))
    refused = [verdict.decision for _, verdict in judged if verdict.decision != "accept"]
    return tuple(pairs.values()), Verdict(refused[0] if refused else "accept", reasons) if judged else None, ()


def _cell_html(cell: Cell) -> str:
    spans = f' rowspan="{cell.row_span}"' if cell.row_span > 1 else ""
    spans += f' colspan="{cell.column_span}"' if cell.column_span > 1 else ""
    return f"<td{spans}>{escape(cell.text, quote=False).replace(chr(10), '<br>')}</td>"


def _mean_confidence(lines: tuple[Line, ...]) -> float:
    total = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / total if total else 0.0


def _corners(polygon: Polygon) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in polygon.corners]


def _page_to_dict(page: Page) -> dict[str, Any]:
    return {
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "dpi": page.dpi,
        "rotation": page.rotation,
        "text": page.text,
        "lines": [_line_to_dict(line) for line in page.lines],
        "blocks": [
            {"kind": block.kind, "polygon": _corners(block.polygon), "lines": list(block.lines)}
            for block in page.blocks
        ],
        "tables": [_table_to_dict(table) for table in page.tables],
        "warnings": list(page.warnings),
        "source": page.source,
    }


def _table_to_dict(table: Table) -> dict[str, Any]:
    return {
        "html": table.html,
        "rows": table.rows,
        "columns": table.columns,
        "ruled": table.ruled,
        "polygon": _corners(table.polygon),
        "cells": [
            {
                "row": cell.row,
                "column": cell.column,
                "row_span": cell.row_span,
                "column_span": cell.column_span,
                "text": cell.text,
                "confidence": round(cell.confidence, 4),
                "polygon": _corners(cell.polygon),
                "lines": list(cell.lines),
            }
            for cell in table.cells
        ],
    }


def _field_to_dict(field: Field) -> dict[str, Any]:
    """Give a field; `value` of a list is the rows' values by name, `rows` their fields whole."""
    values: dict[str, Any] = {
        "value": [{part.name: part.value for part in row} for row in field.rows] if field.rows else field.value,
        "text": field.text,
        "confidence": round(field.confidence, 4),
        "polygon": _corners(field.polygon) if field.polygon else None,
        "page": field.page,
        "source": field.source,
        "checks": [{"name": check.name, "passed": check.passed, "detail": check.detail} for check in field.checks],
    }
    if field.repaired:
        values["repaired"] = {"before": field.repaired, "after": field.text}
    if field.rows:
        values["rows"] = [{part.name: _field_to_dict(part) for part in row} for row in field.rows]
    return values


def _line_to_dict(line: Line) -> dict[str, Any]:
    values: dict[str, Any] = {
        "text": line.text,
        "confidence": round(line.confidence, 4),
        "polygon": _corners(line.polygon),
        "model": line.model,
        "vertical": line.vertical,
    }
    if line.words:
        values["words"] = [_word_to_dict(word) for word in line.words]
    return values


def _word_to_dict(word: Word) -> dict[str, Any]:
    values: dict[str, Any] = {
        "text": word.text,
        "confidence": round(word.confidence, 4),
        "polygon": _corners(word.polygon),
    }
    if word.chars:
        values["chars"] = [
            {
                "text": char.text,
                "confidence": round(char.confidence, 4),
                "start": round(char.start, 4),
                "end": round(char.end, 4),
            }
            for char in word.chars
        ]
    return values


def _page_from_dict(values: Mapping[str, Any]) -> Page:
    return Page(
        number=values["number"],
        width=values["width"],
        height=values["height"],
        dpi=values["dpi"],
        rotation=values["rotation"],
        lines=tuple(_line_from_dict(line) for line in values["lines"]),
        blocks=tuple(
            Block(block["kind"], Polygon.from_points(block["polygon"]), tuple(block["lines"]))
            for block in values["blocks"]
        ),
        tables=tuple(_table_from_dict(table) for table in values.get("tables", ())),
        warnings=tuple(values["warnings"]),
        source=values.get("source", "ocr"),
    )


def _table_from_dict(values: Mapping[str, Any]) -> Table:
    cells = tuple(
        Cell(**{**cell, "polygon": Polygon.from_points(cell["polygon"]), "lines": tuple(cell["lines"])})
        for cell in values["cells"]
    )
    return Table(Polygon.from_points(values["polygon"]), values["rows"], values["columns"], cells, values["ruled"])


def _field_from_dict(name: str, values: Mapping[str, Any]) -> Field:
    rows = tuple(tuple(_field_from_dict(*part) for part in row.items()) for row in values.get("rows", ()))
    return Field(
        name=name,
        value="" if rows else values["value"],
        text=values["text"],
        confidence=values["confidence"],
        page=values["page"],
        polygon=Polygon.from_points(values["polygon"]) if values["polygon"] else None,
        source=values["source"],
        checks=tuple(Check(**check) for check in values["checks"]),
        repaired=values.get("repaired", {}).get("before", ""),
        rows=rows,
    )


def _verdict_to_dict(verdict: Verdict) -> dict[str, Any]:
    return {"decision": verdict.decision, "reasons": list(verdict.reasons)}


def _form_from_dict(values: Mapping[str, Any]) -> FilledForm:
    fields = tuple(_field_from_dict(name, field) for name, field in values["fields"].items())
    return FilledForm(values["page"], fields, _read_verdict(values["verdict"]))


def _verdict_from_dict(values: Mapping[str, Any] | None) -> Verdict | None:
    return _read_verdict(values) if values else None


def _read_verdict(values: Mapping[str, Any]) -> Verdict:
    return Verdict(values["decision"], tuple(values["reasons"]))


def _line_from_dict(values: Mapping[str, Any]) -> Line:
    return Line(
        text=values["text"],
        confidence=values["confidence"],
        polygon=Polygon.from_points(values["polygon"]),
        words=tuple(
            Word(
                text=word["text"],
                confidence=word["confidence"],
                polygon=Polygon.from_points(word["polygon"]),
                chars=tuple(Char(**char) for char in word.get("chars", ())),
            )
            for word in values.get("words", ())
        ),
        model=values["model"],
        vertical=values["vertical"],
    )

"""Given: a document that a caller brings, taken apart, checked and written in a format.

Takes JSON, gives bytes. Done by an engine: as Python holds it, a document is dozens of times as large as its JSON, and
takes as long as a reading. Knows nothing of HTTP, and imports nothing of it.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shizi.document import Document
from shizi.errors import InputError
from shizi.export import FORMATS
from shizi.service.answers import FilledForm, FormField, Page, Verdict

# A table is written place by place, whatever cells it has: one that claims more than a spreadsheet holds is no table.
_MOST_PAGES = 10_000
_MOST_ROWS, _MOST_COLUMNS = 100_000, 1_000
_MOST_PLACES = 1_000_000
_LEFT_OUT = ("words", "chars", "repaired", "rows", "fields", "verdict", "forms")


class Given(BaseModel):
    """A document as a caller brings it; the keys of an answer that are no part of a document are left aside."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
    source: str = Field("", max_length=100)
    weights: list[str] = []
    pages: list[Page] = Field(max_length=_MOST_PAGES)
    fields: dict[str, FormField] | None = None
    verdict: Verdict | None = None
    forms: list[FilledForm] | None = None


def written(text: bytes, name: str, source: bytes, password: str) -> bytes:
    """Write the document of this JSON in the format of this `name`. Raises InputError, and what writing raises."""
    return FORMATS[name].write(given_document(text), source, password)


def given_document(text: bytes) -> Document:
    """Read a document from the JSON a caller brought. Raises InputError that tells the first place which is wrong."""
    try:
        given = Given.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])[:120] or "document"
        raise InputError(
            f"The document is not as /ocr/predict gives it: {place}: {first['msg'][:200]}; expected its answer, with "
            "nothing changed but texts."
        ) from error
    for number, page in enumerate(given.pages):
        _check_indexes(number, page)
    values: dict[str, Any] = _stated(given.model_dump())
    return Document.from_dict(values)


def _stated(values: Any) -> Any:
    """Leave out what may be left out and was, as `Document.from_dict` expects it."""
    if isinstance(values, list):
        return [_stated(value) for value in values]
    if isinstance(values, dict):
        return {name: _stated(value) for name, value in values.items() if value is not None or name not in _LEFT_OUT}
    return values


def _check_indexes(number: int, page: Page) -> None:
    """Raise InputError where blocks, tables or cells point to what is not there."""
    count = len(page.lines)
    pointed = [index for block in page.blocks for index in block.lines]
    pointed += [index for table in page.tables for cell in table.cells for index in cell.lines]
    if any(not 0 <= index < count for index in pointed):
        raise InputError(f"Page {number} of the document points to lines it does not have; it has {count}.")
    places = 0
    for table in page.tables:
        places += table.rows * table.columns
        sizes = 0 < table.rows <= _MOST_ROWS and 0 < table.columns <= _MOST_COLUMNS and places <= _MOST_PLACES
        if not sizes or not all(_lies_in(table.rows, cell.row, cell.row_span) for cell in table.cells):
            raise InputError(f"Page {number} of the document has a table whose rows or cells cannot be.")
        if not all(_lies_in(table.columns, cell.column, cell.column_span) for cell in table.cells):
            raise InputError(f"Page {number} of the document has a table whose columns or cells cannot be.")


def _lies_in(count: int, start: int, span: int) -> bool:
    return start >= 0 and span >= 1 and start + span <= count

"""The route `/ocr/export`: a document that was read before, perhaps corrected since, becomes a file of any format.

Takes the document as `/ocr/predict` answered it and, for formats made of the file itself, that file; gives bytes.
Nothing is read again. What a caller brings is checked as strictly as what a caller uploads to be read, and written in
the processes that read: whatever it does there, it costs that request alone.
"""

import codecs
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shizi.document import Document
from shizi.errors import InputError, OptionsError, TooLarge, UnsupportedFormat
from shizi.export import FORMATS
from shizi.service import bodies
from shizi.service.answers import FilledForm, FormField, Page, Verdict
from shizi.service.api import service
from shizi.service.contract import describes
from shizi.service.downloads import download
from shizi.service.schemas import file_types
from shizi.service.settings import Settings

exports = Blueprint("exports", __name__, url_prefix="/ocr")

# A table is written place by place, whatever cells it has: one that claims more than a spreadsheet holds is no table.
_MOST_ROWS, _MOST_COLUMNS = 100_000, 1_000
_MOST_PLACES = 1_000_000
_LEFT_OUT = ("words", "chars", "repaired", "rows", "fields", "verdict", "forms")
_FORM = ("format", "name", "password")


class Given(BaseModel):
    """A document as a caller brings it; the keys of an answer that are no part of a document are left aside."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)
    source: str = Field("", max_length=100)
    weights: list[str] = []
    pages: list[Page]
    fields: dict[str, FormField] | None = None
    verdict: Verdict | None = None
    forms: list[FilledForm] | None = None


def _bodies(settings: Settings) -> dict[str, Any]:
    properties = {
        "document": {"type": "string", "description": "the JSON of an answer of /ocr/predict, or of a job's result"},
        "format": {"type": "string", "enum": list(FORMATS)},
        "name": {"type": "string", "maxLength": 255, "default": "", "description": "of the file, for its download"},
        "password": {"type": "string", "maxLength": 1000, "default": "", "description": "opens an encrypted PDF"},
        "file": {"type": "string", "contentMediaType": "application/octet-stream", "description": "what was read"},
    }
    required = ["document", "format"]
    schema = {"type": "object", "additionalProperties": False, "required": required, "properties": properties}
    return {"multipart/form-data": {"schema": schema}}


@exports.post("/export")
@describes(
    "application/json",
    also=file_types(),
    refusals=(400, 401, 403, 413, 415, 422, 429, 500, 503, 504),
    bodies=_bodies,
)
def export() -> ResponseReturnValue:
    """Write a document that was read before, with whatever was corrected in it, in any format."""
    here = service()
    here.gate.check_open()
    most = max(here.settings.max_bytes, here.settings.job_bytes) if here.jobs else here.settings.max_bytes
    # A document of characters is larger than a small file it was read from, so it has the room of an upload too.
    bodies.bound(request, here.settings.model_copy(update={"max_bytes": 2 * most}))
    values, brought, file = _form(most)
    name = values.get("format", "")
    if name not in FORMATS:
        raise OptionsError(f"Format {name[:40]!r} is unknown; expected one of {', '.join(FORMATS)}.")
    form = FORMATS[name]
    form.check()
    if form.on_source and file is None:
        raise OptionsError(f"A {form.suffix} is made of the file that was read; send it too, under 'file'.")
    document = given_document(brought)
    written = here.readings.write_given(name, document, file or b"", values.get("password", ""))
    return download(written, values.get("name", ""), form)


def _form(most: int) -> tuple[dict[str, str], bytes, bytes | None]:
    """Take the form apart. Raises InputError for what does not belong in it, TooLarge for too large a file."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedFormat(
            f"The content type is {request.mimetype[:80]!r}; expected multipart/form-data with 'document' and 'format'."
        )
    if request.args:
        name = next(iter(request.args))
        raise OptionsError(f"Option {name[:40]!r} stands in the query; expected all of them in the form.")
    values = bodies.single_values(request.form)
    bodies.check_names(request.files)
    files: dict[str, bytes] = {}
    for part, kept in request.files.items(multi=True):
        if part not in ("file", "document"):
            raise InputError(f"The form has a file under {part[:80]!r}; expected 'file' or 'document'.")
        if part in files or part in values:
            raise InputError(f"The form has several of {part!r}; expected one: export each document by itself.")
        files[part] = kept.read()
    # A large text may come as a file, which browsers send without copying it.
    document = files.get("document") or values.pop("document", "").encode("utf-8", "surrogatepass")
    document = document.removeprefix(codecs.BOM_UTF8)
    strange = sorted(set(values) - set(_FORM))
    if strange:
        raise OptionsError(f"Unknown option {strange[0][:40]!r}; known are document, file, {', '.join(_FORM)}.")
    data = files.get("file")
    if data is not None and len(data) > most:
        raise TooLarge(bodies.too_large_message(most, f"{len(data):,} bytes"))
    return values, document, data


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

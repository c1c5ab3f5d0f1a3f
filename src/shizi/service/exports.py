"""The route `/ocr/export`: a document that was read before, perhaps corrected since, becomes a file of any format.

Takes the document as `/ocr/predict` answered it and, for formats made of the file itself, that file; gives bytes.
Nothing is read again. What a caller brings is taken apart, checked as strictly as what a caller uploads to be read, and
written in the processes that read (`given`): whatever it does there, it costs that request alone.
"""

import codecs
from functools import partial
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from shizi.errors import InputError, OptionsError, TooLarge, UnsupportedFormat
from shizi.export import FORMATS
from shizi.service import bodies, given
from shizi.service.api import gone, service
from shizi.service.contract import describes
from shizi.service.downloads import download
from shizi.service.schemas import file_types
from shizi.service.settings import Settings

exports = Blueprint("exports", __name__, url_prefix="/ocr")

# Of a document's JSON: more than 200 pages of 3,000 characters each have, at five a character with its place.
_MOST_ELEMENTS = 4_000_000
_FORM = ("format", "name", "password")


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
    write = partial(given.written, name=name, source=file or b"", password=values.get("password", ""))
    written = here.readings.look(brought, write, partial(gone, request.environ))
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
    bodies.check_elements(document, _MOST_ELEMENTS)
    strange = sorted(set(values) - set(_FORM))
    if strange:
        raise OptionsError(f"Unknown option {strange[0][:40]!r}; known are document, file, {', '.join(_FORM)}.")
    data = files.get("file")
    if data is not None and len(data) > most:
        raise TooLarge(bodies.too_large_message(most, f"{len(data):,} bytes"))
    return values, document, data

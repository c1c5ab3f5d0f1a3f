"""Downloads: results as files, how they are named after what was sent, and several of them in one ZIP.

Takes bytes, and names as callers sent them; gives answers of which no name can lead out of the folder that it is saved
or unpacked in. `/ocr/predict` and the results of jobs both answer with these. Knows nothing of documents.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from flask import Response

from shizi.export import Format

ZIP_TYPE = "application/zip"
# What could not be read stands in the ZIP too, for whoever opens it without having seen the headers.
ERRORS_NAME = "errors.json"
_MOST_NAMED = 200
_LONGEST_STEM = 80
_UNSAFE = re.compile(r"[^\w.-]+")


def download(data: bytes, uploaded: str, form: Format) -> Response:
    """Answer with one file, named after the upload."""
    response = Response(data, content_type=form.media_type)
    response.headers["Content-Disposition"] = _attachment(uploaded, form.suffix)
    return response


def packed(results: Iterable[tuple[int, str, bytes]], form: Format, errors: Sequence[Any]) -> Response:
    """Answer with `documents.zip`: each result under the number and name of its upload, and the `errors` if any.

    Errors are those that jobs show: `file` (from 0), `page` (None for a whole file), `error`, `code`.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as into:
        for number, uploaded, data in results:
            into.writestr(member(number, uploaded, form.suffix), data)
        if errors:
            into.writestr(ERRORS_NAME, json.dumps(errors, ensure_ascii=False, indent=1))
    response = Response(buffer.getvalue(), content_type=ZIP_TYPE)
    response.headers["Content-Disposition"] = _attachment("documents.zip", ".zip")
    return tell_failed(response, errors)


def tell_failed(response: Response, errors: Sequence[Mapping[str, Any]]) -> Response:
    """Name what could not be read in the header `X-Failed-Pages`: `file:page`, page 0 for a whole file."""
    if errors:
        named = [f"{error['file']}:{error['page'] or 0}" for error in errors[:_MOST_NAMED]]
        response.headers["X-Failed-Pages"] = ",".join(named)
    return response


def member(number: int, uploaded: str, suffix: str) -> str:
    """Name a result within a ZIP: its number keeps it apart, and of the upload's name only harmless letters stay."""
    stem = _UNSAFE.sub("_", _stem(uploaded))[:_LONGEST_STEM].strip("._") or "file"
    return f"{number:04}-{stem}{suffix}"


def _attachment(uploaded: str, suffix: str) -> str:
    """Name an answer after the upload, in the two ways of RFC 6266; headers are ASCII."""
    name = _stem(uploaded) or "document"
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    whole = quote(f"{name}{suffix}", safe="", errors="replace")
    return f"attachment; filename=\"{plain}{suffix}\"; filename*=UTF-8''{whole}"


def _stem(uploaded: str) -> str:
    return PurePosixPath(re.sub(r"[\x00-\x1f\x7f\\]", "/", uploaded)).stem

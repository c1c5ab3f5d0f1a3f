"""The contract of `/ocr/predict`, `/ocr/health` and `/ocr/ready`: requests to `Reader`, documents to JSON.

Takes what `bodies` took out of a request, reads it inside the gate, gives the answers that docs/http.md
describes. Knows nothing of how a picture is read.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

import shizi
from shizi.document import Document
from shizi.errors import OptionsError, ShiziError
from shizi.export import FORMATS
from shizi.options import ReadOptions
from shizi.service import bodies
from shizi.service.gate import Gate
from shizi.service.settings import Settings

if TYPE_CHECKING:
    from shizi.reader import Reader

api = Blueprint("api", __name__, url_prefix="/ocr")


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes work with: one process's reader, settings and gate."""

    reader: "Reader"
    settings: Settings
    gate: Gate


def service() -> Service:
    """Give the service of the current application."""
    return cast(Service, current_app.extensions["shizi"])


@api.post("/predict")
def predict() -> ResponseReturnValue:
    """Read the picture or pictures of the request."""
    here = service()
    here.gate.check_open()
    order = bodies.parse(request, here.settings)
    if order.format != "json":
        return _file(here, order)
    with here.gate.place():
        started = time.perf_counter()
        results = [_read(here.reader, upload, order.options) for upload in order.uploads]
        milliseconds = (time.perf_counter() - started) * 1000
    if len(results) == 1:
        return _one(results[0], milliseconds)
    return _several(order.uploads, results, milliseconds)


@api.get("/health")
def health() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify(success=True, status="alive", version=shizi.__version__, request_id=g.request_id)


@api.get("/ready")
def ready() -> ResponseReturnValue:
    """Say that the models are loaded and warm, with their names. Raises Stopping once the service stops."""
    here = service()
    here.gate.check_open()
    return jsonify(success=True, status="ready", weights=list(here.reader.weights), request_id=g.request_id)


def _read(reader: "Reader", upload: bodies.Upload, options: ReadOptions) -> Document | ShiziError:
    try:
        return reader.read(upload.data, options)
    except ShiziError as error:
        return error


def _file(here: Service, order: bodies.Order) -> ResponseReturnValue:
    """Answer with a file of the format asked for, named after the upload; errors stay JSON."""
    form = FORMATS[order.format]
    if len(order.uploads) > 1:
        raise OptionsError(
            f"The request has {len(order.uploads)} files; expected one with format={order.format}: send them singly."
        )
    form.check()
    [upload] = order.uploads
    with here.gate.place():
        document = here.reader.read(upload.data, form.asking(order.options))
        data = form.write(document, upload.data, order.options.password)
    response = Response(data, content_type=form.media_type)
    response.headers["Content-Disposition"] = _attachment(upload.name, form.suffix)
    return response


def _attachment(uploaded: str, suffix: str) -> str:
    """Name the answer after the upload, in the two ways of RFC 6266; headers are ASCII."""
    name = PurePosixPath(re.sub(r"[\x00-\x1f\x7f\\]", "/", uploaded)).stem or "document"
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    whole = quote(f"{name}{suffix}", safe="", errors="replace")
    return f"attachment; filename=\"{plain}{suffix}\"; filename*=UTF-8''{whole}"


def _one(result: Document | ShiziError, milliseconds: float) -> ResponseReturnValue:
    if isinstance(result, ShiziError):
        raise result
    values = result.to_dict()
    return jsonify(_heading([result], milliseconds) | {"source": values["source"], "pages": values["pages"]})


def _several(
    uploads: Sequence[bodies.Upload], results: Sequence[Document | ShiziError], milliseconds: float
) -> ResponseReturnValue:
    """Answer several files: `pages` of all that were read, `documents` telling which pages are whose."""
    read = [result for result in results if isinstance(result, Document)]
    pages: list[dict[str, Any]] = []
    documents: list[dict[str, Any]] = []
    for upload, result in zip(uploads, results, strict=True):
        if isinstance(result, ShiziError):
            documents.append({"name": upload.name} | error_values(result))
            continue
        values = result.to_dict()
        numbers = list(range(len(pages), len(pages) + len(values["pages"])))
        pages += values.pop("pages")
        del values["weights"]
        documents.append({"name": upload.name, "success": True} | values | {"pages": numbers})
    if not read:
        first = next(result for result in results if isinstance(result, ShiziError))
        failed = error_values(first) | {"request_id": g.request_id, "documents": documents}
        return jsonify(failed), first.http_status
    return jsonify(_heading(read, milliseconds) | {"pages": pages, "documents": documents})


def _heading(read: Sequence[Document], milliseconds: float) -> dict[str, Any]:
    """Give the fixed contract (the first four keys) and what every answer carries after it."""
    whole = Document(tuple(page for document in read for page in document.pages))
    return {
        "success": True,
        "text": whole.text,
        "confidence": round(whole.confidence, 4),
        "processing_time_ms": round(milliseconds, 1),
        "request_id": g.request_id,
        "cached": False,
        "weights": list(read[0].weights),
    }


def error_values(error: ShiziError) -> dict[str, Any]:
    """Give an error as the answer carries it, without the request's id."""
    return {"success": False, "error": error.message, "code": error.code}

"""The contract of `/ocr/predict`, `/ocr/health` and `/ocr/ready`: requests to `Reader`, documents to JSON.

Takes what `bodies` took out of a request, reads it inside the gate, gives the answers that docs/http.md
describes. Knows nothing of how a picture is read.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

import shizi
from shizi.document import Document
from shizi.errors import ShiziError
from shizi.options import ReadOptions
from shizi.service import bodies
from shizi.service.access import Keys
from shizi.service.contract import (
    HealthAnswer,
    PredictAnswer,
    PredictRefusal,
    ReadyAnswer,
    describes,
    picture_bodies,
    query_schemas,
)
from shizi.service.failures import Failures
from shizi.service.gate import Gate
from shizi.service.metrics import Metrics
from shizi.service.refusals import error_values
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
    metrics: Metrics
    keys: Keys | None = None
    failures: Failures | None = None


def service() -> Service:
    """Give the service of the current application."""
    return cast(Service, current_app.extensions["shizi"])


@api.post("/predict")
@describes(
    PredictAnswer,
    refusals=(400, 401, 403, 413, 415, 422, 429, 500, 503),
    refusal=PredictRefusal,
    bodies=picture_bodies,
    query=query_schemas(),
)
def predict() -> ResponseReturnValue:
    """Read the picture or pictures of the request."""
    here = service()
    here.gate.check_open()
    order = bodies.parse(request, here.settings)
    results, milliseconds = read_all(order.uploads, order.options)
    if len(results) == 1:
        return _one(results[0], order.options, milliseconds)
    return _several(order.uploads, results, order.options, milliseconds)


@api.get("/health")
@describes(HealthAnswer)
def health() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify(success=True, status="alive", version=shizi.__version__, request_id=g.request_id)


@api.get("/ready")
@describes(ReadyAnswer, refusals=(503,))
def ready() -> ResponseReturnValue:
    """Say that the models are loaded and warm, with their names. Raises Stopping once the service stops."""
    here = service()
    here.gate.check_open()
    return jsonify(success=True, status="ready", weights=list(here.reader.weights), request_id=g.request_id)


def read_all(uploads: Sequence[bodies.Upload], options: ReadOptions) -> tuple[list[Document | ShiziError], float]:
    """Read pictures one after the other, inside the gate; give each one's document or error, and milliseconds.

    Raises Busy when the gate lets no one in.
    """
    here = service()
    with here.gate.place():
        started = time.perf_counter()
        results = [_read(here, upload, options) for upload in uploads]
        return results, (time.perf_counter() - started) * 1000


def _read(here: Service, upload: bodies.Upload, options: ReadOptions) -> Document | ShiziError:
    started = time.perf_counter()
    try:
        document = here.reader.read(upload.data, options)
    except ShiziError as error:
        if here.failures is not None:
            here.failures.keep(upload.data, error, g.request_id, time.perf_counter() - started)
        return error
    here.metrics.read(document, options.mode)
    return document


def _one(result: Document | ShiziError, options: ReadOptions, milliseconds: float) -> ResponseReturnValue:
    if isinstance(result, ShiziError):
        raise result
    return jsonify(_heading([result], options, milliseconds) | _rest(result.to_dict()))


def _rest(values: dict[str, Any]) -> dict[str, Any]:
    """Give what a document has beside the heading: its source and pages, and its fields if they were asked for."""
    return {name: values[name] for name in ("source", "pages", "fields", "verdict") if name in values}


def _several(
    uploads: Sequence[bodies.Upload],
    results: Sequence[Document | ShiziError],
    options: ReadOptions,
    milliseconds: float,
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
    return jsonify(_heading(read, options, milliseconds) | {"pages": pages, "documents": documents})


def _heading(read: Sequence[Document], options: ReadOptions, milliseconds: float) -> dict[str, Any]:
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
        "options": {name: value for name, value in asdict(options).items() if name != "password"},
        "warnings": [f"page {page.number}: {warning}" for page in whole.pages for warning in page.warnings],
        "stages": _stages(read),
    }


def _stages(read: Sequence[Document]) -> dict[str, float]:
    """Add up the milliseconds of each stage over all documents."""
    stages: dict[str, float] = {}
    for document in read:
        for stage, spent in document.milliseconds.items():
            stages[stage] = round(stages.get(stage, 0.0) + spent, 1)
    return stages

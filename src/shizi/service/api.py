"""The contract of `/ocr/predict`, `/ocr/health` and `/ocr/ready`: requests to `Reader`, documents to JSON.

Takes what `bodies` took out of a request, reads it inside the gate, gives the answers that docs/http.md
describes. Knows nothing of how a picture is read.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue

import shizi
from shizi.cache import Kept
from shizi.document import Document
from shizi.errors import OptionsError, ShiziError, WorkerLost
from shizi.export import FORMATS
from shizi.options import ReadOptions
from shizi.service import bodies
from shizi.service.access import Keys
from shizi.service.answers import HealthAnswer, PredictAnswer, PredictRefusal, PurgeAnswer, ReadyAnswer
from shizi.service.contract import describes
from shizi.service.downloads import ZIP_TYPE, download, packed
from shizi.service.failures import Failures
from shizi.service.gate import Gate
from shizi.service.metrics import Metrics
from shizi.service.readings import Engine, Readings, Request
from shizi.service.refusals import error_values, note
from shizi.service.schemas import file_types, picture_bodies, query_schemas
from shizi.service.settings import Settings
from shizi.service.terms import Terms

if TYPE_CHECKING:
    from shizi.service.corrections import Keeper
    from shizi.service.jobs.runner import Runner
    from shizi.service.models import Models

# How long the pages of jobs that are being read when the service ends may take; others read them later.
_LAST_PAGES_SECONDS = 5.0

api = Blueprint("api", __name__, url_prefix="/ocr")


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes work with: what reads, the settings, the gate, and all of them put together."""

    reader: Engine
    settings: Settings
    gate: Gate
    readings: Readings
    metrics: Metrics
    keys: Keys | None = None
    failures: Failures | None = None
    jobs: "Runner | None" = None
    models: "Models | None" = None
    corrections: "Keeper | None" = None

    def close(self) -> None:
        """End what was started for this service."""
        if self.models is not None:
            self.models.close()
        if self.jobs is not None:
            self.jobs.close(_LAST_PAGES_SECONDS)
        self.reader.close()
        if self.jobs is not None:
            self.jobs.close(1.0)
            self.jobs.queue.close()
        if self.keys is not None:
            self.keys.close()
        if self.corrections is not None:
            self.corrections.close()


def service() -> Service:
    """Give the service of the current application."""
    return cast(Service, current_app.extensions["shizi"])


@api.post("/predict")
@describes(
    PredictAnswer,
    refusals=(400, 401, 403, 413, 415, 422, 429, 500, 503, 504),
    refusal=PredictRefusal,
    also=(*file_types(), ZIP_TYPE),
    bodies=picture_bodies,
    query=query_schemas(),
)
def predict() -> ResponseReturnValue:
    """Read the picture or pictures of the request."""
    here = service()
    here.gate.check_open()
    order = bodies.parse(request, here.settings)
    if order.terms.webhook:
        raise OptionsError("A webhook is for jobs (POST /ocr/jobs); this answer comes at once.")
    if order.format != "json":
        return _files(order)
    results, milliseconds = read_all(order.uploads, order.options, order.terms)
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
    """Say that the models are loaded and warm, with their names.

    Raises Stopping once the service stops, WorkerLost while no process can read.
    """
    here = service()
    here.gate.check_open()
    if not here.reader.alive:
        raise WorkerLost("All reading processes died and are being started again; come again in a moment.")
    return jsonify(success=True, status="ready", weights=list(here.reader.weights), request_id=g.request_id)


@api.delete("/cache")
@describes(PurgeAnswer, refusals=(401, 403, 429))
def purge() -> ResponseReturnValue:
    """Drop all cached answers."""
    return jsonify(success=True, dropped=service().readings.cache.purge(), request_id=g.request_id)


def read_all(
    uploads: Sequence[bodies.Upload], options: ReadOptions, terms: Terms
) -> tuple[list[Kept | ShiziError], float]:
    """Read pictures one after the other, inside the gate; give each one's document or error, and milliseconds.

    Raises Busy when the gate lets no one in.
    """
    here, data = service(), [upload.data for upload in uploads]
    owner = g.key.id if "key" in g else ""  # one key's cached answers are none of another's
    with here.readings.request(data, terms, owner, partial(gone, request.environ)) as admitted:
        results = [_read(here, admitted, upload, options) for upload in uploads]
        return results, sum(admitted.spent) * 1000


def _read(here: Service, admitted: Request, upload: bodies.Upload, options: ReadOptions) -> Kept | ShiziError:
    started = time.perf_counter()
    try:
        kept = admitted.read(upload.data, options)
    except ShiziError as error:
        if here.failures is not None:
            here.failures.keep(upload.data, error, g.request_id, time.perf_counter() - started)
        return error
    if here.settings.cache != "off":
        here.metrics.looked_up(kept.age_seconds is not None)
    return kept


def gone(environ: dict[str, Any]) -> bool:
    """Tell whether the client has closed its connection: nothing is to be read from it but its end."""
    connection = environ.get("gunicorn.socket")
    if connection is None:
        return False
    try:
        return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
    except BlockingIOError:
        return False
    except OSError:
        return True


def _files(order: bodies.Order) -> ResponseReturnValue:
    """Answer with a file of the format asked for, or a ZIP of one for each upload; errors stay JSON."""
    form = FORMATS[order.format]
    form.check()
    results, _ = read_all(order.uploads, form.asking(order.options), order.terms)
    if len(results) == 1:
        return download(_written(order, 0, _read_well(results[0])), order.uploads[0].name, form)
    written: list[tuple[int, str, bytes]] = []
    refused: list[tuple[int, str, ShiziError]] = []
    for number, (upload, result) in enumerate(zip(order.uploads, results, strict=True)):
        try:
            written.append((number, upload.name, _written(order, number, _read_well(result))))
        except ShiziError as error:
            refused.append((number, upload.name, error))
    if not written:
        return _all_refused(refused[0][2], [{"name": name} | error_values(error) for _, name, error in refused])
    errors = [
        {"file": number, "page": None, "name": name, "error": error.message, "code": error.code}
        for number, name, error in refused
    ]
    return packed(written, form, errors)


def _read_well(result: Kept | ShiziError) -> Document:
    if isinstance(result, ShiziError):
        raise result
    return result.document


def _written(order: bodies.Order, number: int, document: Document) -> bytes:
    return service().readings.write(order.format, document, order.uploads[number].data, order.options.password)


def _one(result: Kept | ShiziError, options: ReadOptions, milliseconds: float) -> ResponseReturnValue:
    if isinstance(result, ShiziError):
        raise result
    return jsonify(_heading([result], options, milliseconds) | _rest(result.document.to_dict()))


def _rest(values: dict[str, Any]) -> dict[str, Any]:
    """Give what a document has beside the heading: its source and pages, and its fields if they were asked for."""
    return {name: values[name] for name in ("source", "pages", "fields", "verdict", "forms") if name in values}


def _several(
    uploads: Sequence[bodies.Upload],
    results: Sequence[Kept | ShiziError],
    options: ReadOptions,
    milliseconds: float,
) -> ResponseReturnValue:
    """Answer several files: `pages` of all that were read, `documents` telling which pages are whose."""
    read = [result for result in results if isinstance(result, Kept)]
    pages: list[dict[str, Any]] = []
    documents: list[dict[str, Any]] = []
    for upload, result in zip(uploads, results, strict=True):
        if isinstance(result, ShiziError):
            documents.append({"name": upload.name} | error_values(result))
            continue
        values = result.document.to_dict()
        numbers = list(range(len(pages), len(pages) + len(values["pages"])))
        pages += values.pop("pages")
        del values["weights"]
        documents.append({"name": upload.name, "success": True} | values | {"pages": numbers})
    if not read:
        return _all_refused(next(result for result in results if isinstance(result, ShiziError)), documents)
    return jsonify(_heading(read, options, milliseconds) | {"pages": pages, "documents": documents})


def _all_refused(first: ShiziError, documents: Sequence[dict[str, Any]]) -> ResponseReturnValue:
    """Answer several files of which none could be read: the first one's error, with each one's own beside it."""
    note(first.code)
    return jsonify(error_values(first) | {"request_id": g.request_id, "documents": documents}), first.http_status


def _heading(read: Sequence[Kept], options: ReadOptions, milliseconds: float) -> dict[str, Any]:
    """Give the fixed contract (the first four keys) and what every answer carries after it."""
    whole = Document(tuple(page for kept in read for page in kept.document.pages))
    ages = [kept.age_seconds for kept in read]
    values = {
        "success": True,
        "text": whole.text,
        "confidence": round(whole.confidence, 4),
        "processing_time_ms": round(milliseconds, 1),
        "request_id": g.request_id,
        "cached": None not in ages,
        "weights": list(read[0].document.weights),
        "options": {name: value for name, value in asdict(options).items() if name != "password"},
        "warnings": [f"page {page.number}: {warning}" for page in whole.pages for warning in page.warnings],
        "stages": _stages([kept.document for kept in read if kept.age_seconds is None]),
    }
    if values["cached"]:
        values["cache_age_seconds"] = round(max(age for age in ages if age is not None), 1)
    return values


def _stages(read: Sequence[Document]) -> dict[str, float]:
    """Add up the milliseconds of each stage over all documents."""
    stages: dict[str, float] = {}
    for document in read:
        for stage, spent in document.milliseconds.items():
            stages[stage] = round(stages.get(stage, 0.0) + spent, 1)
    return stages

"""The application: routes, errors and headers put together; one in each worker process.

Takes settings and a reader, gives a WSGI application. Every answer under it carries a request id, every error
the one JSON shape; one row a request goes to the log, and no row holds a picture's text, a file's name or a
message.
"""

import json
import logging
import re
import time
import traceback
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, jsonify, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)

from shizi.errors import Busy, InputError, QuotaSpent, ShiziError, TooLarge
from shizi.pages import Limits
from shizi.service.api import Service, api, error_values, service
from shizi.service.bodies import MemoryRequest, too_large_message
from shizi.service.engines import Engines, Inside, Load, Reads
from shizi.service.gate import Gate
from shizi.service.jobs.on_disk import OnDisk
from shizi.service.jobs.on_redis import OnRedis
from shizi.service.jobs.queue import Queue
from shizi.service.jobs.routes import jobs
from shizi.service.jobs.runner import Runner
from shizi.service.jobs.webhook import Webhook
from shizi.service.readings import REDIS_ADDRESSES, Readings, make_cache
from shizi.service.settings import Settings
from shizi.service.web import web
from shizi.weights import cpu_quota

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What is left of a refused body is read off the wire, so that the client, still sending, sees the answer and
# not a reset connection; but no more than this.
_DRAIN_BYTES = 64_000_000
_DRAIN_SECONDS = 5.0


class _PlainJson(DefaultJSONProvider):
    """JSON as people read it: Chinese unescaped, keys in the order of the contract."""

    ensure_ascii = False
    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write compact JSON; a NaN, which is no JSON, raises ValueError rather than reach a client."""
        return json.dumps(obj, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=self.default)


def create_app(settings: Settings, reader: Reads | None = None) -> Flask:
    """Make the application; without a `reader` the models are loaded and warmed now.

    Raises WeightsError when they cannot be.
    """
    app = Flask(__name__, static_url_path="/ocr/static")
    app.request_class = MemoryRequest
    app.json = _PlainJson(app)
    engine = Inside(reader) if reader else start_engines(settings)
    gate = Gate(settings.workers, settings.queue, settings.wait_seconds, settings.queue_megapixels * 1e6)
    readings = Readings(engine, gate, make_cache(settings), settings)
    app.extensions["shizi"] = Service(engine, settings, gate, readings, start_jobs(settings, readings))
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(ShiziError, _refuse)
    app.register_error_handler(HTTPException, _refuse_http)
    app.register_error_handler(Exception, _fail)
    app.register_blueprint(api)
    app.register_blueprint(jobs)
    app.register_blueprint(web)
    return app


def start_engines(settings: Settings, load: Load | None = None) -> Engines:
    """Start the processes that read. Raises WeightsError when they cannot load the models."""
    threads = settings.threads or max(1, cpu_quota() // settings.workers)
    load = load or partial(load_reader, threads, settings.limits)
    return Engines(load, settings.workers, settings.deadline_seconds, settings.worker_megabytes * 1_000_000)


def start_jobs(settings: Settings, readings: Readings) -> Runner | None:
    """Open the store of jobs and start reading them; None where the settings name none. Raises OptionsError."""
    if not settings.jobs:
        return None
    queue: Queue
    if settings.jobs.startswith(REDIS_ADDRESSES):
        queue = OnRedis(settings.jobs, settings.job_lease_seconds, settings.job_tries, settings.job_keep_seconds)
    else:
        queue = OnDisk(Path(settings.jobs), settings.job_lease_seconds, settings.job_tries, settings.job_keep_seconds)
    webhook = Webhook(settings.webhook_hosts, settings.webhook_secret)
    return Runner(queue, readings, webhook, settings.workers, settings.job_lease_seconds)


def load_reader(threads: int, limits: Limits) -> Reads:
    """Load the models and warm them; called in the process that will read."""
    from shizi.service.paging import PagingReader  # only here: this process needs no models

    reader = PagingReader(threads=threads, limits=limits)
    reader.warm()
    return reader


def _begin() -> None:
    g.started = time.perf_counter()
    asked = request.headers.get("X-Request-ID", "")
    g.request_id = asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    # The rule, not the path: a path is the caller's text and could forge rows.
    log.info(
        "%s %s %d %.0fms %s",
        request.method if request.url_rule else "-",
        request.url_rule or "-",
        response.status_code,
        (time.perf_counter() - g.started) * 1000,
        g.request_id,
    )
    return response


def _answer(error: ShiziError, status: int | None = None, code: str | None = None) -> Response:
    values = error_values(error) | {"request_id": g.request_id}
    if code:
        values["code"] = code
    response = jsonify(values)
    response.status_code = status or error.http_status
    environ = request.environ
    response.call_on_close(lambda: _drain(environ))
    if isinstance(error, (Busy, QuotaSpent)):
        response.headers["Retry-After"] = str(error.retry_seconds)
    return response


def _refuse(error: ShiziError) -> ResponseReturnValue:
    log.info("refused %s: %s", g.request_id, error.code)
    return _answer(error)


def _refuse_http(error: HTTPException) -> ResponseReturnValue:
    """Translate what Flask and Werkzeug raise: unknown routes, wrong methods, bodies too large or cut."""
    if isinstance(error, RequestEntityTooLarge):
        return _refuse(TooLarge(too_large_message(service().settings.max_bytes)))
    if isinstance(error, ClientDisconnected):
        return _refuse(InputError("The body is cut short or malformed; send the request again."))
    if isinstance(error, NotFound):
        return _answer(ShiziError("No such page; the service answers under /ocr/ (docs/http.md)."), 404, "not_found")
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        message = f"The method {request.method[:16]!r} is not allowed here; expected {allowed}."
        response = _answer(ShiziError(message), 405, "method_not_allowed")
        response.headers["Allow"] = allowed
        return response
    if error.code and error.code < 400:
        return error.get_response()  # a redirect, not a refusal
    return _refuse(InputError(f"The request cannot be understood: {error.name}."))


def _fail(error: Exception) -> ResponseReturnValue:
    """Answer a defect of ours. Its message may hold recognised text: only its kind and place are logged."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-8:]))
    log.error("failed %s: %s at %s", g.request_id, type(error).__name__, places)
    return _answer(ShiziError(f"The service failed; its log tells more under request {g.request_id}."))


def _drain(environ: dict[str, Any]) -> None:
    """Read what the client is still sending, once it has its answer."""
    connection = environ.get("gunicorn.socket")
    if connection is None:
        return
    deadline = time.monotonic() + _DRAIN_SECONDS
    left = _DRAIN_BYTES
    try:
        connection.settimeout(_DRAIN_SECONDS)
        while left > 0 and time.monotonic() < deadline:
            chunk = environ["wsgi.input"].read(65536)
            if not chunk:
                return
            left -= len(chunk)
    except OSError:
        return  # the client is gone, or sends nothing more; the server closes the connection

"""The application: routes, errors and headers put together; one in each worker process.

Takes settings and a reader, gives a WSGI application. Every answer under it carries a request id, every error
the one JSON shape; one row a request goes to the log, and no row holds a picture's text, a file's name or a
message.
"""

import json
import logging
import re
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, jsonify, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from shizi.errors import Busy, QuotaSpent, ShiziError
from shizi.pages import Limits
from shizi.service import access, compat, corrections, metrics, models, openapi
from shizi.service.api import Service, api, service
from shizi.service.assets import assets
from shizi.service.bodies import MemoryRequest
from shizi.service.child import Load, Reads
from shizi.service.corrections import Keeper
from shizi.service.engines import Engines
from shizi.service.exports import exports
from shizi.service.failures import Failures
from shizi.service.gate import Gate
from shizi.service.inside import Inside
from shizi.service.jobs.on_disk import OnDisk
from shizi.service.jobs.on_redis import OnRedis
from shizi.service.jobs.queue import Queue
from shizi.service.jobs.routes import jobs
from shizi.service.jobs.runner import Runner
from shizi.service.jobs.webhook import Webhook
from shizi.service.metrics import Counted, Metrics
from shizi.service.models import Models
from shizi.service.pictures import pictures
from shizi.service.readings import REDIS_ADDRESSES, Engine, Readings, make_cache
from shizi.service.refusals import error_values, note, translate
from shizi.service.settings import Settings
from shizi.service.web import web
from shizi.versions import in_force
from shizi.weights import cpu_quota

log = logging.getLogger(__name__)

# What anyone may ask for, key or not: the page and its files, whether the service is well, what it can do.
_OPEN = {
    *("static", "assets.file", "web.home", "web.webui", "web.status"),
    *("api.health", "api.ready", "openapi.document", "openapi.docs"),
    "corrections.tell_corrections",  # so that a page knows whether to offer them
}
_ADMIN_PATHS = ("/metrics", "/ocr/cache", "/ocr/models")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


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
    version = in_force(Path(settings.models) if settings.models else None)
    read_by: Inside | Engines = Inside(reader) if reader else start_engines(settings)
    counts = Metrics()
    engine: Engine = Counted(read_by, counts)
    gate = Gate(settings.workers, settings.queue, settings.wait_seconds, settings.queue_megapixels * 1e6)
    readings = Readings(engine, gate, make_cache(settings), settings)
    app.extensions["shizi"] = Service(
        reader=engine,
        settings=settings,
        gate=gate,
        readings=readings,
        metrics=counts,
        keys=access.Keys(settings.keys) if settings.keys else None,
        failures=Failures(settings.failures, settings.failures_bytes) if settings.failures else None,
        jobs=start_jobs(settings, readings),
        models=follow_models(settings, version, read_by),
        corrections=Keeper(Path(settings.corrections), settings.retention) if settings.corrections else None,
    )
    counts.watch("queue_waiting", "Pictures that wait for their turn.", lambda: gate.waiting)
    keeper = app.extensions["shizi"].corrections
    if keeper is not None:
        counts.watch("corrections_lines", "Corrected lines kept.", lambda: keeper.size()[0])
        counts.watch("corrections_bytes", "Bytes of their pictures.", lambda: keeper.size()[1])
    counts.watch("queue_megapixels", "Pixels admitted and not yet read.", lambda: gate.work / 1e6)
    app.before_request(_begin)
    app.before_request(_authorise)
    app.after_request(_finish)
    app.register_error_handler(ShiziError, _refuse)
    app.register_error_handler(HTTPException, _refuse_http)
    app.register_error_handler(Exception, _fail)
    compat.register(app, settings.compat_root)  # first: a root alias goes before the web page's own /
    app.register_blueprint(api)
    app.register_blueprint(jobs)
    app.register_blueprint(pictures)
    app.register_blueprint(exports)
    app.register_blueprint(corrections.routes)
    app.register_blueprint(models.models)
    app.register_blueprint(metrics.routes)
    app.register_blueprint(openapi.pages)
    app.register_blueprint(assets)
    app.register_blueprint(web)
    return app


def start_engines(settings: Settings, load: Load | None = None) -> Engines:
    """Start the processes that read. Raises WeightsError when they cannot load the models."""
    load = load or load_for(settings, in_force(Path(settings.models) if settings.models else None))
    return Engines(load, settings.workers, settings.deadline_seconds, settings.worker_megabytes * 1_000_000)


def load_for(settings: Settings, version: str) -> Load:
    """Give what loads a reader with this version of the small recogniser, whatever is promoted meanwhile."""
    threads = settings.threads or max(1, cpu_quota() // settings.workers)
    given = (settings.templates, settings.recogniser, settings.models)
    return partial(load_reader, threads, settings.limits, *given, version)


def follow_models(settings: Settings, version: str, engines: Engines | Inside) -> Models | None:
    """Follow the folder of models, if the settings name one and the reading is done by processes of our own."""
    if not settings.models or isinstance(engines, Inside):
        return None
    return Models(Path(settings.models), version, partial(load_for, settings), engines.change)


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


def load_reader(
    threads: int, limits: Limits, templates: str, recogniser: str = "", models: str = "", version: str = ""
) -> Reads:
    """Load the models, the small recogniser in this version, and warm them; called in the process that will read."""
    from shizi.reader import Reader  # only here: this process needs no models

    folder, file, promoted = (Path(name) if name else None for name in (templates, recogniser, models))
    reader = Reader(threads, limits, folder, file, promoted, version)
    reader.warm()
    return reader


def _begin() -> None:
    g.started = time.perf_counter()
    service().metrics.begin()
    asked = request.headers.get("X-Request-ID", "")
    g.request_id = asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex


def _authorise() -> ResponseReturnValue | None:
    """Let in who may do what is asked. Browsers ask first whether another origin's page may call (CORS)."""
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return Response(status=204)
    scope = _scope()
    keys = service().keys
    if keys is not None and scope:
        g.key = access.allow(keys, access.key_of(request), scope)
    return None


def _scope() -> str:
    """Name the scope that the request needs; '' if anyone may ask. Whatever is not listed needs one."""
    if request.endpoint in _OPEN or request.endpoint in compat.OPEN or request.url_rule is None:
        return ""
    path = request.url_rule.rule
    if path.startswith(_ADMIN_PATHS):
        return "admin"
    if path.startswith("/ocr/corrections"):
        return "correct" if request.method == "POST" else "admin"
    return "jobs" if path.startswith("/ocr/jobs") or "/api/doc/" in path else "read"


def _allow_origin(response: Response) -> None:
    """Tell a browser that the page which asks may see the answer, if its origin is on the list, letter for letter."""
    origins = service().settings.origins
    if not origins:
        return
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    if origin in origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
        response.headers["Access-Control-Allow-Headers"] = (
            "Authorization, Cache-Control, Content-Type, Idempotency-Key, X-API-Key, X-Deadline-Ms, X-Priority, "
            "X-Request-ID"
        )
        response.headers["Access-Control-Expose-Headers"] = (
            "Content-Disposition, Location, Retry-After, X-Failed-Pages, X-Page-Count, X-Request-ID"
        )
        response.headers["Access-Control-Max-Age"] = "600"


def _finish(response: Response) -> Response:
    _allow_origin(response)
    response.headers["X-Request-ID"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    response.headers["Cross-Origin-Resource-Policy"] = (
        "same-origin" if not service().settings.origins else "cross-origin"
    )
    if request.endpoint not in ("static", "assets.file"):
        response.headers.setdefault("Cache-Control", "no-store")
    _tell(response)
    return response


def _tell(response: Response) -> None:
    """Log and count a request; by its rule, not its path, which is the caller's text and could forge rows."""
    seconds = time.perf_counter() - g.started
    method = request.method if request.url_rule else "-"
    route = request.url_rule.rule if request.url_rule else "-"
    service().metrics.answered(route, method, response.status_code, seconds)
    row = {
        "request_id": g.request_id,
        "method": method,
        "route": route,
        "status": response.status_code,
        "milliseconds": round(seconds * 1000, 1),
    }
    if "key" in g:
        row["key"] = g.key.name
    if "cause" in g:
        row["cause"] = g.cause
    log.log(logging.WARNING if response.status_code >= 500 else logging.INFO, "request", extra={"row": row})


def _answer(error: ShiziError, status: int | None = None, code: str | None = None) -> Response:
    values = error_values(error) | {"request_id": g.request_id}
    if code:
        values["code"] = code
    note(values["code"])
    response = jsonify(values)
    response.status_code = status or error.http_status
    if isinstance(error, (Busy, QuotaSpent)):
        response.headers["Retry-After"] = str(error.retry_seconds)
    return response


def _refuse(error: ShiziError) -> ResponseReturnValue:
    return _answer(error)


def _refuse_http(error: HTTPException) -> ResponseReturnValue:
    """Translate what Flask and Werkzeug raise: unknown routes, wrong methods, bodies too large or cut."""
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
    return _refuse(translate(error))


def _fail(error: Exception) -> ResponseReturnValue:
    return _answer(translate(error))

"""The server: gunicorn around the application, started from the settings.

Its one worker process holds the connections; the processes that read are started by the application (`engines`). It
drains on SIGTERM. Knows nothing of routes.
"""

import logging
import os
import resource
import socket
import sys
import time
from collections import deque
from collections.abc import Iterable
from functools import partial
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.http.errors import ParseException

import shizi
from shizi.errors import OptionsError, ShiziError, WeightsError
from shizi.service import bodies, logs
from shizi.service.intake import IntakeWorker
from shizi.service.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from flask import Flask

log = logging.getLogger(__name__)

# Threads beyond those that read or wait to: for health checks, the page and refusals while the queue is full.
_SPARE_THREADS = 8
# More than the thousand that a malicious client opens easily; a connection costs a few kilobytes.
_MOST_CONNECTIONS = 5000
# Starts of the worker within this time are one crash loop; from the fourth on each waits twice as long as before.
_LOOP_SECONDS = 30.0
_FREE_STARTS = 3
_LONGEST_DELAY_SECONDS = 8.0
_KEEPALIVE_SECONDS = 5
_SHARED_MEMORY = "/dev/shm"
_starts: deque[float] = deque(maxlen=20)


class _Worker(IntakeWorker):
    """The process that holds all connections; it closes the gate before it drains."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        wsgi = getattr(self, "wsgi", None)
        if wsgi is not None:
            wsgi.app.extensions["shizi"].gate.close()
        super().handle_exit(sig, frame)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    """Gunicorn, configured by our settings alone: no files, no environment of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__(prog="shizi serve")

    def load_config(self) -> None:
        _Worker.body_seconds = self._settings.body_seconds
        _Worker.most_bytes = staticmethod(partial(bodies.most_bytes, self._settings))
        for name, value in _configuration(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> "_WholeBodies":
        """Make the application, in the worker."""
        from shizi.service.app import create_app

        logs.set_up()
        settings = self._settings
        try:
            app = create_app(settings)
        except ShiziError as error:
            if len(_starts) > 1:
                # What ran before is tried again, ever later: a disk that is full or an engine killed while it loads is
                # no reason to end the whole service, as a mistake at its first start is.
                log.error("the service does not start again yet: %s", error.message)
                sys.exit(1)
            raise AppImportError(f"shizi: {error.message}") from error
        return _WholeBodies(app)


class _WholeBody:
    """A body that raises OSError, which becomes a 400, when it is cut short or its chunks are malformed.

    Gunicorn hands over half a body as if it were whole, and raises classes that only its own parser expects.
    """

    def __init__(self, body: IO[bytes], length: int | None) -> None:
        self._body = body
        self._left = length

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._body.read(size)
        except ParseException as error:
            raise OSError("malformed chunk") from error
        if self._left is not None:
            self._left -= len(data)
            if not data and size != 0 and self._left > 0:
                raise OSError("body cut short")
        return data


class _WholeBodies:
    """The application, with a `_WholeBody` in each request."""

    def __init__(self, app: "Flask") -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        environ["wsgi.input"] = _WholeBody(environ["wsgi.input"], int(length) if length else None)
        return self.app(environ, start_response)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises OptionsError when the address cannot be listened on, WeightsError when the workers cannot load the
    models.
    """
    _check_address(settings)
    if warning := open_to_all(settings):
        print(f"shizi: {warning}", file=sys.stderr, flush=True)
    _allow_connections()
    master = os.getpid()
    try:
        _Server(settings).run()
    except SystemExit as stop:
        # The workers, forked inside, leave through here too: their exit code must reach gunicorn as it is.
        if stop.code == Arbiter.APP_LOAD_ERROR and os.getpid() == master:
            raise WeightsError("The service did not start: its models cannot be loaded (see above).") from stop
        raise


def _configuration(settings: Settings) -> dict[str, Any]:
    shared_memory = os.path.isdir(_SHARED_MEMORY) and os.access(_SHARED_MEMORY, os.W_OK)
    return {
        "bind": f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}",
        # One process holds all connections, one queue before all engines: see docs/decisions/050.
        "workers": 1,
        "worker_class": _Worker,
        "threads": settings.workers + settings.queue + _SPARE_THREADS,
        "worker_connections": _MOST_CONNECTIONS,
        "keepalive": _KEEPALIVE_SECONDS,
        "graceful_timeout": settings.stop_seconds,
        # The heartbeat lies in memory: on a slow disk it would stop the worker (gunicorn's FAQ).
        "worker_tmp_dir": _SHARED_MEMORY if shared_memory else None,
        "control_socket_disable": True,
        "preload_app": False,
        # Files are sent as all answers are: by hand a thread would wait for the client (`collector.Outlet`).
        "sendfile": False,
        "loglevel": "warning",
        "proc_name": "shizi",
        "pre_fork": _slow_down,
        "post_worker_init": _announce,
        "worker_exit": _end_engines,
    }


def _allow_connections() -> None:
    """Ask for as many open files as connections are let in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_CONNECTIONS + 200
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _slow_down(arbiter: Any, worker: Any) -> None:
    """Start a process that died again and again ever later: one that dies at once must not take the whole machine."""
    now = time.monotonic()
    _starts.append(now)
    again = sum(now - start < _LOOP_SECONDS for start in _starts) - _FREE_STARTS
    if again > 0:
        time.sleep(min(_LONGEST_DELAY_SECONDS, 0.25 * 2**again))


def _end_engines(arbiter: Any, worker: Any) -> None:
    wsgi = getattr(worker, "wsgi", None)
    if wsgi is not None:
        wsgi.app.extensions["shizi"].close()


def _announce(worker: Any) -> None:
    """Print where the page is, once the first worker has its models."""
    if worker.age != 1:
        return
    host, port = worker.sockets[0].getsockname()[:2]
    print(start_line(host, port), flush=True)


def start_line(host: str, port: int) -> str:
    """Say where the page is, and who can reach it."""
    everywhere = host in ("0.0.0.0", "::")
    shown = "127.0.0.1" if everywhere else f"[{host}]" if ":" in host else host
    if everywhere:
        reach = "every machine that reaches this one"
    elif host in ("127.0.0.1", "::1"):
        reach = "this machine only; --host 0.0.0.0 lets others in"
    else:
        reach = f"whoever reaches {host}"
    return f"识字 shizi {shizi.__version__} serves http://{shown}:{port}/ocr/webui ({reach})"


def open_to_all(settings: Settings) -> str:
    """Give the warning of a service that whoever reaches it may use; '' if it needs keys or is this machine's own."""
    if settings.keys or settings.host in ("127.0.0.1", "::1", "localhost"):
        return ""
    return (
        f"warning: listening on {settings.host} without keys, so whoever reaches this machine may use the service; "
        "set SHIZI_KEYS and make keys with `shizi keys add`, or keep it behind a gateway that checks"
    )


def _check_address(settings: Settings) -> None:
    """Try the address before gunicorn does, which would retry for seconds and then log a row of errors."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise OptionsError(
            f"Cannot listen on {settings.host} port {settings.port} ({error.strerror}); "
            "choose another address with --host or --port."
        ) from error

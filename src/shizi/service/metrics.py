"""Metrics: what one service process did, for Prometheus, at `/metrics`.

Takes what the routes tell it (a request answered, a picture read), gives the text format of Prometheus. Labels come
from fixed lists and routes alone, never from a caller's text: their number stays bounded.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shizi.corrections import Given, Strip
from shizi.document import Document
from shizi.options import ReadOptions
from shizi.pages.picture import Wanted
from shizi.service.contract import describes
from shizi.service.readings import Engine

Seen = TypeVar("Seen")

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

routes = Blueprint("metrics", __name__)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one service. Safe to use from several threads at once."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asked for
        self.registry = CollectorRegistry()
        here = self.registry
        self._requests = Counter(
            "shizi_requests_total", "Requests answered.", ["route", "method", "status"], registry=here
        )
        self._seconds = Histogram(
            "shizi_request_seconds", "Time of a request, waiting included.", ["route"], buckets=_SECONDS, registry=here
        )
        self._refusals = Counter("shizi_refusals_total", "Requests or files refused.", ["code"], registry=here)
        self._stages = Histogram("shizi_stage_seconds", "Time of a stage.", ["stage"], buckets=_SECONDS, registry=here)
        self._documents = Counter("shizi_documents_total", "Files read.", registry=here)
        self._pages = Counter("shizi_pages_total", "Pages read.", registry=here)
        self._lines = Counter("shizi_lines_total", "Lines read.", registry=here)
        self._reread = Counter(
            "shizi_lines_reread_total", "Lines read again, whole or in part, by the strong recogniser.", registry=here
        )
        self._cache = Counter("shizi_cache_total", "Files found in the cache, or not.", ["result"], registry=here)
        self._inside = Gauge("shizi_requests_running", "Requests being answered.", registry=here)
        self.registry.register(_Resident())

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Show what `value` gives at the moment of asking as `shizi_<name>`: what waits in a queue, say."""
        Gauge(f"shizi_{name}", meaning, registry=self.registry).set_function(value)

    def begin(self) -> None:
        """Count a request in."""
        self._inside.inc()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request out."""
        self._inside.dec()
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, code: str) -> None:
        """Count a refusal by the error's code."""
        self._refusals.labels(code).inc()

    def looked_up(self, found: bool) -> None:
        """Count a file looked up in the cache."""
        self._cache.labels("hit" if found else "miss").inc()

    def read(self, document: Document, first: str | None = None) -> None:
        """Count what was read now, for a request or for a job.

        `first`: the model that read every line before another one read it again; None where none does.
        """
        lines = [line for page in document.pages for line in page.lines]
        self._documents.inc()
        self._pages.inc(len(document.pages))
        self._lines.inc(len(lines))
        if first:  # what was text in the file names no model
            self._reread.inc(sum(bool(line.model) and line.model != first for line in lines))
        for stage, spent in document.milliseconds.items():
            self._stages.labels(stage).observe(spent / 1000)

    def text(self) -> bytes:
        """Give everything in Prometheus's text format."""
        return generate_latest(self.registry)


class Counted:
    """An engine whose readings are counted."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine = engine
        self._metrics = metrics

    @property
    def weights(self) -> tuple[str, ...]:
        """The labels of the models that read what comes now."""
        return self._engine.weights

    @property
    def firsts(self) -> Mapping[str, str]:
        """What reads every line, by the modes in which another model may read it again."""
        return self._engine.firsts

    @property
    def alive(self) -> int:
        """How many can read."""
        return self._engine.alive

    def read(self, data: bytes, options: ReadOptions, deadline: float | None = None) -> Document:
        """Read `data` until `deadline`."""
        document = self._engine.read(data, options, deadline)
        self._metrics.read(document, self._engine.firsts.get(options.mode))
        return document

    def count(self, data: bytes, options: ReadOptions, deadline: float | None = None) -> int:
        """Count the pages of `data`."""
        return self._engine.count(data, options, deadline)

    def write(
        self, name: str, document: Document, data: bytes, options: ReadOptions, deadline: float | None = None
    ) -> bytes:
        """Write a `document` read of `data` in the format of this name."""
        return self._engine.write(name, document, data, options, deadline)

    def picture(self, data: bytes, wanted: Wanted, deadline: float | None = None) -> tuple[bytes, int]:
        """Give one page of `data` as a JPEG, and how many pages there are."""
        return self._engine.picture(data, wanted, deadline)

    def corrected(self, data: bytes, given: Given, deadline: float | None = None) -> Strip:
        """Cut out the line of `data` that was put right, until `deadline`."""
        return self._engine.corrected(data, given, deadline)

    def look(self, data: bytes, look: Callable[[bytes], Seen], deadline: float | None = None) -> Seen:
        """Give what `look` sees in `data`, until `deadline`."""
        return self._engine.look(data, look, deadline)

    def close(self) -> None:
        """End what was started to read."""
        self._engine.close()


class _Resident(Collector):
    """The memory of this process and of its children: the whole service's, wherever it reads."""

    def collect(self) -> Sequence[Metric]:
        sizes = [resident_bytes(process) for process in (os.getpid(), *_children())]
        family = GaugeMetricFamily("shizi_resident_bytes", "Memory in use, by process.", labels=["process"])
        for number, size in enumerate(sizes):
            family.add_metric(["service" if number == 0 else f"engine-{number}"], size)
        return [family]


def resident_bytes(process: int) -> int:
    """Give the memory a process holds; 0 where the system does not tell (it has /proc on Linux alone)."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _children() -> list[int]:
    try:
        threads = Path("/proc/self/task").iterdir()
        return sorted({int(child) for thread in threads for child in (thread / "children").read_text().split()})
    except (OSError, ValueError):
        return []


@routes.get("/metrics")
@describes(MEDIA_TYPE, refusals=(401, 403, 429))
def metrics() -> ResponseReturnValue:
    """Tell Prometheus what this service did."""
    return Response(current_app.extensions["shizi"].metrics.text(), content_type=MEDIA_TYPE)

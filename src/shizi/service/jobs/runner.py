"""Runner: threads that take the pages of jobs, have them read behind all who wait, and send the reports.

Takes a queue of jobs and what reads. As many pages are read at once as there are engines; their leases are kept up from
here. Knows nothing of HTTP routes.
"""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shizi.document import Document
from shizi.errors import Busy, InputError, ShiziError, Stopping, Unavailable, WorkerLost
from shizi.options import ReadOptions
from shizi.service.jobs.queue import COUNTING, Queue, Unit
from shizi.service.jobs.webhook import Webhook
from shizi.service.readings import Readings
from shizi.service.work import LEAST_PIXELS, pixels_in

log = logging.getLogger(__name__)

# How long idle threads wait before they look again: other processes may have taken a job.
_LOOK_SECONDS = 1.0
_REST_SECONDS = 3.0
_SWEEP_SECONDS = 60.0
# Leases are kept up this many times within their length.
_BEATS = 3


class Runner:
    """Reads the pages of jobs until it is closed."""

    def __init__(self, queue: Queue, readings: Readings, webhook: Webhook, threads: int, lease_seconds: float) -> None:
        self.queue = queue
        self._readings = readings
        self.webhook = webhook
        self._lease = lease_seconds
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._held: set[Unit] = set()
        self._lock = threading.Lock()
        steps = [self._read_pages] * threads + [self._keep_leases, self._send_reports]
        self._threads = [threading.Thread(target=step, daemon=True, name=f"jobs-{step.__name__}") for step in steps]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that a job came."""
        self._wake.set()

    def stop(self) -> None:
        """Begin no more pages."""
        self._closing.set()
        self._wake.set()

    def close(self, seconds: float = 0.0) -> None:
        """Stop, and wait up to `seconds` for the pages being read; what is not read is another's, later."""
        self.stop()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _read_pages(self) -> None:
        while not self._stopping:
            try:
                unit = self.queue.claim()
                if unit is None:
                    self._wake.wait(_LOOK_SECONDS)
                    self._wake.clear()
                    continue
                self._wake.set()  # there may be more, for the other threads
                self._do(unit)
            except Unavailable as error:
                log.warning("jobs rest: %s", error.message)
                self._closing.wait(_REST_SECONDS)

    @property
    def _stopping(self) -> bool:
        return self._closing.is_set() or self._readings.gate.closed

    def _do(self, unit: Unit) -> None:
        with self._lock:
            self._held.add(unit)
        try:
            outcome = self._read(unit)
            if isinstance(outcome, list):
                self.queue.expand(unit, outcome)
                self._wake.set()
            else:
                self.queue.finish(unit, outcome)
        except WorkerLost:
            log.warning("job %s: the engine died on page %d, try %d", unit.job, unit.page, unit.tries)
            self.queue.give_back(unit, tried=not self._stopping)
        except (Stopping, _Interrupted):
            self.queue.give_back(unit, tried=False)
        finally:
            with self._lock:
                self._held.discard(unit)

    def _read(self, unit: Unit) -> list[int] | Mapping[str, Any]:
        """Read a page, or count the pages of a file; give those to read, or what became of it."""
        view = self.queue.view(unit.job)
        data = self.queue.upload(unit.job, unit.file)
        if view is None or not data:
            raise _Interrupted  # deleted just now
        try:
            options = ReadOptions.parse(view.options)
            if unit.page == COUNTING:
                return self._wanted(data, options)
            # As deep as any format needs: which one is asked for is not known before the job is over.
            depth = "word" if options.detail == "line" else options.detail
            options = replace(options, pages=str(unit.page), detail=depth)
            work = pixels_in(data, self._readings.settings.limits) // max(1, view.files[unit.file].pages or 1)
            document = self._readings.page(data, options, max(LEAST_PIXELS, work), lambda: self._gone(unit))
            return _alone(document, unit.page).to_dict()
        except WorkerLost:
            raise
        except ShiziError as error:
            if self._stopping or (isinstance(error, Busy) and error.code == "busy"):
                raise _Interrupted from error
            return {"error": error.message, "code": error.code}
        except Exception as error:  # noqa: BLE001  # the job worker: a defect fails one page
            log.error("job %s failed on page %d: %s", unit.job, unit.page, type(error).__name__)
            return {"error": "The service failed on this page; its log tells more.", "code": ShiziError.code}

    def _wanted(self, data: bytes, options: ReadOptions) -> list[int] | Mapping[str, Any]:
        count = self._readings.count(data, options, lambda: self._stopping)
        wanted = [number for number in range(1, count + 1) if options.wants(number)]
        if wanted:
            return wanted
        error = InputError(f"The file has {count} pages, and none of them is asked for with {options.pages!r}.")
        return {"error": error.message, "code": error.code}

    def _gone(self, unit: Unit) -> bool:
        with self._lock:
            return self._stopping or unit not in self._held

    def _keep_leases(self) -> None:
        while not self._closing.wait(self._lease / _BEATS):
            with self._lock:
                held = list(self._held)
            for unit in held:
                try:
                    if not self.queue.beat(unit):
                        with self._lock:
                            self._held.discard(unit)  # cancelled: if its turn has not come, it need not
                except Unavailable as error:
                    log.warning("jobs: a lease was not kept up: %s", error.message)

    def _send_reports(self) -> None:
        swept = -_SWEEP_SECONDS
        while not self._closing.wait(_LOOK_SECONDS):
            try:
                if time.monotonic() - swept > _SWEEP_SECONDS:
                    swept = time.monotonic()
                    self.queue.sweep()
                while not self._closing.is_set() and (report := self.queue.take_report()):
                    view = self.queue.view(report.job)
                    if view is not None:
                        delivered = self.webhook.send(report.url, view)
                        self.queue.reported(report, delivered, self.webhook.again(report.tries))
            except Unavailable as error:
                log.warning("jobs rest: %s", error.message)


class _Interrupted(Exception):
    """Says that a page was not read for no fault of its own."""


def _alone(document: Document, page: int) -> Document:
    """Keep the one page that was asked for, whatever the reader gave."""
    pages = tuple(one for one in document.pages if one.number == page)
    return replace(document, pages=pages or document.pages[:1])

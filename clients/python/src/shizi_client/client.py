"""The client for threads. Sends what `calls` describes, again where `retries` says so."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from types import TracebackType
from typing import Unpack

import httpx2

from shizi_client import calls
from shizi_client.batches import AHEAD, FATAL, BatchEntry
from shizi_client.calls import Answer, Call, LineTerms, Picture, ResultFile
from shizi_client.errors import ShiziError
from shizi_client.jobs import Watch
from shizi_client.models import (
    Correction,
    Corrections,
    DeletedJob,
    Document,
    Format,
    Health,
    Job,
    Models,
    Options,
    Readiness,
    Reading,
)
from shizi_client.retries import DEFAULT, Retries
from shizi_client.sources import Source, load
from shizi_client.wire import TIMEOUT_SECONDS, checked, request, translated


class Client:
    """A shizi service. May be used by many threads at once; close it, or use it in a `with` block."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:5000",
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: Retries = DEFAULT,
        http: httpx2.Client | None = None,
    ) -> None:
        """Call the service at `url` with `key`; nothing is sent yet.

        `timeout`: seconds to wait for one answer. `http`: a client of your own (proxies, certificates), which stays
        yours to close.
        """
        self._url, self._key, self._timeout, self._retries = checked(url), key, timeout, retries
        self._own = http is None
        self._http = http or httpx2.Client()

    def read(self, source: Source, **options: Unpack[Options]) -> Reading:
        """Read one picture or document: a path, bytes, or (name, bytes)."""
        return self._send(calls.read(source, options))

    def read_batch(
        self, sources: Iterable[Source], *, at_once: int = 4, **options: Unpack[Options]
    ) -> Iterator[BatchEntry]:
        """Read any number of files, each in a request of its own, `at_once` at the same time.

        Gives one entry a file, in the order given. A file that cannot be read is an entry with its `error`; only what
        every other file would meet too ends the batch: AccessError and OptionsError. `sources` are taken as needed.
        A batch that is closed early waits for what is under way.
        """

        def entry(index: int, source: Source) -> BatchEntry:
            try:
                return BatchEntry(index, source, self.read(source, **options))
            except FATAL:
                raise
            except (ShiziError, OSError) as error:
                return BatchEntry(index, source, None, error)

        running: deque[Future[BatchEntry]] = deque()
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="shizi-batch")
        try:
            for index, source in enumerate(sources):
                running.append(pool.submit(entry, index, source))
                if len(running) >= AHEAD * at_once:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def export(self, source: Source, format: Format, **options: Unpack[Options]) -> ResultFile:
        """Read one picture or document and give it as a file: searchable PDF, Word, Excel, Markdown and others."""
        return self._send(calls.export(source, format, options))

    def write(
        self,
        document: Document | bytes,
        format: Format,
        *,
        source: Source | None = None,
        name: str = "",
        password: str = "",
    ) -> ResultFile:
        """Write a document that was read before, with whatever was corrected in it, as a file; nothing is read again.

        `document`: a Reading, a job's Document, or their JSON. `source`: what it was read of, for a searchable PDF.
        """
        return self._send(calls.write(document, format, source, name, password))

    def picture(
        self, source: Source, page: int = 1, *, side: int | None = None, rotation: int = 0, password: str = ""
    ) -> Picture:
        """Give a page as a JPEG, `side` pixels at its longest, turned by `rotation` degrees clockwise."""
        return self._send(calls.picture(source, page, side, rotation, password))

    def submit(
        self,
        sources: Sequence[Source],
        *,
        webhook: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """Order a job: long documents or many files, read behind those who wait.

        The same order under the same `idempotency_key` is the same job; without one a random key makes retries safe.
        """
        return self._send(calls.submit(sources, options, webhook, idempotency_key))

    def job(self, id: str) -> Job:
        """Ask how a job stands."""
        return self._send(calls.job(id))

    def wait(self, id: str, *, on_progress: Callable[[Job], None] | None = None, timeout: float | None = None) -> Job:
        """Wait until a job is over and give it; `on_progress` is called with each new state.

        Raises JobFailed if nothing was read, TimedOut after `timeout` seconds (the job goes on).
        """
        watch = Watch(id, timeout, on_progress)
        while (pause := watch.see(self.job(id))) is not None:
            time.sleep(pause)
        return watch.over()

    def document(self, id: str, file: int = 0, *, partial: bool = False) -> Document:
        """Fetch what was read of one file of a job. `partial`: what is there of a job under way."""
        return self._send(calls.document(id, file, partial))

    def result(self, id: str, format: Format, *, file: int | None = None, partial: bool = False) -> ResultFile:
        """Fetch the result of a job as a file; of several files one, or a ZIP of all."""
        return self._send(calls.result(id, format, file, partial))

    def delete(self, id: str) -> DeletedJob:
        """Cancel a job if it is not over, and delete it with all of its content."""
        return self._send(calls.delete(id))

    def purge_cache(self) -> int:
        """Drop all cached answers; give how many there were. The key needs the scope `admin`."""
        return self._send(calls.purge_cache())

    def corrections(self) -> Corrections:
        """Ask whether this service keeps corrected lines, and how long their texts may be."""
        return self._send(calls.corrections())

    def correct(self, source: Source, text: str, **terms: Unpack[LineTerms]) -> Correction:
        """Bring the right text of a line, for the recogniser to learn from. The key needs the scope `correct`.

        `source`: the line's own picture, or with `polygon` the page or document that it stands on.
        """
        return self._send(calls.correct(source, text, terms))

    def purge_corrections(self, *, sender: str | None = None, before: date | None = None) -> int:
        """Delete corrected lines, all, or those of one key or of before a day; give how many. Scope `admin`."""
        return self._send(calls.purge_corrections(sender, before))

    def models(self) -> Models:
        """List the versions of the small recogniser. The key needs the scope `admin`, as for changing them."""
        return self._send(calls.models())

    def promote(self, version: str) -> Models:
        """Have a version read from now on. It is not sent again when its answer is lost; `models` tells."""
        return self._send(calls.promote(version))

    def rollback(self) -> Models:
        """Have the version from before read again. It is not sent again when its answer is lost; `models` tells."""
        return self._send(calls.rollback())

    def metrics(self) -> str:
        """Give what Prometheus collects, as text. The key needs the scope `admin`."""
        return self._send(calls.metrics())

    def health(self) -> Health:
        """Ask whether the service answers."""
        return self._send(calls.health())

    def ready(self) -> Readiness:
        """Ask whether the models are loaded; gives their names."""
        return self._send(calls.ready())

    def close(self) -> None:
        """Close the connections."""
        if self._own:
            self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, call: Call[Answer]) -> Answer:
        loaded = [(part, load(source)) for part, source in call.files]
        tried = 0
        while True:
            try:
                with translated(self._url, self._timeout):
                    prepared = request(self._http, self._url, self._key, self._timeout, call, loaded)
                    response = self._http.send(prepared)
                return calls.parse(call, response)
            except ShiziError as error:
                tried += 1
                pause = self._retries.wait_after(error, tried, call.repeatable)
                if pause is None:
                    raise
            time.sleep(pause)

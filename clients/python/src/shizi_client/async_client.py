"""The client for asyncio. Sends what `calls` describes, again where `retries` says so."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
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


class AsyncClient:
    """A shizi service, for asyncio. May be used by many tasks at once; close it, or use it in an `async with` block."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:5000",
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: Retries = DEFAULT,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        """Call the service at `url` with `key`; nothing is sent yet.

        `timeout`: seconds to wait for one answer. `http`: a client of your own (proxies, certificates), which stays
        yours to close.
        """
        self._url, self._key, self._timeout, self._retries = checked(url), key, timeout, retries
        self._own = http is None
        self._http = http or httpx2.AsyncClient()

    async def read(self, source: Source, **options: Unpack[Options]) -> Reading:
        """Read one picture or document: a path, bytes, or (name, bytes)."""
        return await self._send(calls.read(source, options))

    async def read_batch(
        self, sources: Iterable[Source], *, at_once: int = 4, **options: Unpack[Options]
    ) -> AsyncIterator[BatchEntry]:
        """Read any number of files, each in a request of its own, `at_once` at the same time.

        Gives one entry a file, in the order given. A file that cannot be read is an entry with its `error`; only what
        every other file would meet too ends the batch: AccessError and OptionsError. `sources` are taken as needed.
        """

        if at_once < 1:
            raise ValueError(f"at_once is {at_once}; expected 1 or more.")
        places = asyncio.Semaphore(at_once)

        async def entry(index: int, source: Source) -> BatchEntry:
            try:
                async with places:
                    return BatchEntry(index, source, await self.read(source, **options))
            except FATAL:
                raise
            except (ShiziError, OSError) as error:
                return BatchEntry(index, source, None, error)

        running: deque[asyncio.Task[BatchEntry]] = deque()
        try:
            for index, source in enumerate(sources):
                running.append(asyncio.create_task(entry(index, source)))
                if len(running) >= AHEAD * at_once:
                    yield await running.popleft()
            while running:
                yield await running.popleft()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def export(self, source: Source, format: Format, **options: Unpack[Options]) -> ResultFile:
        """Read one picture or document and give it as a file: searchable PDF, Word, Excel, Markdown and others."""
        return await self._send(calls.export(source, format, options))

    async def write(
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
        return await self._send(calls.write(document, format, source, name, password))

    async def picture(
        self, source: Source, page: int = 1, *, side: int | None = None, rotation: int = 0, password: str = ""
    ) -> Picture:
        """Give a page as a JPEG, `side` pixels at its longest, turned by `rotation` degrees clockwise."""
        return await self._send(calls.picture(source, page, side, rotation, password))

    async def submit(
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
        return await self._send(calls.submit(sources, options, webhook, idempotency_key))

    async def job(self, id: str) -> Job:
        """Ask how a job stands."""
        return await self._send(calls.job(id))

    async def wait(
        self, id: str, *, on_progress: Callable[[Job], None] | None = None, timeout: float | None = None
    ) -> Job:
        """Wait until a job is over and give it; `on_progress` is called with each new state.

        Raises JobFailed if nothing was read, TimedOut after `timeout` seconds (the job goes on).
        """
        watch = Watch(id, timeout, on_progress)
        while (pause := watch.see(await self.job(id))) is not None:
            await asyncio.sleep(pause)
        return watch.over()

    async def document(self, id: str, file: int = 0, *, partial: bool = False) -> Document:
        """Fetch what was read of one file of a job. `partial`: what is there of a job under way."""
        return await self._send(calls.document(id, file, partial))

    async def result(self, id: str, format: Format, *, file: int | None = None, partial: bool = False) -> ResultFile:
        """Fetch the result of a job as a file; of several files one, or a ZIP of all."""
        return await self._send(calls.result(id, format, file, partial))

    async def delete(self, id: str) -> DeletedJob:
        """Cancel a job if it is not over, and delete it with all of its content."""
        return await self._send(calls.delete(id))

    async def purge_cache(self) -> int:
        """Drop all cached answers; give how many there were. The key needs the scope `admin`."""
        return await self._send(calls.purge_cache())

    async def corrections(self) -> Corrections:
        """Ask whether this service keeps corrected lines, and how long their texts may be."""
        return await self._send(calls.corrections())

    async def correct(self, source: Source, text: str, **terms: Unpack[LineTerms]) -> Correction:
        """Bring the right text of a line, for the recogniser to learn from. The key needs the scope `correct`.

        `source`: the line's own picture, or with `polygon` the page or document that it stands on.
        """
        return await self._send(calls.correct(source, text, terms))

    async def purge_corrections(self, *, sender: str | None = None, before: date | None = None) -> int:
        """Delete corrected lines, all, or those of one key or of before a day; give how many. Scope `admin`."""
        return await self._send(calls.purge_corrections(sender, before))

    async def models(self) -> Models:
        """List the versions of the small recogniser. The key needs the scope `admin`, as for changing them."""
        return await self._send(calls.models())

    async def promote(self, version: str) -> Models:
        """Have a version read from now on. It is not sent again when its answer is lost; `models` tells."""
        return await self._send(calls.promote(version))

    async def rollback(self) -> Models:
        """Have the version from before read again. It is not sent again when its answer is lost; `models` tells."""
        return await self._send(calls.rollback())

    async def metrics(self) -> str:
        """Give what Prometheus collects, as text. The key needs the scope `admin`."""
        return await self._send(calls.metrics())

    async def health(self) -> Health:
        """Ask whether the service answers."""
        return await self._send(calls.health())

    async def ready(self) -> Readiness:
        """Ask whether the models are loaded; gives their names."""
        return await self._send(calls.ready())

    async def close(self) -> None:
        """Close the connections."""
        if self._own:
            await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _send(self, call: Call[Answer]) -> Answer:
        loaded = [(part, await asyncio.to_thread(load, source)) for part, source in call.files]
        tried = 0
        while True:
            try:
                with translated(self._url, self._timeout):
                    prepared = request(self._http, self._url, self._key, self._timeout, call, loaded)
                    response = await self._http.send(prepared)
                return calls.parse(call, response)
            except ShiziError as error:
                tried += 1
                pause = self._retries.wait_after(error, tried, call.repeatable)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

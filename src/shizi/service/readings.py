"""Readings: one upload through cache, gate and engine; what `/ocr/predict` and the jobs both read with.

Takes uploads, options and terms, gives documents with their ages, or raises. Knows nothing of HTTP or JSON.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import shizi
from shizi.cache import Cache, InRedis, InSqlite, Kept, Store, key_of
from shizi.corrections import Given, Strip
from shizi.document import Document
from shizi.errors import DeadlinePassed, InputError
from shizi.export import FORMATS
from shizi.options import ReadOptions
from shizi.pages.picture import Wanted
from shizi.service.gate import Gate, Rank
from shizi.service.settings import Settings
from shizi.service.terms import Terms
from shizi.service.work import pixels_in

Seen = TypeVar("Seen")

REDIS_ADDRESSES = ("redis://", "rediss://", "unix://")


class Engine(Protocol):
    """What reads: `Engines`, or a reader in this process."""

    @property
    def weights(self) -> tuple[str, ...]:
        """The labels of the models that read what comes now."""
        ...

    @property
    def firsts(self) -> Mapping[str, str]:
        """The names of the models that read every line, by the modes in which another may read it again."""
        ...

    @property
    def alive(self) -> int:
        """How many can read."""
        ...

    def read(self, data: bytes, options: ReadOptions, deadline: float | None = None) -> Document:
        """Read `data` until `deadline`."""
        ...

    def count(self, data: bytes, options: ReadOptions, deadline: float | None = None) -> int:
        """Count the pages of `data`."""
        ...

    def write(
        self, name: str, document: Document, data: bytes, options: ReadOptions, deadline: float | None = None
    ) -> bytes:
        """Write a `document` read of `data` in the format of this name, until `deadline`."""
        ...

    def picture(self, data: bytes, wanted: Wanted, deadline: float | None = None) -> tuple[bytes, int]:
        """Give one page of `data` as a JPEG, and how many pages there are, until `deadline`."""
        ...

    def corrected(self, data: bytes, given: Given, deadline: float | None = None) -> Strip:
        """Cut out the line of `data` that was put right, until `deadline`."""
        ...

    def look(self, data: bytes, look: Callable[[bytes], Seen], deadline: float | None = None) -> Seen:
        """Give what `look` sees in `data` (both must pickle), until `deadline`."""
        ...

    def close(self) -> None:
        """End what was started to read."""
        ...


@dataclass(frozen=True, slots=True)
class Readings:
    """All that one process reads with."""

    engine: Engine
    gate: Gate
    cache: Cache
    settings: Settings

    @contextmanager
    def request(
        self, uploads: Sequence[bytes], terms: Terms, scope: str = "", gone: Callable[[], bool] = lambda: False
    ) -> Iterator["Request"]:
        """Admit a request with all its uploads; `scope` keeps its cached answers from others. Raises Busy."""
        deadline = time.monotonic() + self.settings.deadline_seconds
        if terms.deadline_ms is not None:
            deadline = min(deadline, time.monotonic() + terms.deadline_ms / 1000)
        works = [pixels_in(data, self.settings.limits) for data in uploads]
        with self.gate.admitted(sum(works), terms.priority, deadline):
            yield Request(self, terms, scope, deadline, gone)

    def page(self, data: bytes, options: ReadOptions, work: float, gone: Callable[[], bool]) -> Document:
        """Read one page of a job, behind all requests that wait; `gone` ends the wait."""
        with self.gate.turn(work, Rank.JOB, gone=gone):
            return self.engine.read(data, options)

    def count(self, data: bytes, options: ReadOptions, gone: Callable[[], bool]) -> int:
        """Count the pages of a job's file, behind all requests that wait; `gone` ends the wait."""
        with self.gate.turn(0, Rank.JOB, gone=gone):
            return self.engine.count(data, options)

    def write(self, name: str, document: Document, data: bytes, password: str = "") -> bytes:
        """Write a document in the format of this name. What is made of the file itself is made where files are read."""
        form = FORMATS[name]
        if not form.on_source:
            return form.write(document)
        deadline = time.monotonic() + self.settings.deadline_seconds
        with self.gate.turn(0, deadline=deadline):
            return self.engine.write(name, document, data, ReadOptions(password=password), deadline)

    def picture(self, data: bytes, wanted: Wanted, gone: Callable[[], bool]) -> tuple[bytes, int]:
        """Give one page as a JPEG, and how many pages there are, behind all readings that wait."""
        deadline = time.monotonic() + self.settings.deadline_seconds
        with self.gate.admitted(0, Rank.BULK, deadline), self.gate.turn(0, Rank.BULK, deadline, gone):
            return self.engine.picture(data, wanted, deadline)

    def corrected(self, data: bytes, given: Given) -> Strip:
        """Cut out a line that was put right, where files are read."""
        deadline = time.monotonic() + self.settings.deadline_seconds
        with self.gate.turn(pixels_in(data, self.settings.limits), deadline=deadline):
            return self.engine.corrected(data, given, deadline)

    def look(self, data: bytes, look: Callable[[bytes], Seen], gone: Callable[[], bool]) -> Seen:
        """Give what `look` sees in `data`, where files are read."""
        deadline = time.monotonic() + self.settings.deadline_seconds
        work = pixels_in(data, self.settings.limits)
        with self.gate.admitted(work, deadline=deadline), self.gate.turn(work, deadline=deadline, gone=gone):
            return self.engine.look(data, look, deadline)


@dataclass(frozen=True, slots=True)
class Request:
    """One admitted request."""

    readings: Readings
    terms: Terms
    scope: str
    deadline: float
    gone: Callable[[], bool]
    spent: list[float] = field(default_factory=list)  # seconds of each reading, without the wait for its turn

    def read(self, data: bytes, options: ReadOptions) -> Kept:
        """Read one upload, or take it from the cache. Raises what the reader raises, Busy, DeadlinePassed."""
        if self.terms.no_store:
            return Kept(self._read(data, options))
        cache = self.readings.cache
        weights = self.readings.engine.weights
        key = key_of(data, options, weights, shizi.__version__, self.scope)
        return cache.get(key) or cache.read(key, lambda: self._read(data, options), self._check, weights)

    def _check(self) -> None:
        """End the wait for an identical request's reading when nobody waits for this one, or its time is up."""
        if self.gone():
            raise InputError("The client closed the connection before its turn came; nothing was read.")
        if time.monotonic() > self.deadline:
            raise DeadlinePassed("An identical picture is being read; that did not end by this request's deadline.")

    def _read(self, data: bytes, options: ReadOptions) -> Document:
        work = pixels_in(data, self.readings.settings.limits)
        with self.readings.gate.turn(work, self.terms.priority, self.deadline, self.gone):
            began = time.perf_counter()
            try:
                return self.readings.engine.read(data, options, self.deadline)
            finally:
                self.spent.append(time.perf_counter() - began)


def make_cache(settings: Settings) -> Cache:
    """Make the cache the settings ask for: `off`, `memory`, the address of a Redis or the path of a file."""
    return Cache(_store(settings))


def _store(settings: Settings) -> Store | None:
    where, ttl = settings.cache, settings.cache_seconds
    if where == "off":
        return None
    if where.startswith(REDIS_ADDRESSES):
        return InRedis(where, ttl)
    return InSqlite(":memory:" if where == "memory" else where, settings.cache_bytes, ttl)

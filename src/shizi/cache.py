"""Cache: finished documents, kept by content, options and weights, and one reading for identical callers at once.

Takes a key (`key_of`) and a function that reads; gives the document and how old it is. Kept in SQLite, in memory or in
a file, or in Redis; a store that fails is a warning and no cache, never an error. Failures are never kept. Knows
documents, options and errors only.
"""

import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple, dataclass, replace
from typing import Protocol, TypeVar

from shizi.document import Document
from shizi.options import ReadOptions

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (key TEXT PRIMARY KEY, value BLOB, bytes INTEGER, stored REAL, used REAL);
CREATE INDEX IF NOT EXISTS used ON documents (used);
"""
# Of a full cache this share is dropped at once, so that not every answer has to make room.
_DROPPED_SHARE = 0.1
# Redis must not hold up those who wait for their text.
_REDIS_SECONDS = 0.5
_REDIS_PREFIX = "shizi:cache:"
# After a failure the store is left alone for so long.
_REST_SECONDS = 5.0
# How often one who waits for another's reading looks whether it still should.
_CHECK_SECONDS = 0.25


def key_of(data: bytes, options: ReadOptions, weights: tuple[str, ...], version: str, scope: str = "") -> str:
    """Make the key: all that a document depends on. `scope` keeps callers apart who must not see one another.

    The bytes of the file stand for its pixels (docs/decisions/051): whatever decodes from the same bytes is the same.
    """
    rest = json.dumps([astuple(options), weights, version, scope])
    return hashlib.sha256(hashlib.sha256(data).digest() + rest.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Kept:
    """A document and how long ago it was read; `age_seconds` is None for one read just now."""

    document: Document
    age_seconds: float | None = None


class Store(Protocol):
    """Where packed documents are kept. Each method may raise `errors`."""

    errors: tuple[type[Exception], ...]

    def get(self, key: str) -> tuple[bytes, float] | None:
        """Give what is kept under `key` and its age in seconds."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Keep `value`."""
        ...

    def purge(self) -> int:
        """Drop all; say how many there were."""
        ...


class InSqlite:
    """Documents in SQLite: `:memory:` or a file; at most `max_bytes`, the longest unused go first."""

    errors: tuple[type[Exception], ...] = (sqlite3.Error, OSError)

    def __init__(self, path: str, max_bytes: int, ttl_seconds: float) -> None:
        self._max_bytes = max_bytes
        self._ttl = ttl_seconds
        self._lock = threading.Lock()
        self._path = path
        self._database: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        """Open what is not open yet; a file that a crash has spoilt is begun anew: it is only a cache."""
        if self._database is None:
            if self._path != ":memory:" and not _sound(self._path):
                os.unlink(self._path)
            database = sqlite3.connect(self._path, timeout=1, isolation_level=None, check_same_thread=False)
            # Deleted texts are overwritten, not only forgotten, and no journal holds them.
            database.executescript(
                "PRAGMA secure_delete=ON; PRAGMA auto_vacuum=FULL; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;"
            )
            database.executescript(_SCHEMA)
            self._database = database
        return self._database

    def get(self, key: str) -> tuple[bytes, float] | None:
        """Give what is kept under `key` and its age in seconds."""
        now = time.time()
        with self._lock:
            database = self._open()
            row = database.execute("SELECT value, stored FROM documents WHERE key=?", (key,)).fetchone()
            if row is None:
                return None
            # A clock that was set back makes ages negative: such rows are as good as expired.
            if not 0 <= now - row[1] < self._ttl:
                database.execute("DELETE FROM documents WHERE key=?", (key,))
                return None
            database.execute("UPDATE documents SET used=? WHERE key=?", (now, key))
        return row[0], now - row[1]

    def put(self, key: str, value: bytes) -> None:
        """Keep `value`; what is too large for the whole cache is not kept."""
        if len(value) > self._max_bytes:
            return
        now = time.time()
        with self._lock:
            database = self._open()
            database.execute("DELETE FROM documents WHERE NOT (? - stored BETWEEN 0 AND ?)", (now, self._ttl))
            row = (key, value, len(value), now, now)
            database.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)", row)
            held: int = database.execute("SELECT sum(bytes) FROM documents").fetchone()[0]
            if held > self._max_bytes:
                self._make_room(database, held - self._max_bytes * (1 - _DROPPED_SHARE))

    def _make_room(self, database: sqlite3.Connection, wanted: float) -> None:
        keys = []
        for key, size in database.execute("SELECT key, bytes FROM documents ORDER BY used, stored"):
            if wanted <= 0:
                break
            keys.append((key,))
            wanted -= size
        database.executemany("DELETE FROM documents WHERE key=?", keys)

    def purge(self) -> int:
        """Drop all; say how many there were."""
        with self._lock:
            return self._open().execute("DELETE FROM documents").rowcount


def _sound(path: str) -> bool:
    """Tell whether SQLite finds nothing wrong with the file; one that is not there yet is sound."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


class InRedis:
    """Documents in Redis, shared by all that use it; its own `maxmemory` bounds them."""

    def __init__(self, url: str, ttl_seconds: float) -> None:
        import redis

        self.errors: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        self._redis = redis.Redis.from_url(
            url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS, retry=None
        )
        self._ttl = max(1, round(ttl_seconds * 1000))

    def get(self, key: str) -> tuple[bytes, float] | None:
        """Give what is kept under `key` and its age in seconds."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.get(_REDIS_PREFIX + key)
        pipe.pttl(_REDIS_PREFIX + key)
        value, left = pipe.execute()
        return None if value is None else (value, max(0, self._ttl - left) / 1000)

    def put(self, key: str, value: bytes) -> None:
        """Keep `value`."""
        self._redis.set(_REDIS_PREFIX + key, value, px=self._ttl)

    def purge(self) -> int:
        """Drop all; say how many there were."""
        return sum(self._redis.unlink(key) for key in self._redis.scan_iter(_REDIS_PREFIX + "*", count=1000))


class _Flight:
    """One reading that identical callers wait for together."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.document: Document | None = None


class Cache:
    """Kept documents over a store (None: nothing is kept, but identical callers still share one reading)."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._rest_until = 0.0
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}
        self.hits = 0
        self.misses = 0

    def get(self, key: str) -> Kept | None:
        """Give the document kept under `key`, None if there is none or the store fails."""
        found = self._try(lambda store: store.get(key))
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        return Kept(Document.from_dict(json.loads(zlib.decompress(found[0]))), found[1])

    def read(
        self,
        key: str,
        read: Callable[[], Document],
        check: Callable[[], None] = lambda: None,
        weights: tuple[str, ...] | None = None,
    ) -> Kept:
        """Read under `key`, or wait for an identical caller that already does; `check` raises to end that wait.

        `weights`: the models that the key stands for; what others read, because the models were just changed, is given
        to those who wait and not kept.
        Raises what `read` raises, to its own caller only: those who waited then read themselves.
        """
        while True:
            with self._lock:
                flight = self._flights.get(key)
                if mine := flight is None:
                    flight = self._flights[key] = _Flight()
            if mine:
                return self._lead(key, flight, read, weights)
            while not flight.landed.wait(_CHECK_SECONDS):
                check()
            if flight.document is not None:
                self.hits += 1
                return Kept(flight.document, 0.0)

    def _lead(self, key: str, flight: _Flight, read: Callable[[], Document], weights: tuple[str, ...] | None) -> Kept:
        try:
            fresh = read()
            values = fresh.to_dict()
            # What is read anew comes out as what was kept does: numbers are rounded once, for both.
            flight.document = Document.from_dict(values)
            if weights is None or weights == fresh.weights:
                value = zlib.compress(json.dumps(values, ensure_ascii=False).encode(), 1)
                self._try(lambda store: store.put(key, value))
            return Kept(replace(flight.document, milliseconds=fresh.milliseconds))
        finally:
            with self._lock:
                del self._flights[key]
            flight.landed.set()

    def purge(self) -> int:
        """Drop all that is kept; say how many documents there were."""
        return self._try(lambda store: store.purge()) or 0

    def _try(self, act: Callable[[Store], _Result]) -> _Result | None:
        """Do something with the store; on its failure warn, give None and leave it alone for a while."""
        if self._store is None or time.monotonic() < self._rest_until:
            return None
        try:
            return act(self._store)
        except self._store.errors as error:
            self._rest_until = time.monotonic() + _REST_SECONDS
            log.warning("the cache is out of reach (%s); reading goes on without it", reason(error))
            return None


def reason(error: Exception) -> str:
    """Name an error of a store for a log: Redis's own code (`DENIED`, `NOAUTH`), else the class, and no more."""
    code = str(error).partition(" ")[0]
    return code if code.isascii() and code.isalpha() and code.isupper() else type(error).__name__

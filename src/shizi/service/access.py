"""Access: who may call what, and how often. Keys in one SQLite file, shared by every worker of a machine.

Takes the key a request carries, gives its `Key` or raises AccessError. A key is `shizi_<id>_<secret>`; the id finds
its row, and of the secret (256 random bits) only the SHA-256 is kept: a slow hash protects guessable passwords, and
would cost each request milliseconds here for nothing. What is changed in the file holds from the next request on.
"""

import hashlib
import hmac
import logging
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Request

from shizi.errors import AccessError, KeyMissing, KeyRefused, OptionsError, QuotaSpent, Unavailable

log = logging.getLogger(__name__)

SCOPES = ("read", "jobs", "correct", "admin")
TOKEN_SECONDS = 2_592_000  # 30 days, as long as Baidu's tokens live

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEY = re.compile(r"shizi_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_DAY = 86_400
_BURST_SECONDS = 60.0  # a minute's worth of requests may come at once
_UNKNOWN = hashlib.sha256(b"no such key").digest()  # compared with in place of a hash that is not there
_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
  id TEXT PRIMARY KEY, name TEXT UNIQUE NOT NULL, hash BLOB NOT NULL, scopes TEXT NOT NULL,
  rate INTEGER NOT NULL, quota INTEGER NOT NULL, created REAL NOT NULL,
  free_at REAL NOT NULL DEFAULT 0, day INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS tokens (hash BLOB PRIMARY KEY, id TEXT NOT NULL, expires REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Key:
    """A caller's key. `rate`: requests a minute, `quota`: requests a day (UTC), 0 = no limit."""

    id: str
    name: str
    scopes: tuple[str, ...]
    rate: int
    quota: int
    created: float
    used: int = 0


class Keys:
    """The keys of one file. Safe to use from several threads and processes at once."""

    def __init__(self, path: str | Path, now: Callable[[], float] = time.time) -> None:
        """Open the file, or make it (readable by its owner alone). Raises OptionsError when that fails."""
        self._now = now
        self._lock = threading.Lock()
        try:
            Path(path).touch(mode=0o600)
            self._rows = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._rows.row_factory = sqlite3.Row
            self._rows.execute("PRAGMA journal_mode = WAL")
            self._rows.execute("PRAGMA synchronous = NORMAL")
            self._rows.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise OptionsError(
                f"The key file {path} cannot be used ({error}); expected a file that may be written, in a folder "
                "that may be written: set SHIZI_KEYS."
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._rows.close()

    def add(self, name: str, scopes: Sequence[str] = ("read",), rate: int = 0, quota: int = 0) -> str:
        """Make a key and give it: it cannot be shown again. Raises OptionsError for what cannot be a key."""
        unknown = sorted(set(scopes) - set(SCOPES))
        if not _NAME.fullmatch(name):
            raise OptionsError(f"The name is {name[:64]!r}; expected 1 to 64 of A-Z a-z 0-9 . _ -")
        if unknown or not scopes:
            raise OptionsError(f"The scopes are {', '.join(scopes)!r}; expected some of {', '.join(SCOPES)}.")
        if rate < 0 or quota < 0:
            raise OptionsError("A rate or quota is negative; expected 0 (no limit) or more.")
        number, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        kept = [scope for scope in SCOPES if scope in scopes]
        row = (number, name, _digest(secret), " ".join(kept), rate, quota, self._now())
        try:
            with self._lock:
                self._rows.execute(
                    "INSERT INTO keys (id, name, hash, scopes, rate, quota, created) VALUES (?, ?, ?, ?, ?, ?, ?)", row
                )
        except sqlite3.IntegrityError as error:
            raise OptionsError(f"A key named {name!r} exists; revoke it first, or choose another name.") from error
        return f"shizi_{number}_{secret}"

    def revoke(self, name: str) -> None:
        """Take a key and its tokens away. Raises OptionsError when there is no such key."""
        with self._writing() as rows:
            found = rows.execute("SELECT id FROM keys WHERE name = ?", (name,)).fetchone()
            if found is None:
                raise OptionsError(f"There is no key named {name[:64]!r}; `shizi keys list` shows all.")
            rows.execute("DELETE FROM tokens WHERE id = ?", (found["id"],))
            rows.execute("DELETE FROM keys WHERE id = ?", (found["id"],))

    def list(self) -> list[Key]:
        """Give all keys, the oldest first, without their secrets."""
        today = int(self._now() // _DAY)
        with self._lock:
            rows = self._rows.execute("SELECT * FROM keys ORDER BY created, name").fetchall()
        return [_key(row, today) for row in rows]

    def find(self, given: str) -> Key:
        """Give the key that `given` is. Raises KeyRefused for any other text."""
        parts = _KEY.fullmatch(given)
        row = self._row("SELECT * FROM keys WHERE id = ?", parts[1]) if parts else None
        known = row["hash"] if row else _UNKNOWN
        if not hmac.compare_digest(_digest(parts[2] if parts else given), known) or row is None:
            raise KeyRefused("The key is not known; expected one that `shizi keys add` gave.")
        return _key(row)

    def issue_token(self, key: Key) -> str:
        """Give a token that stands for `key` until `TOKEN_SECONDS` have passed or it is revoked."""
        token, now = secrets.token_hex(32), self._now()
        with self._writing() as rows:
            rows.execute("DELETE FROM tokens WHERE expires < ?", (now,))
            rows.execute("INSERT INTO tokens VALUES (?, ?, ?)", (_digest(token), key.id, now + TOKEN_SECONDS))
        return token

    def find_token(self, token: str) -> Key:
        """Give the key a token stands for. Raises KeyRefused for an unknown or expired one."""
        row = self._row(
            "SELECT keys.* FROM tokens JOIN keys USING (id) WHERE tokens.hash = ? AND expires > ?",
            _digest(token),
            self._now(),
        )
        if row is None:
            raise KeyRefused("The token is not known or has expired; fetch a new one.")
        return _key(row)

    def spend(self, key: Key) -> None:
        """Count one request. Raises QuotaSpent past the key's rate or quota, and then counts nothing.

        A full disk stops counting, not reading: the request goes through, with a warning in the log.
        """
        try:
            if key.rate or key.quota:
                self._spend(key)
        except sqlite3.OperationalError as error:
            log.warning("a request was not counted: %s", error)

    def _spend(self, key: Key) -> None:
        now = self._now()
        today = int(now // _DAY)
        with self._writing() as rows:
            row = rows.execute("SELECT free_at, day, used, rate, quota FROM keys WHERE id = ?", (key.id,)).fetchone()
            if row is None:
                raise KeyRefused("The key is not known; expected one that `shizi keys add` gave.")
            used = row["used"] if row["day"] == today else 0
            if row["quota"] and used >= row["quota"]:
                left = _DAY - int(now) % _DAY
                raise QuotaSpent(f"The key has used its {row['quota']} requests of today (UTC).", left)
            free_at = row["free_at"]
            if row["rate"]:
                free_at = _next_free(free_at, now, _BURST_SECONDS / row["rate"])
            rows.execute(
                "UPDATE keys SET free_at = ?, day = ?, used = ? WHERE id = ?", (free_at, today, used + 1, key.id)
            )

    def _row(self, query: str, *values: Any) -> sqlite3.Row | None:
        try:
            with self._lock:
                row: sqlite3.Row | None = self._rows.execute(query, values).fetchone()
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The key file cannot be read ({error}); send the request again.") from error
        return row

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                yield self._rows
            except BaseException:
                self._rows.execute("ROLLBACK")
                raise
            self._rows.execute("COMMIT")


def allow(keys: Keys, given: str, scope: str) -> Key:
    """Give the key that `given` is, once it has been found to have `scope` and one request left."""
    if not given:
        raise KeyMissing("No key came with the request; expected the header Authorization: Bearer KEY, or X-API-Key.")
    return permit(keys, keys.find(given), scope)


def permit(keys: Keys, key: Key, scope: str) -> Key:
    """Give `key` back, once it has been found to have `scope` and one request left."""
    if scope not in key.scopes:
        raise AccessError(f"The key may do {', '.join(key.scopes)}; this needs {scope}.")
    keys.spend(key)
    return key


def key_of(request: Request) -> str:
    """Take the key out of a request's headers; '' if there is none."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    bearer = value.strip() if kind.lower() == "bearer" else ""
    return bearer or request.headers.get("X-API-Key", "").strip()


def _key(row: sqlite3.Row, today: int | None = None) -> Key:
    used = row["used"] if row["day"] == today else 0
    return Key(row["id"], row["name"], tuple(row["scopes"].split()), row["rate"], row["quota"], row["created"], used)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _next_free(free_at: float, now: float, interval: float) -> float:
    """Give when the key's allowance will be whole again (the generic cell rate algorithm, ITU-T I.371).

    Raises QuotaSpent when this request would go past it. A time too far ahead means that the clock was set back.
    """
    if free_at > now + _BURST_SECONDS:
        free_at = now
    later = max(free_at, now) + interval
    if later > now + _BURST_SECONDS + 1e-6:
        wait = max(1, round(later - now - _BURST_SECONDS + 0.5))
        raise QuotaSpent(f"The key may ask {round(_BURST_SECONDS / interval)} times a minute.", wait)
    return later

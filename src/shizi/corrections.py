"""Corrections: lines that someone put right, kept as picture and text to better the models. Off unless a folder is set.

Takes strips with the right text, keeps each picture once, gives them back by the order of their digests. One SQLite
file holds all of it; several threads and processes of one machine may share the folder. What is deleted is
overwritten. Knows nothing of how a strip is cut, read or learned from.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shizi.errors import OptionsError, Unavailable
from shizi.geometry import Polygon

LONGEST_TEXT = 200
# Of the texts one in so many is held back to judge by; a text's lines are all on one side, so none is known by heart.
HELD_BACK_ONE_IN = 5

Outcome = Literal["kept", "replaced", "known"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS corrections (
    digest TEXT PRIMARY KEY, picture BLOB NOT NULL, text TEXT NOT NULL, read TEXT NOT NULL, model TEXT NOT NULL,
    margins INTEGER NOT NULL, sender TEXT NOT NULL, stored REAL NOT NULL, bytes INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS stored ON corrections (stored, bytes);  -- sizes are added up without a look at pictures
"""
_DAY = 86_400.0
_BUSY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands in a file: its page (from 1) and polygon there, as a reading gave them.

    `rotation`: the degrees clockwise that the page was turned for it; `vertical`: the line is an upright column.
    """

    polygon: Polygon
    page: int = 1
    rotation: int = 0
    vertical: bool = False
    password: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """A line's right text, and where in the picture it stands; without a place the whole picture is the line.

    `margins`: the picture holds more than the line, as a detector's regions do.
    """

    text: str
    place: Place | None = None
    margins: bool = False


@dataclass(frozen=True, slots=True)
class Strip:
    """A line's picture, a PNG, with the SHA-256 of its pixels; `text` is spelt as the models write it."""

    picture: bytes
    digest: str
    text: str
    margins: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """One line kept: what it says, what had been read of it and by which model, whose key sent it, and when."""

    strip: Strip
    read: str
    model: str
    sender: str
    stored: float


@dataclass(frozen=True, slots=True)
class Retention:
    """What may be kept: so many lines, bytes and days (0: for good). The oldest go first."""

    lines: int = 100_000
    bytes: int = 500_000_000
    days: float = 365.0


def held_back(text: str) -> bool:
    """Tell whether lines of this text are to judge a model by and never to learn from; depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % HELD_BACK_ONE_IN == 0


class Corrections:
    """The corrections of one folder. Safe to use from several threads and processes at once."""

    def __init__(self, folder: Path, retention: Retention = Retention(), now: Callable[[], float] = time.time) -> None:
        """Open or make the folder, readable by its owner alone. Raises OptionsError when it cannot be used."""
        self._retention = retention
        self._now = now
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / "corrections.db"
            path.touch(mode=0o600)
            self._database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            # Deleted rows are overwritten, and no second file holds them: a rollback journal goes with its change.
            self._database.executescript(
                "PRAGMA secure_delete=ON; PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA auto_vacuum=FULL;"
            )
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise OptionsError(
                f"The folder of corrections, {folder}, cannot be used ({error}); see SHIZI_CORRECTIONS."
            ) from error
        self.sweep()

    def keep(self, strip: Strip, read: str = "", model: str = "", sender: str = "") -> Outcome:
        """Keep a line. Of the same pixels the later text counts: `replaced`, or `known` if it is the same.

        Raises Unavailable when it cannot be written.
        """
        size = len(strip.picture)
        row = (strip.digest, strip.picture, strip.text, read, model, strip.margins, sender, self._now(), size)
        with self._writing() as database:
            found = database.execute("SELECT text FROM corrections WHERE digest = ?", (strip.digest,)).fetchone()
            if found is not None and found[0] == strip.text:
                return "known"
            database.execute("INSERT OR REPLACE INTO corrections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._make_room(database)
        return "kept" if found is None else "replaced"

    def lines(self) -> Iterator[Correction]:
        """Give every line kept, one at a time, by the order of their digests."""
        last = ""
        while True:
            with self._writing() as database:
                row = database.execute(
                    "SELECT digest, picture, text, read, model, margins, sender, stored FROM corrections "
                    "WHERE digest > ? ORDER BY digest LIMIT 1",
                    (last,),
                ).fetchone()
            if row is None:
                return
            last, picture, text, read, model, margins, sender, stored = row
            yield Correction(Strip(picture, last, text, bool(margins)), read, model, sender, stored)

    def size(self) -> tuple[int, int]:
        """Count the lines kept and the bytes of their pictures."""
        with self._writing() as database:
            return _size(database)

    def purge(self, sender: str | None = None, before: float | None = None) -> int:
        """Delete all lines, or those that one key sent, or those kept before a time; say how many."""
        with self._writing() as database:
            return database.execute(
                "DELETE FROM corrections WHERE (?1 IS NULL OR sender = ?1) AND (?2 IS NULL OR stored < ?2)",
                (sender, before),
            ).rowcount

    def sweep(self) -> int:
        """Delete what is older than may be kept; say how many lines."""
        return self.purge(before=self._now() - self._retention.days * _DAY) if self._retention.days else 0

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _make_room(self, database: sqlite3.Connection) -> None:
        """Delete the oldest until the rest is what may be kept."""
        if self._retention.days:
            database.execute("DELETE FROM corrections WHERE stored < ?", (self._now() - self._retention.days * _DAY,))
        lines, held = _size(database)
        while lines > self._retention.lines or held > self._retention.bytes:
            (size,) = database.execute(
                "DELETE FROM corrections WHERE digest = (SELECT digest FROM corrections ORDER BY stored LIMIT 1) "
                "RETURNING bytes"
            ).fetchone()
            lines, held = lines - 1, held - size

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the file for one change, or one look; what fails leaves it as it was."""
        try:
            with self._lock:
                self._database.execute("BEGIN IMMEDIATE")
                try:
                    yield self._database
                except BaseException:
                    self._database.execute("ROLLBACK")
                    raise
                self._database.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unavailable(
                f"The corrections cannot be kept or read now ({error}); send the request again."
            ) from error


def _size(database: sqlite3.Connection) -> tuple[int, int]:
    lines, held = database.execute("SELECT count(*), sum(bytes) FROM corrections").fetchone()
    return lines, held or 0


def export(corrections: Iterator[Correction], folder: Path) -> int:
    """Write lines as `NNNNN.png` and a `labels.tsv` (file, text and, of a region with margins, `region`); count them.

    That is what `python -m shizi.training.train --data` takes.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = []
    for number, correction in enumerate(corrections):
        strip, name = correction.strip, f"{number:05}.png"
        (folder / name).write_bytes(strip.picture)
        rows.append("\t".join([name, strip.text, *(["region"] if strip.margins else [])]) + "\n")
    (folder / "labels.tsv").write_text("".join(rows), encoding="utf-8")
    return len(rows)

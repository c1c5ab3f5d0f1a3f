"""Manifest: which inputs have their row already, and the promise that each gets exactly one.

Takes the folder of results, keeps `manifest.db` (SQLite) in it. The truth is in the shards: the manifest is an index of
them, brought up to date from them whenever it is opened, and can be deleted. So it does not matter at which moment the
process was killed: a shard that was renamed into place and not yet noted here is noted now, one that was noted and is
gone is forgotten and its inputs are read again. Ids are kept as digests on the disk: ten million cost no memory.
"""

import contextlib
import hashlib
import json
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from shizi.batch import results
from shizi.batch.rows import PARTS
from shizi.errors import OptionsError, Unavailable

NAME = "manifest.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shards (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, rows INTEGER NOT NULL, errors INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS inputs (key BLOB PRIMARY KEY, shard TEXT) WITHOUT ROWID;
"""
_CACHE_KILOBYTES = 8_000


class Manifest:
    """The index of a folder of results. One run at a time may hold it; a killed one holds nothing."""

    def __init__(self, folder: Path, settings: Mapping[str, object], resume: bool) -> None:
        """Open `folder`, made where it is not there. `settings`: what the rows depend on.

        Raises OptionsError when another run holds it, when there are results and not `resume`, or results of other
        settings; DamagedFile for a damaged shard.
        """
        self._folder = folder
        self._turn = threading.Lock()
        with _translated(folder):
            (folder / PARTS).mkdir(parents=True, exist_ok=True)
            self._database = self._open()
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)
            stack.enter_context(_translated(folder))
            if not resume and results.shards(folder):
                raise OptionsError(
                    f"{folder} holds results already; --resume goes on with them, or choose another --output."
                )
            self._agree(settings)
            self._forget_unfinished()
            self._index()
            stack.pop_all()

    def _open(self) -> sqlite3.Connection:
        path = self._folder / NAME
        try:
            return self._locked(path)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise OptionsError(
                    f"{self._folder} is in use by another run; wait for it or choose another --output."
                ) from error
            if error.sqlite_errorcode not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise
            # Damaged: the shards know everything.
            for file in self._folder.glob(f"{NAME}*"):
                file.unlink()
            return self._locked(path)

    def _locked(self, path: Path) -> sqlite3.Connection:
        """Open the database and keep its lock until it is closed or this process ends."""
        # Threads take turns: an engine may take items in one and give rows in another.
        database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")
            database.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";\n"):
                database.execute(statement)
            database.execute("COMMIT")
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _agree(self, settings: Mapping[str, object]) -> None:
        """Refuse to mix rows that were made with other settings."""
        row = self._database.execute("SELECT value FROM settings").fetchone()
        shards = results.shards(self._folder)
        known = dict(json.loads(row[0])) if row and shards else {}
        if shards and not known:
            known = {"results": results.kind_of(shards[0])}
        wrong = [name for name in known if known[name] != json.loads(json.dumps(settings.get(name)))]
        if wrong:
            told = ", ".join(f"{name} was {known[name]!r}, now {settings.get(name)!r}" for name in wrong)
            raise OptionsError(f"The results in {self._folder} were made otherwise: {told}. Choose another --output.")
        self._database.execute("DELETE FROM settings")
        self._database.execute("INSERT INTO settings VALUES (?)", [json.dumps(settings)])

    def _forget_unfinished(self) -> None:
        self._database.execute("DELETE FROM inputs WHERE shard IS NULL")
        for part in (self._folder / PARTS).iterdir():
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink(missing_ok=True)

    def _index(self) -> None:
        """Bring the index up to date with the shards."""
        noted = dict(self._database.execute("SELECT name, size FROM shards"))
        there = {path.name: path for path in results.shards(self._folder)}
        for name, size in noted.items():
            if name not in there or there[name].stat().st_size != size:
                self._database.execute("DELETE FROM inputs WHERE shard = ?", [name])
                self._database.execute("DELETE FROM shards WHERE name = ?", [name])
                noted = {**noted, name: -1}
        for name, path in there.items():
            if noted.get(name, -1) < 0:
                self._note(path, results.inputs_of(path))
        self._commit()

    def claim(self, name: str) -> bool:
        """Say whether this input has still to be read; from then on it counts as being read."""
        with self._turn, _translated(self._folder):
            cursor = self._database.execute("INSERT OR IGNORE INTO inputs VALUES (?, NULL)", [_key(name)])
        return cursor.rowcount == 1

    def drop_errors(self) -> None:
        """Take the rows with errors out of their shards, so that their inputs are read again."""
        with _translated(self._folder):
            names = self._database.execute("SELECT name FROM shards WHERE errors > 0").fetchall()
            for (name,) in names:
                results.drop_errors(self._folder / name)
            self._index()

    def note(self, shard: Path, held: Iterable[tuple[str, str]]) -> None:
        """Note a shard that is in its place: the ids and error codes of its rows."""
        with self._turn, _translated(self._folder):
            self._note(shard, held)
            self._commit()

    def _note(self, shard: Path, held: Iterable[tuple[str, str]]) -> None:
        rows = errors = 0
        for name, error in held:
            values = [_key(name), shard.name]
            self._database.execute(
                "INSERT INTO inputs VALUES (?, ?) ON CONFLICT DO UPDATE SET shard = excluded.shard", values
            )
            rows, errors = rows + 1, errors + bool(error)
        size = shard.stat().st_size
        self._database.execute("INSERT OR REPLACE INTO shards VALUES (?, ?, ?, ?)", [shard.name, size, rows, errors])

    def _commit(self) -> None:
        self._database.execute("COMMIT")
        self._database.execute("BEGIN IMMEDIATE")

    def counts(self) -> tuple[int, int]:
        """Give the number of rows in all shards, and of those with an error."""
        rows, errors = self._database.execute("SELECT sum(rows), sum(errors) FROM shards").fetchone()
        return rows or 0, errors or 0

    def close(self) -> None:
        """Let go of the folder."""
        self._database.close()


def _key(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=16).digest()


@contextlib.contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OptionsError(f"{folder} cannot be written ({error.strerror}); choose another --output.") from error
    except sqlite3.Error as error:
        message = f"The manifest in {folder} cannot be written ({error}). Make room, then go on with --resume."
        raise Unavailable(message) from error

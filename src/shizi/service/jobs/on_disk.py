"""On disk: jobs in one folder. SQLite holds who does what; files beside it hold all content, so that deleting a job
leaves nothing of it.

    jobs.db          states, leases, tries: no content, no file names
    <job>/order.json names and options         <job>/upload-0       a file as it came
    <job>/page-0-7.json                        what became of page 7 of file 0

Times of leases are those of the monotonic clock, which no one sets; it starts anew with the machine, so a lease counts
only while it could have been given since. Several processes of one machine may share a folder.
"""

import json
import os
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shizi.errors import OptionsError, Unavailable
from shizi.service.jobs.queue import (
    COUNTING,
    ENDED,
    LONGEST_WAIT_SECONDS,
    FileView,
    Order,
    Outcome,
    Report,
    State,
    Unit,
    View,
    lost,
    order_digest,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, owner TEXT, state TEXT, created REAL, ended REAL, files INTEGER, served INTEGER,
    repeat TEXT UNIQUE, digest TEXT,
    webhook TEXT, report TEXT, report_tries INTEGER DEFAULT 0, report_due REAL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS units (
    job TEXT REFERENCES jobs(id) ON DELETE CASCADE, file INTEGER, page INTEGER, state TEXT DEFAULT 'waiting',
    tries INTEGER DEFAULT 0, lease REAL DEFAULT 0, claim TEXT DEFAULT '', PRIMARY KEY (job, file, page)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS open_units ON units (job) WHERE state IN ('waiting', 'leased');
CREATE INDEX IF NOT EXISTS open_jobs ON jobs (served, created) WHERE state IN ('queued', 'running');
CREATE INDEX IF NOT EXISTS due_reports ON jobs (report_due) WHERE report = 'due';
"""
_BUSY_SECONDS = 10
# A lease counts while it ends within its length from now: one from before the machine's last start does not.
_FREE = "(u.state = 'waiting' OR (u.state = 'leased' AND NOT (u.lease - :now BETWEEN 0 AND :length)))"
_CLAIM = f"""
UPDATE units SET state = 'leased', tries = tries + 1, lease = :now + :length, claim = :claim
WHERE (job, file, page) = (
    SELECT u.job, u.file, u.page FROM jobs j JOIN units u ON u.job = j.id
    WHERE j.state IN ('queued', 'running') AND {_FREE} ORDER BY j.served, j.created, u.file, u.page LIMIT 1
) RETURNING job, file, page, tries, claim
"""
# A folder without a row is what a crash left between writing and entering it; younger ones may just be written.
_ORPHAN_SECONDS = 3600
_REPORT_LEASE_SECONDS = 60.0
_MINE = "job = ? AND file = ? AND page = ? AND claim = ? AND state = 'leased'"


class OnDisk:
    """Jobs in a folder; `lease_seconds`, `tries` and `keep_seconds` as the settings have them."""

    def __init__(self, folder: Path, lease_seconds: float, tries: int, keep_seconds: float) -> None:
        """Open or make the folder. Raises OptionsError when it cannot be used."""
        self._folder = folder
        self._lease = lease_seconds
        self._tries = tries
        self._keep = keep_seconds
        self._lock = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._database = sqlite3.connect(
                folder / "jobs.db", timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._database.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
            )
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise OptionsError(f"The folder of jobs, {folder}, cannot be used ({error}); see SHIZI_JOBS.") from error

    def submit(self, order: Order) -> str:
        """Take a job, or find the one that the same `repeat` made; give its id."""
        with self._writing() as database:
            found = self._repeated(database, order)
            if found is not None:
                return found
        place = self._folder / order.id
        try:
            with _translated():
                place.mkdir(mode=0o700)
                names = [name for name, _ in order.files]
                heading = {"names": names, "options": dict(order.options), "no_store": order.no_store}
                for number, (_, data) in enumerate(order.files):
                    _write(place / f"upload-{number}", data)
                _write(place / "order.json", json.dumps(heading, ensure_ascii=False).encode())
                _sync_folder(place)
                _sync_folder(self._folder)
            with self._writing() as database:
                found = self._repeated(database, order)  # another may have sent the same meanwhile
                if found is None:
                    self._enter(database, order)
                    return order.id
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        shutil.rmtree(place, ignore_errors=True)
        return found

    def _enter(self, database: sqlite3.Connection, order: Order) -> None:
        # A new job is as far as the least served one: it neither waits for all of them nor passes them for ever.
        served = database.execute("SELECT min(served) FROM jobs WHERE state IN ('queued', 'running')").fetchone()[0]
        database.execute(
            "INSERT INTO jobs (id, owner, state, created, files, served, repeat, digest, webhook) "
            "VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?)",
            (order.id, order.owner, time.time(), len(order.files), served or 0, *_repeat(order), order.webhook),
        )
        units = [(order.id, number, COUNTING) for number in range(len(order.files))]
        database.executemany("INSERT INTO units (job, file, page) VALUES (?, ?, ?)", units)

    def _repeated(self, database: sqlite3.Connection, order: Order) -> str | None:
        repeat, digest = _repeat(order)
        if repeat is None:
            return None
        row = database.execute("SELECT id, digest FROM jobs WHERE repeat = ?", (repeat,)).fetchone()
        if row is None:
            return None
        if row[1] != digest:
            raise OptionsError("This Idempotency-Key came with another job before; use a new key for a new job.")
        return str(row[0])

    def claim(self) -> Unit | None:
        """Take the next unit under a lease; None if there is nothing to do."""
        while True:
            with self._writing() as database:
                given = {"now": time.monotonic(), "length": self._lease, "claim": secrets.token_hex(8)}
                row = database.execute(_CLAIM, given).fetchone()
                if row is None:
                    return None
                unit = Unit(*row)
                database.execute(
                    "UPDATE jobs SET served = served + 1, state = 'running' WHERE id = ?",
                    (unit.job,),
                )
            if unit.tries <= self._tries:
                return unit
            self.finish(unit, lost(self._tries))

    def beat(self, unit: Unit) -> bool:
        """Keep up the lease; False if the unit is no longer this claimer's."""
        with self._writing() as database:
            query = f"UPDATE units SET lease = ? WHERE {_MINE}"
            return database.execute(query, (time.monotonic() + self._lease, *_mine(unit))).rowcount == 1

    def expand(self, unit: Unit, pages: Sequence[int]) -> None:
        """End counting: these are the pages of the file that are to be read."""
        with self._writing() as database:
            if database.execute(f"UPDATE units SET state = 'done' WHERE {_MINE}", _mine(unit)).rowcount:
                units = [(unit.job, unit.file, page) for page in pages]
                database.executemany("INSERT OR IGNORE INTO units (job, file, page) VALUES (?, ?, ?)", units)
                self._end_if_over(database, unit.job)

    def finish(self, unit: Unit, values: Mapping[str, Any]) -> bool:
        """Keep what became of a page; False if another claimer was first, or the job is gone."""
        place = self._folder / unit.job
        kept = json.dumps(values, ensure_ascii=False).encode()
        with _translated():
            if not place.is_dir():
                return False
            _write(place / f"{unit.claim}.part", kept)
        with self._writing() as database:
            state = "failed" if "error" in values else "done"
            mine = database.execute(f"UPDATE units SET state = ? WHERE {_MINE}", (state, *_mine(unit))).rowcount == 1
            part = place / f"{unit.claim}.part"
            with _translated():
                if mine:
                    # Before the commit: a crash between leaves the page to be read again into the same file.
                    part.replace(place / f"page-{unit.file}-{unit.page}.json")
                    self._end_if_over(database, unit.job)
                else:
                    part.unlink(missing_ok=True)
        return mine

    def _end_if_over(self, database: sqlite3.Connection, job: str) -> None:
        open_units = "SELECT 1 FROM units WHERE job = ? AND state IN ('waiting', 'leased') LIMIT 1"
        if database.execute(open_units, (job,)).fetchone() is None:
            read = "SELECT 1 FROM units WHERE job = ? AND page > 0 AND state = 'done' LIMIT 1"
            state = "done" if database.execute(read, (job,)).fetchone() else "failed"
            database.execute(
                "UPDATE jobs SET state = ?, ended = ?, report = iif(webhook = '', NULL, 'due') "
                "WHERE id = ? AND state IN ('queued', 'running')",
                (state, time.time(), job),
            )

    def give_back(self, unit: Unit, tried: bool) -> None:
        """Let another claim the unit; `tried` says that the try counts."""
        with self._writing() as database:
            query = f"UPDATE units SET state = 'waiting', tries = tries - ? WHERE {_MINE}"
            database.execute(query, (0 if tried else 1, *_mine(unit)))

    def view(self, job: str) -> View | None:
        """Tell how a job stands; None if there is no such job."""
        with self._lock, _translated():
            row = self._database.execute(
                "SELECT state, owner, created, ended, files, webhook, report FROM jobs WHERE id = ?", (job,)
            ).fetchone()
            if row is None:
                return None
            counts = {
                file: (counted, pages, read, failed)
                for file, counted, pages, read, failed in self._database.execute(
                    "SELECT file, sum(page = 0 AND state != 'waiting' AND state != 'leased'), sum(page > 0), "
                    "sum(page > 0 AND state = 'done'), sum(state = 'failed') FROM units WHERE job = ? GROUP BY file",
                    (job,),
                )
            }
        heading = self._heading(job)
        files = []
        for number in range(row[4]):
            counted, pages, read, failed = counts.get(number, (0, 0, 0, 0))
            name = heading["names"][number] if heading["names"] else ""
            files.append(FileView(name, pages if counted else None, read, failed))
        state: State = row[0]
        return View(
            job,
            state,
            tuple(files),
            heading["options"],
            owner=row[1],
            created=row[2],
            ended=row[3],
            webhook=row[5],
            reported=row[6] or "",
            no_store=heading["no_store"],
        )

    def _heading(self, job: str) -> dict[str, Any]:
        try:
            values: dict[str, Any] = json.loads((self._folder / job / "order.json").read_bytes())
            return values
        except OSError:
            return {"names": [], "options": {}, "no_store": False}  # deleted just now

    def outcomes(self, job: str, failed_only: bool = False) -> Iterator[Outcome]:
        """Give what became of the pages so far, in order; or of those alone that could not be read."""
        with self._lock, _translated():
            done = self._database.execute(
                "SELECT file, page FROM units WHERE job = ? AND state IN ('failed', ?) ORDER BY file, page",
                (job, "failed" if failed_only else "done"),
            ).fetchall()
        for file, page in done:
            path = self._folder / job / f"page-{file}-{page}.json"
            if path.is_file():  # counting leaves one only when it failed
                yield Outcome(file, page, json.loads(path.read_bytes()))

    def upload(self, job: str, file: int) -> bytes:
        """Give a file as it came; empty if it is no longer there."""
        try:
            return (self._folder / job / f"upload-{file}").read_bytes()
        except OSError:
            return b""

    def cancel(self, job: str) -> bool:
        """Stop a job that is not over: its units are dropped. False if it is over or unknown."""
        with self._writing() as database:
            ended = database.execute(
                "UPDATE jobs SET state = 'cancelled', ended = ? WHERE id = ? AND state IN ('queued', 'running')",
                (time.time(), job),
            ).rowcount
            if ended:
                database.execute("DELETE FROM units WHERE job = ? AND state IN ('waiting', 'leased')", (job,))
        return bool(ended)

    def delete(self, job: str) -> bool:
        """Forget a job and all of its content. False if it is unknown."""
        with self._writing() as database:
            gone = database.execute("DELETE FROM jobs WHERE id = ?", (job,)).rowcount
        if gone:
            shutil.rmtree(self._folder / job, ignore_errors=True)
        return bool(gone)

    def take_report(self) -> Report | None:
        """Take a webhook that is due, under a lease."""
        with self._writing() as database:
            now = time.monotonic()
            # A time further off than any wait is from before the machine's last start.
            row = database.execute(
                "UPDATE jobs SET report_due = ?, report_tries = report_tries + 1 WHERE id = (SELECT id FROM jobs "
                "WHERE report = 'due' AND NOT (report_due - ? BETWEEN 0 AND ?) LIMIT 1) "
                "RETURNING id, webhook, report_tries",
                (now + _REPORT_LEASE_SECONDS, now, LONGEST_WAIT_SECONDS),
            ).fetchone()
        return Report(*row) if row else None

    def reported(self, report: Report, delivered: bool, again_seconds: float | None) -> None:
        """Note how sending went: delivered, to be tried again after so long, or (None) given up."""
        with self._writing() as database:
            if delivered or again_seconds is None:
                state = "delivered" if delivered else "given up"
                database.execute("UPDATE jobs SET report = ? WHERE id = ?", (state, report.job))
            else:
                due = time.monotonic() + again_seconds
                database.execute("UPDATE jobs SET report_due = ? WHERE id = ?", (due, report.job))

    def sweep(self) -> int:
        """Forget jobs that are kept long enough, and what crashes left; say how many jobs."""
        with self._lock, _translated():
            ended = ", ".join(map(repr, ENDED))
            old = self._database.execute(
                f"SELECT id FROM jobs WHERE state IN ({ended}) AND ended < ?", (time.time() - self._keep,)
            ).fetchall()
            known = {row[0] for row in self._database.execute("SELECT id FROM jobs")}
        count = sum(self.delete(job) for (job,) in old)
        for place in self._folder.iterdir():
            if place.is_dir() and place.name not in known and time.time() - place.stat().st_mtime > _ORPHAN_SECONDS:
                shutil.rmtree(place, ignore_errors=True)
        return count

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction, all or nothing."""
        with self._lock, _translated():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise


def _mine(unit: Unit) -> tuple[str, int, int, str]:
    return unit.job, unit.file, unit.page, unit.claim


def _repeat(order: Order) -> tuple[str | None, str]:
    return (order.repeat, order_digest(order)) if order.repeat else (None, "")


@contextmanager
def _translated() -> Iterator[None]:
    """Raise Unavailable for a disk that is full or gone."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(
            f"Jobs cannot be kept just now ({getattr(error, 'strerror', None) or error}); send the request again in "
            "30 s, and see to the folder in SHIZI_JOBS.",
            30,
        ) from error


def _write(path: Path, data: bytes) -> None:
    """Write a file that is on the disk when this returns."""
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

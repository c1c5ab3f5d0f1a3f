"""Run: one batch from its sources to its results, by whichever engine reads.

Takes a `Batch` and an engine (a stream of items in, a stream of rows out), gives a `Tally`. This is the one place where
it is decided that an input is read and that its row is kept: whatever engines, nodes and processes do twice or lose,
each input has one row in the end.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Protocol

from shizi.batch import results
from shizi.batch.inputs import Sources
from shizi.batch.items import Item
from shizi.batch.manifest import Manifest
from shizi.batch.results import Shards
from shizi.batch.rows import Row, Work
from shizi.errors import ShiziError, Unavailable, WorkerLost
from shizi.versions import SHIPPED

# What an engine lost is given to it again so often, then it is an error.
_ROUNDS = 3


class Engine(Protocol):
    """What reads: `read` takes items as it needs them and gives their rows, in any order; `close` ends it."""

    def read(self, items: Iterable[Item]) -> Generator[Row | None]:
        """Read every item; None at least every second."""
        ...

    def close(self) -> None:
        """End all that was started, whatever it does."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """What to read and where its rows go. A shard is closed after `shard_rows` rows or `shard_seconds`.

    `retry_errors`: inputs whose rows tell an error are read again, and those rows taken out. `recogniser`: that of
    others, if one reads; `model`: the version of the small recogniser.
    """

    sources: Sources
    work: Work
    output: Path
    results: str = "jsonl"
    resume: bool = False
    retry_errors: bool = False
    shard_rows: int = 1000
    shard_seconds: float = 120.0
    recogniser: str = ""
    model: str = SHIPPED

    def check(self) -> None:
        """Refuse what can be told to be wrong before anything is begun: OptionsError, InputError."""
        results.check(self.results)
        self.work.deepened()
        self.sources.check()

    def settings(self) -> dict[str, object]:
        """What all rows of one folder have in common."""
        options = {name: getattr(self.work.options, name) for name in self.work.options.__slots__ if name != "password"}
        models = {"recogniser": self.recogniser, "model": self.model}
        return {"results": self.results, "formats": sorted(self.work.formats), **models, **options}


@dataclass(slots=True)
class Tally:
    """How far a run is: rows kept before it and in it, the latter's errors by code; whether it was stopped."""

    before: int = 0
    read: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    stopped: bool = False


def run(
    batch: Batch,
    start: Callable[[Work], Engine],
    on_row: Callable[[Tally], None] = lambda tally: None,
    stop: Event | None = None,
) -> Tally:
    """Read all inputs that have no row yet; `on_row` is told after each and at least about every second.

    `stop`, once set, ends it with what was received by then. Raises what `Batch.check` and `Manifest` raise before
    anything is read, Unavailable when the disk is full, WeightsError or WorkerLost when no models load.
    """
    batch.check()
    with closing(Manifest(batch.output, batch.settings(), batch.resume)) as manifest:
        if batch.retry_errors:
            manifest.drop_errors()
        tally = Tally(before=manifest.counts()[0])
        shards = Shards(batch.output, batch.results, batch.shard_rows, batch.shard_seconds, manifest.note)
        pending = (item for item in batch.sources.items() if manifest.claim(item.id))
        first = next(pending, None)
        if first is not None:
            with (
                closing(start(batch.work.deepened())) as engine,
                closing(_each_once(engine, chain((first,), pending))) as rows,
            ):
                _keep(rows, shards, tally, on_row, stop or Event())
    return tally


def _keep(
    rows: Iterator[Row | None], shards: Shards, tally: Tally, on_row: Callable[[Tally], None], stop: Event
) -> None:
    """Put every row into the shards, until there are no more or `stop` is set."""
    try:
        for row in rows:
            if row is not None:
                if row.error_code == Unavailable.code:  # no fault of the input: there was no room for its exports
                    raise Unavailable(row.error)
                shards.add(row)
                tally.read += 1
                tally.errors.update([row.error_code] if row.error_code else [])
            shards.look()
            on_row(tally)
            if stop.is_set():
                tally.stopped = True
                break
    except ShiziError:
        shards.finish()  # what was received is kept; any other exception may have cut a row in two
        raise
    shards.finish()


def _each_once(engine: Engine, items: Iterable[Item]) -> Generator[Row | None]:
    """Give one row for every item: what comes twice is dropped, what is lost is read again."""
    out: dict[str, Item] = {}  # those being read: few, engines take items only as they need them

    def given(items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            out[item.id] = item
            yield item

    for _ in range(_ROUNDS):
        with closing(engine.read(given(items))) as rows:
            for row in rows:
                if row is None or out.pop(row.input, None) is not None:
                    yield row
        if not out:
            return
        items = list(out.values())
    for item in out.values():
        yield Row.failed(item, WorkerLost("The machine that read this input was lost, several times."), _ROUNDS)

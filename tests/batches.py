"""A batch whose reader recognises nothing, for tests: what an input's bytes say is what happens to it.

`die` kills the process that reads; `die until FILE` too, unless FILE is there (it is made first); `hang` never ends;
`damaged` cannot be read; `defect` meets a bug; `grow` keeps 200 MB; `slow` takes a
moment. Anything else is the text that was read. Its
`main` is a program that reads a folder, and kills itself at a moment given by name: see `MOMENTS`.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from shizi.batch import results
from shizi.batch.inputs import Sources
from shizi.batch.local import Pool
from shizi.batch.manifest import Manifest
from shizi.batch.rows import Work
from shizi.batch.run import Batch, Tally, run
from shizi.document import Document, Line, Page
from shizi.errors import DamagedFile, WeightsError
from shizi.geometry import Polygon
from shizi.options import ReadOptions


class Echo:
    """Reads what the bytes say."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: list[bytes] = []

    def read(self, data: bytes, options: ReadOptions, on_page: Callable[[int, int], None] | None = None) -> Document:
        text = data.decode()
        threading.Event().wait(0.05 if text == "slow" else self._seconds)
        if on_page:
            on_page(0, 1)
        if text == "grow":
            self._kept.append(os.urandom(1) * 200_000_000)
        if text == "die" or (text.startswith("die until ") and _first(text.removeprefix("die until "))):
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "hang":
            threading.Event().wait()
        if text == "damaged":
            raise DamagedFile("The file is damaged. Send it again.")
        if text == "defect":
            raise ValueError("what was read: 机密")
        line = Line(text, 0.9, Polygon.from_bounds(0, 0, 90, 20), model="echo")
        return Document((Page(1, 100, 30, lines=(line,)),), source="PNG", weights=("echo@00000000",))


def _first(name: str) -> bool:
    if Path(name).exists():
        return False
    Path(name).touch()
    return True


def load(seconds: float = 0.0) -> Echo:
    return Echo(seconds)


def load_for_command(threads: int, *models: object) -> Echo:
    """Stand in for the loader of `shizi batch`."""
    return Echo(0.0)


def load_nothing() -> Echo:
    raise WeightsError("The model file is gone.")


def load_and_die() -> Echo:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def batch(folder: Path, output: Path, seconds: float = 0.0, **changed: object) -> Batch:
    """Name the batch that reads `folder` into `output`."""
    chosen = {name: changed.pop(name) for name in ("formats", "options") if name in changed}
    work = Work(partial(load, seconds), output=str(output), **chosen)  # type: ignore[arg-type]
    sources = changed.pop("sources", None) or Sources((str(folder),))
    return Batch(sources, work, output, **changed)  # type: ignore[arg-type]


def read_all(asked: Batch, workers: int = 2, seconds: float = 60.0, max_memory: int = 0) -> Tally:
    """Read a batch with a local pool."""
    return run(asked, lambda work: Pool(work, workers, seconds, max_memory))


def rows(output: Path) -> dict[str, dict[str, object]]:
    """Give all rows by input; fails when an input has two."""
    found = [json.loads(line) for shard in results.shards(output) for line in shard.read_text().splitlines()]
    counted = Counter(row["input"] for row in found)
    assert set(counted.values()) <= {1}, counted.most_common(3)
    return {row["input"]: row for row in found}


# Killing itself


def _kill(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: object, name: str, call: int = 1) -> None:
    """Kill this process when it calls `owner.name` for the `call`th time."""
    original, left = getattr(owner, name), [call]

    def wrapped(*arguments: object, **named: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            _kill()
        return original(*arguments, **named)

    setattr(owner, name, wrapped)


MOMENTS: dict[str, Callable[[], None]] = {
    "in the middle of a shard": lambda: _before(results.Shards, "add", 25),
    "before a shard is on the disk": lambda: _before(results, "_settle", 2),
    "before a shard is in its place": lambda: _before(Path, "replace", 2),
    "before a shard is noted": lambda: _before(Manifest, "note", 2),
    "while a shard is noted": lambda: _before(Manifest, "_commit", 3),
    "while it opens": lambda: _before(Manifest, "_commit", 1),
    "while shards are indexed": lambda: _before(Manifest, "_note", 1),
}


def main() -> None:
    folder, output, engine, moment = sys.argv[1:5]
    MOMENTS.get(moment, lambda: None)()
    asked = batch(Path(folder), Path(output), seconds=0.002, resume=True, shard_rows=10)
    if engine == "local":
        read_all(asked)
    else:
        from shizi.batch.on_ray import Cluster

        run(asked, lambda work: Cluster(work, engine.removeprefix("ray"), 2, 1, 60.0))

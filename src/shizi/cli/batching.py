"""The work of `shizi batch`: what was asked for becomes a batch and an engine; progress on a terminal, a summary after.

Knows the command line's ways of writing, nothing of how inputs are read or kept.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from shizi.batch import inputs, local
from shizi.batch.inputs import Sources
from shizi.batch.rows import Work, load_reader
from shizi.batch.run import Batch, Engine, Tally, run
from shizi.errors import OptionsError
from shizi.export import FORMATS
from shizi.machine import free_memory
from shizi.options import ReadOptions
from shizi.versions import in_force

ENGINES = ("local", "ray")
# What a process reading pages of usual size holds at most (docs/operations.md), rounded up.
_WORKER_BYTES = 600_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for. `workers`, `threads`: 0 lets the machine decide."""

    sources: Sequence[str]
    output: Path
    options: Mapping[str, str]
    engine: str = "local"
    address: str = ""
    results: str = "jsonl"
    formats: Sequence[str] = ()
    resume: bool = False
    retry_errors: bool = False
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    workers: int = 0
    threads: int = 0
    page_seconds: float = 300.0
    shard_rows: int = 1000
    templates: Path | None = None
    recogniser: Path | None = None
    models: Path | None = None


def read_batch(asked: Asked) -> int:
    """Run the batch and print what came of it; gives the exit code: 0, or 130 when it was told to stop.

    Raises OptionsError for what cannot be had, and what `shizi.batch.run.run` raises.
    """
    cluster = asked.engine == "ray" and (asked.address or os.environ.get("RAY_ADDRESS"))
    # A cluster says itself how many cores it has.
    workers, threads = (asked.workers, asked.threads or 1) if cluster else shared_out(asked.workers, asked.threads)
    sources = Sources(tuple(asked.sources), tuple(asked.include), tuple(asked.exclude), str(asked.output))
    version = in_force(asked.models)
    work = Work(
        partial(load_reader, threads, asked.templates, asked.recogniser, asked.models, version),
        _options(asked),
        _formats(asked),
        str(asked.output),
    )
    batch = Batch(
        sources, work, asked.output, asked.results, asked.resume, asked.retry_errors, asked.shard_rows,
        recogniser=str(asked.recogniser or ""), model=version,
    )  # fmt: skip
    start = _engine(asked, workers, threads)
    with _told_to_stop() as stop, _Progress(sources) as progress:
        tally = run(batch, start, progress.show, stop)
    typer.echo(summary(tally, progress.seconds, asked.output))
    if tally.stopped:
        typer.echo("shizi: stopped; the same command with --resume goes on.", err=True)
    return 130 if tally.stopped else 0


def shared_out(workers: int, threads: int) -> tuple[int, int]:
    """Say how many processes read and on how many threads each, by this machine's quota of cores and its memory."""
    from shizi.weights import cpu_quota

    cores = cpu_quota()
    fitting = (free_memory() or cores * _WORKER_BYTES) // _WORKER_BYTES
    workers = workers or max(1, min(cores // max(1, threads), fitting))
    return workers, threads or max(1, cores // workers)


def summary(tally: Tally, seconds: float, output: Path) -> str:
    """Say in one row what a run did."""
    if not tally.read and not tally.before and not tally.stopped:
        return "Nothing to read was found: no file in what was named, or none that --include and --exclude leave."
    told = f"{tally.read} inputs read in {seconds:.0f} s ({tally.read / max(seconds, 0.001):.2f}/s)"
    if tally.before:
        told += f", {tally.before} had been before"
    failed = sum(tally.errors.values())
    codes = ", ".join(f"{code} {count}" for code, count in tally.errors.most_common())
    return f"{told}; {f'{failed} with an error: {codes}' if failed else 'no errors'}; results in {output}"


def _options(asked: Asked) -> ReadOptions:
    return ReadOptions.parse(asked.options)


def _formats(asked: Asked) -> tuple[str, ...]:
    for name in asked.formats:
        if name not in FORMATS:
            raise OptionsError(f"The format is {name!r}; expected one of {', '.join(FORMATS)}.")
    return tuple(dict.fromkeys(asked.formats))


def _engine(asked: Asked, workers: int, threads: int) -> Callable[[Work], Engine]:
    if asked.engine not in ENGINES:
        raise OptionsError(f"The engine is {asked.engine!r}; expected one of {', '.join(ENGINES)}.")
    if asked.engine == "local":
        if asked.address:
            raise OptionsError("--address is of --engine ray; the local engine reads on this machine.")
        return lambda work: local.Pool(work, workers, asked.page_seconds, local.MOST_WORKER_BYTES)
    from shizi.batch import on_ray

    on_ray.check()
    return lambda work: on_ray.Cluster(work, asked.address, workers, threads, asked.page_seconds)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into a stop at the next row; the second ends the process as ever."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: object) -> None:
        stop.set()
        for known, handler in before.items():
            signal.signal(known, handler)

    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Progress:
    """A bar with rate and time left, on a terminal; counts the inputs beside the reading, without opening any."""

    sources: Sources
    seconds: float = 0.0
    _bars: Progress = field(init=False)
    _task: TaskID = field(init=False)
    _started: float = field(default_factory=time.monotonic)
    _total: int | None = None

    def __post_init__(self) -> None:
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bars.add_task("Reading", total=None, told="")

    def __enter__(self) -> _Progress:
        self._bars.start()
        if not self._bars.disable and inputs.LIST_MARK + inputs.STANDARD_INPUT not in self.sources.names:
            threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()
        self.seconds = time.monotonic() - self._started

    def show(self, tally: Tally) -> None:
        """Take how far the run is."""
        if self._bars.disable:
            return
        done, seconds = tally.before + tally.read, time.monotonic() - self._started
        told = told_of(done, self._total, tally.read / seconds if seconds > 0 else 0.0, sum(tally.errors.values()))
        self._bars.update(self._task, completed=done, total=self._total, told=told)

    def _count(self) -> None:
        self._total = sum(1 for _ in self.sources.items())


def told_of(done: int, total: int | None, rate: float, failed: int) -> str:
    """Write the figures beside the bar: how many of how many, how fast, how much longer, how many errors."""
    told = f"{done}{f'/{total}' if total is not None else ''}  {rate:.1f}/s"
    if total is not None and rate > 0 and total > done:
        left = round((total - done) / rate)
        told += f"  {left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"
    return told + (f"  {failed} with an error" if failed else "")

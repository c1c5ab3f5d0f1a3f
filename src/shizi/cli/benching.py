"""The work of `shizi bench`: how fast this machine reads, and with which workers and threads it reads most.

Takes pictures (or draws some) and a mode, reads them in processes of its own for some seconds for each way of sharing
out the cores, prints a table and the settings to use. Measures; changes nothing.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise

from rich.console import Console
from rich.progress import track
from rich.table import Table

from shizi.options import ReadOptions

# Of ways that read within this share of the most pages, the one with the fewest processes is advised: memory.
AS_GOOD = 0.95


@dataclass(frozen=True, slots=True)
class Way:
    """One way to share out the cores, and what it gave: pages a second, milliseconds a page, megabytes in all."""

    workers: int
    threads: int
    pages_per_second: float = 0.0
    ms_median: float = 0.0
    ms_p95: float = 0.0
    memory_mb: float = 0.0


def bench(files: Sequence[str], given: Mapping[str, str], seconds: float, as_json: bool) -> None:
    """Measure every way and print them, and the settings of the best one.

    Raises OptionsError for refused options and InputError for a picture that cannot be read.
    """
    options = ReadOptions.parse(given)
    from shizi.weights import cpu_quota

    pictures: Sequence[bytes | str] = [*files] if files else drawn()
    console = Console(stderr=True)
    ways = ways_of(cpu_quota())
    shown = track(ways, "Measuring", console=console, transient=True, disable=not console.is_terminal)
    measured = [measure(way, pictures, options, seconds) for way in shown]
    best = best_of(measured)
    Console(width=None if sys.stdout.isatty() else 120).print(_table(measured, best))
    print(f"SHIZI_WORKERS={best.workers} SHIZI_THREADS={best.threads}")
    if as_json:
        print(json.dumps({"mode": options.mode, "best": asdict(best), "ways": [asdict(way) for way in measured]}))


def ways_of(cores: int) -> list[Way]:
    """Name the ways to share out `cores`: 1, 2, 4, ... workers, each with an equal part of the threads."""
    counts = sorted({cores, *(2**power for power in range(cores.bit_length()) if 2**power <= cores)})
    return [Way(workers, cores // workers) for workers in counts]


def best_of(ways: Sequence[Way]) -> Way:
    """Give the way with the fewest workers among those that read about the most pages."""
    most = max(way.pages_per_second for way in ways)
    return min((way for way in ways if way.pages_per_second >= AS_GOOD * most), key=lambda way: way.workers)


def drawn() -> list[bytes]:
    """Draw a letter, a form and a receipt in Latin letters, which need no typeface of the machine; PNG bytes."""
    import cv2
    import numpy as np

    pages = []
    for width, height, size, rows in ((1240, 1754, 1.0, 40), (1000, 700, 0.7, 20), (480, 640, 0.6, 12)):
        page = np.full((height, width, 3), 255, np.uint8)
        for row in range(rows):
            words = f"{row + 1:02d} Delivery note 2025-{row % 12 + 1:02d}-14, total 1,{row:03d}.50, thank you"
            place = (width // 16, round((row + 1) * height / (rows + 1)))
            cv2.putText(page, words[: width // 14], place, cv2.FONT_HERSHEY_SIMPLEX, size, (30, 30, 30), 1, cv2.LINE_AA)
        pages.append(cv2.imencode(".png", page)[1].tobytes())
    return pages


def measure(way: Way, pictures: Sequence[bytes | str], options: ReadOptions, seconds: float) -> Way:
    """Let `way.workers` processes read the pictures in turn for `seconds`. Raises the first error of any.

    Counted are the pages read while all of them were at work.
    """
    with ProcessPoolExecutor(way.workers, multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(_work, pictures, options, way.threads, seconds) for _ in range(way.workers)]
        shifts = [task.result() for task in tasks]
    start = max(shift.ends[0] for shift in shifts)
    end = min(shift.ends[-1] for shift in shifts)
    pages = sum(start < moment <= end for shift in shifts for moment in shift.ends)
    spent = sorted(later - earlier for shift in shifts for earlier, later in pairwise(shift.ends))
    return Way(
        way.workers,
        way.threads,
        round(pages / (end - start), 2) if end > start else 0.0,
        round(1000 * statistics.median(spent), 1),
        round(1000 * spent[round(0.95 * (len(spent) - 1))], 1),
        round(sum(shift.memory_mb for shift in shifts)),
    )


@dataclass(frozen=True, slots=True)
class _Shift:
    """One process's work: when it began and when each page was done (seconds, one clock for all), its peak memory."""

    ends: list[float]
    memory_mb: float


def _work(pictures: Sequence[bytes | str], options: ReadOptions, threads: int, seconds: float) -> _Shift:
    """Load a reader, read every picture once to warm up, then all in turn for `seconds`, each at least once."""
    import resource

    from shizi.reader import Reader

    reader = Reader(threads)
    for picture in pictures:
        reader.read(picture, options)
    ends = [time.monotonic()]
    while len(ends) <= len(pictures) or ends[-1] - ends[0] < seconds:
        reader.read(pictures[(len(ends) - 1) % len(pictures)], options)
        ends.append(time.monotonic())
    return _Shift(ends, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def _table(ways: Sequence[Way], best: Way) -> Table:
    table = Table("workers", "threads each", "pages/s", "ms, median", "ms, p95", "MB in all", "", box=None)
    for column in table.columns:
        column.justify = "right"
    for way in ways:
        values = (way.workers, way.threads, way.pages_per_second, way.ms_median, way.ms_p95, way.memory_mb)
        table.add_row(*(f"{value:g}" for value in values), "best" if way is best else "")
    return table

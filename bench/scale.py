"""Scale: pages a second of 1, 2, ... processes here, then simulated to 1,000 workers, with what a million pages cost.

    python bench/scale.py [--pages 4] [--seconds 30] [--price 0.04] [--write] [--cpu]

Draws pages (bench/drawn.py), reads them in processes of one thread each, side by side, and measures what the driver of
`shizi batch` spends on a row. From these the simulator (bench/simulator.py) goes on: more workers, a storage, dying
workers and nodes. `--write` puts the tables into docs/scale.md and the figures into bench/results/scale.json. `--cpu`
takes a page's CPU time for its time: for a busy machine, where the clock tells of others' work; the rates of several
processes are then left out. `--price` is that of a core for an hour.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from drawn import draw_set
from simulator import Plan, Result, simulate

from shizi.batch.on_ray import chunk_seconds

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs/scale.md", ROOT / "bench/results/scale.json"
KINDS = ("screen-1200", "a4-200")
MODES = ("auto", "fast")
WORKERS = (1, 2, 10, 100, 300, 1000)
# Deaths of a worker and of a node of 32: a usual week, and machines lent by the hour (spot).
DEATHS = {
    "a worker dies once a day, a node once a week": {"worker_death_seconds": 86_400.0, "node_death_seconds": 604_800.0},
    "a worker dies once an hour, a node once in four": {"worker_death_seconds": 3600.0, "node_death_seconds": 14_400.0},
}
# CPU time that Ray's driver spends on a chunk: measured over 750 chunks of one input each, 2026-11-26, 2 cores Zen 5.
RAY_CHUNK_SECONDS = 0.0066

READING = """
import json, sys, time
from pathlib import Path
from shizi.batch.rows import load_reader
from shizi.options import ReadOptions
folder, mode, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
files = sorted(path for path in folder.iterdir() if path.suffix != ".jsonl")
options, reader = ReadOptions(mode=mode), load_reader(1)
for file in files: reader.read(file.read_bytes(), options)
spent, started = [], time.monotonic()
while time.monotonic() - started < seconds or len(spent) < len(files):
    wall, cpu = time.monotonic(), time.process_time()
    reader.read(files[len(spent) % len(files)].read_bytes(), options)
    spent.append((time.monotonic() - wall, time.process_time() - cpu))
print(json.dumps({"spent": spent, "seconds": time.monotonic() - started}))
"""

DRIVER = """
import json, sys, tempfile, time
from pathlib import Path
from shizi.batch.inputs import Sources
from shizi.batch.rows import Row, Work
from shizi.batch.run import Batch, run
rows, document = 20_000, json.dumps({"text": "x" * 2_000, "pages": [{"lines": ["y" * 80] * 40}]})
class Free:
    def read(self, items):
        for item in items: yield Row(item.id, document=document)
    def close(self): pass
with tempfile.TemporaryDirectory() as folder:
    names = Path(folder, "names")
    names.write_text("".join(f"{number:09}.png\\n" for number in range(rows)))
    started = time.process_time()
    run(Batch(Sources((f"@{names}",)), Work(dict), Path(folder, "out")), lambda work: Free())
    print((time.process_time() - started) / rows)
"""


def side_by_side(folder: Path, mode: str, seconds: float, readers: int) -> list[dict[str, Any]]:
    """Let `readers` processes read at once; what each tells."""
    command = [sys.executable, "-c", READING, str(folder), mode, str(seconds)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(readers)]
    return [json.loads(process.communicate()[0]) for process in processes]


def driver_seconds() -> float:
    """Measure the CPU time the driver spends on listing an input and keeping its row."""
    return float(subprocess.run([sys.executable, "-c", DRIVER], check=True, capture_output=True, text=True).stdout)


def measured(folder: Path, seconds: float, cpu: bool) -> dict[str, Any]:
    """Measure every mode: seconds a page, and pages a second of one process and of as many as there are cores."""
    found: dict[str, Any] = {}
    for mode in MODES:
        told = side_by_side(folder, mode, seconds, 1)
        spent = [pair[1 if cpu else 0] for pair in told[0]["spent"]]
        found[mode] = {"page_seconds": [round(value, 4) for value in spent], "rates": {"1": round(1 / mean(spent), 2)}}
        for readers in () if cpu else range(2, len(os.sched_getaffinity(0)) + 1):
            several = side_by_side(folder, mode, seconds, readers)
            rate = sum(len(one["spent"]) / one["seconds"] for one in several)
            found[mode]["rates"][str(readers)] = round(rate, 2)
    return found


def measured_here(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure this machine: pages of each mode, the driver's work."""
    with tempfile.TemporaryDirectory() as folder:
        draw_set(Path(folder), asked.pages, KINDS)
        sizes = [float(path.stat().st_size) for path in Path(folder).iterdir() if path.suffix != ".jsonl"]
        found, driver = measured(Path(folder), asked.seconds, asked.cpu), driver_seconds()
    return {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 2),
        "by_cpu_time": asked.cpu,
        "kinds": ", ".join(f"{kind} dense and sparse" for kind in KINDS),
        "page_bytes": mean(sizes),
        "driver_seconds": driver,
        "measured": found,
    }


def mean(values: list[float]) -> float:
    return statistics.fmean(values)


def simulated(figures: dict[str, Any], mode: str, deaths: dict[str, float]) -> Iterator[Result]:
    """Simulate every number of workers on Ray, each busy for about 20 minutes."""
    page_seconds = figures["measured"][mode]["page_seconds"]
    for workers in WORKERS:
        yield simulate(
            Plan(
                workers,
                min(400_000, max(2_000, int(workers * 1_200 / mean(page_seconds)))),
                page_seconds,
                figures["page_bytes"],
                chunk_seconds=chunk_seconds(workers),
                driver_page_seconds=figures["driver_seconds"],
                driver_chunk_seconds=RAY_CHUNK_SECONDS,
                **deaths,  # type: ignore[arg-type]
            )
        )


def rows_of(results: list[Result], price: float) -> str:
    """Write a table of results."""
    head = "| workers | pages/s | of ideal | driver busy | storage busy | read again | a million pages in | cost |\n"
    head += "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    return head + "".join(
        f"| {result.workers} | {result.pages_per_second:.1f} | {result.efficiency:.1%} | {result.driver_busy:.1%} "
        f"| {result.storage_busy:.1%} | {result.read_again:.2%} | {_time(1e6 / result.pages_per_second)} "
        f"| {1e6 / result.pages_per_second / 3600 * result.workers * price:.2f} |\n"
        for result in results
    )


def _time(seconds: float) -> str:
    if seconds > 172_800:
        return f"{seconds / 86_400:.1f} days"
    return f"{seconds / 3600:.1f} h" if seconds > 7200 else f"{seconds / 60:.0f} min"


def tables(figures: dict[str, Any], price: float) -> str:
    """Write what stands in docs/scale.md between its marks."""
    said = "CPU time of one process" if figures["by_cpu_time"] else "one thread a process, side by side"
    parts = [f"Measured {figures['date']} on {figures['machine']} ({said}): drawn pages, {figures['kinds']}.\n\n"]
    counts = sorted({count for mode in MODES for count in figures["measured"][mode]["rates"]}, key=int)
    parts.append(f"| mode | seconds a page, mean | {' | '.join(f'pages/s, {count} process' for count in counts)} |\n")
    parts.append(f"| --- | ---: | {' | '.join('---:' for _ in counts)} |\n")
    for mode in MODES:
        one = figures["measured"][mode]
        rates = " | ".join(f"{one['rates'].get(count, 0):.2f}" for count in counts)
        parts.append(f"| {mode} | {mean(one['page_seconds']):.3f} | {rates} |\n")
    parts.append(f"\nThe driver spends {1e6 * figures['driver_seconds']:.0f} µs of CPU time on a row.\n")
    for name, results in figures["simulated"].items():
        parts += [
            f"\nSimulated, {name}, {price:g} a core and hour:\n\n",
            rows_of([Result(**row) for row in results], price),
        ]
    return "".join(parts)


def main() -> None:
    """Measure, simulate, print; on request write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=4, help="of each kind and density")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--price", type=float, default=0.04)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument(
        "--simulate", action="store_true", help="measure nothing: take what bench/results/scale.json has"
    )
    asked = parser.parse_args()
    figures = json.loads(RESULTS.read_text()) if asked.simulate else measured_here(asked)
    usual, spot = DEATHS
    figures["simulated"] = {
        f"mode {mode}; {deaths}": [asdict(result) for result in simulated(figures, mode, DEATHS[deaths])]
        for mode, deaths in (("auto", usual), ("fast", usual), ("auto", spot))
    }
    written = tables(figures, asked.price)
    print(written)
    if asked.write:
        RESULTS.write_text(json.dumps(figures) + "\n")
        before, _, rest = PAGE.read_text().partition("<!-- figures:start -->\n")
        _, end, after = rest.partition("<!-- figures:end -->")
        PAGE.write_text(f"{before}<!-- figures:start -->\n{written}{end}{after}")


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)

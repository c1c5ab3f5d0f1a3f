"""Batch: thousands of small pictures through each engine, killed in the middle, and how fast and in how much memory.

    python bench/batch.py [--pictures 10000] [--kills 3] [--engines local,ray] [--workers N] [--mode fast] [--json FILE]

Draws the pictures. In each of `--rounds` rounds measures one reader alone on one thread and as many side by side as
there are workers (what the cores give, without a pool), then reads all with `shizi batch`, each engine undisturbed, for
the rate and the driver's peak memory; machines change while they are measured, so shares are medians of the rounds'.
Then a tenth of the pictures, for how memory grows, and all once killed with SIGKILL `--kills` times at moments spread
over the run and resumed each time. Every picture must have exactly one row, with the text that was drawn on it. Ends
with 1 when one has none or two, or a bar is missed (`--no-bars` leaves rates out, for a busy machine). `--json FILE`
keeps the figures (bench/results/batch.json).
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from statistics import median

import cv2
import numpy as np

SHIZI = (sys.executable, "-c", "from shizi.cli import main; main()", "batch")
# The bars: a pool of processes reads this share of what they would read alone, Ray this share of what the pool reads.
LOCAL_BAR, RAY_BAR = 0.9, 0.8
GROWTH_BAR_MB = 10.0  # of the driver's peak while inputs grow tenfold: 9,000 ids of 100 bytes would be a megabyte
_SHARE = 0.05  # of wrong texts among the drawn ones that a right run may have


@dataclass
class Outcome:
    """One engine's figures. Rates in pictures a second while all its processes read, memory in MB."""

    engine: str
    pictures: int
    rate: float = 0.0
    whole_rate: float = 0.0  # starting and ending included
    of_single: float = 0.0  # of what as many single readers would read
    of_side_by_side: float = 0.0
    driver_mb: float = 0.0
    driver_mb_tenth: float = 0.0
    kills: int = 0
    rows: int = 0
    missing: int = 0
    doubled: int = 0
    misread: int = 0
    faults: list[str] = field(default_factory=list)


def draw(folder: Path, count: int) -> None:
    """Draw `count` small pictures, each with its number."""
    folder.mkdir(parents=True)
    for number in range(count):
        page = np.full((64, 280, 3), 255, np.uint8)
        cv2.putText(page, text_of(number), (14, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (20, 20, 20), 2, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"{number:06}.png"), page)


def text_of(number: int) -> str:
    """Say what stands on a picture."""
    return f"No {number:06}"


def rate_apart(folder: Path, mode: str, seconds: float, readers: int) -> float:
    """Measure readers on one thread each, side by side and without a pool: pictures a second, all together."""
    program = (
        "import sys, time; from pathlib import Path; from shizi.options import ReadOptions\n"
        "from shizi.batch.rows import load_reader\n"
        "reader, options = load_reader(1), ReadOptions(mode=sys.argv[2])\n"
        "files = sorted(Path(sys.argv[1]).iterdir()); done = 0\n"
        "for file in files[:50]: reader.read(file.read_bytes(), options)\n"
        "started = time.monotonic()\n"
        "while time.monotonic() - started < float(sys.argv[3]):\n"
        "    reader.read(files[done % len(files)].read_bytes(), options); done += 1\n"
        "print(done / (time.monotonic() - started))\n"
    )
    command = [sys.executable, "-c", program, str(folder), mode, str(seconds)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(readers)]
    return sum(float(process.communicate()[0]) for process in processes)


@contextmanager
def started(folder: Path, output: Path, engine: str, asked: argparse.Namespace) -> Iterator["subprocess.Popen[str]"]:
    """Start one `shizi batch` in a process group of its own."""
    command = [*SHIZI, str(folder), "--output", str(output), "--engine", engine, "--mode", asked.mode, "--resume"]
    command += ["--workers", str(asked.workers), "--threads", "1", "--shard-rows", str(asked.shard_rows)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def peak_mb(pid: int) -> float:
    """Give the peak resident memory of a process so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1000 if found else 0.0


def rows_of(output: Path) -> list[tuple[str, str | None, float]]:
    """Give every row: its input, the text read, and when its shard was closed."""
    found = []
    for shard in sorted(output.glob("rows-*.jsonl")):
        for line in shard.read_text().splitlines():
            row = json.loads(line)
            found.append((row["input"], row["document"] and row["document"]["text"], shard.stat().st_mtime))
    return found


def undisturbed(folder: Path, output: Path, engine: str, asked: argparse.Namespace) -> tuple[float, float, float]:
    """Read all once: the rate while all processes read, the rate from start to end, the driver's peak memory in MB."""
    memory, begun = 0.0, time.monotonic()
    with started(folder, output, engine, asked) as process:
        while process.poll() is None:
            with_process = Path(f"/proc/{process.pid}/status")
            memory = max(memory, peak_mb(process.pid) if with_process.exists() else 0.0)
            threading.Event().wait(0.2)
        _, said = process.communicate()
        if process.returncode:
            raise SystemExit(f"{engine} ended with {process.returncode}: {said[-2000:]}")
    whole = time.monotonic() - begun
    moments = Counter(moment for _, _, moment in rows_of(output))
    times = sorted(moments)
    # From the first shard's end to the last full one's: without the start of processes and the last, shorter shard.
    full = [moment for moment in times if moments[moment] >= asked.shard_rows]
    steady = sum(moments[moment] for moment in full[1:]) / (full[-1] - full[0]) if len(full) > 2 else 0.0
    total = sum(moments.values())
    return steady or total / whole, total / whole, memory


def killed(folder: Path, output: Path, engine: str, asked: argparse.Namespace, outcome: Outcome) -> None:
    """Read all, killing the driver `kills` times once some more shards are there, then let it end."""
    total = outcome.pictures
    for kill in range(asked.kills):
        wanted = total * (kill + 1) // (asked.kills + 1) // asked.shard_rows
        with started(folder, output, engine, asked) as process:
            while len(list(output.glob("rows-*"))) < wanted and process.poll() is None:
                threading.Event().wait(0.01)
            threading.Event().wait(0.037 * kill)  # not always right after a shard
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                outcome.kills += 1
    with started(folder, output, engine, asked) as process:
        told, said = process.communicate()
        if process.returncode:
            raise SystemExit(f"{engine} ended with {process.returncode}: {said[-2000:]}")
    count(folder, output, outcome)
    print(f"  after {outcome.kills} kills: {told.strip()}", file=sys.stderr)


def count(folder: Path, output: Path, outcome: Outcome) -> None:
    """Hold the rows against the pictures."""
    expected = {str(folder / f"{number:06}.png"): text_of(number) for number in range(outcome.pictures)}
    rows = rows_of(output)
    seen = Counter(name for name, _, _ in rows)
    outcome.rows = len(rows)
    outcome.missing = len(expected.keys() - seen.keys())
    outcome.doubled = sum(times > 1 for times in seen.values()) + len(seen.keys() - expected.keys())
    outcome.misread = sum(text != expected.get(name) for name, text, _ in rows)


def measure(
    pictures: Path, asked: argparse.Namespace, room: Path
) -> tuple[dict[str, Outcome], list[float], list[float]]:
    """Read with all engines, round by round; gives outcomes, and rates of single readers, alone and side by side."""
    outcomes = {engine: Outcome(engine, asked.pictures) for engine in asked.engines.split(",")}
    rates: dict[str, list[tuple[float, float, float]]] = {engine: [] for engine in outcomes}
    single, apart = [], []
    for number in range(asked.rounds):
        single.append(rate_apart(pictures, asked.mode, asked.single_seconds, 1))
        apart.append(rate_apart(pictures, asked.mode, asked.single_seconds, asked.workers))
        for engine, found in rates.items():
            found.append(undisturbed(pictures, room / f"{engine}-{number}", engine, asked))
        told = ", ".join(f"{engine} {found[-1][0]:.2f}" for engine, found in rates.items())
        print(f"round {number}: one reader {single[-1]:.2f}, apart {apart[-1]:.2f}, {told}", file=sys.stderr)
    for engine, outcome in outcomes.items():
        found = rates[engine]
        outcome.rate, outcome.whole_rate = (round(median(each[place] for each in found), 2) for place in (0, 1))
        outcome.driver_mb = round(max(memory for _, _, memory in found), 2)
        outcome.of_single = round(
            median(each[0] / alone for each, alone in zip(found, single, strict=True)) / asked.workers, 3
        )
        outcome.of_side_by_side = round(median(each[0] / both for each, both in zip(found, apart, strict=True)), 3)
    return outcomes, single, apart


def kill(pictures: Path, tenth: Path, asked: argparse.Namespace, room: Path, outcome: Outcome) -> None:
    """Measure memory on a tenth, then read all with kills."""
    engine = outcome.engine
    outcome.driver_mb_tenth = round(undisturbed(tenth, room / f"{engine}-tenth", engine, asked)[2], 2)
    print(f"{engine}: killed {asked.kills} times", file=sys.stderr)
    killed(pictures, room / f"{engine}-killed", engine, asked, outcome)


def judge(outcomes: dict[str, Outcome], bars: bool) -> None:
    """Note what misses a bar."""
    for outcome in outcomes.values():
        if outcome.missing or outcome.doubled:
            outcome.faults.append(f"{outcome.missing} pictures without a row, {outcome.doubled} with several")
        if outcome.misread > _SHARE * outcome.pictures:
            outcome.faults.append(f"{outcome.misread} rows with another text")
        if outcome.driver_mb > outcome.driver_mb_tenth + GROWTH_BAR_MB:
            outcome.faults.append(f"the driver grew from {outcome.driver_mb_tenth} to {outcome.driver_mb} MB")
    if not bars:
        return
    if "local" in outcomes and outcomes["local"].of_single < LOCAL_BAR:
        outcomes["local"].faults.append(f"{outcomes['local'].of_single} of the single rate; the bar is {LOCAL_BAR}")
    if outcomes.keys() >= {"local", "ray"}:
        share = outcomes["ray"].of_single / outcomes["local"].of_single
        if share < RAY_BAR:
            outcomes["ray"].faults.append(f"{share:.2f} of the local pool's rate; the bar is {RAY_BAR}")


def main() -> None:
    """Measure, print, and end with 1 for a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--engines", default="local,ray")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--mode", default="fast")
    parser.add_argument("--shard-rows", type=int, default=0, help="default: a fiftieth of the pictures")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--single-seconds", type=float, default=10)
    parser.add_argument("--no-bars", action="store_true", help="do not judge rates")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    asked.shard_rows = asked.shard_rows or max(1, asked.pictures // 50)
    room = Path(tempfile.mkdtemp(prefix="shizi-batch-"))
    try:
        draw(room / "pictures", asked.pictures)
        draw(room / "tenth", asked.pictures // 10)
        outcomes, single, apart = measure(room / "pictures", asked, room)
        for outcome in outcomes.values():
            kill(room / "pictures", room / "tenth", asked, room, outcome)
        judge(outcomes, not asked.no_bars)
    finally:
        shutil.rmtree(room)
    result = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 2),
        "mode": asked.mode,
        "workers": asked.workers,
        "single_rates": [round(rate, 2) for rate in single],
        "side_by_side_rates": [round(rate, 2) for rate in apart],
        "engines": {name: asdict(outcome) for name, outcome in outcomes.items()},
    }
    print(json.dumps(result, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n")
    sys.exit(any(outcome.faults for outcome in outcomes.values()))


if __name__ == "__main__":
    main()

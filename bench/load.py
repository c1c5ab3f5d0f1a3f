"""Load: many clients on one service for minutes, every answer compared with the one given to a single request.

    python bench/load.py [SET] [--clients 16] [--seconds 600] [--workers N] [--threads N] [--against] [--json FILE]

SET is a folder of pictures (`labels.jsonl` as `shizi eval` takes it, or any pictures); without one, pages are drawn.
Starts `shizi serve` itself, on loopback, without a cache. Prints what was answered, how fast, the memory of all its
processes over time, and the pages a second one reader alone makes of the same pages right before, without HTTP. With
`--against`, rapidocr_api (`pip install rapidocr-api`) is then asked for the same pages by as many clients for as long.
`bars` tells which of the aims were met; ends with 1 when an answer was wrong, a 5xx came or a 429 lacked Retry-After,
with `--strict` also when a bar was missed (which on a busy machine says little).
"""

import argparse
import datetime
import http.client
import io
import json
import os
import pickle
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from shizi.service.settings import Settings

SERVE = (sys.executable, "-c", "from shizi.cli import main; main()", "serve")
# The aims: see docs/operations.md.
FLAT, LEAST_SHARE, LEAST_TIMES = 0.05, 0.95, 3.0
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}
# What differs from answer to answer though the picture is the same.
VARYING = ("request_id", "processing_time_ms", "cached", "cache_age_seconds", "milliseconds", "stages")


@dataclass
class Tally:
    """What the clients met."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    singles: list[float] = field(default_factory=list)
    wrong: int = 0
    without_retry: int = 0
    broken: int = 0
    cpu: float = 0.0
    front: float = 0.0
    reader: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether anything happened that may not."""
        errors = sum(count for status, count in self.statuses.items() if status >= 500)
        return bool(errors or self.wrong or self.without_retry or self.broken)


class Service:
    """One `shizi serve` on a free port."""

    def __init__(self, command: Sequence[str] = SERVE, **settings: str) -> None:
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "SHIZI_PORT": "0", **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.process.stdout.readline())
        if found is None:
            raise SystemExit("the service did not start")
        self.port = int(found[1])

    def ask(
        self, method: str, path: str, body: bytes = b"", timeout: float = 300, **headers: str
    ) -> tuple[int, Any, Any]:
        """Send one request; give status, headers and the body, parsed if it is JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Content-Type": "application/octet-stream", **named})
            response = connection.getresponse()
            data = response.read()
            return response.status, response.headers, json.loads(data) if data[:1] == b"{" else data
        finally:
            connection.close()

    def read(self, page: bytes) -> tuple[int, Any, Any]:
        """Have a page read, and by itself: the same page of several clients would be read once for all of them."""
        return self.ask("POST", "/ocr/predict?no_store=true", page)

    def pids(self) -> list[int]:
        """Give the processes of the service: the master first, then its children and theirs."""
        return [self.process.pid, *below(self.process.pid)]

    def memory(self) -> float:
        """Give the memory of all its processes together, in MB (what they share counts once: PSS)."""
        return sum(_pss(pid) for pid in self.pids()) / 1e6

    def parts(self) -> tuple[float, float]:
        """Give the memory of the process that holds the connections, and of the largest that reads, in MB (PSS)."""
        children = below(self.process.pid)
        sizes = [_pss(pid) / 1e6 for pid in children]
        return (sizes[0], max(sizes[1:], default=0.0)) if sizes else (0.0, 0.0)

    def stop(self) -> int:
        """Stop it as a supervisor would; give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(120)
        assert self.process.stdout
        self.process.stdout.close()
        return code


class RapidOcrApi(Service):
    """One rapidocr_api on a free port, as its documentation starts it: the same models, read as they read them."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rapidocr_api.main", "-ip", "127.0.0.1", "-p", str(self.port)],
            env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        # What it logs is thrown away as it comes, or it would stop once the pipe is full.
        threading.Thread(target=self._hear, daemon=True).start()
        until = time.monotonic() + 120
        while True:
            try:
                self.ask("GET", "/")
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise SystemExit("rapidocr_api did not start: pip install rapidocr-api") from None
                time.sleep(0.2)

    def _hear(self) -> None:
        assert self.process.stdout
        while self.process.stdout.read(65536):
            pass

    def read(self, page: bytes) -> tuple[int, Any, Any]:
        """Have a page read."""
        heading = b'--x\r\nContent-Disposition: form-data; name="image_file"; filename="a"\r\n\r\n'
        return self.ask(
            "POST", "/ocr", heading + page + b"\r\n--x--\r\n", Content_Type="multipart/form-data; boundary=x"
        )


def below(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return children + [further for child in children for further in below(child)]


def _pss(pid: int) -> int:
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def pictures(folder: Path | None) -> list[bytes]:
    if folder is not None:
        return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICTURES]
    return [drawn(number) for number in range(6)]


def drawn(number: int) -> bytes:
    """Draw a page of its own size and words."""
    width, height = 700 + 150 * (number % 4), 400 + 260 * (number % 3)
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(24 + 2 * number)
    for row, y in enumerate(range(30, height - 50, 50)):
        draw.text((30, y), f"Page {number} row {row}: invoice {number * 7919 + row * 104729}", "black", font)
    buffer = io.BytesIO()
    page.save(buffer, "PNG" if number % 2 else "JPEG")
    return buffer.getvalue()


def plain(answer: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in answer.items() if key not in VARYING}, sort_keys=True)


def _cpu(pid: int) -> float:
    """Give the seconds of CPU a process has used."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def alone(data: Sequence[bytes], threads: int, seconds: float) -> tuple[float, float]:
    """Give the pages a second one reader makes without HTTP, and its seconds of CPU a page."""
    program = (
        "import pickle, sys, time\nfrom shizi.reader import Reader\n"
        "pages, threads, seconds = pickle.load(sys.stdin.buffer)\nreader = Reader(threads)\nreader.warm()\n"
        "[reader.read(page) for page in pages[:3]]\n"
        "start, cpu, count = time.monotonic(), time.process_time(), 0\n"
        "while time.monotonic() < start + seconds or count % len(pages):\n"
        "    reader.read(pages[count % len(pages)])\n    count += 1\n"
        "print(count / (time.monotonic() - start), (time.process_time() - cpu) / count)\n"
    )
    running = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps((list(data), threads, seconds)),
        capture_output=True,
        check=True,
    )
    rate, cpu = map(float, running.stdout.split())
    return rate, cpu


def press(service: Service, data: Sequence[bytes], clients: int, seconds: float) -> tuple[Tally, list[float], float]:
    """Let `clients` ask for `seconds`; give what they met, the memory each second, and how long it took."""
    singles, tally, lock = [], Tally(), threading.Lock()
    for page in data:
        began = time.monotonic()
        status, _, answer = service.read(page)
        tally.singles.append(time.monotonic() - began)
        singles.append((status, plain(answer) if status == 200 else ""))
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        at = number
        while time.monotonic() < until:
            at += 1
            chosen = at % len(data)
            began = time.monotonic()
            try:
                status, headers, answer = service.read(data[chosen])
            except (OSError, http.client.HTTPException):
                with lock:
                    tally.broken += 1
                continue
            took = time.monotonic() - began
            with lock:
                tally.statuses[status] += 1
                if status == 200:
                    tally.seconds.append(took)
                if status not in (429, 503) and (status, plain(answer) if status == 200 else "") != singles[chosen]:
                    tally.wrong += 1
                tally.without_retry += status == 429 and not str(headers["Retry-After"]).isdigit()
            if status == 429:
                time.sleep(min(float(headers["Retry-After"] or 1), max(0.0, until - time.monotonic())))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    began, memory = time.monotonic(), []
    before = sum(map(_cpu, service.pids()))
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        memory.append(service.memory())
        front, reader = service.parts()
        tally.front, tally.reader = max(tally.front, front), max(tally.reader, reader)
        time.sleep(min(1.0, seconds / 10))
    tally.cpu = sum(map(_cpu, service.pids())) - before
    return tally, memory, time.monotonic() - began


def met(tally: Tally, memory: Sequence[float], took: float) -> dict[str, Any]:
    """Sum up what the clients of one service met."""
    ordered = sorted(tally.seconds) or [0.0]
    third = len(memory) // 3
    # The first third is warming up; of the others, the levels are compared.
    middle, last = memory[third : 2 * third] or memory, memory[2 * third :] or memory
    return {
        "statuses": dict(sorted(tally.statuses.items())),
        "wrong": tally.wrong,
        "broken": tally.broken,
        "without_retry_after": tally.without_retry,
        "pages_a_second": round(len(tally.seconds) / took, 2),
        "cpu_seconds_a_page": round(tally.cpu / max(1, len(tally.seconds)), 3),
        "p50_seconds": round(statistics.median(ordered), 2),
        "p99_seconds": round(ordered[int(len(ordered) * 0.99)], 2),
        "memory_mb_first_third": round(statistics.median(memory[: third + 1])),
        "memory_mb_after": [round(min(middle + last)), round(statistics.median(last)), round(max(middle + last))],
        "memory_growth": round(statistics.median(last) / statistics.median(middle) - 1, 3),
    }


def against(data: Sequence[bytes], clients: int, seconds: float) -> dict[str, Any]:
    """Press rapidocr_api with the same pages."""
    service = RapidOcrApi()
    try:
        return met(*press(service, data, clients, seconds))
    finally:
        service.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", type=Path)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--alone", type=float, default=20, help="seconds of reading without HTTP; 0 leaves it out")
    parser.add_argument("--most", type=int, default=1000, help="most pictures of the set")
    parser.add_argument("--against", action="store_true", help="measure rapidocr_api in the same run")
    parser.add_argument("--strict", action="store_true", help="end with 1 when a bar was missed")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    data = pictures(given.set)[: given.most]
    threads = given.threads or len(os.sched_getaffinity(0))
    own, own_cpu = alone(data, threads, given.alone) if given.alone else (0.0, 0.0)
    service = Service(
        SHIZI_CACHE="off",
        SHIZI_WORKERS=str(given.workers),
        SHIZI_THREADS=str(given.threads),
        SHIZI_MAX_BYTES="50000000",
    )
    try:
        tally, memory, took = press(service, data, given.clients, given.seconds)
    finally:
        code = service.stop()
    single = max(statistics.median(tally.singles), 0.001)
    result = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "seconds": given.seconds,
        "clients": given.clients,
        "workers": given.workers,
        "threads": given.threads,
        **met(tally, memory, took),
        "single_seconds": round(single, 2),
        "memory_mb_front_most": round(tally.front),
        "memory_mb_reader_most": round(tally.reader),
        "alone_pages_a_second": round(own, 2),
        "share_of_alone": round(len(tally.seconds) / took / own, 2) if own else None,
        "alone_cpu_seconds_a_page": round(own_cpu, 3),
        "exit_code": code,
    }
    bars = {
        "no_error_and_no_wrong_answer": not tally.bad,
        "p99_within_the_queue_and_three_readings": result["p99_seconds"] < Settings().wait_seconds + 3 * single,
        "memory_flat": result["memory_growth"] < FLAT,
    }
    if own:
        bars["0.95_of_one_reader_alone"] = result["share_of_alone"] >= LEAST_SHARE
    if given.against:
        result["rapidocr_api"] = against(data, given.clients, given.seconds)
        result["times_rapidocr_api"] = round(
            result["pages_a_second"] / max(result["rapidocr_api"]["pages_a_second"], 0.001), 2
        )
        bars["3_times_rapidocr_api"] = result["times_rapidocr_api"] >= LEAST_TIMES
    result["bars"] = bars
    print(json.dumps(result, indent=1))
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n")
    return int(tally.bad or code != 0 or (given.strict and not all(bars.values())))


if __name__ == "__main__":
    sys.exit(main())

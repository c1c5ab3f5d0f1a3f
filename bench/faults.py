"""Faults: what goes wrong in a data centre, done to one service on purpose while it works.

    python bench/faults.py [--seconds 60] [--jobs 6] [--redis] [--slow 1000]

Starts `shizi serve` with jobs, keeps single requests and jobs of several pages coming, and meanwhile kills reading
processes and the worker (SIGKILL), holds open slow connections (that do not send, do not take their answer, do not
close), sends half bodies, sets the clock an hour forth and back, fills the disk that the jobs lie on (a file system of
its own; needs root), and with `--redis` kills and restarts Redis. Then checks: every job ended once with all its pages,
every report came, no request took longer than its deadline, and the service is well. Prints one JSON object; ends
with 1 when anything of that failed.
"""

import argparse
import http.client
import io
import itertools
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parent))
import load

DEADLINE_SECONDS = 60.0
# What the operating system and a loaded machine may add to a deadline.
GRACE_SECONDS = 20.0
# What Python imports by itself when it starts: moves the time of day by the seconds that a file says.
CLOCK = """
import time
from pathlib import Path

at, told = time.time, Path(__file__).with_name("seconds")
time.time = lambda: at() + float(told.read_text() or 0)
"""
JUMPS = ("3600", "0", "-3600", "0")
SLOW_BEGINNINGS = (
    b"POST /ocr/pre",
    b"POST /ocr/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\nhalf",
    b"POST /ocr/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    b"POST /ocr/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 1000000000000\r\n\r\nmuch",
    b"GET /ocr/static/swagger/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ocr/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
)


class Reports(ThreadingHTTPServer):
    """Counts the reports of each job."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Reports

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.counts[self.headers["X-Shizi-Job"]] += 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def pages(count: int) -> bytes:
    """Draw a TIFF of several pages."""
    drawn = []
    for number in range(1, count + 1):
        page = Image.new("RGB", (400, 160), "white")
        ImageDraw.Draw(page).text((20, 40), f"Page {number}", "black", font_size=50)
        drawn.append(page)
    buffer = io.BytesIO()
    drawn[0].save(buffer, "TIFF", save_all=True, append_images=drawn[1:], compression="tiff_lzw")
    return buffer.getvalue()


class Trial:
    """One service under faults, and what was met."""

    def __init__(self, service: load.Service, reports: Reports) -> None:
        self.service = service
        self.reports = reports
        self.statuses: Counter[str] = Counter()
        self.longest = 0.0
        self.jobs: dict[str, int] = {}
        self.over = threading.Event()
        self.held: list[socket.socket] = []
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        """Send one request and note how it went; status 0 for a connection that broke."""
        began = time.monotonic()
        status, answer = 0, None
        with suppress(OSError, http.client.HTTPException):
            status, _, answer = self.service.ask(method, path, body, DEADLINE_SECONDS + GRACE_SECONDS, **headers)
        with self._lock:
            self.statuses[f"{path.split('?')[0].split('/')[2]} {status}"] += 1
            self.longest = max(self.longest, time.monotonic() - began)
        return status, answer

    def keep_asking(self, picture: bytes) -> None:
        """Be a client that sends single pictures."""
        while not self.over.is_set():
            self.ask("POST", "/ocr/predict", picture)
            self.over.wait(0.05)

    def submit(self, data: bytes, count: int, name: str) -> None:
        """Hand in a job until it is taken: an order sent again under its key is the same job."""
        url = f"http://127.0.0.1:{self.reports.server_port}/"
        while not self.over.is_set():
            status, answer = self.ask("POST", f"/ocr/jobs?webhook={url}", data, Idempotency_Key=name)
            if status == 202:
                self.jobs[answer["id"]] = count
                return
            self.over.wait(0.5)

    def await_jobs(self, seconds: float) -> dict[str, Any]:
        """Wait until all jobs are over; give what is wrong with them."""
        until, states = time.monotonic() + seconds, {}
        while time.monotonic() < until and len(states) < len(self.jobs):
            for job in self.jobs:
                status, answer = self.ask("GET", f"/ocr/jobs/{job}")
                if status == 200 and answer["state"] in ("done", "failed", "cancelled"):
                    states[job] = answer
            time.sleep(0.2)
        while time.monotonic() < until and any(not self.reports.counts[job] for job in states):
            time.sleep(0.2)
        right = [
            job for job, state in states.items() if state["state"] == "done" and state["pages_read"] == self.jobs[job]
        ]
        return {
            "jobs": len(self.jobs),
            "jobs_ended": len(states),
            "jobs_with_all_pages": len(right),
            "jobs_reported": sum(self.reports.counts[job] > 0 for job in self.jobs),
            "reports": sum(self.reports.counts.values()),
        }


def kill(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_an_engine(trial: Trial) -> None:
    [worker, *_] = load.below(trial.service.process.pid) or [0]
    engines = load.below(worker) if worker else []
    kill(random.sample(engines, min(1, len(engines))))


def kill_the_worker(trial: Trial) -> None:
    kill(load.below(trial.service.process.pid)[:1])


def send_half(trial: Trial) -> None:
    for beginning in SLOW_BEGINNINGS * 5:
        with suppress(OSError), socket.create_connection(("127.0.0.1", trial.service.port), timeout=10) as connection:
            connection.sendall(beginning)


def be_slow(count: int) -> Callable[[Trial], None]:
    """Hold connections open that never finish their request or take their answer; open those anew that were ended."""

    def act(trial: Trial) -> None:
        for connection in [one for one in trial.held if is_over(one)]:
            trial.held.remove(connection)
            connection.close()
        for number in range(count - len(trial.held)):
            with suppress(OSError):
                connection = socket.socket()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.settimeout(10)
                connection.connect(("127.0.0.1", trial.service.port))
                connection.sendall(SLOW_BEGINNINGS[number % len(SLOW_BEGINNINGS)])
                trial.held.append(connection)

    return act


def is_over(connection: socket.socket) -> bool:
    """Tell whether the other side has closed a connection, with or without something left to read."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return bool(poll.poll(0))


def jump(folder: Path) -> Callable[[Trial], None]:
    """Set the clock that `jumping` made, each time to another hour."""
    jumps = itertools.cycle(JUMPS)

    def act(trial: Trial) -> None:
        (folder / "told").write_text(next(jumps))
        (folder / "told").rename(folder / "seconds")  # at once: nobody reads half of it

    return act


@contextmanager
def jumping() -> Iterator[tuple[Path, dict[str, str]]]:
    """Give the folder of a clock that can be set, and the environment of processes that go by it.

    It is the time of day that jumps, as on a machine whose clock is set; what tells how long something took goes on.
    """
    with tempfile.TemporaryDirectory(prefix="shizi-clock-") as folder:
        (Path(folder) / "sitecustomize.py").write_text(CLOCK)
        (Path(folder) / "seconds").write_text("0")
        found = [folder, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        yield Path(folder), {"PYTHONPATH": os.pathsep.join(filter(None, found))}


def fill(folder: Path) -> Callable[[Trial], None]:
    """Fill the disk for a moment."""

    def act(trial: Trial) -> None:
        try:
            with open(folder / "filler", "wb") as file:
                while True:
                    file.write(bytes(100_000))
                    file.flush()
        except OSError:
            pass  # it is full
        time.sleep(2)
        (folder / "filler").unlink()

    return act


def restart(server: Any) -> Callable[[Trial], None]:
    def act(trial: Trial) -> None:
        server.kill()
        time.sleep(2)
        server.start()

    return act


@contextmanager
def small_disk(megabytes: int) -> Iterator[tuple[Path, bool]]:
    """Give a folder on a file system of its own where root allows it, else any folder; and which it is."""
    folder = Path(tempfile.mkdtemp(prefix="shizi-faults-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield folder, mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def run(
    command: Sequence[str],
    seconds: float,
    jobs: int,
    faults: Sequence[tuple[str, Callable[[Trial], None]]],
    where: str,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Let the service work for `seconds` while the faults come one after the other; give what was met."""
    settings = {
        "SHIZI_JOBS": where,
        "SHIZI_JOB_LEASE_SECONDS": "2",
        "SHIZI_JOB_TRIES": "50",
        "SHIZI_DEADLINE_SECONDS": str(DEADLINE_SECONDS),
        "SHIZI_WEBHOOK_HOSTS": "127.0.0.1",
        "SHIZI_WEBHOOK_SECRET": "for these tests alone",
        "SHIZI_CACHE": "off",
        **environment,
    }
    reports = Reports()
    trial = Trial(load.Service(command, **settings), reports)
    clients = [threading.Thread(target=trial.keep_asking, args=(load.drawn(number),)) for number in range(3)]
    counts = [2 + number % 4 for number in range(jobs)]
    clients += [
        threading.Thread(target=trial.submit, args=(pages(count), count, f"job-{number}"))
        for number, count in enumerate(counts)
    ]
    for client in clients:
        client.start()
    done: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until or not all(done[name] for name, _ in faults):
        for name, act in faults:
            act(trial)
            done[name] += 1
            time.sleep(min(2.0, seconds / 20))
    submitted = time.monotonic() + 60
    while len(trial.jobs) < jobs and time.monotonic() < submitted:
        time.sleep(0.2)
    trial.over.set()
    for client in clients:
        client.join()
    result = trial.await_jobs(120)
    for connection in trial.held:
        connection.close()
    well = trial.ask("GET", "/ocr/ready")[0] == 200 and trial.ask("POST", "/ocr/predict", load.drawn(1))[0] == 200
    code = trial.service.stop()
    reports.shutdown()
    reports.server_close()
    result |= {
        "faults": dict(done),
        "statuses": dict(sorted(trial.statuses.items())),
        "longest_request_seconds": round(trial.longest, 1),
        "well_afterwards": well,
        "exit_code": code,
    }
    result["passed"] = (
        result["jobs"] == result["jobs_ended"] == result["jobs_with_all_pages"] == result["jobs_reported"] == jobs
        and trial.longest < DEADLINE_SECONDS + GRACE_SECONDS
        and well
        and code == 0
    )
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--redis", action="store_true")
    given = parser.parse_args()
    faults = [
        ("engine killed", kill_an_engine),
        ("slow connections", be_slow(given.slow)),
        ("half bodies", send_half),
        ("worker killed", kill_the_worker),
    ]
    with small_disk(20) as (folder, mounted), jumping() as (clock, environment):
        faults.append(("clock set", jump(clock)))
        where = str(folder / "jobs")
        if given.redis:
            sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
            from redis_server import RedisServer

            server = RedisServer()
            where = server.url
            faults.append(("redis killed", restart(server)))
        elif mounted:
            faults.append(("disk full", fill(folder)))
        result = run(load.SERVE, given.seconds, given.jobs, faults, where, environment)
        if given.redis:
            server.end()
    print(json.dumps(result, indent=1))
    return int(not result["passed"])


if __name__ == "__main__":
    sys.exit(main())

"""A real service for tests: gunicorn and its workers in processes of their own, on a free loopback port.

Run as a program it serves the fake reader, told over the wire what to do: a picture `hold` stays inside until
a file called `release` lies in the folder given; `die` ends the worker; `damaged` is refused; nothing is
found in mode accurate; with fields it finds an invoice's total; a file called `broken` there keeps the models from
loading. In a job `BM ` stands before these words, or they would be taken for no picture. Imported it gives `serving`,
`until`, `children`.
"""

import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pypdfium2
from fakes import FakeReader

from shizi.document import Check, Document, Field, Verdict
from shizi.errors import DamagedFile, WeightsError
from shizi.options import ReadOptions
from shizi.pages import tiff


class Live:
    """One running service: its process, its port, and plain requests to it."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, said: Callable[[], str]) -> None:
        self.process = process
        self.port = port
        self.said = said  # all it has logged so far

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request; give status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read()
        finally:
            connection.close()

    def stop(self) -> int:
        """Send SIGTERM and give the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def children(pid: int) -> list[int]:
    """Give the processes that a process started."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def until(true: Callable[[], bool]) -> None:
    """Wait for what another process is about to do."""
    pause = threading.Event()
    while not true():
        pause.wait(0.005)


@contextmanager
def serving(command: list[str], **environment: str) -> Iterator[Live]:
    """Run a service until the block ends; `command` must take port 0 and print shizi's line."""
    with tempfile.NamedTemporaryFile("w") as errors:  # a pipe that nobody reads would stop a service that logs much
        process = subprocess.Popen(
            command,
            env={**os.environ, "SHIZI_PORT": "0", **environment},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdout is not None

        def said() -> str:
            return Path(errors.name).read_text()  # by a handle of its own: a shared one has one position

        try:
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/ocr/webui", line)
            assert found, f"the service did not start: {line} {said()}"
            yield Live(process, int(found[1]), said)
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=60)
            assert "Traceback" not in said(), said()


TOTAL = Field("total", "108.00", "¥108.00", 0.9, checks=(Check("sum", True, "100.00 + 8.00 = 108.00"),))


class ToldReader(FakeReader):
    """The fake reader, told by pictures what to do; `folder` is where it meets the test."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        if (folder / "broken").exists():
            raise WeightsError("The model file is gone.")

    def count(self, data: bytes, options: ReadOptions) -> int:
        if data[:5] == b"%PDF-":
            return len(pypdfium2.PdfDocument(data))
        return sum(1 for _ in tiff.directories(data)) if data[:4] in (b"II*\0", b"MM\0*") else 1

    def read(self, data: object, options: ReadOptions = ReadOptions()) -> Document:
        self.pages = self.count(data, options) if isinstance(data, bytes) else 1
        told = data.removeprefix(b"BM ") if isinstance(data, bytes) else data
        if told == b"die":
            os.kill(os.getpid(), signal.SIGSEGV)
        if told == b"hold":
            (self.folder / "held").touch()
            until((self.folder / "release").exists)
        if told == b"damaged":
            raise DamagedFile("The file ends early.")
        if options.mode == "accurate":
            return replace(super().read(data), pages=())
        if options.fields == "auto":
            return replace(super().read(data, options), fields=(TOTAL,), verdict=Verdict("accept"))
        return super().read(data, options)


def _serve(folder: Path) -> None:
    from live import ToldReader  # by its name, under which the processes that read find it

    from shizi.cli import main
    from shizi.service import app

    app.load_for = lambda settings, version: partial(ToldReader, folder)
    sys.argv = ["shizi", "serve"]
    main()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))

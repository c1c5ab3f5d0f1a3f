"""Process: starts pdfium's own process, asks it, and ends it when it takes too long; see `child`.

Idle processes are kept for the next document, since starting one costs 150 ms. Knows nothing of PDF.
"""

import atexit
import contextlib
import json
import os
import selectors
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

# An honest page takes a hundredth of this on an idle machine.
SECONDS = 30.0
MOST_IDLE = 2

Values = dict[str, Any]


class Died(Exception):
    """Say that the process is gone: it crashed, ran out of memory or took too long (`slow`)."""

    def __init__(self, slow: bool) -> None:
        super().__init__()
        self.slow = slow


class Process:
    """One process that answers requests one at a time."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._child = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("child.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._to: IO[bytes] = self._child.stdin
        self._from: IO[bytes] = self._child.stdout

    def ask(self, values: Values, blob: bytes = b"") -> tuple[Values, bytearray]:
        """Send a request and wait for its answer. Raises Died, after which the process cannot be used."""
        message = json.dumps(values | {"blobs": [len(blob)]}).encode()
        try:
            self._write(struct.pack("<I", len(message)) + message)
            self._write(blob)
            if not self._answers():
                self.end()
                raise Died(slow=True)
            (length,) = struct.unpack("<I", self._exactly(4))
            answer: Values = json.loads(self._exactly(length))
            return answer, self._exactly(sum(answer["blobs"]))
        except (OSError, EOFError) as error:
            self.end()
            raise Died(slow=False) from error
        except BaseException:
            self.end()  # the rest of its answer would be taken for the next one
            raise

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view.nbytes:
            view = view[self._to.write(view) :]

    def _answers(self) -> bool:
        """Wait until an answer begins; False after too long. On Windows, which cannot wait for pipes, without end."""
        if sys.platform == "win32":
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._from, selectors.EVENT_READ)
            return bool(selector.select(SECONDS))

    def _exactly(self, size: int) -> bytearray:
        found = bytearray(size)
        view = memoryview(found)
        while view.nbytes:
            count = self._from.readinto(view)  # type: ignore[attr-defined]  # IO has it not, every pipe has
            if not count:
                raise EOFError
            view = view[count:]
        return found

    def end(self) -> None:
        """End the process and take its remains away."""
        self._child.kill()
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError):
                pipe.close()
        self._child.wait()


_idle: list[Process] = []
_lock = threading.Lock()


def borrow() -> Process:
    """Take an idle process of this one's own, or start one."""
    with _lock:
        while _idle:
            process = _idle.pop()
            if process.owner == os.getpid():  # after a fork they are the parent's
                return process
    return Process()


def give_back(process: Process) -> None:
    """Keep a process that closed its document for the next one."""
    with _lock:
        if len(_idle) < MOST_IDLE:
            _idle.append(process)
            return
    process.end()


@atexit.register
def _end_all() -> None:
    while _idle:
        process = _idle.pop()
        if process.owner == os.getpid():
            process.end()

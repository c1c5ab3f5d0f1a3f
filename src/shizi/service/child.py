"""Child: one process that reads, as the service sees it: started, asked one question at a time, ended.

Takes a function that loads a reader (it must pickle). The program it runs is `engine`; how many there are, and what
takes a dead one's place, is decided by `engines`.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Protocol

from shizi.corrections import Given, Strip
from shizi.document import Document
from shizi.errors import WorkerLost
from shizi.options import Mode, ReadOptions
from shizi.service.engine import Answer, Question

# Imported rather than run as `-m`: its classes must have the same names here and there.
_PROGRAM = "from shizi.service.engine import main; main()"


class Reads(Protocol):
    """What an engine loads: a reader that can also count the pages of a file."""

    weights: tuple[str, ...]

    def read(self, data: bytes, options: ReadOptions) -> Document:
        """Read `data`; `options.pages` tells which of its pages."""
        ...

    def count(self, data: bytes, options: ReadOptions) -> int:
        """Tell how many pages `data` has."""
        ...

    def first_model(self, mode: Mode) -> str | None:
        """Name what reads every line in a mode in which another model may read it again; None in other modes."""
        ...

    def corrected(self, data: bytes, given: Given) -> Strip:
        """Cut out the line of `data` that was put right."""
        ...


Load = Callable[[], Reads]


class Child:
    """One process and the connection to it."""

    def __init__(self, load: Load) -> None:
        here, there = socket.socketpair()
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(there.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=2,
                pass_fds=[there.fileno()],
            )
        self._connection = Connection(here.detach())
        self.load = load
        self.retired = False
        self.memory = 0
        self.since = time.monotonic()
        try:
            self._connection.send(sys.path)
            self._connection.send(load)
        except OSError:
            pass  # it died at once; `ready` will tell

    def ready(self) -> Answer:
        """Wait until it has loaded; raises what kept it from that."""
        try:
            answer: Answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerLost("A reading process died while it loaded its models.") from error
        if answer.error is not None:
            raise answer.error
        self.memory = answer.memory
        return answer

    def ask(self, question: Question) -> None:
        """Hand it a question; `since` tells from when on it works. Raises OSError when it has died."""
        self.since = time.monotonic()
        self._connection.send(question)

    def answer(self, seconds: float) -> Answer | None:
        """Wait for the answer; None after `seconds`. Raises OSError or EOFError when the process has died."""
        if not self._connection.poll(max(0.0, seconds)):
            return None
        answer: Answer = self._connection.recv()
        self.memory = answer.memory
        return answer

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def end(self, kill: bool = False) -> None:
        """End it: at once, or (idle as it is) by closing its connection."""
        if kill:
            self._process.kill()
        self._connection.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

"""Local: processes on this machine that read, one reader and one input at a time each.

Takes the work and a stream of items, gives a stream of rows in the order they are done. No more items are taken than
are about to be read, so memory does not grow with their number. A process that dies is replaced; what it read is tried
again a few times and then is a row with an error, and so is what it read for too long. Knows nothing of results.
"""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait

from shizi.batch import inputs
from shizi.batch.items import Item
from shizi.batch.rows import Row, Work, read_item
from shizi.errors import DeadlinePassed, ShiziError, WorkerLost
from shizi.machine import own_memory

# One being read and one that waits beside it, so that no process waits for the driver's disk; of inputs read in less
# than `_QUICK` milliseconds so many, and the driver looks once in so long: waking for each cost a twentieth.
DEPTH, DEEP = 2, 8
_QUICK, _REST_SECONDS = 25.0, 0.02
# Inputs whose bytes a worker holds: the one being read and the next.
_FETCHED = 2
TRIES = 3
# Processes that die while they load: so many in a row, and the fault is not an input's.
_VAIN_STARTS = 3
# A worker that holds more after a reading is replaced: a huge page must not be paid for until the end.
MOST_WORKER_BYTES = 1_500_000_000
_LONGEST_START_SECONDS = 300.0
_LOOK_SECONDS = 0.5
# A worker says that it is still at work once in so long: of small pages each, it would keep the driver busy.
_BEAT_SECONDS = 1.0
_PROGRAM = "from shizi.batch.local import main; main()"
# A limit that a fresh process already fills would replace processes for ever.
_ROOM_TO_GROW = 1.5


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker says that its models are loaded, or why not; `memory` in bytes."""

    memory: int
    error: ShiziError | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A worker's answer: the row, and the bytes of memory it holds."""

    row: Row
    memory: int


@dataclass(frozen=True, slots=True)
class _Task:
    """An item, and how often it brought a process down."""

    item: Item
    deaths: int = 0


def _next(coming: Iterator[Item]) -> _Task | None:
    item = next(coming, None)
    return None if item is None else _Task(item)


class _Worker:
    """One process, the connection to it, and what was given to it: the first is being read."""

    def __init__(self, work: Work) -> None:
        here, there = socket.socketpair()
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(there.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=2,
                pass_fds=[there.fileno()],
            )
        self.connection = Connection(here.detach())
        self.tasks: deque[_Task] = deque()
        self.depth = DEPTH
        self.ready = False
        self.since = time.monotonic()
        with contextlib.suppress(OSError):  # it died at once; the connection will tell
            self.connection.send(sys.path)
            self.connection.send(work)

    @property
    def pid(self) -> int:
        return self._process.pid

    def give(self, task: _Task) -> None:
        if not self.tasks:
            self.since = time.monotonic()
        self.tasks.append(task)
        with contextlib.suppress(OSError):  # as above
            self.connection.send(task.item)

    def end(self) -> None:
        self._process.kill()
        self.connection.close()
        self._process.wait()


class Pool:
    """A number of processes that read. For one thread."""

    def __init__(self, work: Work, workers: int, seconds: float = 300.0, max_memory: int = 0) -> None:
        """Start `workers` processes.

        One that reads a page for longer than `seconds`, or holds more than `max_memory` bytes after a reading (0: any),
        is replaced.
        """
        self._work = work
        self._seconds = seconds
        self._max_memory = max_memory
        self._vain_starts = 0
        self._again: deque[_Task] = deque()
        self._workers = [_Worker(work) for _ in range(workers)]

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the workers."""
        return tuple(worker.pid for worker in self._workers)

    def read(self, items: Iterable[Item]) -> Generator[Row | None]:
        """Read every item and give its row when it is done; None every now and then, so that the caller can look up.

        Raises WeightsError or WorkerLost when no process can load its models.
        """
        coming = iter(items)
        while True:
            self._hand_out(coming)
            if not any(worker.tasks for worker in self._workers):
                return
            yield from self._collect()
            yield None
            if all(len(worker.tasks) > DEPTH for worker in self._workers):
                time.sleep(_REST_SECONDS)

    def close(self) -> None:
        """End all processes, whatever they do."""
        for worker in self._workers:
            worker.end()
        self._workers = []

    def _hand_out(self, coming: Iterator[Item]) -> None:
        """Give every worker what it can take, the idle first, as far as there is anything."""
        for depth in range(1, max(worker.depth for worker in self._workers) + 1):
            for worker in self._workers:
                if len(worker.tasks) < min(depth, worker.depth):
                    task = self._again.popleft() if self._again else _next(coming)
                    if task is None:
                        return
                    worker.give(task)

    def _collect(self) -> Iterator[Row]:
        """Wait for the workers and take all that they have said."""
        talking = {worker.connection: worker for worker in self._workers}
        told = [talking[connection] for connection in wait(list(talking), _LOOK_SECONDS)]  # type: ignore[index]
        while told:
            worker = told.pop()
            try:
                said = worker.connection.recv()
            except (EOFError, OSError):
                yield from self._lost(worker)
                continue
            worker.since = time.monotonic()
            if isinstance(said, Ready):
                self._loaded(worker, said)
            elif isinstance(said, Done):
                yield self._taken(worker, said)
            if worker in self._workers and worker.connection.poll():
                told.append(worker)
        yield from self._overdue()

    def _taken(self, worker: _Worker, said: Done) -> Row:
        """Take what a worker was given off it and give its row; one that has grown is replaced."""
        task = worker.tasks.popleft()
        worker.depth = DEEP if said.row.milliseconds < _QUICK and task.item.content is None else DEPTH
        if 0 < self._max_memory < said.memory:
            self._replace(worker)
        return replace(said.row, attempts=task.deaths + 1)

    def _loaded(self, worker: _Worker, said: Ready) -> None:
        if said.error is not None:
            raise said.error
        worker.ready = True
        self._vain_starts = 0
        if self._max_memory:
            self._max_memory = max(self._max_memory, int(_ROOM_TO_GROW * said.memory))

    def _lost(self, worker: _Worker) -> Iterator[Row]:
        """Replace a worker that died, and try what it read again, or give it up."""
        if not worker.ready:
            self._vain_starts += 1
            if self._vain_starts >= _VAIN_STARTS:
                raise WorkerLost("Reading processes die while they load their models; `shizi doctor` may tell why.")
        elif worker.tasks:
            task = worker.tasks.popleft()
            if task.deaths + 1 < TRIES:
                self._again.append(replace(task, deaths=task.deaths + 1))
            else:
                message = f"The process that read this input died, {TRIES} times. Please report the picture."
                yield Row.failed(task.item, WorkerLost(message), TRIES)
        self._replace(worker)

    def _overdue(self) -> Iterator[Row]:
        for worker in list(self._workers):
            silent = time.monotonic() - worker.since
            if not worker.ready and silent > _LONGEST_START_SECONDS:
                yield from self._lost(worker)
            elif worker.ready and worker.tasks and silent > self._seconds:
                task = worker.tasks.popleft()
                message = f"A page was read for more than {self._seconds:g} seconds and given up."
                yield Row.failed(task.item, DeadlinePassed(message), task.deaths + 1, 1000 * silent)
                self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        """Start another process in this one's place; what waited for it is given to whoever is free."""
        worker.end()
        self._again.extendleft(reversed(worker.tasks))
        self._workers[self._workers.index(worker)] = _Worker(self._work)


def main() -> None:
    """Be a worker: load the reader, read what comes on the connection whose number is the argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the driver ends its workers
    connection = Connection(int(sys.argv[1]))
    waiting: queue.SimpleQueue[tuple[Item, Future[bytes]]] = queue.SimpleQueue()
    room = threading.Semaphore(_FETCHED)
    try:
        sys.path[:] = connection.recv()
        work: Work = connection.recv()
        try:
            reader = work.load()
        except ShiziError as error:
            connection.send(Ready(own_memory(), error))
            return
        connection.send(Ready(own_memory()))
        threading.Thread(target=_listen, args=(connection, waiting, room), daemon=True).start()
        beat = _Beat(connection)
        while True:
            item, fetched = waiting.get()
            row = read_item(reader, work, item, fetched.result, beat)
            del fetched  # its bytes must not stay until the next input is there
            room.release()
            connection.send(Done(row, own_memory()))
    except (EOFError, OSError):
        return  # the driver is gone


class _Beat:
    """Tells the driver now and then, when a page begins or is done, that this worker is at work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._last > _BEAT_SECONDS:
            self._connection.send(None)
            self._last = time.monotonic()


def _listen(
    connection: Connection, waiting: "queue.SimpleQueue[tuple[Item, Future[bytes]]]", room: threading.Semaphore
) -> None:
    """Take what comes, so that the driver never waits; end with the driver, also in the middle of a reading.

    The next input is fetched while one is read: a store's answer takes as long as a tenth of a page.
    """
    fetching = ThreadPoolExecutor(1)

    def fetch(item: Item) -> bytes:
        room.acquire()
        return inputs.load(item)

    try:
        while True:
            item: Item = connection.recv()
            waiting.put((item, fetching.submit(fetch, item)))
    except (EOFError, OSError):
        os._exit(0)

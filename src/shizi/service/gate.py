"""The gate: a bounded amount of work waiting, turns in a fair order, and a clear no beyond that.

Takes whoever asks, with the work they bring (in pixels), their rank and their deadline. A request is admitted once and
then takes one turn a picture, so that a request of twenty pictures does not keep all others out. Knows nothing of
HTTP, nor of what is done inside.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

from shizi.errors import Busy, InputError, Stopping

# The weight of the newest reading in the running mean that Retry-After is reckoned from: about the last ten
# count.
_NEWEST = 0.2
_LONGEST_RETRY_SECONDS = 60
# Higher ranks go first, but after this many turns passed over, the next one is given to those behind: nobody starves.
_PASSED_OVER = 7
# Bulk requests may fill this share of the queue; the rest is kept for people who wait in front of a screen.
_BULK_SHARE = 0.5
# How often one who waits looks whether its client is still there.
_LOOK_SECONDS = 0.25


class Rank(IntEnum):
    """Who goes first: a caller who waits, one who said it can wait, a page of a job."""

    INTERACTIVE = 0
    BULK = 1
    JOB = 2


class Gate:
    """Let `places` callers in at once; `queue` more requests and `queue_work` pixels may wait.

    Each waits at most `wait_seconds` for its first turn.
    """

    def __init__(self, places: int, queue: int, wait_seconds: float, queue_work: float = math.inf) -> None:
        self._places = places
        self._queue = queue
        self._queue_work = queue_work
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._waiting: tuple[deque[threading.Event], ...] = tuple(deque() for _ in Rank)
        self._passed_over = [0 for _ in Rank]
        self._inside = 0
        self._admitted = 0
        self._work = 0.0  # admitted and not yet done
        self._rate: float | None = None  # work a second in one place
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return sum(map(len, self._waiting))

    @property
    def work(self) -> float:
        """The pixels admitted and not yet read."""
        return self._work

    def close(self) -> None:
        """Let no new request in; those already here are finished. Safe to call from a signal handler."""
        self._closed = True  # no lock: the signal may have come while this very thread holds it

    @property
    def closed(self) -> bool:
        """Whether the service is stopping."""
        return self._closed

    def check_open(self) -> None:
        """Raise Stopping once the gate is closed."""
        if self._closed:
            raise Stopping("The service is stopping; send the request again, to another worker or a moment later.")

    @contextmanager
    def admitted(self, work: float, rank: Rank = Rank.INTERACTIVE, deadline: float = math.inf) -> Iterator[None]:
        """Count a request and its work in. Raises Busy when the queue is full or the deadline out of reach."""
        with self._lock:
            self._check_room(work, rank, deadline)
            self._admitted += 1
            self._work += work
        try:
            yield
        finally:
            with self._lock:
                self._admitted -= 1
                self._work = max(0.0, self._work - work) if self._admitted else 0.0

    @contextmanager
    def turn(
        self,
        work: float,
        rank: Rank = Rank.INTERACTIVE,
        deadline: float = math.inf,
        gone: Callable[[], bool] = lambda: False,
    ) -> Iterator[None]:
        """Hold one place, once it is free, to do `work`.

        Raises Busy when no turn comes in time, InputError when `gone` says that nobody waits for the result.
        """
        longest = math.inf if rank == Rank.JOB else self._wait_seconds  # a job has the time that others need
        self._enter(rank, min(deadline, time.monotonic() + longest), gone)
        started = time.monotonic()
        try:
            yield
            if work:
                self._measure(work, time.monotonic() - started)
        finally:
            self._leave()

    def _check_room(self, work: float, rank: Rank, deadline: float) -> None:
        share = 1.0 if rank == Rank.INTERACTIVE else _BULK_SHARE
        ahead = self._admitted - self._places
        if ahead >= 0 and ahead >= math.ceil(self._queue * share):
            raise self._busy(f"{self._inside} readings are running and {ahead} requests are waiting")
        if self._work and self._work + work > self._queue_work * share:
            raise self._busy(f"{self._work / 1e6:.1f} megapixels are waiting, and this request brings {work / 1e6:.1f}")
        seconds = self._seconds(self._work)
        if seconds is not None and time.monotonic() + seconds > deadline:
            raise self._busy(f"its deadline is nearer than the {seconds:.1f} seconds before its turn")

    def _seconds(self, work: float) -> float | None:
        """How long `work` takes all places together; None before anything was measured."""
        return work / self._rate / self._places if self._rate else None

    def _enter(self, rank: Rank, until: float, gone: Callable[[], bool]) -> None:
        with self._lock:
            if self._inside < self._places:
                self._inside += 1
                return
            turn = threading.Event()
            self._waiting[rank].append(turn)
        began = time.monotonic()
        while not turn.wait(max(0.0, min(_LOOK_SECONDS, until - time.monotonic()))):
            left = gone()
            if not left and time.monotonic() < until:
                continue
            with self._lock:
                if turn.is_set():  # the turn may have come between the end of the wait and the lock
                    break
                self._waiting[rank].remove(turn)
                if left:
                    raise InputError("The client closed the connection before its turn came; nothing was read.")
                raise self._busy(f"no turn came within {time.monotonic() - began:.2g} seconds")

    def _leave(self) -> None:
        with self._lock:
            turn = self._next()
            if turn is None:
                self._inside -= 1
            else:
                turn.set()  # the place is handed on, so no newcomer can slip in between

    def _next(self) -> threading.Event | None:
        ranks = [rank for rank in Rank if self._waiting[rank]]
        if not ranks:
            return None
        overdue = [rank for rank in ranks if self._passed_over[rank] >= _PASSED_OVER]
        chosen = max(overdue, key=lambda rank: self._passed_over[rank]) if overdue else ranks[0]
        for rank in ranks:
            self._passed_over[rank] = 0 if rank == chosen else self._passed_over[rank] + 1
        return self._waiting[chosen].popleft()

    def _measure(self, work: float, seconds: float) -> None:
        with self._lock:
            rate = work / max(seconds, 1e-3)
            self._rate = rate if self._rate is None else self._rate + _NEWEST * (rate - self._rate)

    def _busy(self, found: str) -> Busy:
        seconds = self._seconds(self._work) or 1.0
        retry = min(_LONGEST_RETRY_SECONDS, max(1, math.ceil(seconds)))
        return Busy(f"The service is busy: {found}. Send the request again in {retry} s.", retry)

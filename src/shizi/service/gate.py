"""The gate: a bounded number of readings at once, a bounded number waiting, and a clear no beyond that.

Takes whoever calls `place()`, in the order they come. Knows nothing of HTTP, nor of what is done inside.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from shizi.errors import Busy, Stopping

# The weight of the newest reading in the running mean that Retry-After is reckoned from: about the last ten
# count.
_NEWEST = 0.2
_LONGEST_RETRY_SECONDS = 60


class Gate:
    """Let `places` callers in at once and `queue` more wait, each at most `wait_seconds`."""

    def __init__(self, places: int, queue: int, wait_seconds: float) -> None:
        self._places = places
        self._queue = queue
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._inside = 0
        self._mean_seconds = 1.0
        self._closed = False

    def close(self) -> None:
        """Let no new request in; those already here are finished. Safe to call from a signal handler."""
        self._closed = True  # no lock: the signal may have come while this very thread holds it

    def check_open(self) -> None:
        """Raise Stopping once the gate is closed."""
        if self._closed:
            raise Stopping("The service is stopping; send the request again, to another worker or a moment later.")

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place, once it is free. Raises Busy when the queue is full or the wait too long."""
        self._enter()
        started = time.monotonic()
        try:
            yield
        finally:
            self._leave(time.monotonic() - started)

    def _enter(self) -> None:
        with self._lock:
            if self._inside < self._places:
                self._inside += 1
                return
            if len(self._waiting) >= self._queue:
                raise self._busy(f"{self._inside} readings are running and {len(self._waiting)} are waiting")
            turn = threading.Event()
            self._waiting.append(turn)
        if not turn.wait(self._wait_seconds):
            with self._lock:
                if not turn.is_set():  # the turn may have come between the end of the wait and the lock
                    self._waiting.remove(turn)
                    raise self._busy(f"no turn came within {self._wait_seconds:g} seconds")

    def _leave(self, seconds: float) -> None:
        with self._lock:
            self._mean_seconds += _NEWEST * (seconds - self._mean_seconds)
            if self._waiting:
                self._waiting.popleft().set()  # the place is handed on, so no newcomer can slip in between
            else:
                self._inside -= 1

    def _busy(self, found: str) -> Busy:
        ahead = (len(self._waiting) + 1) / self._places
        retry = min(_LONGEST_RETRY_SECONDS, max(1, math.ceil(ahead * self._mean_seconds)))
        return Busy(f"The service is busy: {found}. Send the request again in {retry} s.", retry)

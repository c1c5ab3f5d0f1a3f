"""Waiting for a job: how often to ask, when to tell of progress, when it is over. Sends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from shizi_client.errors import JobFailed, TimedOut
from shizi_client.models import Job

_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 5.0
_GROWTH = 1.5


class Watch:
    """Sees the states of one job; asks seldomer while nothing moves."""

    def __init__(self, id: str, timeout: float | None, on_progress: Callable[[Job], None] | None) -> None:
        self._id, self._timeout, self._on_progress = id, timeout, on_progress
        self._started = time.monotonic()
        self._pause = _FIRST_SECONDS
        self._seen: tuple[object, ...] = ()
        self._job: Job | None = None

    def see(self, job: Job) -> float | None:
        """Take a state; give the seconds until the next is wanted, None if the job is over.

        Raises TimedOut when there is no time left.
        """
        self._job = job
        now = (job.state, job.pages, job.pages_read, job.pages_failed)
        if now != self._seen:
            self._seen, self._pause = now, _FIRST_SECONDS
            if self._on_progress is not None:
                self._on_progress(job)
        if job.state not in ("queued", "running"):
            return None
        pause, self._pause = self._pause, min(_LONGEST_SECONDS, self._pause * _GROWTH)
        if self._timeout is None:
            return pause
        left = self._started + self._timeout - time.monotonic()
        if left <= 0:
            raise TimedOut(f"The job {self._id} is still {job.state} after {self._timeout:g} s; it goes on.")
        return min(pause, left)

    def over(self) -> Job:
        """Give the job that is over. Raises JobFailed if it has no result."""
        assert self._job is not None, "see() comes first"
        if self._job.state != "done":
            raise JobFailed(self._job)
        return self._job

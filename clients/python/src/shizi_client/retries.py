"""When to ask again: what is worth it, and after how long. Sends nothing and sleeps for nobody."""

from __future__ import annotations

import random
from dataclasses import dataclass

from shizi_client.errors import ConnectionFailed, Refused, ShiziError, WorkerLost

_FIRST_SECONDS = 0.5
_LONGEST_GUESS_SECONDS = 8.0
_SPREAD = 0.1  # of the wait is added by chance, so that many callers do not come back at once


@dataclass(frozen=True, slots=True)
class Retries:
    """Ask again at most `times` when the service is busy (429, 503) or no connection held.

    What the service says in Retry-After is honoured; a wait over `longest_seconds` is not begun, and its error raised
    at once: a spent daily quota would hold the caller till midnight.
    """

    times: int = 3
    longest_seconds: float = 60.0

    def wait_after(self, error: ShiziError, tried: int, repeatable: bool = True) -> float | None:
        """Give the seconds to wait after the `tried`-th failure (from 1) was `error`; None to give up.

        What is not `repeatable` is sent again after refusals alone: with a lost answer nobody knows if it was done.
        """
        # A picture that brought a process down is sent once more, not again and again.
        if tried > min(self.times, 1 if isinstance(error, WorkerLost) else self.times):
            return None
        asked = None
        if isinstance(error, Refused):
            if error.status not in (429, 503):
                return None
            asked = error.retry_after
        elif not (isinstance(error, ConnectionFailed) and repeatable):
            return None
        seconds = asked if asked is not None else min(_LONGEST_GUESS_SECONDS, _FIRST_SECONDS * 2 ** (tried - 1))
        return None if seconds > self.longest_seconds else seconds * (1 + _SPREAD * random.random())


DEFAULT = Retries()

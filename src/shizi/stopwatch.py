"""Stopwatch: how long each stage of one reading took. One for each reading; knows nothing of what the stages do."""

import time
from collections.abc import Mapping


class Stopwatch:
    """Adds the time since the last lap to a stage; a lap costs less than a microsecond."""

    def __init__(self) -> None:
        self._stages: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Count the time since the last lap as spent on `stage`."""
        now = time.perf_counter()
        self._stages[stage] = self._stages.get(stage, 0.0) + (now - self._last) * 1000
        self._last = now

    @property
    def milliseconds(self) -> Mapping[str, float]:
        """What each stage took so far, in the order of their first laps."""
        return {stage: round(spent, 3) for stage, spent in self._stages.items()}

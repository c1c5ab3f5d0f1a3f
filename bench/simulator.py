"""Simulator: what a batch gives on many workers, from what one page costs: a queue, a storage, failures.

Takes a `Plan` (seconds a page as measured, what driver and storage cost, how often things die), gives a `Result`.
Events in the order of time, drawn from one seed. Modelled as it is built: a worker holds two chunks, one being read and
one waiting; a chunk's bytes come from a storage with a latency, a bandwidth and a number of requests a second that all
workers share, the next page's while one is read; its rows pass one driver, one after the other; a worker that dies
loses its chunk, which is read again, and comes back with its models loaded; a node takes all its workers with it.
"""

import heapq
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """All that a simulated run depends on. Times in seconds, sizes in bytes.

    page_seconds          what reading took, page by page, on one thread of one worker; drawn from at random
    chunk_seconds         how much work a worker is given at once
    driver_page_seconds   what the driver spends on each row, driver_chunk_seconds on each chunk
    storage_*             of the store that all workers read from: wait for the first byte, bandwidth, requests a second
    worker_death_seconds  mean time between deaths of one worker (0: never), start_seconds to be back
    node_workers          workers of one node, node_death_seconds between deaths of one (0: never), node_start_seconds
    """

    workers: int
    pages: int
    page_seconds: Sequence[float]
    page_bytes: float = 500_000.0
    chunk_seconds: float = 1.0
    driver_page_seconds: float = 0.0001
    driver_chunk_seconds: float = 0.0
    storage_latency: float = 0.03
    storage_bandwidth: float = 1.25e9
    storage_requests: float = 5_000.0
    worker_death_seconds: float = 0.0
    start_seconds: float = 4.0
    node_workers: int = 32
    node_death_seconds: float = 0.0
    node_start_seconds: float = 180.0
    seed: int = 1


@dataclass(frozen=True)
class Result:
    """What came of it. `pages_per_second` from first to last; `efficiency`: of the rate of workers that never wait.

    `driver_busy`, `storage_busy`: shares of the time; `read_again`: chunks lost with their workers, of all chunks.
    """

    workers: int
    seconds: float
    pages_per_second: float
    efficiency: float
    driver_busy: float
    storage_busy: float
    read_again: float


class _Run:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)
        mean = sum(plan.page_seconds) / len(plan.page_seconds)
        self.chunk = max(1, round(plan.chunk_seconds / mean))
        self.left, self.again, self.done = plan.pages, deque[int](), 0
        self.driver_free = self.storage_free = self.driver_spent = self.storage_spent = self.end = 0.0
        self.handled: list[deque[float]] = [deque([0.0, 0.0], maxlen=2) for _ in range(plan.workers)]
        self.life = [0] * plan.workers  # a worker's life so far: what belongs to an earlier one is void
        self.holds = [0] * plan.workers
        self.idle: list[int] = []
        self.events: list[tuple[float, int, str, int, int]] = []
        self.lost = self.chunks = 0

    def at(self, moment: float, kind: str, who: int, life: int = 0) -> None:
        heapq.heappush(self.events, (moment, self.random.getrandbits(32), kind, who, life))

    def go(self) -> Result:
        plan = self.plan
        for worker in range(plan.workers):
            self.at(plan.start_seconds * self.random.random(), "start", worker)
            if plan.worker_death_seconds:
                self.at(self.random.expovariate(1 / plan.worker_death_seconds), "death", worker)
        if plan.node_death_seconds:
            for node in range(-(-plan.workers // plan.node_workers)):
                self.at(self.random.expovariate(1 / plan.node_death_seconds), "node", node)
        while self.done < plan.pages:
            now, _, kind, who, life = heapq.heappop(self.events)
            getattr(self, f"on_{kind}")(now, who, life)
        mean = sum(plan.page_seconds) / len(plan.page_seconds)
        rate = plan.pages / self.end
        return Result(
            plan.workers,
            round(self.end, 1),
            round(rate, 2),
            round(rate * mean / plan.workers, 3),
            round(self.driver_spent / self.end, 3),
            round(self.storage_spent / self.end, 3),
            round(self.lost / max(1, self.chunks), 5),
        )

    def on_start(self, now: float, worker: int, life: int) -> None:
        """Take a chunk, when the driver has handled the one before the last; fetch it and read it."""
        if life != self.life[worker]:
            return
        if self.handled[worker][0] > now:
            self.at(self.handled[worker][0], "start", worker, life)
            return
        if self.again:
            size = self.again.popleft()
        elif self.left:
            size = min(self.chunk, self.left)
            self.left -= size
        else:
            self.idle.append(worker)
            return
        self.holds[worker], self.chunks = size, self.chunks + 1
        spent = size * max(self.plan.page_bytes / self.plan.storage_bandwidth, 1 / self.plan.storage_requests)
        self.storage_free = max(self.storage_free, now) + spent
        self.storage_spent += spent
        first, last = (
            self.storage_free + self.plan.storage_latency,
            self.storage_free + size * self.plan.storage_latency,
        )
        reading = sum(self.random.choice(self.plan.page_seconds) for _ in range(size))
        self.at(max(first + reading, last), "read", worker, life)  # the next page is fetched while one is read

    def on_read(self, now: float, worker: int, life: int) -> None:
        """Hand the rows to the driver and go on with the chunk that waits."""
        if life != self.life[worker]:
            return
        size, self.holds[worker] = self.holds[worker], 0
        spent = self.plan.driver_chunk_seconds + size * self.plan.driver_page_seconds
        self.driver_free = max(self.driver_free, now) + spent
        self.driver_spent += spent
        self.handled[worker].append(self.driver_free)
        self.done += size
        self.end = max(self.end, self.driver_free)
        self.at(now, "start", worker, life)

    def on_death(self, now: float, worker: int, life: int) -> None:
        self._kill(now, worker, self.plan.start_seconds)
        self.at(now + self.random.expovariate(1 / self.plan.worker_death_seconds), "death", worker)

    def on_node(self, now: float, node: int, life: int) -> None:
        first = node * self.plan.node_workers
        for worker in range(first, min(first + self.plan.node_workers, self.plan.workers)):
            self._kill(now, worker, self.plan.node_start_seconds + self.plan.start_seconds)
        self.at(now + self.random.expovariate(1 / self.plan.node_death_seconds), "node", node)

    def _kill(self, now: float, worker: int, back_after: float) -> None:
        if self.holds[worker]:
            self.again.append(self.holds[worker])
            self.holds[worker], self.lost = 0, self.lost + 1
        self.life[worker] += 1
        if worker in self.idle:
            self.idle.remove(worker)
        self.at(now + back_after, "start", worker, self.life[worker])
        while self.again and self.idle:  # at the end of a run: somebody else takes it
            other = self.idle.pop()
            self.at(now, "start", other, self.life[other])


def simulate(plan: Plan) -> Result:
    """Run a plan to its end."""
    return _Run(plan).go()

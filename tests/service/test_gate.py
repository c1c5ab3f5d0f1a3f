"""The gate: order, bounds, the rate behind Retry-After. Threads are held by events, never by sleeping."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from shizi.errors import Busy, Stopping
from shizi.service.gate import Gate


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def until_waiting(gate: Gate, count: int) -> None:
    """Spin until `count` callers wait, which only other threads can bring about."""
    while len(gate._waiting) < count:
        threading.Event().wait(0.001)


class Visit:
    """A caller that stays inside until let go, and notes the order of entering."""

    def __init__(self, gate: Gate, order: list[int], number: int) -> None:
        self._gate, self._order, self._number = gate, order, number
        self.inside = threading.Event()
        self.leave = threading.Event()

    def __call__(self) -> None:
        with self._gate.place():
            self._order.append(self._number)
            self.inside.set()
            self.leave.wait()


def test_first_come_first_served(pool: ThreadPoolExecutor) -> None:
    gate, order = Gate(places=1, queue=3, wait_seconds=60), []
    visits = [Visit(gate, order, number) for number in range(4)]
    futures: list[Future[None]] = []
    for number, visit in enumerate(visits):
        futures.append(pool.submit(visit))
        if number == 0:
            visit.inside.wait()
        else:
            until_waiting(gate, number)
    assert order == [0]
    for visit in visits:
        visit.inside.wait()
        visit.leave.set()
    for future in futures:
        future.result()
    assert order == [0, 1, 2, 3]


def test_a_full_queue_is_busy(pool: ThreadPoolExecutor) -> None:
    gate, order = Gate(places=1, queue=1, wait_seconds=60), []
    inside, waiting = Visit(gate, order, 0), Visit(gate, order, 1)
    futures = [pool.submit(inside)]
    inside.inside.wait()
    futures.append(pool.submit(waiting))
    until_waiting(gate, 1)
    with pytest.raises(Busy, match="1 readings are running and 1 are waiting") as refused, gate.place():
        pass
    assert refused.value.retry_seconds == 2
    inside.leave.set()
    waiting.leave.set()
    for future in futures:
        future.result()
    with gate.place():
        pass


def test_a_wait_too_long_is_busy_and_frees_the_queue(pool: ThreadPoolExecutor) -> None:
    gate = Gate(places=1, queue=1, wait_seconds=0.01)
    visit = Visit(gate, [], 0)
    future = pool.submit(visit)
    visit.inside.wait()
    for _ in range(2):
        with pytest.raises(Busy, match=r"within 0\.01 seconds"), gate.place():
            pass
    visit.leave.set()
    future.result()
    with gate.place():
        pass


def test_a_failing_reading_gives_its_place_back() -> None:
    gate = Gate(places=1, queue=0, wait_seconds=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate.place():
            raise ZeroDivisionError


def test_a_closed_gate_finishes_what_is_inside(pool: ThreadPoolExecutor) -> None:
    gate, order = Gate(places=1, queue=1, wait_seconds=60), []
    inside, waiting = Visit(gate, order, 0), Visit(gate, order, 1)
    futures = [pool.submit(inside)]
    inside.inside.wait()
    futures.append(pool.submit(waiting))
    until_waiting(gate, 1)
    gate.close()
    with pytest.raises(Stopping):
        gate.check_open()
    inside.leave.set()
    waiting.leave.set()
    for future in futures:
        future.result()
    assert order == [0, 1]

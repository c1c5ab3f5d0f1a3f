"""The gate: order, bounds, the rate behind Retry-After. Threads are held by events, never by sleeping."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from shizi.errors import Busy, InputError, Stopping
from shizi.service.gate import Gate, Rank

PAGE = 1_000_000.0


class Crowd:
    """Callers of one gate, each held inside until let go, and the order in which they got in."""

    def __init__(self, gate: Gate, pool: ThreadPoolExecutor) -> None:
        self.gate = gate
        self.order: list[str] = []
        self._pool = pool
        self._leave: dict[str, threading.Event] = {}
        self._inside: dict[str, threading.Event] = {}
        self._futures: list[Future[None]] = []

    def come(self, name: str, rank: Rank = Rank.INTERACTIVE) -> None:
        """Let a caller come and stand inside or in the queue."""
        waiting = self.gate.waiting
        free = not self._inside or all(event.is_set() for event in self._leave.values())
        self._inside[name], self._leave[name] = threading.Event(), threading.Event()
        self._futures.append(self._pool.submit(self._visit, name, rank))
        if free:
            assert self._inside[name].wait(10)
        else:
            until(lambda: self.gate.waiting > waiting)

    def _visit(self, name: str, rank: Rank) -> None:
        with self.gate.admitted(PAGE, rank), self.gate.turn(PAGE, rank):
            self.order.append(name)
            self._inside[name].set()
            assert self._leave[name].wait(10)

    def leave(self) -> None:
        """Let all leave, one after the other, in the order in which they get in."""
        for event in self._leave.values():
            event.set()
        for future in self._futures:
            future.result(10)


def until(true: Callable[[], bool]) -> None:
    """Spin until other threads have brought something about."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(40) as threads:
        yield threads


def test_first_come_first_served(pool: ThreadPoolExecutor) -> None:
    crowd = Crowd(Gate(places=1, queue=3, wait_seconds=60), pool)
    for name in "abcd":
        crowd.come(name)
    assert crowd.order == ["a"]
    crowd.leave()
    assert crowd.order == list("abcd")


def test_who_waits_goes_before_bulk_and_jobs(pool: ThreadPoolExecutor) -> None:
    crowd = Crowd(Gate(places=1, queue=20, wait_seconds=60), pool)
    crowd.come("first")
    crowd.come("job", Rank.JOB)
    crowd.come("bulk", Rank.BULK)
    crowd.come("person")
    crowd.leave()
    assert crowd.order == ["first", "person", "bulk", "job"]


def test_nobody_starves(pool: ThreadPoolExecutor) -> None:
    crowd = Crowd(Gate(places=1, queue=60, wait_seconds=60), pool)
    crowd.come("first")
    crowd.come("job", Rank.JOB)
    crowd.come("bulk", Rank.BULK)
    for number in range(20):
        crowd.come(f"person {number}")
    crowd.leave()
    assert 7 <= crowd.order.index("job") <= 10
    assert 7 <= crowd.order.index("bulk") <= 10


def test_a_full_queue_is_busy(pool: ThreadPoolExecutor) -> None:
    gate = Gate(places=1, queue=1, wait_seconds=60)
    crowd = Crowd(gate, pool)
    crowd.come("inside")
    crowd.come("waiting")
    with pytest.raises(Busy, match="1 readings are running and 1 requests are waiting"), gate.admitted(PAGE):
        pass
    crowd.leave()
    with gate.admitted(PAGE), gate.turn(PAGE):
        pass


def test_the_queue_is_bounded_by_work() -> None:
    gate = Gate(places=1, queue=100, wait_seconds=60, queue_work=10 * PAGE)
    with gate.admitted(8 * PAGE):
        with gate.admitted(2 * PAGE):
            pass
        refused = pytest.raises(Busy, match=r"8\.0 megapixels are waiting, and this request brings 3\.0")
        with refused, gate.admitted(3 * PAGE):
            pass
    with gate.admitted(1000 * PAGE):
        assert gate.work == 1000 * PAGE, "an empty queue takes what alone is larger than it"


def test_bulk_leaves_room_for_people() -> None:
    gate = Gate(places=1, queue=100, wait_seconds=60, queue_work=10 * PAGE)
    with gate.admitted(4 * PAGE, Rank.BULK):
        with pytest.raises(Busy), gate.admitted(4 * PAGE, Rank.BULK):
            pass
        with gate.admitted(4 * PAGE):
            pass


def test_retry_after_comes_from_the_measured_rate() -> None:
    gate = Gate(places=2, queue=0, wait_seconds=60, queue_work=10 * PAGE)
    gate._measure(PAGE, seconds=1.0)
    with gate.admitted(9 * PAGE):
        with pytest.raises(Busy, match=r"in 5 s") as refused, gate.admitted(9 * PAGE):
            pass
        assert refused.value.retry_seconds == 5
        too_near = pytest.raises(Busy, match=r"deadline is nearer than the 4\.5 seconds")
        with too_near, gate.admitted(PAGE, deadline=time.monotonic() + 2):
            pass
    gate._measure(PAGE, seconds=1e6)
    with gate.admitted(9 * PAGE), pytest.raises(Busy, match="in 6 s"), gate.admitted(9 * PAGE):
        pass


def test_a_wait_too_long_is_busy_and_frees_the_queue(pool: ThreadPoolExecutor) -> None:
    gate = Gate(places=1, queue=1, wait_seconds=0.01)
    crowd = Crowd(gate, pool)
    crowd.come("inside")
    for _ in range(2):
        with pytest.raises(Busy, match=r"no turn came within"), gate.turn(PAGE):
            pass
    with pytest.raises(Busy, match=r"no turn came within"), gate.turn(PAGE, deadline=time.monotonic()):
        pass
    crowd.leave()
    with gate.turn(PAGE):
        pass


def test_a_client_that_left_is_not_read_for(pool: ThreadPoolExecutor) -> None:
    gate = Gate(places=1, queue=1, wait_seconds=60)
    crowd = Crowd(gate, pool)
    crowd.come("inside")
    with pytest.raises(InputError, match="closed the connection"), gate.turn(PAGE, gone=lambda: True):
        pass
    assert gate.waiting == 0
    crowd.leave()


def test_a_failing_reading_gives_its_place_back() -> None:
    gate = Gate(places=1, queue=0, wait_seconds=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate.admitted(PAGE), gate.turn(PAGE):
            raise ZeroDivisionError
    assert gate.work == 0


def test_a_closed_gate_finishes_what_is_inside(pool: ThreadPoolExecutor) -> None:
    gate = Gate(places=1, queue=1, wait_seconds=60)
    crowd = Crowd(gate, pool)
    crowd.come("inside")
    crowd.come("waiting")
    gate.close()
    with pytest.raises(Stopping):
        gate.check_open()
    crowd.leave()
    assert crowd.order == ["inside", "waiting"]

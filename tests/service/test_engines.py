"""Engines: real processes with the fake reader inside, killed, grown and hung on purpose."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from live import ToldReader, until

from shizi.errors import DamagedFile, DeadlinePassed, Stopping, WeightsError, WorkerLost
from shizi.options import ReadOptions
from shizi.service.engines import Engines

OPTIONS = ReadOptions()
pytestmark = pytest.mark.slow


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    pool = Engines(partial(ToldReader, tmp_path), count=1, longest_seconds=60)
    yield pool
    pool.close()


def test_read_count_and_errors(engines: Engines) -> None:
    assert engines.weights == ("fake@00000000",)
    assert engines.read(b"a picture", OPTIONS).text.startswith("识字 reads")
    assert engines.count(b"a picture", OPTIONS) == 1
    with pytest.raises(DamagedFile, match="ends early"):
        engines.read(b"damaged", OPTIONS)
    assert engines.memory > 1_000_000


def test_the_dead_are_replaced(engines: Engines) -> None:
    for _ in range(2):
        with pytest.raises(WorkerLost):
            engines.read(b"die", OPTIONS)
        assert engines.read(b"a picture", OPTIONS).pages


def die_of(data: bytes) -> None:
    os.abort()


def test_what_looks_at_pixels_costs_its_own_request_alone(engines: Engines) -> None:
    assert engines.look(b"a picture", len) == 9
    with pytest.raises(WorkerLost):
        engines.look(b"a picture", die_of)
    assert engines.look(b"a picture", len) == 9


def test_one_killed_while_idle_costs_nothing(engines: Engines) -> None:
    [pid] = engines.pids
    os.kill(pid, signal.SIGKILL)
    until(lambda: engines.pids not in ((), (pid,)))
    assert engines.read(b"a picture", OPTIONS).pages


def test_a_deadline_ends_the_wait_not_the_engine(engines: Engines, tmp_path: Path) -> None:
    pids = engines.pids
    with pytest.raises(DeadlinePassed):
        engines.read(b"hold", OPTIONS, time.monotonic() + 0.05)
    with pytest.raises(DeadlinePassed):
        engines.read(b"a picture", OPTIONS, time.monotonic() + 0.05)
    (tmp_path / "release").touch()
    assert engines.read(b"a picture", OPTIONS).pages
    assert engines.pids == pids


def test_one_that_reads_on_for_ever_is_killed(tmp_path: Path) -> None:
    engines = Engines(partial(ToldReader, tmp_path), count=1, longest_seconds=0.2)
    pids = engines.pids
    with pytest.raises(DeadlinePassed):
        engines.read(b"hold", OPTIONS)
    until(lambda: engines.pids not in ((), pids))
    engines.close()


def test_one_that_has_grown_is_replaced_without_a_pause(tmp_path: Path) -> None:
    engines = Engines(partial(ToldReader, tmp_path), count=1, longest_seconds=60, max_memory=1)
    pids = engines.pids
    assert engines.read(b"a picture", OPTIONS).pages
    until(lambda: engines.read(b"a picture", OPTIONS).pages != () and pids[0] not in engines.pids)
    until(lambda: gone(pids[0]))
    fresh = engines.pids
    for _ in range(3):  # the limit was raised above what a fresh one holds, so it stays
        engines.read(b"a picture", OPTIONS)
    assert engines.pids == fresh
    engines.close()


def test_a_crash_loop_slows_down(tmp_path: Path) -> None:
    engines = Engines(partial(ToldReader, tmp_path), count=1, longest_seconds=60)
    delays = []
    for _ in range(6):
        engines._deaths.append(time.monotonic())
        delays.append(engines._delay())
    assert delays == [0, 0, 0.5, 1, 2, 4]
    engines._deaths.extend([time.monotonic()] * 90)
    assert engines._delay() == 30
    engines.close()


def test_broken_models_keep_it_from_starting(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(WeightsError, match="gone"):
        Engines(partial(ToldReader, tmp_path), count=2, longest_seconds=60)


def test_closing_ends_all(tmp_path: Path) -> None:
    engines = Engines(partial(ToldReader, tmp_path), count=2, longest_seconds=60)
    pids = engines.pids
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(engines.read, b"hold", OPTIONS)
        until((tmp_path / "held").exists)
        engines.close()
        with pytest.raises((WorkerLost, Stopping)):
            held.result(10)
    until(lambda: all(map(gone, pids)))
    with pytest.raises(Stopping):
        engines.read(b"a picture", OPTIONS)

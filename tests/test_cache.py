"""The cache: keys, ages, bounds, one reading for identical callers, and stores that fail."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from fakes import FakeReader
from live import until
from redis_server import RedisServer

from shizi import cache as cache_room
from shizi.cache import Cache, InRedis, InSqlite, Store, key_of, reason
from shizi.document import Document
from shizi.errors import Busy, DamagedFile
from shizi.options import ReadOptions

Make = Callable[..., Store]
DOCUMENT = Document.from_dict(FakeReader().read(b"").to_dict())


def key(data: bytes = b"a picture") -> str:
    return key_of(data, ReadOptions(), ("crnn@1",), "1")


@pytest.fixture(params=["memory", "file", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def store(max_bytes: int = 1_000_000, ttl_seconds: float = 60) -> Store:
        if request.param == "redis":
            return InRedis(request.getfixturevalue("redis_server").url, ttl_seconds)
        return InSqlite(":memory:" if request.param == "memory" else str(tmp_path / "cache"), max_bytes, ttl_seconds)

    return store


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock to be set by hand, added to the real one."""
    offset = [0.0]
    real = time.time
    monkeypatch.setattr(cache_room.time, "time", lambda: real() + offset[0])
    return offset


def test_a_key_holds_all_that_a_reading_depends_on() -> None:
    options = ReadOptions()
    keys = {
        key_of(b"a", options, ("crnn@1",), "1"),
        key_of(b"b", options, ("crnn@1",), "1"),
        key_of(b"a", replace(options, mode="fast"), ("crnn@1",), "1"),
        key_of(b"a", replace(options, password="x"), ("crnn@1",), "1"),
        key_of(b"a", options, ("crnn@2",), "1"),
        key_of(b"a", options, ("crnn@1",), "2"),
        key_of(b"a", options, ("crnn@1",), "1", scope="desk"),
    }
    assert len(keys) == 7
    assert key_of(b"a", options, ("crnn@1",), "1") in keys


def test_kept_and_given_with_its_age(make: Make) -> None:
    cache = Cache(make())
    assert cache.get(key()) is None
    first = cache.read(key(), lambda: DOCUMENT)
    assert (first.document, first.age_seconds) == (DOCUMENT, None)
    again = cache.get(key())
    assert again is not None
    assert again.document == DOCUMENT
    assert again.age_seconds is not None
    assert 0 <= again.age_seconds < 60
    assert (cache.hits, cache.misses) == (1, 1)
    assert cache.get(key(b"another")) is None


def test_failures_are_not_kept(make: Make) -> None:
    cache = Cache(make())

    def fail() -> Document:
        raise DamagedFile("The file ends early.")

    for _ in range(2):
        with pytest.raises(DamagedFile):
            cache.read(key(), fail)
    assert cache.get(key()) is None
    assert cache.read(key(), lambda: DOCUMENT).age_seconds is None


def test_purge(make: Make) -> None:
    cache = Cache(make())
    for name in (b"a", b"b", b"c"):
        cache.read(key(name), lambda: DOCUMENT)
    assert cache.purge() == 3
    assert cache.get(key(b"a")) is None
    assert cache.purge() == 0


def test_old_ones_are_forgotten(clock: list[float]) -> None:
    cache = Cache(InSqlite(":memory:", 1_000_000, ttl_seconds=60))
    cache.read(key(), lambda: DOCUMENT)
    clock[0] = 30
    assert cache.get(key()) is not None
    clock[0] = 61
    assert cache.get(key()) is None


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_costs_hits_at_most(jump: float, clock: list[float]) -> None:
    cache = Cache(InSqlite(":memory:", 1_000_000, ttl_seconds=60))
    cache.read(key(), lambda: DOCUMENT)
    clock[0] = jump
    assert cache.get(key()) is None
    cache.read(key(), lambda: DOCUMENT)
    assert cache.get(key()) is not None


def test_old_ones_in_redis_are_forgotten(redis_server: RedisServer) -> None:
    cache = Cache(InRedis(redis_server.url, ttl_seconds=0.05))
    cache.read(key(), lambda: DOCUMENT)
    until(lambda: cache.get(key()) is None)


def test_the_longest_unused_make_room(clock: list[float]) -> None:
    store = InSqlite(":memory:", max_bytes=1000, ttl_seconds=1e6)
    for number in range(9):
        clock[0] += 1
        store.put(str(number), bytes(100))
    clock[0] += 1
    assert store.get("0") is not None
    for number in range(9, 12):
        clock[0] += 1
        store.put(str(number), bytes(100))
    kept = [number for number in range(12) if store.get(str(number)) is not None]
    assert 0 in kept, "it was just used"
    assert 1 not in kept
    assert 11 in kept
    assert len(kept) <= 10
    store.put("huge", bytes(1001))
    assert store.get("huge") is None
    assert store.get("11") is not None


def test_what_is_purged_is_not_on_the_disk(tmp_path: Path) -> None:
    store = InSqlite(str(tmp_path / "cache"), 1_000_000, 60)
    store.put("key", "机密文字".encode() * 100)
    assert "机密文字".encode() in (tmp_path / "cache").read_bytes()
    store.purge()
    assert not any("机密文字".encode() in path.read_bytes() for path in tmp_path.iterdir())


def test_a_spoilt_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"no database at all" * 1000)
    cache = Cache(InSqlite(str(tmp_path / "cache"), 1_000_000, 60))
    cache.read(key(), lambda: DOCUMENT)
    assert cache.get(key()) is not None


def test_a_file_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache(InSqlite(str(tmp_path / "no folder" / "cache"), 1_000_000, 60))
    assert cache.read(key(), lambda: DOCUMENT).document == DOCUMENT
    assert cache.get(key()) is None
    assert "out of reach" in caplog.text


def test_redis_gone_is_a_warning(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache(InRedis(redis_server.url, 60))
    cache.read(key(), lambda: DOCUMENT)
    redis_server.kill()
    assert cache.get(key()) is None
    assert cache.read(key(), lambda: DOCUMENT).document == DOCUMENT
    assert caplog.text.count("out of reach") == 1, "it is left alone for a while"
    redis_server.start()
    cache._rest_until = 0
    cache.read(key(), lambda: DOCUMENT)
    assert cache.get(key()) is not None


def test_nothing_is_kept_without_a_store() -> None:
    cache = Cache(None)
    assert cache.read(key(), lambda: DOCUMENT).age_seconds is None
    assert cache.get(key()) is None
    assert cache.purge() == 0


class Slow:
    """A reading held until it is let go; counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.inside = threading.Event()
        self.go = threading.Event()
        self.error: Exception | None = None

    def __call__(self) -> Document:
        self.begun += 1
        self.inside.set()
        assert self.go.wait(10)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return DOCUMENT


def test_identical_callers_share_one_reading() -> None:
    cache, slow = Cache(None), Slow()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(cache.read, key(), slow)
        assert slow.inside.wait(10)
        waiting = threading.Semaphore(0)
        others = [pool.submit(cache.read, key(), slow, waiting.release) for _ in range(5)]
        for _ in others:
            assert waiting.acquire(timeout=10)
        slow.go.set()
        assert first.result(10).age_seconds is None
        assert [other.result(10).age_seconds for other in others] == [0.0] * 5
    assert slow.begun == 1


def test_a_shared_reading_that_fails_fails_its_own_caller_alone() -> None:
    cache, slow = Cache(None), Slow()
    slow.error = DamagedFile("The file ends early.")
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(cache.read, key(), slow)
        assert slow.inside.wait(10)
        waiting = threading.Semaphore(0)
        other = pool.submit(cache.read, key(), slow, waiting.release)
        assert waiting.acquire(timeout=10)
        slow.go.set()
        with pytest.raises(DamagedFile):
            first.result(10)
        assert other.result(10).document == DOCUMENT
    assert slow.begun == 2


def test_who_waits_may_give_up() -> None:
    cache, slow = Cache(None), Slow()

    def give_up() -> None:
        raise Busy("The deadline passed.")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.read, key(), slow)
        assert slow.inside.wait(10)
        with pytest.raises(Busy):
            cache.read(key(), slow, give_up)
        slow.go.set()
        first.result(10)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (redis.ResponseError("DENIED Redis is running in protected mode"), "DENIED"),
        (redis.ConnectionError("Error 111 connecting to redis:6379."), "ConnectionError"),
        (redis.ResponseError("识字 reads"), "ResponseError"),
        (OSError("No space left"), "OSError"),
    ],
)
def test_what_is_told_of_an_error_is_a_code(error: Exception, told: str) -> None:
    assert reason(error) == told

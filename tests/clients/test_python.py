"""The Python SDK without a service: batches that end early, files, clients of the caller's own, odd answers."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from shizi_client import AsyncClient, Client, ConnectionFailed, KeyRefused, Retries, UnexpectedAnswer
from shizi_client.calls import ResultFile
from shizi_client.decoding import decode
from shizi_client.models import Check, Field, Line
from shizi_client.sources import Source
from stubborn import CORNERS, LINE, READING

Answer = Callable[[httpx2.Request], httpx2.Response]
NEVER = Retries(times=0)


def read(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json=READING)


def refuse(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(403, json={"success": False, "error": "No.", "code": "key_refused", "request_id": "r"})


def client(answer: Answer) -> Client:
    return Client("http://shizi.test", http=httpx2.Client(transport=httpx2.MockTransport(answer)), retries=NEVER)


def async_client(answer: Answer) -> AsyncClient:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return AsyncClient("http://shizi.test", http=http, retries=NEVER)


def endless(taken: list[int]) -> Iterator[Source]:
    for number in range(1_000_000):
        taken.append(number)
        yield b"x"


def test_a_batch_takes_its_files_as_needed() -> None:
    taken: list[int] = []
    batch = client(read).read_batch(endless(taken), at_once=2)
    assert [next(batch).index for _ in range(3)] == [0, 1, 2]
    batch.close()  # type: ignore[attr-defined]
    assert len(taken) <= 7
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("shizi-batch")]


def test_an_async_batch_takes_its_files_as_needed() -> None:
    async def first() -> int:
        taken: list[int] = []
        batch = async_client(read).read_batch(endless(taken), at_once=2)
        assert [(await anext(batch)).index for _ in range(3)] == [0, 1, 2]
        await batch.aclose()  # type: ignore[attr-defined]
        assert len(asyncio.all_tasks()) == 1
        return len(taken)

    assert asyncio.run(first()) <= 7


def test_no_more_than_asked_for_are_under_way() -> None:
    most, now, lock = 0, 0, threading.Lock()

    def count(request: httpx2.Request) -> httpx2.Response:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.005)
        with lock:
            now -= 1
        return read(request)

    assert all(entry.reading for entry in client(count).read_batch([b"x"] * 9, at_once=3))
    assert most <= 3


def test_what_every_file_would_meet_ends_a_batch() -> None:
    with pytest.raises(KeyRefused):
        list(client(refuse).read_batch([b"x", b"y", b"z"]))

    async def ended() -> None:
        async for _ in async_client(refuse).read_batch([b"x", b"y", b"z"]):
            pass

    with pytest.raises(KeyRefused):
        asyncio.run(ended())


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    entries = list(client(read).read_batch([tmp_path / "none.png", b"x"]))
    assert isinstance(entries[0].error, FileNotFoundError)
    assert entries[1].reading is not None
    with pytest.raises(FileNotFoundError):
        client(read).read(tmp_path / "none.png")


def test_a_broken_connection_is_tried_again() -> None:
    asked = 0

    def break_once(request: httpx2.Request) -> httpx2.Response:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise httpx2.RemoteProtocolError("gone")
        return read(request)

    http = httpx2.Client(transport=httpx2.MockTransport(break_once))
    with pytest.raises(ConnectionFailed, match=r"http://shizi\.test \(gone\)"):
        Client("http://shizi.test", http=http, retries=NEVER).read(b"x")
    asked = 0
    assert Client("http://shizi.test", http=http).read(b"x").source == "PNG"


def test_a_client_of_the_callers_stays_open() -> None:
    http = httpx2.Client(transport=httpx2.MockTransport(read))
    with Client("http://shizi.test", http=http) as shizi:
        shizi.read(b"x")
    assert not http.is_closed


def test_files_are_saved(tmp_path: Path) -> None:
    file = ResultFile("result.md", "text/markdown", b"# x")
    assert file.save(tmp_path) == tmp_path / "result.md"
    assert file.save(tmp_path / "a.md").read_bytes() == b"# x"
    assert "# x" not in repr(file), "what was read belongs in no log"


def test_what_cannot_work_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="expected the address"):
        Client("127.0.0.1:5000")
    with pytest.raises(ValueError, match="greater than 0"):
        next(client(read).read_batch([b"x"], at_once=0))

    async def none_at_once() -> None:
        await anext(async_client(read).read_batch([b"x"], at_once=0))

    with pytest.raises(ValueError, match="1 or more"):
        asyncio.run(none_at_once())


def test_odd_answers() -> None:
    assert decode(Line, {**LINE, "words": None, "new": 1}).words is None
    values = {"value": "", "text": "", "confidence": 0, "polygon": None, "page": 1, "source": "ocr", "checks": []}
    assert decode(Field, values).value == ""
    assert decode(Field, {**values, "value": [{"a": "b"}], "polygon": CORNERS}).value == ({"a": "b"},)
    for wrong in (
        {},
        [],
        None,
        "x",
        {"name": 1, "passed": True, "detail": ""},
        {"name": "", "passed": 1, "detail": ""},
    ):
        with pytest.raises(UnexpectedAnswer):
            decode(Check, wrong)

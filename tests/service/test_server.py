"""The service as it runs: gunicorn on a free port, the fake reader inside, signals and bad clients."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import live
import numpy as np
import pytest
from fakes import as_png
from live import Live, serving, until

from shizi import errors
from shizi.service.server import start_line

pytestmark = pytest.mark.slow

PNG = {"Content_Type": "image/png"}


def start(folder: Path, **environment: str) -> AbstractContextManager[Live]:
    return serving([sys.executable, live.__file__, str(folder)], **environment)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One service for all tests that leave it as it was; that it does is half of what they check."""
    with start(tmp_path_factory.mktemp("live"), SHIZI_MAX_BYTES="100000", SHIZI_QUEUE="0") as running:
        yield running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Live]:
    with start(tmp_path, SHIZI_MAX_BYTES="100000", SHIZI_QUEUE="0") as running:
        yield running


def test_it_answers_and_ends_cleanly(service: Live) -> None:
    status, headers, body = service.request("POST", "/ocr/predict", b"a picture", **PNG)
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body)["text"].startswith("识字 reads")
    assert service.request("GET", "/ocr/ready")[0] == 200
    assert service.stop() == 0
    with pytest.raises(ConnectionError):
        service.request("GET", "/ocr/health")


def test_a_full_queue_is_busy_and_health_still_answers(service: Live, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(service.request, "POST", "/ocr/predict", b"hold", **PNG)
        until((tmp_path / "held").exists)
        status, headers, body = service.request("POST", "/ocr/predict", b"a picture", **PNG)
        assert (status, json.loads(body)["code"]) == (429, "busy")
        assert int(headers["Retry-After"]) >= 1
        assert service.request("GET", "/ocr/health")[0] == 200
        (tmp_path / "release").touch()
        assert running.result()[0] == 200
    assert service.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200


def test_sigterm_lets_a_running_request_finish(service: Live, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(service.request, "POST", "/ocr/predict", b"hold", **PNG)
        until((tmp_path / "held").exists)
        service.process.send_signal(signal.SIGTERM)
        (tmp_path / "release").touch()
        assert running.result()[0] == 200
    assert service.process.wait(60) == 0


def test_a_death_in_native_code_costs_its_own_request_alone(tmp_path: Path) -> None:
    with start(tmp_path, SHIZI_WORKERS="2") as service, ThreadPoolExecutor(6) as pool:
        held = pool.submit(service.request, "POST", "/ocr/predict", b"hold", **PNG)
        until((tmp_path / "held").exists)
        dying = pool.submit(service.request, "POST", "/ocr/predict", b"die", **PNG)
        others = [pool.submit(service.request, "POST", "/ocr/predict", b"a picture", **PNG) for _ in range(4)]
        status, headers, body = dying.result()
        assert (status, json.loads(body)["code"]) == (503, "worker_lost")
        assert headers["Retry-After"] == "1"
        assert [other.result()[0] for other in others] == [200] * 4
        (tmp_path / "release").touch()
        assert held.result()[0] == 200


def test_a_deadline_is_kept_while_a_picture_is_read(service: Live, tmp_path: Path) -> None:
    status, _, body = service.request("POST", "/ocr/predict?deadline_ms=200", b"hold", **PNG)
    assert (status, json.loads(body)["code"]) == (504, "deadline")
    (tmp_path / "release").touch()
    assert service.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200


def test_a_reading_that_never_ends_is_ended(tmp_path: Path) -> None:
    with start(tmp_path, SHIZI_DEADLINE_SECONDS="0.5") as service:
        status, _, body = service.request("POST", "/ocr/predict", b"hold", **PNG)
        assert (status, json.loads(body)["code"]) == (504, "deadline")
        until(lambda: service.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200)


def test_who_hangs_up_before_the_turn_is_not_read_for(tmp_path: Path) -> None:
    path = "/ocr/predict?deadline_ms=100"  # refused at once while the one place in the queue is taken
    with start(tmp_path, SHIZI_QUEUE="1") as service, ThreadPoolExecutor(1) as pool:
        held = pool.submit(service.request, "POST", "/ocr/predict", b"hold", **PNG)
        until((tmp_path / "held").exists)
        (tmp_path / "held").unlink()
        with socket.create_connection(("127.0.0.1", service.port)) as leaving:
            leaving.sendall(HEADING + b"Content-Length: 4\r\n\r\nhold")
        until(lambda: b"no turn came" in service.request("POST", path, b"a picture", **PNG)[2])
        (tmp_path / "release").touch()
        assert held.result()[0] == 200
        assert service.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200
        assert not (tmp_path / "held").exists()


def test_bodies_too_large_get_their_answer(steady: Live) -> None:
    """A client that sends all before it listens sees the 413, not a reset connection."""
    for headers in (PNG, {**PNG, "Connection": "close"}):
        status, _, body = steady.request("POST", "/ocr/predict", bytes(30_000_000), **headers)
        assert (status, json.loads(body)["code"]) == (413, "too_large")
    assert steady.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200


def talk(steady: Live, sent: bytes) -> bytes:
    """Send raw bytes and read until the steady ends the connection."""
    with socket.create_connection(("127.0.0.1", steady.port), timeout=60) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


HEADING = b"POST /ocr/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: image/png\r\n"


def test_chunked_bodies(steady: Live) -> None:
    chunk = b"186a0\r\n" + bytes(100_000) + b"\r\n"
    heading = HEADING + b"Transfer-Encoding: chunked\r\n\r\n"
    assert talk(steady, heading + chunk + b"0\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert talk(steady, heading + chunk * 20 + b"0\r\n\r\n").startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        HEADING + b"Content-Length: 1000\r\n\r\nhalf a bo",
        HEADING + b"Content-Length: minus\r\n\r\n",
        HEADING + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEADING + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "binary", "no path", "half a body", "bad length", "bad chunk", "huge header"],
)
def test_broken_requests_leave_it_alive(sent: bytes, steady: Live) -> None:
    received = talk(steady, sent)
    assert received == b"" or received.startswith(b"HTTP/1.1 4")
    assert b"Traceback" not in received
    assert steady.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /ocr/health?password=secret" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /ocr/health HTTP/1.1\r\nHost: x\r\nX-Secret: secret" + b"x" * 9000 + b"\r\n\r\n", 431),
        (b"GET /ocr/health HTTP/1.1\r\nHost: x\r\n" + b"X-Secret: secret\r\n" * 200 + b"\r\n", 431),
        (b"GET /ocr/health?password=secret\x00 HTTP/9.1\r\nHost: x\r\n\r\n", 400),
        (b"secret request\r\nHost: x\r\n\r\n", 400),
        (b"GET /ocr/health HTTP/1.1\r\nHost: x\r\nsecret header: x\r\n\r\n", 400),
        (b"POST /ocr/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: secret\r\n\r\n", 501),
        (b"POST /ocr/predict HTTP/1.1\r\nHost: x\r\nContent-Length: secret\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused_like_any_other_and_kept_out_of_the_log(
    sent: bytes, status: int, steady: Live
) -> None:
    with socket.create_connection(("127.0.0.1", steady.port), timeout=30) as connection:
        connection.sendall(sent)
        answer = b""
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
    heading, _, body = answer.partition(b"\r\n\r\n")
    assert int(heading.split()[1]) == status
    values = json.loads(body)
    assert (values["success"], values["code"]) == (False, "input")
    assert values["request_id"].encode() in heading
    log = steady.said()
    assert values["request_id"] in log
    assert "secret" not in log


def test_two_workers(tmp_path: Path) -> None:
    with start(tmp_path, SHIZI_WORKERS="2") as service:
        for _ in range(8):
            assert service.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200
        assert service.stop() == 0


def test_broken_weights_end_it_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    ran = subprocess.run(
        [sys.executable, live.__file__, str(tmp_path)],
        env={**os.environ, "SHIZI_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == errors.WeightsError.exit_code
    assert "shizi: The model file is gone." in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


def test_what_ran_before_starts_again_once_it_can(tmp_path: Path) -> None:
    """An engine killed while it loads, or a disk full at the wrong moment, ended the whole service."""
    with start(tmp_path) as service:
        [front] = live.children(service.process.pid)
        (tmp_path / "broken").touch()
        os.kill(front, signal.SIGKILL)
        until(lambda: service.said().count("does not start again yet") >= 1)
        assert service.process.poll() is None
        (tmp_path / "broken").unlink()
        until(lambda: answers(service))
        assert service.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200
        assert service.stop() == 0


def answers(service: Live) -> bool:
    try:
        return service.request("GET", "/ocr/ready")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1", "http://127.0.0.1:80/ocr/webui (this machine only; --host 0.0.0.0 lets others in)"),
        ("::1", "http://[::1]:80/ocr/webui (this machine only; --host 0.0.0.0 lets others in)"),
        ("0.0.0.0", "http://127.0.0.1:80/ocr/webui (every machine that reaches this one)"),
        ("10.1.2.3", "http://10.1.2.3:80/ocr/webui (whoever reaches 10.1.2.3)"),
    ],
)
def test_start_line(host: str, said: str) -> None:
    assert said in start_line(host, 80)


def test_slow_clients_hold_no_thread(tmp_path: Path) -> None:
    """Clients that never finish their request: headings, bodies, chunks. All others are answered meanwhile."""
    beginnings = [
        b"",
        b"POST /ocr/pre",
        HEADING + b"Content-Length: 1000\r\n\r\nhalf a body",
        HEADING + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        HEADING + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    ]
    with start(tmp_path) as service:
        slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(300)]
        for number, connection in enumerate(slow):
            connection.sendall(beginnings[number % len(beginnings)])
        for _ in range(3):
            assert service.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200
        for connection in slow:
            connection.close()
        assert service.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200


SMALL_WINDOW = 4096  # what a client's side of a connection takes in before the client does


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("GET /ocr/health", b"Connection: close\r\n\r\n"),
        ("POST /ocr/nowhere", b"Content-Length: 1000000000000\r\n\r\n"),
        ("GET /ocr/health", b"Content-Length: 1000000000000\r\n\r\n"),
        ("POST /ocr/predict", b"Content-Type: image/png\r\nContent-Length: 00000000000000000009\r\n\r\n"),
        ("POST /ocr/predict", b"Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n000000009\r\nab"),
        ("GET /ocr/static/swagger/swagger-ui-bundle.js", b"\r\n"),
    ],
    ids=[
        "leaves it open",
        "announces much",
        "announces much to a GET",
        "long length",
        "long chunk size",
        "takes nothing",
    ],
)
def test_no_client_is_waited_for(path: str, rest: bytes, steady: Live) -> None:
    """There are nine threads and one event loop; each of these held one of them up for seconds."""
    clients = []
    for _ in range(100):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
        client.connect(("127.0.0.1", steady.port))
        client.sendall(f"{path} HTTP/1.1\r\nHost: x\r\n".encode() + rest)
        clients.append(client)
    for _ in range(3):
        assert steady.request("GET", "/ocr/health")[0] == 200
    for client in clients:
        client.close()
    assert steady.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200


def test_what_is_taken_slowly_comes_whole(tmp_path: Path) -> None:
    """More of an answer than the kernel keeps for a connection, for more clients than there are threads."""
    page = as_png(np.random.default_rng(1).integers(0, 256, (1300, 1300, 3), np.uint8))
    asked = b"POST /ocr/predict?format=pdf HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    asked += b"Content-Length: %d\r\n\r\n" % len(page) + page
    clients = []
    with start(tmp_path, SHIZI_MAX_BYTES="10000000", SHIZI_QUEUE="0") as service:
        for _ in range(10):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
            client.settimeout(20)
            client.connect(("127.0.0.1", service.port))
            client.sendall(asked)
            assert client.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200", "its turn is over, and the next one's comes"
            clients.append(client)
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        connection.request("GET", "/ocr/health")
        assert connection.getresponse().status == 200
        connection.close()
        for client in clients:
            answer = http.client.HTTPResponse(client)
            answer.begin()
            data = answer.read()
            assert (data[:5], data.rstrip()[-5:], len(data) > len(page)) == (b"%PDF-", b"%%EOF", True)
        clients[-1].sendall(b"GET /ocr/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert clients[-1].recv(12) == b"HTTP/1.1 200", "and the connection goes on"
        for client in clients:
            client.close()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(32)), "speaks plain HTTP"),
        (b"GET /ocr/health HTTP/1.1\nHost: x\n\n", "The first line is not"),
        (b"GET /ocr/health HTTP/1.1\r\nHost: x\n", "no well-formed HTTP/1.1"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "The first line is not"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "The first line is not"),
        ("GET /ocr/health?模式=快 HTTP/1.1\r\n\r\n".encode(), "has to be percent-encoded"),
    ],
    ids=["TLS", "line feeds", "one line feed", "HTTP/2", "SSH", "no ASCII"],
)
def test_other_protocols_are_answered_at_once(sent: bytes, said: str, steady: Live) -> None:
    """Not when the time for a body is over: who asks for https:// would see a page that loads for half a minute."""
    with socket.create_connection(("127.0.0.1", steady.port), timeout=20) as connection:
        connection.sendall(sent)
        heading, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert heading.startswith(b"HTTP/1.1 400 ")
    assert said in json.loads(body)["error"]


def test_half_a_request_is_given_up(tmp_path: Path) -> None:
    with (
        start(tmp_path, SHIZI_BODY_SECONDS="0.1") as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection,
    ):
        connection.sendall(HEADING + b"Content-Length: 1000\r\n\r\nhalf a body")
        heading, _, body = connection.recv(1000).partition(b"\r\n\r\n")
        assert heading.startswith(b"HTTP/1.1 408 ")
        assert "in whole in time" in json.loads(body)["error"]
        assert json.loads(body)["request_id"] in service.said()


@pytest.mark.parametrize("length", [2**40, 10**14, 10**19])
def test_no_room_is_made_for_what_a_heading_announces(length: int, tmp_path: Path) -> None:
    with start(tmp_path) as service:
        with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
            connection.sendall(HEADING + f"Content-Length: {length}\r\n\r\nhalf".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert service.request("POST", "/ocr/predict", b"a picture", **PNG)[0] == 200


def test_expect_continue(steady: Live) -> None:
    """As curl sends large bodies: heading first, body once it is asked for."""
    with socket.create_connection(("127.0.0.1", steady.port), timeout=60) as connection:
        connection.sendall(HEADING + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"a picture")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_http_1_0_is_told_nothing_in_between(steady: Live) -> None:
    heading = HEADING.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"
    with socket.create_connection(("127.0.0.1", steady.port), timeout=60) as connection:
        connection.sendall(heading)
        assert steady.request("GET", "/ocr/health")[0] == 200
        connection.sendall(b"a picture")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.0 200")


def test_a_refused_request_leaves_its_connection_to_the_next(steady: Live) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", steady.port, timeout=60)
    for method, path, size, status in (
        *(("POST", "/ocr/nowhere", 90_000, 404), ("DELETE", "/ocr/predict", 90_000, 405)),
        *(("GET", "/ocr/health", 90_000, 200), ("POST", "/ocr/predict?mode=x", 90_000, 400)),
        ("GET", "/ocr/health", 0, 200),
    ):
        connection.request(method, path, bytes(size), {"Content-Type": "image/png"})
        kept = connection.sock
        response = connection.getresponse()
        response.read()
        assert (response.status, response.getheader("Connection")) == (status, "keep-alive")
        assert connection.sock is kept
    connection.close()


def test_a_large_job_may_begin_slowly(tmp_path: Path) -> None:
    """How much may come is told by the whole first line, not by what of it comes first."""
    body = b"%PDF-" + bytes(1_000_000)
    with start(tmp_path, SHIZI_JOBS=str(tmp_path / "jobs"), SHIZI_MAX_BYTES="1000") as service:
        for target in (b"/ocr/jobs", b"http://x/ocr/jobs"):
            with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sendall(b"PO")
                assert service.request("GET", "/ocr/health")[0] == 200
                connection.sendall(b"ST " + target + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/pdf\r\n")
                connection.sendall(b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                assert connection.makefile("rb").read().startswith(b"HTTP/1.1 202")


def test_one_connection_serves_many_requests(steady: Live) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", steady.port, timeout=60)
    for size in (10, 90_000, 1, 50_000):
        connection.request("POST", "/ocr/predict", bytes(size), {"Content-Type": "image/png"})
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["success"]) == (200, True)
    connection.close()


def test_several_requests_at_once_are_answered_one_a_connection(steady: Live) -> None:
    one = b"GET /ocr/health HTTP/1.1\r\nHost: x\r\n\r\n"
    received = talk(steady, one * 3)
    assert received.startswith(b"HTTP/1.1 200")
    assert received.count(b"HTTP/1.1 200") == 1


def submit(service: Live, data: bytes, **headers: str) -> str:
    status, _, body = service.request("POST", "/ocr/jobs", b"BM " + data, **PNG, **headers)
    assert status == 202, body
    return str(json.loads(body)["id"])


def state(service: Live, job: str) -> dict[str, object]:
    values: dict[str, object] = json.loads(service.request("GET", f"/ocr/jobs/{job}")[2])
    return values


def test_a_job_outlives_the_death_of_everything(tmp_path: Path) -> None:
    """Engine, worker and master are killed in the middle of a page; the next start ends the job."""
    settings = {"SHIZI_JOBS": str(tmp_path / "jobs"), "SHIZI_JOB_LEASE_SECONDS": "1", "SHIZI_DEADLINE_SECONDS": "60"}
    with start(tmp_path, **settings) as service:
        job = submit(service, b"hold", Idempotency_Key="one")
        until((tmp_path / "held").exists)
        for pid in descendants(service.process.pid):
            os.kill(pid, signal.SIGKILL)
        service.process.kill()
        service.process.wait()
    (tmp_path / "release").touch()
    with start(tmp_path, **settings) as service:
        assert submit(service, b"hold", Idempotency_Key="one") == job
        until(lambda: state(service, job)["state"] == "done")
        values = state(service, job)
        assert (values["pages_read"], values["errors"]) == (1, [])
        assert json.loads(service.request("GET", f"/ocr/jobs/{job}/result")[2])["text"].startswith("识字 reads")


def test_a_page_that_kills_its_engine_fails_alone(tmp_path: Path) -> None:
    with start(tmp_path, SHIZI_JOBS=str(tmp_path / "jobs"), SHIZI_JOB_TRIES="2") as service:
        job = submit(service, b"die")
        good = submit(service, b"a picture")
        until(lambda: state(service, good)["state"] == "done")
        until(lambda: state(service, job)["state"] == "failed")
        assert state(service, job)["errors"][0]["code"] == "worker_lost"  # type: ignore[index]


def test_sigterm_in_the_middle_of_a_page(tmp_path: Path) -> None:
    with start(tmp_path, SHIZI_JOBS=str(tmp_path / "jobs"), SHIZI_JOB_LEASE_SECONDS="1") as service:
        job = submit(service, b"hold")
        until((tmp_path / "held").exists)
        service.process.send_signal(signal.SIGTERM)
        (tmp_path / "release").touch()
        assert service.process.wait(60) == 0
    with start(tmp_path, SHIZI_JOBS=str(tmp_path / "jobs")) as service:
        until(lambda: state(service, job)["state"] == "done")


def descendants(pid: int) -> list[int]:
    """Give the children of a process, theirs and so on."""
    children = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children += [int(child) for child in (task / "children").read_text().split()]
    return children + [below for child in children for below in descendants(child)]

"""Webhooks: signed, to allowed hosts and addresses only, tried again. The receiver is on loopback."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from shizi.errors import OptionsError
from shizi.service.jobs.queue import FileView, View
from shizi.service.jobs.webhook import Webhook

VIEW = View("job-1", "done", (FileView("机密.png", 3, 2, 1),), {}, "", 0, 1)


class Receiver(HTTPServer):
    """Takes reports, keeps them, answers with `status`."""

    def __init__(self) -> None:
        self.status = 204
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/done?key=1"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_report_is_signed_and_holds_no_content(receiver: Receiver) -> None:
    assert Webhook("127.0.0.1", "a secret").send(receiver.url, VIEW)
    [(path, headers, body)] = receiver.taken
    assert path == "/done?key=1"
    assert json.loads(body) == {"job": "job-1", "state": "done", "pages": 3, "pages_read": 2, "pages_failed": 1}
    signed = dict(part.split("=") for part in headers["X-Shizi-Signature"].split(","))
    expected = hmac.new(b"a secret", signed["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert signed["v1"] == expected
    assert headers["X-Shizi-Job"] == "job-1"


@pytest.mark.parametrize("status", [301, 307, 400, 500])
def test_anything_but_a_yes_is_no_and_redirects_are_not_followed(status: int, receiver: Receiver) -> None:
    receiver.status = status
    assert not Webhook("127.0.0.1", "a secret").send(receiver.url, VIEW)
    assert len(receiver.taken) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.org/",
        "https://hooks.example.org.evil.example/",
        "https://hooks.example.org@evil.example/",
        "https://user:word@hooks.example.org/",
        "https://evil.example/\\@hooks.example.org/",
        "https://evil.example\\.hooks.example.org/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "https://hooks.example.org/a b",
        "https://hooks.example.org/\r\nX: y",
        "https://hooks.example.org:99999/",
        "https://[::1/",
        "//hooks.example.org/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "http://10.0.0.8/",
        "https://识字.example/",
        "https://hooks.example.org/" + "x" * 2000,
    ],
)
def test_other_places_are_refused(url: str) -> None:
    webhook = Webhook("hooks.example.org, 10.0.0.7, 192.168.3.0/24", "a secret")
    with pytest.raises(OptionsError):
        webhook.check(url)
    assert not webhook.send(url, VIEW)


def test_listed_places_are_taken() -> None:
    webhook = Webhook("Hooks.example.org., 10.0.0.7, 192.168.3.0/24", "a secret")
    for host in ("hooks.example.org", "HOOKS.EXAMPLE.ORG:8443", "10.0.0.7", "192.168.3.99"):
        webhook.check(f"https://{host}/done")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "fe80::1", "::ffff:127.0.0.1", "0.0.0.0", "224.0.0.1"],
)
def test_a_listed_name_that_leads_inside_is_refused(
    address: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(host: str, port: int, **more: object) -> list[tuple[object, ...]]:
        public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))
        return [public, (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert not Webhook("hooks.example.org", "a secret").send(f"http://hooks.example.org:{receiver.server_port}/", VIEW)
    assert receiver.taken == []


def test_a_name_is_looked_up_once_and_that_address_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it looked up again for the connection, the second answer could lead elsewhere."""
    answers = iter(["127.0.0.1"])
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *more: object, **named: object) -> object:
        if host == "hooks.example.org":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]
        return real(host, port, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    webhook = Webhook("hooks.example.org,127.0.0.1", "a secret")
    assert webhook.send(f"http://hooks.example.org:{receiver.server_port}/", VIEW)
    assert receiver.taken[0][1]["Host"].startswith("hooks.example.org")


def test_off_unless_both_are_set() -> None:
    for webhook in (Webhook("", "a secret"), Webhook("hooks.example.org", "")):
        with pytest.raises(OptionsError, match="SHIZI_WEBHOOK_HOSTS"):
            webhook.check("https://hooks.example.org/")


def test_waits_grow_and_end() -> None:
    waits = [Webhook("", "").again(tries) for tries in range(1, 11)]
    assert waits[:4] == [5.0, 20.0, 80.0, 320.0]
    assert waits[8] == 3600
    assert waits[9] is None


def test_the_secret_is_not_shown() -> None:
    assert "a secret" not in repr(Webhook("", "a secret"))

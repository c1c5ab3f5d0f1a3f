"""Intake: gunicorn's threaded worker, with whole requests collected before a thread is given to them.

As gunicorn comes, a client that sends its request slowly, or half of it, holds a thread for as long as it likes, and a
few dozen of them stop a service. Here the worker's one event loop collects heading and body of every connection, and
threads meet only requests that are there. Knows how HTTP/1.1 frames a message, nothing of what is in it.
"""

import errno
import json
import logging
import re
import socket
import struct
import time
import traceback
import uuid
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

from gunicorn.http import errors as refused
from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

_RECEIVE_BYTES = 256 * 1024
# More heading than gunicorn takes (100 fields of 8190 bytes) is passed on, for it to refuse.
_MOST_HEADING = 1_000_000
# Bodies of all connections together; beyond it the newest is closed.
_MOST_COLLECTED = 1_000_000_000
# After `body_seconds` a client must have kept up at least this many bytes a second.
_SLOWEST_BYTES = 50_000
# How long half a request may still take when the service stops.
_STOPPING_SECONDS = 2.0
# A client that takes nothing of its answer for so long is given up.
_SEND_SECONDS = 30

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked[ \t]*\r\n", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[^\r\n]{0,100}\r\n")


# What the parser refuses, and what to tell; everything else of its kind is a 400.
_REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    refused.LimitRequestLine: (414, "URI Too Long", "The address is too long; send options in the body."),
    refused.LimitRequestHeaders: (
        *(431, "Request Header Fields Too Large"),
        "A header is larger than 8190 bytes, or there are more than 100; send fewer or shorter ones.",
    ),
    refused.ExpectationFailed: (417, "Expectation Failed", "The header Expect may say 100-continue alone."),
    refused.UnsupportedTransferCoding: (501, "Not Implemented", "The header Transfer-Encoding may say chunked alone."),
}
_MALFORMED = (400, "Bad Request", "The request is no well-formed HTTP/1.1; send it by an ordinary HTTP client.")
_TOO_SLOW = (
    408,
    "Request Timeout",
    "The request did not come in whole in time; send all of what its heading announces.",
)
_FAILED = (500, "Internal Server Error", "The service failed; its log tells more under this request's id.")

log = logging.getLogger(__name__)


class Collector:
    """The bytes of one request as they come in; `most` bytes of body are worth collecting."""

    def __init__(self, most: int) -> None:
        self.data = bytearray()
        self.taken = 0
        self.expects = False
        self._most = most
        self._body: int | None = None  # where the body begins
        self._end: int | None = None  # where it ends, if the heading says so
        self._chunk = 0  # where the next chunk begins

    def add(self, data: bytes) -> bool:
        """Take what has come; tell whether it is time to pass the request on: whole, or not worth the wait."""
        self.data += data
        self.taken += len(data)
        if self._body is None and not self._read_heading(max(0, len(self.data) - len(data) - 3)):
            return len(self.data) > _MOST_HEADING
        assert self._body is not None
        if self._end is not None:
            return self._end - self._body > self._most or len(self.data) >= self._end
        return self._chunks_end() or len(self.data) - self._body > self._most

    def _read_heading(self, start: int) -> bool:
        end = self.data.find(b"\r\n\r\n", start)
        if end < 0:
            return False
        heading = bytes(self.data[: end + 4])
        self.expects = _EXPECT.search(heading) is not None
        if self.expects:  # answered here, so the application must not answer it again
            heading = _EXPECT.sub(b"", heading)
            self.data[: end + 4] = heading
        self._body = self._chunk = len(heading)
        if _CHUNKED.search(heading) is None:
            length = _LENGTH.search(heading)
            self._end = self._body + (int(length[1]) if length else 0)
        return True

    def _chunks_end(self) -> bool:
        """Walk the chunks that are there; a malformed one ends the wait: the parser will refuse it."""
        while True:
            heading = _CHUNK.match(self.data, self._chunk)
            if heading is None:
                return self.data.find(b"\r\n", self._chunk) >= 0 or len(self.data) - self._chunk > 120
            size = int(heading[1], 16)
            if size == 0:  # trailers, if any, and an empty row
                return self.data.find(b"\r\n\r\n", heading.end() - 2) >= 0
            if heading.end() + size + 2 > len(self.data):
                return False
            self._chunk = heading.end() + size + 2


class _Unreader(SocketUnreader):  # type: ignore[misc]  # gunicorn carries no types
    """Gives what was collected, then what the socket still has."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._collected = b""
        self._at = 0

    def feed(self, data: bytes) -> None:
        self._collected, self._at = data, 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        if self._at < len(self._collected):
            part = self._collected[self._at : self._at + max(self.mxchunk, min(size_hint or 0, self.max_body_chunk))]
            self._at += len(part)
            if self._at >= len(self._collected):
                # Let go now, not with the connection: a request may wait long for its turn, with its body in memory.
                self._collected, self._at = b"", 0
            return part
        # Never as much as a heading announces: room for all of it would be set aside.
        data: bytes = self.sock.recv(min(size_hint or self.mxchunk, self.max_body_chunk))
        return data

    @property
    def left(self) -> bool:
        """Whether more was collected than one request: the client sends several without waiting."""
        return self._at < len(self._collected) or bool(self.buf.getvalue())


class IntakeWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn carries no types
    """A threaded worker whose threads never wait for a client to send."""

    # Set by the server, from the settings.
    body_seconds = 30.0
    most_bytes = staticmethod(lambda heading: 10_000_000)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._collecting: dict[Any, tuple[Collector | None, float]] = {}
        self._collected = 0

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and begin to collect what it sends."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_SECONDS, 0))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", max(1, round(self.body_seconds)), 0))
        self.nr_conns += 1
        self._collect(TConn(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """Collect the next request of a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._collect(conn)

    def murder_pending(self) -> None:
        """Close what came too slowly."""
        super().murder_pending()
        now = time.monotonic()
        for conn, (collector, began) in list(self._collecting.items()):
            got = collector.taken if collector else 0
            if now > began + self.body_seconds + got / _SLOWEST_BYTES:
                self._give_up(conn, _answer(_TOO_SLOW, "input", "TooSlow") if got else b"")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        super().handle_exit(sig, frame)
        # Half a request may still come in whole, but not hold up the stop.
        began = time.monotonic() - self.body_seconds + _STOPPING_SECONDS
        for conn, (collector, since) in list(self._collecting.items()):
            self._collecting[conn] = (collector, min(since, began))

    def handle(self, conn: Any) -> Any:
        """Answer one request. Requests sent without waiting for answers are answered one a connection."""
        kept = super().handle(conn)
        unreader = getattr(conn.parser, "unreader", None)
        return kept and not (isinstance(unreader, _Unreader) and unreader.left)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer what the parser refuses as every refusal is answered; of what was sent nothing gets into the log.

        Gunicorn's own handler answers in HTML and logs the offending text, which may be a password in a query.
        """
        known = isinstance(exc, refused.ParseException) and not isinstance(
            exc, (refused.InvalidResponseHeader, refused.InvalidResponseHeaderName)
        )
        refusal = next(
            (told for kind, told in _REFUSALS.items() if isinstance(exc, kind)), _MALFORMED if known else _FAILED
        )
        places = [] if known else traceback.extract_tb(exc.__traceback__)
        said = _answer(refusal, "input" if known else "internal", type(exc).__name__, places)
        with suppress(OSError):  # it is gone
            client.settimeout(_SEND_SECONDS)
            client.sendall(said)

    def _collect(self, conn: Any) -> None:
        conn.sock.setblocking(False)
        self._collecting[conn] = (None, time.monotonic())
        self.poller.register(conn.sock, 1, partial(self._on_bytes, conn))  # 1: selectors.EVENT_READ

    def _on_bytes(self, conn: Any, client: socket.socket) -> None:
        collector, began = self._collecting[conn]
        try:
            data = client.recv(_RECEIVE_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._give_up(conn)
            return
        if collector is None:
            if not data:
                self._give_up(conn)
                return
            collector = Collector(self.most_bytes(data))
            self._collecting[conn] = (collector, began)
        self._collected += len(data)
        if not data or collector.add(data):
            self._pass_on(conn, collector)
        elif self._collected > _MOST_COLLECTED:
            self._give_up(conn)
        elif collector.expects:
            collector.expects = False
            self._tell(conn, b"HTTP/1.1 100 Continue\r\n\r\n")

    def _pass_on(self, conn: Any, collector: Collector) -> None:
        self._forget(conn)
        conn.data_ready = True
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = _Unreader(conn.sock)
            conn.initialized = True
        conn.parser.unreader.feed(bytes(collector.data))
        self.enqueue_req(conn)

    def _give_up(self, conn: Any, said: bytes = b"") -> None:
        self._forget(conn)
        if said:
            self._tell(conn, said)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: Any) -> None:
        collector, _ = self._collecting.pop(conn)
        self._collected -= collector.taken if collector else 0
        self.poller.unregister(conn.sock)

    @staticmethod
    def _tell(conn: Any, said: bytes) -> None:
        with suppress(OSError):  # it takes nothing, or is gone
            conn.sock.send(said)


def _answer(
    refusal: tuple[int, str, str], code: str, cause: str, places: Sequence[traceback.FrameSummary] = ()
) -> bytes:
    """Write the answer to what never became a request for the application, and its row in the log."""
    status, title, message = refusal
    request_id = uuid.uuid4().hex
    row: dict[str, Any] = {"request_id": request_id, "method": "-", "route": "-", "status": status, "cause": cause}
    if places:
        row["at"] = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(places[-8:]))
    log.log(logging.ERROR if status >= 500 and places else logging.INFO, "request", extra={"row": row})
    body = json.dumps({"success": False, "error": message, "code": code, "request_id": request_id}).encode()
    heading = (
        f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"X-Request-ID: {request_id}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return heading.encode() + body

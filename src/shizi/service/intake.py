"""Intake: gunicorn's threaded worker, whose threads never wait for a client.

As gunicorn comes, a client that sends its request slowly, or half of it, or takes its answer slowly, holds a thread
for as long as it likes, and a few dozen of them stop a service; one that does not close a connection that is over holds
the event loop for seconds. Here that one loop does all the waiting: it collects heading and body of every connection,
sends on what is not taken at once, and listens to the end of what it closes. Knows nothing of what is in a message.
"""

import errno
import json
import logging
import socket
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

from gunicorn.http import errors as refused
from gunicorn.http import get_parser
from gunicorn.workers.gthread import TConn, ThreadWorker

from shizi.service.collector import Collected, Collector, Outlet

_PIECE_BYTES = 256 * 1024
# Bodies of all connections together; beyond it the newest is closed.
_MOST_COLLECTED = 1_000_000_000
# Answers that clients have not taken yet, of all connections together; beyond it the newest is closed.
_MOST_UNSENT = 200_000_000
# After `body_seconds`, or those below, a client must have kept up at least this many bytes a second.
_SLOWEST_BYTES = 50_000
# How long half a request, or a connection that is over, may still take when the service stops.
_STOPPING_SECONDS = 2.0
# How long a client may take for an answer,
_SEND_SECONDS = 30.0
# and to close the connection then; of a refused body that he is still sending so much is thrown away, so that he sees
# the answer and not a reset connection.
_LINGER_SECONDS = 5.0
_MOST_LINGERING = 64_000_000
_TLS_HANDSHAKE = 0x16  # the first byte of a connection by TLS


# What the parser refuses, and what to tell; everything else of its kind is a 400.
_REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    refused.InvalidRequestLine: (
        *(400, "Bad Request"),
        "The first line is not METHOD ADDRESS HTTP/1.1; what is not ASCII in an address has to be percent-encoded.",
    ),
    refused.LimitRequestLine: (414, "URI Too Long", "The address is too long; send options in the body."),
    refused.LimitRequestHeaders: (
        *(431, "Request Header Fields Too Large"),
        "A header is larger than 8190 bytes, or there are more than 100; send fewer or shorter ones.",
    ),
    refused.ExpectationFailed: (417, "Expectation Failed", "The header Expect may say 100-continue alone."),
    refused.UnsupportedTransferCoding: (501, "Not Implemented", "The header Transfer-Encoding may say chunked alone."),
}
_MALFORMED = (400, "Bad Request", "The request is no well-formed HTTP/1.1; send it by an ordinary HTTP client.")
_TLS = (400, "Bad Request", "This port speaks plain HTTP; ask it by http://, or by the address of the proxy before it.")
_TOO_SLOW = (
    408,
    "Request Timeout",
    "The request did not come in whole in time; send all of what its heading announces.",
)
_FAILED = (500, "Internal Server Error", "The service failed; its log tells more under this request's id.")

log = logging.getLogger(__name__)


class _Slow:
    """Something that a client is given time for: so long, and longer while he keeps up."""

    __slots__ = ("bytes", "seconds", "since")

    def __init__(self, seconds: float) -> None:
        self.since = time.monotonic()
        self.seconds = seconds
        self.bytes = 0

    def late(self, now: float) -> bool:
        """Tell whether the time is over."""
        return now > self.since + self.seconds + self.bytes / _SLOWEST_BYTES

    def hurry(self) -> None:
        """Leave it only the time that a stopping service has."""
        self.since = min(self.since, time.monotonic() - self.seconds + _STOPPING_SECONDS)


class IntakeWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn carries no types
    """A threaded worker whose threads never wait for a client."""

    # Set by the server, from the settings.
    body_seconds = 30.0
    most_bytes: Callable[[bytes], int] = staticmethod(lambda heading: 10_000_000)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._collecting: dict[Any, tuple[Collector | None, _Slow]] = {}
        self._collected = 0
        self._sending: dict[Any, _Slow] = {}
        self._unsent = 0
        self._lingering: dict[Any, _Slow] = {}

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and begin to collect what it sends."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        self._collect(TConn(self.cfg, Outlet(client), address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """Collect the next request of a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._collect(conn)

    def murder_pending(self) -> None:
        """Close what came, or is taken, too slowly."""
        super().murder_pending()
        now = time.monotonic()
        for conn, (_, slow) in list(self._collecting.items()):
            if slow.late(now):
                self._forget(conn)
                self._give_up(conn, _answer(_TOO_SLOW, "input", "TooSlow") if slow.bytes else b"")
        for waiting in (self._sending, self._lingering):
            for conn in [conn for conn, slow in waiting.items() if slow.late(now)]:
                self._end(conn)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        super().handle_exit(sig, frame)
        for _, slow in list(self._collecting.values()):
            slow.hurry()  # half a request may still come in whole, but not hold up the stop
        for slow in list(self._lingering.values()):
            slow.hurry()

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request. One of which more is to come, or with another behind it, is the last of its connection."""
        if not conn.alone:
            req.force_close()
        return super().handle_request(req, conn)

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
            client.sendall(said)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Go on with a connection once a thread is done with it: the rest of the answer, then what is next."""
        if not conn.sock.unsent or fs.cancelled() or fs.exception() is not None:
            self._after(conn, fs)
            return
        self._unsent += len(conn.sock.unsent)
        conn.sock.setblocking(False)
        self._sending[conn] = _Slow(_SEND_SECONDS)
        self.poller.register(conn.sock, 2, partial(self._on_room, conn, fs))  # 2: selectors.EVENT_WRITE
        if self._unsent > _MOST_UNSENT:
            self._end(conn)

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        """Throw away what the application left of a body. It is all here: gunicorn's own waits for more of it."""
        return bool(keepalive and conn.parser.finish_body())

    def _after(self, conn: Any, fs: Any) -> None:
        """Keep a connection, or close it."""
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
        else:
            self._linger(conn)

    def _collect(self, conn: Any) -> None:
        conn.sock.setblocking(False)
        self._collecting[conn] = (None, _Slow(self.body_seconds))
        self.poller.register(conn.sock, 1, partial(self._on_bytes, conn))  # 1: selectors.EVENT_READ

    def _on_bytes(self, conn: Any, client: socket.socket) -> None:
        collector, slow = self._collecting[conn]
        data = _received(client)
        if data is None:
            return
        if collector is None:
            if not data or data[0] == _TLS_HANDSHAKE:
                self._forget(conn)
                self._give_up(conn, _answer(_TLS, "input", "TLS") if data else b"")
                return
            collector = Collector(self.most_bytes)
            self._collecting[conn] = (collector, slow)
        slow.bytes += len(data)
        self._collected += len(data)
        if not data or collector.add(data):
            self._pass_on(conn, collector)
        elif self._collected > _MOST_COLLECTED:
            self._forget(conn)
            self._give_up(conn)
        elif collector.expects:
            collector.expects = False
            self._tell(conn, b"HTTP/1.1 100 Continue\r\n\r\n")

    def _pass_on(self, conn: Any, collector: Collector) -> None:
        self._forget(conn)
        conn.data_ready = True
        conn.alone = collector.alone
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = Collected(conn.sock)
            conn.initialized = True
        conn.parser.unreader.feed(bytes(collector.data))
        self.enqueue_req(conn)

    def _forget(self, conn: Any) -> None:
        _, slow = self._collecting.pop(conn)
        self._collected -= slow.bytes
        self.poller.unregister(conn.sock)

    def _on_room(self, conn: Any, fs: Any, client: Outlet) -> None:
        """Send on, now that the client took some of what he was sent."""
        try:
            taken = client.send_on(_PIECE_BYTES)
        except OSError:
            self._end(conn)
            return
        self._sending[conn].bytes += taken
        self._unsent -= taken
        if not client.unsent:
            del self._sending[conn]
            self.poller.unregister(client)
            self._after(conn, fs)

    def _give_up(self, conn: Any, said: bytes = b"") -> None:
        """Close a connection, with a last word if there is one."""
        if said:
            self._tell(conn, said)
            self._linger(conn)
        else:
            self._end(conn)

    def _linger(self, conn: Any) -> None:
        """Close a connection once its client has seen the answer: until he closes his side, what he sends is dropped.

        Closed at once, it would be reset by what he still sends, answer and all (RFC 9112, 9.6). Gunicorn waits for him
        within the event loop, two seconds each, in which nobody else is served.
        """
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._end(conn)  # he is gone
            return
        self._lingering[conn] = _Slow(_LINGER_SECONDS)
        if not self.alive:
            self._lingering[conn].hurry()
        self.poller.register(conn.sock, 1, partial(self._on_rest, conn))

    def _on_rest(self, conn: Any, client: socket.socket) -> None:
        data = _received(client)
        if data is None:
            return
        self._lingering[conn].bytes += len(data)
        if not data or self._lingering[conn].bytes > _MOST_LINGERING:
            self._end(conn)

    def _end(self, conn: Any) -> None:
        if self._lingering.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)
        if self._sending.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)
            self._unsent -= len(conn.sock.unsent)
        self.nr_conns -= 1
        conn.close()

    @staticmethod
    def _tell(conn: Any, said: bytes) -> None:
        with suppress(OSError):  # it takes nothing, or is gone
            conn.sock.send(said)


def _received(client: socket.socket) -> bytes | None:
    """Give what has come, b"" once nothing more will; None when nothing has after all."""
    try:
        return client.recv(_PIECE_BYTES)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError:
        return b""


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

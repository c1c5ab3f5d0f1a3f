"""Collector: the bytes of one request as they come in, and the connection that they come and are answered on.

Knows how HTTP/1.1 frames a message, and by that when a request is there in whole; what is malformed is for the parser
to refuse. Nothing here waits: neither for what a client has yet to send nor for him to take what he is sent.
"""

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from gunicorn.http.unreader import SocketUnreader

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# More heading than gunicorn takes (100 fields of 8190 bytes) is passed on, for it to refuse.
_MOST_HEADING = 1_000_000
# Trailers are looked through again with every piece that comes; longer ones are passed on as they are, and refused.
_MOST_TRAILERS = 8190

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked[ \t]*\r\n", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
_OLD = re.compile(rb"\s*[^\r\n]* HTTP/1\.0\r\n")
_FIRST_LINE = re.compile(rb"\s*[^\r\n]* HTTP/\d\.\d\r\n")
_BARE_LINE_END = re.compile(rb"(?<!\r)\n")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})(?:[ \t;][^\r\n]{0,100})?\r\n")


class Collector:
    """The bytes of one request; `most_bytes` tells by its heading how much of a body is worth collecting."""

    def __init__(self, most_bytes: Callable[[bytes], int]) -> None:
        self.data = bytearray()
        self.taken = 0
        self.expects = False
        self._most_bytes = most_bytes
        self._most = 0
        self._begun = False  # whether the first line is there
        self._body: int | None = None  # where the body begins
        self._end: int | None = None  # where it ends, once that is known
        self._chunk = 0  # where the next chunk begins

    def add(self, data: bytes) -> bool:
        """Take what has come; tell whether it is time to pass the request on: whole, or not worth the wait."""
        self.data += data
        self.taken += len(data)
        known = len(self.data) - len(data)
        if self._body is None and not self._read_heading(max(0, known - 3)):
            return len(self.data) > _MOST_HEADING or self._is_hopeless(known)
        assert self._body is not None
        if self._end is not None:
            return self._end - self._body > self._most or len(self.data) >= self._end
        return self._chunks_end() or len(self.data) - self._body > self._most

    @property
    def alone(self) -> bool:
        """Whether the request is there in whole and nothing behind it: only then can its connection serve another."""
        return self._end == len(self.data)

    def _read_heading(self, start: int) -> bool:
        end = self.data.find(b"\r\n\r\n", start)
        if end < 0:
            return False
        heading = bytes(self.data[: end + 4])
        expects = _EXPECT.search(heading) is not None
        if expects:  # answered here, so the application must not answer it again
            heading = _EXPECT.sub(b"", heading)
            self.data[: end + 4] = heading
        self.expects = expects and not _OLD.match(heading)  # HTTP/1.0 knows no answers in between
        self._most = self._most_bytes(heading)
        self._body = self._chunk = len(heading)
        if _CHUNKED.search(heading) is None:
            length = _LENGTH.search(heading)
            self._end = self._body + (int(length[1]) if length else 0)
        return True

    def _is_hopeless(self, known: int) -> bool:
        """Tell whether this can be no heading, by what came after `known` bytes; the parser then refuses it at once.

        Its first line is that of another protocol, or one ends without a carriage return: such a heading never ends.
        """
        if not self._begun and self.data.find(b"\r\n", max(2, known - 1)) >= 0:
            self._begun = True
            if _FIRST_LINE.match(self.data) is None:
                return True
        return _BARE_LINE_END.search(self.data, known) is not None

    def _chunks_end(self) -> bool:
        """Walk the chunks that are there; a malformed one ends the wait: the parser will refuse it."""
        while True:
            heading = _CHUNK.match(self.data, self._chunk)
            if heading is None:
                return self.data.find(b"\r\n", self._chunk) >= 0 or len(self.data) - self._chunk > 120
            size = int(heading[1], 16)
            if size == 0:  # trailers, if any, and an empty row
                end = self.data.find(b"\r\n\r\n", heading.end() - 2)
                self._end = end + 4 if end >= 0 else None
                return end >= 0 or len(self.data) - heading.end() > _MOST_TRAILERS
            if heading.end() + size + 2 > len(self.data):
                return False
            self._chunk = heading.end() + size + 2


class Collected(SocketUnreader):  # type: ignore[misc]  # gunicorn carries no types
    """Gives the parser what was collected, and then the end: no thread waits for what a client may yet send."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._collected = b""
        self._at = 0

    def feed(self, data: bytes) -> None:
        """Take the bytes of the next request."""
        self._collected, self._at = data, 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Give the next piece."""
        part = self._collected[self._at : self._at + max(self.mxchunk, min(size_hint or 0, self.max_body_chunk))]
        self._at += len(part)
        if self._at >= len(self._collected):
            # Let go now, not with the connection: a request may wait long for its turn, with its body in memory.
            self._collected, self._at = b"", 0
        return part


class Outlet(socket.socket):
    """A client's connection; what he does not take of an answer at once is kept, and sent on as he takes it."""

    def __init__(self, client: socket.socket) -> None:
        super().__init__(fileno=client.detach())
        self.unsent = bytearray()

    def sendall(self, data: "ReadableBuffer", flags: int = 0, /) -> None:
        """Send what is taken at once, and keep the rest. Raises OSError when the client is gone."""
        rest = memoryview(data)
        with suppress(BlockingIOError):
            while rest and not self.unsent:
                rest = rest[self.send(rest, flags | socket.MSG_DONTWAIT) :]
        self.unsent += rest

    def send_on(self, most: int) -> int:
        """Send some of what was kept; tell how much was taken. Raises OSError when the client is gone."""
        try:
            taken = self.send(self.unsent[:most], socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        del self.unsent[:taken]
        return taken

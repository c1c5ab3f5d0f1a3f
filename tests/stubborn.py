"""A server that answers as proxies, broken networks and services in trouble do, for the SDKs to live with.

The first part of the path says how it behaves. It counts what it was asked in `asked`, by behaviour. Knows nothing of
shizi but the shape of its answers.
"""

import email.utils
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from werkzeug.formparser import parse_form_data

HEALTH = {"success": True, "status": "alive", "version": "9.9", "request_id": "r1"}
CORNERS = [[1.0, 2.0], [11.0, 2.0], [11.0, 8.0], [1, 8.5]]
CHAR = {"text": "价", "confidence": 1, "start": 0.0, "end": 0.5}
WORD = {"text": "价", "confidence": 0.97, "polygon": CORNERS, "chars": [CHAR, CHAR]}
LINE = {"text": '价 😀 "\\', "confidence": 0.98, "polygon": CORNERS, "model": "crnn", "vertical": True, "words": [WORD]}
FIELD: dict[str, Any] = {
    "value": "108.00",
    "text": "¥108.00",
    "confidence": 0.9,
    "polygon": CORNERS,
    "page": 1,
    "source": "qr",
    "checks": [{"name": "sum", "passed": True, "detail": "100 + 8"}],
    "repaired": {"before": "1O8.00", "after": "¥108.00"},
}
PLAIN = {**{name: value for name, value in FIELD.items() if name != "repaired"}, "polygon": None, "value": "pen"}
ITEMS = {**PLAIN, "value": [{"name": "pen"}], "rows": [{"name": PLAIN}]}
CELL = {
    **{"row": 0, "column": 1, "row_span": 1, "column_span": 2, "text": "a", "confidence": 0.5},
    **{"polygon": CORNERS, "lines": [0]},
}
TABLE = {"html": "<table></table>", "rows": 1, "columns": 3, "ruled": False, "polygon": CORNERS, "cells": [CELL]}
PAGE = {
    **{"number": 1, "width": 20, "height": 10, "dpi": 300, "rotation": 90, "text": "价", "lines": [LINE]},
    **{"blocks": [{"kind": "title", "polygon": CORNERS, "lines": [0]}], "tables": [TABLE]},
    **{"warnings": ["faint"], "source": "ocr"},
}
READING = {
    **{"success": True, "text": "价", "confidence": 0.98, "processing_time_ms": 12.5, "request_id": "r2"},
    **{"cached": True, "cache_age_seconds": 3, "weights": ["crnn@1"], "options": {"mode": "fast"}, "warnings": []},
    **{"stages": {"detect": 4}, "source": "PNG", "pages": [PAGE], "fields": {"total": FIELD, "items": ITEMS}},
    "verdict": {"decision": "review", "reasons": ["a sum does not hold"]},
}
JOB = {
    **{"success": True, "id": "j1", "state": "running", "pages": None, "pages_read": 0, "pages_failed": 0},
    **{"files": [{"name": "a", "pages": None, "pages_read": 0, "pages_failed": 0}], "errors": []},
    **{"created": "2026-11-26T00:00:00+00:00", "ended": None, "webhook": None, "request_id": "r3"},
}
MODELS = {
    **{"success": True, "serving": "shipped", "current": "shipped", "problem": "", "versions": [], "log": []},
    "request_id": "r4",
}
ERROR = {"file": 0, "page": None, "error": "The file ends early.", "code": "damaged_file"}
HOSTILE = "attachment; filename=\"plain.pdf\"; filename*=UTF-8''..%2F..%5C%E5%8F%91%E7%A5%A8.pdf"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Stubborn"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        behaviour, *rest = self.path.split("?")[0].strip("/").split("/")
        times = self.server.note(behaviour)
        if behaviour == "refuse":
            values = {"success": False, "error": "No.", "code": rest[1], "request_id": "r0"}
            return self._send(int(rest[0]), values)
        answer = getattr(self, f"_{behaviour.replace('-', '_')}", None)
        return answer(times, body) if answer else self._send(404, {"behaviour": behaviour})

    def _send(self, status: int, values: object, kind: str = "application/json", **headers: str) -> None:
        data = values if isinstance(values, bytes) else json.dumps(values, ensure_ascii=False).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: int, code: str, **headers: str) -> None:
        values = {"success": False, "error": "No.", "code": code, "request_id": "r0"}
        self._send(status, values, **headers)

    def _busy(self, times: int, body: bytes) -> None:
        self._refuse(429, "busy", Retry_After="0") if times <= 2 else self._send(200, HEALTH)

    def _waits(self, times: int, body: bytes) -> None:
        self._after_a_wait(times, 1.0, "1")

    def _dated(self, times: int, body: bytes) -> None:
        self._after_a_wait(times, 0.9, email.utils.formatdate(time.time() + 2, usegmt=True))

    def _after_a_wait(self, times: int, seconds: float, retry_after: str) -> None:
        now = time.monotonic()
        if times == 1:
            self.server.since = now
            return self._refuse(503, "unavailable", Retry_After=retry_after)
        waited = now - self.server.since >= seconds
        return self._send(200, {**HEALTH, "version": "waited" if waited else "hurried"})

    def _later(self, times: int, body: bytes) -> None:
        self._refuse(429, "quota_spent", Retry_After="86400")

    def _lost(self, times: int, body: bytes) -> None:
        self._refuse(503, "worker_lost", Retry_After="0")

    def _bare(self, times: int, body: bytes) -> None:
        self._send(503, b"<h1>hm", "text/html") if times == 1 else self._send(200, HEALTH)

    def _gateway(self, times: int, body: bytes) -> None:
        self._send(502, b"<h1>Bad Gateway</h1>", "text/html")

    def _reset(self, times: int, body: bytes) -> None:
        if times > 1:
            return self._send(200, HEALTH)
        self.close_connection = True
        return None

    def _slow(self, times: int, body: bytes) -> None:
        self.server.patience.wait(30)
        self.close_connection = True

    def _redirect(self, times: int, body: bytes) -> None:
        self._send(302, b"", Location="/stolen/ocr/health")

    def _notjson(self, times: int, body: bytes) -> None:
        self._send(200, b"<h1>It works!</h1>", "text/html")

    def _other(self, times: int, body: bytes) -> None:
        self._send(200, {"hello": 1})

    def _future(self, times: int, body: bytes) -> None:
        self._send(200, {**HEALTH, "mood": {"is": [1, None, "good"]}})

    def _full(self, times: int, body: bytes) -> None:
        self._send(200, READING)

    def _twice(self, times: int, body: bytes) -> None:
        key = self.headers.get("Idempotency-Key", "")
        if times == 1:
            self.server.key = key
            return self._refuse(503, "stopping", Retry_After="0")
        return self._send(202, {**JOB, "id": "same" if key and key == self.server.key else "different"})

    def _promoted(self, times: int, body: bytes) -> None:
        if times == 1:
            return self._refuse(503, "stopping", Retry_After="0")
        return self._send(200, {**MODELS, "serving": json.loads(body)["version"]})

    def _unanswered(self, times: int, body: bytes) -> None:
        self.close_connection = True

    def _failed_job(self, times: int, body: bytes) -> None:
        self._send(200, {**JOB, "state": "failed", "errors": [ERROR]})

    def _slow_job(self, times: int, body: bytes) -> None:
        self._send(200, JOB)

    def _hostile(self, times: int, body: bytes) -> None:
        self._send(200, b"%PDF-1.7", "application/pdf", Content_Disposition=HOSTILE)

    def _ordered(self, times: int, body: bytes) -> None:
        form, files = self._form(body)
        self._send(202, {**JOB, "id": f"{self.headers['Idempotency-Key']} {form['webhook']} {len(files)}"})

    def _partial(self, times: int, body: bytes) -> None:
        self._send(200, {**READING, "text": ",".join(sorted(self.path.partition("?")[2].split("&")))})

    def _echo(self, times: int, body: bytes) -> None:
        form, [(name, data)] = self._form(body)
        fields = ",".join(f"{name}={value}" for name, value in sorted(form.items()))
        self._send(200, {**READING, "text": f"{name} {len(data)} {fields} {self.headers.get('Authorization')}"})

    def _form(self, body: bytes) -> tuple[dict[str, str], list[tuple[str | None, bytes]]]:
        """Give the fields of a form, and its files' names and bytes."""
        environ = {
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers["Content-Type"],
            "REQUEST_METHOD": "POST",
        }
        _, form, files = parse_form_data(environ)
        given = []
        for file in files.getlist("file"):
            given.append((file.filename, file.read()))
            file.close()
        return form.to_dict(), given


class Stubborn(ThreadingHTTPServer):
    """The server. `asked`: how often each behaviour was; `url`: where it listens."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.since = 0.0
        self.key = ""
        self.patience = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Its address, without a behaviour."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def note(self, behaviour: str) -> int:
        """Count a request; give how many there were of this behaviour."""
        with self._lock:
            self.asked[behaviour] += 1
            return self.asked[behaviour]


@contextmanager
def stubborn() -> Iterator[Stubborn]:
    """Run the server until the block ends."""
    server = Stubborn()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.patience.set()
        server.shutdown()
        thread.join()
        server.server_close()

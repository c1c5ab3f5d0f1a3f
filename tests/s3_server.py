"""The part of S3 that reading needs, on loopback: lists with a delimiter, heads, whole objects and ranges of them."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class S3:
    """A bucket, served while it is entered."""

    def __init__(self, bucket: str, objects: dict[str, bytes]) -> None:
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(bucket, objects, self.requests))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> "S3":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(bucket: str, objects: dict[str, bytes], requests: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._object(False)

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            if "list-type" in query:
                self._list({name: values[0] for name, values in query.items()})
            else:
                self._object(True)

        def _object(self, whole: bool) -> None:
            key = unquote(urlsplit(self.path).path).removeprefix(f"/{bucket}/")
            requests.append(f"{self.command} {key}")
            if key not in objects:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml", whole)
                return
            data, status = objects[key], 200
            extra = {}
            if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                first, last = int(found[1]), min(int(found[2] or len(data) - 1), len(data) - 1)
                extra = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
                data, status = data[first : last + 1], 206
            self._answer(status, data, "image/png", whole, **extra)

        def _list(self, query: dict[str, str]) -> None:
            prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
            requests.append(f"LIST {prefix}")
            keys, folders = [], set()
            for key in sorted(objects):
                rest = key.removeprefix(prefix)
                if not key.startswith(prefix):
                    continue
                if delimiter and delimiter in rest:
                    folders.add(prefix + rest.split(delimiter)[0] + delimiter)
                else:
                    keys.append(key)
            body = "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(objects[key])}</Size><ETag>x</ETag>"
                "<LastModified>2026-11-26T00:00:00.000Z</LastModified></Contents>"
                for key in keys
            )
            body += "".join(
                f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in sorted(folders)
            )
            count = f"<KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated>"
            self._answer(200, f"<ListBucketResult>{count}{body}</ListBucketResult>".encode(), "application/xml", True)

        def _answer(self, status: int, body: bytes, kind: str, whole: bool, **extra: str) -> None:
            self.send_response(status)
            headers = {"Content-Type": kind, "ETag": '"x"', "Last-Modified": "Thu, 26 Nov 2026 00:00:00 GMT", **extra}
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if whole:
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Handler

"""Each operation as a value: what to send, and what to make of the answer. Both clients send these."""

from __future__ import annotations

import email.utils
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote

import httpx2

from shizi_client.decoding import decode
from shizi_client.errors import BY_CODE, Refused, UnexpectedAnswer
from shizi_client.models import DeletedJob, Document, Format, Health, Job, Options, Readiness, Reading
from shizi_client.sources import Source

Answer = TypeVar("Answer")

# What files of a format end in, where that is not its name.
_SUFFIXES = {"text": "txt", "markdown": "md", "alto": "xml"}


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A result as a file. `failed_pages`: the pages of a job that are missing in it, as `file:page`."""

    name: str
    media_type: str
    data: bytes = field(repr=False)
    failed_pages: tuple[str, ...] = ()

    def save(self, path: str | Path) -> Path:
        """Write the file, into a folder under its own name or to the path given; give where."""
        target = Path(path)
        if target.is_dir():
            target /= self.name
        target.write_bytes(self.data)
        return target


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One operation. `sources` go as files of a form beside `fields`, which keeps a password out of the address."""

    method: str
    path: str
    parse: Callable[[httpx2.Response], Answer]
    sources: Sequence[Source] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def read(source: Source, options: Options) -> Call[Reading]:
    """Read one picture or document."""
    return Call("POST", "/ocr/predict", _model(Reading), [source], _written(options))


def export(source: Source, format: Format, options: Options) -> Call[ResultFile]:
    """Read one picture or document and write it in a format."""
    return Call("POST", "/ocr/predict", _file(format), [source], _written(options) | {"format": format})


def submit(sources: Sequence[Source], options: Options, webhook: str | None, idempotency_key: str | None) -> Call[Job]:
    """Order a job; the same key again, which repeats after a lost answer bring, is the same job."""
    fields = _written(options) | ({"webhook": webhook} if webhook else {})
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    return Call("POST", "/ocr/jobs", _model(Job), list(sources), fields, headers=headers)


def job(id: str) -> Call[Job]:
    """Ask how a job stands."""
    return Call("GET", f"/ocr/jobs/{_segment(id)}", _model(Job))


def document(id: str, file: int, partial: bool) -> Call[Document]:
    """Fetch what was read of one file of a job."""
    query = {"format": "json", "file": str(file), **({"partial": "true"} if partial else {})}
    return Call("GET", f"/ocr/jobs/{_segment(id)}/result", _model(Document), query=query)


def result(id: str, format: Format, file: int | None, partial: bool) -> Call[ResultFile]:
    """Fetch the result of a job as a file; of several files a ZIP."""
    query: dict[str, str] = {"format": format}
    query |= {"file": str(file)} if file is not None else {}
    query |= {"partial": "true"} if partial else {}
    return Call("GET", f"/ocr/jobs/{_segment(id)}/result", _file(format), query=query)


def delete(id: str) -> Call[DeletedJob]:
    """Cancel a job if it is not over, and delete it."""
    return Call("DELETE", f"/ocr/jobs/{_segment(id)}", _model(DeletedJob))


def purge_cache() -> Call[int]:
    """Drop all cached answers."""
    return Call("DELETE", "/ocr/cache", lambda response: int(_json(response)["dropped"]))


def health() -> Call[Health]:
    """Ask whether the service answers."""
    return Call("GET", "/ocr/health", _model(Health))


def ready() -> Call[Readiness]:
    """Ask whether the models are loaded."""
    return Call("GET", "/ocr/ready", _model(Readiness))


def parse(call: Call[Answer], response: httpx2.Response) -> Answer:
    """Give what the answer holds. Raises Refused for a refusal, UnexpectedAnswer for what is none of shizi's."""
    if response.status_code >= 400:
        raise _refusal(response)
    if response.status_code >= 300:
        raise UnexpectedAnswer(
            f"The answer is a redirect to {response.headers.get('Location', '?')}, which is not followed, as the key "
            "would go along; give that address as the client's url."
        )
    return call.parse(response)


def _model(kind: type[Answer]) -> Callable[[httpx2.Response], Answer]:
    return lambda response: decode(kind, _json(response))


def _json(response: httpx2.Response) -> dict[str, Any]:
    try:
        values = json.loads(response.content)
    except ValueError as error:
        raise UnexpectedAnswer(f"The answer is no JSON ({error}); is this the address of a shizi?") from error
    if not isinstance(values, dict):
        raise UnexpectedAnswer("The answer is no JSON object; is this the address of a shizi?")
    return values


def _file(format: Format) -> Callable[[httpx2.Response], ResultFile]:
    def parse_file(response: httpx2.Response) -> ResultFile:
        media_type = response.headers.get("Content-Type", "application/octet-stream").partition(";")[0]
        suffix = "zip" if media_type == "application/zip" else _SUFFIXES.get(format, format)
        name = _name(response.headers.get("Content-Disposition", "")) or f"result.{suffix}"
        failed = response.headers.get("X-Failed-Pages", "")
        return ResultFile(name, media_type, response.content, tuple(filter(None, failed.split(","))))

    return parse_file


def _name(disposition: str) -> str:
    """Take the file's name out of the header (RFC 6266), whatever it tries: no folder of it is kept."""
    whole = re.search(r"filename\*=UTF-8''([^;\s]+)", disposition)
    plain = re.search(r'filename="([^"]*)"', disposition)
    given = unquote(whole[1]) if whole else plain[1] if plain else ""
    return re.split(r"[/\\]", given)[-1].replace("\0", "").strip(". ")


def _refusal(response: httpx2.Response) -> Refused:
    status, retry_after = response.status_code, _retry_after(response.headers.get("Retry-After", ""))
    try:
        values = json.loads(response.content)
        message, code = str(values["error"]), str(values["code"])
        request_id = str(values.get("request_id", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        kind = response.headers.get("Content-Type", "no content type")
        message = f"The answer is status {status} and {kind}, none of shizi's own; a proxy before it may have sent it."
        return Refused(message, status, f"http_{status}", response.headers.get("X-Request-ID", ""), retry_after)
    return BY_CODE.get(code, Refused)(message, status, code, request_id, retry_after)


def _retry_after(value: str) -> float | None:
    """Read Retry-After: seconds, or a date as proxies send it (RFC 9110, 10.2.3)."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _written(options: Options) -> dict[str, str]:
    """Write options as the fields of a form."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in options.items()
        if value is not None
    }


def _segment(id: str) -> str:
    return quote(id, safe="")

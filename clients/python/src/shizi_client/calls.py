"""Each operation as a value: what to send, and what to make of the answer. Both clients send these."""

from __future__ import annotations

import email.utils
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote, unquote

import httpx2

from shizi_client.decoding import decode
from shizi_client.errors import BY_CODE, Refused, UnexpectedAnswer
from shizi_client.models import (
    Correction,
    Corrections,
    DeletedJob,
    Document,
    Format,
    Health,
    Job,
    Models,
    Options,
    Polygon,
    Readiness,
    Reading,
)
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
class Picture:
    """A page as a JPEG; `pages`: how many the document has."""

    data: bytes = field(repr=False)
    pages: int


class LineTerms(TypedDict, total=False):
    """What may be said of a corrected line beside its right text."""

    polygon: Polygon
    """Where it stands, as its answer has it: the source is then its page or document, else its own picture."""
    page: int
    rotation: int
    """That of the page's answer."""
    vertical: bool
    password: str
    """Opens an encrypted PDF."""
    margins: bool
    """The line's own picture holds more than the line."""
    read: str
    """What had been read."""
    model: str
    """What read it."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One operation. `files`, by their parts' names, make a form with `fields`: a password stands in no address.

    `repeatable`: to be done twice does no harm, so it is sent again where nobody knows whether it was done.
    """

    method: str
    path: str
    parse: Callable[[httpx2.Response], Answer]
    files: Sequence[tuple[str, Source]] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, str] | None = None
    repeatable: bool = True


def read(source: Source, options: Options) -> Call[Reading]:
    """Read one picture or document."""
    return Call("POST", "/ocr/predict", _model(Reading), [("file", source)], _written(options))


def export(source: Source, format: Format, options: Options) -> Call[ResultFile]:
    """Read one picture or document and write it in a format."""
    fields = _written(options) | {"format": format}
    return Call("POST", "/ocr/predict", _file(format), [("file", source)], fields)


def write(
    document: Document | bytes, format: Format, source: Source | None, name: str, password: str
) -> Call[ResultFile]:
    """Write a document that was read before in a format."""
    values = document if isinstance(document, bytes) else json.dumps(asdict(document), ensure_ascii=False).encode()
    files: list[tuple[str, Source]] = [("document", ("document.json", values))]
    files += [("file", source)] if source is not None else []
    fields = {"format": format, "name": name, "password": password}
    return Call("POST", "/ocr/export", _file(format), files, fields)


def picture(source: Source, page: int, side: int | None, rotation: int, password: str) -> Call[Picture]:
    """Draw a page."""
    fields = {"page": str(page), "rotation": str(rotation), "password": password}
    fields |= {"side": str(side)} if side is not None else {}
    return Call("POST", "/ocr/picture", _picture, [("file", source)], fields)


def submit(sources: Sequence[Source], options: Options, webhook: str | None, idempotency_key: str | None) -> Call[Job]:
    """Order a job; the same key again, which repeats after a lost answer bring, is the same job."""
    fields = _written(options) | ({"webhook": webhook} if webhook else {})
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    return Call("POST", "/ocr/jobs", _model(Job), [("file", source) for source in sources], fields, headers=headers)


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
    return Call("DELETE", "/ocr/cache", _dropped)


def corrections() -> Call[Corrections]:
    """Ask whether corrected lines are kept."""
    return Call("GET", "/ocr/corrections", _model(Corrections))


def correct(source: Source, text: str, terms: LineTerms) -> Call[Correction]:
    """Bring the right text of a line."""
    polygon = terms.get("polygon")
    part = "line" if polygon is None else "image"
    fields = {"text": text} | _written({name: value for name, value in terms.items() if name != "polygon"})
    fields |= {} if polygon is None else {"polygon": json.dumps(polygon)}
    return Call("POST", "/ocr/corrections", _model(Correction), [(part, source)], fields)


def purge_corrections(sender: str | None, before: date | None) -> Call[int]:
    """Delete corrected lines."""
    query = {"sender": sender} if sender is not None else {}
    query |= {"before": before.isoformat()} if before is not None else {}
    return Call("DELETE", "/ocr/corrections", _dropped, query=query)


def models() -> Call[Models]:
    """Ask for the versions of the small recogniser."""
    return Call("GET", "/ocr/models", _model(Models))


def promote(version: str) -> Call[Models]:
    """Put a version in force."""
    return Call("POST", "/ocr/models/promote", _model(Models), json={"version": version}, repeatable=False)


def rollback() -> Call[Models]:
    """Go back to the version from before."""
    return Call("POST", "/ocr/models/rollback", _model(Models), repeatable=False)


def metrics() -> Call[str]:
    """Ask for what Prometheus collects."""
    return Call("GET", "/metrics", lambda response: response.text)


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


def _dropped(response: httpx2.Response) -> int:
    return int(_json(response)["dropped"])


def _picture(response: httpx2.Response) -> Picture:
    pages = response.headers.get("X-Page-Count", "")
    if not pages.isdecimal():
        raise UnexpectedAnswer("The answer does not tell the number of pages; is this the address of a shizi?")
    return Picture(response.content, int(pages))


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


def _written(options: Mapping[str, object]) -> dict[str, str]:
    """Write options as the fields of a form."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in options.items()
        if value is not None
    }


def _segment(id: str) -> str:
    return quote(id, safe="")

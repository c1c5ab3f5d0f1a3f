"""Bodies: the three ways a picture may come in one request (JSON, multipart, raw) become one `Order`.

Takes Flask requests, gives the pictures' bytes and the options; raises the errors of a body that cannot be
taken. Knows nothing of what a picture is: that is told from its bytes, later and elsewhere.
"""

import base64
import binascii
import codecs
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from flask import Request
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from shizi.errors import InputError, OptionsError, TooLarge, UnsupportedFormat
from shizi.export import FORMATS
from shizi.options import ReadOptions
from shizi.service.settings import Settings
from shizi.service.terms import NAMES, Terms

# Room for what surrounds the pictures in a body: JSON keys and options, or multipart headings.
_ENVELOPE_BYTES = 64_000
# Base64 is 4/3 of the bytes; in a form its + / and = may take three bytes each, about a tenth more.
JSON_OVERHEAD = 4 / 3
FORM_OVERHEAD = 1.5
# What is collected of a body: more than any of these, and as much as a document and its file come to (`exports`).
_COLLECTED = 2
# Of a form, and of JSON that comes with pictures; counted before either is taken apart.
_MOST_PARTS = 1000
_MOST_ELEMENTS = 10_000
_RAW_TYPES = (
    *("application/octet-stream", "application/pdf", "application/ofd", "application/vnd.ofd"),
    *("application/xml", "text/xml"),
)
# Requests whose bodies may be as large as jobs. Proxies may name the whole address.
_LARGE = re.compile(rb"\s*POST (?:https?://[^/ ]*)?/+(?:ocr/+(?:jobs|picture|export)|(?:compat/+umi/+)?api/+doc/)")


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture as it came: its file name ('' if it has none) and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """What one request asks for: the pictures, how to read them, the terms and, by name, how to write the result."""

    uploads: tuple[Upload, ...]
    options: ReadOptions
    terms: Terms
    format: str = "json"


class _LoudParser(FormDataParser):
    """Refuses a form that it cannot read; Werkzeug's own takes it for an empty one."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        self.silent = False
        if mimetype == "application/x-www-form-urlencoded":
            text = stream.read()
            if text.count(b"&") >= _MOST_PARTS:  # Werkzeug counts the parts of the other kind of form alone
                raise TooLarge(f"The form has more than {_MOST_PARTS:,} fields; expected a picture and its options.")
            stream = io.BytesIO(text)
        try:
            return super().parse(stream, mimetype, content_length, options)
        except UnicodeDecodeError as error:
            raise InputError("The form has a name or file name that is not UTF-8; expected UTF-8.") from error
        except ValueError as error:
            raise InputError(
                f"The form cannot be read ({error}); expected multipart/form-data that ends with its boundary."
            ) from error


class MemoryRequest(Request):
    """A request whose uploads stay in memory: they are bounded, and no picture should touch the disk."""

    form_data_parser_class = _LoudParser

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return io.BytesIO()


class _JsonBody(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)
    image: str


def parse(request: Request, settings: Settings) -> Order:
    """Take the pictures and options out of `request`.

    Options stand in the body and in the query; the body goes first. Raises UnsupportedFormat for another
    content type, TooLarge past a limit (before the body is read whole), InputError for a body without a
    usable picture and OptionsError for options that are unknown or refused, `format` among them.
    """
    uploads, options, query = take(request, settings)
    values: dict[str, object] = {**query, **options}
    terms = Terms.take(values, request.headers)
    form = _format(values.pop("format", "json"))
    given: dict[str, object] = {**query}
    Terms.take(given, request.headers)
    _format(given.pop("format", "json"))
    ReadOptions.parse(given, NAMES)  # a wrong option in the query is an error even where the body has a right one
    return Order(uploads, ReadOptions.parse(values, NAMES), terms, form)


def take(request: Request, settings: Settings) -> tuple[tuple[Upload, ...], Mapping[str, object], Mapping[str, str]]:
    """Take the pictures out of `request`, and the values that stand beside them in the body and in the query.

    Raises as `parse` does, but for the values, which are not looked at.
    """
    kind = request.mimetype
    base64_overhead = JSON_OVERHEAD if kind == "application/json" else 1
    bound(request, settings, base64_overhead)
    query = single_values(request.args)
    if kind == "application/json":
        uploads, options = _from_json(json_text(request))
    elif kind == "multipart/form-data":
        uploads, options = _from_form(request, settings.max_files)
    elif kind.startswith("image/") or kind in _RAW_TYPES:
        uploads, options = (Upload("", whole_body(request)),), {}
        if not uploads[0].data:
            raise InputError("The body is empty; expected the bytes of a picture.")
    else:
        raise UnsupportedFormat(
            f"The content type is {kind[:80]!r}; expected application/json, multipart/form-data, or image/* or "
            "application/octet-stream for the bytes of a picture alone."
        )
    check_size(uploads, settings.max_bytes)
    return uploads, options, query


def _format(name: object) -> str:
    if not isinstance(name, str) or name not in FORMATS:
        raise OptionsError(f"The format is {str(name)[:40]!r}; expected one of {', '.join(FORMATS)}.")
    return name


def most_bytes(settings: Settings, heading: bytes) -> int:
    """Tell how large a body can be that is worth taking in, by the heading of its request."""
    most = max(settings.job_bytes, settings.max_bytes) if _LARGE.match(heading) else settings.max_bytes
    return most * _COLLECTED + _ENVELOPE_BYTES


def bound(request: Request, settings: Settings, overhead: float = 1) -> None:
    """Limit the body of `request`: pictures of `max_bytes` in an encoding of `overhead`, and what surrounds them.

    Raises UnsupportedFormat for a compressed body, whose size nobody knows.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise UnsupportedFormat(
            f"The body is encoded ({encoding[:40]!r}); expected it as it is: send it without Content-Encoding."
        )
    request.max_content_length = round(settings.max_bytes * overhead) + _ENVELOPE_BYTES
    request.max_form_memory_size = request.max_content_length  # pictures as form fields; Werkzeug stops at 500 kB


def json_text(request: Request) -> bytes:
    """Give the body, of which JSON is expected, without the mark that some editors and shells put before it (a BOM).

    Raises InputError for a body in another encoding than UTF-8.
    """
    body = whole_body(request)
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise InputError("The body is not UTF-8, so it is not JSON; send it in UTF-8.") from error
    check_elements(body)
    return body.removeprefix(codecs.BOM_UTF8)


def check_elements(text: bytes, most: int = _MOST_ELEMENTS) -> None:
    """Raise TooLarge for JSON of more than `most` elements, before it is parsed.

    Python holds an empty list of three bytes in eighty, and nobody else is served while it makes millions of them.
    """
    found = sum(text.count(mark) for mark in (b",", b"[", b"{"))
    if found > most:
        raise TooLarge(f"The JSON has {found:,} elements; expected at most {most:,}: send fewer.")


def whole_body(request: Request) -> bytes:
    """Give the body. Raises RequestEntityTooLarge past the request's limit."""
    data = request.get_data(cache=False)
    if len(data) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge  # a body of unstated length: Werkzeug cuts it at the limit without a word
    return data


def json_object(request: Request, most_bytes: int) -> Mapping[str, object]:
    """Give a small JSON object. Raises UnsupportedFormat for another content type, InputError for other bodies."""
    if request.mimetype != "application/json":
        raise UnsupportedFormat(f"The content type is {request.mimetype[:80]!r}; expected application/json.")
    request.max_content_length = most_bytes
    try:
        values = TypeAdapter(dict[str, object]).validate_json(json_text(request))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(f"The body is no JSON object ({first['msg'].removeprefix('Invalid JSON: ')}).") from error
    return values


def _from_json(body: bytes) -> tuple[tuple[Upload, ...], Mapping[str, object]]:
    try:
        values = _JsonBody.model_validate_json(body)
    except ValidationError as error:
        raise InputError(_json_problem(error)) from error
    return (Upload("", decode_base64(values.image)),), values.model_extra or {}


def _json_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return f"The body is not JSON ({first['msg'].removeprefix('Invalid JSON: ')})."
    if first["type"] == "missing":
        return "The key 'image' is missing; expected the picture in base64 or as a data URL."
    if first["loc"] == ("image",):
        return "The key 'image' is no string; expected the picture in base64 or as a data URL."
    return 'The body is no JSON object; expected {"image": "<base64 or data URL>", ...options}.'


def decode_base64(text: str, key: str = "image") -> bytes:
    """Decode standard base64, with or without a data URL in front, line breaks and padding.

    Raises InputError naming the `key` it stood under.
    """
    if text.startswith("data:"):
        heading, comma, text = text.partition(",")
        if not comma or not heading.endswith(";base64"):
            raise InputError(f"The data URL in {key!r} is not base64; expected data:image/...;base64,<base64>.")
    compact = "".join(text.split()).rstrip("=")
    try:
        data = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"The key {key!r} is not base64: {error}.") from error
    if not data:
        raise InputError(f"The key {key!r} is empty; expected the picture in base64 or as a data URL.")
    return data


def _from_form(request: Request, max_files: int) -> tuple[tuple[Upload, ...], Mapping[str, object]]:
    if "boundary" not in request.mimetype_params:
        raise InputError(
            "The content type of the form names no boundary; let your HTTP client set Content-Type by itself."
        )
    _check_parts(request)
    check_names({**request.files, **request.form})
    strange = sorted(set(request.files) - {"file"})
    if strange:
        raise InputError(f"The form has a file under {strange[0][:80]!r}; expected it under 'file'.")
    files = request.files.getlist("file")
    if not files and "file" in request.form:
        raise InputError("The form's 'file' is a text; send it as a file (with curl: -F file=@picture.png).")
    if not files:
        raise InputError("The form has no file; expected one or more under 'file'.")
    if len(files) > max_files:
        raise TooLarge(f"The form has {len(files)} files; expected at most {max_files}: send them in several requests.")
    uploads = tuple(Upload(file.filename or "", file.read()) for file in files)
    return uploads, single_values(request.form)


def _check_parts(request: Request) -> None:
    """Take the form apart. Raises TooLarge for too many parts, which Werkzeug tells as if the form were too large."""
    try:
        _ = request.form
    except RequestEntityTooLarge as error:
        length, most = request.content_length, request.max_content_length
        if length is None or most is None or length > most:
            raise
        raise TooLarge(
            f"The form has more than {request.max_form_parts:,} parts; expected files under 'file' and options under "
            "their names."
        ) from error


def single_values(values: MultiDict[str, str]) -> dict[str, str]:
    """Give the values of a query or form by name. Raises OptionsError for a name that is given several times."""
    check_names(values)
    for name, given in values.lists():
        if len(given) > 1:
            raise OptionsError(f"Option {name[:40]!r} is given {len(given)} times; expected once.")
    return values.to_dict()


def check_names(values: Mapping[str, object]) -> None:
    """Raise InputError for a part of a form without a name, which Werkzeug puts under None, against its types."""
    if None in values:
        raise InputError("The form has a part without a name; expected files under 'file' and options under theirs.")


def check_size(uploads: tuple[Upload, ...], max_bytes: int) -> None:
    """Raise TooLarge when the pictures together pass the limit."""
    size = sum(len(upload.data) for upload in uploads)
    if size > max_bytes:
        raise TooLarge(too_large_message(max_bytes, f"{size:,} bytes"))


def too_large_message(max_bytes: int, found: str = "more") -> str:
    """Say that an upload passes the limit, and what to do."""
    return (
        f"The upload has {found}; expected at most {max_bytes:,} bytes: "
        "send a smaller picture, or raise SHIZI_MAX_BYTES."
    )

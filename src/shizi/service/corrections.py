"""Corrections over HTTP: `/ocr/corrections`, as docs/http.md has it. Off unless SHIZI_CORRECTIONS is set.

Takes a line's picture, or its page and polygon, with the right text; has the line cut out where files are read, and
keeps it. Knows nothing of how a line is cut or learned from. Nothing of it enters a log.
"""

import datetime
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shizi.corrections import LONGEST_TEXT, Corrections, Given, Place, Retention
from shizi.errors import AccessError, InputError, OptionsError, Unavailable, UnsupportedFormat
from shizi.geometry import Polygon
from shizi.service import bodies
from shizi.service.answers import CorrectionAnswer, CorrectionsAnswer, CorrectionsGone
from shizi.service.api import service
from shizi.service.contract import describes
from shizi.service.schemas import correction_bodies

routes = Blueprint("corrections", __name__, url_prefix="/ocr")

_SWEEP_SECONDS = 3600.0
_LONGEST_SENT = 1000
_LONGEST_NAME = 64  # of a key
_Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-100_000, le=1_000_000)]
_Corner = Annotated[list[_Coordinate], Field(min_length=2, max_length=2)]


class Keeper(Corrections):
    """The corrections of a service: what is too old goes while it runs, whether or not new ones come."""

    def __init__(self, folder: Path, retention: Retention) -> None:
        super().__init__(folder, retention)
        self._closing = threading.Event()
        threading.Thread(target=self._look_after, daemon=True, name="corrections").start()

    def close(self) -> None:
        """Sweep no more, and close the file."""
        self._closing.set()
        super().close()

    def _look_after(self) -> None:
        while not self._closing.wait(_SWEEP_SECONDS):
            try:
                self.sweep()
            except Unavailable:
                continue  # an hour later it may be written again


class _Body(BaseModel):
    """What a caller says of a line, beside its picture."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(min_length=1, max_length=_LONGEST_SENT)
    read: str = Field("", max_length=_LONGEST_SENT)
    model: str = Field("", max_length=100)
    margins: bool = False
    page: int = Field(1, ge=1, le=1_000_000)
    polygon: list[_Corner] | None = Field(None, min_length=4, max_length=4)
    rotation: Literal[0, 90, 180, 270] = 0
    vertical: bool = False
    password: str = Field("", max_length=1000)


class _JsonBody(_Body):
    line: str | None = None
    image: str | None = None


_Kind = TypeVar("_Kind", bound=_Body)


@routes.get("/corrections")
@describes(CorrectionsAnswer, refusals=(429,))
def tell_corrections() -> ResponseReturnValue:
    """Say whether this service keeps corrections, and how long a line's text may be."""
    here = service().corrections
    return jsonify(success=True, kept=here is not None, longest_text=LONGEST_TEXT, request_id=g.request_id)


@routes.post("/corrections")
@describes(
    CorrectionAnswer,
    refusals=(400, 401, 403, 413, 415, 422, 429, 500, 503, 504),
    bodies=correction_bodies,
)
def correct_line() -> ResponseReturnValue:
    """Keep the right text of a line, for the recogniser to learn from."""
    here = service()
    here.gate.check_open()
    corrections = _corrections()
    data, body = _parse()
    sender = g.key.name if "key" in g else ""
    strip = here.readings.corrected(data, _given(body))
    outcome = corrections.keep(strip, body.read, body.model, sender)
    return jsonify(success=True, outcome=outcome, id=strip.digest[:16], text=strip.text, request_id=g.request_id)


@routes.delete("/corrections")
@describes(
    CorrectionsGone,
    refusals=(400, 401, 403, 429, 503),
    query={
        "sender": {"type": "string", "maxLength": _LONGEST_NAME, "description": "only what the key of this name sent"},
        "before": {"type": "string", "format": "date", "description": "only what was kept before this day (UTC)"},
    },
)
def purge_corrections() -> ResponseReturnValue:
    """Delete the lines that were kept: all, or those of one sender, or of before a day."""
    corrections = _corrections()
    strange = sorted(set(request.args) - {"sender", "before"})
    if strange:
        raise OptionsError(f"Option {strange[0][:40]!r} is not known; expected sender or before.")
    sender = request.args.get("sender")
    if sender is not None and len(sender) > _LONGEST_NAME:
        raise OptionsError(f"The sender has {len(sender)} characters; expected a key's name, {_LONGEST_NAME} at most.")
    dropped = corrections.purge(sender, _day(request.args.get("before")))
    return jsonify(success=True, dropped=dropped, request_id=g.request_id)


def _corrections() -> Corrections:
    found = service().corrections
    if found is None:
        raise AccessError("This service keeps no corrections; its operator can, with SHIZI_CORRECTIONS.")
    return found


def _day(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.UTC).timestamp()
    except ValueError as error:
        raise OptionsError(f"The day before which to delete is {text[:20]!r}; expected one like 2026-11-26.") from error


def _parse() -> tuple[bytes, _Body]:
    """Take the picture and what is said of it out of the request: JSON, or a form with one file."""
    settings, kind = service().settings, request.mimetype
    bodies.bound(request, settings, bodies.JSON_OVERHEAD if kind == "application/json" else 1)
    if kind == "application/json":
        sent = _validated(_JsonBody, bodies.json_text(request))
        body: _Body = sent
        if (sent.line is None) == (sent.image is None):
            raise InputError(
                "Expected one of 'line' (the line's picture) and 'image' (the page), in base64 or as a data URL."
            )
        name = "image" if sent.line is None else "line"
        data = bodies.decode_base64(sent.line or sent.image or "", name)
    elif kind == "multipart/form-data":
        name, data = _file()
        body = _validated(_Body, json.dumps(_typed(bodies.single_values(request.form))).encode())
    else:
        raise UnsupportedFormat(f"The content type is {kind[:80]!r}; expected application/json or multipart/form-data.")
    if (name == "image") != (body.polygon is not None):
        raise InputError(
            "A page ('image') needs the 'polygon' of its line, and a line's own picture ('line') has none."
        )
    bodies.check_size((bodies.Upload("", data),), settings.max_bytes)
    return data, body


def _file() -> tuple[str, bytes]:
    names = [name for name, _ in request.files.items(multi=True)]
    if len(names) != 1 or names[0] not in ("line", "image"):
        raise InputError("Expected one file in the form, under 'line' (the line's picture) or 'image' (the page).")
    return names[0], request.files[names[0]].read()


def _typed(form: Mapping[str, str]) -> dict[str, object]:
    """Take a form's texts for what they stand for: what is no text is written as in JSON."""
    values: dict[str, object] = dict(form)
    for name in set(values) & {"margins", "page", "polygon", "rotation", "vertical"}:
        if len(form[name]) > _LONGEST_SENT:
            continue
        try:
            values[name] = json.loads(form[name])
        except (ValueError, RecursionError):
            continue  # told by its type
    return values


def _validated(kind: type[_Kind], data: bytes) -> _Kind:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:60]
        where = f"The key {place!r} is not usable" if place else "The body is not usable"
        raise InputError(f"{where}: {first['msg'].removeprefix('Invalid JSON: ')}; see docs/http.md.") from error


def _given(body: _Body) -> Given:
    if body.polygon is None:
        return Given(body.text, margins=body.margins)
    polygon = Polygon.from_points(body.polygon)
    return Given(body.text, Place(polygon, body.page, body.rotation, body.vertical, body.password))

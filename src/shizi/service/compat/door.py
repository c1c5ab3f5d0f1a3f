"""The way all drop-in endpoints read: bodies under the limits, one picture through the gate, errors in their shape.

Takes requests of any service's shape, gives documents; a service's file says how both look.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from pydantic_core import from_json
from werkzeug.exceptions import HTTPException

from shizi.document import Document, Page
from shizi.errors import Busy, InputError, QuotaSpent, ShiziError
from shizi.geometry import Polygon
from shizi.options import ReadOptions
from shizi.service import bodies
from shizi.service.api import gone, read_all, service
from shizi.service.refusals import note, translate
from shizi.service.terms import Terms

Seen = TypeVar("Seen")


def read(data: bytes, **options: str) -> Document:
    """Read one picture or document. Raises what reading it raises, TooLarge past the limit, Busy at the gate."""
    here = service()
    here.gate.check_open()
    upload = bodies.Upload("", data)
    bodies.check_size((upload,), here.settings.max_bytes)
    [result] = read_all([upload], ReadOptions.parse(options), Terms())[0]
    if isinstance(result, ShiziError):
        raise result
    return result.document


def look(data: bytes, look: Callable[[bytes], Seen]) -> Seen:
    """Give what `look` sees in a file, where files are read. Raises what that raises, Busy at the gate."""
    here = service()
    here.gate.check_open()
    return here.readings.look(data, look, partial(gone, request.environ))


def bound(overhead: float, most_bytes: int | None = None) -> None:
    """Limit the body of the current request (to what the settings allow of pictures); before anything is read."""
    settings = service().settings
    if most_bytes is not None:
        settings = settings.model_copy(update={"max_bytes": most_bytes})
    bodies.bound(request, settings, overhead)


def json_object() -> dict[str, Any]:
    """Give the body as a JSON object, whatever its content type says. Raises InputError when it is none."""
    bound(bodies.JSON_OVERHEAD)
    try:
        values = from_json(bodies.json_text(request), allow_inf_nan=False)
    except ValueError as error:
        raise InputError("The body is not JSON.") from error
    if not isinstance(values, dict):
        raise InputError("The body is no JSON object.")
    return values


def answer(values: object, status: int = 200) -> Response:
    """Give JSON with Chinese as it is."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text, status, content_type="application/json")


def errors_as(routes: Blueprint, shape: Callable[[ShiziError], Response]) -> None:
    """Let every error of `routes` be answered as `shape` writes it, with Retry-After where there is one."""

    def refuse(error: Exception) -> ResponseReturnValue:
        if isinstance(error, HTTPException) and error.code and error.code < 400:
            return error.get_response()
        known = translate(error)
        note(known.code)
        response = shape(known)
        if isinstance(known, (Busy, QuotaSpent)):
            response.headers["Retry-After"] = str(known.retry_seconds)
        return response

    for kind in (ShiziError, HTTPException, Exception):
        routes.register_error_handler(kind, refuse)


def corners(polygon: Polygon, page: Page) -> list[tuple[float, float]]:
    """Give the corners of `polygon` in the picture as it was sent: those services do not turn it."""
    width, height = page.width, page.height
    back: dict[int, Callable[[float, float], tuple[float, float]]] = {
        0: lambda x, y: (x, y),
        90: lambda x, y: (y, width - x),
        180: lambda x, y: (width - x, height - y),
        270: lambda x, y: (height - y, x),
    }
    return [(round(x, 1), round(y, 1)) for x, y in (back[page.rotation](x, y) for x, y in polygon.corners)]


def bounds(points: list[tuple[float, float]]) -> tuple[int, int, int, int]:
    """Give left, top, right, bottom in whole pixels around `points`."""
    across, down = [x for x, _ in points], [y for _, y in points]
    return round(min(across)), round(min(down)), round(max(across)), round(max(down))

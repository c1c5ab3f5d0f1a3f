"""The route `/ocr/picture`: one page of a file as a JPEG, for callers that show what was read beside its text.

Takes what `bodies` took out of a request, gives a picture. Knows nothing of how a page is drawn.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from shizi.errors import OptionsError
from shizi.pages.picture import Wanted
from shizi.service import bodies
from shizi.service.api import gone, service
from shizi.service.contract import describes
from shizi.service.schemas import picture_bodies
from shizi.service.settings import Settings

pictures = Blueprint("pictures", __name__, url_prefix="/ocr")

_MEDIA_TYPE = "image/jpeg"
_QUERY: dict[str, dict[str, Any]] = {
    "page": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1, "description": "which, from 1"},
    "side": {"type": "integer", "minimum": 16, "maximum": 8192, "default": 2400, "description": "longest, in pixels"},
    "rotation": {"type": "integer", "enum": [0, 90, 180, 270], "default": 0, "description": "degrees clockwise"},
    "password": {"type": "string", "maxLength": 1000, "default": "", "description": "opens an encrypted PDF"},
}


def _bodies(settings: Settings) -> dict[str, Any]:
    """Give the schemas of the ways the file may come: as for a reading, with this route's own values beside it."""
    schemas = picture_bodies(settings)
    for name, kind in (("image", "application/json"), ("file", "multipart/form-data")):
        schema = schemas[kind]["schema"]
        schemas[kind]["schema"] = schema | {"properties": {name: schema["properties"][name], **_QUERY}}
    return schemas


@pictures.post("/picture")
@describes(
    _MEDIA_TYPE,
    refusals=(400, 401, 403, 413, 415, 422, 429, 500, 503, 504),
    bodies=_bodies,
    query=_QUERY,
)
def picture() -> ResponseReturnValue:
    """Give a page as a JPEG, upright if `rotation` is that of its reading; `X-Page-Count` tells how many there are."""
    here = service()
    here.gate.check_open()
    most = max(here.settings.max_bytes, here.settings.job_bytes) if here.jobs else here.settings.max_bytes
    uploads, given, query = bodies.take(request, here.settings.model_copy(update={"max_bytes": most}))
    if len(uploads) > 1:
        raise OptionsError(f"The request has {len(uploads)} files; expected one: ask for each by itself.")
    wanted = _wanted({**query, **given}, here.settings)
    drawn, pages = here.readings.picture(uploads[0].data, wanted, partial(gone, request.environ))
    response = Response(drawn, content_type=_MEDIA_TYPE)
    response.headers["X-Page-Count"] = str(pages)
    return response


def _wanted(values: Mapping[str, object], settings: Settings) -> Wanted:
    """Read the values of a request. Raises OptionsError naming the first that is unknown or refused."""
    unknown = sorted(set(values) - set(_QUERY))
    if unknown:
        raise OptionsError(f"Unknown option {unknown[0][:40]!r}; known are {', '.join(_QUERY)}.")
    password = values.get("password", "")
    if not isinstance(password, str) or len(password) > _QUERY["password"]["maxLength"]:
        raise OptionsError("Option 'password' is not a text of at most 1000 characters.")
    return Wanted(
        number=_whole("page", values), side=_whole("side", values), rotation=_whole("rotation", values),
        password=password, limits=settings.limits,
    )  # fmt: skip


def _whole(name: str, values: Mapping[str, object]) -> int:
    told = _QUERY[name]
    given = values.get(name, told["default"])
    text = str(given)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 and given is not True else -1
    if "enum" in told and number not in told["enum"]:
        raise OptionsError(f"Option {name!r} is {text[:40]!r}; expected one of {', '.join(map(str, told['enum']))}.")
    if "minimum" in told and not told["minimum"] <= number <= told["maximum"]:
        expected = f"a whole number from {told['minimum']} to {told['maximum']}"
        raise OptionsError(f"Option {name!r} is {text[:40]!r}; expected {expected}.")
    return number

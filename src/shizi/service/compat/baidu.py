"""Baidu's OCR: `/rest/2.0/ocr/v1/{general_basic,general,accurate_basic,accurate,vat_invoice,table}` and its tokens.

Shapes: https://cloud.baidu.com/doc/OCR/s/zk3h7xz52 (general_basic), /s/vk3h7y58v (general), /s/1k3h7y3db
(accurate_basic), /s/tk3h7y2aq (accurate), /s/nk3h7xy2t (vat_invoice), /s/Al1zvpylt (table), /s/dk3h7y5vr (errors);
https://cloud.baidu.com/doc/REFERENCE/s/Ck3dwjhhu (tokens); and the package baidu-aip on PyPI. Errors have status 200
and an `error_code`, as there. `client_id` is the name of a shizi key, `client_secret` the key; a service without keys
gives a token to anyone. `url` is refused: this service fetches nothing.
"""

import hashlib
import secrets
from statistics import fmean, pvariance
from typing import Any

from flask import Blueprint, Response, g, request

from shizi.document import Document, Line, Page
from shizi.errors import AccessError, InputError, KeyMissing, OptionsError, QuotaSpent, ShiziError
from shizi.geometry import Polygon
from shizi.service import access, bodies
from shizi.service.api import service
from shizi.service.compat import baidu_forms, door
from shizi.service.refusals import note

routes = Blueprint("baidu", __name__)

_TEXT = ("general_basic", "general", "accurate_basic", "accurate")
_OAUTH_SCOPE = "public brain_all_scope vis-ocr_ocr brain_ocr_scope brain_ocr_general brain_ocr_general_basic"
_MESSAGES = {
    2: "Service temporarily unavailable",
    3: "Unsupported openapi method",
    6: "No permission to access data",
    17: "Open api daily request limit reached",
    18: "Open api qps request limit reached",
    100: "Invalid parameter",
    110: "Access token invalid or no longer valid",
    216100: "invalid param",
    216101: "not enough param",
    216102: "service not support",
    216200: "empty image",
    216201: "image format error",
    216202: "image size error",
    282000: "internal error",
    282102: "target detect error",
}
_CODES = {
    "input": 216201,
    "unsupported_format": 216201,
    "damaged_file": 216201,
    "encrypted_pdf": 216201,
    "too_large": 216202,
    "options": 216100,
    "busy": 18,
    "stopping": 2,
    "worker_lost": 2,
    "deadline": 2,
    "key_missing": 110,
    "key_refused": 110,
    "access": 6,
    "quota_spent": 18,
}
_DAILY_SECONDS = 60  # a rate comes free within a minute; a longer wait is that for the next day's quota


class _Refused(Exception):
    """Says a refusal that Baidu has a number of its own for."""

    def __init__(self, number: int, detail: str = "") -> None:
        super().__init__(f"{_MESSAGES[number]}{': ' if detail else ''}{detail}")
        self.number = number


@routes.route("/oauth/2.0/token", methods=["GET", "POST"])
def token() -> Response:
    """Give a token for a key, in exchange for the key's name and the key."""
    door.bound(0.01)
    given = request.values
    if given.get("grant_type") != "client_credentials":
        return _no_token("unsupported_grant_type", "The authorization grant type is not supported", 400)
    keys = service().keys
    made = secrets.token_hex(16)
    if keys is not None:
        try:
            key = keys.find(given.get("client_secret", ""))
        except AccessError:
            return _no_token("invalid_client", "Client authentication failed", 401)
        if key.name != given.get("client_id"):
            return _no_token("invalid_client", "unknown client id", 401)
        made = keys.issue_token(key)
    return door.answer(
        {
            "refresh_token": f"25.{secrets.token_hex(16)}",
            "expires_in": access.TOKEN_SECONDS,
            "session_key": "",
            "access_token": f"24.{made}.{access.TOKEN_SECONDS}",
            "scope": _OAUTH_SCOPE,
            "session_secret": "",
        }
    )


@routes.post(f"/rest/2.0/ocr/v1/<any({','.join(_TEXT)}):kind>")
def text(kind: str) -> Response:
    """Read the text of a picture; `general` and `accurate` tell places too."""
    data, options = _order()
    placed = not kind.endswith("_basic")
    chars = placed and _form("recognize_granularity") == "small"
    detail = "character" if chars or _wanted("probability") else "line"
    mode = "accurate" if kind.startswith("accurate") else "auto"
    document = door.read(data, mode=mode, detail=detail, **options)
    pages = document.pages
    values: dict[str, Any] = {
        "words_result": [_line(line, page, placed, chars) for page in pages for line in page.lines],
        "words_result_num": sum(len(page.lines) for page in pages),
    }
    if _wanted("detect_direction"):
        # Their direction says how far the picture was turned anticlockwise: as far as it has to be turned back.
        values["direction"] = pages[0].rotation // 90 if values["words_result"] else -1
    if _wanted("detect_language"):
        values["language"] = _language(document)
    if _wanted("paragraph"):
        values["paragraphs_result"] = [
            {"words_result_idx": list(block.lines)} for block in pages[0].blocks if block.lines
        ]
        values["paragraphs_result_num"] = len(values["paragraphs_result"])
    return _answer(values)


@routes.post("/rest/2.0/ocr/v1/vat_invoice")
def vat_invoice() -> Response:
    """Read a VAT invoice's fields."""
    data, options = _order()
    values = baidu_forms.vat_invoice(door.read(data, fields="auto", **options))
    if values is None:
        raise _Refused(282102)
    return _answer({"words_result": values, "words_result_num": len(values)})


@routes.post("/rest/2.0/ocr/v1/table")
def table() -> Response:
    """Read a picture's tables."""
    data, options = _order()
    document = door.read(data, tables="auto", **options)
    values = baidu_forms.tables(document, _wanted("cell_contents"))
    if _wanted("return_excel"):
        values["excel_file"] = baidu_forms.excel(document)
    return _answer(values)


@routes.route("/rest/2.0/<path:rest>", methods=["GET", "POST"])
def unknown(rest: str) -> Response:
    """Say that this part of Baidu's service is not here, in its words."""
    raise _Refused(3)


def _order() -> tuple[bytes, dict[str, str]]:
    """Check who asks; take the picture or document, and which page of it."""
    door.bound(bodies.FORM_OVERHEAD)
    keys = service().keys
    if keys is not None:
        g.key = access.permit(keys, _caller(keys), "read")
    if "image" in request.form:
        return _decoded("image"), {"pages": "1"}
    if "url" in request.form:
        raise _Refused(216102, "this service fetches nothing; send the picture as image")
    for kind in ("pdf_file", "ofd_file"):
        if kind in request.form:
            number = _form(f"{kind}_num") or "1"
            if not number.isascii() or not number.isdigit():
                raise _Refused(216100, f"{kind}_num")
            return _decoded(kind), {"pages": number}
    raise _Refused(216101, "image")


def _caller(keys: access.Keys) -> access.Key:
    if given := access.key_of(request):
        return keys.find(given)
    parts = request.values.get("access_token", "").split(".")
    if len(parts) < 2:
        raise KeyMissing("No access_token came with the request.")
    return keys.find_token(parts[1])


def _decoded(name: str) -> bytes:
    text = request.form[name].replace(" ", "+")  # a + that was not encoded arrives as a space
    if not text.strip():
        raise _Refused(216200)
    return bodies.decode_base64(text, name)


def _form(name: str) -> str:
    return request.form.get(name, "").strip()


def _wanted(name: str) -> bool:
    return _form(name).lower() == "true"


def _line(line: Line, page: Page, placed: bool, chars: bool) -> dict[str, Any]:
    values: dict[str, Any] = {"words": line.text}
    if _wanted("probability"):
        values["probability"] = _probability(line)
    if placed:
        values["location"] = location(line.polygon, page)
        if _wanted("vertexes_location"):
            corners = [{"x": round(x), "y": round(y)} for x, y in door.corners(line.polygon, page)]
            values |= {"vertexes_location": corners, "finegrained_vertexes_location": corners}
            values["min_finegrained_vertexes_location"] = corners
        if chars:
            values["chars"] = [_char(*each, page) for each in _chars_of(line)]
    return values


def _chars_of(line: Line) -> list[tuple[str, float, Polygon]]:
    """Give each character with its confidence and place: a share of its word's length."""
    return [
        (char.text, char.confidence, word.polygon.part(*_within(word.chars, char), line.vertical))
        for word in line.words
        for char in word.chars
    ]


def _within(chars: Any, char: Any) -> tuple[float, float]:
    """Turn a character's shares of its line into shares of its word, whose ends are its first and last character's."""
    start, end = chars[0].start, chars[-1].end
    length = max(end - start, 1e-6)
    return (char.start - start) / length, (char.end - start) / length


def _char(text: str, confidence: float, polygon: Polygon, page: Page) -> dict[str, Any]:
    values: dict[str, Any] = {"char": text, "location": location(polygon, page)}
    if _wanted("char_probability"):
        values["char_prob"] = round(confidence, 6)
    return values


def _probability(line: Line) -> dict[str, float]:
    each = [char.confidence for word in line.words for char in word.chars] or [line.confidence]
    return {"average": round(fmean(each), 6), "variance": round(pvariance(each), 6), "min": round(min(each), 6)}


def location(polygon: Polygon, page: Page) -> dict[str, int]:
    """Give the upright rectangle around `polygon` in the picture as it was sent."""
    left, top, right, bottom = door.bounds(door.corners(polygon, page))
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}


def _language(document: Document) -> int:
    """Name the language by their numbers: -1 unknown, 0 English, 1 Japanese, 2 Korean, 3 Chinese."""
    text = document.text
    counts = {
        1: sum("\u3040" <= character <= "\u30ff" for character in text),
        2: sum("\uac00" <= character <= "\ud7a3" for character in text),
        3: sum("\u4e00" <= character <= "\u9fff" for character in text),
    }
    if counts[1] * 5 > counts[3] and counts[1]:
        return 1  # Japanese mixes kana with as many Chinese characters
    most = max(counts, key=lambda number: counts[number])
    if counts[most]:
        return most
    return 0 if any(character.isalpha() for character in text) else -1


def _log_id() -> int:
    """Give the request's id as the number their answers carry."""
    return int.from_bytes(hashlib.sha256(g.request_id.encode()).digest()[:8]) >> 1


def _answer(values: dict[str, Any]) -> Response:
    return door.answer({**values, "log_id": _log_id()})


def _no_token(error: str, description: str, status: int) -> Response:
    return door.answer({"error": error, "error_description": description}, status)


def _refuse(error: ShiziError) -> Response:
    number = _CODES.get(error.code, 282000)
    if isinstance(error, QuotaSpent) and error.retry_seconds > _DAILY_SECONDS:
        number = 17
    told = f": {error.message}" if isinstance(error, (InputError, OptionsError)) else ""
    return _failure(number, f"{_MESSAGES[number]}{told}")


def _refuse_number(error: _Refused) -> Response:
    note(f"baidu_{error.number}")
    return _failure(error.number, str(error))


def _failure(number: int, message: str) -> Response:
    return door.answer({"log_id": str(_log_id()), "error_code": number, "error_msg": message})


door.errors_as(routes, _refuse)
routes.register_error_handler(_Refused, _refuse_number)

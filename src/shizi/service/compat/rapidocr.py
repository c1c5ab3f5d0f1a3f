"""rapidocr_api: `POST /ocr` with a picture as a file or in base64, lines by number.

Shape: https://rapidai.github.io/RapidOCRDocs/main/install_usage/rapidocr_api/usage/ and the package rapidocr_api
0.2.0 on PyPI. Of a document of several pages the first is read, as there. `use_det=false` and `use_rec=false`, which
fail there with status 500, are refused by name in the shape of FastAPI's own refusals (422).
"""

from flask import Blueprint, Response, request

from shizi.errors import InputError, OptionsError, ShiziError
from shizi.service import bodies
from shizi.service.compat import door

routes = Blueprint("rapidocr", __name__)

_TRUE = {"true", "1", "on", "yes", "t", "y"}
_FALSE = {"false", "0", "off", "no", "f", "n"}


@routes.get("/")
def welcome() -> Response:
    """Greet, as the original does."""
    return door.answer({"message": "Welcome to RapidOCR API Server!"})


@routes.post("/ocr")
def ocr() -> Response:
    """Read one picture."""
    door.bound(bodies.FORM_OVERHEAD)
    for name in ("use_det", "use_rec"):
        if _switch(name) is False:
            raise OptionsError(f"{name}=false cannot be had here: lines are always found and read.")
    data = _picture()
    document = door.read(data, orientation="none" if _switch("use_cls") is False else "auto", pages="1")
    page = document.pages[0]
    return door.answer(
        {
            str(number): {
                "rec_txt": line.text,
                "dt_boxes": [list(corner) for corner in door.corners(line.polygon, page)],
                "score": round(line.confidence, 5),
            }
            for number, line in enumerate(page.lines)
        }
    )


def _picture() -> bytes:
    if file := request.files.get("image_file"):
        data: bytes = file.read()
        return data
    if text := request.form.get("image_data"):
        return bodies.decode_base64(text.replace(" ", "+"), "image_data")  # + stands for a space in forms
    raise InputError("There is no picture; expected a file under 'image_file' or base64 under 'image_data'.")


def _switch(name: str) -> bool | None:
    value = request.form.get(name, "").strip().lower()
    if value and value not in _TRUE | _FALSE:
        raise OptionsError(f"{name} is no truth value; expected true or false.")
    return value in _TRUE if value else None


def _refuse(error: ShiziError) -> Response:
    status = 422 if error.http_status == 400 else error.http_status
    return door.answer({"detail": [{"type": error.code, "loc": ["body"], "msg": error.message}]}, status)


door.errors_as(routes, _refuse)

"""PaddleX serving, OCR pipeline: `POST /ocr` with base64 in JSON, one result a page.

Shape: https://paddlepaddle.github.io/PaddleX/latest/en/pipeline_usage/tutorials/ocr_pipelines/OCR.html, section 3
(API reference). Polygons are in the picture as it was sent. Parameters of its detector (`textDet...`) and
`useDocUnwarping` are checked and have no effect: shizi chooses sizes and follows bent lines by itself. A URL under
`file` is refused: this service fetches nothing.
"""

from functools import partial
from typing import Any, Literal

from flask import Blueprint, Response, g
from pydantic import BaseModel, ConfigDict, ValidationError

from shizi.document import Document, Page
from shizi.errors import InputError, OptionsError, ShiziError
from shizi.service import bodies, looks
from shizi.service.api import service
from shizi.service.compat import door

routes = Blueprint("paddlex", __name__)

_MOST_PAGES = 10  # `max_num_input_imgs`, its default
_IMAGE_SIDE = 2000  # `max_output_img_size`, its default
_DETECTION = {"limit_side_len": 64, "limit_type": "min", "thresh": 0.3, "box_thresh": 0.6, "unclip_ratio": 1.5}


class _Order(BaseModel):
    model_config = ConfigDict(extra="ignore")
    file: str
    fileType: Literal[0, 1] | None = None
    useDocOrientationClassify: bool | None = None
    useDocUnwarping: bool | None = None
    useTextlineOrientation: bool | None = None
    textDetLimitSideLen: int | None = None
    textDetLimitType: Literal["min", "max"] | None = None
    textDetThresh: float | None = None
    textDetBoxThresh: float | None = None
    textDetUnclipRatio: float | None = None
    textRecScoreThresh: float | None = None
    visualize: bool | None = None


@routes.get("/health")
def health() -> Response:
    """Say that the process answers."""
    return door.answer({"logId": g.request_id, "errorCode": 0, "errorMsg": "Healthy"})


@routes.post("/ocr")
def infer() -> Response:
    """Read one picture or document."""
    order = _order()
    data = bodies.decode_base64(order.file, "file")
    is_pdf = data.startswith(b"%PDF")
    if order.fileType is not None and is_pdf != (order.fileType == 0):
        found = "a PDF" if is_pdf else "no PDF"
        raise OptionsError(f"fileType is {order.fileType}, but the file is {found}; expected 0 for PDF, 1 for images.")
    upright = order.useDocOrientationClassify is not False or order.useTextlineOrientation is not False
    document = door.read(data, orientation="auto" if upright else "none", pages=f"1-{_MOST_PAGES}" if is_pdf else "1")
    images = _images(data, document) if order.visualize is not False else [{} for _ in document.pages]
    results = [
        {"prunedResult": _pruned(page, upright, order.textRecScoreThresh or 0.0), **drawn}
        for page, drawn in zip(document.pages, images, strict=True)
    ]
    result = {"ocrResults": results, "dataInfo": _data_info(document, is_pdf)}
    return door.answer({"logId": g.request_id, "result": result, "errorCode": 0, "errorMsg": "Success"})


def _order() -> _Order:
    try:
        order = _Order.model_validate(door.json_object())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise OptionsError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if order.file.startswith(("http://", "https://")):
        raise OptionsError("file is a URL, and this service fetches nothing; expected the file in base64.")
    return order


def _pruned(page: Page, upright: bool, threshold: float) -> dict[str, Any]:
    lines = [line for line in page.lines if line.confidence >= threshold]
    polygons = [_whole(page, line.polygon) for line in lines]
    return {
        "model_settings": {"use_doc_preprocessor": False, "use_textline_orientation": upright},
        "dt_polys": polygons,
        "text_det_params": _DETECTION,
        "text_type": "general",
        "textline_orientation_angles": [-1] * len(lines),
        "text_rec_score_thresh": threshold,
        "rec_texts": [line.text for line in lines],
        "rec_scores": [round(line.confidence, 5) for line in lines],
        "rec_polys": polygons,
        "rec_boxes": [list(door.bounds(door.corners(line.polygon, page))) for line in lines],
    }


def _whole(page: Page, polygon: Any) -> list[list[int]]:
    return [[round(x), round(y)] for x, y in door.corners(polygon, page)]


def _data_info(document: Document, is_pdf: bool) -> dict[str, Any]:
    sizes = [{"width": width, "height": height} for width, height in map(_size_as_sent, document.pages)]
    if is_pdf:
        return {"numPages": len(sizes), "pages": sizes, "type": "pdf"}
    return {**sizes[0], "type": "image"}


def _size_as_sent(page: Page) -> tuple[int, int]:
    return (page.height, page.width) if page.rotation % 180 else (page.width, page.height)


def _images(data: bytes, document: Document) -> list[dict[str, str]]:
    """Give each page as it was sent, and with its lines framed, as JPEG in base64."""
    frames = {page.number: [door.corners(line.polygon, page) for line in page.lines] for page in document.pages}
    look = partial(looks.framed, frames=frames, side=_IMAGE_SIDE, limits=service().settings.limits)
    return [{"ocrImage": drawn, "inputImage": plain} for drawn, plain in door.look(data, look)]


def _refuse(error: ShiziError) -> Response:
    status = 422 if isinstance(error, (OptionsError, InputError)) and error.http_status != 413 else error.http_status
    return door.answer({"logId": g.request_id, "errorCode": status, "errorMsg": error.message}, status)


door.errors_as(routes, _refuse)

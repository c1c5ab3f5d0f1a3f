"""Umi-OCR: `/api/ocr`, `/api/ocr/get_options` and `/api/qrcode`.

Shape: https://github.com/hiroi-sora/Umi-OCR/blob/main/docs/http/api_ocr.md and api_qrcode.md. Its answers have status
200 always; `code` 100 is success, 101 nothing found, and any other a failure with its reason in `data`.
"""

import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response

from shizi.document import Document, Line, Page
from shizi.errors import InputError, OptionsError, ShiziError
from shizi.service import bodies
from shizi.service.compat import door, umi_qrcode

routes = Blueprint("umi", __name__)

# Failures: the numbers of its own server where it has one; 9.. for those that only a service for many can have.
_CODES = {"input": 800, "options": 804, "busy": 910, "stopping": 911, "key_missing": 920, "key_refused": 921}
_CODES |= {"quota_spent": 922, "access": 921, "internal": 900, "worker_lost": 912, "deadline": 913}
_FAILED = 901

_PARSERS = {
    "multi_para": "多栏-按自然段换行",
    "multi_line": "多栏-总是换行",
    "multi_none": "多栏-无换行",
    "single_para": "单栏-按自然段换行",
    "single_line": "单栏-总是换行",
    "single_none": "单栏-无换行",
    "single_code": "单栏-保留缩进",
    "none": "不做处理",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "ocr.language": {
        "title": "语言/模型库",
        "optionsList": [["models/config_chinese.txt", "简体中文"], ["models/config_en.txt", "English"]],
        "type": "enum",
        "default": "models/config_chinese.txt",
    },
    "ocr.cls": {
        "title": "纠正文本方向",
        "default": False,
        "toolTip": "启用方向分类，识别倾斜或倒置的文本。可能降低识别速度。",
        "type": "boolean",
    },
    "ocr.limit_side_len": {
        "title": "限制图像边长",
        "optionsList": [[960, "960 （默认）"], [2880, "2880"], [4320, "4320"], [999999, "无限制"]],
        "toolTip": "将边长大于该值的图片进行压缩，可以提高识别速度。可能降低识别精度。",
        "type": "enum",
        "default": 960,
    },
    "tbpu.parser": {
        "title": "排版解析方案",
        "toolTip": "按什么方式，解析和排序图片中的文字块",
        "default": "multi_para",
        "optionsList": [[name, title] for name, title in _PARSERS.items()],
        "type": "enum",
    },
    "tbpu.ignoreArea": {
        "title": "忽略区域",
        "toolTip": "数组，每一项为[[左上角x,y],[右下角x,y]]。",
        "default": [],
        "type": "var",
    },
    "data.format": {
        "title": "数据返回格式",
        "toolTip": '返回值字典中，["data"] 按什么格式表示OCR结果数据',
        "default": "dict",
        "optionsList": [["dict", "含有位置等信息的原始字典"], ["text", "纯文本"]],
        "type": "enum",
    },
}


@routes.get("/api/ocr/get_options")
def options() -> Response:
    """Give the options that `/api/ocr` takes."""
    return door.answer(OPTIONS)


@routes.post("/api/ocr")
def ocr() -> Response:
    """Read one picture."""
    timestamp, started = time.time(), time.perf_counter()
    order = door.json_object()
    if not order:
        return _failure(801, "请求为空。")
    if "base64" not in order:
        return _failure(802, "请求中缺少 base64 字段。")
    chosen = order.get("options", {})
    if not isinstance(chosen, dict):
        return _failure(803, "请求中 options 字段必须为字典。")
    chosen = {name: chosen.get(name, option["default"]) for name, option in OPTIONS.items()}
    areas = _areas(chosen["tbpu.ignoreArea"])
    if not isinstance(order["base64"], str):
        raise InputError("The key 'base64' is no string.")
    document = door.read(bodies.decode_base64(order["base64"], "base64"), pages="1")
    found = list(lines_of(document.pages[0], chosen["tbpu.parser"], areas))
    times = {"time": round(time.perf_counter() - started, 4), "timestamp": timestamp}
    if not found:
        return door.answer({"code": 101, "data": "No text found in image.", **times})
    text = chosen["data.format"] == "text"
    return door.answer({"code": 100, "data": text_of(found) if text else found, **times})


@routes.post("/api/qrcode")
def qrcode() -> Response:
    """Read the QR codes and barcodes of a picture, or draw one."""
    order = door.json_object()
    if not order:
        return _failure(801, "请求为空。")
    if "base64" in order:
        return door.answer(umi_qrcode.read(order))
    if "text" in order:
        return door.answer(umi_qrcode.draw(order))
    return _failure(802, '指令中不存在 "base64" 或 "text"')


def lines_of(
    page: Page, parser: str = "multi_para", areas: list[tuple[float, float, float, float]] | None = None
) -> Iterator[dict[str, Any]]:
    """Give a page's lines as Umi-OCR does, each with what ends it by the `parser`; not those inside an ignored area."""
    if parser not in _PARSERS:
        raise OptionsError(f"tbpu.parser is {str(parser)[:40]!r}; expected one of {', '.join(_PARSERS)}.")
    ends = _paragraph_ends(page)
    kept = [
        (number, line)
        for number, line in enumerate(page.lines)
        if not any(_inside(door.bounds(door.corners(line.polygon, page)), area) for area in areas or ())
    ]
    left = min((line.polygon.bounds[0] for _, line in kept), default=0.0)
    for place, (number, line) in enumerate(kept):
        following = kept[place + 1][1] if place + 1 < len(kept) else None
        text = line.text
        if parser == "single_code":
            text = " " * round((line.polygon.bounds[0] - left) / _character_width(line)) + text
        yield {
            "text": text,
            "score": round(line.confidence, 5),
            "box": [list(corner) for corner in door.corners(line.polygon, page)],
            "end": _end(parser, line, following, number in ends),
        }


def text_of(lines: list[dict[str, Any]]) -> str:
    """Join lines by what ends each."""
    return "".join(line["text"] + line["end"] for line in lines)


def pages_of(document: Document, parser: str) -> list[list[dict[str, Any]]]:
    """Give the lines of each page."""
    return [list(lines_of(page, parser)) for page in document.pages]


def _paragraph_ends(page: Page) -> set[int]:
    return {block.lines[-1] for block in page.blocks if block.lines}


def _end(parser: str, line: Line, following: Line | None, closes: bool) -> str:
    if following is None:
        return "\n"
    if parser.endswith(("_line", "_code")) or parser == "none" or (parser.endswith("_para") and closes):
        return "\n"
    # Words of Latin letters need a space between them, Chinese none.
    return " " if line.text[-1:].isascii() and following.text[:1].isascii() else ""


def _character_width(line: Line) -> float:
    left, _, right, _ = line.polygon.bounds
    halves = sum(1 if character.isascii() else 2 for character in line.text)
    return max(1.0, (right - left) / max(1, halves))


def _areas(given: object) -> list[tuple[float, float, float, float]]:
    try:
        return [(float(a), float(b), float(c), float(d)) for (a, b), (c, d) in given]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise OptionsError("tbpu.ignoreArea: expected a list of [[x1, y1], [x2, y2]].") from error


def _inside(box: tuple[float, float, float, float], area: tuple[float, float, float, float]) -> bool:
    return box[0] >= area[0] and box[1] >= area[1] and box[2] <= area[2] and box[3] <= area[3]


def _failure(code: int, reason: str) -> Response:
    return door.answer({"code": code, "data": reason})


def _refuse(error: ShiziError) -> Response:
    return _failure(_CODES.get(error.code, _FAILED), f"[Error] {error.message}")


door.errors_as(routes, _refuse)

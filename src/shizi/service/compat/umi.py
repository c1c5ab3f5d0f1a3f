"""Umi-OCR: `/api/ocr`, `/api/qrcode`, `/api/doc/...` and their options.

Shape: https://github.com/hiroi-sora/Umi-OCR/blob/main/docs/http/api_ocr.md and api_qrcode.md. Its answers have status
200 always; `code` 100 is success, 101 nothing found, and any other a failure with its reason in `data`.
"""

import time
from typing import Any

from flask import Blueprint, Response

from shizi.errors import InputError, ShiziError
from shizi.service import bodies
from shizi.service.compat import door, umi_document, umi_lines, umi_qrcode

routes = Blueprint("umi", __name__)

# Failures: the numbers of its own server where it has one; 9.. for those that only a service for many can have.
_CODES = {"input": 800, "options": 804, "busy": 910, "stopping": 911, "key_missing": 920, "key_refused": 921}
_CODES |= {"quota_spent": 922, "access": 921, "internal": 900, "worker_lost": 912, "deadline": 913}
_FAILED = 901

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
        "optionsList": [[name, title] for name, title in umi_lines.PARSERS.items()],
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
    areas = umi_lines.areas(chosen["tbpu.ignoreArea"])
    if not isinstance(order["base64"], str):
        raise InputError("The key 'base64' is no string.")
    document = door.read(bodies.decode_base64(order["base64"], "base64"), pages="1")
    found = list(umi_lines.lines_of(document.pages[0], chosen["tbpu.parser"], areas))
    times = {"time": round(time.perf_counter() - started, 4), "timestamp": timestamp}
    if not found:
        return door.answer({"code": 101, "data": "No text found in image.", **times})
    text = chosen["data.format"] == "text"
    return door.answer({"code": 100, "data": umi_lines.text_of(found) if text else found, **times})


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


@routes.get("/api/doc/get_options")
def document_options() -> Response:
    """Give the options that `/api/doc/upload` takes."""
    return door.answer({name: told for name, told in OPTIONS.items() if name != "data.format"} | umi_document.OPTIONS)


routes.add_url_rule("/api/doc/upload", "upload", umi_document.upload, methods=["POST"])
routes.add_url_rule("/api/doc/result", "result", umi_document.result, methods=["POST"])
routes.add_url_rule("/api/doc/download", "build", umi_document.build, methods=["POST"])
routes.add_url_rule("/api/doc/download/<token>/<name>", "fetch", umi_document.fetch, methods=["GET"])
routes.add_url_rule("/api/doc/clear/<job>", "clear", umi_document.clear, methods=["GET"])


def _failure(code: int, reason: str) -> Response:
    return door.answer({"code": code, "data": reason})


def _refuse(error: ShiziError) -> Response:
    return _failure(_CODES.get(error.code, _FAILED), f"[Error] {error.message}")


door.errors_as(routes, _refuse)

"""Umi-OCR's documents: `/api/doc/...` over the jobs of this service.

Shape: https://github.com/hiroi-sora/Umi-OCR/blob/main/docs/http/api_doc.md. Pages are read and kept by the jobs, as
SHIZI_JOBS says; what only Umi-OCR knows of a task (which pages its caller has seen, its parser, its download links) is
kept in memory, so that after a restart a caller sees all pages again and fetches a new link. `pdfOneLayer` cannot be
had: a PDF here keeps the page it was made of.
"""

import csv
import io
import json
import re
import secrets
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote

from flask import Response, g, request

from shizi.document import Document
from shizi.errors import OptionsError
from shizi.options import ReadOptions
from shizi.service import bodies
from shizi.service.api import service
from shizi.service.compat import door, umi_lines
from shizi.service.jobs.queue import ENDED, Order, Outcome, View
from shizi.service.jobs.routes import written
from shizi.service.jobs.runner import Runner
from shizi.service.work import check_kinds

_MOST_TASKS = 1000  # remembered in memory; the oldest are forgotten first, and lose only what is said above
_STATES = {"queued": "waiting", "running": "running", "done": "success", "failed": "failure", "cancelled": "failure"}
_PDF_SOURCES = {"mixed": "auto", "fullPage": "ocr", "imageOnly": "ocr", "textOnly": "text"}
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]')

OPTIONS: dict[str, dict[str, Any]] = {
    "tbpu.ignoreRangeStart": {
        "title": "忽略区域起始",
        "toolTip": "忽略区域生效的页数范围起始。从1开始。",
        "default": 1,
        "type": "number",
        "isInt": True,
    },
    "tbpu.ignoreRangeEnd": {
        "title": "忽略区域结束",
        "toolTip": "忽略区域生效的页数范围结束。可以用负数表示倒数第X页。",
        "default": -1,
        "type": "number",
        "isInt": True,
    },
    "pageRangeStart": {
        "title": "OCR页数起始",
        "toolTip": "OCR的页数范围起始。从1开始。",
        "default": 1,
        "type": "number",
        "isInt": True,
    },
    "pageRangeEnd": {
        "title": "OCR页数结束",
        "toolTip": "OCR的页数范围结束。-1 表示最后一页。",
        "default": -1,
        "type": "number",
        "isInt": True,
    },
    "pageList": {
        "title": "OCR页数列表",
        "toolTip": "数组，可指定单个或多个页数。例：[1,2,5]表示对第1、2、5页进行OCR。"
        "如果与页数范围同时填写，则 pageList 优先。",
        "default": [],
        "type": "var",
    },
    "password": {"title": "密码", "toolTip": "如果文档已加密，则填写文档密码。", "default": "", "type": "text"},
    "doc.extractionMode": {
        "title": "内容提取模式",
        "toolTip": "若一页文档既存在图片又存在文本，如何进行处理。",
        "default": "mixed",
        "optionsList": [
            ["mixed", "混合OCR/原文本"],
            ["fullPage", "整页强制OCR"],
            ["imageOnly", "仅OCR图片"],
            ["textOnly", "仅拷贝原有文本"],
        ],
        "type": "enum",
    },
}


@dataclass(slots=True)
class _Task:
    """What is remembered of one task."""

    parser: str = "multi_para"
    areas: list[tuple[float, float, float, float]] = field(default_factory=list)
    area_pages: tuple[int, int] = (1, -1)
    seen: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Link:
    """What a download link stands for."""

    job: str
    owner: str
    types: tuple[str, ...]
    skip_blank: bool


_lock = threading.Lock()
_tasks: OrderedDict[str, _Task] = OrderedDict()
_links: OrderedDict[str, _Link] = OrderedDict()


def upload() -> Response:
    """Take a document, give the task's id."""
    here, runner = service(), _runner()
    here.gate.check_open()
    door.bound(1, here.settings.job_bytes)
    file = request.files.get("file")
    if file is None:
        return _failure(101, "[Error] No file was uploaded.")
    told = request.form.get("json") or "{}"
    bodies.check_elements(told.encode("utf-8", "surrogatepass"))
    try:
        given = json.loads(told)
    except (ValueError, RecursionError):
        return _failure(107, "[Error] Invalid JSON format.")
    chosen = given if isinstance(given, dict) else {}
    data: bytes = file.read()
    bodies.check_size((bodies.Upload("", data),), here.settings.job_bytes)
    options, task = _read_options(chosen), _task(chosen)
    check_kinds([data])
    name = _UNSAFE.sub("_", (file.filename or "").strip())[:255] or "document"
    order = Order(files=[(name, data)], options=asdict(options), owner=_owner())
    job = runner.queue.submit(order)
    _remember(_tasks, job, task)
    runner.wake()
    return door.answer({"code": 100, "data": job})


def result() -> Response:
    """Tell how a task stands, with what was read if that is asked for."""
    order = door.json_object()
    if not order.get("id"):
        return _failure(102, "未填写id。")
    view = _found(order["id"])
    if view is None:
        return _failure(103, "任务不存在。")
    with _lock:
        task = _tasks.setdefault(view.id, _Task())
    outcomes = [one for one in _runner().queue.outcomes(view.id) if one.page]
    values: dict[str, Any] = {
        "code": 100,
        "processed_count": len(outcomes),
        "pages_count": view.pages or 0,
        "is_done": view.state in ENDED,
        "state": _STATES[view.state],
        "data": [],
    }
    if order.get("is_data") is True:
        values["data"] = _fresh(view, task, outcomes, order)
    if values["state"] == "failure":
        failed = [one for one in _runner().queue.outcomes(view.id) if one.failed]
        values["message"] = f"[Error] {failed[0].values['error']}" if failed else f"[Error] {view.state}"
    return door.answer(values)


def build() -> Response:
    """Give a link to the result in the formats asked for."""
    order = door.json_object()
    if not order.get("id"):
        return _failure(102, "未填写id。")
    view = _found(order["id"])
    if view is None:
        return _failure(103, "任务不存在。")
    if view.state != "done":
        return _failure(201, "任务尚未结束或处理失败，无法获取文件")
    types, skip_blank = order.get("file_types", ["pdfLayered"]), order.get("ingore_blank", True)
    if not isinstance(types, list) or not types or not isinstance(skip_blank, bool):
        return _failure(202, "参数类型错误： file_types, ingore_blank")
    unknown = [str(each)[:20] for each in types if not isinstance(each, str) or each not in _SUFFIXES]
    if unknown:
        return _failure(203, f"初始化输出器失败。{', '.join(unknown)}; expected {', '.join(_SUFFIXES)}")
    token = secrets.token_urlsafe(24)
    _remember(_links, token, _Link(view.id, view.owner, tuple(dict.fromkeys(types)), skip_blank))
    stem = f"[OCR]_{view.files[0].name.rpartition('.')[0] or view.files[0].name}"
    name = f"{stem}.{_SUFFIXES[types[0]]}" if len(types) == 1 else f"{stem}.zip"
    prefix = request.path.removesuffix("/download")
    return door.answer(
        {"code": 100, "data": f"{request.host_url.rstrip('/')}{prefix}/download/{token}/{quote(name)}", "name": name}
    )


def fetch(token: str, name: str) -> Response:
    """Give what a link stands for; who has the link needs no key."""
    with _lock:
        link = _links.get(token)
    view = _runner().queue.view(link.job) if link else None
    if link is None or view is None or view.owner != link.owner:
        return door.answer(
            {"code": 103, "data": "The link is not known, or its task was cleared; fetch a new one."}, 404
        )
    with _lock:
        task = _tasks.get(view.id, _Task())
    read = [one for one in _runner().queue.outcomes(view.id) if one.page]
    pages = [_page(view, task, one) for one in read]
    kept = [page for page in pages if page["code"] == 100 or not link.skip_blank]
    made = {kind: _write(kind, view, read, kept) for kind in link.types}
    if len(made) == 1:
        [data] = made.values()
        kind = "application/octet-stream"
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            for each, content in made.items():
                packed.writestr(f"{each}.{_SUFFIXES[each]}", content)
        data, kind = buffer.getvalue(), "application/zip"
    return Response(
        data, content_type=kind, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    )


def clear(job: str) -> Response:
    """Cancel a task that is not over, and forget it."""
    view = _found(job)
    if view is None:
        return _failure(101, "The task does not exist.")
    _runner().queue.cancel(job)
    _runner().queue.delete(job)
    with _lock:
        _tasks.pop(job, None)
    return door.answer({"code": 100, "data": "Success"})


def _runner() -> Runner:
    runner = service().jobs
    if runner is None:
        raise OptionsError("This service takes no documents; SHIZI_JOBS says where to keep them.")
    return runner


def _owner() -> str:
    return g.key.name if "key" in g else ""


def _found(job: object) -> View | None:
    view = _runner().queue.view(job) if isinstance(job, str) else None
    return view if view is not None and view.owner == _owner() else None


def _remember(memory: OrderedDict[str, Any], name: str, value: object) -> None:
    with _lock:
        memory[name] = value
        while len(memory) > _MOST_TASKS:
            memory.popitem(last=False)


def _read_options(chosen: dict[str, Any]) -> ReadOptions:
    values = {name: chosen.get(name, option["default"]) for name, option in OPTIONS.items()}
    numbers = [values["pageRangeStart"], values["pageRangeEnd"], *_whole_list(values["pageList"])]
    if any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
        raise OptionsError("pageRangeStart, pageRangeEnd and pageList are whole numbers.")
    first, last, *listed = numbers
    if first < 1 or (last < 1 and last != -1) or any(number < 1 for number in listed):
        raise OptionsError("Pages count from 1; of negative numbers only -1, the last page, can be had.")
    mode = values["doc.extractionMode"]
    if not isinstance(mode, str) or mode not in _PDF_SOURCES:
        raise OptionsError(f"doc.extractionMode is none of {', '.join(_PDF_SOURCES)}.")
    pages = ",".join(map(str, listed)) or (f"{first}-{'' if last == -1 else last}" if (first, last) != (1, -1) else "")
    return ReadOptions.parse({"pages": pages, "password": values["password"], "pdf": _PDF_SOURCES[mode]})


def _whole_list(given: object) -> list[Any]:
    if not isinstance(given, list):
        raise OptionsError("pageList is no list.")
    return given


def _task(chosen: dict[str, Any]) -> _Task:
    parser = chosen.get("tbpu.parser", "multi_para")
    umi_lines.check_parser(parser)
    bounds = (chosen.get("tbpu.ignoreRangeStart", 1), chosen.get("tbpu.ignoreRangeEnd", -1))
    if not all(isinstance(bound, int) for bound in bounds):
        raise OptionsError("tbpu.ignoreRangeStart and tbpu.ignoreRangeEnd are whole numbers.")
    return _Task(parser, umi_lines.areas(chosen.get("tbpu.ignoreArea", [])), bounds)


def _fresh(view: View, task: _Task, outcomes: Sequence[Outcome], order: dict[str, Any]) -> list[Any] | str:
    """Give the pages that were not given before, or all of them, as lines or as text."""
    unread = order.get("is_unread", True) is not False
    with _lock:
        chosen = [one for one in outcomes if not unread or one.page not in task.seen]
        if unread:
            task.seen |= {one.page for one in chosen}
    pages = [_page(view, task, one) for one in chosen]
    if order.get("format") == "text":
        return "".join(umi_lines.text_of(page["data"]) for page in pages if page["code"] == 100)
    return pages


def _page(view: View, task: _Task, outcome: Outcome) -> dict[str, Any]:
    """Give one page as Umi-OCR does: 100 with its lines, 101 without text, 901 with the reason it was not read."""
    name = f"{view.files[0].name} - {outcome.page}"
    told = {"page": outcome.page, "path": name, "fileName": name}
    if outcome.failed:
        return {"code": 901, "data": f"[Error] {outcome.values['error']}", **told}
    last = task.area_pages[1] if task.area_pages[1] > 0 else (view.pages or 0) + 1 + task.area_pages[1]
    areas = task.areas if task.area_pages[0] <= outcome.page <= last else []
    lines = [
        line
        for page in Document.from_dict(outcome.values).pages
        for line in umi_lines.lines_of(page, task.parser, areas)
    ]
    return {"code": 100, "data": lines, **told} if lines else {"code": 101, "data": "No text found in page.", **told}


def _text(page: dict[str, Any]) -> str:
    return umi_lines.text_of(page["data"]) if page["code"] == 100 else ""


def _as_text(view: View, pages: Sequence[dict[str, Any]]) -> bytes:
    heading = f"{view.files[0].name}\n\n"
    return (heading + "\n".join(f"==== Page {page['page']} ====\n{_text(page)}" for page in pages)).encode()


def _as_plain_text(view: View, pages: Sequence[dict[str, Any]]) -> bytes:
    return "".join(map(_text, pages)).encode()


def _as_json_rows(view: View, pages: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages).encode()


def _as_csv(view: View, pages: Sequence[dict[str, Any]]) -> bytes:
    """Write a row a page; a text that a spreadsheet would take for a formula gets a ' in front."""
    buffer = io.StringIO()
    rows = csv.writer(buffer)
    rows.writerow(["Image Name", "OCR", "Image Path"])
    for page in pages:
        text = _text(page)
        rows.writerow([page["fileName"], f"'{text}" if text[:1] in tuple("=+-@\t\r") else text, page["path"]])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


_WRITERS: dict[str, Callable[[View, Sequence[dict[str, Any]]], bytes]] = {
    "txt": _as_text,
    "txtPlain": _as_plain_text,
    "jsonl": _as_json_rows,
    "csv": _as_csv,
}
_SUFFIXES = {"pdfLayered": "pdf", "txt": "txt", "txtPlain": "txt", "jsonl": "jsonl", "csv": "csv"}


def _write(kind: str, view: View, read: Sequence[Outcome], pages: Sequence[dict[str, Any]]) -> bytes:
    """Write a task's pages; a layered PDF is made of the document itself, all of its pages kept."""
    if kind == "pdfLayered":
        return written(view, [one for one in read if not one.failed], "pdf")
    return _WRITERS[kind](view, pages)


def _failure(code: int, reason: str) -> Response:
    return door.answer({"code": code, "data": reason})

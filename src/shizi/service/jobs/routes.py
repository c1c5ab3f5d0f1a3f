"""The routes of jobs: `/ocr/jobs`, as docs/http.md has them.

Takes what `bodies` took out of a request, gives states and results. Knows nothing of how jobs are kept or read. A job
is found by its id, which nobody can guess, and only by the caller that made it.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, g, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from shizi.document import Document
from shizi.errors import InputError, NotFinished, OptionsError, UnknownJob
from shizi.export import FORMATS
from shizi.service import bodies
from shizi.service.answers import JobAnswer, JobGone
from shizi.service.api import service
from shizi.service.contract import describes
from shizi.service.downloads import download, packed, tell_failed
from shizi.service.jobs.queue import ENDED, FileView, Order, Outcome, View
from shizi.service.jobs.runner import Runner
from shizi.service.schemas import job_bodies, job_query
from shizi.service.work import check_kinds

jobs = Blueprint("jobs", __name__, url_prefix="/ocr")

_REPEAT = re.compile(r"[\x21-\x7e]{1,200}")
_MOST_NAMED = 200
_MOST_DIGITS = 10
_RESULT_QUERY: dict[str, dict[str, Any]] = {
    "format": {"type": "string", "enum": list(FORMATS), "default": "json"},
    "file": {"type": "integer", "minimum": 0, "description": "one of the files, from 0"},
    "partial": {"type": "boolean", "default": False, "description": "give what is there of a job under way"},
}
_REFUSALS = (400, 401, 403, 404, 429, 500, 503)


@jobs.post("/jobs")
@describes(
    JobAnswer,
    status=202,
    refusals=(400, 401, 403, 413, 415, 422, 429, 500, 503),
    bodies=job_bodies,
    query=job_query(),
)
def submit() -> ResponseReturnValue:
    """Take a job: 202 with its id.

    One none of whose files is of a kind that is read is refused at once; of others, such files fail alone.
    """
    here = service()
    here.gate.check_open()
    runner = _runner()
    limits = {"max_bytes": here.settings.job_bytes, "max_files": here.settings.job_files}
    order = bodies.parse(request, here.settings.model_copy(update=limits))
    if order.format != "json":
        raise OptionsError("A job takes no format; ask for its result in any format when it is over.")
    if order.terms.webhook:
        runner.webhook.check(order.terms.webhook)
    check_kinds(upload.data for upload in order.uploads)
    job = runner.queue.submit(
        Order(
            files=[(upload.name, upload.data) for upload in order.uploads],
            options=asdict(order.options),
            owner=_owner(),
            webhook=order.terms.webhook,
            repeat=_repeat(),
            no_store=order.terms.no_store,
        )
    )
    runner.wake()
    response = jsonify(_shown(_found(job)))
    response.status_code = 202
    response.headers["Location"] = url_for("jobs.state", job=job)
    return response


@jobs.get("/jobs/<job>")
@describes(JobAnswer, refusals=_REFUSALS)
def state(job: str) -> ResponseReturnValue:
    """Tell how a job stands."""
    return jsonify(_shown(_found(job)))


@jobs.delete("/jobs/<job>")
@describes(JobGone, refusals=_REFUSALS)
def delete(job: str) -> ResponseReturnValue:
    """Cancel a job if it is not over, and forget it."""
    view = _found(job)
    queue = _runner().queue
    queue.cancel(job)
    queue.delete(job)
    return jsonify(success=True, id=job, was=view.state, request_id=g.request_id)


@jobs.get("/jobs/<job>/result")
@describes(
    "*/*",
    refusals=(*_REFUSALS, 409, 413, 415, 422, 504),  # a PDF is made of the file that was sent
    query=_RESULT_QUERY,
)
def result(job: str) -> ResponseReturnValue:
    """Give what was read, in any format: of one file, or of all of them in a ZIP."""
    view = _found(job)
    asked = bodies.single_values(request.args)
    if strange := sorted(set(asked) - set(_RESULT_QUERY)):
        raise OptionsError(f"Unknown option {strange[0][:40]!r}; known are {', '.join(_RESULT_QUERY)}.")
    name = asked.get("format", "json")
    if name not in FORMATS:
        raise OptionsError(f"Format {name[:40]!r} is unknown; expected one of {', '.join(FORMATS)}.")
    FORMATS[name].check()
    chosen = _chosen_file(view, asked.get("file"))
    partial = asked.get("partial", "false")
    if partial not in ("true", "false"):
        raise OptionsError(f"Option 'partial' is {partial[:40]!r}; expected true or false.")
    if view.state not in ENDED and partial == "false":
        raise NotFinished(
            f"The job is {view.state}; wait until it is done, or ask with partial=true for what is there."
        )
    outcomes = [one for one in _runner().queue.outcomes(job) if chosen in (None, one.file)]
    read = [one for one in outcomes if not one.failed]
    if not read:
        raise NotFinished(f"The job is {view.state} and no page of it was read; its state tells why.")
    failed = [_failure(one) for one in outcomes if one.failed]
    if chosen is None and len(view.files) > 1:
        response = _all_files(view, read, name, failed)
    else:
        data = written(view, read, name)
        response = tell_failed(download(data, view.files[read[0].file].name, FORMATS[name]), failed)
    if view.no_store and view.state in ENDED and chosen is None:
        _runner().queue.delete(job)
    return response


def _runner() -> Runner:
    runner = service().jobs
    if runner is None:
        raise OptionsError("This service takes no jobs; SHIZI_JOBS says where to keep them.")
    return runner


def _owner() -> str:
    return g.key.name if "key" in g else ""


def _repeat() -> str:
    """Give what the caller calls this job by, apart from other callers' names; '' for none. Raises OptionsError."""
    name = request.headers.get("Idempotency-Key", "")
    if name and not _REPEAT.fullmatch(name):
        raise OptionsError("The Idempotency-Key is no text of 1 to 200 visible ASCII characters.")
    return hashlib.sha256(f"{_owner()} {name}".encode()).hexdigest() if name else ""


def _found(job: str) -> View:
    view = _runner().queue.view(job)
    if view is None or view.owner != _owner():
        raise UnknownJob("There is no such job; it was deleted, fetched and not to be stored, or kept long enough.")
    return view


def _shown(view: View) -> dict[str, Any]:
    """Give a job as answers carry it. Errors name pages by their file and number, from 0 and 1."""
    failed = list(_runner().queue.outcomes(view.id, failed_only=True))
    return {
        "success": True,
        "id": view.id,
        "state": view.state,
        "pages": view.pages,
        "pages_read": sum(file.read for file in view.files),
        "pages_failed": sum(file.failed for file in view.files),
        "files": [_file(file) for file in view.files],
        "errors": [_failure(one) for one in failed[:_MOST_NAMED]],
        "created": _when(view.created),
        "ended": _when(view.ended) if view.ended else None,
        "webhook": view.reported or None,
        "request_id": g.request_id,
    }


def _failure(one: Outcome) -> dict[str, Any]:
    return {"file": one.file, "page": one.page or None, **one.values}


def _file(file: FileView) -> dict[str, Any]:
    return {"name": file.name, "pages": file.pages, "pages_read": file.read, "pages_failed": file.failed}


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _chosen_file(view: View, asked: str | None) -> int | None:
    if asked is None:
        return None
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < _MOST_DIGITS else -1
    if not 0 <= number < len(view.files):
        raise OptionsError(f"File {asked[:20]!r} is none of this job's; expected 0 to {len(view.files) - 1}.")
    return number


def _all_files(view: View, read: Sequence[Outcome], name: str, failed: list[dict[str, Any]]) -> Response:
    """Pack each file's result; a file that cannot be written in this format is named among those that failed."""
    results: list[tuple[int, str, bytes]] = []
    refused: list[OptionsError | InputError] = []
    for number, outcomes in groupby(read, key=lambda one: one.file):
        try:
            results.append((number, view.files[number].name, written(view, list(outcomes), name)))
        except (OptionsError, InputError) as error:
            refused.append(error)
            failed.append({"file": number, "page": None, "error": error.message, "code": error.code})
    if not results:
        raise refused[0]
    failed.sort(key=lambda one: (one["file"], one["page"] or 0))
    return packed(results, FORMATS[name], failed)


def written(view: View, read: Sequence[Outcome], name: str) -> bytes:
    """Write the pages of one file in the format of this name."""
    document = Document.join([Document.from_dict(one.values) for one in read])
    form = FORMATS[name]
    if form.detail == "line" and view.options.get("detail", "line") == "line":
        document = _without_words(document)  # pages of jobs are read as deep as any format needs
    source = _runner().queue.upload(view.id, read[0].file) if form.on_source else b""
    return service().readings.write(name, document, source, view.options.get("password", ""))


def _without_words(document: Document) -> Document:
    pages = (replace(page, lines=tuple(replace(line, words=()) for line in page.lines)) for page in document.pages)
    return replace(document, pages=tuple(pages))

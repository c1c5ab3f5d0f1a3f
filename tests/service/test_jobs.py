"""Jobs: what both stores promise, what the runner does with it, and the routes. No test sleeps."""

import io
import json
import os
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from contract import keep_to_the_contract
from fakes import FakeReader
from flask import Flask
from flask.testing import FlaskClient
from live import until
from redis_server import RedisServer
from werkzeug.http import parse_options_header

from shizi import errors
from shizi.document import Document
from shizi.export import FORMATS
from shizi.service.app import create_app
from shizi.service.jobs.on_disk import OnDisk
from shizi.service.jobs.on_redis import OnRedis
from shizi.service.jobs.queue import COUNTING, Order, Queue, Unit
from shizi.service.settings import Settings

Open = Callable[..., Queue]
PAGE = {"text": "识字", "pages": []}


@pytest.fixture(params=["disk", "redis"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Open the same store as often as wanted, as several processes would."""
    stores: list[Queue] = []

    def open_store(lease_seconds: float = 60, tries: int = 3, keep_seconds: float = 1000) -> Queue:
        if request.param == "disk":
            store: Queue = OnDisk(tmp_path / "jobs", lease_seconds, tries, keep_seconds)
        else:
            url = request.getfixturevalue("redis_server").url
            store = OnRedis(url, lease_seconds, tries, keep_seconds)
        stores.append(store)
        return store

    yield open_store
    for store in stores:
        store.close()


def next_unit(queue: Queue) -> Unit:
    """Claim a unit that is there, or will be as soon as a lease has run out."""
    found: list[Unit] = []

    def claimed() -> bool:
        unit = queue.claim()
        if unit is not None:
            found.append(unit)
        return bool(found)

    until(claimed)
    return found[0]


def started(queue: Queue, pages: int = 3, **more: Any) -> str:
    """Submit a job of one file and count its pages."""
    job = queue.submit(Order(files=[("一.pdf", b"data")], options={"mode": "fast"}, **more))
    counting = next_unit(queue)
    assert (counting.job, counting.page) == (job, COUNTING)
    queue.expand(counting, range(1, pages + 1))
    return job


# What both stores promise


def test_from_order_to_result(opened: Open) -> None:
    queue = opened()
    job = queue.submit(Order(files=[("一.pdf", b"one"), ("b.png", b"two")], options={"mode": "fast"}, owner="desk"))
    view = queue.view(job)
    assert view is not None
    assert (view.state, view.pages, view.owner, view.options) == ("queued", None, "desk", {"mode": "fast"})
    assert [file.name for file in view.files] == ["一.pdf", "b.png"]
    assert queue.upload(job, 1) == b"two"
    while (unit := queue.claim()) is not None:
        if unit.page == COUNTING:
            queue.expand(unit, [2, 3] if unit.file == 0 else [1])
        else:
            assert queue.finish(unit, {**PAGE, "number": unit.page})
    view = queue.view(job)
    assert view is not None
    assert (view.state, view.pages) == ("done", 3)
    assert view.ended is not None
    assert view.ended >= view.created - 1
    places = [(one.file, one.page, one.values["number"]) for one in queue.outcomes(job)]
    assert places == [(0, 2, 2), (0, 3, 3), (1, 1, 1)]


def test_no_two_claims_of_one_page(opened: Open) -> None:
    first, second = opened(), opened()
    started(first, pages=2)
    assert {next_unit(first).page, next_unit(second).page} == {1, 2}
    assert first.claim() is None
    assert second.claim() is None


def test_a_silent_claimer_loses_its_page_and_its_late_result(opened: Open) -> None:
    silent, other = opened(lease_seconds=0.05), opened(lease_seconds=0.05)
    job = started(silent, pages=1)
    late = next_unit(silent)
    taken = next_unit(other)
    assert (taken.page, taken.tries) == (1, 2)
    assert not silent.beat(late)
    assert not silent.finish(late, {**PAGE, "number": 1})
    assert other.finish(taken, {**PAGE, "number": 2})
    assert not other.finish(taken, {**PAGE, "number": 3}), "a result counts once"
    assert [one.values["number"] for one in other.outcomes(job)] == [2]
    view = other.view(job)
    assert view is not None
    assert view.files[0].read == 1


def test_heartbeats_keep_a_page(opened: Open) -> None:
    queue = opened(lease_seconds=0.3)
    started(queue, pages=1)
    unit = next_unit(queue)
    other = opened(lease_seconds=0.3)
    for _ in range(8):
        assert queue.beat(unit)
        assert other.claim() is None
        threading.Event().wait(0.1)  # time itself is the point here
    assert queue.finish(unit, PAGE)


def test_a_page_that_kills_is_given_up(opened: Open) -> None:
    queue = opened(tries=2)
    job = started(queue, pages=2)
    for _ in range(2):
        unit = next_unit(queue)
        while unit.page != 1:
            queue.finish(unit, PAGE)
            unit = next_unit(queue)
        queue.give_back(unit, tried=True)
    while (unit_or_none := queue.claim()) is not None:
        queue.finish(unit_or_none, PAGE)
    [error] = [one for one in queue.outcomes(job) if one.failed]
    assert (error.page, error.values["code"]) == (1, "worker_lost")
    view = queue.view(job)
    assert view is not None
    assert (view.state, view.files[0].read, view.files[0].failed) == ("done", 1, 1)


def test_a_page_given_back_unread_costs_no_try(opened: Open) -> None:
    queue = opened(tries=1)
    started(queue, pages=1)
    for _ in range(3):
        unit = next_unit(queue)
        assert (unit.page, unit.tries) == (1, 1)
        queue.give_back(unit, tried=False)


def test_a_job_nobody_could_read_failed(opened: Open) -> None:
    queue = opened()
    job = queue.submit(Order(files=[("a", b"x")], options={}))
    queue.finish(next_unit(queue), {"error": "It is damaged.", "code": "damaged_file"})
    view = queue.view(job)
    assert view is not None
    assert (view.state, view.pages, view.files[0].failed) == ("failed", 0, 1)


def test_cancel_and_delete(opened: Open, tmp_path: Path) -> None:
    queue = opened()
    job = started(queue, pages=2)
    unit = next_unit(queue)
    assert queue.cancel(job)
    assert not queue.cancel(job)
    assert queue.claim() is None
    assert not queue.finish(unit, PAGE)
    view = queue.view(job)
    assert view is not None
    assert view.state == "cancelled"
    assert queue.delete(job)
    assert not queue.delete(job)
    assert queue.view(job) is None
    assert queue.upload(job, 0) == b""
    assert not queue.finish(unit, PAGE)
    assert list(queue.outcomes(job)) == []


def test_the_same_order_twice_is_one_job(opened: Open) -> None:
    queue = opened()
    orders = [Order(files=[("a", data)], options={}, repeat="key") for data in (b"x", b"x", b"y")]
    assert queue.submit(orders[0]) == queue.submit(orders[1]) == orders[0].id
    with pytest.raises(errors.OptionsError, match="Idempotency-Key"):
        queue.submit(orders[2])
    assert next_unit(queue).job == orders[0].id
    assert queue.claim() is None


def test_reports_come_once_unless_they_fail(opened: Open) -> None:
    queue = opened()
    job = started(queue, pages=1, webhook="https://hooks.example.org/done")
    assert queue.take_report() is None
    queue.finish(next_unit(queue), PAGE)
    report = queue.take_report()
    assert report is not None
    assert (report.job, report.url, report.tries) == (job, "https://hooks.example.org/done", 1)
    assert queue.take_report() is None, "it is taken"
    queue.reported(report, delivered=False, again_seconds=0)
    again = queue.take_report()
    assert again is not None
    assert again.tries == 2
    queue.reported(again, delivered=True, again_seconds=9)
    assert queue.take_report() is None
    view = queue.view(job)
    assert view is not None
    assert view.reported == "delivered"


# The store on disk


def test_kept_long_enough(tmp_path: Path) -> None:
    queue = OnDisk(tmp_path, lease_seconds=60, tries=3, keep_seconds=1e-9)
    job = started(queue, pages=1)
    assert queue.sweep() == 0, "a job that is not over is never forgotten"
    queue.finish(next_unit(queue), PAGE)
    assert queue.sweep() == 1
    assert queue.view(job) is None
    assert not (tmp_path / job).exists()


def test_short_jobs_do_not_wait_for_long_ones(tmp_path: Path) -> None:
    queue = OnDisk(tmp_path, lease_seconds=60, tries=3, keep_seconds=60)
    long = started(queue, pages=50)
    for _ in range(10):
        queue.finish(next_unit(queue), PAGE)
    short = queue.submit(Order(files=[("a", b"x")], options={}))
    order = []
    for _ in range(4):
        unit = next_unit(queue)
        order.append(unit.job)
        if unit.page == COUNTING:
            queue.expand(unit, [1, 2])
        else:
            queue.finish(unit, PAGE)
    assert order.count(short) == order.count(long) == 2


def test_deleting_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    queue = OnDisk(tmp_path, lease_seconds=60, tries=3, keep_seconds=60)
    job = queue.submit(Order(files=[("机密名称.png", b"secret pixels")], options={"password": "opensesame"}))
    queue.expand(next_unit(queue), [1])
    queue.finish(next_unit(queue), {"text": "机密文字"})
    content = [value.encode() for value in ("机密名称", "secret pixels", "opensesame", "机密文字")]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert all(value in kept for value in content)
    assert (tmp_path / job).stat().st_mode & 0o077 == 0, "others of the machine may not look"
    queue.delete(job)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(value in kept for value in content)


def test_content_stays_out_of_the_database(tmp_path: Path) -> None:
    queue = OnDisk(tmp_path, lease_seconds=60, tries=3, keep_seconds=60)
    started(queue)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("jobs.db*"))
    assert "一.pdf".encode() not in kept
    assert b"data" not in kept


def test_a_lease_from_before_the_machines_last_start_is_free(tmp_path: Path) -> None:
    """The monotonic clock starts anew then: such a lease ends far in the future."""
    queue = OnDisk(tmp_path, lease_seconds=60, tries=3, keep_seconds=60)
    started(queue, pages=1)
    unit = next_unit(queue)
    with sqlite3.connect(tmp_path / "jobs.db") as database:
        database.execute("UPDATE units SET lease = 1e12 WHERE state = 'leased'")
    database.close()
    assert next_unit(queue).page == unit.page


def test_a_full_disk_takes_nothing_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = OnDisk(tmp_path, lease_seconds=60, tries=3, keep_seconds=60)
    job = started(queue, pages=1)
    unit = next_unit(queue)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(errors.Unavailable, match="No space left"):
            queue.submit(Order(files=[("a", b"x")], options={}))
        with pytest.raises(errors.Unavailable, match="No space left"):
            queue.finish(unit, PAGE)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [job]
    queue.give_back(unit, tried=False)
    assert queue.finish(next_unit(queue), PAGE)


def test_an_unusable_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(errors.OptionsError, match="SHIZI_JOBS"):
        OnDisk(tmp_path / "file", 60, 3, 60)


# The store on Redis


def test_a_lost_redis_loses_nothing(redis_server: RedisServer) -> None:
    queue = OnRedis(redis_server.url, lease_seconds=60, tries=3, keep_seconds=60)
    job = started(queue, pages=2)
    unit = next_unit(queue)
    redis_server.kill()
    for act in (lambda: queue.finish(unit, PAGE), queue.claim, lambda: queue.view(job), lambda: queue.beat(unit)):
        with pytest.raises(errors.Unavailable):
            act()
    redis_server.start()
    assert queue.finish(unit, PAGE)
    assert queue.finish(next_unit(queue), PAGE)
    view = queue.view(job)
    assert view is not None
    assert (view.state, view.files[0].read) == ("done", 2)
    queue.close()


# Routes and runner


@pytest.fixture(params=["disk", "redis"])
def app(request: pytest.FixtureRequest, tmp_path: Path, reader: FakeReader) -> Iterator[Flask]:
    where = str(tmp_path / "jobs") if request.param == "disk" else request.getfixturevalue("redis_server").url
    app = create_app(Settings(jobs=where, job_bytes=1000, job_files=3, cache="off"), reader)  # type: ignore[arg-type]
    app.after_request(keep_to_the_contract)
    yield app
    reader.release.set()
    app.extensions["shizi"].close()


def submitted(client: FlaskClient, *files: bytes, **more: Any) -> dict[str, Any]:
    form = {"file": [(io.BytesIO(data), f"../{number}名.tif") for number, data in enumerate(files)]}
    response = client.post("/ocr/jobs", data=form, **more)
    assert response.status_code == 202, response.text
    values: dict[str, Any] = response.get_json()
    assert response.headers["Location"] == f"/ocr/jobs/{values['id']}"
    return values


def ended(client: FlaskClient, job: str) -> dict[str, Any]:
    values: dict[str, Any] = {}

    def over() -> bool:
        values.update(client.get(f"/ocr/jobs/{job}").get_json())
        return values["state"] in ("done", "failed", "cancelled")

    until(over)
    return values


def test_a_job_over_http(client: FlaskClient, reader: FakeReader) -> None:
    reader.pages = 3
    job = submitted(client, b"%PDF- of any kind", query_string={"mode": "fast", "pages": "2-"})["id"]
    values = ended(client, job)
    assert (values["state"], values["pages"], values["pages_read"], values["pages_failed"]) == ("done", 2, 2, 0)
    assert values["errors"] == []
    result = client.get(f"/ocr/jobs/{job}/result")
    assert result.content_type == "application/json"
    document = Document.from_dict(json.loads(result.data))
    assert [page.number for page in document.pages] == [2, 3]
    assert {options.mode for _, options in reader.asked} == {"fast"}
    assert [options.pages for _, options in reader.asked] == ["2", "3"]
    text = client.get(f"/ocr/jobs/{job}/result?format=text")
    assert text.text.startswith("识字 reads")
    assert client.delete(f"/ocr/jobs/{job}").get_json()["was"] == "done"
    gone = client.get(f"/ocr/jobs/{job}")
    assert (gone.status_code, gone.get_json()["code"]) == (404, "unknown_job")


def test_many_files_come_as_a_zip(client: FlaskClient, reader: FakeReader) -> None:
    reader.errors_by_data[b"BM broken"] = errors.DamagedFile("The file ends early.")
    job = submitted(client, b"BM one", b"BM broken", b"BM two")["id"]
    values = ended(client, job)
    assert values["state"] == "done"
    assert values["errors"] == [{"file": 1, "page": 1, "error": "The file ends early.", "code": "damaged_file"}]
    result = client.get(f"/ocr/jobs/{job}/result?format=text")
    assert (result.content_type, result.headers["X-Failed-Pages"]) == ("application/zip", "1:1")
    packed = zipfile.ZipFile(io.BytesIO(result.data))
    assert packed.namelist() == ["0000-0名.txt", "0002-2名.txt", "errors.json"]
    assert json.loads(packed.read("errors.json")) == values["errors"]
    assert parse_options_header(result.headers["Content-Disposition"])[1] == {"filename": "documents.zip"}
    assert packed.read("0002-2名.txt").decode().startswith("识字 reads")
    assert client.get(f"/ocr/jobs/{job}/result?format=text&file=2").text.startswith("识字 reads")
    assert client.get(f"/ocr/jobs/{job}/result?file=1").get_json()["code"] == "not_finished"
    assert client.get(f"/ocr/jobs/{job}/result?file=3").get_json()["code"] == "options"
    assert client.get(f"/ocr/jobs/{job}/result?format=word").get_json()["code"] == "options"
    for query in ("formats=text", "partial=1", "format=text&format=json", "file=" + "0" * 3000, "file=0000000000002"):
        refused = client.get(f"/ocr/jobs/{job}/result?{query}")
        assert refused.get_json()["code"] == "options", query


def test_many_files_of_which_one_was_read_are_a_zip_all_the_same(client: FlaskClient, reader: FakeReader) -> None:
    """Or a caller could not tell what it will get from what it sent."""
    reader.errors_by_data[b"BM broken"] = errors.DamagedFile("The file ends early.")
    job = submitted(client, b"BM broken", b"BM two")["id"]
    ended(client, job)
    result = client.get(f"/ocr/jobs/{job}/result?format=text")
    assert result.content_type == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(result.data)).namelist() == ["0001-1名.txt", "errors.json"]
    pdf = client.get(f"/ocr/jobs/{job}/result?format=pdf")
    assert (pdf.status_code, pdf.get_json()["code"]) == (422, "damaged_file"), "no PDF can be made of it"


def test_a_file_no_pdf_can_be_made_of_does_not_sink_the_zip(client: FlaskClient, png: bytes) -> None:
    job = submitted(client, b"not a picture", png)["id"]
    ended(client, job)
    result = client.get(f"/ocr/jobs/{job}/result?format=pdf")
    assert (result.status_code, result.headers["X-Failed-Pages"]) == (200, "0:0")
    assert zipfile.ZipFile(io.BytesIO(result.data)).namelist() == ["0001-1名.pdf", "errors.json"]


def test_every_format(client: FlaskClient, png: bytes) -> None:
    """Also those made of the file that was sent, and those that need words though only lines were asked for."""
    job = submitted(client, png)["id"]
    ended(client, job)
    for name, form in FORMATS.items():
        result = client.get(f"/ocr/jobs/{job}/result?format={name}")
        assert (result.status_code, result.content_type) == (200, form.media_type), result.text
        assert parse_options_header(result.headers["Content-Disposition"])[1] == {"filename": f"0名{form.suffix}"}
        assert result.data
    assert client.get(f"/ocr/jobs/{job}/result?format=pdf").data.startswith(b"%PDF-")
    line = client.get(f"/ocr/jobs/{job}/result").get_json()["pages"][0]["lines"][0]
    assert "words" not in line


def test_partial_results(client: FlaskClient, reader: FakeReader) -> None:
    reader.pages = 2
    reader.hold()
    job = submitted(client, b"%PDF- of any kind")["id"]
    assert reader.arrived.acquire(timeout=10)
    assert client.get(f"/ocr/jobs/{job}").get_json()["pages_read"] == 0
    early = client.get(f"/ocr/jobs/{job}/result")
    assert (early.status_code, early.get_json()["code"]) == (409, "not_finished")
    reader.release.set()
    ended(client, job)
    assert client.get(f"/ocr/jobs/{job}/result?partial=true").status_code == 200


def test_cancel_while_it_reads(client: FlaskClient, reader: FakeReader) -> None:
    reader.hold()
    job = submitted(client, b"%PDF- of any kind")["id"]
    assert reader.arrived.acquire(timeout=10)
    assert client.delete(f"/ocr/jobs/{job}").get_json()["was"] == "running"
    reader.release.set()
    assert client.get(f"/ocr/jobs/{job}").status_code == 404
    assert ended(client, submitted(client, b"BM another")["id"])["state"] == "done"


def test_sent_twice_is_one_job(client: FlaskClient) -> None:
    headers = {"Idempotency-Key": "order-17"}
    first = submitted(client, b"BM one", headers=headers)
    assert submitted(client, b"BM one", headers=headers)["id"] == first["id"]
    other = client.post("/ocr/jobs", data=b"BM two", content_type="image/png", headers=headers)
    assert (other.status_code, other.get_json()["code"]) == (400, "options")
    strange = client.post("/ocr/jobs", data=b"BM two", content_type="image/png", headers={"Idempotency-Key": "a b"})
    assert strange.get_json()["code"] == "options"


def test_not_to_be_stored_is_forgotten_once_fetched(client: FlaskClient) -> None:
    job = submitted(client, b"BM one", query_string={"no_store": "true"})["id"]
    ended(client, job)
    assert client.get(f"/ocr/jobs/{job}/result").status_code == 200
    assert client.get(f"/ocr/jobs/{job}/result").status_code == 404


def test_limits_of_jobs_are_their_own(client: FlaskClient) -> None:
    assert client.post("/ocr/jobs", data=bytes(1001), content_type="image/png").status_code == 413
    assert client.post("/ocr/jobs", data=b"", content_type="image/png").status_code == 400
    assert client.post("/ocr/jobs?modes=fast", data=b"x", content_type="image/png").status_code == 400
    four = {"file": [(io.BytesIO(b"x"), "a")] * 4}
    assert client.post("/ocr/jobs", data=four).status_code == 413


@pytest.mark.parametrize(
    ("data", "kind", "status", "code", "said"),
    [
        (b"{}", "image/gif", 415, "unsupported_format", "The file is JSON"),
        (b"PK\x03\x04 a Word document", "application/pdf", 415, "unsupported_format", "a zip archive"),
        (bytes(100), "application/octet-stream", 415, "unsupported_format", "of no kind known here"),
        (b"", "multipart/form-data", 422, "damaged_file", "The file is empty"),
    ],
)
def test_what_is_no_picture_is_no_job(
    data: bytes, kind: str, status: int, code: str, said: str, client: FlaskClient
) -> None:
    """Whatever type the caller states. He would learn of it otherwise once he asks how his job stands."""
    body: Any = {"file": (io.BytesIO(data), "a.png")} if kind == "multipart/form-data" else data
    response = client.post("/ocr/jobs", data=body, content_type=kind)
    assert (response.status_code, response.get_json()["code"]) == (status, code)
    assert said in response.get_json()["error"]


def test_what_is_no_picture_among_others_fails_alone(client: FlaskClient, reader: FakeReader) -> None:
    reader.errors_by_data[b"{}"] = errors.UnsupportedFormat("The file is JSON.")
    values = ended(client, submitted(client, b"{}", b"BM two")["id"])
    assert (values["state"], values["pages_read"]) == ("done", 1)
    assert [(one["file"], one["code"]) for one in values["errors"]] == [(0, "unsupported_format")]


@pytest.mark.parametrize("job", ["nothing", "..%2f..%2fetc", "x" * 500, "%00"])
def test_no_such_job(job: str, client: FlaskClient) -> None:
    for path in (f"/ocr/jobs/{job}", f"/ocr/jobs/{job}/result"):
        assert client.get(path).status_code == 404
    assert client.delete(f"/ocr/jobs/{job}").status_code == 404


def test_a_defect_fails_one_page_and_logs_no_text(
    client: FlaskClient, reader: FakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    reader.error = RuntimeError("机密文字")
    values = ended(client, submitted(client, b"BM one")["id"])
    assert (values["state"], values["errors"][0]["code"]) == ("failed", "internal")
    assert "RuntimeError" in caplog.text
    assert "机密文字" not in caplog.text + json.dumps(values, ensure_ascii=False)


def test_without_a_place_there_are_no_jobs(reader: FakeReader) -> None:
    client = create_app(Settings(), reader).test_client()  # type: ignore[arg-type]
    response = client.post("/ocr/jobs", data=b"x", content_type="image/png")
    assert (response.status_code, response.get_json()["code"]) == (400, "options")
    assert "SHIZI_JOBS" in response.get_json()["error"]

"""The metrics: what was done is counted, by names that stay few."""

from pathlib import Path

import pytest
from fakes import FakeReader
from flask.testing import FlaskClient
from live import until
from prometheus_client.parser import text_string_to_metric_families

from shizi import errors
from shizi.document import Document, Line, Page
from shizi.geometry import Polygon
from shizi.options import Mode
from shizi.service.app import create_app
from shizi.service.metrics import Metrics
from shizi.service.settings import Settings


def read(text: str) -> dict[tuple[str, ...], float]:
    """Give each sample by its name and its labels' values."""
    families = text_string_to_metric_families(text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_requests_pages_lines_and_refusals(client: FlaskClient, png: bytes, reader: FakeReader) -> None:
    reader.pages = 3
    client.post("/ocr/predict", data=png, content_type="image/png")
    client.post("/ocr/predict", data=png, content_type="text/plain")
    for name in range(50):
        client.get(f"/nowhere/{name}")
    response = client.get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    values = read(response.text)
    by_labels = {name: value for name, value in values.items() if name[0] == "shizi_requests_total"}
    assert {frozenset(name[1:]): value for name, value in by_labels.items()} == {
        frozenset({"/ocr/predict", "POST", "200"}): 1,
        frozenset({"/ocr/predict", "POST", "415"}): 1,
        frozenset({"-", "404"}): 50,
    }
    assert values["shizi_documents_total",] == 1
    assert values["shizi_pages_total",] == 3
    assert values["shizi_lines_total",] == 6
    assert values["shizi_refusals_total", "unsupported_format"] == 1
    assert values["shizi_requests_running",] == 1
    assert values["shizi_resident_bytes", "service"] > 10_000_000
    assert values["shizi_request_seconds_count", "/ocr/predict"] == 2


def a_page(*models: str) -> Page:
    place = Polygon.from_bounds(0, 0, 1, 1)
    return Page(1, 9, 9, lines=tuple(Line("a", 1, place, model=model) for model in models))


def test_stages_and_lines_read_twice() -> None:
    metrics = Metrics()
    page = a_page("first", "first+strong", "strong", "")
    document = Document((page,), milliseconds={"detect": 40.0, "recognise": 20.0})
    metrics.read(document, "first")
    metrics.read(document)
    metrics.read(document, "first")
    values = read(metrics.text().decode())
    assert values["shizi_lines_total",] == 12
    assert values["shizi_lines_reread_total",] == 4, "neither where nothing reads again nor what was text in the file"
    assert values["shizi_stage_seconds_count", "detect"] == 3
    assert values["shizi_stage_seconds_sum", "detect"] == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("firsts", "reread"),
    [({}, 0), ({"fast": "first"}, 0), ({"fast": "first", "auto": "first"}, 2)],
    ids=["no cascade", "auto is the strong model alone", "auto is a cascade"],
)
def test_lines_of_the_strong_model_alone_are_not_read_twice(
    firsts: dict[Mode, str], reread: int, reader: FakeReader, png: bytes
) -> None:
    reader.firsts = firsts
    reader._page = lambda number: a_page("strong", "strong", "first")  # type: ignore[method-assign]
    client = create_app(Settings(), reader).test_client()  # type: ignore[arg-type]
    client.post("/ocr/predict?mode=auto", data=png, content_type="image/png")
    values = read(client.get("/metrics").text)
    assert (values["shizi_lines_total",], values["shizi_lines_reread_total",]) == (3, reread)


def test_watched_values_are_those_of_the_moment() -> None:
    waiting = [3]
    metrics = Metrics()
    metrics.watch("queue_waiting", "Requests that wait.", lambda: waiting[0])
    waiting[0] = 5
    assert read(metrics.text().decode())["shizi_queue_waiting",] == 5


def test_refusals_of_drop_in_services_are_counted_too(client: FlaskClient, reader: FakeReader, image: str) -> None:
    reader.error = errors.DamagedFile("x")
    client.post("/compat/umi/api/ocr", json={"base64": image})
    assert read(client.get("/metrics").text)["shizi_refusals_total", "damaged_file"] == 1


def test_what_the_cache_gave_is_not_read(reader: FakeReader, png: bytes) -> None:
    client = create_app(Settings(), reader).test_client()  # type: ignore[arg-type]
    for _ in range(3):
        client.post("/ocr/predict", data=png, content_type="image/png")
    values = read(client.get("/metrics").text)
    assert (values["shizi_cache_total", "hit"], values["shizi_cache_total", "miss"]) == (2, 1)
    assert values["shizi_documents_total",] == 1


def test_pages_of_jobs_are_counted(tmp_path: Path, reader: FakeReader, png: bytes) -> None:
    reader.pages = 3
    app = create_app(Settings(jobs=str(tmp_path)), reader)  # type: ignore[arg-type]
    client = app.test_client()
    job = client.post("/ocr/jobs", data=png, content_type="image/png").get_json()["id"]
    until(lambda: client.get(f"/ocr/jobs/{job}").get_json()["state"] == "done")
    assert read(client.get("/metrics").text)["shizi_pages_total",] == 3
    app.extensions["shizi"].close()


def test_a_wrong_path_is_no_failure_of_ours(client: FlaskClient) -> None:
    client.get("/nowhere")
    client.delete("/ocr/health")
    values = read(client.get("/metrics").text)
    assert values["shizi_refusals_total", "not_found"] == values["shizi_refusals_total", "method_not_allowed"] == 1
    assert ("shizi_refusals_total", "internal") not in values

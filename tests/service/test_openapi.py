"""The API's description: valid, complete, and true of what the service answers to anything."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fakes import FakeReader
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from shizi.options import CHOICES, NAMES
from shizi.service.app import create_app
from shizi.service.openapi import describe
from shizi.service.settings import Settings

TERMS = ("format", "deadline_ms", "priority", "no_store")


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The description of a service that takes jobs too."""
    folder = tmp_path_factory.mktemp("jobs")
    places = {"jobs": str(folder / "jobs"), "corrections": str(folder / "corrections")}
    app = create_app(Settings(max_bytes=100_000, **places), FakeReader())  # type: ignore[arg-type]
    yield schemathesis.openapi.from_wsgi("/ocr/openapi.json", app)
    app.extensions["shizi"].close()


def test_it_is_valid_openapi(client: FlaskClient) -> None:
    values = client.get("/ocr/openapi.json").get_json()
    assert values["openapi"].startswith("3.1")
    validate(values)


def test_every_route_of_ours_is_described(app: Flask) -> None:
    """All but pages for people, files and the drop-in endpoints, whose shapes are other services'."""
    with app.test_request_context():
        described = set(describe(app)["paths"])
    silent = {"static", "assets.file", "web.home", "web.webui", "web.status", "openapi.document", "openapi.docs"}
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in silent and not rule.rule.startswith("/compat/"):
            assert re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) in described, rule.rule


def test_options_are_those_of_the_library(client: FlaskClient) -> None:
    predict = client.get("/ocr/openapi.json").get_json()["paths"]["/ocr/predict"]["post"]
    assert [parameter["name"] for parameter in predict["parameters"]] == [*NAMES, *TERMS]
    properties = predict["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert set(properties) == {"image", *NAMES, *TERMS}
    for name, choices in CHOICES.items():
        assert set(choices) <= set(properties[name]["enum"])


def test_forms_tell_how_many_files_they_take(tmp_path: Any) -> None:
    places = Settings(jobs=str(tmp_path / "jobs"), max_files=3, job_files=7)
    app = create_app(places, FakeReader())  # type: ignore[arg-type]
    paths = app.test_client().get("/ocr/openapi.json").get_json()["paths"]
    for path, most in (("/ocr/predict", 3), ("/ocr/jobs", 7)):
        form = paths[path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert form["properties"]["file"]["maxItems"] == most
    app.extensions["shizi"].close()


def test_what_is_refused_before_any_route_is_described_for_all(client: FlaskClient) -> None:
    for path, methods in client.get("/ocr/openapi.json").get_json()["paths"].items():
        for operation in methods.values():
            assert {"408", "414", "431"} <= set(operation["responses"]), path


def test_keys_are_described_where_they_are_needed(tmp_path: Any) -> None:
    app = create_app(Settings(keys=str(tmp_path / "keys")), FakeReader())  # type: ignore[arg-type]
    paths = app.test_client().get("/ocr/openapi.json").get_json()["paths"]
    assert paths["/ocr/predict"]["post"]["security"] == [{"bearer": []}, {"header": []}]
    assert "security" not in paths["/ocr/health"]["get"]


OPERATIONS = (
    ("/ocr/predict", "POST"),
    ("/ocr/picture", "POST"),
    ("/ocr/export", "POST"),
    ("/ocr/jobs", "POST"),
    ("/ocr/jobs/{job}", "GET"),
    ("/ocr/jobs/{job}", "DELETE"),
    ("/ocr/jobs/{job}/result", "GET"),
    ("/ocr/corrections", "GET"),
    ("/ocr/corrections", "POST"),
    ("/ocr/corrections", "DELETE"),
    ("/ocr/models", "GET"),
    ("/ocr/models/promote", "POST"),
    ("/ocr/models/rollback", "POST"),
    ("/ocr/cache", "DELETE"),
    ("/ocr/health", "GET"),
    ("/ocr/ready", "GET"),
    ("/metrics", "GET"),
)


def test_no_operation_is_forgotten(app: Flask) -> None:
    with app.test_request_context():
        paths = describe(app)["paths"]
    assert {(path, method.upper()) for path, methods in paths.items() for method in methods} == set(OPERATIONS)


# These look into the file or document, which no schema makes.
LOOKING_INSIDE = (("/ocr/picture", "POST"), ("/ocr/export", "POST"), ("/ocr/jobs", "POST"))


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_schemathesis(path: str, method: str, described: BaseSchema) -> None:
    """Whatever fits the description is answered as it says, whatever does not is refused; nothing is a 5xx."""
    operation = described[path][method]
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @given(case=st.one_of(modes))
    @settings(
        max_examples=40 if method == "POST" else 10,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def hold(case: schemathesis.Case) -> None:
        # Forms and raw bodies have no types on the wire: a number sent there is the text or the bytes asked for.
        typeless = case.media_type not in (None, "application/json")
        excluded = [negative_data_rejection] if typeless else []
        if (path, method) in LOOKING_INSIDE:
            excluded.append(positive_data_acceptance)
        if path.startswith("/ocr/corrections"):
            excluded.append(positive_data_acceptance)  # the text has to be of its picture, the polygon on its page
        if '"format"' in json.dumps([case.query, case.body], default=str):
            excluded.append(positive_data_acceptance)  # a PDF is made of a PDF or picture, a file of one picture alone
        case.call_and_validate(excluded_checks=excluded)

    hold()


def test_the_page_asks_for_nothing_from_elsewhere(client: FlaskClient) -> None:
    response = client.get("/ocr/docs")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)", response.text) == []
    links = re.findall(r'(?:src|href|data-document)="([^"]+)"', response.text)
    assert len(links) == 5
    for link in links:
        assert link.startswith("/ocr/")
        answered = client.get(link)
        assert answered.status_code == 200, link
        answered.close()

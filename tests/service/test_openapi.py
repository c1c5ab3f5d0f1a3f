"""The API's description: valid, complete, and true of what the service answers to anything."""

import re
from typing import Any

import pytest
import schemathesis
from fakes import FakeReader
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.specs.openapi.checks import negative_data_rejection

from shizi.options import CHOICES, NAMES
from shizi.service.app import create_app
from shizi.service.openapi import describe
from shizi.service.settings import Settings

TERMS = ("deadline_ms", "priority", "no_store")


def application() -> Flask:
    return create_app(Settings(max_bytes=100_000), FakeReader())  # type: ignore[arg-type]


APP = application()
SCHEMA = schemathesis.openapi.from_wsgi("/ocr/openapi.json", APP)


def test_it_is_valid_openapi(client: FlaskClient) -> None:
    values = client.get("/ocr/openapi.json").get_json()
    assert values["openapi"].startswith("3.1")
    validate(values)


def test_every_route_of_ours_is_described(app: Flask) -> None:
    """All but pages for people, files and the drop-in endpoints, whose shapes are other services'."""
    with app.test_request_context():
        described = set(describe(app)["paths"])
    silent = {"static", "web.home", "web.webui", "openapi.document", "openapi.docs"}
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


def test_keys_are_described_where_they_are_needed(tmp_path: Any) -> None:
    app = create_app(Settings(keys=str(tmp_path / "keys")), FakeReader())  # type: ignore[arg-type]
    paths = app.test_client().get("/ocr/openapi.json").get_json()["paths"]
    assert paths["/ocr/predict"]["post"]["security"] == [{"bearer": []}, {"header": []}]
    assert "security" not in paths["/ocr/health"]["get"]


@SCHEMA.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.slow
def test_schemathesis(case: schemathesis.Case) -> None:
    """Whatever fits the description is answered as it says, whatever does not is refused; nothing is a 5xx."""
    # Forms and raw bodies have no types on the wire: a number sent there is the text or the bytes asked for.
    typeless = case.media_type not in (None, "application/json")
    case.call_and_validate(excluded_checks=[negative_data_rejection] if typeless else [])


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

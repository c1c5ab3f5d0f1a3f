"""Fixtures of the service's tests: the application on the fake reader, and its client."""

import base64

import pytest
from fakes import FakeReader
from flask import Flask, Response, current_app, request
from flask.testing import FlaskClient

from shizi.service.app import create_app
from shizi.service.contract import Description
from shizi.service.settings import Settings


@pytest.fixture
def app(reader: FakeReader) -> Flask:
    app = create_app(Settings(max_bytes=100_000, max_files=3, queue=1, cache="off"), reader)
    app.after_request(keep_to_the_contract)
    return app


def keep_to_the_contract(response: Response) -> Response:
    """Hold an answer against what its route's `Description` says; so every test of a route tests its description."""
    view = current_app.view_functions.get(request.endpoint or "")
    told: Description | None = getattr(view, "description", None)
    if told is None or request.method == "OPTIONS":
        return response
    if response.status_code == told.status:
        if isinstance(told.answer, str):
            assert told.answer in ("*/*", response.content_type)
        else:
            told.answer.model_validate_json(response.get_data())
    else:
        assert response.status_code in told.refusals, f"{response.status_code} is not said of {request.path}"
        told.refusal.model_validate_json(response.get_data())
    return response


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def image(png: bytes) -> str:
    """The picture in base64."""
    return base64.b64encode(png).decode()

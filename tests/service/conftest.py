"""Fixtures of the service's tests: the application on the fake reader, and its client."""

import base64

import pytest
from contract import keep_to_the_contract
from fakes import FakeReader
from flask import Flask
from flask.testing import FlaskClient

from shizi.service.app import create_app
from shizi.service.settings import Settings


@pytest.fixture
def app(reader: FakeReader) -> Flask:
    app = create_app(Settings(max_bytes=100_000, max_files=3, queue=1, cache="off"), reader)
    app.after_request(keep_to_the_contract)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def image(png: bytes) -> str:
    """The picture in base64."""
    return base64.b64encode(png).decode()

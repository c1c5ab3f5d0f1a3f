"""Fixtures of the service's tests: the application on the fake reader, and its client."""

import base64
from collections.abc import Iterator

import pytest
from fakes import FakeReader
from flask import Flask
from flask.testing import FlaskClient
from redis_server import RedisServer

from shizi.service.app import create_app
from shizi.service.settings import Settings


@pytest.fixture
def app(reader: FakeReader) -> Flask:
    return create_app(Settings(max_bytes=100_000, max_files=3, queue=1, cache="off"), reader)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def image(png: bytes) -> str:
    """The picture in base64."""
    return base64.b64encode(png).decode()


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.end()


@pytest.fixture
def redis_server(redis_process: RedisServer) -> RedisServer:
    """An empty Redis."""
    redis_process.flush()
    return redis_process

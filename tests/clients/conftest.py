"""Fixtures of the SDKs' tests: each SDK built once."""

from pathlib import Path

import pytest
from building import build_java, build_node


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Node SDK, built."""
    folder = tmp_path_factory.mktemp("node")
    build_node(folder)
    return folder


@pytest.fixture(scope="session")
def java(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classes of the Java SDK and its tests."""
    folder = tmp_path_factory.mktemp("java")
    build_java(folder)
    return folder

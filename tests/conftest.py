"""Fixtures of all tests, and the rule that CI skips nothing."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeReader, as_png
from PIL import Image, ImageDraw, ImageFont
from redis_server import RedisServer

from shizi.reader import Reader

CHINESE_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing may be missing: a skipped test fails the run."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture
def reader() -> Iterator[FakeReader]:
    fake = FakeReader()
    yield fake
    fake.release.set()


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


@pytest.fixture(scope="session")
def png() -> bytes:
    """A white picture, 200 x 80."""
    return as_png(np.full((80, 200, 3), 255, np.uint8))


@pytest.fixture(scope="session")
def real_reader() -> Reader:
    """The engine itself, loaded once."""
    return Reader()


@pytest.fixture(scope="session")
def chinese_png() -> bytes:
    """A drawn picture that says 识字读出文字 and, on a second line, Read me 2026."""
    if not CHINESE_FONT.exists():
        pytest.skip("Debian's package fonts-noto-cjk is missing: apt-get install fonts-noto-cjk")
    picture = Image.new("RGB", (480, 200), "white")
    brush = ImageDraw.Draw(picture)
    font = ImageFont.truetype(str(CHINESE_FONT), 40)
    brush.text((40, 30), "识字读出文字", "black", font)
    brush.text((40, 110), "Read me 2026", "black", font)
    return as_png(np.asarray(picture))

"""Debian's Chromium, driven by Playwright, on running services: a real one, and one told what to do (see live.py)."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import desk
import live
import pytest
from live import Live, serving
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
FLAGS = [  # no sandbox inside containers, and no talk with anyone but the service
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHIZI = str(Path(sys.executable).with_name("shizi"))
PATIENCE = 60_000  # milliseconds, on a machine that trains beside


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE / 2)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    if CHROMIUM is None or not Path(desk.FONT).exists():
        pytest.skip("Debian's package chromium or fonts-noto-cjk is missing: bash tests/prepare.sh")
    running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield running
    running.close()


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The real service with its models, which takes jobs."""
    with serving([SHIZI, "serve"], SHIZI_JOBS=str(tmp_path_factory.mktemp("jobs"))) as running:
        yield running


@pytest.fixture(scope="package")
def told_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("told")


@pytest.fixture(scope="package")
def told(told_folder: Path) -> Iterator[Live]:
    """A service on the fake reader that lets nobody wait and takes no jobs."""
    with serving([sys.executable, live.__file__, str(told_folder)], SHIZI_QUEUE="1") as running:
        yield running


Opens = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Opens]:
    """Open a page of a service; in the end nothing has gone wrong in any, and no other host was asked."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []
    hosts: set[str] = set()
    ports: set[int] = set()

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda message: (
                problems.append(message.text)
                # The browser's own row about a refusal or a cut line: those are what some tests are about.
                if message.type in ("error", "warning") and "Failed to load resource" not in message.text
                else None
            ),
        )
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "http" in request.url else None)

    def opened(running: Live, path: str = "/ocr/webui", **options: object) -> Page:
        ports.add(running.port)
        context = browser.new_context(
            **{  # type: ignore[arg-type]
                "locale": "en-GB",
                "viewport": {"width": 1440, "height": 900},
                "permissions": ["clipboard-read", "clipboard-write"],
                "accept_downloads": True,
            }
            | options
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watch(page)
        page.goto(f"http://127.0.0.1:{running.port}{path}")
        if path == "/ocr/webui":
            page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
    assert hosts <= {f"127.0.0.1:{port}" for port in ports}

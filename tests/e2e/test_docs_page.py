"""The Swagger page in a real browser: it shows every route, breaks no rule of its policy, asks no other host."""

import shutil
import sys
from collections.abc import Iterator

import live
import pytest
from live import Live, serving
from playwright.sync_api import expect, sync_playwright

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving([sys.executable, live.__file__, str(tmp_path_factory.mktemp("live"))]) as running:
        yield running


def test_it_shows_the_api_and_tries_a_route(service: Live) -> None:
    if CHROMIUM is None:
        pytest.skip("Debian's package chromium is missing: apt-get install chromium")
    problems: list[str] = []
    hosts: set[str] = set()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "http" in request.url else None)
        page.goto(f"http://127.0.0.1:{service.port}/ocr/docs")
        expect(page.get_by_role("heading", name="shizi 识字")).to_be_visible(timeout=60_000)  # two megabytes of script
        for path in ("/ocr/predict", "/ocr/health", "/ocr/ready", "/metrics"):
            expect(page.locator(f'[data-path="{path}"]')).to_be_visible()
        page.locator('[data-path="/ocr/health"]').click()
        page.get_by_role("button", name="Execute").click()
        expect(page.locator(".live-responses-table")).to_contain_text("alive")
        browser.close()
    assert problems == []
    assert hosts == {f"127.0.0.1:{service.port}"}

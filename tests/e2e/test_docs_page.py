"""The Swagger page in a real browser: it shows every route, breaks no rule of its policy, asks no other host."""

from collections.abc import Callable

import pytest
from live import Live
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow


def test_it_shows_the_api_and_tries_a_route(told: Live, open_page: Callable[..., Page]) -> None:
    page = open_page(told, "/ocr/docs")
    expect(page.get_by_role("heading", name="shizi 识字")).to_be_visible(timeout=60_000)  # two megabytes of script
    for path in ("/ocr/predict", "/ocr/health", "/ocr/ready", "/metrics"):
        expect(page.locator(f'[data-path="{path}"]')).to_be_visible()
    page.locator('[data-path="/ocr/health"]').click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("alive")

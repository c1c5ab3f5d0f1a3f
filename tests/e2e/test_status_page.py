"""The operator's page in a real browser: live charts of what /metrics says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from live import Live
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow


def test_charts_move_with_the_service(
    told: Live, told_folder: Path, open_page: Callable[..., Page], png: bytes
) -> None:
    page = open_page(told, "/ocr/webui/status")
    expect(page.locator("#service-state")).to_have_text("Ready")
    expect(page.locator(".card-chart svg")).to_have_count(6)
    for number in range(3):
        assert told.request("POST", "/ocr/predict", png + bytes([number]), Content_Type="image/png")[0] == 200
    assert told.request("POST", "/ocr/predict", b"damaged", Content_Type="image/png")[0] == 422
    pages = page.locator(".card-chart", has_text="Pages a minute").locator(".figure b")
    expect(pages).not_to_have_text("0")
    expect(pages).not_to_have_text("–")
    memory = page.locator(".card-chart", has_text="Memory").locator(".figure b").first
    expect(memory).to_contain_text("MB")
    expect(page.locator("#refusals")).to_contain_text("damaged_file")
    expect(page.locator("#totals")).to_contain_text("pages")
    expect(page.locator(".series.one").first).to_have_attribute("d", re.compile("^M.+L"))
    expect(page.locator("#models")).to_have_text("fake@00000000")
    wrong = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]})
    assert [(one["id"], one["nodes"][0]["html"][:100]) for one in wrong.response["violations"]] == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

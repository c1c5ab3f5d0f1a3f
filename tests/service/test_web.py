"""The web page as served: language, headers, words; what it does in a browser is in tests/e2e."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import shizi.service
from shizi.service.texts import LANGUAGES, TEXTS

ROOM = Path(shizi.service.__file__).parent


def test_the_bare_address_leads_to_the_page(client: FlaskClient) -> None:
    for path in ("/", "/ocr/"):
        response = client.get(path)
        assert (response.status_code, response.headers["Location"]) == (302, "/ocr/webui")


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("", "en-GB", "en"),
        ("", "fr", "en"),
        ("", "", "en"),
        ("?lang=zh", "en", "zh-CN"),
        ("?lang=xx", "zh-TW", "zh-CN"),
    ],
)
def test_language(query: str, accepted: str, language: str, client: FlaskClient) -> None:
    response = client.get(f"/ocr/webui{query}", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in response.text
    assert "Accept-Language" in response.headers["Vary"]


def test_policy_and_markup_allow_nothing_inline_and_no_other_host(client: FlaskClient) -> None:
    response = client.get("/ocr/webui")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)", response.text) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", response.text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", response.text) == []


def test_everything_the_page_asks_for_is_there(client: FlaskClient) -> None:
    links = re.findall(r'(?:src|href)="(/[^"]+)"', client.get("/ocr/webui").text)
    assert len(links) >= 4
    for link in links:
        response = client.get(link)
        assert response.status_code == 200, link
        response.close()


def test_recognised_text_is_never_markup() -> None:
    script = (ROOM / "static/webui.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)


def test_languages_have_the_same_words() -> None:
    keys = [set(TEXTS[language]) for language in LANGUAGES]
    assert keys[0] == keys[1]


def test_words_asked_for_exist() -> None:
    script = (ROOM / "static/webui.js").read_text()
    page = (ROOM / "templates/webui.html").read_text()
    asked = set(re.findall(r"\btexts\.(\w+)", script + page))
    assert asked
    assert asked <= set(TEXTS["en"])
    assert not asked & set(dir({})), "Jinja would take the method of the dictionary for the word"

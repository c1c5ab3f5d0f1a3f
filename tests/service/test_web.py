"""The web pages as served: language, headers, words, files; what they do in a browser is in tests/e2e."""

import gzip
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import shizi.service
from shizi.export import FORMATS
from shizi.options import CHOICES
from shizi.service.texts import LANGUAGES, TEXTS

ROOM = Path(shizi.service.__file__).parent
PAGES = ("/ocr/webui", "/ocr/webui/status")
SCRIPTS = sorted((ROOM / "static/webui").rglob("*.js"))


def test_the_bare_address_leads_to_the_page(client: FlaskClient) -> None:
    for path in ("/", "/ocr/"):
        response = client.get(path)
        assert (response.status_code, response.headers["Location"]) == (302, "/ocr/webui")


@pytest.mark.parametrize("path", PAGES)
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
def test_language(path: str, query: str, accepted: str, language: str, client: FlaskClient) -> None:
    response = client.get(f"{path}{query}", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in response.text
    assert "Accept-Language" in response.headers["Vary"]


@pytest.mark.parametrize("path", PAGES)
def test_policy_and_markup_allow_nothing_inline_and_no_other_host(path: str, client: FlaskClient) -> None:
    response = client.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)", response.text) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", response.text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", response.text) == []


@pytest.mark.parametrize("path", PAGES)
def test_everything_the_page_asks_for_is_there(path: str, client: FlaskClient) -> None:
    links = re.findall(r'(?:src|href)="(/[^"]+)"', client.get(path).text)
    assert len(links) >= 4
    for link in links:
        response = client.get(link)
        assert response.status_code == 200, link
        response.close()


def test_modules_find_each_other() -> None:
    for script in SCRIPTS:
        for name in re.findall(r'(?:from|new URL\()\s*"([^"]+)"', script.read_text()):
            assert (script.parent / name).is_file(), f"{script.name} asks for {name}"


def test_files_are_packed_and_kept(client: FlaskClient) -> None:
    [sheet] = re.findall(r'href="([^"]+bootstrap\.min\.css)"', client.get("/ocr/webui").text)
    plain = client.get(sheet)
    packed = client.get(sheet, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 4
    assert "Content-Encoding" not in plain.headers
    for response in (plain, packed):
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Content-Type"] == "text/css; charset=utf-8"
        assert response.headers["Vary"] == "Accept-Encoding"
    old = client.get(re.sub(r"assets/[^/]+", "assets/0123456789ab", sheet))
    assert (old.status_code, old.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["../web.py", "..%2fweb.py", "webui/../../web.py", "webui", "nothing.js", "%00"])
def test_nothing_else_is_given_away(name: str, client: FlaskClient) -> None:
    assert client.get(f"/ocr/assets/0123456789ab/{name}").status_code == 404


def test_the_page_itself_is_packed(client: FlaskClient) -> None:
    packed = client.get("/ocr/webui", headers={"Accept-Encoding": "gzip"})
    assert "<html" in gzip.decompress(packed.data).decode()
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_recognised_text_is_never_markup() -> None:
    for script in SCRIPTS:
        banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|createContextualFragment"
        assert not re.search(banned, script.read_text()), script.name


def test_languages_have_the_same_words() -> None:
    keys = [set(TEXTS[language]) for language in LANGUAGES]
    assert keys[0] == keys[1]
    for key, words in TEXTS["en"].items():
        assert set(re.findall(r"\{(\w+)\}", words)) == set(re.findall(r"\{(\w+)\}", TEXTS["zh"][key])), key


def test_words_asked_for_exist_and_words_that_exist_are_asked_for() -> None:
    code = "".join(script.read_text() for script in SCRIPTS)
    pages = "".join(page.read_text() for page in (ROOM / "templates").glob("*.html"))
    asked = set(re.findall(r"\btexts\.(\w+)", code + pages)) | set(re.findall(r'texts\["([\w.]+)"\]', pages))
    asked |= set(re.findall(r'\bt\(\s*"([\w.]+)"', code)) | set(re.findall(r'\? "([a-z_.]+)" : "', code)) & set(
        TEXTS["en"]
    )
    assert asked <= set(TEXTS["en"]), asked - set(TEXTS["en"])
    assert not {key for key in asked if "." not in key} & set(dir({})), "Jinja would take the dictionary's method"
    families = ("state.", "error.", "field.", "check.", "model.", "block.", "warning.", "source.", "format.", "keys.",
                "hint.", "theme.", "verdict.", "status.", *(f"{name}." for name in CHOICES))  # fmt: skip
    named = set(re.findall(r'"([\w.]+)"', code)) | set(re.findall(r"`([\w.]+)`", code))
    lost = {key for key in TEXTS["en"] if not key.startswith(families) and key not in CHOICES} - asked - named
    assert lost == set(), "nobody asks for these words"


def test_every_format_and_choice_has_words() -> None:
    for name in FORMATS:
        assert f"format.{name}" in TEXTS["en"]
    for name in ("mode", "tables", "fields", "enhance", "orientation", "pdf"):
        assert f"hint.{name}" in TEXTS["en"]
        assert {f"{name}.{value}" for value in CHOICES[name]} <= set(TEXTS["en"])

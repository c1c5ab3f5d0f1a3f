"""`/ocr/export`: what was read becomes a file again, corrections in it; and every document that is none."""

import io
import json
import re
from dataclasses import replace
from typing import Any

import openpyxl
import pypdfium2
import pytest
from documents import hostile
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shizi.document import Document
from shizi.errors import InputError
from shizi.export import FORMATS
from shizi.service.given import given_document


def export(client: FlaskClient, form: dict[str, Any]) -> TestResponse:
    return client.post("/ocr/export", data=form, content_type="multipart/form-data")


def given(values: Any, **form: Any) -> dict[str, Any]:
    return {"document": json.dumps(values), "format": "text"} | form


@pytest.fixture
def answer(client: FlaskClient, png: bytes) -> dict[str, Any]:
    """The answer of a reading: two lines on one page."""
    read: dict[str, Any] = client.post("/ocr/predict?detail=character", data=png, content_type="image/png").get_json()
    return read


def test_what_was_corrected_is_written(client: FlaskClient, answer: dict[str, Any]) -> None:
    answer["pages"][0]["lines"][0]["text"] = "改正了"
    response = export(client, given(answer, name="扫描 1.png"))
    assert (response.status_code, response.content_type) == (200, "text/plain; charset=utf-8")
    assert response.text.splitlines()[0] == "改正了"
    assert "filename*=UTF-8''%E6%89%AB%E6%8F%8F%201.txt" in response.headers["Content-Disposition"]
    sheet = export(client, given(answer, format="xlsx"))
    book = openpyxl.load_workbook(io.BytesIO(sheet.data))
    assert any(cell.value == "改正了" for page in book for row in page.iter_rows() for cell in row)


def test_a_searchable_pdf_is_made_of_the_file(client: FlaskClient, answer: dict[str, Any], png: bytes) -> None:
    form = given(answer, format="pdf", file=(io.BytesIO(png), "a.png"))
    response = export(client, form)
    assert response.content_type == "application/pdf"
    document = pypdfium2.PdfDocument(response.data)
    assert "识字 reads" in document[0].get_textpage().get_text_bounded()
    document.close()
    refused = export(client, given(answer, format="pdf"))
    assert refused.status_code == 400
    assert "send it too, under 'file'" in refused.get_json()["error"]


def test_a_document_may_come_as_a_file(client: FlaskClient, answer: dict[str, Any]) -> None:
    document = (io.BytesIO(json.dumps(answer).encode()), "document.json")
    response = export(client, {"document": document, "format": "json"})
    assert response.get_json(force=True)["pages"] == answer["pages"]


def test_every_document_goes_through_unchanged() -> None:
    document = hostile()
    first = replace(document.pages[0], tables=document.pages[0].tables[:1])  # the others lie outside of themselves
    text = FORMATS["json"].write(replace(document, pages=(first, *document.pages[1:])))
    text = re.sub(rb"\\ud[89a-f][0-9a-f]{2}", b"?", text)  # halves of characters are no JSON that is taken in
    assert given_document(text) == Document.from_dict(json.loads(text))


def changed(values: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    copy: Any = json.loads(json.dumps(values))
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return dict(copy)


TABLE = {
    "html": "",
    "rows": 1,
    "columns": 1,
    "ruled": True,
    "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]],
    "cells": [],
}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("pages", 0, "lines", 0, "text"), 7, "pages.0.lines.0.text: Input should be a valid string"),
        (("pages", 0, "lines", 0, "confidence"), 2, "less than or equal to 1"),
        (("pages", 0, "lines", 0, "polygon"), [[0, 0]], "at least 4 items"),
        (("pages", 0, "blocks"), [{"kind": "text", "polygon": TABLE["polygon"], "lines": [5]}], "points to lines"),
        (("pages", 0, "tables"), [TABLE | {"rows": 10**9}], "a table whose rows"),
        (("pages", 0, "tables"), [TABLE | {"rows": 99_999, "columns": 999}], "a table whose rows"),
        (("pages",), None, "pages: Input should be a valid array"),
        (("pages", 0, "width"), "wide", "pages.0.width"),
    ],
)
def test_what_is_no_document_is_refused(
    path: tuple[Any, ...], value: Any, words: str, client: FlaskClient, answer: dict[str, Any]
) -> None:
    response = export(client, given(changed(answer, *path, to=value)))
    assert (response.status_code, response.get_json()["code"]) == (400, "input")
    assert words in response.get_json()["error"]


def test_a_document_of_very_many_pages_is_refused(answer: dict[str, Any]) -> None:
    """A page of no lines is held in 7 kB, and its JSON has a hundredth of that."""
    page = answer["pages"][0] | {"lines": [], "blocks": [], "text": ""}
    with pytest.raises(InputError, match="pages: List should have at most 10000 items"):
        given_document(json.dumps({"pages": [page] * 10_001}).encode())


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"document": "no json", "format": "text"}, 400, "Invalid JSON"),
        ({"document": b"\xff\xfe", "format": "text"}, 400, "not as /ocr/predict gives it"),
        ({"format": "text"}, 400, "not as /ocr/predict gives it"),
        ({"document": "{}", "format": "doc"}, 400, "Format 'doc' is unknown"),
        ({"document": "{}", "format": "text", "mode": "fast"}, 400, "Unknown option 'mode'"),
    ],
)
def test_wrong_forms_are_told(form: dict[str, Any], status: int, words: str, client: FlaskClient) -> None:
    response = export(client, form)
    assert response.status_code == status
    assert words in response.get_json()["error"]


def test_it_has_to_be_a_form(client: FlaskClient, answer: dict[str, Any], png: bytes) -> None:
    assert client.post("/ocr/export", json=answer).status_code == 415
    strange = given(answer) | {"picture": (io.BytesIO(png), "a.png")}
    assert export(client, strange).status_code == 400
    nameless = b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"
    response = client.post("/ocr/export", data=nameless, content_type="multipart/form-data; boundary=x")
    assert (response.status_code, "without a name" in response.get_json()["error"]) == (400, True)
    twice = given(answer) | {"file": [(io.BytesIO(png), "a.png"), (io.BytesIO(png), "b.png")]}
    assert "several of 'file'" in export(client, twice).get_json()["error"]
    both = given(answer) | {"document": [json.dumps(answer), json.dumps(answer)]}
    assert "'document' is given 2 times" in export(client, both).get_json()["error"]
    queried = client.post("/ocr/export?format=text", data=given(answer), content_type="multipart/form-data")
    assert "'format' stands in the query" in queried.get_json()["error"]
    large = given(answer, file=(io.BytesIO(bytes(150_000)), "a.png"))
    assert export(client, large).status_code == 413

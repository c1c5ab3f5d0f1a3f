"""Umi-OCR's documents: the steps of its own demo (docs/http/api_doc_demo.py there), and what can go wrong in each."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pypdfium2
import pytest
from fakes import FakeReader
from flask import Flask
from flask.testing import FlaskClient
from live import until

from shizi import errors
from shizi.service.access import Keys
from shizi.service.app import create_app
from shizi.service.settings import Settings

DOC = "/compat/umi/api/doc"


@pytest.fixture
def app(tmp_path: Path, reader: FakeReader) -> Iterator[Flask]:
    settings = Settings(jobs=str(tmp_path / "jobs"), job_bytes=100_000, cache="off")
    app = create_app(settings, reader)  # type: ignore[arg-type]
    yield app
    reader.release.set()
    app.extensions["shizi"].close()


def uploaded(
    client: FlaskClient, data: bytes = b"%PDF- of any kind", name: str = "合同.pdf", **options: Any
) -> dict[str, Any]:
    form = {"file": (io.BytesIO(data), name), "json": json.dumps(options)}
    response = client.post(f"{DOC}/upload", data=form)
    assert response.status_code == 200
    values: dict[str, Any] = response.get_json()
    return values


def asked(client: FlaskClient, task: str, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = client.post(f"{DOC}/result", json={"id": task, **more}).get_json()
    return values


def done(client: FlaskClient, task: str) -> dict[str, Any]:
    until(lambda: asked(client, task)["is_done"])
    return asked(client, task)


def test_the_steps_of_the_demo(client: FlaskClient, reader: FakeReader) -> None:
    reader.pages = 3
    answer = uploaded(client, **{"doc.extractionMode": "mixed"})
    assert answer["code"] == 100
    task = answer["data"]
    assert done(client, task) == {
        "code": 100,
        "processed_count": 3,
        "pages_count": 3,
        "is_done": True,
        "state": "success",
        "data": [],
    }
    text = asked(client, task, is_data=True, format="text", is_unread=True)["data"]
    assert text == "识字 reads第二行 <b>&amp;\n" * 3
    assert asked(client, task, is_data=True, format="text", is_unread=True)["data"] == "", "all pages were given"
    pages = asked(client, task, is_data=True, is_unread=False)["data"]
    assert [page["page"] for page in pages] == [1, 2, 3]
    assert pages[0]["code"] == 100
    assert set(pages[0]["data"][0]) == {"text", "score", "box", "end"}
    assert pages[0]["fileName"] == "合同.pdf - 1"
    built = client.post(
        f"{DOC}/download", json={"id": task, "file_types": ["txt", "txtPlain", "jsonl", "csv"], "ingore_blank": False}
    ).get_json()
    assert (built["code"], built["name"]) == (100, "[OCR]_合同.zip")
    assert built["data"].startswith("http://localhost/compat/umi/api/doc/download/")
    assert task not in built["data"]
    response = client.get(urlsplit(built["data"]).path)
    packed = zipfile.ZipFile(io.BytesIO(response.data))
    assert packed.namelist() == ["txt.txt", "txtPlain.txt", "jsonl.jsonl", "csv.csv"]
    assert packed.read("txtPlain.txt").decode() == "识字 reads第二行 <b>&amp;\n" * 3
    assert [json.loads(row)["page"] for row in packed.read("jsonl.jsonl").decode().splitlines()] == [1, 2, 3]
    assert client.get(f"{DOC}/clear/{task}").get_json() == {"code": 100, "data": "Success"}
    assert client.get(f"{DOC}/clear/{task}").get_json()["code"] == 101
    assert asked(client, task)["code"] == 103
    assert client.get(urlsplit(built["data"]).path).status_code == 404


def test_a_layered_pdf_is_made_of_the_document(client: FlaskClient, png: bytes) -> None:
    """The picture of the page with its text beneath: what the default of `file_types` asks for."""
    task = uploaded(client, png, name="page.png")["data"]
    done(client, task)
    built = client.post(f"{DOC}/download", json={"id": task}).get_json()
    assert (built["code"], built["name"]) == (100, "[OCR]_page.pdf")
    response = client.get(urlsplit(built["data"]).path)
    assert response.data.startswith(b"%PDF-")
    with pypdfium2.PdfDocument(response.data) as pdf:
        page = pdf[0]
        text = page.get_textpage()
        assert "识字" in text.get_text_bounded()
        text.close()
        page.close()


def test_pages_and_password_reach_the_reader(client: FlaskClient, reader: FakeReader) -> None:
    reader.pages = 5
    task = uploaded(client, pageRangeStart=2, pageRangeEnd=3, password="geheim", **{"doc.extractionMode": "fullPage"})
    assert done(client, task["data"])["pages_count"] == 2
    assert {(options.password, options.pdf) for _, options in reader.asked} == {("geheim", "ocr")}
    listed = uploaded(client, b"%PDF- other", pageList=[1, 4])["data"]
    done(client, listed)
    assert [page["page"] for page in asked(client, listed, is_data=True)["data"]] == [1, 4]


def test_ignored_areas_hold_on_their_pages(client: FlaskClient, reader: FakeReader) -> None:
    reader.pages = 2
    areas = {"tbpu.ignoreArea": [[[0, 0], [200, 36]]], "tbpu.ignoreRangeStart": 2, "tbpu.parser": "multi_line"}
    task = uploaded(client, **areas)["data"]
    done(client, task)
    pages = asked(client, task, is_data=True)["data"]
    assert [len(page["data"]) for page in pages] == [2, 1]


def test_blank_pages(client: FlaskClient, reader: FakeReader) -> None:
    reader.lines = ()
    task = uploaded(client)["data"]
    assert done(client, task)["state"] == "success"
    assert [page["code"] for page in asked(client, task, is_data=True)["data"]] == [101]
    for skipped, rows in ((True, 0), (False, 1)):
        built = client.post(f"{DOC}/download", json={"id": task, "file_types": ["jsonl"], "ingore_blank": skipped})
        response = client.get(urlsplit(built.get_json()["data"]).path)
        assert len(response.data.splitlines()) == rows


def test_a_document_that_cannot_be_read(client: FlaskClient, reader: FakeReader) -> None:
    reader.error = errors.EncryptedPdf("The PDF needs a password.")
    task = uploaded(client)["data"]
    values = done(client, task)
    assert (values["state"], values["message"]) == ("failure", "[Error] The PDF needs a password.")
    assert client.post(f"{DOC}/download", json={"id": task, "file_types": ["txt"]}).get_json()["code"] == 201


def test_no_formula_reaches_a_spreadsheet(client: FlaskClient, reader: FakeReader) -> None:
    reader.lines = ("=1+1",)
    task = uploaded(client)["data"]
    done(client, task)
    built = client.post(f"{DOC}/download", json={"id": task, "file_types": ["csv"]}).get_json()
    assert ',"\'=1+1\n",' in client.get(urlsplit(built["data"]).path).data.decode("utf-8-sig")


@pytest.mark.parametrize(
    "options",
    [
        {"pageRangeStart": 0},
        {"pageRangeEnd": -2},
        {"pageList": "1"},
        {"pageList": [True]},
        {"doc.extractionMode": "x"},
        {"tbpu.parser": 5},
        {"tbpu.ignoreArea": [1]},
        {"tbpu.ignoreRangeStart": "1"},
        {"password": 5},
    ],
)
def test_refused_options(options: dict[str, Any], client: FlaskClient) -> None:
    assert uploaded(client, **options)["code"] == 804


def test_refused_requests(client: FlaskClient) -> None:
    assert client.post(f"{DOC}/upload", data={}).get_json()["code"] == 101
    broken = client.post(f"{DOC}/upload", data={"file": (io.BytesIO(b"x"), "a.pdf"), "json": "{"})
    assert broken.get_json()["code"] == 107
    assert client.post(f"{DOC}/result", json={}).get_json()["code"] == 102
    for task in ("x", 5, ["a"], {"a": 1}, "../../etc/passwd"):
        assert client.post(f"{DOC}/result", json={"id": task}).get_json()["code"] == 103
        assert client.post(f"{DOC}/download", json={"id": task}).get_json()["code"] == 103
    task = uploaded(client)["data"]
    done(client, task)
    for types, code in ((["pdfOneLayer"], 203), ("txt", 202), ([], 202), ([["txt"]], 203)):
        assert client.post(f"{DOC}/download", json={"id": task, "file_types": types}).get_json()["code"] == code
    assert client.get(f"{DOC}/download/guessed/a.txt").status_code == 404
    assert uploaded(client, bytes(100_001))["code"] == 901
    assert "The file is JSON" in uploaded(client, b"{}")["data"]


def test_a_file_name_leads_nowhere(client: FlaskClient) -> None:
    task = uploaded(client, name='../../etc/pass\twd".pdf')["data"]
    done(client, task)
    built = client.post(f"{DOC}/download", json={"id": task, "file_types": ["txt"]}).get_json()
    assert "/" not in built["name"]
    response = client.get(urlsplit(built["data"]).path)
    assert response.status_code == 200
    assert "\n" not in response.headers["Content-Disposition"]


def test_one_keys_tasks_are_not_anothers(tmp_path: Path, reader: FakeReader) -> None:
    keys = Keys(tmp_path / "keys")
    desk, attic = ({"X-API-Key": keys.add(name, ["jobs"])} for name in ("desk", "attic"))
    reading = {"X-API-Key": keys.add("scanner", ["read"])}
    app = create_app(Settings(jobs=str(tmp_path / "jobs"), keys=str(tmp_path / "keys")), reader)  # type: ignore[arg-type]
    client = app.test_client()
    form = {"file": (io.BytesIO(b"x"), "a.pdf")}
    assert client.post(f"{DOC}/upload", data=form, headers=reading).get_json()["code"] == 921
    task = client.post(f"{DOC}/upload", data={"file": (io.BytesIO(b"%PDF-"), "a.pdf")}, headers=desk).get_json()["data"]
    for headers, code in ((desk, 100), (attic, 103), ({}, 920)):
        assert client.post(f"{DOC}/result", json={"id": task}, headers=headers).get_json()["code"] == code
    assert client.get(f"{DOC}/clear/{task}", headers=attic).get_json()["code"] == 101
    keys.close()
    app.extensions["shizi"].close()


def test_without_a_place_for_jobs(reader: FakeReader) -> None:
    client = create_app(Settings(), reader).test_client()  # type: ignore[arg-type]
    values = uploaded(client)
    assert values["code"] == 804
    assert "SHIZI_JOBS" in values["data"]

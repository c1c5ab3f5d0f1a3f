"""`/ocr/corrections`: kept where the operator says so, by who may, and nothing of it anywhere else."""

import base64
import io
import json
import logging
from pathlib import Path

import pytest
from contract import keep_to_the_contract
from fakes import FakeReader
from flask.testing import FlaskClient

from shizi.corrections import Corrections
from shizi.errors import InputError
from shizi.service.access import Keys
from shizi.service.app import create_app
from shizi.service.settings import Settings

SECRET = "机密文字"
CORNERS = [[1, 2], [90.5, 2], [90.5, 30], [1, 30]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "corrections"


@pytest.fixture
def keeping(reader: FakeReader, folder: Path) -> FlaskClient:
    app = create_app(Settings(max_bytes=50_000, corrections=str(folder)), reader)
    app.after_request(keep_to_the_contract)
    return app.test_client()


def kept(folder: Path) -> list[tuple[str, str, str]]:
    return [(line.strip.text, line.read, line.model) for line in Corrections(folder).lines()]


def test_a_line_is_kept_once(keeping: FlaskClient, folder: Path, image: str) -> None:
    sent = {"line": image, "text": " 识字 ", "read": "讥字", "model": "crnn-int8@1"}
    answers = [keeping.post("/ocr/corrections", json=sent).get_json() for _ in range(2)]
    answers.append(keeping.post("/ocr/corrections", json=sent | {"text": "识子"}).get_json())
    assert [answer["outcome"] for answer in answers] == ["kept", "known", "replaced"]
    assert answers[0]["text"] == "识字"
    assert kept(folder) == [("识子", "讥字", "crnn-int8@1")]


def test_a_page_with_its_polygon(keeping: FlaskClient, reader: FakeReader, image: str) -> None:
    sent = {"image": image, "text": "识字", "polygon": CORNERS, "page": 2, "rotation": 90}
    assert keeping.post("/ocr/corrections", json=sent).status_code == 200
    place = reader.given.place
    assert place is not None
    assert (place.page, place.rotation, place.vertical) == (2, 90, False)
    assert place.polygon.corners[1] == (90.5, 2.0)


def test_a_form(keeping: FlaskClient, reader: FakeReader, png: bytes) -> None:
    fields = {"text": "123", "polygon": json.dumps(CORNERS), "vertical": "true"}
    response = keeping.post("/ocr/corrections", data=fields | {"image": (io.BytesIO(png), "page.png")})
    assert response.get_json()["text"] == "123"
    assert reader.given.place is not None
    assert reader.given.place.vertical
    response = keeping.post(
        "/ocr/corrections", data={"text": "4", "margins": "true", "line": (io.BytesIO(png), "l.png")}
    )
    assert response.status_code == 200
    assert reader.given.margins


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"line": None}, "one of 'line'"),
        ({"image": "aGk="}, "one of 'line'"),
        ({"polygon": CORNERS}, "needs the 'polygon'"),
        ({"line": "%"}, "'line' is not base64"),
        ({"text": 3}, "'text' is not usable"),
        ({"text": "x" * 1001}, "'text' is not usable"),
        ({"colour": "red"}, "'colour' is not usable"),
        ({"page": 0}, "'page' is not usable"),
        ({"rotation": 45}, "'rotation' is not usable"),
    ],
)
def test_a_body_that_is_wrong_is_told(
    keeping: FlaskClient, folder: Path, image: str, change: dict[str, object], message: str
) -> None:
    sent = {name: value for name, value in ({"line": image, "text": "识"} | change).items() if value is not None}
    response = keeping.post("/ocr/corrections", json=sent)
    assert response.status_code == 400
    assert message in response.get_json()["error"]
    assert kept(folder) == []


def test_other_bodies_are_told(keeping: FlaskClient, png: bytes, image: str) -> None:
    assert keeping.post("/ocr/corrections", data=png, content_type="image/png").status_code == 415
    assert keeping.post("/ocr/corrections", data=b"{", content_type="application/json").status_code == 400
    assert keeping.post("/ocr/corrections", data={"text": "x", "file": (io.BytesIO(png), "a.png")}).status_code == 400
    twice = {"text": ["x", "y"], "line": (io.BytesIO(png), "l.png")}
    assert "'text' is given 2 times" in keeping.post("/ocr/corrections", data=twice).get_json()["error"]
    large = base64.b64encode(bytes(60_000)).decode()
    assert keeping.post("/ocr/corrections", json={"line": large, "text": "x"}).status_code == 413


def test_what_cannot_be_learned_is_not_kept(keeping: FlaskClient, reader: FakeReader, folder: Path, image: str) -> None:
    reader.error = InputError("The model's charset lacks 魑.")
    response = keeping.post("/ocr/corrections", json={"line": image, "text": "魑"})
    assert (response.status_code, response.get_json()["code"]) == (400, "input")
    assert kept(folder) == []


def test_they_are_off_unless_a_folder_is_set(client: FlaskClient, image: str) -> None:
    assert client.get("/ocr/corrections").get_json()["kept"] is False
    response = client.post("/ocr/corrections", json={"line": image, "text": "识"})
    assert response.status_code == 403
    assert "SHIZI_CORRECTIONS" in response.get_json()["error"]
    assert client.delete("/ocr/corrections").status_code == 403


def test_they_are_deleted(keeping: FlaskClient, folder: Path, image: str) -> None:
    assert keeping.get("/ocr/corrections").get_json()["kept"] is True
    keeping.post("/ocr/corrections", json={"line": image, "text": "识"})
    assert keeping.delete("/ocr/corrections?sender=desk").get_json()["dropped"] == 0
    assert keeping.delete("/ocr/corrections?before=2000-01-01").get_json()["dropped"] == 0
    assert keeping.delete("/ocr/corrections?before=yesterday").status_code == 400
    assert keeping.delete("/ocr/corrections?all=1").status_code == 400
    assert keeping.delete("/ocr/corrections").get_json()["dropped"] == 1
    assert kept(folder) == []


def test_who_may(reader: FakeReader, tmp_path: Path, image: str) -> None:
    keys = Keys(tmp_path / "keys")
    named = {scope: {"X-API-Key": keys.add(scope, [scope])} for scope in ("read", "correct", "admin")}
    settings = Settings(keys=str(tmp_path / "keys"), corrections=str(tmp_path / "corrections"))
    client = create_app(settings, reader).test_client()
    sent = {"line": image, "text": "识"}
    assert client.get("/ocr/corrections").status_code == 200
    assert client.post("/ocr/corrections", json=sent).status_code == 401
    assert client.post("/ocr/corrections", json=sent, headers=named["read"]).status_code == 403
    assert client.post("/ocr/corrections", json=sent, headers=named["correct"]).status_code == 200
    assert [line.sender for line in Corrections(tmp_path / "corrections").lines()] == ["correct"]
    assert client.delete("/ocr/corrections", headers=named["correct"]).status_code == 403
    assert client.delete("/ocr/corrections?sender=correct", headers=named["admin"]).get_json()["dropped"] == 1


def test_nothing_of_it_is_logged(keeping: FlaskClient, image: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    keeping.post("/ocr/corrections", json={"line": image, "text": SECRET, "read": SECRET, "model": SECRET})
    keeping.post("/ocr/corrections", json={"line": "%", "text": SECRET})
    rows = "".join(str(record.__dict__) for record in caplog.records)
    assert "/ocr/corrections" in rows
    assert SECRET not in rows
    assert image[:40] not in rows


def test_the_oldest_go_first(reader: FakeReader, folder: Path, png: bytes) -> None:
    client = create_app(Settings(corrections=str(folder), corrections_lines=2), reader).test_client()
    for number in range(4):
        line = base64.b64encode(png + bytes([number])).decode()
        client.post("/ocr/corrections", json={"line": line, "text": str(number)})
    assert sorted(text for text, _, _ in kept(folder)) == ["2", "3"]


def test_the_web_page_sends_lines_where_they_are_kept(keeping: FlaskClient, reader: FakeReader) -> None:
    page = keeping.get("/ocr/webui")
    assert page.status_code == 200
    assert "&#34;corrections&#34;:&#34;/ocr/corrections&#34;" in page.text
    elsewhere = create_app(Settings(), reader).test_client().get("/ocr/webui")
    assert "&#34;corrections&#34;:&#34;&#34;" in elsewhere.text

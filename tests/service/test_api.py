"""The contract of the HTTP routes, through Flask's client and the fake reader."""

import base64
import io
import json
import logging
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import RAISED, FakeReader
from flask.testing import FlaskClient
from werkzeug.http import parse_options_header
from werkzeug.test import TestResponse

import shizi
from shizi import errors
from shizi.document import Check, Document, Field, Verdict
from shizi.errors import ShiziError
from shizi.export import FORMATS
from shizi.service.app import create_app
from shizi.service.downloads import member
from shizi.service.logs import JsonRows
from shizi.service.settings import Settings

FIRST_KEYS = ["success", "text", "confidence", "processing_time_ms", "request_id", "cached", "weights"]


def check_error(response: TestResponse, kind: type[ShiziError] | None = None) -> dict[str, Any]:
    """Check the shape all errors share, and the class if one is given."""
    values: dict[str, Any] = response.get_json()
    assert list(values)[:4] == ["success", "error", "code", "request_id"]
    assert values["success"] is False
    assert values["error"].endswith(".")
    assert values["request_id"] == response.headers["X-Request-ID"]
    assert "Traceback" not in response.text
    if kind is not None:
        assert (response.status_code, values["code"]) == (kind.http_status, kind.code)
    return values


def test_json(client: FlaskClient, image: str, png: bytes, reader: FakeReader) -> None:
    response = client.post("/ocr/predict", json={"image": image, "mode": "fast", "detail": "word"})
    values = response.get_json()
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert list(values)[:7] == FIRST_KEYS
    assert values["success"] is True
    assert values["text"] == "识字 reads\n第二行 <b>&amp;"
    assert values["confidence"] == pytest.approx(0.78, abs=0.005)
    assert values["processing_time_ms"] >= 0
    assert values["cached"] is False
    assert values["weights"] == list(reader.weights)
    assert "识字 reads" in response.text, "Chinese is not escaped"
    [(data, options)] = reader.asked
    assert data == png
    assert (options.mode, options.detail, options.enhance) == ("fast", "word", "auto")


def test_the_answer_is_a_document(client: FlaskClient, png: bytes, reader: FakeReader) -> None:
    response = client.post("/ocr/predict", data=png, content_type="image/png")
    assert Document.from_dict(response.get_json()) == reader.read(png)


@pytest.mark.parametrize("heading", ["data:image/png;base64,", "data:image/png;charset=utf-8;base64,", "data:;base64,"])
def test_data_url(heading: str, client: FlaskClient, image: str, png: bytes, reader: FakeReader) -> None:
    assert client.post("/ocr/predict", json={"image": heading + image}).status_code == 200
    assert reader.asked[0][0] == png


def test_base64_with_line_breaks_and_without_padding(client: FlaskClient, reader: FakeReader) -> None:
    assert client.post("/ocr/predict", json={"image": "AAEC\r\nAwQ"}).status_code == 200
    assert reader.asked[0][0] == bytes(range(5))


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "IMAGE/TIFF; q=1", "application/octet-stream"])
def test_raw_body(kind: str, client: FlaskClient, png: bytes, reader: FakeReader) -> None:
    assert client.post("/ocr/predict?mode=accurate", data=png, content_type=kind).status_code == 200
    assert (reader.asked[0][0], reader.asked[0][1].mode) == (png, "accurate")


def test_multipart(client: FlaskClient, png: bytes, reader: FakeReader) -> None:
    form = {"file": (io.BytesIO(png), "a.png"), "mode": "fast"}
    values = client.post("/ocr/predict?enhance=none", data=form).get_json()
    assert list(values)[:7] == FIRST_KEYS
    assert "documents" not in values
    [(data, options)] = reader.asked
    assert (data, options.mode, options.enhance) == (png, "fast", "none")


def test_the_body_goes_before_the_query(client: FlaskClient, image: str, reader: FakeReader) -> None:
    assert client.post("/ocr/predict?mode=accurate", json={"image": image, "mode": "fast"}).status_code == 200
    assert reader.asked[0][1].mode == "fast"


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_every_format(name: str, client: FlaskClient, png: bytes, reader: FakeReader) -> None:
    form = {"file": (io.BytesIO(png), "发票 1.png"), "format": name, "mode": "fast"}
    response = client.post("/ocr/predict", data=form)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == FORMATS[name].media_type
    disposition = parse_options_header(response.headers["Content-Disposition"])
    assert disposition == ("attachment", {"filename": f"发票 1{FORMATS[name].suffix}"})
    assert response.headers["Content-Disposition"].isascii(), "gunicorn sends no other"
    assert response.headers["X-Request-ID"]
    assert len(response.data) > 20
    [(_, options)] = reader.asked
    assert (options.mode, options.detail) == ("fast", FORMATS[name].detail)


def test_the_format_stands_where_options_stand(client: FlaskClient, png: bytes, image: str) -> None:
    text = "识字 reads\n第二行 <b>&amp;\n"
    assert client.post("/ocr/predict?format=text", data=png, content_type="image/png").text == text
    response = client.post("/ocr/predict?format=hocr", json={"image": image, "format": "text"})
    assert response.text == text
    assert parse_options_header(response.headers["Content-Disposition"])[1] == {"filename": "document.txt"}
    assert client.post("/ocr/predict?format=json", json={"image": image}).get_json()["success"] is True


@pytest.mark.parametrize("name", ["../../etc/passwd.png", "a\\b.png", 'x"\r\ny: z.png', "..", ""])
def test_file_names_lead_nowhere(name: str, client: FlaskClient, png: bytes) -> None:
    response = client.post("/ocr/predict?format=text", data={"file": (io.BytesIO(png), name)})
    if response.status_code == 200:
        given = parse_options_header(response.headers["Content-Disposition"])[1]["filename"]
        assert given.endswith(".txt")
        assert not set(given) & set("/\\\r\n")
    else:
        check_error(response, errors.InputError)


@pytest.mark.parametrize("name", ["doc", "PDF", "", 7, None, ["pdf"]])
def test_an_unknown_format(name: object, client: FlaskClient, image: str, reader: FakeReader) -> None:
    values = check_error(client.post("/ocr/predict", json={"image": image, "format": name}), errors.OptionsError)
    assert "expected one of text, json" in values["error"]
    assert reader.asked == []


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_several_files_in_a_format_come_as_a_zip(name: str, client: FlaskClient, png: bytes) -> None:
    suffix = FORMATS[name].suffix
    files = [(io.BytesIO(png), "扫描 1.png"), (io.BytesIO(png), "../扫描 1.png"), (io.BytesIO(png), "b.tar.gz")]
    response = client.post("/ocr/predict", data={"file": files, "format": name})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/zip")
    assert parse_options_header(response.headers["Content-Disposition"])[1] == {"filename": "documents.zip"}
    assert "X-Failed-Pages" not in response.headers
    packed = zipfile.ZipFile(io.BytesIO(response.data))
    assert packed.namelist() == [f"0000-扫描_1{suffix}", f"0001-扫描_1{suffix}", f"0002-b.tar{suffix}"]
    single = client.post(f"/ocr/predict?format={name}", data=png, content_type="image/png")
    if name not in ("xlsx", "docx", "pdf"):  # those carry the time they were made
        assert packed.read(packed.namelist()[0]) == single.data


def test_a_file_that_cannot_be_read_does_not_sink_the_zip(client: FlaskClient, reader: FakeReader, png: bytes) -> None:
    reader.errors_by_data[b"broken"] = errors.DamagedFile("The file ends early.")
    files = [(io.BytesIO(b"broken"), "a.png"), (io.BytesIO(png), "b.png"), (io.BytesIO(b"<Invoice/>"), "c.xml")]
    response = client.post("/ocr/predict", data={"file": files, "format": "pdf"})
    assert (response.status_code, response.headers["X-Failed-Pages"]) == (200, "0:0,2:0")
    packed = zipfile.ZipFile(io.BytesIO(response.data))
    assert packed.namelist() == ["0001-b.pdf", "errors.json"]
    told = json.loads(packed.read("errors.json"))
    assert told[0] == {
        "file": 0,
        "page": None,
        "name": "a.png",
        "error": "The file ends early.",
        "code": "damaged_file",
    }
    assert (told[1]["file"], told[1]["name"]) == (2, "c.xml"), "what no PDF can be made of"
    nothing = client.post("/ocr/predict", data={"file": [(io.BytesIO(b"broken"), "a.png")], "format": "text"})
    check_error(nothing, errors.DamagedFile)
    both = [(io.BytesIO(b"broken"), "a.png"), (io.BytesIO(b"broken"), "b.png")]
    values = check_error(client.post("/ocr/predict", data={"file": both, "format": "text"}), errors.DamagedFile)
    assert [document["name"] for document in values["documents"]] == ["a.png", "b.png"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "C:\\Windows\\win.ini", "..", "", "a\nb", "CON.png", "x" * 5000, ".png"]
)
def test_names_in_a_zip_lead_nowhere(name: str) -> None:
    given = member(7, name, ".txt")
    assert re.fullmatch(r"0007-\w[\w.-]*\.txt", given)
    assert len(given) < 100


def test_errors_stay_json_whatever_the_format(client: FlaskClient, png: bytes, reader: FakeReader) -> None:
    reader.error = errors.DamagedFile("The file ends early.")
    check_error(client.post("/ocr/predict?format=pdf", data=png, content_type="image/png"), errors.DamagedFile)


def test_several_files(client: FlaskClient, reader: FakeReader) -> None:
    reader.errors_by_data[b"broken"] = errors.DamagedFile("The file ends early.")
    reader.pages = 2
    files = [(io.BytesIO(b"one"), "一.png"), (io.BytesIO(b"broken"), "b.png"), (io.BytesIO(b"two"), "c.png")]
    response = client.post("/ocr/predict", data={"file": files})
    values = response.get_json()
    assert response.status_code == 200
    assert list(values)[:7] == FIRST_KEYS
    assert [document["success"] for document in values["documents"]] == [True, False, True]
    first, broken, last = values["documents"]
    assert (first["name"], first["text"], first["pages"]) == ("一.png", reader.read(b"").text, [0, 1])
    assert broken == {
        "name": "b.png",
        "success": False,
        "error": "The file ends early.",
        "code": "damaged_file",
    }
    assert last["pages"] == [2, 3]
    assert [page["number"] for page in values["pages"]] == [1, 2, 1, 2]
    assert values["text"] == f"{first['text']}\n\f{last['text']}"


def test_several_files_all_bad(client: FlaskClient, reader: FakeReader) -> None:
    reader.error = errors.UnsupportedFormat("The file is no picture.")
    files = [(io.BytesIO(b"one"), "a.doc"), (io.BytesIO(b"two"), "b.doc")]
    values = check_error(client.post("/ocr/predict", data={"file": files}), errors.UnsupportedFormat)
    assert [document["name"] for document in values["documents"]] == ["a.doc", "b.doc"]


@pytest.mark.parametrize("kind", RAISED)
def test_each_error_has_its_status(kind: type[ShiziError], client: FlaskClient, reader: FakeReader) -> None:
    reader.error = kind("What was found; what was expected.")
    response = client.post("/ocr/predict", data=b"x", content_type="image/png")
    assert check_error(response, kind)["error"] == "What was found; what was expected."
    assert ("Retry-After" in response.headers) is issubclass(kind, errors.Busy)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ('{"image": "aGk=", "password": "密码"}'.encode("gbk"), "send it in UTF-8"),
        ('{"image": "aGk="}'.encode("utf-16"), "send it in UTF-8"),
        (b"[" * 10_000, "not JSON"),
        (b"[1]", "no JSON object"),
        (b"null", "no JSON object"),
        (b"{}", "'image' is missing"),
        (b'{"image": 5}', "'image' is no string"),
        (b'{"image": null}', "'image' is no string"),
        (b'{"image": ""}', "'image' is empty"),
        (b'{"image": "data:image/png;base64,"}', "'image' is empty"),
        (b'{"image": "data:image/png,abc"}', "not base64"),
        (b'{"image": "data:image/png;base64"}', "not base64"),
        (b'{"image": "*not base64*"}', "not base64"),
        (b'{"image": "\xe8\xaf\x86"}', "not base64"),
        (b'{"image": "A"}', "not base64"),
        (b'{"image": "http://127.0.0.1/x.png"}', "not base64"),
    ],
)
def test_bad_json(body: bytes, said: str, client: FlaskClient, reader: FakeReader) -> None:
    response = client.post("/ocr/predict", data=body, content_type="application/json")
    assert said in check_error(response, errors.InputError)["error"]
    assert reader.asked == []


def test_json_as_some_shells_write_it(client: FlaskClient, image: str) -> None:
    """PowerShell and Notepad put a byte order mark before UTF-8."""
    body = json.dumps({"image": image}).encode("utf-8-sig")
    assert client.post("/ocr/predict", data=body, content_type="application/json").status_code == 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"modes": "fast"}, "'modes'"),
        ({"mode": "slow"}, "'slow'"),
        ({"mode": None}, "'None'"),
        ({"mode": ["fast"]}, "'mode'"),
        ({"image2": "x"}, "'image2'"),
        ({"detail": 3}, "'detail'"),
    ],
)
def test_bad_options(options: dict[str, object], said: str, client: FlaskClient, image: str) -> None:
    response = client.post("/ocr/predict", json={"image": image, **options})
    assert said in check_error(response, errors.OptionsError)["error"]


@pytest.mark.parametrize("query", ["?modes=fast", "?mode=slow", "?mode=fast&mode=auto"])
def test_bad_options_in_the_query(query: str, client: FlaskClient, png: bytes) -> None:
    response = client.post(f"/ocr/predict{query}", data=png, content_type="image/png")
    assert "mode" in check_error(response, errors.OptionsError)["error"]


def test_bad_option_in_the_form(client: FlaskClient, png: bytes) -> None:
    form = {"file": (io.BytesIO(png), "a.png"), "colour": "red"}
    assert "'colour'" in check_error(client.post("/ocr/predict", data=form), errors.OptionsError)["error"]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_wrong_content_type(kind: str, client: FlaskClient) -> None:
    response = client.post("/ocr/predict", data=b"x", headers={"Content-Type": kind})
    assert "application/json" in check_error(response, errors.UnsupportedFormat)["error"]


def test_missing_pictures(client: FlaskClient) -> None:
    check_error(client.post("/ocr/predict", data=b"", content_type="image/png"), errors.InputError)
    empty_form = client.post("/ocr/predict", data={"mode": "fast"}, content_type="multipart/form-data")
    assert "'file'" in check_error(empty_form, errors.InputError)["error"]
    other_name = client.post("/ocr/predict", data={"picture": (io.BytesIO(b"x"), "a.png")})
    assert "'picture'" in check_error(other_name, errors.InputError)["error"]
    torn = client.post("/ocr/predict", data=b"--x\r\nContent-Disp", content_type="multipart/form-data; boundary=x")
    check_error(torn, errors.InputError)
    check_error(client.post("/ocr/predict", data=b"x", content_type="multipart/form-data"), errors.InputError)


FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%d"\r\n\r\n1\r\n'


@pytest.mark.parametrize(
    ("kind", "body", "status", "said"),
    [
        ("multipart/form-data", b"x", 400, "names no boundary; let your HTTP client set Content-Type"),
        (FORM, b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\na.png\r\n--x--\r\n', 400, "-F file=@"),
        (FORM, b"".join(PART % number for number in range(1001)) + b"--x--\r\n", 413, "more than 1,000 parts"),
        ("application/x-www-form-urlencoded", b"x", 415, "application/octet-stream for the bytes"),
    ],
)
def test_what_people_do_wrong_is_told(kind: str, body: bytes, status: int, said: str, client: FlaskClient) -> None:
    response = client.post("/ocr/predict", data=body, content_type=kind)
    assert response.status_code == status
    assert said in response.get_json()["error"]


@pytest.mark.parametrize("path", ["predict", "jobs", "picture", "export", "corrections"])
def test_a_compressed_body_is_refused(path: str, tmp_path: Path, reader: FakeReader, png: bytes) -> None:
    settings = Settings(jobs=str(tmp_path / "jobs"), corrections=str(tmp_path / "corrections"))
    app = create_app(settings, reader)  # type: ignore[arg-type]
    encoded = {"Content-Encoding": "gzip"}
    response = app.test_client().post(f"/ocr/{path}", data=png, content_type="image/png", headers=encoded)
    app.extensions["shizi"].close()
    assert response.status_code == 415
    assert "without Content-Encoding" in response.get_json()["error"]


def test_many_unknown_options_are_told_shortly(client: FlaskClient, image: str) -> None:
    strange = {f"{number}{'x' * 10_000}": 1 for number in range(5)}
    said = client.post("/ocr/predict", json={"image": image, **strange}).get_json()["error"]
    assert "and 2 more; known are mode, " in said
    assert ", format, deadline_ms, priority, no_store." in said
    assert len(said) < 400


def test_a_websocket_is_refused(client: FlaskClient) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    response = client.get("/ocr/health", headers=upgrade)
    assert response.status_code == 400
    assert "expected a plain HTTP request" in response.get_json()["error"]


def test_too_many_files(client: FlaskClient) -> None:
    files = [(io.BytesIO(b"x"), f"{number}.png") for number in range(4)]
    values = check_error(client.post("/ocr/predict", data={"file": files}), errors.TooLarge)
    assert "4 files" in values["error"]


class Counted(io.RawIOBase):
    """An endless body that counts what is read of it."""

    taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.taken += len(buffer)
        return len(buffer)


@pytest.mark.parametrize("kind", ["application/json", "image/png", "multipart/form-data; boundary=x"])
def test_too_large_by_content_length_is_refused_unread(kind: str, client: FlaskClient) -> None:
    body = Counted()
    overrides = {"wsgi.input": body, "CONTENT_LENGTH": str(10**12)}
    response = client.post("/ocr/predict", content_type=kind, environ_overrides=overrides)
    assert "100,000 bytes" in check_error(response, errors.TooLarge)["error"]
    assert body.taken == 0


@pytest.mark.parametrize("kind", ["application/json", "image/png", "multipart/form-data; boundary=x"])
def test_too_large_without_content_length_stops_at_the_limit(kind: str, client: FlaskClient) -> None:
    body = Counted()
    overrides = {"wsgi.input": body, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = client.post("/ocr/predict", content_type=kind, environ_overrides=overrides)
    check_error(response, errors.TooLarge)
    assert body.taken < 500_000


def test_the_limit_is_of_the_picture_whatever_it_comes_in(client: FlaskClient) -> None:
    for size, status in ((100_000, 200), (100_001, 413)):
        data = bytes(size)
        as_json = client.post("/ocr/predict", json={"image": base64.b64encode(data).decode()})
        as_form = client.post("/ocr/predict", data={"file": (io.BytesIO(data), "a.png")})
        raw = client.post("/ocr/predict", data=data, content_type="image/png")
        assert [as_json.status_code, as_form.status_code, raw.status_code] == [status] * 3


def test_unknown_routes_and_wrong_methods(client: FlaskClient) -> None:
    for path in ("/nowhere", "/ocr/nowhere", "/ocr/static/nowhere.js", "/ocr/static/../app.py"):
        response = client.get(path)
        assert (response.status_code, check_error(response)["code"]) == (404, "not_found")
    response = client.get("/ocr/predict")
    assert (response.status_code, check_error(response)["code"]) == (405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]
    assert client.delete("/ocr/health").status_code == 405


def test_health_and_ready(client: FlaskClient, reader: FakeReader) -> None:
    health = client.get("/ocr/health").get_json()
    assert (health["status"], health["version"]) == ("alive", shizi.__version__)
    ready = client.get("/ocr/ready")
    assert ready.get_json()["weights"] == list(reader.weights)
    assert ready.get_json()["request_id"] == ready.headers["X-Request-ID"]


def test_a_stopping_service_takes_nothing_new(client: FlaskClient, png: bytes) -> None:
    client.application.extensions["shizi"].gate.close()
    response = client.post("/ocr/predict", data=png, content_type="image/png")
    check_error(response, errors.Stopping)
    assert response.headers["Retry-After"] == "1"
    check_error(client.get("/ocr/ready"), errors.Stopping)
    assert client.get("/ocr/health").status_code == 200


@pytest.mark.parametrize("given", ["abc-1.2_3", "x" * 64])
def test_a_well_formed_request_id_is_kept(given: str, client: FlaskClient) -> None:
    assert client.get("/ocr/health", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "<script>", "识字", "a/b"])
def test_another_request_id_is_replaced(given: str, client: FlaskClient) -> None:
    answered = client.get("/ocr/health", headers={"X-Request-ID": given.encode().decode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", answered.headers["X-Request-ID"])


def test_a_defect_tells_nothing_and_logs_no_text(
    client: FlaskClient, reader: FakeReader, png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reader.error = RuntimeError("机密文字")
    response = client.post("/ocr/predict", data=png, content_type="image/png")
    values = check_error(response, ShiziError)
    assert "机密文字" not in response.text
    assert "机密文字" not in caplog.text
    assert f"failed {values['request_id']}: RuntimeError at" in caplog.text
    reader.error = None
    assert client.post("/ocr/predict", data=png, content_type="image/png").status_code == 200


def test_the_log_has_a_row_a_request_and_no_content(
    client: FlaskClient, png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.post("/ocr/predict", data={"file": (io.BytesIO(png), "私人.png")})
    client.get("/ocr/no%0Aforged")
    written = [JsonRows().format(record) for record in caplog.records]
    rows = [json.loads(row) for row in written]
    told = [(row["method"], row["route"], row["status"]) for row in rows]
    assert told == [("POST", "/ocr/predict", 200), ("-", "-", 404)]
    assert all(row["event"] == "request" and row["request_id"] and row["milliseconds"] >= 0 for row in rows)
    assert not re.search("识字|私人|forged|\n", "".join(written))


def test_a_refusal_tells_its_cause_in_the_log(
    client: FlaskClient, reader: FakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.post("/ocr/predict", data=b"x", content_type="text/plain")
    assert json.loads(JsonRows().format(caplog.records[-1]))["cause"] == "unsupported_format"
    client.post("/ocr/predict?deadline_ms=0", data={"file": [(io.BytesIO(b"one"), "a"), (io.BytesIO(b"two"), "b")]})
    assert json.loads(JsonRows().format(caplog.records[-1]))["cause"] == "options"
    reader.error = errors.DamagedFile("The file ends early.")
    client.post("/ocr/predict", data={"file": [(io.BytesIO(b"one"), "a"), (io.BytesIO(b"two"), "b")]})
    assert json.loads(JsonRows().format(caplog.records[-1]))["cause"] == "damaged_file"


def test_answers_are_not_kept_by_anyone(client: FlaskClient) -> None:
    headers = client.get("/ocr/health").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_no_invalid_json_is_sent(client: FlaskClient, reader: FakeReader, png: bytes) -> None:
    """A NaN would be no JSON: better a plain failure than an answer no client can parse."""
    document = reader.read(b"")
    broken = {**document.to_dict(), "confidence": float("nan")}
    with pytest.raises(ValueError, match="JSON"):
        client.application.json.dumps(broken)
    assert json.loads(client.application.json.dumps(document.to_dict())) == document.to_dict()


def test_fields_and_the_verdict_are_part_of_the_answer(
    client: FlaskClient, image: str, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = reader.read
    field = Field("total", "52.70", "¥52.70", 0.97, checks=(Check("in_words", True, "52.70"),))
    verdict = Verdict("accept")
    monkeypatch.setattr(reader, "read", lambda *given: replace(plain(*given), fields=(field,), verdict=verdict))
    values = client.post("/ocr/predict", json={"image": image, "fields": "auto"}).get_json()
    assert values["fields"]["total"]["value"] == "52.70"
    assert values["fields"]["total"]["checks"] == [{"name": "in_words", "passed": True, "detail": "52.70"}]
    assert values["verdict"] == {"decision": "accept", "reasons": []}


def test_a_template_is_named_never_pathed(client: FlaskClient, image: str, reader: FakeReader) -> None:
    values = check_error(client.post("/ocr/predict", json={"image": image, "template": "../etc/passwd"}))
    assert values["code"] == "options"
    assert client.post("/ocr/predict", json={"image": image, "template": "note"}).status_code == 200
    assert reader.asked[-1][1].template == "note"


def test_the_same_picture_again_comes_from_the_cache(reader: FakeReader, png: bytes) -> None:
    client = create_app(Settings(), reader).test_client()  # type: ignore[arg-type]

    def ask(path: str = "/ocr/predict", **headers: str) -> dict[str, Any]:
        answer: dict[str, Any] = client.post(path, data=png, content_type="image/png", headers=headers).get_json()
        return answer

    first, again = ask(), ask()
    assert (first["cached"], again["cached"], len(reader.asked)) == (False, True, 1)
    assert 0 <= again["cache_age_seconds"] < 60
    left_out = {"cached", "cache_age_seconds", "request_id", "processing_time_ms"}
    assert {k: v for k, v in again.items() if k not in left_out} == {
        k: v for k, v in first.items() if k not in left_out
    }
    assert ask("/ocr/predict?mode=fast")["cached"] is False
    assert ask("/ocr/predict?no_store=true")["cached"] is False
    assert ask("/ocr/predict?detail=word&no_store=true")["cached"] is False
    assert ask("/ocr/predict?detail=word")["cached"] is False, "it was not kept"
    assert ask(**{"Cache-Control": "no-store"})["cached"] is False
    assert client.delete("/ocr/cache").get_json()["dropped"] == 3
    assert ask()["cached"] is False


@pytest.mark.parametrize(
    "query",
    [
        "deadline_ms=0",
        "deadline_ms=x",
        "deadline_ms=-1",
        "deadline_ms=1e3",
        "deadline_ms=３",
        "priority=urgent",
        "no_store=maybe",
        "webhook=http://127.0.0.1/",
    ],
)
def test_bad_terms(query: str, client: FlaskClient, png: bytes) -> None:
    response = client.post(f"/ocr/predict?{query}", data=png, content_type="image/png")
    assert query.split("=")[0] in check_error(response, errors.OptionsError)["error"]


@pytest.mark.parametrize("deadline", [True, 1.5, None, [1], {}, "9" * 5000, 10**25])
def test_bad_deadlines_in_json(deadline: object, client: FlaskClient, image: str) -> None:
    response = client.post("/ocr/predict", json={"image": image, "deadline_ms": deadline})
    assert response.status_code == (200 if deadline is None else 400)


def test_terms_in_headers_and_body(client: FlaskClient, image: str, png: bytes) -> None:
    headers = {"X-Deadline-Ms": "5000", "X-Priority": "bulk", "Content-Type": "image/png"}
    assert client.post("/ocr/predict", data=png, headers=headers).status_code == 200
    assert client.post("/ocr/predict", data=png, headers={**headers, "X-Priority": "first"}).status_code == 400
    assert client.post("/ocr/predict", data=png, headers={**headers, "X-Deadline-Ms": "9" * 5000}).status_code == 400
    body = {"image": image, "deadline_ms": 5000, "priority": "bulk", "no_store": True}
    assert client.post("/ocr/predict", json=body).status_code == 200


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="\xb7\xa2.png"\r\n\r\nx\r\n--B--\r\n',
            "UTF-8",
        ),
        (b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nhalf of it', "boundary"),
    ],
    ids=["a file name in GBK", "cut off"],
)
def test_a_form_that_cannot_be_read_is_not_taken_for_an_empty_one(client: FlaskClient, body: bytes, told: str) -> None:
    answer = client.post("/ocr/predict", data=body, content_type="multipart/form-data; boundary=B")
    assert answer.status_code == 400
    assert told in answer.get_json()["error"]

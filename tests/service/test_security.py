"""What strangers try: other origins, forged headers and rows, paths, deep and wrong bodies; what stays on the disk."""

import base64
import io
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeReader
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shizi import errors
from shizi.service.app import create_app
from shizi.service.logs import JsonRows
from shizi.service.settings import Settings, load

DESK = "https://desk.example.org"


def service(**chosen: Any) -> FlaskClient:
    return create_app(Settings(max_bytes=100_000, cache="off", **chosen), FakeReader()).test_client()  # type: ignore[arg-type]


# Other origins


def test_only_listed_origins_may_see_answers(png: bytes) -> None:
    client = service(cors_origins=f"{DESK}, http://10.0.0.5:8080")
    for origin in (DESK, "http://10.0.0.5:8080"):
        response = client.post("/ocr/predict", data=png, content_type="image/png", headers={"Origin": origin})
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert "Origin" in response.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://desk.example.org.evil.net",
        "https://evil-desk.example.org",
        "https://evil.net/https://desk.example.org",
        "https://desk.example.org@evil.net",
        "https://desk.example.org:444",
        "https://DESK.example.org",
        "https://desk-example.org",
        "https://deskxexample.org",
        "http://desk.example.org",
        "https://desk.example.org/",
        "https://desk.example.org ,https://evil.net",
        "null",
        "*",
        "",
        "https://desk.examp\u200ble.org".encode().decode("latin-1"),
    ],
)
def test_look_alikes_are_not_on_the_list(origin: str, png: bytes) -> None:
    client = service(cors_origins=DESK)
    for response in (
        client.post("/ocr/predict", data=png, content_type="image/png", headers={"Origin": origin}),
        client.options("/ocr/predict", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert not [name for name in response.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118
        assert "Origin" in response.headers["Vary"], "or a cache would hand one origin's answer to another"


def test_without_a_list_no_origin_may(client: FlaskClient) -> None:
    headers = client.get("/ocr/health", headers={"Origin": DESK}).headers
    assert not [name for name, _ in headers if name.startswith("Access-Control")]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_browser_may_ask_first_without_a_key(tmp_path: Path) -> None:
    client = service(cors_origins=DESK, keys=str(tmp_path / "keys"))
    asked = {"Origin": DESK, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    response = client.options("/ocr/predict", headers=asked)
    assert response.status_code == 204
    assert "X-API-Key" in response.headers["Access-Control-Allow-Headers"]
    refused = client.post("/ocr/predict", headers={"Origin": DESK})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == DESK, "so that the page can tell its user why"


@pytest.mark.parametrize(
    "origins", ["*", "https://*.example.org", "desk.example.org", "https://desk.example.org/x", "null"]
)
def test_no_patterns_in_the_list(origins: str) -> None:
    with pytest.raises(errors.OptionsError, match="cors_origins"):
        load(cors_origins=origins)


# Bodies that are small as text and large once they are taken apart

LISTS = b"[],[],[],[],[],[],[],[],[],[]," * 1000
FIELDS = b"&".join(b"%d=1" % number for number in range(1001))
FORM = "multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-\r\n'


def part(name: bytes, data: bytes) -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + data + b"\r\n"


@pytest.mark.parametrize(
    ("path", "kind", "body", "said"),
    [
        ("/ocr/predict", "application/json", b'{"image":"aGk=","mode":[' + LISTS + b"[]]}", "elements"),
        ("/ocr/corrections", "application/json", b'{"line":"aGk=","polygon":[' + LISTS + b"[]]}", "elements"),
        ("/compat/umi/api/ocr", "text/plain", b'{"base64":"aGk=","options":[' + LISTS + b"[]]}", "elements"),
        ("/compat/paddlex/ocr", "text/plain", b'{"file":"aGk=","x":[' + LISTS + b"[]]}", "elements"),
        ("/compat/umi/api/doc/upload", FORM, FILE + part(b"json", b'{"x":[' + LISTS + b"[]]}"), "elements"),
        ("/compat/rapidocr/ocr", "application/x-www-form-urlencoded", FIELDS, "more than 1,000 fields"),
        (
            *("/compat/baidu/rest/2.0/ocr/v1/general", "application/x-www-form-urlencoded", FIELDS),
            "image size error",
        ),
        (
            *("/ocr/export", FORM),
            *(part(b"format", b"text") + part(b"document", b'{"x":[' + LISTS * 230 + b"[]]}"), "elements"),
        ),
    ],
)
def test_a_body_of_millions_of_elements_is_refused_before_it_is_taken_apart(
    path: str, kind: str, body: bytes, said: str, tmp_path: Path
) -> None:
    """7 MB of `[],[],…` took twelve seconds, in which nobody else was served, and 330 MB."""
    given = Settings(jobs=str(tmp_path / "jobs"), corrections=str(tmp_path / "corrections"), cache="off")
    app = create_app(given, FakeReader())  # type: ignore[arg-type]
    response = app.test_client().post(path, data=body + (b"--x--\r\n" if kind == FORM else b""), content_type=kind)
    app.extensions["shizi"].close()
    assert said in response.text
    assert response.status_code in (413, 200), "200: as Umi-OCR and Baidu tell of errors"


# Headers, paths, log rows


@pytest.mark.parametrize(
    "path", ["/ocr/health", "/ocr/webui", "/ocr/docs", "/nowhere", "/ocr/openapi.json", "/metrics"]
)
def test_security_headers(path: str, client: FlaskClient) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/ocr/static/../../settings.py",
        "/ocr/static/..%2f..%2fsettings.py",
        "/ocr/static/%2e%2e/app.py",
        "/ocr/static//etc/passwd",
        "/ocr/static/..\\..\\settings.py",
        "/ocr/static/swagger/../../app.py",
        "/ocr/static/%00",
        "/ocr/static/" + "a/" * 2000,
    ],
)
def test_no_path_leads_out_of_the_static_folder(path: str, client: FlaskClient) -> None:
    response = client.get(path)
    assert response.status_code in (308, 404)
    assert "def " not in response.text
    assert "root:" not in response.text


def test_a_file_name_is_only_a_name(client: FlaskClient, reader: FakeReader) -> None:
    names = ["../../../etc/passwd", "/etc/passwd", "a\x00b", "<script>", "x" * 5000, "CON"]
    for name in names:
        files = [(io.BytesIO(b"1"), name), (io.BytesIO(b"2"), "b.png")]
        response = client.post("/ocr/predict", data={"file": files})
        assert response.status_code == 200
    assert [data for data, _ in reader.asked] == [b"1", b"2"] * len(names)


@pytest.mark.parametrize("name", ["X-Request-ID", "Origin", "X-API-Key", "Authorization", "X-Forwarded-For"])
def test_no_header_is_echoed_with_what_would_split_it(name: str, client: FlaskClient) -> None:
    for value in ("a\tb", "a%0d%0aSet-Cookie: x=1", "\x85x", "\u2028".encode().decode("latin-1"), "x" * 8000):
        response = client.get("/ocr/health", headers={name: value})
        assert "Set-Cookie" not in response.headers
        assert not any(value in text for _, text in response.headers)


def test_no_row_of_the_log_can_be_forged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """What a caller sends in any part of a request is in no row, so neither are line ends or escapes."""
    caplog.set_level("DEBUG")
    forged = 'x"}\n{"event": "forged'
    client.get("/ocr/" + "x%0A%22%7D%7B%22forged")
    client.open("/ocr/predict", method="FORGED\u0085")
    client.post(f"/ocr/predict?forged=%0Aforged&mode={'forged'}", data=b"x", content_type="image/forged")
    client.post("/ocr/predict", json={"image": forged, "forged\n": forged})
    client.post("/ocr/predict", data={"file": (io.BytesIO(b"x"), "forged\n.png"), "forged\x1b[2J": forged})
    client.post("/compat/umi/api/ocr", json={"base64": forged})
    client.post("/compat/baidu/rest/2.0/forged%0A", data={"image": forged})
    client.get("/ocr/health", headers={"User-Agent": "forged", "X-API-Key": "forged", "X-Request-ID": "for ged"})
    rows = [JsonRows().format(record) for record in caplog.records]
    assert len(rows) >= 8
    for row in rows:
        assert "\n" not in row
        assert "forged" not in row.lower()
        assert json.loads(row)["event"]


def test_a_log_row_stays_one_row_whatever_is_in_it() -> None:
    import logging

    record = logging.LogRecord("x", logging.INFO, "x", 1, "two\nrows %s", ("\x1b[31m\u2028",), None)
    row = JsonRows().format(record)
    assert row.isprintable() or "\u2028" in row
    assert "\n" not in row
    assert json.loads(row)["event"] == "two\nrows \x1b[31m\u2028"


# Bodies


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"image":['])
@pytest.mark.parametrize(
    "path", ["/ocr/predict", "/compat/umi/api/ocr", "/compat/paddlex/ocr", "/compat/umi/api/qrcode"]
)
def test_deep_json_is_refused(opening: str, path: str, client: FlaskClient) -> None:
    response = client.post(path, data=opening * 4000, content_type="application/json")
    values = response.get_json()
    assert response.status_code in (400, 422) or values.get("code") == 800


def test_many_keys_and_long_numbers_are_refused_quickly(client: FlaskClient) -> None:
    many = json.dumps({"image": "AAAA", **{f"k{number}": 1 for number in range(5000)}})
    assert client.post("/ocr/predict", data=many, content_type="application/json").status_code == 400
    number = '{"image": "AAAA", "mode": ' + "9" * 50_000 + "}"
    assert client.post("/ocr/predict", data=number, content_type="application/json").status_code == 400
    form = "&".join(f"k{number}=1" for number in range(5000))
    assert client.post("/compat/baidu/rest/2.0/ocr/v1/general", data=form).status_code == 200


ROUTES = (
    "/ocr/predict",
    "/compat/rapidocr/ocr",
    "/compat/umi/api/ocr",
    "/compat/umi/api/qrcode",
    "/compat/umi/api/doc/upload",
    "/compat/umi/api/doc/result",
    "/compat/paddlex/ocr",
    "/compat/baidu/rest/2.0/ocr/v1/general",
    "/compat/baidu/rest/2.0/ocr/v1/table",
    "/compat/baidu/rest/2.0/ocr/v1/vat_invoice",
    "/compat/baidu/oauth/2.0/token",
)
TYPES = (
    "application/json",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "image/png",
    "text/plain",
)
NAMES = (
    "image",
    "base64",
    "file",
    "image_data",
    "options",
    "mode",
    "pages",
    "visualize",
    "text",
    "use_det",
    "fileType",
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["AAAA", "auto", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ORDERS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
PARTS = st.lists(
    st.tuples(
        st.sampled_from((*NAMES, "image_file", "\n")), st.sampled_from(["", '; filename="a"']), st.binary(max_size=20)
    ),
    max_size=4,
)
FUZZED = service()


def multipart(parts: list[tuple[str, str, bytes]]) -> bytes:
    rows = (
        b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name.encode(), file.encode(), data)
        for name, file, data in parts
    )
    return b"".join(rows) + b"--x--\r\n"


BODIES = st.one_of(
    st.binary(max_size=200),
    ORDERS.map(lambda order: json.dumps(order).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
    PARTS.map(multipart),
    ORDERS.map(lambda order: "&".join(f"{name}={value}" for name, value in order.items()).encode("utf-8", "replace")),
)


@pytest.mark.parametrize("file", ["", '; filename="a.png"'])
def test_a_part_without_a_name_is_refused(file: str, client: FlaskClient, png: bytes) -> None:
    parts = [("file", '; filename="a.png"', png)]
    body = multipart(parts).removesuffix(b"--x--\r\n")
    body += f"--x\r\nContent-Disposition: form-data{file}\r\n\r\nfast\r\n--x--\r\n".encode()
    response = client.post("/ocr/predict", data=body, content_type="multipart/form-data; boundary=x")
    assert (response.status_code, response.get_json()["code"]) == (400, "input")


@pytest.mark.parametrize("value", [[], {}, [[]], None, 1, True, "\ud800"])
@pytest.mark.parametrize(
    "name", ["mode", "pages", "password", "format", "deadline_ms", "priority", "no_store", "webhook", "template"]
)
def test_no_value_of_another_type_is_a_crash(name: str, value: object, client: FlaskClient, image: str) -> None:
    body = json.dumps({"image": image, name: value})
    response = client.post("/ocr/predict", data=body, content_type="application/json")
    assert response.status_code in (200, 400), response.text


@given(path=st.sampled_from(ROUTES), kind=st.sampled_from(TYPES), body=BODIES, query=st.text(max_size=10))
@settings(
    max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
def test_no_body_is_a_crash(path: str, kind: str, body: bytes, query: str) -> None:
    """Whatever comes to whatever route: an answer that is JSON, never a 5xx, in umi's and Baidu's words neither."""
    response = FUZZED.post(path, data=body, content_type=kind, query_string={"mode": query} if query else {})
    values = response.get_json()
    assert response.status_code < 500
    assert isinstance(values, dict)
    assert values.get("code") not in ("internal", 900)
    assert values.get("error_code") != 282000
    assert "Traceback" not in response.text


# What stays on the disk


def written_files(action: Any) -> list[str]:
    """Name what any thread of this process opens for writing, makes or renames while `action` runs."""
    found: list[str] = []
    watching = threading.Event()

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if not watching.is_set():
            return
        if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            found.append(str(args[0]))
        elif event in ("os.rename", "os.mkdir", "tempfile.mkstemp", "tempfile.mkdtemp", "shutil.copyfile"):
            found.append(f"{event} {args[0]}")

    sys.addaudithook(watch)  # stays for good, so it is told when to look
    watching.set()
    try:
        action()
    finally:
        watching.clear()
    return found


def test_the_watch_sees_what_is_written(tmp_path: Path) -> None:
    seen = written_files(lambda: (tmp_path / "a").write_bytes(b"x"))
    assert seen == [str(tmp_path / "a")]


def test_nothing_of_a_request_is_written_to_the_disk(client: FlaskClient, png: bytes, reader: FakeReader) -> None:
    """Every way in, pictures that are read and that are not, large forms: no file is made or opened for writing."""
    encoded = base64.b64encode(png).decode()
    reader.errors_by_data[b"broken"] = errors.DamagedFile("The file ends early.")
    large = bytes(90_000)  # more than Werkzeug would keep in memory by itself is 500 kB; MemoryRequest keeps all

    def ask() -> None:
        client.post("/ocr/predict", json={"image": encoded})
        client.post("/ocr/predict", data=png, content_type="image/png")
        client.post("/ocr/predict", data=b"broken", content_type="image/png")
        files = [(io.BytesIO(large), "a.png"), (io.BytesIO(b"broken"), "b.png")]
        client.post("/ocr/predict", data={"file": files})
        client.post("/compat/rapidocr/ocr", data={"image_file": (io.BytesIO(large), "a.png")})
        client.post("/compat/umi/api/ocr", json={"base64": encoded})
        client.post("/compat/umi/api/qrcode", json={"base64": encoded})
        client.post("/compat/paddlex/ocr", json={"file": encoded})
        client.post("/compat/baidu/rest/2.0/ocr/v1/general", data={"image": encoded})
        client.post("/ocr/corrections", json={"line": encoded, "text": "kept only where a folder is set"})
        client.post("/ocr/corrections", data={"line": (io.BytesIO(large), "a.png"), "text": "nor in a form"})

    assert written_files(ask) == []


def test_failures_are_kept_where_a_folder_is_set(tmp_path: Path, png: bytes) -> None:
    reader = FakeReader()
    reader.errors_by_data[b"broken"] = errors.DamagedFile("The file ends early.")
    settings = Settings(failures=str(tmp_path / "kept"), failures_bytes=1000)
    client = create_app(settings, reader).test_client()  # type: ignore[arg-type]
    client.post("/ocr/predict", data=png, content_type="image/png")
    assert not (tmp_path / "kept").exists(), "what is read is not kept"
    client.post("/ocr/predict", data=b"broken", content_type="image/png", headers={"X-Request-ID": "..-a"})
    data, told = sorted((tmp_path / "kept").iterdir())
    assert data.read_bytes() == b"broken"
    values = json.loads(told.read_text())
    assert (values["code"], values["request_id"]) == ("damaged_file", "..-a")
    reader.error = errors.Busy("full")
    client.post("/ocr/predict", data=b"busy", content_type="image/png")
    assert len(list((tmp_path / "kept").iterdir())) == 2, "a busy service is no failure"


def test_the_folder_of_failures_is_bounded_and_only_ours_is_deleted(tmp_path: Path) -> None:
    from shizi.service.failures import Failures

    (tmp_path / "mine.txt").write_text("x" * 5000)
    failures = Failures(tmp_path, 3000)
    for number in range(20):
        failures.keep(bytes(500), errors.DamagedFile("x"), f"r{number}", 0.1)
    ours = [path for path in tmp_path.iterdir() if path.name != "mine.txt"]
    assert sum(path.stat().st_size for path in ours) <= 3000
    assert any("-r19-" in path.name for path in ours)
    assert (tmp_path / "mine.txt").exists()
    failures.keep(bytes(3001), errors.DamagedFile("x"), "large", 0.1)
    assert not [path for path in tmp_path.iterdir() if "large" in path.name]


def test_a_folder_that_cannot_be_written_hurts_no_request(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    reader = FakeReader()
    reader.error = errors.DamagedFile("The file ends early.")
    client = create_app(Settings(failures=str(tmp_path / "file" / "x")), reader).test_client()  # type: ignore[arg-type]
    assert client.post("/ocr/predict", data=b"x", content_type="image/png").status_code == 422

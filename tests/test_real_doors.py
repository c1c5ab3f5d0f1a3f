"""The doors onto the real engine: a caller gets what the reader gives, and its errors arrive whole."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import ofds
import pdfs
import pytest
from flask.testing import FlaskClient
from live import serving
from PIL import Image
from test_docs import blocks

from shizi import errors
from shizi.document import Document
from shizi.errors import ShiziError
from shizi.reader import Reader
from shizi.service.app import create_app
from shizi.service.settings import Settings

SHIZI = str(Path(sys.executable).with_name("shizi"))


def bad_files(png: bytes) -> dict[str, tuple[bytes, type[ShiziError]]]:
    """Give the bytes of files that cannot be read, with the error each is due."""
    return {
        "text.png": (b"This is no picture.", errors.UnsupportedFormat),
        "torn.png": (png[: len(png) // 2], errors.DamagedFile),
    }


@pytest.fixture(scope="module")
def client(real_reader: Reader) -> FlaskClient:
    return create_app(Settings(), real_reader).test_client()


def read(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([SHIZI, "read", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def test_http_gives_what_the_reader_gives(client: FlaskClient, real_reader: Reader, chinese_png: bytes) -> None:
    answer = client.post("/ocr/predict", data=chinese_png, content_type="image/png").get_json()
    assert answer["text"].split() == ["识字读出文字", "Read", "me", "2026"]
    assert Document.from_dict(answer).text == real_reader.read(chinese_png).text
    assert answer["weights"] == list(real_reader.weights)


@pytest.mark.parametrize(
    "data", [ofds.ofd(ofds.page(ofds.text_object("Invoice 7", 10, 20))), pdfs.drawn(pdfs.shown("Invoice 7"))]
)
def test_http_reads_documents(data: bytes, client: FlaskClient) -> None:
    answer = client.post("/ocr/predict", data=data, content_type="application/octet-stream").get_json()
    assert answer.get("text") == "Invoice 7", answer


def test_http_reads_several_files_and_names_the_bad_ones(client: FlaskClient, png: bytes, chinese_png: bytes) -> None:
    files = [
        (io.BytesIO(chinese_png), "good.png"),
        (io.BytesIO(b"no picture"), "bad.png"),
        (io.BytesIO(png), "blank.png"),
    ]
    answer = client.post("/ocr/predict", data={"file": files}).get_json()
    assert [document["success"] for document in answer["documents"]] == [True, False, True]
    assert answer["documents"][1]["code"] == "unsupported_format"
    assert answer["documents"][2]["text"] == "", "a blank page is a page without lines"
    assert len(answer["pages"]) == 2


@pytest.mark.parametrize("name", ["text.png", "torn.png"])
def test_http_refuses_bad_files(name: str, client: FlaskClient, chinese_png: bytes) -> None:
    data, kind = bad_files(chinese_png)[name]
    response = client.post("/ocr/predict", data=data, content_type="image/png")
    assert (response.status_code, response.get_json()["code"]) == (kind.http_status, kind.code)


@pytest.mark.slow
def test_a_setting_limits_the_pixels(chinese_png: bytes) -> None:
    with serving([SHIZI, "serve"], SHIZI_MAX_PIXELS="50000") as service:
        status, _, body = service.request("POST", "/ocr/predict", chinese_png, Content_Type="image/png")
        assert (status, json.loads(body)["code"]) == (413, "too_large")
        assert service.request("GET", "/ocr/ready")[0] == 200
        assert service.stop() == 0


@pytest.mark.slow
def test_the_command_reads_draws_and_goes_on_after_bad_files(tmp_path: Path, chinese_png: bytes) -> None:
    (tmp_path / "good.png").write_bytes(chinese_png)
    for name, (data, _) in bad_files(chinese_png).items():
        (tmp_path / name).write_bytes(data)
    ran = read(tmp_path / "text.png", tmp_path / "torn.png", tmp_path / "good.png", "--draw", tmp_path / "seen.png")
    assert ran.returncode == errors.UnsupportedFormat.exit_code
    assert "识字读出文字" in ran.stdout
    assert [row.split(":")[1].strip() for row in ran.stderr.splitlines()] == [
        str(tmp_path / "text.png"),
        str(tmp_path / "torn.png"),
    ]
    with Image.open(tmp_path / "seen-good.png") as drawn:
        assert drawn.size == (480, 200)
        assert len(drawn.getcolors(100_000)) > len(Image.open(io.BytesIO(chinese_png)).getcolors(100_000))


@pytest.mark.slow
def test_the_command_reads_standard_input(chinese_png: bytes) -> None:
    ran = subprocess.run([SHIZI, "read", "-", "--format", "json"], input=chinese_png, capture_output=True, timeout=120)
    assert "识字读出文字" in Document.from_dict(json.loads(ran.stdout)).text


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/usage.md"])
def test_the_library_as_documented(page: str, tmp_path: Path, chinese_png: bytes) -> None:
    (tmp_path / "picture.png").write_bytes(chinese_png)
    [snippet] = [block for block in blocks(page, "python") if "shizi.reader" in block]
    ran = subprocess.run([sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "识字读出文字" in ran.stdout


@pytest.mark.slow
def test_the_command_as_documented(tmp_path: Path, chinese_png: bytes) -> None:
    (tmp_path / "picture.png").write_bytes(chinese_png)
    assert "shizi read picture.png\n" in blocks("README.md", "bash")
    path = f"{Path(SHIZI).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", "shizi read picture.png"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stdout.split()) == (0, ["识字读出文字", "Read", "me", "2026"])

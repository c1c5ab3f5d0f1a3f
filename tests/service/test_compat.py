"""The drop-in endpoints: documented requests replayed, documented answers compared, each error in its own shape."""

import base64
import io
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import zxingcpp
from fakes import FakeReader, as_png
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from shizi import errors
from shizi.document import Block, Cell, Char, Document, Field, Line, Page, Table, Verdict, Word
from shizi.geometry import Polygon
from shizi.service.app import create_app
from shizi.service.settings import Settings


def line(text: str, left: float, top: float, right: float, bottom: float, confidence: float = 0.9) -> Line:
    return Line(text, confidence, Polygon.from_bounds(left, top, right, bottom), model="fake")


class Given(FakeReader):
    """A reader that gives the document it was told to, and notes the options it was read with."""

    document = Document((Page(1, 200, 80),), "PNG", ("fake@00000000",))

    def read(self, data: object, options: Any = None) -> Document:
        super().read(data, options)
        return self.document


@pytest.fixture
def reader() -> Given:
    return Given()


@pytest.fixture
def app(reader: Given) -> Flask:
    return create_app(Settings(max_bytes=100_000, queue=1, cache="off"), reader)  # type: ignore[arg-type]


@pytest.fixture
def page(reader: Given) -> Page:
    """Two paragraphs, the first of two lines."""
    lines = (line("第一行的文本，", 10, 10, 110, 30, 0.998), line("第二行的文本", 10, 40, 100, 60, 0.975))
    lines += (line("END", 10, 65, 50, 78, 0.5),)
    blocks = tuple(Block("text", Polygon.from_bounds(0, 0, 1, 1), rows) for rows in ((0, 1), (2,)))
    page = Page(1, 200, 80, lines=lines, blocks=blocks)
    reader.document = Document((page,), "PNG", ("fake@00000000",))
    return page


def test_polygons_are_those_of_the_picture_as_sent() -> None:
    """Turned by hand: a mark near the left top of a picture 200 x 80, and where it lies once the picture is turned."""
    from shizi.service.compat.door import corners

    seen = {0: (10, 5, 30, 15), 90: (65, 10, 75, 30), 180: (170, 65, 190, 75), 270: (5, 170, 15, 190)}
    for rotation, bounds in seen.items():
        size = (80, 200) if rotation % 180 else (200, 80)
        turned = corners(Polygon.from_bounds(*bounds), Page(1, *size, rotation=rotation))
        xs, ys = zip(*turned, strict=True)
        assert (min(xs), min(ys), max(xs), max(ys)) == (10, 5, 30, 15), rotation


class TestRapidocr:
    """https://rapidai.github.io/RapidOCRDocs/main/install_usage/rapidocr_api/usage/"""

    def test_file_and_base64(self, client: FlaskClient, page: Page, png: bytes, image: str, reader: Given) -> None:
        by_file = client.post("/compat/rapidocr/ocr", data={"image_file": (io.BytesIO(png), "1.png", "image/png")})
        by_text = client.post("/compat/rapidocr/ocr", data={"image_data": image})
        assert by_file.status_code == by_text.status_code == 200
        assert by_file.get_json() == by_text.get_json()
        assert [data for data, _ in reader.asked] == [png, png]
        assert by_file.get_json()["0"] == {
            "rec_txt": "第一行的文本，",
            "dt_boxes": [[10, 10], [110, 10], [110, 30], [10, 30]],
            "score": 0.998,
        }
        assert list(by_file.get_json()) == ["0", "1", "2"]

    def test_no_text_is_an_empty_object(self, client: FlaskClient, image: str) -> None:
        assert client.post("/compat/rapidocr/ocr", data={"image_data": image}).get_json() == {}

    def test_use_cls_turns_turning_off(self, client: FlaskClient, image: str, reader: Given) -> None:
        for value, orientation in (("false", "none"), ("true", "auto")):
            client.post("/compat/rapidocr/ocr", data={"image_data": image, "use_cls": value})
            assert reader.asked[-1][1].orientation == orientation

    @pytest.mark.parametrize(
        "form", [{}, {"image_data": "*"}, {"use_det": "perhaps"}, {"use_det": "false"}, {"use_rec": "0"}]
    )
    def test_refusals(self, form: dict[str, str], client: FlaskClient, image: str) -> None:
        sent = {"image_data": image} | form if form else {}
        response = client.post("/compat/rapidocr/ocr", data=sent)
        assert response.status_code == 422
        assert response.get_json()["detail"][0]["msg"]

    def test_greeting(self, client: FlaskClient) -> None:
        assert client.get("/compat/rapidocr/").get_json() == {"message": "Welcome to RapidOCR API Server!"}


class TestPaddlex:
    """https://paddlepaddle.github.io/PaddleX/latest/en/pipeline_usage/tutorials/ocr_pipelines/OCR.html"""

    def test_documented_request(self, client: FlaskClient, page: Page, image: str) -> None:
        """The client of that page, in Python: the file, its type, then the text and the drawn picture."""
        response = client.post("/compat/paddlex/ocr", json={"file": image, "fileType": 1})
        assert response.status_code == 200
        values = response.get_json()
        assert (values["errorCode"], values["errorMsg"]) == (0, "Success")
        assert values["logId"] == response.headers["X-Request-ID"]
        assert values["result"]["dataInfo"] == {"width": 200, "height": 80, "type": "image"}
        [result] = values["result"]["ocrResults"]
        pruned = result["prunedResult"]
        assert list(pruned) == [
            "model_settings",
            "dt_polys",
            "text_det_params",
            "text_type",
            "textline_orientation_angles",
            "text_rec_score_thresh",
            "rec_texts",
            "rec_scores",
            "rec_polys",
            "rec_boxes",
        ]
        assert pruned["rec_texts"] == [line.text for line in page.lines]
        assert pruned["rec_boxes"][0] == [10, 10, 110, 30]
        assert pruned["rec_polys"][0] == [[10, 10], [110, 10], [110, 30], [10, 30]]
        drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(result["ocrImage"]))))
        plain = np.asarray(Image.open(io.BytesIO(base64.b64decode(result["inputImage"]))))
        assert drawn.shape == plain.shape == (80, 200, 3)
        assert plain.min() > 250
        assert drawn[10, 60, 0] > drawn[10, 60, 2] + 100, "the frame is red"

    def test_options(self, client: FlaskClient, page: Page, image: str, reader: Given) -> None:
        order = {"file": image, "visualize": False, "textRecScoreThresh": 0.6, "useDocUnwarping": None}
        order |= {"useDocOrientationClassify": False, "useTextlineOrientation": False, "textDetLimitSideLen": 960}
        [result] = client.post("/compat/paddlex/ocr", json=order).get_json()["result"]["ocrResults"]
        assert list(result) == ["prunedResult"]
        assert result["prunedResult"]["rec_texts"] == [line.text for line in page.lines[:2]]
        assert reader.asked[0][1].orientation == "none"

    @pytest.mark.parametrize(
        ("order", "said"),
        [
            ({}, "file"),
            ({"file": "http://127.0.0.1/x.png"}, "URL"),
            ({"file": "AAAA", "fileType": 2}, "fileType"),
            ({"file": "AAAA", "fileType": 0}, "no PDF"),
            ({"file": base64.b64encode(b"%PDF-1.7").decode(), "fileType": 1}, "a PDF"),
            ({"file": "AAAA", "visualize": []}, "visualize"),
            ({"file": "*"}, "base64"),
            ([], "object"),
        ],
    )
    def test_refusals(self, order: Any, said: str, client: FlaskClient) -> None:
        response = client.post("/compat/paddlex/ocr", json=order)
        values = response.get_json()
        assert (response.status_code, values["errorCode"]) == (422, 422)
        assert set(values) == {"logId", "errorCode", "errorMsg"}
        assert said in values["errorMsg"]

    def test_health(self, client: FlaskClient) -> None:
        assert client.get("/compat/paddlex/health").get_json()["errorMsg"] == "Healthy"


class TestUmi:
    """https://github.com/hiroi-sora/Umi-OCR/blob/main/docs/http/api_ocr.md"""

    def ask(self, client: FlaskClient, image: str, **options: Any) -> dict[str, Any]:
        response = client.post("/compat/umi/api/ocr", json={"base64": image, "options": options})
        assert response.status_code == 200
        values: dict[str, Any] = response.get_json()
        return values

    def test_dict(self, client: FlaskClient, page: Page, image: str) -> None:
        values = self.ask(client, image)
        assert set(values) == {"code", "data", "time", "timestamp"}
        assert values["code"] == 100
        assert values["data"][:2] == [
            {"text": "第一行的文本，", "score": 0.998, "box": [[10, 10], [110, 10], [110, 30], [10, 30]], "end": ""},
            {"text": "第二行的文本", "score": 0.975, "box": [[10, 40], [100, 40], [100, 60], [10, 60]], "end": "\n"},
        ]

    @pytest.mark.parametrize(
        ("parser", "text"),
        [
            ("multi_para", "第一行的文本，第二行的文本\nEND\n"),
            ("multi_line", "第一行的文本，\n第二行的文本\nEND\n"),
            ("multi_none", "第一行的文本，第二行的文本END\n"),
            ("none", "第一行的文本，\n第二行的文本\nEND\n"),
        ],
    )
    def test_text(self, parser: str, text: str, client: FlaskClient, page: Page, image: str) -> None:
        assert self.ask(client, image, **{"data.format": "text", "tbpu.parser": parser})["data"] == text

    def test_words_of_latin_letters_stay_apart_and_code_keeps_its_indent(
        self, client: FlaskClient, image: str, reader: Given
    ) -> None:
        lines = (line("if x:", 0, 0, 50, 20), line("return", 40, 20, 100, 40))
        reader.document = Document((Page(1, 200, 80, lines=lines),))
        joined = self.ask(client, image, **{"data.format": "text", "tbpu.parser": "multi_none"})["data"]
        assert joined == "if x: return\n"
        code = self.ask(client, image, **{"data.format": "text", "tbpu.parser": "single_code"})["data"]
        assert code == "if x:\n    return\n"

    def test_ignored_areas_take_whole_lines_inside(self, client: FlaskClient, page: Page, image: str) -> None:
        values = self.ask(client, image, **{"tbpu.ignoreArea": [[[0, 0], [120, 35]], [[0, 38], [50, 80]]]})
        assert [each["text"] for each in values["data"]] == ["第二行的文本"]

    def test_no_text(self, client: FlaskClient, image: str) -> None:
        values = self.ask(client, image)
        assert values["code"] == 101
        assert isinstance(values["data"], str)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"{", 800),
            (b"{}", 801),
            (b'{"a": 1}', 802),
            (b'{"base64": "AAAA", "options": 3}', 803),
            (b'{"base64": "AAAA", "options": {"tbpu.parser": "x"}}', 804),
            (b'{"base64": "AAAA", "options": {"tbpu.ignoreArea": [[1, 2]]}}', 804),
            (b'{"base64": 5}', 800),
        ],
    )
    def test_failures(self, body: bytes, code: int, client: FlaskClient) -> None:
        response = client.post("/compat/umi/api/ocr", data=body, content_type="application/json")
        assert (response.status_code, response.get_json()["code"]) == (200, code)

    def test_options_describe_themselves(self, client: FlaskClient) -> None:
        options = client.get("/compat/umi/api/ocr/get_options").get_json()
        for option in options.values():
            assert {"title", "type", "default"} <= set(option)
            assert option["type"] != "enum" or option["default"] in [value for value, _ in option["optionsList"]]

    def test_qrcode_there_and_back(self, client: FlaskClient) -> None:
        """https://github.com/hiroi-sora/Umi-OCR/blob/main/docs/http/api_qrcode.md"""
        asked = {"text": "要写入二维码的文本", "options": {"format": "QRCode", "w": 300, "h": 0, "ec_level": 2}}
        drawn = client.post("/compat/umi/api/qrcode", json=asked).get_json()
        assert drawn["code"] == 100
        picture = Image.open(io.BytesIO(base64.b64decode(drawn["data"])))
        assert picture.format == "JPEG"
        options = {
            "preprocessing.grayscale": True,
            "preprocessing.threshold": 128,
            "preprocessing.median_filter_size": 1,
        }
        read = client.post("/compat/umi/api/qrcode", json={"base64": drawn["data"], "options": options}).get_json()
        [found] = read["data"]
        assert read["code"] == 100
        assert (found["text"], found["format"], found["score"], found["orientation"]) == (asked["text"], "QRCode", 1, 0)
        assert [len(corner) for corner in found["box"]] == [2] * 4

    @pytest.mark.parametrize(
        ("order", "code"),
        [
            ({"text": "x", "options": {"format": "Nonsense"}}, 804),
            ({"text": "x", "options": {"w": 10**9}}, 804),
            ({"text": "x" * 8000}, 200),
            ({"text": ""}, 804),
            ({"x": 1}, 802),
            ({"base64": "AAAA"}, 901),
            ({"base64": "AAAA", "options": {"preprocessing.median_filter_size": 4}}, 804),
            ({"base64": "AAAA", "options": {"preprocessing.contrast_factor": "2"}}, 804),
        ],
    )
    def test_qrcode_failures(self, order: dict[str, Any], code: int, client: FlaskClient) -> None:
        assert client.post("/compat/umi/api/qrcode", json=order).get_json()["code"] == code

    def test_no_qrcode(self, client: FlaskClient, image: str) -> None:
        assert client.post("/compat/umi/api/qrcode", json={"base64": image}).get_json()["code"] == 101

    def test_barcodes_are_named_as_there(self, client: FlaskClient) -> None:
        code = zxingcpp.create_barcode("12345670", zxingcpp.BarcodeFormat.EAN8)
        grey = np.asarray(code.to_image(scale=4))
        picture = base64.b64encode(as_png(np.repeat(grey[:, :, None], 3, 2))).decode()
        [found] = client.post("/compat/umi/api/qrcode", json={"base64": picture}).get_json()["data"]
        assert (found["text"], found["format"]) == ("12345670", "EAN8")


class TestBaidu:
    """The pages of https://cloud.baidu.com/doc/OCR named in service/compat/baidu.py."""

    def ask(self, client: FlaskClient, kind: str, image: str, **form: str) -> dict[str, Any]:
        path = f"/compat/baidu/rest/2.0/ocr/v1/{kind}?access_token=24.x.1"
        response = client.post(path, data={"image": image, **form})
        assert response.status_code == 200
        values: dict[str, Any] = response.get_json()
        return values

    def test_general_basic(self, client: FlaskClient, page: Page, image: str, reader: Given) -> None:
        values = self.ask(client, "general_basic", image)
        assert set(values) == {"words_result", "words_result_num", "log_id"}
        assert values["words_result"] == [{"words": line.text} for line in page.lines]
        assert values["words_result_num"] == 3
        assert 0 < values["log_id"] < 2**63
        assert reader.asked[0][1].mode == "auto"

    def test_what_is_asked_is_added(self, client: FlaskClient, page: Page, image: str, reader: Given) -> None:
        reader.document = replace(reader.document, pages=(replace(page, rotation=90),))
        asked = {"detect_direction": "true", "paragraph": "true", "probability": "true", "detect_language": "true"}
        values = self.ask(client, "accurate_basic", image, **asked)
        assert values["direction"] == 1
        assert values["language"] == 3
        assert values["paragraphs_result"] == [{"words_result_idx": [0, 1]}, {"words_result_idx": [2]}]
        assert values["paragraphs_result_num"] == 2
        assert values["words_result"][0]["probability"] == {"average": 0.998, "variance": 0, "min": 0.998}
        assert reader.asked[0][1].mode == "accurate"

    def test_general_has_places(self, client: FlaskClient, page: Page, image: str) -> None:
        [first, *_] = self.ask(client, "general", image, vertexes_location="true")["words_result"]
        assert first["location"] == {"left": 10, "top": 10, "width": 100, "height": 20}
        corners = [{"x": 10, "y": 10}, {"x": 110, "y": 10}, {"x": 110, "y": 30}, {"x": 10, "y": 30}]
        assert first["vertexes_location"] == corners

    def test_characters(self, client: FlaskClient, image: str, reader: Given) -> None:
        chars = (Char("a", 0.9, 0.5, 0.75), Char("b", 0.7, 0.75, 1.0))
        word = Word("ab", 0.6, Polygon.from_bounds(50, 0, 100, 20), chars)
        whole = Line("x ab", 0.6, Polygon.from_bounds(0, 0, 100, 20), (word,), "fake")
        reader.document = Document((Page(1, 200, 80, lines=(whole,)),))
        asked = {"recognize_granularity": "small", "char_probability": "true", "probability": "true"}
        [found] = self.ask(client, "accurate", image, **asked)["words_result"]
        places = [{"left": left, "top": 0, "width": 25, "height": 20} for left in (50, 75)]
        places[0]["width"] = places[0]["width"]
        assert [char["location"]["left"] for char in found["chars"]] == [50, 75]
        assert [char["char"] for char in found["chars"]] == ["a", "b"]
        assert [char["char_prob"] for char in found["chars"]] == [0.9, 0.7]
        assert found["probability"] == {"average": 0.8, "variance": 0.01, "min": 0.7}
        assert reader.asked[0][1].detail == "character"

    def test_table(self, client: FlaskClient, image: str, reader: Given) -> None:
        cells = (
            Cell(0, 0, "参数", Polygon.from_bounds(15, 15, 120, 58), lines=(0,)),
            Cell(0, 1, "值", Polygon.from_bounds(120, 15, 371, 58), row_span=2, column_span=3),
        )
        table = Table(Polygon.from_bounds(15, 15, 371, 98), 2, 4, cells)
        page = Page(1, 400, 100, lines=(line("参数", 20, 20, 60, 40),), tables=(table,))
        reader.document = Document((page,))
        values = self.ask(client, "table", image, cell_contents="true")
        assert values["table_num"] == 1
        [found] = values["tables_result"]
        assert found["header"] == found["footer"] == []
        assert found["table_location"][2] == {"x": 371, "y": 98}
        first, second = found["body"]
        assert (first["row_start"], first["row_end"], first["col_start"], first["col_end"]) == (0, 1, 0, 1)
        assert (second["row_start"], second["row_end"], second["col_start"], second["col_end"]) == (0, 2, 1, 4)
        assert first["words"] == "参数"
        assert first["contents"] == [
            {
                "poly_location": [{"x": 20, "y": 20}, {"x": 60, "y": 20}, {"x": 60, "y": 40}, {"x": 20, "y": 40}],
                "word": "参数",
            }
        ]
        assert reader.asked[0][1].tables == "auto"

    def test_table_as_excel(self, client: FlaskClient, image: str) -> None:
        values = self.ask(client, "table", image, return_excel="true")
        assert base64.b64decode(values["excel_file"]).startswith(b"PK")

    def test_vat_invoice(self, client: FlaskClient, image: str, reader: Given) -> None:
        given = {
            "invoice_type": "增值税电子普通发票",
            "invoice_code": "031002100311",
            "invoice_number": "14137752",
            "date": "2023-11-08",
            "buyer_name": "甲公司",
            "seller_tax_id": "91330106MA7GG4HY9U",
            "amount": "792.08",
            "tax": "7.92",
            "total": "800.00",
            "total_in_words": "捌佰圆整",
            "drawer": "王五",
        }
        rows = tuple(
            (Field("name", name, name, 0.9), Field("tax_rate", rate, rate, 0.9))
            for name, rate in (("*餐饮服务*餐费", "1%"), ("*餐饮服务*酒水", "3%"))
        )
        fields = (
            *(Field(name, value, value, 0.9) for name, value in given.items()),
            Field("items", "", "", 1, rows=rows),
        )
        reader.document = Document((Page(1, 400, 100),), fields=fields, verdict=Verdict("accept"))
        values = self.ask(client, "vat_invoice", image)
        result = values["words_result"]
        assert values["words_result_num"] == len(result)
        assert result["InvoiceType"] == "电子普通发票"
        assert result["InvoiceDate"] == "2023年11月08日"
        assert (result["InvoiceNum"], result["InvoiceNumConfirm"]) == ("14137752", "14137752")
        assert (result["TotalAmount"], result["TotalTax"], result["AmountInFiguers"]) == ("792.08", "7.92", "800.00")
        assert result["CommodityName"] == [
            {"row": "1", "word": "*餐饮服务*餐费"},
            {"row": "2", "word": "*餐饮服务*酒水"},
        ]
        assert result["CommodityTaxRate"][1] == {"row": "2", "word": "3%"}
        assert result["CommodityPlateNum"] == []
        assert (result["NoteDrawer"], result["Password"], result["Payee"]) == ("王五", "", "")
        assert reader.asked[0][1].fields == "auto"

    def test_no_invoice(self, client: FlaskClient, page: Page, image: str) -> None:
        assert self.ask(client, "vat_invoice", image)["error_code"] == 282102

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ({}, 216101),
            ({"image": ""}, 216200),
            ({"image": "*"}, 216201),
            ({"url": "http://127.0.0.1/x.png"}, 216102),
            ({"pdf_file": "AAAA", "pdf_file_num": "x"}, 216100),
            ({"image": base64.b64encode(bytes(100_001)).decode()}, 216202),
        ],
    )
    def test_refusals(self, form: dict[str, str], code: int, client: FlaskClient) -> None:
        response = client.post("/compat/baidu/rest/2.0/ocr/v1/general_basic", data=form)
        assert response.status_code == 200
        assert response.get_json()["error_code"] == code
        assert set(response.get_json()) == {"log_id", "error_code", "error_msg"}

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (errors.UnsupportedFormat("x"), 216201),
            (errors.DamagedFile("x"), 216201),
            (errors.TooLarge("x"), 216202),
            (errors.Busy("x", 7), 18),
            (errors.Stopping("x"), 2),
            (errors.WeightsError("x"), 282000),
        ],
    )
    def test_errors(self, error: errors.ShiziError, code: int, client: FlaskClient, image: str, reader: Given) -> None:
        reader.error = error
        assert self.ask(client, "general", image)["error_code"] == code

    def test_a_defect_keeps_their_shape_and_tells_nothing(self, client: FlaskClient, image: str, reader: Given) -> None:
        reader.error = RuntimeError("机密")
        values = self.ask(client, "general", image)
        assert (values["error_code"], values["error_msg"]) == (282000, "internal error")

    def test_what_is_not_here(self, client: FlaskClient, image: str) -> None:
        assert self.ask(client, "idcard", image) | {"log_id": ""} == {
            "log_id": "",
            "error_code": 3,
            "error_msg": "Unsupported openapi method",
        }

    def test_a_pdf_page(self, client: FlaskClient, image: str, reader: Given) -> None:
        form = {"pdf_file": base64.b64encode(b"%PDF-1.7").decode(), "pdf_file_num": "3"}
        client.post("/compat/baidu/rest/2.0/ocr/v1/general_basic", data=form)
        assert reader.asked[0][1].pages == "3"

    def test_token(self, client: FlaskClient) -> None:
        asked = {"grant_type": "client_credentials", "client_id": "any", "client_secret": "any"}
        for response in (
            client.get("/compat/baidu/oauth/2.0/token", query_string=asked),
            client.post("/compat/baidu/oauth/2.0/token", query_string=asked),
        ):
            values = response.get_json()
            assert set(values) == {
                "refresh_token",
                "expires_in",
                "session_key",
                "access_token",
                "scope",
                "session_secret",
            }
            assert values["expires_in"] == 2592000
        refused = client.post("/compat/baidu/oauth/2.0/token", data={**asked, "grant_type": "password"})
        assert (refused.status_code, refused.get_json()["error"]) == (400, "unsupported_grant_type")


class Adapter:
    """Carries the requests of Baidu's own client to Flask's test client instead of the network."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, url: str, params: dict[str, str], **_: Any) -> Any:
        return self._carried(self.client.get(urlsplit(url).path, query_string=params))

    def post(self, url: str, data: Any = None, params: Any = None, headers: Any = None, **_: Any) -> Any:
        path = urlsplit(url).path
        return self._carried(self.client.post(path, data=data, query_string=params, headers=headers))

    @staticmethod
    def _carried(response: TestResponse) -> Any:
        class Carried:
            content = response.data

            @staticmethod
            def json() -> Any:
                return json.loads(response.data)

            @staticmethod
            def close() -> None: ...

        return Carried


@pytest.mark.filterwarnings("ignore::DeprecationWarning:aip")
def test_baidus_own_client(reader: Given, page: Page, png: bytes) -> None:
    """baidu-aip, unchanged but for the carrier, at the root alias: the case of one who can change the host alone."""
    from aip import AipOcr

    client = create_app(Settings(compat_root="baidu", cache="off"), reader).test_client()  # type: ignore[arg-type]
    theirs = AipOcr("any", "an id", "a secret")
    theirs.s = theirs._AipBase__client = Adapter(client)
    basic = theirs.basicGeneral(png, {"detect_direction": "true"})
    assert [each["words"] for each in basic["words_result"]] == [line.text for line in page.lines]
    assert basic["direction"] == 0
    assert theirs.accurate(png)["words_result"][0]["location"]["width"] == 100
    assert theirs.table(png)["table_num"] == 0
    assert theirs.vatInvoice(png)["error_code"] == 282102
    assert theirs.basicGeneralUrl("http://127.0.0.1/x.png")["error_code"] == 216102
    assert theirs._isCloudUser is False, "the token's scope is that of their permission"


@pytest.mark.parametrize(
    ("root", "path"),
    [("rapidocr", "/ocr"), ("umi", "/api/ocr"), ("paddlex", "/ocr"), ("baidu", "/rest/2.0/ocr/v1/general_basic")],
)
def test_root_alias(root: str, path: str, reader: Given, image: str) -> None:
    client = create_app(Settings(compat_root=root, cache="off"), reader).test_client()  # type: ignore[arg-type]
    body: dict[str, Any] = {"data": {"image_data": image, "image": image}}
    if root in ("umi", "paddlex"):
        body = {"json": {"base64": image, "file": image}}
    assert client.post(path, **body).status_code == 200
    assert len(reader.asked) == 1
    assert client.post(f"/compat/{root}{path}", **body).status_code == 200
    assert client.get("/ocr/webui").status_code == 200
    assert client.get("/ocr/health").status_code == 200
    if root == "rapidocr":
        assert "Welcome" in client.get("/").get_json()["message"]


def test_no_alias_without_the_setting(client: FlaskClient) -> None:
    for path in ("/api/ocr", "/rest/2.0/ocr/v1/general", "/oauth/2.0/token"):
        assert client.post(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/compat/rapidocr/ocr", "image_data"),
        ("/compat/umi/api/ocr", "base64"),
        ("/compat/paddlex/ocr", "file"),
        ("/compat/baidu/rest/2.0/ocr/v1/general", "image"),
    ],
)
def test_limits_are_of_the_picture(path: str, name: str, client: FlaskClient, reader: Given) -> None:
    """A picture of exactly the limit is read, one byte more is not, whatever it comes in."""
    for size, asked in ((100_000, 1), (100_001, 1)):
        text = base64.b64encode(bytes(size - 1) + b"\xff").decode()
        extra = {"visualize": False}
        body: dict[str, Any] = {"json": {name: text, **extra}} if name in ("base64", "file") else {"data": {name: text}}
        client.post(path, **body)
        assert len(reader.asked) == asked

"""`/ocr/picture`: one page of any file as a JPEG, and every way to ask wrongly."""

import io

import pytest
from desk import encoded, scanned
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from shizi.pages import Limits
from shizi.pages.picture import Wanted, draw


def picture_of(data: bytes, **values: int) -> tuple[Image.Image, int]:
    drawn, pages = draw(data, Wanted(**values))  # type: ignore[arg-type]
    return Image.open(io.BytesIO(drawn)), pages


@pytest.fixture(scope="module")
def red_and_blue() -> bytes:
    """A PDF of two pages, 400 x 200: red, then blue."""
    return scanned(*(Image.new("RGB", (400, 200), colour) for colour in ("red", "blue")))


def test_a_page_of_a_pdf_with_the_number_of_pages(red_and_blue: bytes) -> None:
    picture, pages = picture_of(red_and_blue, number=2, side=100)
    assert (picture.format, picture.size, pages) == ("JPEG", (100, 50), 2)
    assert picture.getpixel((50, 25))[2] > 200


def test_small_pages_stay_as_they_are(png: bytes) -> None:
    assert picture_of(png, side=2000)[0].size == (200, 80)


def test_it_is_turned_as_its_reading_says() -> None:
    page = Image.new("RGB", (60, 40), "white")
    page.paste((255, 0, 0), (0, 0, 20, 20))  # top left
    for rotation, place in ((90, (35, 5)), (180, (55, 35)), (270, (5, 55))):
        picture, _ = picture_of(encoded(page), rotation=rotation)
        assert picture.size == ((40, 60) if rotation % 180 else (60, 40))
        assert picture.getpixel(place)[1] < 100, rotation


def test_its_own_exif_is_minded() -> None:
    page = Image.new("RGB", (60, 40), "white")
    exif = page.getexif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    page.save(buffer, format="JPEG", exif=exif)
    assert picture_of(buffer.getvalue())[0].size == (40, 60)


def test_pixels_are_limited(png: bytes) -> None:
    from shizi.errors import TooLarge

    with pytest.raises(TooLarge):
        draw(png, Wanted(limits=Limits(pixels=100)))


def test_over_http(client: FlaskClient, red_and_blue: bytes) -> None:
    response = client.post("/ocr/picture?page=2&side=64", data=red_and_blue, content_type="application/pdf")
    assert (response.status_code, response.content_type) == (200, "image/jpeg")
    assert response.headers["X-Page-Count"] == "2"
    assert Image.open(io.BytesIO(response.data)).size == (64, 32)
    form = {"file": (io.BytesIO(red_and_blue), "a.pdf"), "page": "1", "side": "64"}
    assert client.post("/ocr/picture", data=form).status_code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("page=0", "Option 'page' is '0'; expected a whole number from 1"),
        ("page=two", "Option 'page' is 'two'"),
        ("side=1", "expected a whole number from 16 to 8192"),
        ("rotation=45", "expected one of 0, 90, 180, 270"),
        ("mode=fast", "Unknown option 'mode'; known are page, side, rotation, password."),
        ("page=9", "the document has 2 pages"),
    ],
)
def test_wrong_values_are_named(query: str, words: str, client: FlaskClient, red_and_blue: bytes) -> None:
    response = client.post(f"/ocr/picture?{query}", data=red_and_blue, content_type="application/pdf")
    assert (response.status_code, response.get_json()["code"]) == (400, "options")
    assert words in response.get_json()["error"]


def test_files_that_cannot_be_read_are_refused(client: FlaskClient) -> None:
    response = client.post("/ocr/picture", data=b"no picture", content_type="image/png")
    assert (response.status_code, response.get_json()["code"]) == (415, "unsupported_format")
    two = {"file": [(io.BytesIO(b"a"), "a.png"), (io.BytesIO(b"b"), "b.png")]}
    assert client.post("/ocr/picture", data=two).status_code == 400
    assert client.post("/ocr/picture", data=bytes(200_000), content_type="image/png").status_code == 413


def test_a_stopping_service_draws_nothing(app: Flask, png: bytes) -> None:
    app.extensions["shizi"].gate.close()
    assert app.test_client().post("/ocr/picture", data=png, content_type="image/png").status_code == 503

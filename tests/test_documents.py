"""Documents through the whole path: text from the file where it can be believed, from pixels where not."""

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import ofds
import pdfs
import pikepdf
import pytest
from fakes import FakeReader
from pdfs import SHIFTED, drawn, lines, placed, saved, scan
from PIL import Image, ImageDraw, ImageFont

from shizi.charset import Charset
from shizi.document import Char, Document, Fragment, PageText, Reading
from shizi.errors import DamagedFile, ShiziError
from shizi.geometry import Polygon
from shizi.options import ReadOptions
from shizi.reader import Reader
from shizi.text_layer import doubtful_fonts

TEXT = ["The quick brown fox jumps", "over the lazy dog today"]


def noted(*rows: str) -> Image.Image:
    picture = Image.new("L", (900, 100 + 80 * len(rows)), 255)
    for i, row in enumerate(rows):
        ImageDraw.Draw(picture).text((60, 60 + 80 * i), row, 0, ImageFont.load_default(44))
    return picture


def read(reader: Reader, data: bytes, **options: str) -> Document:
    return reader.read(data, ReadOptions.parse(options))


def models(document: Document) -> list[bool]:
    """Tell of each line whether it was taken from the file."""
    return [line.model == "text-layer" for page in document.pages for line in page.lines]


def test_text_of_the_file_is_taken_as_it_is(real_reader: Reader) -> None:
    document = read(real_reader, drawn(lines(*TEXT)), detail="character")
    (page,) = document.pages
    assert (document.source, page.source, page.dpi, page.warnings) == ("PDF", "text", 200, ())
    assert [line.text for line in page.lines] == TEXT
    assert [line.confidence for line in page.lines] == [1.0, 1.0]
    assert [word.text for word in page.lines[0].words] == TEXT[0].split()
    assert "".join(char.text for word in page.lines[0].words for char in word.chars) == TEXT[0].replace(" ", "")
    assert len(page.blocks) == 1
    assert Document.from_dict(document.to_dict()).pages[0].source == "text"


def test_the_file_and_its_pixels_give_lines_in_the_same_places(real_reader: Reader) -> None:
    taken = read(real_reader, drawn(lines(*TEXT))).pages[0]
    seen = read(real_reader, drawn(lines(*TEXT)), pdf="ocr").pages[0]
    assert seen.source == "ocr"
    assert [line.text for line in seen.lines] == TEXT
    for one, other in zip(taken.lines, seen.lines, strict=True):
        assert one.polygon.bounds == pytest.approx(other.polygon.bounds, abs=30)


def test_a_scan_reads_like_its_picture(real_reader: Reader) -> None:
    picture = noted(*TEXT)
    (page,) = read(real_reader, scan(picture)).pages
    (same,) = real_reader.read(np.asarray(picture)).pages
    assert page.source == "ocr"
    assert page.lines == same.lines


def test_a_font_that_lies_is_not_believed(real_reader: Reader) -> None:
    document = read(real_reader, drawn(lines(*TEXT), names=SHIFTED))
    (page,) = document.pages
    assert [line.text for line in page.lines] == TEXT
    assert (page.source, models(document)) == ("ocr", [False, False])
    assert page.warnings[0].startswith("text_layer_doubtful")
    asked = read(real_reader, drawn(lines(*TEXT), names=SHIFTED), pdf="text").pages[0]
    assert asked.source == "text"
    assert asked.lines[0].text != TEXT[0]


def test_text_and_pictures_of_one_page_are_put_together(real_reader: Reader) -> None:
    content = lines("Above the picture") + placed("P", 50, 500, 400, 400 * 260 / 900) + pdfs.shown("Below it", 50, 480)
    document = read(real_reader, drawn(content, pictures={"P": noted(*TEXT)}))
    (page,) = document.pages
    assert [line.text for line in page.lines] == ["Above the picture", *TEXT, "Below it"]
    assert models(document) == [True, False, False, True]
    assert page.source == "ocr"


def test_a_watermark_comes_last(real_reader: Reader) -> None:
    mark = f"q .7 .7 -.7 .7 60 600 cm {pdfs.shown('CONFIDENTIAL', 0, 0, 40)} Q "
    (page,) = read(real_reader, drawn(mark + lines(*TEXT))).pages
    assert [line.text for line in page.lines] == [*TEXT, "CONFIDENTIAL"]
    assert page.blocks[-1].lines == (2,)


def test_each_page_says_where_its_text_is_from(real_reader: Reader) -> None:
    data = drawn(lines(*TEXT), placed("P", 0, 0, 595, 172), pictures={"P": noted("A scanned page")})
    assert [page.source for page in read(real_reader, data).pages] == ["text", "ocr"]


def test_an_ofd_and_an_xml_invoice_are_documents(real_reader: Reader) -> None:
    data = ofds.ofd(
        ofds.page(ofds.text_object("发票号码：123", 20, 20), ofds.image_object(1, 20, 60, 90, 18)),
        pictures={1: noted("Seen in a picture")},
    )
    document = read(real_reader, data)
    assert (document.source, document.pages[0].source) == ("OFD", "ocr")
    assert [line.text for line in document.pages[0].lines] == ["发票号码：123", "Seen in a picture"]
    stated = read(real_reader, ofds.DIGITAL.encode())
    assert (stated.source, stated.pages[0].source) == ("XML", "text")
    assert "价税合计（小写）：113.00" in stated.text


def test_a_pdf_gives_the_fields_of_the_invoice_attached_to_it(real_reader: Reader) -> None:
    with pikepdf.open(io.BytesIO(drawn(lines("An invoice")))) as pdf:
        pdf.attachments["invoice.xml"] = pikepdf.AttachedFileSpec(pdf, ofds.DIGITAL.encode(), filename="invoice.xml")
        data = saved(pdf)
    document = real_reader.read(data, ReadOptions(fields="auto"))
    fields = {field.name: field for field in document.fields}
    assert (fields["total"].value, fields["total"].source) == ("113.00", "xml")
    assert document.pages[0].text == "An invoice"


# Page by page


def test_pages_are_read_when_they_are_asked_for(real_reader: Reader) -> None:
    data = drawn(*[lines(f"This is page {n}") for n in range(1, 6)])
    pages = real_reader.pages(data)
    assert next(pages).text == "This is page 1"
    assert next(pages).text == "This is page 2"
    assert [page.number for page in real_reader.pages(data, ReadOptions(pages="4-"))] == [4, 5]


def test_progress_is_told_and_may_end_the_reading(real_reader: Reader) -> None:
    data = drawn(*[lines(f"This is page {n}") for n in range(1, 6)])
    told: list[tuple[int, int]] = []
    real_reader.read(data, ReadOptions(pages="2-4"), on_page=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        real_reader.read(data, on_page=stop)
    assert len(real_reader.read(data).pages) == 5


def test_a_page_that_fails_fails_the_document(real_reader: Reader) -> None:
    data = drawn(*[lines(f"This is page {n}") for n in range(1, 4)]).replace(b"4 0 obj\n<<", b"4 0 obj\nxx")
    with pytest.raises(DamagedFile, match="Page 2 of 3"):
        real_reader.read(data)


# Which fonts are believed


class Played:
    """Reads whatever it is told to."""

    def __init__(self, *texts: str, confidence: float = 0.99) -> None:
        self.texts, self.confidence, self.asked = list(texts), confidence, 0

    def read(self, strips: Sequence[np.ndarray], margins: bool = False) -> list[Reading]:
        self.asked += len(strips)
        texts = [self.texts.pop(0) for _ in strips]
        return [Reading(text, 0.9, tuple(Char(c, self.confidence, 0, 1) for c in text)) for text in texts]


def page_of(**fonts: str) -> PageText:
    pieces = tuple(
        Fragment(Polygon.from_bounds(0, 30 * i, 200, 30 * i + 20), Reading(text, 1.0), fonts=frozenset(name.split("_")))
        for i, (name, text) in enumerate(fonts.items())
    )
    return PageText(pieces, 300, 300, lambda box: np.zeros((20, 200, 3), np.uint8), lambda fonts: None)


LATIN = Charset(tuple("abcdefghijklmnopqrstuvwxyz0123456789识字 "))


@pytest.mark.parametrize(
    ("said", "read", "sure", "doubted"),
    [
        ("plain words", "plain words", 0.99, False),
        ("plain words", "plain w0rds", 0.99, False),
        ("plain words", "qmbjo xpset", 0.99, True),
        ("plain words", "qmbjo xpset", 0.5, False),
        ("жжжжжж", "kkkkkk", 0.99, False),
        ("жжжжжж", "识字识字", 0.99, True),
        ("ab", "识字", 0.99, False),
    ],
    ids=["right", "misread", "wrong", "unsure", "another script", "another script over chinese", "too short"],
)
def test_a_font_is_doubted_for_what_is_surely_something_else(said: str, read: str, sure: float, doubted: bool) -> None:
    judged: dict[str, bool] = {}
    found = doubtful_fonts(page_of(A=said), Played(read, confidence=sure), LATIN, judged)
    assert found == (frozenset("A") if doubted else frozenset())


def test_a_font_is_judged_once_and_takes_along_what_shares_its_lines() -> None:
    page, judged = page_of(A="plain words", A_B="both", C="other words"), {}
    played = Played("qmbjo xpset", "other words")
    assert doubtful_fonts(page, played, LATIN, judged) == {"A", "B"}
    assert judged == {"A": True, "C": False}
    assert doubtful_fonts(page, played, LATIN, judged) == {"A", "B"}
    assert played.asked == 2


def test_a_font_that_is_not_in_the_file_is_not_judged_by_its_picture() -> None:
    page = replace(page_of(A="plain words"), borrowed=frozenset("A"))
    assert doubtful_fonts(page, Played(), LATIN, {}) == frozenset()


# The doors


@pytest.mark.parametrize("kind", ["application/pdf", "application/ofd", "application/xml", "application/octet-stream"])
def test_documents_come_as_plain_bodies(kind: str, reader: FakeReader) -> None:
    from shizi.service.app import create_app
    from shizi.service.settings import Settings

    client = create_app(Settings(), reader).test_client()  # type: ignore[arg-type]
    answer = client.post("/ocr/predict?pages=2&password=secret&pdf=text", data=b"the document", content_type=kind)
    assert answer.status_code == 200
    [(data, options)] = reader.asked
    assert (data, options) == (b"the document", ReadOptions(pages="2", password="secret", pdf="text"))


def test_errors_name_no_password() -> None:
    with pytest.raises(ShiziError) as caught:
        list(open_locked())
    assert "hush" not in caught.value.message


def open_locked() -> object:
    import pikepdf

    from shizi.pages import open_pages

    data = drawn(lines(*TEXT), encryption=pikepdf.Encryption(user="user", owner="owner"))
    return open_pages(data, options=ReadOptions(password="hush"))

"""The searchable PDF: pictures untouched, text where the eye sees it, found by pdfium and by poppler.

Places are compared on the page as pdfium shows it: `found` gives the frames of a phrase's selection in pixels of a
showing as large as the page image.
"""

import ctypes
import io
import shutil
import subprocess
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pdfs
import pictures
import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from documents import Drawn, drawn, line
from pictures import LAID_DOWN, encoded
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageOps

from shizi.document import Document, Line, Page
from shizi.errors import DamagedFile, EncryptedPdf, OptionsError
from shizi.export import FORMATS
from shizi.export.text_layer import BlankFont
from shizi.geometry import Polygon

Bounds = tuple[float, float, float, float]
NEAR = 4.0  # pixels of a page at 150 DPI: two points


def write(document: Document | Page, source: bytes, password: str = "") -> bytes:
    document = document if isinstance(document, Document) else Document((document,))
    return FORMATS["pdf"].write(document, source, password)


def text_of(data: bytes, page: int = 0) -> str:
    with pypdfium2.PdfDocument(data) as pdf:
        return str(pdf[page].get_textpage().get_text_range())


def shown(data: bytes, size: tuple[int, int], page: int = 0) -> np.ndarray:
    """Show a page in as many pixels as asked for; H W 3."""
    with pypdfium2.PdfDocument(data) as pdf:
        scale = size[0] / pdf[page].get_width()
        picture = pdf[page].render(scale=scale).to_pil().convert("RGB")
        return np.asarray(picture.resize(size) if picture.size != size else picture)


def found(data: bytes, phrase: str, size: tuple[int, int], page: int = 0) -> list[Bounds]:
    """Give the frames of the first find's selection, on the page as shown in `size` pixels."""
    with pypdfium2.PdfDocument(data) as pdf:
        text = pdf[page].get_textpage()
        place = text.search(phrase).get_next()
        assert place is not None, f"{phrase} is not found in {text.get_text_range()!r}"
        frames = []
        for number in range(text.count_rects(*place)):
            left, bottom, right, top = text.get_rect(number)
            corners = [on_screen(pdf[page], size, x, y) for x, y in ((left, bottom), (right, top))]
            (x0, y0), (x1, y1) = corners
            frames.append((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
        return frames


def on_screen(page: pypdfium2.PdfPage, size: tuple[int, int], x: float, y: float) -> tuple[float, float]:
    """Let pdfium itself say where a point of the page is shown, in tenths of a pixel."""
    across, down = ctypes.c_int(), ctypes.c_int()
    width, height = size[0] * 10, size[1] * 10
    assert pdfium.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, across, down)
    return across.value / 10, down.value / 10


def around(frames: Sequence[Bounds]) -> Bounds:
    lefts, tops, rights, bottoms = zip(*frames, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def stretch(of: Line, phrase: str) -> Polygon:
    """Give where a phrase stands in its line, words counted as the reader gives them."""
    start = of.text.index(phrase)
    return of.polygon.part(start / len(of.text), (start + len(phrase)) / len(of.text), of.vertical)


def checked(data: bytes, folder: Path, *flags: str) -> None:
    """Let qpdf check the whole file."""
    if shutil.which("qpdf") is None:
        pytest.skip("Debian's package qpdf is missing: apt-get install qpdf")
    (folder / "checked.pdf").write_bytes(data)
    ran = subprocess.run(["qpdf", "--check", *flags, "checked.pdf"], cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "WARNING" not in ran.stdout + ran.stderr


def poppler(data: bytes, folder: Path, *flags: str) -> str:
    """Give the text that poppler finds."""
    if shutil.which("pdftotext") is None:
        pytest.skip("Debian's package poppler-utils is missing: apt-get install poppler-utils")
    (folder / "read.pdf").write_bytes(data)
    command = ["pdftotext", "-enc", "UTF-8", *flags, "read.pdf", "-"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout


@pytest.fixture(scope="module")
def page() -> Drawn:
    """Two lines, two columns, a line that is tilted a little and one that is tilted much."""
    return drawn(
        rows=[(80, 60, "识字读出文字 shizi 2026"), (80, 130, "第二行：金额 1,234.50 元")],
        columns=[(820, 60, "竖排的文字"), (760, 60, "第二列在左")],
        tilted=[(80, 230, "微斜的一行字", 2.0), (80, 330, "倾斜的中文 tilted", 12.0)],
    )


PHRASES = (
    "读出文字",
    "shizi",
    "2026",
    "金额",
    "1,234.50",
    "竖排的",
    "第二列在左",
    "微斜的一行",
    "倾斜的中文",
    "tilted",
)


# Pictures


def test_the_selection_lies_on_the_line(page: Drawn) -> None:
    data = write(page.page, encoded(page.picture, "JPEG"))
    for phrase in PHRASES:
        [of] = [line for line in page.page.lines if phrase in line.text]
        assert around(found(data, phrase, page.picture.size)) == pytest.approx(stretch(of, phrase).bounds, abs=NEAR), (
            phrase
        )


def test_valid_and_found_by_poppler_too(page: Drawn, tmp_path: Path) -> None:
    data = write(page.page, encoded(page.picture, "JPEG"))
    checked(data, tmp_path)
    text = poppler(data, tmp_path)
    for of in page.page.lines[:5]:
        assert of.text in text
    boxes = poppler(data, tmp_path, "-bbox")
    assert '<word xMin="' in boxes
    assert ">识字读出文字</word>" in boxes


def test_the_font_is_embedded_and_the_text_invisible(page: Drawn) -> None:
    data = write(page.page, encoded(page.picture, "PNG"))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        content = b"".join(stream.read_bytes() for stream in pdf.pages[0].Contents)
        [font] = pdf.pages[0].Resources.Font.values()
        assert b"3 Tr" in content
        assert content.count(b" Tr") == 1
        assert (font.Subtype, font.Encoding) == (Name.Type0, Name("/Identity-H"))
        assert font.DescendantFonts[0].FontDescriptor.FontFile2.read_bytes()[:4] == b"\0\1\0\0"
        assert pdf.Root.Lang == "zh-CN"
        assert str(pdf.docinfo["/Producer"]).startswith("shizi ")
    white = Image.new("RGB", page.picture.size, "white")
    blank = write(page.page, encoded(white, "PNG"))
    assert (shown(blank, white.size) == 255).all(), "nothing of the layer is seen"


def test_a_jpeg_stays_as_it_is(page: Drawn) -> None:
    source = encoded(page.picture, "JPEG", quality=70, progressive=True)
    with pikepdf.open(io.BytesIO(write(page.page, source))) as pdf:
        image = pdf.pages[0].Resources.XObject.Picture
        assert image.read_raw_bytes() == source
        assert image.Filter == Name.DCTDecode


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P"])
def test_a_plain_png_keeps_its_rows_packed_as_they_are(mode: str) -> None:
    drawing = pictures.drawn_page(ink=(0, 0, 0) if mode in ("1", "L") else (200, 30, 10))
    source = encoded(pictures.palette(drawing) if mode == "P" else drawing.convert(mode), "PNG")
    data = write(Page(1, 243, 121), source)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.pages[0].Resources.XObject.Picture.read_raw_bytes() in source
    assert np.array_equal(kept(data), np.asarray(drawing))
    assert np.abs(shown(data, drawing.size).astype(int) - np.asarray(drawing)).mean() < 12


@pytest.mark.parametrize("orientation", LAID_DOWN)
def test_exif_orientation(orientation: int, page: Drawn) -> None:
    undo = LAID_DOWN[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    source = encoded(page.picture.transpose(undo) if undo is not None else page.picture, "JPEG", exif=exif, quality=95)
    with Image.open(io.BytesIO(source)) as turned:
        assert ImageOps.exif_transpose(turned).size == page.picture.size
    data = write(page.page, source)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.pages[0].Resources.XObject.Picture.read_raw_bytes() == source
    difference = np.abs(shown(data, page.picture.size).astype(int) - np.asarray(page.picture))
    assert difference.mean() < 4
    expected = stretch(page.page.lines[0], "读出文字").bounds
    assert around(found(data, "读出文字", page.picture.size)) == pytest.approx(expected, abs=NEAR)


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_picture_turned_to_be_read_is_shown_upright(turn: int, form: str, page: Drawn) -> None:
    """The picture lies on its side; the page was read after turning it by `turn` clockwise."""
    lying = page.picture.rotate(turn, expand=True)  # Pillow turns anticlockwise
    source = encoded(lying, form)
    data = write(replace(page.page, rotation=turn), source)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.pages[0].Rotate == turn
        image = pikepdf.PdfImage(pdf.pages[0].Resources.XObject.Picture)
        assert (image.width, image.height) == lying.size, "the picture itself is not turned"
    assert np.abs(shown(data, page.picture.size).astype(int) - np.asarray(page.picture)).mean() < 4
    for phrase in ("读出文字", "竖排的", "tilted"):
        [of] = [line for line in page.page.lines if phrase in line.text]
        assert around(found(data, phrase, page.picture.size)) == pytest.approx(stretch(of, phrase).bounds, abs=NEAR)


@pytest.mark.parametrize("name", pictures.ENCODINGS)
def test_other_pictures_keep_every_pixel(name: str) -> None:
    source = pictures.ENCODINGS[name](pictures.drawn_page())
    assert np.array_equal(kept(write(Page(1, 243, 121), source)), np.asarray(pictures.drawn_page()))


def kept(data: bytes) -> np.ndarray:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        image = pikepdf.PdfImage(pdf.pages[0].Resources.XObject.Picture)
        return np.asarray(image.as_pil_image().convert("RGB"))


@pytest.mark.parametrize(
    "colours", [((0, 0, 0), (255, 255, 255)), ((7, 7, 7), (250, 250, 250)), ((200, 30, 10), (250, 240, 90))]
)
def test_black_white_grey_and_colour_take_the_bits_they_need(colours: tuple[tuple[int, int, int], ...]) -> None:
    drawing = pictures.drawn_page(ink=colours[0], paper=colours[1])
    data = write(Page(1, 243, 121), encoded(drawing, "BMP"))
    assert np.array_equal(kept(data), np.asarray(drawing))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        image = pdf.pages[0].Resources.XObject.Picture
        bits = image.BitsPerComponent * (3 if image.ColorSpace == Name.DeviceRGB else 1)
    assert bits == {(0, 0, 0): 1, (7, 7, 7): 8, (200, 30, 10): 24}[colours[0]]


@pytest.mark.parametrize("name", pictures.LOSSY)
def test_lossy_pictures_look_as_they_did(name: str) -> None:
    drawing = pictures.drawn_page()
    source = pictures.LOSSY[name](drawing)
    data = write(Page(1, 243, 121), source)
    seen = shown(data, drawing.size).astype(int)
    assert np.abs(seen - np.asarray(drawing)).mean() < 12, "colours are not turned round"
    with pikepdf.open(io.BytesIO(data)) as pdf:
        raw = pdf.pages[0].Resources.XObject.Picture.read_raw_bytes()
    assert (raw == source) == name.startswith("jpeg")


def tiff_of(pages: Sequence[Image.Image], **options: object) -> bytes:
    return encoded(pages[0], "TIFF", save_all=True, append_images=list(pages[1:]), **options)


def test_the_pages_of_a_tiff_that_were_read(page: Drawn, tmp_path: Path) -> None:
    other = drawn(rows=[(80, 60, "另外一页")])
    source = tiff_of([page.picture, other.picture, page.picture])
    data = write(Document((replace(other.page, number=2), replace(page.page, number=3))), source)
    checked(data, tmp_path)
    with pypdfium2.PdfDocument(data) as pdf:
        assert len(pdf) == 2
    assert "另外一页" in text_of(data, 0)
    assert "识字读出文字" in text_of(data, 1)


@pytest.mark.parametrize(
    ("dpi", "width"), [(300.0, 900 * 72 / 300), (None, 841.89), (72.0, 841.89), (96.0, 841.89), (1.0, 14_400)]
)
def test_pages_are_as_large_as_scanned_or_fit_on_a4(dpi: float | None, width: float, page: Drawn) -> None:
    data = write(replace(page.page, dpi=dpi), encoded(page.picture, "JPEG"))
    with pypdfium2.PdfDocument(data) as pdf:
        across, down = pdf[0].get_size()
    assert (across, across / down) == pytest.approx((width, 1.5), rel=1e-3)


def test_a_large_document_does_not_hold_its_pictures(page: Drawn) -> None:
    """Write 40 pages of 900 x 600 in colour, 65 MB of pixels."""
    large = tiff_of([page.picture] * 40, compression="tiff_lzw")
    small = tiff_of([page.picture] * 2, compression="tiff_lzw")
    peaks = []
    for source, count in ((small, 2), (large, 40)):
        document = Document(tuple(replace(page.page, number=number) for number in range(1, count + 1)))
        tracemalloc.start()
        data = write(document, source)
        peaks.append(tracemalloc.get_traced_memory()[1] - len(data))
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 15_000_000


def test_characters_beyond_the_first_plane(tmp_path: Path) -> None:
    rare = drawn(rows=[(80, 60, "姓名𠮷田𠀀")])
    data = write(rare.page, encoded(rare.picture, "JPEG"))
    assert "姓名𠮷田𠀀" in text_of(data)
    assert "姓名𠮷田𠀀" in poppler(data, tmp_path)


def test_degenerate_lines_break_nothing(tmp_path: Path) -> None:
    point = Polygon.from_bounds(5, 5, 5, 5)
    flat = Polygon.from_bounds(5, 5, 500, 5)
    lines = (line("点", point), line("flat", flat), Line("", 0.5, Polygon.from_bounds(1, 1, 99, 20)))
    data = write(Page(1, 900, 600, lines=lines), encoded(Image.new("RGB", (900, 600)), "PNG"))
    checked(data, tmp_path)
    assert text_of(data) == ""


def test_more_characters_than_codes() -> None:
    font = BlankFont()
    codes = [font.encode(chr(code)) for code in range(0x10000, 0x10000 + 70_000)]
    assert all(len(code) == 4 for code in codes)
    assert codes[-1] == font.encode("\ufffd")


# PDFs that were there before

HELVETICA = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)  # under our own font's name


def pdf_of(
    boxes: Sequence[tuple[Sequence[float], Sequence[float] | None, int]], content: bytes = b"0.8 g 100 100 200 50 re f"
) -> pikepdf.Pdf:
    """Make a PDF of pages with media box, crop box and /Rotate; resources and boxes are inherited."""
    pdf = pikepdf.new()
    for media, crop, rotate in boxes:
        values = Dictionary(Type=Name.Page, MediaBox=Array(media), Contents=pdf.make_stream(content))
        if crop is not None:
            values.CropBox = Array(crop)
        if rotate:
            values.Rotate = rotate
        pdf.pages.append(pikepdf.Page(values))
    pdf.Root.Pages.Resources = Dictionary(ProcSet=Array([Name.PDF]), Font=Dictionary(ShiziText=HELVETICA))
    return pdf


def bytes_of(pdf: pikepdf.Pdf, **options: object) -> bytes:
    file = io.BytesIO()
    pdf.save(file, **options)  # type: ignore[arg-type]
    return file.getvalue()


A4 = (0, 0, 595, 842)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90, 450])
@pytest.mark.parametrize(
    ("media", "crop"), [(A4, None), ((-50, 30, 545, 872), (20, 100, 400, 700)), (A4, (500, -9, 100, 9999))]
)
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_layer_lies_where_the_page_shows_its_text(
    rotate: int, media: Sequence[float], crop: Sequence[float] | None, turn: int
) -> None:
    """The page was rendered as pdfium shows it and turned by `turn` clockwise to be read."""
    source = bytes_of(pdf_of([(media, crop, rotate)]))
    with pypdfium2.PdfDocument(source) as pdf:
        width, height = (round(side * 2) for side in pdf[0].get_size())
    upright = (width, height) if turn % 180 == 0 else (height, width)
    of = line("读出这里的文字", Polygon.from_bounds(50, 80, 330, 120))
    data = write(Page(1, *upright, rotation=turn, lines=(of,)), source)
    back = {
        0: lambda x, y: (x, y),
        90: lambda x, y: (y, height - x),
        180: lambda x, y: (width - x, height - y),
        270: lambda x, y: (width - y, x),
    }[turn]
    expected = Polygon.from_points(back(*corner) for corner in stretch(of, "这里的").corners).bounds
    assert around(found(data, "这里的", (width, height))) == pytest.approx(expected, abs=1.5)
    assert np.array_equal(shown(data, (width, height)), shown(source, (width, height)))


def scanned(**page: object) -> Page:
    return Page(**{"number": 1, "width": 1190, "height": 1684, "lines": (LINE,)} | page)  # type: ignore[arg-type]


LINE = line("合同编号 2026-001", Polygon.from_bounds(200, 300, 700, 340))


def test_only_pages_read_from_pixels_get_a_layer(tmp_path: Path) -> None:
    source = bytes_of(pdf_of([(A4, None, 0)] * 3))
    data = write(Document((scanned(number=1, source="text"), scanned(number=2), Page(3, 1190, 1684))), source)
    checked(data, tmp_path)
    assert [text_of(data, page) for page in range(3)] == ["", "合同编号 2026-001", ""]
    assert "合同编号 2026-001" in poppler(data, tmp_path)
    with pikepdf.open(io.BytesIO(source)) as before, pikepdf.open(io.BytesIO(data)) as after:
        for number in (0, 2):
            assert before.pages[number].Contents.read_bytes() == after.pages[number].Contents.read_bytes()
        assert "/ShiziText2" not in after.Root.Pages.get("/Resources", {}).get("/Font", {}), "shared by all pages"
        assert "/ProcSet" in after.pages[1].Resources, "what the page inherited is still there"


def test_lines_taken_from_the_pages_own_layer_are_not_set_twice() -> None:
    own = replace(line("自己的文字", Polygon.from_bounds(200, 400, 700, 440)), model="text-layer")
    data = write(scanned(lines=(own, LINE)), bytes_of(pdf_of([(A4, None, 0)])))
    assert text_of(data) == "合同编号 2026-001"


def test_a_layer_of_ours_is_replaced_not_doubled(page: Drawn) -> None:
    once = write(scanned(), bytes_of(pdf_of([(A4, None, 0)])))
    made = write(page.page, encoded(page.picture, "PNG"))
    for first in (once, made):
        again = line("第二次读", Polygon.from_bounds(200, 300, 700, 340))
        twice = write(scanned(lines=(again,)), first)
        assert text_of(twice) == "第二次读"
        assert np.array_equal(shown(twice, (600, 400)), shown(first, (600, 400)))


def test_the_unseen_layer_of_another_program_is_replaced(tmp_path: Path) -> None:
    unseen = pdfs.shown("Gontract 2O26", mode=3) + "BT 3 Tr /F1 9 Tf 12 TL 50 500 Td (one) ' (two) ' ET\n"
    picture = pdfs.placed("P", 0, 0, 595, 842)
    source = pdfs.drawn(picture + unseen, pictures={"P": Image.new("L", (60, 80), 128)})
    assert "Gontract" in text_of(source)
    data = write(scanned(), source)
    checked(data, tmp_path)
    assert text_of(data) == "合同编号 2026-001"
    assert np.array_equal(shown(data, (300, 400)), shown(source, (300, 400)))


def test_text_that_a_page_shows_itself_is_not_laid_over_it_again(tmp_path: Path) -> None:
    source = pdfs.drawn(pdfs.lines("Contract 2026-001", "Total 100.00") + pdfs.shown("unseen", y=300, mode=3))
    lines = ("Contract 2026-001", "Total 700.00")  # the second is read otherwise than the file tells
    read = tuple(line(text, Polygon.from_bounds(100, 100 + 50 * i, 500, 140 + 50 * i)) for i, text in enumerate(lines))
    text = text_of(write(scanned(lines=read), source))
    assert text.count("Contract 2026-001") == 1
    assert text.count("Total 700.00") == 1
    assert text.count("Total 100.00") == 1


def test_a_content_that_cannot_be_parsed_stays() -> None:
    source = bytes_of(pdf_of([(A4, None, 0)], b"BT 3 Tr /ShiziText 9 Tf (open"))
    assert "合同编号 2026-001" in text_of(write(scanned(), source))


def test_a_file_that_is_no_picture_and_no_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.export.searchable_pdf.format_of", lambda data: "OFD")
    with pytest.raises(OptionsError, match="the file is OFD"):
        write(scanned(), b"PK")


def test_a_pdf_with_nothing_to_add_is_given_back_to_the_byte() -> None:
    source = bytes_of(pdf_of([(A4, None, 0)]))
    assert write(scanned(source="text"), source) is source
    assert write(Page(1, 10, 10), source) is source


@pytest.mark.parametrize(
    "content", [b"q 5 0 0 5 90 90 cm", b"1 0 0 1 300 300 cm 0 0 9 9 re f", b"Q Q Q", b"BT 7 Tr 50 Tz", b""]
)
def test_what_a_page_leaves_switched_on_does_not_move_the_layer(content: bytes) -> None:
    data = write(scanned(), bytes_of(pdf_of([(A4, None, 0)], content)))
    expected = stretch(LINE, "合同编号").bounds
    assert around(found(data, "合同编号", (1190, 1684))) == pytest.approx(expected, abs=2)


def test_a_page_without_content_or_a_usable_box() -> None:
    pdf = pdf_of([((0, 0, 0, 0), None, 0)])
    del pdf.pages[0].obj.Contents
    data = write(scanned(width=1224, height=1584), bytes_of(pdf))
    assert "合同编号" in text_of(data)


def test_an_encrypted_pdf_opens_with_its_password_and_stays_encrypted(tmp_path: Path) -> None:
    lock = pikepdf.Encryption(owner="o", user="u", R=6)
    source = bytes_of(pdf_of([(A4, None, 0)]), encryption=lock)
    with pytest.raises(EncryptedPdf):
        write(scanned(), source)
    with pytest.raises(EncryptedPdf):
        write(scanned(), source, "wrong")
    data = write(scanned(), source, "u")
    checked(data, tmp_path, "--password=u")
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(data))
    with pypdfium2.PdfDocument(data, password="u") as pdf:
        assert "合同编号" in pdf[0].get_textpage().get_text_range()


def test_a_pdf_that_cannot_be_rewritten() -> None:
    with pytest.raises(DamagedFile):
        write(scanned(), b"%PDF-1.7\n%nothing follows")


def test_a_document_of_another_file() -> None:
    with pytest.raises(OptionsError, match="page 2, the PDF 1 pages"):
        write(scanned(number=2), bytes_of(pdf_of([(A4, None, 0)])))

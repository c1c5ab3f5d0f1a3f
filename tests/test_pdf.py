"""PDF pages: which text is taken from the file, where it stands, at what size the rest is drawn."""

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pdfs
import pikepdf
import pytest
from pdfs import drawn, lines, placed, scan, shown
from pictures import drawn_page, encoded
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image, ImageDraw, ImageFont

from shizi.document import Fragment, PageImage, PageText
from shizi.errors import OptionsError
from shizi.options import ReadOptions
from shizi.pages import Limits, open_pages, page_count
from shizi.pdf import process
from shizi.pdf.text import plain

TEXT = ["Name of the buyer", "Total 113.00"]
GREY = Image.new("L", (400, 300), 200)


def opened(data: bytes, **options: str) -> list[PageImage | PageText]:
    return list(open_pages(data, options=ReadOptions.parse(options)))


def only(data: bytes, **options: str) -> PageImage | PageText:
    (page,) = opened(data, **options)
    return page


def layer(data: bytes, **options: str) -> PageText:
    page = only(data, **options)
    assert isinstance(page, PageText)
    return page


def texts(page: PageText) -> list[str]:
    """The pieces from top to bottom; their order on the page is not the file's to tell."""
    return [fragment.text for fragment in by_place(page)]


def by_place(page: PageText) -> list[Fragment]:
    return sorted(page.fragments, key=lambda fragment: fragment.polygon.bounds[1::-1])


def codes(page: PageImage | PageText) -> list[str]:
    return [warning.split(":")[0] for warning in page.warnings]


def noted(words: str, size: tuple[int, int] = (800, 600)) -> Image.Image:
    """A picture with words on it."""
    picture = Image.new("L", size, 255)
    ImageDraw.Draw(picture).text((40, 60), words, 0, ImageFont.load_default(40))
    return picture


# The text of the file


def test_text_is_taken_with_its_place() -> None:
    page = layer(drawn(lines(*TEXT)))
    assert texts(page) == TEXT
    assert (page.width, page.height, page.dpi, page.rotation) == (1653, 2339, 200, 0)
    left, top, right, bottom = page.fragments[0].polygon.bounds
    ink = np.argwhere(page_pixels(drawn(lines(TEXT[0])))[:, :, 0] < 128)
    assert left - 2 <= ink[:, 1].min()
    assert ink[:, 1].max() <= right + 2
    assert top - 2 <= ink[:, 0].min()
    assert ink[:, 0].max() <= bottom + 2
    assert right - left < 1.1 * (ink[:, 1].max() - ink[:, 1].min())


def page_pixels(data: bytes) -> np.ndarray:
    for page in open_pages(data):
        return page.pixels
    raise AssertionError


def test_words_and_characters_have_their_shares() -> None:
    (fragment,) = layer(drawn(lines("ab cd")), detail="character").fragments
    assert [char.text for char in fragment.reading.chars] == list("ab cd")
    edges = [(char.start, char.end) for char in fragment.reading.chars]
    assert edges[0][0] == 0
    assert edges[-1][1] == 1
    assert all(start < end for start, end in edges)
    assert fragment.reading.confidence == 1.0


def test_chinese_and_figures_stand_together() -> None:
    page = layer(
        drawn(shown("识字科技有限公司", y=700, font="F2") + shown("113.00", 50, 680) + shown("元", 84, 680, font="F2"))
    )
    assert texts(page) == ["识字科技有限公司", "113.00元"]


def test_pieces_drawn_apart_are_one_line_and_far_ones_are_not() -> None:
    page = layer(drawn(shown("world", 83, 700) + shown("Hello", 50, 700) + shown("far away", 300, 700)))
    assert texts(page) == ["Hello world", "far away"]


def test_letters_of_a_ligature_stay_together() -> None:
    (fragment,) = layer(drawn(lines("de\x01nitions"), names={1: "fi"} | {n: chr(n) for n in range(32, 127)})).fragments
    assert fragment.text == "definitions"


def test_words_drawn_twice_to_be_bold_are_taken_once() -> None:
    assert texts(layer(drawn(shown("bold words", 50, 700) + shown("bold words", 50.4, 700)))) == ["bold words"]
    assert texts(layer(drawn(shown("same", 50, 700) + shown("same", 50, 680)))) == ["same", "same"]


def test_a_rule_parts_cells() -> None:
    cells = shown("cell one", 50, 700) + shown("cell two", 102, 700)
    assert texts(layer(drawn(cells))) == ["cell one cell two"]
    ruled = layer(drawn(cells + "99 690 m 99 715 l S"))
    assert texts(ruled) == ["cell one", "cell two"]
    assert [round(x / 200 * 72) for x, _, _ in ruled.rules] == [99]


def test_a_column_of_chinese_runs_down() -> None:
    document = pikepdf.open(io.BytesIO(drawn(shown("竖排的文字", y=700, font="F2"))))
    document.pages[0].obj.Resources.Font.F2.Encoding = Name("/UniGB-UCS2-V")
    (fragment,) = layer(pdfs.saved(document)).fragments
    assert (fragment.text, fragment.vertical) == ("竖排的文字", True)
    assert fragment.polygon.height > 4 * fragment.polygon.width


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_a_page_shown_turned_is_turned_back(rotate: int) -> None:
    page = layer(drawn(lines(*TEXT), rotate=rotate))
    upright = layer(drawn(lines(*TEXT)))
    assert page.rotation == 360 - rotate
    assert texts(page) == TEXT
    assert (page.width, page.height) == (upright.width, upright.height)
    assert by_place(page)[0].polygon.bounds == pytest.approx(by_place(upright)[0].polygon.bounds, abs=1)
    asis = layer(drawn(lines(*TEXT), rotate=rotate), orientation="none")
    assert asis.rotation == 0


@pytest.mark.parametrize(
    ("matrix", "rotation"), [("0 1 -1 0 595 0", 90), ("0 -1 1 0 0 842", 270), ("-1 0 0 -1 595 842", 180)]
)
def test_text_that_runs_sideways_stands_the_page_upright(matrix: str, rotation: int) -> None:
    data = drawn(f"q {matrix} cm {lines(*TEXT).replace('780', '400').replace('760', '380')} Q")
    for page in open_pages(data):
        assert isinstance(page, PageText)
        assert page.rotation == rotation
        assert texts(page) == TEXT
        first, second = ([round(side) for side in piece.polygon.bounds] for piece in by_place(page))
        whole = page.draw(None)
        for left, top, right, bottom in (first, second):
            np.testing.assert_array_equal(page.draw((left, top, right, bottom)), whole[top:bottom, left:right])
            assert whole[top:bottom, left:right].min() < 100
            whole[top - 2 : bottom + 2, left - 2 : right + 2] = 255
        assert (whole == 255).all(), "nothing is drawn but in the places of the lines"


def test_characters_are_made_plain() -> None:
    assert plain(0x2F00) == "一"  # a radical that stands for the character
    assert plain(0xFB01) == "fi"
    assert plain(0xA0) == " "
    assert plain(0xF0B7) == "•"
    assert plain(0xE000) is None
    assert plain(0xFFFD) is None
    assert plain(-42) is None
    assert plain(0x200B) == ""


def test_chinese_fonts_left_to_the_machine_are_told() -> None:
    assert layer(drawn(shown("识字", y=700, font="F2") + lines("Latin"))).borrowed == {"STSong-Light"}
    assert layer(drawn(lines("Latin"), names={n: chr(0x4E00 + n) for n in range(32, 127)})).borrowed == frozenset()


# Text that is not to be trusted


def test_characters_without_a_meaning_leave_the_page_to_reading() -> None:
    names = {code: chr(0xE000 + code) for code in range(32, 127)}
    assert isinstance(only(drawn(lines(*TEXT), names=names)), PageImage)


def test_a_line_with_one_such_character_is_read_beside_the_others() -> None:
    for page in open_pages(drawn(lines(*["plain words here"] * 4, "Total 5"), names={ord("5"): "\ufffd"})):
        assert isinstance(page, PageText)
        assert texts(page) == ["plain words here"] * 4
        rest = page.rest(())
        assert rest is not None
        line = (rest[:, :, 0] < 128).any(axis=1).nonzero()[0]
        assert abs(line.mean() / 200 * 72 - (842 - 700 - 4)) < 4, "nothing is left to read but that line"


@pytest.mark.parametrize("mode", [3, 7])
def test_text_nobody_sees_is_not_taken(mode: int) -> None:
    data = scan(noted("what is seen"), over=[shown("what is not", 20, 50, mode=mode)])
    assert isinstance(only(data), PageImage)
    assert texts(layer(data, pdf="text")) == ["what is not"]


def test_text_under_a_scan_is_not_taken() -> None:
    hidden = shown("what is not seen", 20, 50) + placed("P", 0, 0, 288, 216)
    assert isinstance(only(drawn(hidden, size=(288, 216), pictures={"P": noted("seen")})), PageImage)
    seen = placed("P", 0, 0, 288, 216) + shown("what is seen", 20, 50)
    assert texts(layer(drawn(seen, size=(288, 216), pictures={"P": GREY}))) == ["what is seen"]


def test_text_beyond_the_page_is_not_taken() -> None:
    assert texts(layer(drawn(lines("on the page") + shown("beside it", 700, 700)))) == ["on the page"]


def rest_of(data: bytes) -> np.ndarray | None:
    for page in open_pages(data):
        assert isinstance(page, PageText)
        return page.rest(())
    raise AssertionError


def test_words_in_a_picture_beside_text_are_left_to_reading() -> None:
    rest = rest_of(drawn(lines(*TEXT) + placed("P", 50, 100, 400, 300), pictures={"P": noted("in the picture")}))
    assert rest is not None
    inked = (rest[:, :, 0] < 128).any(axis=1).nonzero()[0]
    assert inked.min() / 200 * 72 > 842 - 400, "the text of the file is not drawn"


@pytest.mark.parametrize(
    "content",
    [
        placed("P", 50, 100, 400, 300),
        "50 100 400 300 re S 50 200 m 450 200 l S",
        "0.5 g 50 100 400 300 re f",
        "2 w 100 200 m 150 300 250 300 300 200 c S",
    ],
    ids=["plain picture", "table", "ground", "one curve"],
)
def test_what_holds_no_text_is_not_drawn_large(content: str) -> None:
    assert rest_of(drawn(lines(*TEXT) + content, pictures={"P": GREY})) is None


def test_letters_drawn_as_curves_are_left_to_reading() -> None:
    letters = "".join(f"q 1 0 0 1 {60 + 9 * i} 300 cm 3 0 m 6 0 6 8 3 8 c 0 8 0 0 3 0 c f Q " for i in range(8))
    assert rest_of(drawn(lines(*TEXT) + letters)) is not None


@pytest.mark.parametrize(("kind", "read"), [("Widget", True), ("Stamp", True), ("Link", False)])
def test_what_was_filled_in_or_stamped_is_left_to_reading(kind: str, read: bool) -> None:
    document = pikepdf.open(io.BytesIO(drawn(lines(*TEXT))))
    look = Stream(document, shown("FILLED IN 4711", 2, 6).encode())
    look.Type, look.Subtype, look.BBox = Name.XObject, Name.Form, Array([0, 0, 200, 20])
    look.Resources = Dictionary(Font=Dictionary(F1=pdfs.helvetica(document, None)))
    annotation = document.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name(f"/{kind}"),
            Rect=Array([200, 600, 400, 620]),
            F=4,
            AP=Dictionary(N=document.make_indirect(look)),
            FT=Name.Tx,
            T=b"field",
            V=b"FILLED IN 4711",
        )
    )
    document.pages[0].obj.Annots = Array([annotation])
    if kind == "Widget":
        document.Root.AcroForm = Dictionary(Fields=Array([annotation]))
    assert (rest_of(pdfs.saved(document)) is not None) == read


# What is asked for


def test_the_option_pdf_decides() -> None:
    data = drawn(lines(*TEXT))
    assert isinstance(only(data, pdf="ocr"), PageImage)
    assert isinstance(only(data, pdf="text"), PageText)
    empty = layer(scan(noted("seen")), pdf="text")
    assert (empty.fragments, codes(empty)) == ((), ["no_text_layer"])


def numbered(count: int) -> bytes:
    return drawn(*[lines(f"This is page {number}") for number in range(1, count + 1)])


def test_pages_are_chosen() -> None:
    pages = opened(numbered(9), pages="2-3,7,9-")
    assert [page.number for page in pages] == [2, 3, 7, 9]
    assert [texts(page) for page in pages] == [[f"This is page {n}"] for n in (2, 3, 7, 9)]  # type: ignore[arg-type]
    with pytest.raises(OptionsError, match="has 9 pages"):
        opened(numbered(9), pages="10-")


def test_pages_of_a_tiff_are_chosen_too() -> None:
    frames = [drawn_page(lines=(f"page {n}",), size=(90, 40 + n)) for n in range(4)]
    data = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert [(page.number, page.pixels.shape[0]) for page in opened(data, pages="2,4")] == [(2, 41), (4, 43)]
    with pytest.raises(OptionsError, match="has 4 pages"):
        opened(data, pages="5")
    with pytest.raises(OptionsError, match="has 1 page;"):
        opened(encoded(frames[0], "PNG"), pages="2")


def test_pages_are_counted_without_being_read() -> None:
    frames = [drawn_page(size=(90, 40))] * 3
    assert page_count(numbered(4), options=ReadOptions(pages="2")) == 4
    assert page_count(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])) == 3
    assert page_count(encoded(frames[0], "PNG")) == 1


def test_more_pages_than_the_limit_are_cut_with_a_warning() -> None:
    def numbers(pages: str) -> list[int]:
        return [page.number for page in open_pages(numbered(5), Limits(frames=2), ReadOptions(pages=pages))]

    assert numbers("") == [1, 2]
    assert numbers("4-") == [4, 5]
    cut = list(open_pages(numbered(5), Limits(frames=2)))
    assert [codes(page) for page in cut] == [["frames_cut"]] * 2
    frames = [drawn_page(size=(90, 40))] * 4
    data = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert [page.number for page in open_pages(data, Limits(frames=2), ReadOptions(pages="3-"))] == [3, 4]


def test_bytes_before_the_header_do_no_harm() -> None:
    assert texts(layer(b"junk\n" * 100 + drawn(lines(*TEXT)))) == TEXT


# How large pages are drawn


def test_a_scan_is_drawn_with_its_own_pixels() -> None:
    picture = noted("exactly these pixels", (827, 1169))
    page = only(scan(picture, dpi=100))
    assert isinstance(page, PageImage)
    assert page.dpi == 100
    np.testing.assert_array_equal(page.pixels[:, :, 0], np.asarray(picture))


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_a_turned_scan_too(rotate: int) -> None:
    picture = noted("exactly these pixels", (900, 600))
    width, height = 900 * 72 / 150, 600 * 72 / 150
    page = only(drawn(placed("P", 0, 0, width, height), size=(width, height), pictures={"P": picture}, rotate=rotate))
    np.testing.assert_array_equal(page.pixels[:, :, 0], np.rot90(np.asarray(picture), -rotate // 90))


def test_a_scan_in_strips_is_drawn_with_its_own_resolution() -> None:
    picture = noted("in two strips", (800, 600))
    halves = {"A": picture.crop((0, 0, 800, 300)), "B": picture.crop((0, 300, 800, 600))}
    content = placed("A", 0, 72, 192, 72) + placed("B", 0, 0, 192, 72)
    page = only(drawn(content, size=(192, 144), pictures=halves))
    assert page.dpi == 300
    assert np.abs(page.pixels[:, :, 0].astype(int) - np.asarray(picture)).mean() < 1


def test_a_ground_of_few_pixels_or_a_small_sharp_picture_tells_no_resolution() -> None:
    speck = Image.new("L", (2, 2), 240)
    ground = drawn(placed("P", 0, 0, 595, 842) + lines(*TEXT), pictures={"P": speck})
    assert layer(ground).dpi == 200
    assert only(drawn(placed("P", 0, 0, 595, 842), pictures={"P": speck})).dpi == 36
    sharp = placed("P", 0, 0, 595, 842) + placed("Q", 20, 20, 80, 80)
    pictures = {"P": noted("a scan", (827, 1169)), "Q": Image.new("L", (1500, 1500), 220)}
    assert only(drawn(sharp, pictures=pictures)).dpi == pytest.approx(100, abs=0.5)


def test_a_large_page_is_drawn_smaller_within_the_limit() -> None:
    data = drawn("1 0 0 1 0 0 cm", size=(2384, 3370))  # A0
    (page,) = open_pages(data, Limits(pixels=50_000_000), ReadOptions(pdf="ocr"))
    assert isinstance(page, PageImage)
    assert page.dpi == 179
    assert page.pixels.shape[0] * page.pixels.shape[1] <= 50_000_000


def test_a_blank_page_says_so() -> None:
    assert codes(only(drawn(""))) == ["page_blank"]


# One process for each document


def test_threads_read_documents_at_once_and_processes_are_kept() -> None:
    files = [numbered(2), drawn(lines(*TEXT)), scan(noted("seen"))] * 4
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda data: [page.number for page in open_pages(data)], files))
    assert found == [[1, 2], [1], [1]] * 4
    idle = len(process._idle)
    assert 1 <= idle <= process.MOST_IDLE
    before = {kept._child.pid for kept in process._idle}
    opened(numbered(1))
    assert {kept._child.pid for kept in process._idle} == before


def test_a_reading_given_up_ends_its_document() -> None:
    pages = open_pages(numbered(3))
    assert next(pages).number == 1
    threads = threading.active_count()
    del pages
    assert threading.active_count() == threads
    assert [page.number for page in opened(numbered(3))] == [1, 2, 3]


def test_a_fork_starts_processes_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    opened(numbered(1))
    kept = list(process._idle)
    assert kept
    monkeypatch.setattr(os, "getpid", lambda: -1)
    taken = process.borrow()
    assert taken not in kept
    taken.end()
    for one in kept:
        one.end()


def test_pages_that_were_drawn_are_let_go_of() -> None:
    noise = np.random.default_rng(0)
    names = [f"P{number}" for number in range(48)]
    pictures = {name: Image.fromarray(noise.integers(0, 256, (1000, 1000), np.uint8)) for name in names}
    data = drawn(*(placed(name, 0, 0, 600, 600) for name in names), size=(600, 600), pictures=pictures)
    assert len(data) > 48e6
    grown = []
    for page in open_pages(data, options=ReadOptions(pdf="ocr")):
        assert isinstance(page, PageImage)
        assert page.pixels.std() > 50
        grown.append(max(_resident(number) for number in _children()))
    assert max(grown) - grown[0] < 30e6


def _children() -> list[int]:
    return [int(number) for number in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _resident(number: int) -> int:
    fields = Path(f"/proc/{number}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

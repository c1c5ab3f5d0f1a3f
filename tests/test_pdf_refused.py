"""PDFs that are broken, locked or made to do harm: each a clear error, soon and in little memory."""

import contextlib
import io
import random
import zlib
from collections.abc import Callable, Iterator

import pikepdf
import pytest
from pdfs import drawn, lines, placed, saved, scan
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image

from shizi.document import PageText
from shizi.errors import DamagedFile, EncryptedPdf, ShiziError, TooLarge
from shizi.options import ReadOptions
from shizi.pages import Limits, format_of, open_pages, page_count
from shizi.pdf import process

FIVE = drawn(*[lines(f"This is page {number}", "and no other") for number in range(1, 6)])
KIDS = b"3 0 R 4 0 R 5 0 R 6 0 R 7 0 R"
ONE = drawn(lines("The only page"))


def read(data: bytes, **options: str) -> list[int]:
    return [page.number for page in open_pages(data, options=ReadOptions.parse(options))]


def with_kids(kids: bytes) -> bytes:
    assert KIDS in FIVE
    return FIVE.replace(KIDS, kids.ljust(len(KIDS)))


# Cut, garbled, not a PDF at all


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.98])
def test_a_file_cut_short_is_damaged(share: float) -> None:
    with pytest.raises(DamagedFile, match="cut short"):
        open_pages(FIVE[: int(len(FIVE) * share)])


def test_a_file_cut_in_the_part_saved_last_is_damaged_too() -> None:
    """A file saved twice has two ends; without the second it would be read as it was before the change."""
    update = b"8 0 obj\n<< /Length 0 >>\nstream\n\nendstream\nendobj\n"
    with pytest.raises(DamagedFile, match="cut short"):
        open_pages(FIVE + update)


@pytest.mark.parametrize("body", [b"", bytes(range(256)) * 40, b"\n1 0 obj\n<<>>\nendobj\ntrailer <</Root 1 0 R>>"])
def test_no_pdf_behind_the_header_is_damaged(body: bytes) -> None:
    assert format_of(b"%PDF-1.7\n" + body) == "PDF"
    with pytest.raises(DamagedFile):
        open_pages(b"%PDF-1.7\n" + body)


def test_a_lost_table_of_contents_is_made_good_with_a_warning() -> None:
    start = FIVE.rindex(b"startxref")
    pages = list(open_pages(FIVE[:start] + b"startxref\n1\n%%EOF\n"))
    assert [page.number for page in pages] == [1, 2, 3, 4, 5]
    assert all(page.warnings[0].startswith("pdf_repaired") for page in pages)


# The tree of pages


@pytest.mark.parametrize(
    "data",
    [
        with_kids(b"2 0 R 2 0 R 2 0 R 2 0 R 2 0 R"),
        with_kids(b"2 0 R 2 0 R").replace(b"/Count 5", b"/Count 900"),
        FIVE.replace(b"/Count 5", b"/Count 1000000"),
        ONE.replace(b"/Count 1", b"/Count 1000000"),
        saved(pikepdf.new()),
    ],
    ids=["loop", "loop that claims much", "five of a million", "one of a million", "no page"],
)
def test_pages_that_are_claimed_and_not_there(data: bytes) -> None:
    with pytest.raises(DamagedFile, match="page"):
        open_pages(data)
    with pytest.raises(DamagedFile, match="page"):
        page_count(data)


@pytest.mark.parametrize(
    "data",
    [
        with_kids(b"3 0 R 4 0 R 99 0 R 6 0 R 7 0 R"),
        with_kids(b"3 0 R 4 0 R 1 0 R 6 0 R 7 0 R"),
        with_kids(b"3 0 R 4 0 R 8 0 R 6 0 R 7 0 R"),
        FIVE.replace(b"5 0 obj\n<<", b"5 0 obj\nxx"),
    ],
    ids=["missing", "the catalogue", "a stream", "garbled"],
)
def test_a_broken_page_is_never_passed_over(data: bytes) -> None:
    with pytest.raises(DamagedFile, match="Page 3 of 5"):
        read(data)
    assert read(data, pages="1-2,4-") == [1, 2, 4, 5]
    assert page_count(data) == 5


def test_a_loop_among_pages_is_found() -> None:
    with pytest.raises(DamagedFile, match="of 5"):
        read(with_kids(b"3 0 R 4 0 R 2 0 R 6 0 R 7 0 R"))


def test_a_page_whose_content_is_gone_says_that_it_is_blank() -> None:
    (page,) = open_pages(FIVE.replace(b"/Contents 12 0 R", b"/Contents 99 0 R"), options=ReadOptions(pages="3"))
    assert page.warnings[0].startswith("page_blank")


# Locks


def locked(user: str, owner: str = "owner", **how: object) -> bytes:
    return drawn(lines("secret words"), encryption=pikepdf.Encryption(user=user, owner=owner, **how))  # type: ignore[arg-type]


def test_a_locked_file_asks_for_its_password() -> None:
    with pytest.raises(EncryptedPdf, match="give its password by the option 'password'"):
        open_pages(locked("user"))
    with pytest.raises(EncryptedPdf, match="does not open it"):
        open_pages(locked("user"), options=ReadOptions(password="wrong"))
    with pytest.raises(EncryptedPdf):
        page_count(locked("user"))


@pytest.mark.parametrize("how", [{"R": 6}, {"R": 4}, {"R": 3, "aes": False, "metadata": False}])
@pytest.mark.parametrize("password", ["user", "owner"])
def test_either_password_opens_it(how: dict[str, object], password: str) -> None:
    for page in open_pages(locked("user", **how), options=ReadOptions(password=password)):
        assert isinstance(page, PageText)
        assert page.fragments[0].text == "secret words"


def test_a_password_in_chinese_opens_it() -> None:
    assert read(locked("密码一二三"), password="密码一二三") == [1]


def test_a_file_that_only_forbids_copying_is_read() -> None:
    assert read(locked("")) == [1]
    assert read(locked(""), password="not needed") == [1]


# Sizes


def test_a_page_of_200_inches_is_too_large() -> None:
    with pytest.raises(TooLarge, match="200 x 200 inches"):
        read(drawn(lines("small in a corner"), size=(14400, 14400)))


def test_a_page_of_a_tenth_of_a_point_is_damaged() -> None:
    with pytest.raises(DamagedFile, match="pixels"):
        read(ONE.replace(b"[ 0 0 595 842 ]", b"[ 0 0 .1 .1 ]  "))


@pytest.mark.parametrize("box", [b"[ 0 0 0 0 ]", b"[ 0 0 9 0 ]", b"[ 0 0 1e9 9 ]", b"[ x ]"])
def test_a_page_without_a_size_is_a_letter_as_in_every_viewer(box: bytes) -> None:
    (page,) = open_pages(ONE.replace(b"[ 0 0 595 842 ]", box.ljust(15)))
    assert isinstance(page, PageText)
    assert (page.width, page.height) == (1700, 2200)


# Bombs


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(process, "SECONDS", 1.5)
    yield
    while process._idle:
        process._idle.pop().end()


def with_objects(content: bytes, make: Callable[[pikepdf.Pdf], dict[str, pikepdf.Object]]) -> bytes:
    document = pikepdf.open(io.BytesIO(ONE))
    page = document.pages[0].obj
    page.Contents = document.make_stream(content)
    page.Resources = Dictionary(XObject=Dictionary({f"/{name}": thing for name, thing in make(document).items()}))
    return saved(document, compress_streams=False)


def claimed(document: pikepdf.Pdf, columns: int, rows: int) -> pikepdf.Object:
    """A picture that claims a size and has next to no pixels."""
    stream = Stream(document, zlib.compress(bytes(1000)))
    stream.Type, stream.Subtype, stream.Filter = Name.XObject, Name.Image, Name.FlateDecode
    stream.Width, stream.Height, stream.BitsPerComponent, stream.ColorSpace = columns, rows, 8, Name.DeviceRGB
    return document.make_indirect(stream)


def form(document: pikepdf.Pdf, content: bytes, **things: pikepdf.Object) -> pikepdf.Object:
    stream = Stream(document, content)
    stream.Type, stream.Subtype, stream.BBox = Name.XObject, Name.Form, Array([0, 0, 595, 842])
    stream.Resources = Dictionary(XObject=Dictionary({f"/{name}": thing for name, thing in things.items()}))
    return document.make_indirect(stream)


WHOLE = placed("P", 0, 0, 595, 842).encode()


def test_a_huge_picture_is_too_large_before_it_is_decoded() -> None:
    for data in (
        with_objects(WHOLE, lambda document: {"P": claimed(document, 100_000, 100_000)}),
        with_objects(b"/F Do", lambda document: {"F": form(document, WHOLE, P=claimed(document, 30_000, 30_000))}),
    ):
        with pytest.raises(TooLarge, match="picture of"):
            read(data)


def test_forms_in_forms_without_end(impatient: None) -> None:
    def laughs(document: pikepdf.Pdf) -> dict[str, pikepdf.Object]:
        inner = form(document, b"q 1 0 0 1 1 1 cm 0 0 9 9 re f Q")
        for _ in range(12):
            inner = form(document, b"/A Do " * 10, A=inner)
        return {"F": inner}

    with pytest.raises(TooLarge, match="takes too long"):
        read(with_objects(b"/F Do", laughs))
    assert read(ONE) == [1], "the next document has a process again"


def test_a_form_within_itself_ends() -> None:
    def circle(document: pikepdf.Pdf) -> dict[str, pikepdf.Object]:
        inner = form(document, b"/A Do")
        inner.Resources.XObject.A = inner
        return {"F": inner}

    assert read(with_objects(b"/F Do", circle)) == [1]


def test_content_that_unpacks_to_gigabytes(impatient: None) -> None:
    packer = zlib.compressobj(9)
    # Blocks that stand alone may be repeated.
    packed = packer.compress(b"") + (packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)) * 180
    document = pikepdf.open(io.BytesIO(ONE))
    stream = Stream(document, packed)
    stream.Filter = Name.FlateDecode
    document.pages[0].obj.Contents = document.make_indirect(stream)
    with pytest.raises((DamagedFile, TooLarge)):
        read(saved(document, compress_streams=False))
    assert read(ONE) == [1]


def test_a_crash_of_pdfium_is_an_error_and_the_next_document_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = open_pages(FIVE)
    assert next(pages).number == 1
    real = process.Process.ask

    def killed(self: process.Process, *request: object) -> object:
        self._child.kill()
        return real(self, *request)  # type: ignore[arg-type]

    monkeypatch.setattr(process.Process, "ask", killed)
    with pytest.raises(DamagedFile, match="Page 2"):
        next(pages)
    monkeypatch.undo()
    assert read(FIVE) == [1, 2, 3, 4, 5]


# Mutations


def kinds() -> dict[str, bytes]:
    return {
        "text": FIVE,
        "scan": scan(Image.linear_gradient("L")),
        "locked": locked("user"),
        "packed": packed_objects(),
    }


def packed_objects() -> bytes:
    buffer = io.BytesIO()
    pikepdf.open(io.BytesIO(FIVE)).save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return buffer.getvalue()


def mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 10))):
        at = chance.randrange(len(changed))
        match chance.randrange(6):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + chance.randrange(1, 60)] = b""
            case 2:
                changed[at:at] = chance.randbytes(chance.choice((1, 4, 40)))
            case 3:
                changed[at : at + 4] = chance.choice((b"9999", b"-1  ", b"null", b"0 R ", b"<<<<", b"]]]]"))
            case 4:
                del changed[at:]
            case _:
                other = chance.randrange(len(changed))
                changed[at : at + 30] = changed[other : other + 30]
        if not changed:
            break
    return bytes(changed)


@pytest.mark.parametrize("name", list(kinds()))
def test_mutated_files_give_pages_or_our_errors(name: str, impatient: None) -> None:
    data, chance = kinds()[name], random.Random(name)
    for _ in range(40):
        with contextlib.suppress(ShiziError):
            for page in open_pages(mutated(data, chance), Limits(pixels=2_000_000), ReadOptions(password="user")):
                if isinstance(page, PageText):
                    page.rest(())
                assert page.pixels.shape[2] == 3

"""Work: a guess for every kind of file, which never fails whatever the bytes are."""

from random import Random

import bombs
import ofds
import pdfs
import pictures
import pytest

from shizi.pages import Limits
from shizi.pages.formats import READ, SIGNATURES
from shizi.service.work import LEAST_PIXELS, PHOTO_PIXELS, SHEET_PIXELS, pixels_in

PAGE = pictures.drawn_page().resize((900, 700))
OFD_PAGE = ofds.page(ofds.text_object("Invoice 7", 10, 20))
LIMITS = Limits(pixels=50_000_000, frames=20)


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (pictures.encoded(PAGE, "PNG"), 630_000),
        (pictures.encoded(PAGE.resize((90, 70)), "PNG"), LEAST_PIXELS),
        (pictures.encoded(PAGE, "TIFF", save_all=True, append_images=[PAGE] * 2), 3 * 630_000),
        (pdfs.scan(PAGE), SHEET_PIXELS),
        (ofds.ofd(OFD_PAGE), SHEET_PIXELS),
        (ofds.ofd(OFD_PAGE, OFD_PAGE, OFD_PAGE), 3 * SHEET_PIXELS),
        (b"<EInvoice/>", LEAST_PIXELS),
        (b"\0\0\0\x18ftypheic\0\0\0\0heic", PHOTO_PIXELS),
        (b"no picture at all", LEAST_PIXELS),
        (b"", LEAST_PIXELS),
    ],
)
def test_what_there_is_to_read(data: bytes, pixels: int) -> None:
    assert pixels_in(data, LIMITS) == pixels


def test_no_file_claims_more_than_may_be_read() -> None:
    for data in [*bombs.bombs().values(), b"%PDF-" + b"/Type /Page " * 500, ofds.ofd(*[OFD_PAGE] * 30)]:
        assert LEAST_PIXELS <= pixels_in(data, LIMITS) <= LIMITS.pixels * LIMITS.frames


def test_it_never_fails() -> None:
    """It runs in the process that holds all connections; noise behind every signature, and spoilt files."""
    random = Random(1)
    encoders = {**pictures.ENCODINGS, **pictures.LOSSY}
    page = PAGE.resize((60, 40))
    files = [encode(page) for encode in encoders.values()] + [ofds.ofd(OFD_PAGE), pdfs.scan(page)]
    for _ in range(2000):
        spoilt = bytearray(random.choice(files))
        for _ in range(random.randrange(1, 5)):
            spoilt[random.randrange(min(len(spoilt), 300))] = random.randrange(256)
        assert pixels_in(bytes(spoilt[: random.randrange(1, len(spoilt))]), LIMITS) >= LEAST_PIXELS
    for signature, _ in SIGNATURES:
        for length in (0, 1, 7, 100):
            assert pixels_in(signature + random.randbytes(length), LIMITS) >= LEAST_PIXELS


def test_every_format_has_its_guess() -> None:
    """A new format that is forgotten here answers 500 to whoever sends it."""
    heads = {name: signature for signature, name in SIGNATURES}
    heads |= {"WebP": b"RIFF\0\0\0\0WEBP", "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0heic", "PDF": b"%PDF-1.7"}
    heads |= {"OFD": ofds.ofd(OFD_PAGE), "XML": b"<EInvoice/>"}
    assert set(heads) == set(READ)
    for name, head in heads.items():
        assert pixels_in(head, LIMITS) >= LEAST_PIXELS, name

"""Pages that are refused: strange, damaged and huge files give the right error, before memory is spent."""

import base64
import contextlib
import io
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterable

import bombs
import numpy as np
import pictures
import pytest

from shizi.document import PageImage
from shizi.errors import DamagedFile, ShiziError, TooLarge, UnsupportedFormat
from shizi.pages import Limits, open_pages

PAGE = pictures.drawn_page()
EVERY = {**pictures.ENCODINGS, **pictures.LOSSY}


def only_page(data: bytes) -> PageImage:
    (page,) = open_pages(data)
    return page


def zip_file() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("page.png", b"")
    return file.getvalue()


FOREIGN = {
    "zip": (zip_file(), "a zip archive"),
    "html": (b"<!DOCTYPE html><html></html>", "HTML"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="x"/>', "an SVG drawing"),
    "xml": (b'<?xml version="1.0"?><a/>', "XML"),
    "json": (b'{"image": "..."}', "JSON"),
    "data url": (b"data:image/png;base64," + base64.b64encode(b"png"), "a data URL"),
    "text": (b"dear sir", "plain text"),
    "chinese text": (("识字" * 500).encode(), "plain text"),
    "utf-16 text": ("\ufeff识字".encode("utf-16-le"), "plain text"),
    "gzip": (b"\x1f\x8b\x08\0", "gzip"),
    "rar": (b"Rar!\x1a\x07", "RAR"),
    "word": (b"\xd0\xcf\x11\xe0\xa1\xb1", "Office"),
    "avif": (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF"),
    "video": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
    "sound": (b"RIFF\x10\0\0\0WAVEfmt ", "sound"),
    "jpeg 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    "jpeg xl": (b"\xff\x0a\xfa", "JPEG XL"),
    "photoshop": (b"8BPS\0\1", "Photoshop"),
    "noise": (bytes([3, 200, 1, 7, 0, 255] * 20), "no kind known"),
    "one byte": (b"\xff", "no kind known"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_picture_is_named_and_refused(name):
    data, looks = FOREIGN[name]
    with pytest.raises(UnsupportedFormat, match=looks) as caught:
        open_pages(data)
    assert "JPEG, PNG, BMP, GIF, WebP, TIFF, HEIC, PDF, OFD and XML are read" in caught.value.message


def test_no_bytes_are_a_damaged_file():
    with pytest.raises(DamagedFile, match="empty"):
        open_pages(b"")


def jpeg_with_frame(marker: int, precision: int = 8, components: int = 3, height: int = 0) -> bytes:
    data = bytearray(pictures.encoded(PAGE, "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4], data[at + 9] = marker, precision, components
    data[at + 5 : at + 7] = struct.pack(">H", height or PAGE.height)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [jpeg_with_frame(0xC3), jpeg_with_frame(0xC1, precision=12), jpeg_with_frame(0xC0, components=2)],
    ids=["lossless", "12 bits", "2 components"],
)
def test_jpegs_no_decoder_here_reads_are_unsupported(data):
    with pytest.raises(UnsupportedFormat):
        list(open_pages(data))


def test_tiffs_no_decoder_here_reads_are_unsupported():
    with pytest.raises(UnsupportedFormat, match="method 6"):
        list(open_pages(pictures.tiff_file(pictures.tiff_tags(PAGE, tag259=6), pixels=PAGE.tobytes())))
    with pytest.raises(UnsupportedFormat, match="samples"):
        list(open_pages(pictures.tiff_file(pictures.tiff_tags(PAGE, tag258=[7, 7, 7]), pixels=PAGE.tobytes())))


@pytest.mark.parametrize("name", EVERY)
def test_a_file_cut_anywhere_never_gives_other_pixels(name):
    data = EVERY[name](PAGE)
    whole = only_page(data).pixels
    cuts = {len(data) * part // 23 for part in range(1, 23)} | {len(data) - 1}
    for cut in sorted(cuts):
        try:
            page = only_page(data[:cut])
        except DamagedFile:
            continue
        except UnsupportedFormat:
            assert cut < 16
            continue
        np.testing.assert_array_equal(page.pixels, whole)


@pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "png rgb", "bmp 24", "gif", "webp lossy", "tiff lzw"])
def test_half_a_file_is_damaged(name):
    data = EVERY[name](PAGE)
    with pytest.raises(DamagedFile):
        list(open_pages(data[: len(data) // 2]))


def test_a_changed_byte_in_a_png_is_found():
    data = bytearray(pictures.encoded(PAGE, "PNG"))
    data[data.index(b"IDAT") + 40] ^= 1
    with pytest.raises(DamagedFile, match="checksum"):
        open_pages(bytes(data))


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_pictures_without_extent_are_damaged(size):
    tags = pictures.tiff_tags(PAGE) | {256: size[0], 257: size[1]}
    rows = b"\0" * 64
    for data in (pictures.tiff_file(tags, pixels=rows), pictures.png_file(*size, 8, 0, rows)):
        with pytest.raises(DamagedFile):
            open_pages(data)


def test_a_circle_of_frames_ends():
    data = bytearray(pictures.tiff_raw(PAGE))
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    with pytest.raises(DamagedFile, match="circle"):
        open_pages(bytes(data))


def test_strips_that_share_their_bytes_are_refused():
    size = PAGE.width * PAGE.height * 3
    shared = pictures.tiff_tags(PAGE, tag278=1, tag273=[16] * PAGE.height, tag279=[size] * PAGE.height)
    with pytest.raises(DamagedFile, match="over one another"):
        list(open_pages(pictures.tiff_file(shared, pixels=PAGE.tobytes())))


def test_bytes_over_the_limit_are_too_large():
    data = pictures.encoded(PAGE, "PNG")
    assert list(open_pages(data, Limits(bytes=len(data))))
    with pytest.raises(TooLarge, match=f"{len(data)} bytes"):
        open_pages(data, Limits(bytes=len(data) - 1))


@pytest.mark.parametrize("name", EVERY)
def test_pixels_over_the_limit_are_too_large_before_decoding(name):
    data = EVERY[name](PAGE)
    size = PAGE.width * PAGE.height
    assert list(open_pages(data, Limits(pixels=size)))
    with pytest.raises(TooLarge, match=f"{PAGE.width} x {PAGE.height} pixels"):
        open_pages(data, Limits(pixels=size - 1))


def test_a_large_frame_behind_small_ones_is_too_large_at_once():
    large = pictures.drawn_page(size=(PAGE.width, PAGE.height + 1))
    data = pictures.encoded(PAGE, "TIFF", save_all=True, append_images=[PAGE, large])
    with pytest.raises(TooLarge, match="Page 3"):
        open_pages(data, Limits(pixels=PAGE.width * PAGE.height))


def test_bombs_are_refused_before_memory_grows():
    done = subprocess.run(
        [sys.executable, "-W", "error", bombs.__file__],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
    )
    *answers, growth = done.stdout.splitlines() or [done.stderr]
    assert growth == "grown by little MB", done.stderr
    by_name = dict(answer.rsplit(" ", 1) for answer in answers)
    damaged = {name for name, error in by_name.items() if error == "DamagedFile"}
    assert damaged == {"tiff strips", "tiff tiles", "tiff tiny tiles"}
    assert by_name.pop("tiff samples") == "UnsupportedFormat"
    assert {error for name, error in by_name.items() if name not in damaged} == {"TooLarge"}


def mutations(data: bytes, count: int, seed: str) -> Iterable[bytes]:
    """Change, cut, insert and double bytes, half of the time near the start where the headers are."""
    chance = random.Random(seed)
    for _ in range(count):
        changed = bytearray(data)
        at = chance.randrange(min(len(data), 200) if chance.random() < 0.5 else len(data))
        match chance.randrange(5):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                changed[at:at] = chance.randbytes(chance.choice((1, 4, 40)))
            case 3:
                changed[at : at + 4] = chance.choice((bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff"))
            case _:
                changed[at : at + 16] = changed[: chance.randrange(1, 40)]
        yield bytes(changed)


@pytest.mark.parametrize("name", EVERY)
def test_mutated_files_give_pages_or_our_errors(name):
    small = pictures.drawn_page(size=(90, 40), font_size=12)
    for data in mutations(EVERY[name](small), 12, name):
        # Anything but our own errors, a hang or a warning fails here.
        with contextlib.suppress(ShiziError):
            for page in open_pages(data, Limits(pixels=1_000_000)):
                assert page.pixels.dtype == np.uint8
                assert page.pixels.shape[2] == 3

"""Pages: every encoding gives the same pixels; limits, damage and strange files give the right error."""

import base64
import contextlib
import io
import random
import struct
import subprocess
import sys
import textwrap
import warnings
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pictures
import pytest
from PIL import Image

from shizi.document import PageImage
from shizi.errors import DamagedFile, ShiziError, TooLarge, UnsupportedFormat
from shizi.pages import Limits, format_of, open_pages

PAGE = pictures.drawn_page()
PIXELS = np.asarray(PAGE)
EVERY = {**pictures.ENCODINGS, **pictures.LOSSY}
FORMATS = {"png": "PNG", "bmp": "BMP", "gif": "GIF", "webp": "WebP", "tiff": "TIFF", "jpeg": "JPEG"}


def only_page(data: bytes) -> PageImage:
    (page,) = open_pages(data)
    return page


def codes(page: PageImage) -> list[str]:
    return [warning.split(":")[0] for warning in page.warnings]


@pytest.mark.parametrize("name", pictures.ENCODINGS)
def test_every_lossless_encoding_gives_the_same_pixels(name):
    page = only_page(pictures.ENCODINGS[name](PAGE))
    assert page.pixels.dtype == np.uint8
    assert page.pixels.flags.c_contiguous
    np.testing.assert_array_equal(page.pixels, PIXELS)


@pytest.mark.parametrize("name", pictures.LIGHT_ON_TRANSPARENCY)
def test_light_text_on_transparency_gets_a_black_ground(name):
    page = only_page(pictures.LIGHT_ON_TRANSPARENCY[name](PAGE))
    np.testing.assert_array_equal(page.pixels, 255 - PIXELS)
    assert page.warnings == ("alpha_composited: The page has transparent parts; black was put behind them.",)


@pytest.mark.parametrize("name", pictures.LOSSY)
def test_lossy_encodings_stay_within_a_few_grey_levels(name):
    page = only_page(pictures.LOSSY[name](PAGE))
    assert page.pixels.shape == PIXELS.shape
    assert np.abs(page.pixels.astype(int) - PIXELS).max() <= 10


def test_lab_is_read_though_its_white_is_tinted():
    page = only_page(pictures.tiff_lab(PAGE))
    assert np.abs(page.pixels.astype(int) - PIXELS).max() <= 40


@pytest.mark.parametrize("name", EVERY)
def test_format_is_told_by_content(name):
    assert format_of(EVERY[name](PAGE)) == FORMATS[name.split()[0]]


COLOURED = (
    *("png rgb", "png interlaced", "png palette", "png 16 bits rgb", "png rgba opaque", "png animated"),
    *("bmp 24", "bmp 32", "bmp palette", "bmp top down", "gif", "webp lossless"),
    *("tiff raw", "tiff 64 bits", "tiff planar", "tiff tiled", "tiff lzw", "tiff palette", "tiff cmyk"),
    *("tiff 16 bits rgb", "tiff float rgb"),
)


@pytest.mark.parametrize("name", COLOURED)
def test_colours_keep_their_order(name):
    colours = pictures.drawn_page(ink=(200, 30, 10), paper=(250, 240, 90))
    np.testing.assert_array_equal(only_page(pictures.ENCODINGS[name](colours)).pixels, np.asarray(colours))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("JPEG", {"quality": 95}),
    ],
)
def test_exif_orientation_is_undone(name, options, orientation):
    page = only_page(pictures.laid_down(PAGE, orientation, name, **options))
    difference = np.abs(page.pixels.astype(int) - PIXELS)
    assert difference.max() <= (10 if name == "JPEG" else 0)
    assert codes(page) == ([] if orientation == 1 else ["exif_rotated"])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_absurd_orientation_turns_nothing(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    page = only_page(pictures.encoded(PAGE, "PNG", exif=exif))
    np.testing.assert_array_equal(page.pixels, PIXELS)
    assert page.warnings == ()


@pytest.mark.parametrize(
    "block", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", bytes(40)]
)
def test_a_broken_exif_block_never_fails_a_picture(block):
    data = pictures.encoded(PAGE, "JPEG", quality=95)
    segment = b"Exif\0\0" + block
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    assert only_page(data).pixels.shape == PIXELS.shape


# Many frames


def frames_file(count: int, **options: object) -> bytes:
    first, *others = [pictures.drawn_page(lines=(f"page {n}",), size=(90, 40 + n)) for n in range(count)]
    return pictures.encoded(first, "TIFF", save_all=True, append_images=others, **options)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_all_frames_of_a_tiff_are_pages(compression):
    options = {"quality": 95} if compression == "jpeg" else {}
    pages = list(open_pages(frames_file(3, compression=compression, **options)))
    assert [page.number for page in pages] == [1, 2, 3]
    for n, page in enumerate(pages):
        drawn = np.asarray(pictures.drawn_page(lines=(f"page {n}",), size=(90, 40 + n)))
        assert np.abs(page.pixels.astype(int) - drawn).max() <= (10 if compression == "jpeg" else 0)


def test_all_frames_of_a_fax_are_pages():
    frames = [PAGE.convert("1"), PAGE.transpose(Image.Transpose.ROTATE_180).convert("1")]
    data = pictures.encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:], compression="group4")
    first, second = open_pages(data)
    np.testing.assert_array_equal(first.pixels, PIXELS)
    np.testing.assert_array_equal(second.pixels, PIXELS[::-1, ::-1])


def test_frames_beyond_the_limit_are_cut_with_a_warning_on_each_page():
    pages = list(open_pages(frames_file(4), Limits(frames=2)))
    assert [codes(page) for page in pages] == [["frames_cut"], ["frames_cut"]]
    assert "first 2" in pages[0].warnings[0]
    assert [codes(page) for page in open_pages(frames_file(2), Limits(frames=2))] == [[], []]


def test_thumbnails_and_masks_among_the_frames_are_no_pages():
    tags = pictures.tiff_tags(PAGE)
    data = pictures.tiff_file(tags, tags | {254: 1}, tags | {254: 4}, tags | {254: 2}, pixels=PAGE.tobytes())
    assert len(list(open_pages(data))) == 2


def test_pages_are_decoded_one_at_a_time():
    whole = lzw_strip(PAGE)
    pages = open_pages(two_frames(whole, whole[:20] + bytes(40) + whole[60:]))
    np.testing.assert_array_equal(next(pages).pixels, PIXELS)
    with pytest.raises(DamagedFile):
        next(pages)


def lzw_strip(page: Image.Image) -> bytes:
    """Give the pixels as one strip; Pillow's own writer would make several."""
    options = {278: page.height}
    data = pictures.encoded(page, "TIFF", compression="tiff_lzw", tiffinfo=options)
    with Image.open(io.BytesIO(data)) as picture:
        (start,), (length,) = picture.tag_v2[273], picture.tag_v2[279]
    return data[start : start + length]


def two_frames(first: bytes, second: bytes) -> bytes:
    tags = pictures.tiff_tags(PAGE) | {259: 5}
    return pictures.tiff_file(
        tags | {273: 16, 279: len(first)},
        tags | {273: 16 + len(first), 279: len(second)},
        pixels=first + second,
    )


@pytest.mark.parametrize("name", ["png animated", "gif animated", "webp animated"])
def test_of_moving_pictures_the_first_is_read_with_a_warning(name):
    assert codes(only_page(pictures.ENCODINGS[name](PAGE))) == ["frames_cut"]


# Transparency


def test_a_mostly_opaque_picture_keeps_white_corners():
    corners = PAGE.convert("RGBA")
    corners.paste((0, 0, 0, 0), (0, 0, 6, 6))
    page = only_page(pictures.encoded(corners, "PNG"))
    np.testing.assert_array_equal(page.pixels, PIXELS)


def test_half_transparent_ink_is_blended():
    ink = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ink.paste((0, 0, 0, 128), (10, 10, 20, 20))
    pixels = only_page(pictures.encoded(ink, "PNG")).pixels
    assert pixels[15, 15].tolist() == [127, 127, 127]
    assert pixels[0, 0].tolist() == [255, 255, 255]


def test_a_wholly_transparent_picture_is_a_white_page():
    page = only_page(pictures.encoded(Image.new("RGBA", (30, 30), (0, 0, 0, 0)), "PNG"))
    assert page.pixels.min() == 255
    assert codes(page) == ["alpha_composited"]


# Depth


@pytest.mark.parametrize(
    ("value", "shown"), [(0, 0), (128, 0), (129, 1), (257, 1), (32768, 128), (65535, 255)]
)
def test_16_bits_are_scaled_by_257_whatever_range_is_used(value, shown):
    deep = Image.fromarray(np.full((20, 20), value, np.uint16))
    for data in (pictures.encoded(deep, "PNG"), pictures.encoded(deep, "TIFF")):
        assert np.unique(only_page(data).pixels).tolist() == [shown]


@pytest.mark.parametrize("full", [1.0, 255.0, 65535.0])
def test_floats_are_scaled_by_the_range_they_show(full):
    ramp = np.linspace(0, full, 256, dtype=np.float32).reshape(16, 16)
    ramp[3, 3] = np.nan
    pixels = only_page(pictures.encoded(Image.fromarray(ramp), "TIFF")).pixels
    assert pixels[0, 0, 0] == 0
    assert pixels[15, 15, 0] == 255
    assert abs(int(pixels[8, 0, 0]) - 128) <= 1


# What pages say of themselves


@pytest.mark.parametrize(("name", "options"), [("PNG", {}), ("JPEG", {}), ("TIFF", {}), ("BMP", {})])
def test_dpi_is_told_when_stated(name, options):
    assert only_page(pictures.encoded(PAGE, name, dpi=(300, 300), **options)).dpi == 300
    assert only_page(pictures.encoded(PAGE, name, dpi=(7, 7), **options)).dpi is None


def test_dpi_is_read_from_exif_too():
    exif = Image.Exif()
    exif.update({282: 240.0, 283: 240.0, 296: 2})
    assert only_page(pictures.encoded(PAGE, "WEBP", exif=exif)).dpi == 240


def test_low_resolution_is_told_but_not_of_screens():
    assert codes(only_page(pictures.encoded(PAGE, "PNG", dpi=(100, 100)))) == ["low_resolution"]
    assert codes(only_page(pictures.encoded(PAGE, "PNG", dpi=(96, 96)))) == []
    assert codes(only_page(pictures.encoded(PAGE, "PNG", dpi=(300, 300)))) == []
    assert codes(only_page(pictures.encoded(PAGE.resize((200, 9)), "PNG"))) == ["low_resolution"]


def test_a_fax_with_oblong_dots_is_stretched_to_square_ones():
    fax = PAGE.resize((PAGE.width, 60), Image.Resampling.NEAREST).convert("1")
    page = only_page(pictures.encoded(fax, "TIFF", compression="group4", dpi=(204, 98)))
    assert page.pixels.shape == (round(60 * 204 / 98), PAGE.width, 3)
    assert page.dpi == 204
    assert codes(page) == ["dots_squared"]


def test_one_pixel_is_a_page():
    for name in ("PNG", "BMP", "GIF", "WEBP", "TIFF", "JPEG"):
        page = only_page(pictures.encoded(Image.new("RGB", (1, 1), "white"), name))
        assert page.pixels.shape == (1, 1, 3)
        assert codes(page) == ["low_resolution"]


# What is refused


def zip_file() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("page.png", b"")
    return file.getvalue()


FOREIGN = {
    "zip": (zip_file(), "a zip archive"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
    "pdf late": (b"\n\n\n%PDF-1.4", "a PDF"),
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
    assert "JPEG, PNG, BMP, GIF, WebP, TIFF and HEIC are read" in caught.value.message


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
        list(
            open_pages(pictures.tiff_file(pictures.tiff_tags(PAGE, tag258=[7, 7, 7]), pixels=PAGE.tobytes()))
        )


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


@pytest.mark.parametrize(
    "name", ["jpeg", "jpeg progressive", "png rgb", "bmp 24", "gif", "webp lossy", "tiff lzw"]
)
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
    with pytest.raises(TooLarge, match="Page 3"):
        open_pages(frames_file(3), Limits(pixels=90 * 41))


# Each of these would take hundreds of megabytes to decode; the process may grow by a few.
BOMBS = """
    import resource, struct, sys
    import pictures
    from shizi.errors import InputError
    from shizi.pages import open_pages

    page = pictures.drawn_page() tags = pictures.tiff_tags(page) bmp = bytearray(pictures.encoded(page,
    "BMP")); bmp[18:34] = struct.pack("<iiHHI", 30000, 30000, 1, 8, 1) gif = bytearray(pictures.encoded(page,
    "GIF")); gif[6:10] = struct.pack("<HH", 65535, 65535) webp = bytearray(pictures.encoded(page, "WEBP",
    exif=b"x")); webp[24:30] = b"\\xff\\x3f\\0\\xff\\x3f\\0" jpeg = bytearray(pictures.encoded(page, "JPEG"));
    at = jpeg.index(b"\\xff\\xc0") jpeg[at + 5 : at + 9] = b"\\xff\\xff\\xff\\xff" rows = b"\\0" * 64 many =
    {**tags, 256: 100, 257: 400_000, 278: 1} bombs = { "png": pictures.png_file(60000, 60000, 8, 2, rows),
    "png wide": pictures.png_file(2_000_000_000, 1, 1, 0, rows), "bmp": bytes(bmp), "gif": bytes(gif), "webp":
    bytes(webp), "jpeg": bytes(jpeg), "tiff": pictures.tiff_file({**tags, 256: 100_000, 257: 100_000}), "tiff
    strips": pictures.tiff_file({**many, 273: [16] * 50, 279: [4] * 50}), "tiff tiles":
    pictures.tiff_file({**tags, 322: 1 << 30, 323: 1 << 30, 324: 16, 325: 4}, pixels=rows), "tiff tiny tiles":
    pictures.tiff_file({**many, 322: 1, 323: 1, 324: [16] * 9, 325: [4] * 9}, pixels=rows), "tiff samples":
    pictures.tiff_file({**tags, 258: [8] * 60000, 277: 60000}, pixels=rows), "tiff many frames":
    pictures.tiff_file(*[{**tags, 256: 9000, 257: 9000}] * 900), } list(open_pages(pictures.encoded(page,
    "TIFF", compression="tiff_lzw"))) before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss for name,
    data in bombs.items(): try: list(open_pages(data)) print(name, "read") except InputError as error:
    print(name, type(error).__name__) grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) //
    1024 print("grown by", grown if grown > 20 else "little", "MB")
"""


def test_bombs_are_refused_before_memory_grows():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(BOMBS)],
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


def test_many_threads_read_at_once_and_leave_the_process_as_it_was():
    filters, largest = list(warnings.filters), Image.MAX_IMAGE_PIXELS
    files = [encode(PAGE) for encode in pictures.ENCODINGS.values()] * 3
    with ThreadPoolExecutor(8) as pool:
        for page in pool.map(only_page, files):
            np.testing.assert_array_equal(page.pixels, PIXELS)
    assert warnings.filters == filters
    assert largest == Image.MAX_IMAGE_PIXELS


def test_pillows_own_limit_of_the_process_is_kept_without_its_warnings(monkeypatch):
    files = {name: encode(PAGE) for name, encode in pictures.ENCODINGS.items()}
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for name, data in files.items():
        if name.startswith("tiff") and name not in ("tiff float rgb",):
            with pytest.raises(TooLarge, match="at most 100 are read"):
                only_page(data)
        else:
            np.testing.assert_array_equal(only_page(data).pixels, PIXELS)


# HEIC: the extra is not part of the tests' environment, so its one function is played here.

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


def test_heic_without_the_extra_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert format_of(HEIC) == "HEIC"
    with pytest.raises(UnsupportedFormat, match=r"pip install 'shizi\[heic\]'"):
        open_pages(HEIC)


class PlayedHeif:
    """What `pillow_heif.open_heif` gives, as far as it is used."""

    def __init__(self, pixels: np.ndarray, pictures: int) -> None:
        self.pixels, self.pictures = pixels, pictures
        self.size = pixels.shape[1::-1]

    def __len__(self) -> int:
        return self.pictures

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return self.pixels


@pytest.mark.parametrize("pictures_inside", [1, 3])
def test_heic_with_the_extra_is_read(monkeypatch, pictures_inside):
    extra = ModuleType("pillow_heif")
    extra.open_heif = lambda data, convert_hdr_to_8bit: PlayedHeif(PIXELS, pictures_inside)
    monkeypatch.setitem(sys.modules, "pillow_heif", extra)
    page = only_page(HEIC)
    np.testing.assert_array_equal(page.pixels, PIXELS)
    assert codes(page) == (["frames_cut"] if pictures_inside > 1 else [])
    with pytest.raises(TooLarge):
        open_pages(HEIC, Limits(pixels=100))


def test_a_broken_heic_is_damaged(monkeypatch):
    def refuse(data: bytes, convert_hdr_to_8bit: bool) -> None:
        raise ValueError("Invalid input: No 'meta' box")

    extra = ModuleType("pillow_heif")
    extra.open_heif = refuse
    monkeypatch.setitem(sys.modules, "pillow_heif", extra)
    with pytest.raises(DamagedFile, match="HEIC"):
        open_pages(HEIC)

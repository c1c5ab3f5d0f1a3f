"""Pages: every encoding gives the same pixels; limits, damage and strange files give the right error."""

import io
import struct
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pictures
import pytest
from PIL import Image

from shizi.document import PageImage
from shizi.errors import DamagedFile, TooLarge, UnsupportedFormat
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


@pytest.mark.parametrize("block", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", bytes(40)])
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


@pytest.mark.parametrize(("value", "shown"), [(0, 0), (128, 0), (129, 1), (257, 1), (32768, 128), (65535, 255)])
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

"""Pages: the bytes of a picture become upright RGB pages, on one path for every format.

Takes JPEG, PNG, BMP, GIF, WebP, TIFF (all frames) and, with the extra `shizi[heic]`, HEIC; gives `PageImage`
values one at a time. Every limit acts on what the header says, before a pixel is decoded. The same pixels
give the same page whatever they are packed in. Knows nothing of text.

    formats    which kind of file          headers, tiff    what the file says of itself
    decoders   its bytes -> an array       pixels           any array -> an upright RGB page
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from shizi.document import PageImage, PageText
from shizi.errors import DamagedFile, TooLarge
from shizi.options import ReadOptions
from shizi.pages import tiff
from shizi.pages.decoders import Array, decode, decode_frame, open_heic
from shizi.pages.formats import format_of
from shizi.pages.headers import read_header
from shizi.pages.limits import Limits, check_size, cut
from shizi.pages.ofd_pages import count_ofd, open_einvoice, open_ofd
from shizi.pages.pdf_pages import count_pdf, open_pdf
from shizi.pages.pixels import eight_bits, squared, to_rgb, upright

__all__ = ["Limits", "Pages", "format_of", "open_pages", "page_count"]

# Outside of this a stated DPI is a slip of the writer. 72 and 96 are what screens write, whatever the picture
# is.
PLAUSIBLE_DPI = (30.0, 2400.0)
SCREEN_DPI = (72.0, 96.0)

# A directory is read in a tenth of a millisecond; a circle of them is found by itself.
MOST_FRAMES = 50_000

# A scan below 150 DPI shows 10-point text less than 21 pixels high; below 16 pixels no Chinese line can be
# told.
LOW_DPI = 150
LOW_SIDE = 16


_DOCUMENTS = {"PDF": open_pdf, "OFD": open_ofd, "XML": open_einvoice}


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a file that are to be read: how many, and each in its turn."""

    count: int
    pages: Iterator[PageImage | PageText]

    def __iter__(self) -> Iterator[PageImage | PageText]:
        return self.pages

    def __next__(self) -> PageImage | PageText:
        return next(self.pages)


@dataclass(frozen=True, slots=True)
class _Frame:
    """One picture of a file, not yet decoded."""

    width: int
    height: int
    decode: Callable[[], Array]
    orientation: int = 1
    dpi: tuple[float, float] | None = None
    scanned: bool = False
    warnings: tuple[str, ...] = ()


def open_pages(data: bytes, limits: Limits | None = None, options: ReadOptions = ReadOptions()) -> Pages:
    """Open a file: check what can be told now, decode one page at each step of the iterator.

    Of `options` it takes which pages, the password, whether a PDF's own text is wanted, and whether to turn it upright.
    Raises UnsupportedFormat, DamagedFile (also later, at the page that turns out broken), TooLarge (likewise),
    EncryptedPdf, and OptionsError when no page of it is asked for.
    """
    limits = limits or Limits()
    name = _checked_format(data, limits)
    if name in _DOCUMENTS:
        return Pages(*_DOCUMENTS[name](data, limits, options))
    frames = _frames(name, data)
    numbers, warnings = cut(options.chosen(len(frames)), limits)
    for number in numbers:
        check_size(frames[number - 1].width, frames[number - 1].height, number, limits)
    return Pages(len(numbers), (_page(frames[number - 1], number, limits, warnings) for number in numbers))


def page_count(data: bytes, limits: Limits | None = None, options: ReadOptions = ReadOptions()) -> int:
    """Count the pages of a file without reading them, all of them, whatever `options.pages` chooses.

    Raises what `open_pages` raises at once.
    """
    name = _checked_format(data, limits or Limits())
    match name:
        case "PDF":
            return count_pdf(data, options)
        case "OFD":
            return count_ofd(data)
        case "XML":
            return 1
        case _:
            return len(_frames(name, data))


def _checked_format(data: bytes, limits: Limits) -> str:
    if len(data) > limits.bytes:
        raise TooLarge(f"The file has {len(data)} bytes; at most {limits.bytes} are read. Send it smaller or in parts.")
    return format_of(data)


def _frames(name: str, data: bytes) -> list[_Frame]:
    if name == "TIFF":
        return _tiff_frames(data)
    if name == "HEIC":
        return [_heic_frame(data)]
    header = read_header(name, data)
    warnings = (_first_only(f"moving {name}"),) if header.animated else ()
    reading = partial(decode, name, header)
    return [_Frame(header.width, header.height, reading, header.orientation, header.dpi, warnings=warnings)]


def _first_only(kind: str) -> str:
    return f"frames_cut: The file is a {kind}; only its first picture was read."


def _tiff_frames(data: bytes) -> list[_Frame]:
    # A bit set says: a smaller copy of another page, or a mask (TIFF 6.0, NewSubfileType).
    walk = enumerate(tiff.directories(data))
    pages = (directory for i, directory in walk if i == 0 or not directory.number(tiff.SUBFILE, 0) & 0b101)
    found = list(islice(pages, MOST_FRAMES + 1))
    if not found:
        raise DamagedFile("The TIFF holds no page. Send the whole file.")
    if len(found) > MOST_FRAMES:
        raise TooLarge(f"The TIFF has more than {MOST_FRAMES} pages. Send it in parts.")
    return [
        _Frame(
            directory.number(tiff.WIDTH, 0),
            directory.number(tiff.HEIGHT, 0),
            partial(decode_frame, directory),
            directory.number(tiff.ORIENTATION, 1),
            directory.dpi(),
            scanned=True,
        )
        for directory in found
    ]


def _heic_frame(data: bytes) -> _Frame:
    (width, height), pictures, reading = open_heic(data)
    return _Frame(width, height, reading, warnings=(_first_only("HEIC series"),) if pictures > 1 else ())


def _page(frame: _Frame, number: int, limits: Limits, known: tuple[str, ...]) -> PageImage:
    """Decode one frame and bring it to an upright RGB page, noting what was done to it."""
    warnings = [*known, *frame.warnings]
    pixels, ground = to_rgb(eight_bits(frame.decode()))
    if ground:
        warnings.append(f"alpha_composited: The page has transparent parts; {ground} was put behind them.")
    dpi = _plausible(frame.dpi)
    if frame.scanned and dpi and abs(dpi[0] - dpi[1]) > 1:
        stretched = squared(pixels, dpi, limits.pixels)
        if stretched is not pixels:
            warnings.append(f"dots_squared: The scan has {dpi[0]:g} x {dpi[1]:g} dots an inch; its dots were squared.")
            pixels, dpi = stretched, (max(dpi), max(dpi))
    if 2 <= frame.orientation <= 8:
        warnings.append(f"exif_rotated: The file says how it lies (orientation {frame.orientation}); it was turned.")
    pixels = upright(pixels, frame.orientation)
    stated = dpi[0] if dpi and abs(dpi[0] - dpi[1]) <= 1 else None
    warnings.extend(_low_resolution(pixels.shape[1], pixels.shape[0], stated))
    return PageImage(pixels, number, stated, tuple(warnings))


def _plausible(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    if dpi is None or not all(PLAUSIBLE_DPI[0] <= value <= PLAUSIBLE_DPI[1] for value in dpi):
        return None
    return round(dpi[0], 1), round(dpi[1], 1)


def _low_resolution(width: int, height: int, dpi: float | None) -> list[str]:
    if min(width, height) < LOW_SIDE:
        return [f"low_resolution: The page has {width} x {height} pixels; text needs about {LOW_SIDE} in height."]
    if dpi and dpi < LOW_DPI and all(abs(dpi - screen) > 1 for screen in SCREEN_DPI):
        return [f"low_resolution: The page was scanned with {dpi:g} DPI; {LOW_DPI} or more are read better."]
    return []

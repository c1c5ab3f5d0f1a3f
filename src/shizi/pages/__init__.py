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

from shizi.document import PageImage
from shizi.errors import DamagedFile, TooLarge
from shizi.pages import tiff
from shizi.pages.decoders import Array, decode, decode_frame, open_heic
from shizi.pages.formats import format_of
from shizi.pages.headers import read_header
from shizi.pages.pixels import eight_bits, squared, to_rgb, upright

__all__ = ["Limits", "format_of", "open_pages"]

# OpenCV decodes no side longer than this.
LONGEST_SIDE = 1 << 20

# Outside of this a stated DPI is a slip of the writer. 72 and 96 are what screens write, whatever the picture
# is.
PLAUSIBLE_DPI = (30.0, 2400.0)
SCREEN_DPI = (72.0, 96.0)

# A scan below 150 DPI shows 10-point text less than 21 pixels high; below 16 pixels no Chinese line can be
# told.
LOW_DPI = 150
LOW_SIDE = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before decoding: `bytes` of a file, `pixels` of a page; `frames` beyond are cut."""

    bytes: int = 100_000_000
    pixels: int = 50_000_000
    frames: int = 200


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


def open_pages(data: bytes, limits: Limits | None = None) -> Iterator[PageImage]:
    """Open a picture file: check all of it now, decode one page at each step of the iterator.

    Raises UnsupportedFormat, DamagedFile (also later, at the page that turns out broken) and TooLarge.
    """
    limits = limits or Limits()
    if len(data) > limits.bytes:
        raise TooLarge(f"The file has {len(data)} bytes; at most {limits.bytes} are read. Send it smaller or in parts.")
    name = format_of(data)
    frames = _frames(name, data, limits)
    for number, frame in enumerate(frames, start=1):
        _check_size(frame, number, limits)
    return (_page(frame, number, limits) for number, frame in enumerate(frames, start=1))


def _frames(name: str, data: bytes, limits: Limits) -> list[_Frame]:
    if name == "TIFF":
        return _tiff_frames(data, limits)
    if name == "HEIC":
        return [_heic_frame(data)]
    header = read_header(name, data)
    warnings = (_first_only(f"moving {name}"),) if header.animated else ()
    reading = partial(decode, name, header)
    return [_Frame(header.width, header.height, reading, header.orientation, header.dpi, warnings=warnings)]


def _first_only(kind: str) -> str:
    return f"frames_cut: The file is a {kind}; only its first picture was read."


def _tiff_frames(data: bytes, limits: Limits) -> list[_Frame]:
    # A bit set says: a smaller copy of another page, or a mask (TIFF 6.0, NewSubfileType).
    walk = enumerate(tiff.directories(data))
    pages = (directory for i, directory in walk if i == 0 or not directory.number(tiff.SUBFILE, 0) & 0b101)
    found = list(islice(pages, limits.frames + 1))
    if not found:
        raise DamagedFile("The TIFF holds no page. Send the whole file.")
    cut = f"frames_cut: The file has more than {limits.frames} pages; the first {limits.frames} were read."
    return [
        _Frame(
            directory.number(tiff.WIDTH, 0),
            directory.number(tiff.HEIGHT, 0),
            partial(decode_frame, directory),
            directory.number(tiff.ORIENTATION, 1),
            directory.dpi(),
            scanned=True,
            warnings=(cut,) if len(found) > limits.frames else (),
        )
        for directory in found[: limits.frames]
    ]


def _heic_frame(data: bytes) -> _Frame:
    (width, height), pictures, reading = open_heic(data)
    return _Frame(width, height, reading, warnings=(_first_only("HEIC series"),) if pictures > 1 else ())


def _check_size(frame: _Frame, number: int, limits: Limits) -> None:
    width, height = frame.width, frame.height
    if width < 1 or height < 1:
        raise DamagedFile(f"Page {number} has {width} x {height} pixels; expected at least one. Send it again.")
    if width * height > limits.pixels:
        raise TooLarge(f"Page {number} has {width} x {height} pixels; at most {limits.pixels} are read. Scale it down.")
    if max(width, height) > LONGEST_SIDE:
        raise TooLarge(f"Page {number} is {max(width, height)} pixels long; at most {LONGEST_SIDE} are read. Cut it.")


def _page(frame: _Frame, number: int, limits: Limits) -> PageImage:
    """Decode one frame and bring it to an upright RGB page, noting what was done to it."""
    warnings = list(frame.warnings)
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

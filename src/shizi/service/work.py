"""Work: how much there is to read in a file, guessed in pixels from its headers before anything is decoded.

Takes the bytes of a file, gives pixels; that never fails: what a broken file really is, the reading tells. Tells too
whether a job is worth taking. Runs no native code, since it runs in the process that holds all connections.
"""

import re
from collections.abc import Iterable

from shizi.errors import InputError, ShiziError
from shizi.pages import Limits, format_of, tiff
from shizi.pages.headers import read_header

# Finding where text stands costs about this much however small the page is.
LEAST_PIXELS = 250_000
# What cannot be told without decoding: a phone's photo, and an A4 page of a PDF or an OFD at 200 DPI.
PHOTO_PIXELS = 12_000_000
SHEET_PIXELS = 3_870_000
# Page objects as most writers put them; the others pack them, and are judged by their size.
_PDF_PAGE = re.compile(rb"/Type\s*/Page\b")
_PDF_PAGE_BYTES = 50_000
# The pages of an OFD as all writers seen call them (its templates lie elsewhere); a zip names its parts twice.
_OFD_PAGE = re.compile(rb"Pages/[^/]{1,40}/Content\.xml")


def pixels_in(data: bytes, limits: Limits) -> int:
    """Guess the pixels of all pages of `data`; no page counts for less than `LEAST_PIXELS`."""
    try:
        return min(_pixels(data, limits), limits.pixels * limits.frames)
    except (ShiziError, ValueError):
        return LEAST_PIXELS  # refused soon, and cheaply


def check_kinds(files: Iterable[bytes]) -> None:
    """Raise the first file's UnsupportedFormat or DamagedFile if all of `files` are empty or of no kind that is read.

    Whoever sends one of those among others is told of it beside what was read.
    """
    refused: InputError | None = None
    for data in files:
        try:
            format_of(data)
        except InputError as error:
            refused = refused or error
        else:
            return
    if refused is not None:
        raise refused


def _pixels(data: bytes, limits: Limits) -> int:
    if data[:1024].find(b"%PDF-") >= 0:
        pages = len(_PDF_PAGE.findall(data)) or -(-len(data) // _PDF_PAGE_BYTES)
        return min(pages, limits.frames) * SHEET_PIXELS
    name = format_of(data)
    if name == "HEIC":
        return PHOTO_PIXELS
    if name == "OFD":
        return min(max(1, len(_OFD_PAGE.findall(data)) // 2), limits.frames) * SHEET_PIXELS
    if name == "XML":
        return LEAST_PIXELS  # nothing of it is looked at
    if name != "TIFF":
        header = read_header(name, data)
        return max(LEAST_PIXELS, min(limits.pixels, header.width * header.height))
    pixels = 0
    for number, directory in enumerate(tiff.directories(data)):
        if number == limits.frames:
            break
        pixels += max(
            LEAST_PIXELS, min(limits.pixels, directory.number(tiff.WIDTH, 0) * directory.number(tiff.HEIGHT, 0))
        )
    return max(LEAST_PIXELS, pixels)

"""OFD pages, and the one page of an XML e-invoice: text as the file has it, pictures drawn where they stand.

Takes bytes, limits and options, gives `PageText` values one at a time. An OFD's characters are text by the standard,
so they are taken as they are; what stands in its pictures is read from pixels. Its letters and curves are not drawn.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from shizi import einvoice
from shizi.document import Char, Fragment, PageText, Reading
from shizi.errors import DamagedFile, InputError, OptionsError
from shizi.geometry import Polygon
from shizi.ofd import MODEL, Ofd, OfdPage, Picture
from shizi.options import ReadOptions
from shizi.pages.decoders import decode
from shizi.pages.formats import format_of
from shizi.pages.headers import read_header
from shizi.pages.limits import Limits, check_size, cut
from shizi.pages.pdf_pages import DRAWN_DPI, LOOK_DPI, MIXED_DPI, has_strokes, scaled
from shizi.pages.pixels import eight_bits, to_rgb
from shizi.xml import parse

INCH = 25.4  # mm
_PICTURES = ("JPEG", "PNG", "BMP", "GIF", "WebP")  # those the standard names, but for TIFF and GBIG2, and one it may

# The page an XML e-invoice is laid out on, since it has none of its own: A4, in pixels at 150 DPI.
_SHEET = (1240, 1754, 150.0)
_MARGIN, _STEP, _TYPE = 80, 48, 28

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One page with the pictures that can be decoded, `scale` pixels a millimetre."""

    page: OfdPage
    pictures: tuple[tuple[Pixels, Picture], ...]
    scale: float
    width: int
    height: int


def open_ofd(data: bytes, limits: Limits, options: ReadOptions) -> tuple[int, Iterator[PageText]]:
    """Open an OFD now; give the count of the pages asked for, and them one at a time.

    Raises DamagedFile, TooLarge, and OptionsError when no page of it is asked for, or only its pixels.
    """
    if options.pdf == "ocr":
        raise OptionsError("Option 'pdf' is 'ocr', and the text of an OFD is never drawn; use 'auto'.")
    ofd = Ofd(data)
    numbers, warnings = cut(options.chosen(ofd.pages), limits)
    return len(numbers), _pages(ofd, numbers, limits, options, warnings)


def count_ofd(data: bytes) -> int:
    """Count the pages of an OFD. Raises DamagedFile, TooLarge."""
    with Ofd(data) as ofd:
        return ofd.pages


def _pages(
    ofd: Ofd, numbers: list[int], limits: Limits, options: ReadOptions, warnings: tuple[str, ...]
) -> Iterator[PageText]:
    with ofd:
        for number in numbers:
            yield _page(ofd.page(number), number, limits, options, warnings)


def _page(page: OfdPage, number: int, limits: Limits, options: ReadOptions, warnings: tuple[str, ...]) -> PageText:
    pictures = []
    for picture in page.pictures if options.pdf == "auto" else ():
        try:
            pictures.append((_decoded(picture.data, number, limits), picture))
        except InputError as error:
            warnings += (f"picture_unread: A picture on the page was left out. {error.message}",)
    if page.drawings and not page.fragments and not pictures:
        warnings += ("drawings_unread: The page holds drawings alone, which are not read. Print it to a PDF.",)
    dpi = max([DRAWN_DPI, *(min(MIXED_DPI, _dpi(*pair)) for pair in pictures)])
    dpi = min(dpi, math.floor(INCH * math.sqrt(limits.pixels / (page.width * page.height))))
    scale = dpi / INCH
    width, height = round(page.width * scale), round(page.height * scale)
    check_size(width, height, number, limits)
    sheet = _Sheet(page, tuple(pictures), scale, width, height)
    return PageText(
        fragments=tuple(scaled(fragment, scale) for fragment in page.fragments),
        width=width,
        height=height,
        draw=partial(_draw, sheet),
        drawn=False,
        rest=partial(_rest, sheet),
        rules=tuple(_upright(page, scale)),
        number=number,
        dpi=round(dpi, 1),
        warnings=warnings,
    )


def _decoded(data: bytes, number: int, limits: Limits) -> Pixels:
    """Decode a picture: H W 3 RGB, or H W 4 where it has transparency. Raises InputError."""
    name = format_of(data)
    if name not in _PICTURES:
        raise DamagedFile(f"It is {name}.")
    header = read_header(name, data)
    check_size(header.width, header.height, number, limits)
    pixels = eight_bits(decode(name, header))
    return pixels if pixels.ndim == 3 and pixels.shape[2] == 4 else to_rgb(pixels)[0]


def _dpi(pixels: Pixels, picture: Picture) -> float:
    a, b, *_ = picture.matrix
    return float(INCH * pixels.shape[1] / max(math.hypot(a, b), 1e-3))


def _upright(page: OfdPage, scale: float) -> Iterator[tuple[float, float, float]]:
    for x, y, u, v in page.rules:
        if abs(x - u) < 0.5 < abs(y - v):
            yield (x + u) / 2 * scale, min(y, v) * scale, max(y, v) * scale


def _draw(sheet: _Sheet, box: Box | None = None) -> Pixels:
    """Draw the page's pictures and rules, or those in a box of it."""
    canvas = _with_pictures(sheet, 1.0)
    for x, y, u, v in sheet.page.rules:
        start, end = ((round(px * sheet.scale), round(py * sheet.scale)) for px, py in ((x, y), (u, v)))
        cv2.line(canvas, start, end, (0, 0, 0), max(1, round(0.2 * sheet.scale)))
    if box is None:
        return canvas
    left, top, right, bottom = box
    return np.ascontiguousarray(canvas[max(0, top) : max(0, bottom), max(0, left) : max(0, right)])


def _rest(sheet: _Sheet, fonts: Collection[str]) -> Pixels | None:
    """Draw the page's pictures; None where a look in small shows nothing like text."""
    if not sheet.pictures or not has_strokes(_with_pictures(sheet, LOOK_DPI / INCH / sheet.scale)):
        return None
    return _with_pictures(sheet, 1.0)


def _with_pictures(sheet: _Sheet, share: float) -> Pixels:
    """Lay the pictures on white, at `share` of the page's size in pixels."""
    width, height = max(1, round(sheet.width * share)), max(1, round(sheet.height * share))
    canvas: Pixels = np.full((height, width, 3), 255, np.uint8)
    scale = sheet.scale * share
    for pixels, picture in sheet.pictures:
        _lay(canvas, pixels, [value * scale for value in picture.matrix])
    return canvas


def _lay(canvas: Pixels, pixels: Pixels, matrix: list[float]) -> None:
    """Lay a picture on the canvas; `matrix` is the way of its unit square there."""
    a, b, c, d, e, f = matrix
    xs, ys = (e, e + a, e + c, e + a + c), (f, f + b, f + d, f + b + d)
    left, top = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
    right, bottom = min(canvas.shape[1], math.ceil(max(xs))), min(canvas.shape[0], math.ceil(max(ys)))
    if right <= left or bottom <= top:
        return
    share = math.sqrt(abs(a * d - b * c) / (pixels.shape[0] * pixels.shape[1]))
    if share < 0.9:  # a warp takes single pixels; fewer of them are means of areas first
        size = (max(1, round(pixels.shape[1] * share)), max(1, round(pixels.shape[0] * share)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    rows, columns = pixels.shape[:2]
    # Pixels stand for their middles; the way is for their corners.
    way = np.array([[a / columns, c / rows, e - left], [b / columns, d / rows, f - top]])
    way[:, 2] += way[:, :2].sum(axis=1) / 2 - 0.5
    size = (right - left, bottom - top)
    laid = cv2.warpAffine(pixels[:, :, :3], way, size, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(_opacity(pixels), way, size)[:, :, None].astype(np.float32) / 255
    part = canvas[top:bottom, left:right]
    part[:] = np.rint(part * (1 - cover) + laid * cover).astype(np.uint8)


def _opacity(pixels: Pixels) -> Pixels:
    if pixels.shape[2] == 4:
        return np.ascontiguousarray(pixels[:, :, 3])
    return np.full(pixels.shape[:2], 255, np.uint8)


def open_einvoice(data: bytes, limits: Limits, options: ReadOptions) -> tuple[int, Iterator[PageText]]:
    """Give the one page of an XML e-invoice: what it states, a line each. Raises DamagedFile, OptionsError."""
    options.chosen(1)
    if options.pdf == "ocr":
        raise OptionsError("Option 'pdf' is 'ocr', and XML has no pixels; use 'auto'.")
    stated = einvoice.read(parse(data, "The XML"))
    if stated is None:
        raise DamagedFile("The XML is named an e-invoice and states no field of one. Send it as it was issued.")
    rows = [f"{einvoice.LABELS[name]}：{value}" for name, value in stated.fields.items()]
    for number, item in enumerate(stated.items, start=1):
        rows.append(f"第{number}行")
        rows.extend(f"{einvoice.ITEM_LABELS[name]}：{value}" for name, value in item.items())
    width, height, dpi = _SHEET
    height = max(height, 2 * _MARGIN + _STEP * len(rows))
    page = PageText(
        fragments=tuple(_row(text, _MARGIN + _STEP * i) for i, text in enumerate(rows)),
        width=width,
        height=height,
        draw=lambda box: np.full((height, width, 3), 255, np.uint8),
        drawn=False,
        rest=lambda fonts: None,
        dpi=dpi,
    )
    return 1, iter([page])


def _row(text: str, top: int) -> Fragment:
    text = " ".join(text.split())
    length = _TYPE * len(text)
    share = 1 / max(1, len(text))
    chars = tuple(Char(mark, 1.0, i * share, (i + 1) * share) for i, mark in enumerate(text))
    polygon = Polygon.from_bounds(_MARGIN, top, _MARGIN + length, top + _TYPE)
    return Fragment(polygon, Reading(text, 1.0, chars, MODEL))

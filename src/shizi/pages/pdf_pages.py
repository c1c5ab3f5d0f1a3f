"""PDF pages: each page of a PDF as its text layer, where that can be trusted, or as a picture fit for reading.

Takes bytes, limits and options, gives `PageText` and `PageImage` values one at a time, so that memory does not grow
with the document. Decides resolution and which way is tried first; knows neither pdfium nor how text is read.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from shizi.document import Fragment, PageImage, PageText
from shizi.errors import TooLarge
from shizi.geometry import Polygon
from shizi.options import ReadOptions
from shizi.pages.limits import Limits, check_size, cut
from shizi.pdf import Image, Pdf, PdfPage
from shizi.pdf.text import Layer, read_layer, turned_boxes, upright_rules

# Drawn text is read best from here on (docs/decisions/030); a scan has the resolution it has.
DRAWN_DPI = 200.0
MIXED_DPI = 300.0  # at most, for the pictures on a page that has text as well
LEAST_DPI = 100.0  # a page too large for the limit on pixels is drawn smaller, but not below this
SCAN_SHARE = 0.5  # of the page under pictures makes it a scan
COARSEST_DPI = 36.0  # no line can be told in a picture of less
LARGE_SHARE = 0.25  # of the largest picture
PICTURE_SHARE = 0.01  # of the page: smaller pictures do not tell its resolution
MOST_PICTURE_BYTES = 8  # a pixel of the limit on pixels: decoded, a picture on the page may take this much memory

# What stands beside the text is looked at in small: characters of 6 points are 6 pixels high.
LOOK_DPI = 72.0
STROKE = 15  # pixels; a stroke is thinner
INK = 48  # levels of grey between a stroke and what surrounds it
STROKES = 3  # fewer are specks, dots of lists, ends of rules
MOST_FRAMES = 1500  # straight paths; more are a drawing, which may have letters of lines

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One page with its size in pixels as shown."""

    pdf: Pdf
    number: int
    facts: PdfPage
    dpi: float
    width: int
    height: int


def open_pdf(data: bytes, limits: Limits, options: ReadOptions) -> tuple[int, Iterator[PageImage | PageText]]:
    """Open a PDF now; give the count of the pages asked for, and them one at a time.

    Raises DamagedFile, EncryptedPdf, TooLarge, and OptionsError when no page of it is asked for; each of the first
    three also later, at the page concerned.
    """
    pdf = Pdf(data, options.password)
    try:
        numbers, warnings = cut(options.chosen(pdf.pages), limits)
        pdf.check(numbers)
    except BaseException:
        pdf.close()
        raise
    if pdf.repaired:
        warnings += ("pdf_repaired: The PDF is damaged; what could be found was read. Compare it with the original.",)
    return len(numbers), _pages(pdf, numbers, limits, options, warnings)


def count_pdf(data: bytes, options: ReadOptions) -> int:
    """Count the pages of a PDF. Raises DamagedFile, EncryptedPdf."""
    with Pdf(data, options.password) as pdf:
        return pdf.pages


def _pages(
    pdf: Pdf, numbers: list[int], limits: Limits, options: ReadOptions, warnings: tuple[str, ...]
) -> Iterator[PageImage | PageText]:
    with pdf:
        for number in numbers:
            yield _page(_sheet(pdf, number, limits), options, warnings)


def _sheet(pdf: Pdf, number: int, limits: Limits) -> _Sheet:
    facts = pdf.look(number)
    for image in facts.images:
        if image.columns * image.rows * max(1, image.bits) > 8 * MOST_PICTURE_BYTES * limits.pixels:
            raise TooLarge(
                f"Page {number} holds a picture of {image.columns} x {image.rows} pixels; a page of at most "
                f"{limits.pixels} is read. Scan it with less resolution."
            )
    dpi = resolution(facts)
    most = 72 * math.sqrt(limits.pixels / max(1e-6, facts.width * facts.height))
    least = min(dpi, LEAST_DPI)
    if most < least:
        raise TooLarge(
            f"Page {number} measures {facts.width / 72:.0f} x {facts.height / 72:.0f} inches: at {least:.0f} DPI, the "
            f"least that is read, it has more than {limits.pixels} pixels. Print it smaller or in parts."
        )
    dpi = min(dpi, math.floor(most))
    width, height = round(facts.width * dpi / 72), round(facts.height * dpi / 72)
    check_size(width, height, number, limits)
    return _Sheet(pdf, number, facts, dpi, width, height)


def resolution(page: PdfPage) -> float:
    """Choose the DPI to draw a page at: a scan's own, or what drawn text needs."""
    area = page.width * page.height
    pictures = [image for image in page.images if _area(image) >= PICTURE_SHARE * area]
    # A small sharp picture on a scan does not tell the scan's resolution.
    large = [image for image in pictures if _area(image) >= LARGE_SHARE * max(map(_area, pictures))]
    finest = max(map(_dpi, large), default=0.0)
    if sum(map(_area, pictures)) < SCAN_SHARE * area:
        return max(DRAWN_DPI, min(MIXED_DPI, finest))
    # A few pixels stretched over a page are a ground, on which something else may stand.
    alone = not page.drawn and not any(text.shown for text in page.texts)
    return max(finest, COARSEST_DPI) if alone or finest >= LEAST_DPI else DRAWN_DPI


def _area(image: Image) -> float:
    left, top, right, bottom = image.box
    return (right - left) * (bottom - top)


def _dpi(image: Image) -> float:
    """Give the finer of a picture's two resolutions, whichever way round it lies on the page."""
    left, top, right, bottom = image.box
    width, height = max(right - left, 1e-3), max(bottom - top, 1e-3)
    pairs = [(image.columns / width, image.rows / height), (image.rows / width, image.columns / height)]
    across, down = min(pairs, key=lambda pair: abs(math.log(max(pair[0], 1e-6) / max(pair[1], 1e-6))))
    return 72 * max(across, down)


def _page(sheet: _Sheet, options: ReadOptions, warnings: tuple[str, ...]) -> PageImage | PageText:
    if not (len(sheet.facts.codes) or sheet.facts.images or len(sheet.facts.frames) or sheet.facts.drawn):
        warnings += ("page_blank: Nothing stands on the page; if something should, the file is damaged.",)
    if options.pdf == "ocr":
        return _picture(sheet, warnings)
    every = options.pdf == "text"
    layer = read_layer(sheet.facts, options.orientation == "auto", every, _only_lines(options))
    if not layer.fragments and not every:
        return _picture(sheet, warnings)
    if every and not layer.fragments:
        warnings += (
            "no_text_layer: The page has no text layer; without the option pdf=text it is read from its pixels.",
        )
    elif every and layer.left_out:
        warnings += (f"text_layer_doubtful: {layer.left_out} characters of the text layer have no meaning.",)
    return _text(sheet, layer, every, warnings)


def _only_lines(options: ReadOptions) -> bool:
    """Tell whether nothing is asked for that needs characters: no detail, no tables, no fields."""
    chosen = {name: getattr(options, name) for name in ("mode", "enhance", "orientation", "pdf", "pages", "password")}
    return options == ReadOptions(**chosen)


def _picture(sheet: _Sheet, warnings: tuple[str, ...]) -> PageImage:
    pixels = sheet.pdf.draw(sheet.number, sheet.width, sheet.height)
    return PageImage(pixels, sheet.number, round(sheet.dpi, 1), warnings)


def _text(sheet: _Sheet, layer: Layer, every: bool, warnings: tuple[str, ...]) -> PageText:
    scale = sheet.dpi / 72
    sideways = layer.quarters % 2 == 1
    frames = turned_boxes(sheet.facts.frames, layer.quarters, sheet.facts.width, sheet.facts.height)
    return PageText(
        fragments=tuple(scaled(fragment, scale) for fragment in layer.fragments),
        width=sheet.height if sideways else sheet.width,
        height=sheet.width if sideways else sheet.height,
        draw=partial(_draw, sheet, layer.quarters),
        rest=_nothing if every else partial(_rest, sheet, layer),
        rules=tuple((x * scale, top * scale, bottom * scale) for x, top, bottom in upright_rules(frames)),
        number=sheet.number,
        dpi=round(sheet.dpi, 1),
        rotation=90 * layer.quarters,
        borrowed=layer.borrowed,
        warnings=warnings,
    )


def scaled(fragment: Fragment, scale: float) -> Fragment:
    """Give a fragment in a page's pixels, `scale` of them for each of its own units."""
    corners = Polygon.from_points((x * scale, y * scale) for x, y in fragment.polygon.corners)
    return Fragment(corners, fragment.reading, fragment.vertical, fragment.fonts)


def _draw(sheet: _Sheet, quarters: int, box: Box | None = None) -> Pixels:
    """Draw the upright page, or a box of it."""
    if box is not None:
        width, height = (sheet.width, sheet.height) if quarters % 2 == 0 else (sheet.height, sheet.width)
        left, top, right, bottom = box
        left, top = min(max(0, left), width - 1), min(max(0, top), height - 1)
        box = _turned_back(
            (left, top, max(left + 1, min(right, width)), max(top + 1, min(bottom, height))), quarters, sheet
        )
    pixels = sheet.pdf.draw(sheet.number, sheet.width, sheet.height, box=box)
    return np.ascontiguousarray(np.rot90(pixels, -quarters))


def _turned_back(box: Box, quarters: int, sheet: _Sheet) -> Box:
    """Give the box of the page as shown that becomes `box` when the page is turned by quarters clockwise."""
    left, top, right, bottom = box
    match quarters:
        case 1:
            return top, sheet.height - right, bottom, sheet.height - left
        case 2:
            return sheet.width - right, sheet.height - bottom, sheet.width - left, sheet.height - top
        case 3:
            return sheet.width - bottom, left, sheet.width - top, right
        case _:
            return box


def _nothing(fonts: Collection[str]) -> None:
    """Leave what stands beside the text alone, as asked for."""


def _rest(sheet: _Sheet, layer: Layer, fonts: Collection[str]) -> Pixels | None:
    """Draw the upright page without its trusted text; None where a look in small shows nothing like text."""
    facts = sheet.facts
    hidden = [owner for owner in layer.used if facts.texts[owner].font not in fonts]
    plain = not facts.images and not facts.drawn and len(facts.frames) <= MOST_FRAMES
    if plain and not layer.left_out and len(hidden) == len(layer.used):
        return None
    scale = LOOK_DPI / sheet.dpi
    small = (max(1, round(sheet.width * scale)), max(1, round(sheet.height * scale)))
    if not has_strokes(sheet.pdf.draw(sheet.number, *small, hidden)):
        return None
    pixels = sheet.pdf.draw(sheet.number, sheet.width, sheet.height, hidden)
    return np.ascontiguousarray(np.rot90(pixels, -layer.quarters))


def has_strokes(pixels: Pixels) -> bool:
    """Tell whether a page drawn in small (H W 3, `LOOK_DPI`) shows anything of the size and strength of characters,
    dark on light or light on dark.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    square = np.ones((STROKE, STROKE), np.uint8)  # what is thinner stays; a picture's own shades are broader
    thin = (cv2.morphologyEx(grey, way, square) for way in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT))
    return any(_characters((strokes > INK).astype(np.uint8)) >= STROKES for strokes in thin)


def _characters(ink: Pixels) -> int:
    """Count the pieces of ink that may be characters, or parts of them."""
    for kernel in ((31, 1), (1, 31)):  # rules of tables and frames
        rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(kernel, np.uint8))
        ink = np.where(cv2.dilate(rules, np.ones((5, 5), np.uint8)) > 0, np.uint8(0), ink)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    sound = (stats[1:, cv2.CC_STAT_AREA] >= 4) & (stats[1:, cv2.CC_STAT_HEIGHT] >= 3)
    return int(sound.sum())

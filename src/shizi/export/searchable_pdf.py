"""Searchable PDF: the file that was read, with its text laid invisibly over what the eye sees.

Takes a document and the bytes it was read from. Pictures become a PDF of one page each: a JPEG's own bytes, the exact
pixels of anything else. A PDF keeps everything it has; only pages whose text was read from pixels get a layer. Gives
PDF bytes; knows nothing of how text was found. Pages are taken one at a time.
"""

import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image

import shizi
from shizi.document import Document, Page, PageText
from shizi.errors import DamagedFile, EncryptedPdf, OptionsError
from shizi.export.earlier_text import take_unseen
from shizi.export.printable import printable
from shizi.export.text_layer import MARK, BlankFont, Placement, layer
from shizi.options import ReadOptions
from shizi.pages import Limits, format_of, open_pages
from shizi.pages.headers import Header, read_header

_FONT = "ShiziText"
_PICTURES = ("JPEG", "PNG", "BMP", "GIF", "WebP", "TIFF", "HEIC")
_OWN_LAYER = "text-layer"  # what stands for a model where the text was taken from the file
_POINTS = 72.0
_A4_LONG, _A4_SHORT = 841.89, 595.28
_LONGEST_SIDE = 14_400.0  # points: the largest page viewers open (ISO 32000-1, annex C)
_SCREEN_DPI = (72.0, 96.0)  # written by habit, whatever the picture is
_LETTER = (0.0, 0.0, 612.0, 792.0)  # what pdfium takes for a page without a usable box
_WITHIN = 1024  # bytes that may stand before a PDF's header

# How the unit square of an image is laid on a page of 1 x 1, by EXIF orientation.
_LAID = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}


def write(document: Document, source: bytes, password: str = "") -> bytes:
    """Write the file `source` with the document's text in it.

    A picture that was turned to be read is shown upright, by the page's /Rotate. Of a picture file the pages read
    are in the PDF, of a PDF all its pages. Raises OptionsError when the source is no picture and no PDF, EncryptedPdf
    for a wrong password, DamagedFile.
    """
    document = printable(document)
    if b"%PDF-" in source[:_WITHIN]:
        return _overlaid(document, source, password)
    return _of_pictures(document, source)


# A PDF that was there before


def _overlaid(document: Document, source: bytes, password: str) -> bytes:
    wanted = [page for page in map(_seen, document.pages) if page.source == "ocr" and page.lines]
    if not wanted:
        return source
    try:
        with pikepdf.open(io.BytesIO(source), password=password) as pdf:
            font, shared = BlankFont(), pdf.make_indirect(Dictionary())
            shown: dict[int, str] = {}
            for page in wanted:
                if not 1 <= page.number <= len(pdf.pages):
                    raise OptionsError(
                        f"The document has page {page.number}, the PDF {len(pdf.pages)} pages; "
                        "give the file that the document was read from."
                    )
                target = pdf.pages[page.number - 1]
                _take_off(target)
                if take_unseen(pdf, target) and not _is_partly_taken(document, page.number):
                    shown = shown or _texts(source, password, len(pdf.pages))
                    page = _without(page, shown.get(page.number, ""))
                _lay_over(target, page, font, shared)
            font.finish(pdf, shared)
            file = io.BytesIO()
            pdf.save(file, encryption=pdf.is_encrypted)
            return file.getvalue()
    except pikepdf.PasswordError as error:
        raise EncryptedPdf("The PDF is encrypted; give its password.") from error
    except pikepdf.PdfError as error:
        raise DamagedFile("The PDF is damaged: its structure cannot be rewritten. Save it again.") from error


def _seen(page: Page) -> Page:
    """Give a page without the lines that its own text layer gave: they are in the PDF already."""
    return replace(page, lines=tuple(line for line in page.lines if line.model != _OWN_LAYER))


def _is_partly_taken(document: Document, number: int) -> bool:
    """Say whether the lines of a page that its file tells were left out already."""
    return any(line.model == _OWN_LAYER for page in document.pages if page.number == number for line in page.lines)


def _texts(source: bytes, password: str, count: int) -> dict[int, str]:
    """Give the text that each page of a PDF has, folded; none where it cannot be had."""
    options = ReadOptions(pdf="text", orientation="none", password=password)
    pages = open_pages(source, replace(Limits(), bytes=len(source), frames=count), options)
    return {
        page.number: "".join(_folded(fragment.text) for fragment in page.fragments)
        for page in pages
        if isinstance(page, PageText)
    }


def _without(page: Page, shown: str) -> Page:
    """Leave out the lines that the page's own text says: they are found already."""
    return replace(
        page, lines=tuple(line for line in page.lines if not _folded(line.text) or _folded(line.text) not in shown)
    )


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _lay_over(target: pikepdf.Page, page: Page, font: BlankFont, shared: pikepdf.Object) -> None:
    """Add the layer before the page's own content: what that leaves switched on cannot move it."""
    resources = _copied(_inherited(target, "/Resources"))
    fonts = _copied(resources.get("/Font"))
    name = next(name for name in _names() if f"/{name}" not in fonts)
    fonts[f"/{name}"] = shared
    resources.Font = fonts
    target.obj.Resources = resources
    turn = int(_inherited(target, "/Rotate") or 0) // 90 * 90 + page.rotation
    place = Placement(page.width, page.height, _shown_box(target), turn % 360)
    target.contents_add(layer(page, place, font, name), prepend=True)


def _take_off(target: pikepdf.Page) -> None:
    """Take an earlier layer of ours off a page, so that text is never found twice."""
    contents = target.obj.get("/Contents")
    if isinstance(contents, Array) and len(contents) and contents[0].read_bytes().startswith(MARK.encode()):
        del contents[0]


def _copied(values: Any) -> Dictionary:
    """Give a dictionary of this page's own: what pages share stays as it is."""
    return Dictionary(dict(values.items()) if isinstance(values, Dictionary) else {})


def _names() -> Iterator[str]:
    yield _FONT
    yield from (f"{_FONT}{number}" for number in count(2))


def _inherited(page: pikepdf.Page, key: str) -> Any:
    """Give an attribute of a page or of the nearest node above it that has it."""
    node: Any = page.obj
    seen = 0
    while node is not None and seen < 100:
        if (value := node.get(key)) is not None:
            return value
        node, seen = node.get("/Parent"), seen + 1
    return None


def _shown_box(page: pikepdf.Page) -> tuple[float, float, float, float]:
    """Give what of a page is shown, as pdfium has it: the crop box within the media box."""
    media = _box(_inherited(page, "/MediaBox")) or _LETTER
    crop = _box(_inherited(page, "/CropBox")) or media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if left < right and bottom < top else media


def _box(values: Any) -> tuple[float, float, float, float] | None:
    if not isinstance(values, Array) or len(values) != 4:
        return None
    try:
        x, y, right, top = (float(value) for value in values)
    except (TypeError, ValueError):
        return None
    box = min(x, right), min(y, top), max(x, right), max(y, top)
    return box if box[0] < box[2] and box[1] < box[3] else None


# Pictures


def _of_pictures(document: Document, source: bytes) -> bytes:
    name = format_of(source)
    if name not in _PICTURES:
        raise OptionsError(
            f"A searchable PDF is made of a picture or a PDF; the file is {name}. Choose another format."
        )
    pages = {page.number: page for page in document.pages}
    pdf = pikepdf.new()
    font, shared = BlankFont(), pdf.make_indirect(Dictionary())
    header = read_header(name, source) if name in ("JPEG", "PNG") else None
    packed = _as_it_is(pdf, name, source, header) if header else None
    if header and packed is not None:
        for page in document.pages:
            _add_page(pdf, page, packed, _LAID[header.orientation], font, shared)
    else:
        # What was read may be decoded again: the document's own sizes are the limits.
        largest = max((page.width * page.height for page in document.pages), default=1)
        limits = replace(Limits(), bytes=len(source), pixels=largest, frames=max(pages, default=1))
        for image in open_pages(source, limits):
            if image.number in pages:
                _add_page(pdf, pages[image.number], _exact(pdf, image.pixels), _LAID[1], font, shared)
    font.finish(pdf, shared)
    return _saved(pdf, document)


def _add_page(
    pdf: pikepdf.Pdf,
    page: Page,
    image: pikepdf.Object,
    laid: tuple[int, int, int, int, int, int],
    font: BlankFont,
    shared: pikepdf.Object,
) -> None:
    wide, high = (page.width, page.height) if page.rotation % 180 == 0 else (page.height, page.width)
    scale = _POINTS / _dpi(page)
    width, height = round(wide * scale, 3), round(high * scale, 3)
    a, b, c, d, e, f = (value * side for value, side in zip(laid, (width, height) * 3, strict=True))
    place = Placement(page.width, page.height, (0, 0, width, height), page.rotation)
    content = f"q {a:.3f} {b:.3f} {c:.3f} {d:.3f} {e:.3f} {f:.3f} cm /Picture Do Q\n".encode()
    values = Dictionary(
        Type=Name.Page,
        MediaBox=[0, 0, width, height],
        Resources=Dictionary(XObject=Dictionary(Picture=image), Font=Dictionary({f"/{_FONT}": shared})),
        Contents=Array([pdf.make_stream(layer(page, place, font, _FONT)), pdf.make_stream(content)]),
    )
    if page.rotation:
        values.Rotate = page.rotation
    pdf.pages.append(pikepdf.Page(values))


def _dpi(page: Page) -> float:
    """Give the resolution to lay a page out with: as scanned; where nobody knows, such that it fits on A4."""
    long, short = max(page.width, page.height), min(page.width, page.height)
    dpi = page.dpi
    if dpi is None or any(abs(dpi - screen) <= 1 for screen in _SCREEN_DPI):
        dpi = max(long * _POINTS / _A4_LONG, short * _POINTS / _A4_SHORT)
    return max(dpi, long * _POINTS / _LONGEST_SIDE)


def _as_it_is(pdf: pikepdf.Pdf, name: str, source: bytes, header: Header) -> pikepdf.Object | None:
    """Give a picture packed in a way that PDF knows as an image object; None for the rarer ways."""
    if name == "PNG":
        depth, kind, *_, interlaced = source[24:29]
        plain = not header.keep_depth and not interlaced and kind in (0, 2, 3)
        return _png(pdf, header, depth, kind) if plain else None
    return _jpeg(pdf, source, header) if header.components else None


def _png(pdf: pikepdf.Pdf, header: Header, depth: int, kind: int) -> pikepdf.Object:
    """Give a PNG of grey (kind 0), colours (2) or a palette (3) as an image object, packed as it is."""
    colours: pikepdf.Object = Name.DeviceRGB if kind == 2 else Name.DeviceGray
    if kind == 3:
        palette = _chunks(header.pixels, b"PLTE")
        colours = Array([Name.Indexed, Name.DeviceRGB, len(palette) // 3 - 1, pikepdf.String(palette)])
    return _flate(pdf, header.pixels, (header.width, header.height), depth, colours)


def _flate(pdf: pikepdf.Pdf, png: bytes, size: tuple[int, int], bits: int, colours: pikepdf.Object) -> pikepdf.Object:
    """Take the rows of a PNG for an image object: PDF's Flate filter packs them so too (ISO 32000-1, 7.4.4.4)."""
    samples = 3 if colours == Name.DeviceRGB else 1
    image = pdf.make_stream(_chunks(png, b"IDAT"))
    image.Type, image.Subtype = Name.XObject, Name.Image
    image.Width, image.Height, image.BitsPerComponent = *size, bits
    image.ColorSpace, image.Filter = colours, Name.FlateDecode
    image.DecodeParms = Dictionary(Predictor=15, Colors=samples, BitsPerComponent=bits, Columns=size[0])
    return image


def _jpeg(pdf: pikepdf.Pdf, source: bytes, header: Header) -> pikepdf.Object:
    """Give a JPEG as an image object, its bytes as they are."""
    image = pdf.make_stream(source)
    image.Type, image.Subtype = Name.XObject, Name.Image
    image.Width, image.Height, image.BitsPerComponent = header.width, header.height, 8
    image.ColorSpace = {1: Name.DeviceGray, 3: Name.DeviceRGB, 4: Name.DeviceCMYK}[header.components]
    if header.components == 4 and not header.plain_cmyk:
        image.Decode = [1, 0] * 4  # Adobe stores ink turned round
    image.Filter = Name.DCTDecode
    return image


def _exact(pdf: pikepdf.Pdf, pixels: npt.NDArray[np.uint8]) -> pikepdf.Object:
    """Give pixels (H W 3) as an image object without a loss, in as few bits as they need."""
    grey = all(np.array_equal(pixels[..., 0], pixels[..., i]) for i in (1, 2))
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if grey else pixels))
    bits = 8
    if grey and not np.count_nonzero(pixels[..., 0] % 255):
        picture, bits = picture.convert("1", dither=Image.Dither.NONE), 1
    file = io.BytesIO()
    # Level 6 takes twice as long on a scan, which has noise, and saves a tenth of its bytes.
    picture.save(file, "PNG", compress_level=9 if bits == 1 else 3)
    return _flate(pdf, file.getvalue(), picture.size, bits, Name.DeviceGray if grey else Name.DeviceRGB)


def _chunks(png: bytes, wanted: bytes) -> bytes:
    """Join the contents of a PNG's chunks of one kind."""
    parts, at = [], 8
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        if kind == wanted:
            parts.append(png[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(parts)


def _saved(pdf: pikepdf.Pdf, document: Document) -> bytes:
    pdf.docinfo["/Producer"] = f"shizi {shizi.__version__}"
    pdf.Root.Lang = pikepdf.String("zh-CN" if re.search("[\u4e00-\u9fff]", document.text) else "en")
    file = io.BytesIO()
    pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return file.getvalue()

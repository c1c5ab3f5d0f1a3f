"""hOCR: lines and words with their places, as HTML that is XML too (The hOCR Embedded OCR Workflow 1.2).

Takes a document with words, gives UTF-8 bytes. Boxes are whole pixels of the upright page image.
"""

import math
import xml.etree.ElementTree as ET

import shizi
from shizi.document import Document, Line, Page
from shizi.export.measured import Group, below_baseline, groups, language, words_of
from shizi.export.printable import printable
from shizi.geometry import Polygon

_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
)
_CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word"
_TURNED = 0.5  # degrees; beyond, a line says its angle


def write(document: Document) -> bytes:
    """Write the document; identifiers count within their page."""
    document = printable(document)
    html = ET.Element("html", {"xmlns": "http://www.w3.org/1999/xhtml", "lang": language(document)})
    head = ET.SubElement(html, "head")
    ET.SubElement(head, "title").text = "shizi"
    ET.SubElement(head, "meta", {"http-equiv": "Content-Type", "content": "text/html;charset=utf-8"})
    ET.SubElement(head, "meta", {"name": "ocr-system", "content": f"shizi {shizi.__version__}"})
    ET.SubElement(head, "meta", {"name": "ocr-capabilities", "content": _CAPABILITIES})
    ET.SubElement(head, "meta", {"name": "ocr-number-of-pages", "content": str(len(document.pages))})
    body = ET.SubElement(html, "body")
    for index, page in enumerate(document.pages):
        _add_page(body, page, index)
    text: str = ET.tostring(html, encoding="unicode")
    return f"{_DOCTYPE}{text}\n".encode()


def _add_page(body: ET.Element, page: Page, index: int) -> None:
    resolution = f"; scan_res {page.dpi:.0f} {page.dpi:.0f}" if page.dpi else ""
    title = f"bbox 0 0 {page.width} {page.height}; ppageno {index}{resolution}"
    node = _add(body, "div", "ocr_page", f"page_{page.number}", title)
    for number, group in enumerate(groups(page), start=1):
        _add_area(node, page, group, f"{page.number}_{number}")


def _add_area(node: ET.Element, page: Page, group: Group, name: str) -> None:
    area = _add(node, "div", "ocr_carea", f"block_{name}", _bbox(group.polygon, page))
    paragraph = _add(area, "p", "ocr_par", f"par_{name}", _bbox(group.polygon, page))
    for number, line in group.lines:
        span = _add(paragraph, "span", "ocr_line", f"line_{page.number}_{number + 1}", _line_title(line, page))
        if line.vertical:
            span.set("style", "writing-mode: vertical-rl")
        for count, word in enumerate(words_of(line), start=1):
            title = f"{_bbox(word.polygon, page)}; x_wconf {round(word.confidence * 100)}"
            _add(span, "span", "ocrx_word", f"word_{page.number}_{number + 1}_{count}", title).text = word.text
            span[-1].tail = " " if word.spaced else None


def _add(parent: ET.Element, tag: str, kind: str, name: str, title: str) -> ET.Element:
    return ET.SubElement(parent, tag, {"class": kind, "id": name, "title": title})


def _line_title(line: Line, page: Page) -> str:
    """Give the box of a line, its baseline from the box's lower left corner, its height and its angle."""
    _, _, (x1, y1), (x0, y0) = line.polygon.corners
    title = _bbox(line.polygon, page)
    if line.vertical:
        return f"{title}; x_size {line.polygon.width:.1f}"
    if abs(line.polygon.angle) < 45 and x1 > x0:
        left, bottom = _pixels(line.polygon, page)[0], _pixels(line.polygon, page)[3]
        slope = (y1 - y0) / (x1 - x0)
        # A line's frame has room below its letters; the baseline crosses the box's left side above its corner.
        offset = y0 - below_baseline(line) + slope * (left - x0) - bottom
        title += f"; baseline {slope:.4f} {offset:.1f}"
    if abs(line.polygon.angle) >= _TURNED:
        title += f"; textangle {-line.polygon.angle % 360:.1f}"  # anticlockwise
    return f"{title}; x_size {line.polygon.height:.1f}"


def _bbox(polygon: Polygon, page: Page) -> str:
    return "bbox {} {} {} {}".format(*_pixels(polygon, page))


def _pixels(polygon: Polygon, page: Page) -> tuple[int, int, int, int]:
    left, top, right, bottom = polygon.bounds
    return (
        min(max(math.floor(left), 0), page.width),
        min(max(math.floor(top), 0), page.height),
        min(max(math.ceil(right), 0), page.width),
        min(max(math.ceil(bottom), 0), page.height),
    )

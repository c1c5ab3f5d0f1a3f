"""ALTO: lines and words with their places, in the XML of libraries and archives (ALTO 4.4, Library of Congress).

Takes a document with words, gives UTF-8 bytes, valid by the schema. Places are pixels of the upright page image.
"""

import xml.etree.ElementTree as ET

import shizi
from shizi.document import Document, Line, Page
from shizi.export.measured import below_baseline, groups, language, words_of
from shizi.export.printable import printable
from shizi.geometry import Polygon

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def write(document: Document) -> bytes:
    """Write the document; identifiers count within their page."""
    document = printable(document)
    ET.register_namespace("xsi", "http://www.w3.org/2001/XMLSchema-instance")
    alto = ET.Element(
        "alto", {"xmlns": _NAMESPACE, _SCHEMA_LOCATION: f"{_NAMESPACE} {_SCHEMA}", "SCHEMAVERSION": "4.4"}
    )
    description = ET.SubElement(alto, "Description")
    ET.SubElement(description, "MeasurementUnit").text = "pixel"
    processing = ET.SubElement(description, "Processing", {"ID": "shizi"})
    ET.SubElement(processing, "processingCategory").text = "contentGeneration"
    ET.SubElement(processing, "processingStepSettings").text = " ".join(document.weights)
    software = ET.SubElement(processing, "processingSoftware")
    ET.SubElement(software, "softwareName").text = "shizi"
    ET.SubElement(software, "softwareVersion").text = shizi.__version__
    layout = ET.SubElement(alto, "Layout")
    for page in document.pages:
        _add_page(layout, page, language(document))
    text: str = ET.tostring(alto, encoding="unicode")
    return f"{_DECLARATION}{text}\n".encode()


def _add_page(layout: ET.Element, page: Page, tongue: str) -> None:
    sheet = ET.SubElement(
        layout,
        "Page",
        {
            "ID": f"page_{page.number}",
            "PHYSICAL_IMG_NR": str(page.number),
            "WIDTH": str(page.width),
            "HEIGHT": str(page.height),
            "LANG": tongue,
            **({"PC": f"{page.confidence:.4f}"} if page.lines else {}),
        },
    )
    space = ET.SubElement(sheet, "PrintSpace", {"ID": f"space_{page.number}", **_whole(page)})
    for number, group in enumerate(groups(page), start=1):
        block = _add(space, "TextBlock", f"block_{page.number}_{number}", group.polygon)
        for index, line in group.lines:
            _add_line(block, line, f"{page.number}_{index + 1}")


def _add_line(block: ET.Element, line: Line, name: str) -> None:
    node = _add(block, "TextLine", f"line_{name}", line.polygon)
    if line.vertical:
        node.set("BASEDIRECTION", "ttb")
    else:
        node.set("BASELINE", _baseline(line))
    _add_shape(node, line.polygon)
    for count, word in enumerate(words_of(line), start=1):
        string = _add(node, "String", f"word_{name}_{count}", word.polygon)
        string.set("CONTENT", word.text)
        string.set("WC", f"{min(1.0, max(0.0, word.confidence)):.4f}")
        if word.spaced:
            ET.SubElement(node, "SP")
    if not line.text:
        _add(node, "String", f"word_{name}_1", line.polygon).set("CONTENT", "")  # the schema demands one


def _baseline(line: Line) -> str:
    """Give the two ends of a line's baseline: within its frame, parallel to its lower edge."""
    a, b, c, d = line.polygon.corners
    share = below_baseline(line) / line.polygon.height if line.polygon.height else 0.0
    ends = (
        (low[0] + share * (high[0] - low[0]), low[1] + share * (high[1] - low[1])) for low, high in ((d, a), (c, b))
    )
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in ends)


def _add(parent: ET.Element, tag: str, name: str, polygon: Polygon) -> ET.Element:
    left, top, right, bottom = polygon.bounds
    place = {"HPOS": left, "VPOS": top, "WIDTH": right - left, "HEIGHT": bottom - top}
    return ET.SubElement(parent, tag, {"ID": name, **{key: f"{value:.1f}" for key, value in place.items()}})


def _add_shape(node: ET.Element, polygon: Polygon) -> None:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in polygon.corners)
    ET.SubElement(ET.SubElement(node, "Shape"), "Polygon", {"POINTS": points})


def _whole(page: Page) -> dict[str, str]:
    return {"HPOS": "0", "VPOS": "0", "WIDTH": str(page.width), "HEIGHT": str(page.height)}

"""hOCR and ALTO: valid by schema and by structure, places right to the pixel, nothing lost."""

import re
from pathlib import Path

import pytest
from documents import drawn, hostile, line, page_of
from lxml import etree

from shizi.document import Block, Document, Line, Page
from shizi.export import FORMATS
from shizi.geometry import Polygon

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "resources/alto-4-4.xsd"))
ALTO = {"a": "http://www.loc.gov/standards/alto/ns-v4#"}
HTML = {"h": "http://www.w3.org/1999/xhtml"}


def mixed() -> Document:
    """Give a page with a tilted line, a column, a line in no block, a block that names a line twice."""
    page = drawn(
        rows=[(80, 60, "第一行 first"), (80, 120, "第二行")],
        columns=[(800, 100, "竖排文字")],
        tilted=[(100, 300, "倾斜 tilted line", 5.0)],
    ).page
    around = Polygon.from_bounds(70, 50, 400, 170)
    return Document((Page(1, 900, 600, 150.0, 0, page.lines, (Block("text", around, (0, 1, 1)),)), Page(7, 20, 10)))


def alto_of(document: Document) -> etree._Element:
    root = etree.fromstring(FORMATS["alto"].write(document))
    SCHEMA.assertValid(root)
    return root


@pytest.mark.parametrize(
    "document", [mixed(), hostile(), Document((Page(1, 5, 5),))], ids=["mixed", "hostile", "empty"]
)
def test_alto_is_valid_by_its_schema(document: Document) -> None:
    root = alto_of(document)
    assert len(root.findall(".//a:Page", ALTO)) == len(document.pages)
    assert len(root.findall(".//a:TextLine", ALTO)) == sum(len(page.lines) for page in document.pages)


def test_the_schema_can_refuse() -> None:
    root = alto_of(mixed())
    del root.find(".//a:String", ALTO).attrib["CONTENT"]
    assert not SCHEMA.validate(root)


def test_alto_places() -> None:
    root, page = alto_of(mixed()), mixed().pages[0]
    blocks = root.findall(".//a:TextBlock", ALTO)
    assert [len(block.findall("a:TextLine", ALTO)) for block in blocks] == [2, 1, 1]
    first = root.find(".//a:TextLine", ALTO)
    left, top, right, bottom = page.lines[0].polygon.bounds
    place = [float(first.get(name)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    assert place == pytest.approx([left, top, right - left, bottom - top], abs=0.06)
    assert [node.get("CONTENT") for node in first.findall("a:String", ALTO)] == ["第一行", "first"]
    assert first.find("a:SP", ALTO) is not None
    assert first.find("a:String", ALTO).get("WC") == "0.9000"
    column = root.xpath("//a:TextLine[@BASEDIRECTION='ttb']", namespaces=ALTO)
    assert [node.find("a:String", ALTO).get("CONTENT") for node in column] == ["竖排文字"]
    (x0, y0), (x1, y1) = (tuple(map(float, point.split(","))) for point in first.get("BASELINE").split())
    assert (x0, x1) == pytest.approx((left, right), abs=0.1)
    assert top < y0 == y1 < bottom


def hocr_of(document: Document) -> etree._Element:
    return etree.fromstring(FORMATS["hocr"].write(document))


def title(node: etree._Element) -> dict[str, list[float]]:
    parts = (part.split() for part in node.get("title").split(";"))
    return {name: [float(value) for value in values] for name, *values in parts}


def test_hocr_nests_pages_areas_paragraphs_lines_and_words() -> None:
    root, document = hocr_of(mixed()), mixed()
    pages = root.xpath("//h:div[@class='ocr_page']", namespaces=HTML)
    assert [title(page)["bbox"] for page in pages] == [[0, 0, 900, 600], [0, 0, 20, 10]]
    assert [title(page)["ppageno"] for page in pages] == [[0], [1]]
    assert title(pages[0])["scan_res"] == [150, 150]
    path = "h:div[@class='ocr_carea']/h:p[@class='ocr_par']/h:span[@class='ocr_line']"
    lines = pages[0].xpath(path, namespaces=HTML)
    assert ["".join(node.itertext()) for node in lines] == [line.text for line in document.pages[0].lines]
    names = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(names) == len(set(names))
    for node in root.iter():
        if node.get("class") == "ocrx_word":
            outer, inner = title(node.getparent())["bbox"], title(node)["bbox"]
            assert outer[0] <= inner[0] < inner[2] <= outer[2]
            assert outer[1] <= inner[1] < inner[3] <= outer[3]
            assert title(node)["x_wconf"] == [90]
    assert set(root.xpath("//h:meta/@name", namespaces=HTML)) >= {"ocr-system", "ocr-capabilities"}


def test_hocr_baseline_runs_along_a_tilted_line() -> None:
    document = mixed()
    tilted = next(line for line in document.pages[0].lines if "tilted" in line.text)
    nodes = hocr_of(document).xpath("//h:span[@class='ocr_line']", namespaces=HTML)
    [node] = [node for node in nodes if "tilted" in "".join(node.itertext())]
    values = title(node)
    slope, offset = values["baseline"]
    assert slope == pytest.approx(0.0875, abs=0.001)  # tan 5
    assert values["textangle"] == [355.0]
    left, _, _, bottom = values["bbox"]
    (_, top), _, _, (x, low) = tilted.polygon.corners
    at_start = bottom + offset + slope * (x - left)
    assert top < at_start < low, "the baseline begins inside of the line's frame"


def test_a_line_without_words_is_one_word() -> None:
    bare = Line("no words here", 0.7, Polygon.from_bounds(1, 1, 90, 9))
    root = hocr_of(Document((Page(1, 100, 10, lines=(bare,)),)))
    assert root.xpath("//h:span[@class='ocrx_word']/text()", namespaces=HTML) == ["no words here"]


def test_boxes_stay_on_the_page() -> None:
    page = Page(1, 50, 50, lines=(line("over the edge", Polygon.from_bounds(-20, -5, 90.4, 60)),))
    boxes = re.findall(rb"bbox (-?\d+) (-?\d+) (-?\d+) (-?\d+)", FORMATS["hocr"].write(Document((page,))))
    assert boxes
    assert all(0 <= int(value) <= 50 for box in boxes for value in box)


def test_language_is_said() -> None:
    assert b'lang="zh"' in FORMATS["hocr"].write(Document((page_of("中文"),)))
    assert b'LANG="en"' in FORMATS["alto"].write(Document((page_of("English"),)))

"""What holds for every row of the table of formats, each file opened by a reader that is not ours."""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser

import docx
import openpyxl
import pypdfium2
import pytest
from documents import HOSTILE, Drawn, drawn, hostile
from lxml import etree
from markdown_it import MarkdownIt
from pictures import encoded

from shizi.document import Document, Page
from shizi.errors import OptionsError
from shizi.export import FORMATS
from shizi.options import ReadOptions

OUR_TAGS = ("html", "head", "meta", "title", "style", "body", "main", "section", "aside", "p", "br")
OUR_TAGS += ("table", "thead", "tbody", "tr", "th", "td")


class Html(HTMLParser):
    """Gathers tags with their attributes, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names.update(name for name, _ in attributes)

    def handle_data(self, data: str) -> None:
        self.text += data


def html_of(data: bytes) -> Html:
    parser = Html()
    parser.feed(data.decode())
    return parser


def open_pdf(data: bytes) -> str:
    with pypdfium2.PdfDocument(data) as pdf:
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


def open_xlsx(data: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(data))
    cells = [cell for sheet in book for row in sheet for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}, "no formula"
    assert all(cell.hyperlink is None for cell in cells)
    return "\n".join(str(cell.value) for cell in cells)


def open_docx(data: bytes) -> str:
    word = docx.Document(io.BytesIO(data))
    cells = [cell.text for made in word.tables for row in made.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in word.paragraphs), *cells])


def open_alto(data: bytes) -> str:
    written = {"String": lambda node: node.get("CONTENT"), "SP": lambda _: " ", "TextLine": lambda _: "\n"}
    nodes = [(etree.QName(node).localname, node) for node in etree.fromstring(data).iter()]
    return "".join(written[name](node) for name, node in nodes if name in written)


OPENED: dict[str, Callable[[bytes], str]] = {
    "text": bytes.decode,
    "json": lambda data: json.loads(data)["text"],
    "markdown": lambda data: html_of(MarkdownIt("gfm-like", {"linkify": False}).render(data.decode()).encode()).text,
    "html": lambda data: html_of(data).text,
    "hocr": lambda data: "".join(etree.fromstring(data).itertext()),
    "alto": open_alto,
    "csv": lambda data: "\n".join(cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row),
    "xlsx": open_xlsx,
    "docx": open_docx,
    "pdf": open_pdf,
}


@pytest.fixture(scope="module")
def page() -> Drawn:
    return drawn()


@pytest.fixture(scope="module")
def jpeg(page: Drawn) -> bytes:
    return encoded(page.picture, "JPEG", quality=90)


def test_every_format_is_opened_here() -> None:
    assert set(OPENED) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_chinese_comes_back(name: str, page: Drawn, jpeg: bytes) -> None:
    data = FORMATS[name].write(Document((page.page,), "JPEG"), jpeg)
    text = OPENED[name](data).replace(" ", "")
    assert "识字读出文字shizi2026" in text
    assert "金额1,234.50元" in text


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_read_acts_or_breaks_a_file(name: str, jpeg: bytes) -> None:
    data = FORMATS[name].write(hostile(), jpeg)
    text = OPENED[name](data)
    if name != "pdf":  # its first page holds lines that lie outside of what is shown
        assert "<img src=x onerror=alert(1)>" in text.replace("'", "")
        assert "astral 𠀀𠮷 🀄 end" in text or "astral𠀀𠮷🀄end" in text
    if name != "json":
        assert not re.search("[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff]", text)


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_hostile_text_is_no_markup(name: str, jpeg: bytes) -> None:
    data = FORMATS[name].write(hostile())
    if name == "markdown":
        parsed = html_of(MarkdownIt("gfm-like", {"linkify": False}).render(data.decode()).encode())
        ours = {"p", "br", "hr", "table", "thead", "tbody", "tr", "th", "td"}
    else:
        parsed = html_of(data)
        ours = {
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "section",
            "aside",
            "p",
            "br",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        }
    assert set(parsed.tags) <= ours
    assert not any(attribute.startswith("on") or attribute in ("href", "src") for attribute in parsed.names)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("pages", [(), (Page(1, 900, 600),), (Page(1, 900, 600), Page(2, 5, 5))])
def test_nothing_at_all_is_a_file_too(name: str, pages: tuple[Page, ...], jpeg: bytes) -> None:
    if name == "pdf" and not pages:
        pages = (Page(1, 900, 600),)
    OPENED[name](FORMATS[name].write(Document(pages[:1] if name == "pdf" else pages, "JPEG"), jpeg))


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_document_gives_the_same_text_twice(name: str, page: Drawn, jpeg: bytes) -> None:
    written = [FORMATS[name].write(Document((page.page,), "JPEG"), jpeg) for _ in range(2)]
    if name in ("xlsx", "docx"):  # archives with the time in them
        files = [
            {i.filename: archive.read(i) for i in archive.infolist() if "core" not in i.filename}
            for archive in (zipfile.ZipFile(io.BytesIO(data)) for data in written)
        ]
        assert files[0] == files[1]
    else:
        assert written[0] == written[1]


@pytest.mark.parametrize("name", FORMATS)
def test_places_raise_the_detail_and_never_lower_it(name: str) -> None:
    asked = FORMATS[name].asking(ReadOptions(mode="fast"))
    assert asked.detail == ("word" if name in ("hocr", "alto", "pdf") else "line")
    assert asked.mode == "fast"
    assert FORMATS[name].asking(ReadOptions(detail="character")).detail == "character"


def test_a_format_made_of_the_source_says_so() -> None:
    with pytest.raises(OptionsError, match="made of the file that was read"):
        FORMATS["pdf"].write(hostile())


def test_a_missing_extra_is_told_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shizi.export.find_spec", lambda name: None)
    with pytest.raises(OptionsError, match=r"pip install 'shizi\[docx\]'"):
        FORMATS["docx"].check()
    FORMATS["pdf"].check()


def test_the_table_loads_no_library() -> None:
    program = (
        "import shizi.export, sys; assert not {'pikepdf', 'xlsxwriter', 'docx', 'lxml', 'numpy'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


def test_hostile_texts_are_all_there() -> None:
    assert len(hostile().pages[0].lines) == len(HOSTILE)

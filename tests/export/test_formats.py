"""Each export format on a document of two pages."""

import io
import json

import numpy as np
from fakes import FakeReader
from PIL import Image

from shizi.document import Document, Page
from shizi.export import FORMATS, drawing


def two_pages() -> Document:
    reader = FakeReader()
    reader.pages = 2
    return reader.read(b"")


def test_text() -> None:
    page = "识字 reads\n第二行 <b>&amp;\n"
    assert FORMATS["text"].write(two_pages()).decode() == f"{page}\f{page}"
    assert FORMATS["text"].write(Document((Page(1, 10, 10),))) == b""


def test_json_reads_back() -> None:
    data = FORMATS["json"].write(two_pages())
    assert "识字".encode() in data
    assert data.count(b"\n") == 1
    assert Document.from_dict(json.loads(data)) == two_pages()


def test_drawing_turns_the_picture_upright() -> None:
    """A picture that was turned 90 degrees clockwise to be read is drawn turned so too."""
    lying = np.full((200, 80, 3), 255, np.uint8)
    lying[190:, :10] = (255, 0, 0)  # bottom left, so top left once turned clockwise
    page = Page(1, 200, 80, rotation=90)
    written = drawing.write(lying, page)
    with Image.open(io.BytesIO(written)) as picture:
        assert picture.size == (200, 80)
        assert picture.getpixel((2, 2)) == (255, 0, 0)

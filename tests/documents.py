"""Documents made for tests of the exports: pages drawn with the places of their lines known, and a hostile one.

`drawn` gives a picture and the page that a perfect reader would read from it. `hostile` holds what must never act.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from shizi.document import Block, Cell, Check, Document, Field, Line, Page, Table, Verdict, Word
from shizi.geometry import Point, Polygon

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "@SUM(A1)|cmd",
    "-1+2",
    "a | b || c",
    "# no heading",
    "1. no list",
    "- no list either",
    "---",
    "[no](javascript:alert(1)) ![no](x) `no` **no** _no_ ~~no~~ $no$",
    "&lt;b&gt; &amp; ]]> --> </table></section><script>alert(1)</script>",
    "NUL \x00 bell \x07 escape \x1b form feed \x0c end",
    "half \ud800 pair \udc00 no character \uffff",
    "astral 𠀀𠮷 🀄 end",
    "שלום עולם and مرحبا",
    "tab\tand\r\nbreak\u2028too",
    "    indented",
    "",
    " ",
    "很长" * 20_000,
)


@dataclass(frozen=True)
class Drawn:
    """A picture and its page."""

    picture: Image.Image
    page: Page


def words(text: str, polygon: Polygon, vertical: bool = False) -> tuple[Word, ...]:
    """Cut a line as the reader does: at spaces, and between Chinese and other characters; equal widths."""
    spans: list[list[int]] = []
    before = ""
    for i, character in enumerate(text):
        kind = " " if character.isspace() else "W" if unicodedata.east_asian_width(character) in "WF" else "N"
        if kind != " ":
            if kind != before:
                spans.append([i, i])
            spans[-1][1] = i + 1
        before = kind
    length = len(text)
    return tuple(Word(text[a:b], 0.9, polygon.part(a / length, b / length, vertical)) for a, b in spans)


def line(text: str, polygon: Polygon, vertical: bool = False) -> Line:
    return Line(text, 0.95, polygon, words(text, polygon, vertical), "drawn", vertical)


def font(size: int) -> ImageFont.FreeTypeFont:
    if not FONT.exists():
        pytest.skip("Debian's package fonts-noto-cjk is missing: apt-get install fonts-noto-cjk")
    return ImageFont.truetype(str(FONT), size)


def drawn(
    rows: Iterable[tuple[int, int, str]] = ((80, 60, "识字读出文字 shizi 2026"), (80, 160, "第二行：金额 1,234.50 元")),
    columns: Iterable[tuple[int, int, str]] = (),
    tilted: Sequence[tuple[int, int, str, float]] = (),
    size: tuple[int, int] = (900, 600),
    height: int = 36,
    dpi: float | None = 150.0,
) -> Drawn:
    """Draw lines at their left top corners, columns of upright characters, and lines turned clockwise by degrees."""
    face = font(height)
    picture = Image.new("RGB", size, "white")
    brush = ImageDraw.Draw(picture)
    lines = []
    for x, y, text in rows:
        brush.text((x, y), text, "black", face)
        lines.append(line(text, Polygon.from_bounds(*brush.textbbox((x, y), text, face))))
    for x, y, text in columns:
        step = round(1.1 * height)
        for i, character in enumerate(text):
            brush.text((x, y + i * step - height // 4), character, "black", face)
        lines.append(line(text, Polygon.from_bounds(x, y, x + height, y + step * len(text)), vertical=True))
    for x, y, text, degrees in tilted:
        layer = Image.new("RGBA", size)
        pen = ImageDraw.Draw(layer)
        pen.text((x, y), text, (0, 0, 0, 255), face)
        turned = layer.rotate(-degrees, center=(x, y), resample=Image.Resampling.BICUBIC)
        picture.paste(turned, (0, 0), turned)
        upright = Polygon.from_bounds(*pen.textbbox((x, y), text, face))
        lines.append(line(text, Polygon.from_points(spun(corner, (x, y), degrees) for corner in upright.corners)))
    return Drawn(picture, Page(1, *size, dpi=dpi, lines=tuple(lines)))


def spun(point: Point, centre: Point, degrees: float) -> Point:
    """Turn a point clockwise on the picture."""
    angle = math.radians(degrees)
    x, y = point[0] - centre[0], point[1] - centre[1]
    return (
        centre[0] + x * math.cos(angle) - y * math.sin(angle),
        centre[1] + x * math.sin(angle) + y * math.cos(angle),
    )


def table(rows: Sequence[Sequence[str]], spans: dict[tuple[int, int], tuple[int, int]] | None = None) -> Table:
    """Make a table of texts; `spans` gives rows and columns covered by the cell at a place; '' beneath is no cell."""
    spans = spans or {}
    covered = {
        (row + i, column + j)
        for (row, column), (down, across) in spans.items()
        for i in range(down)
        for j in range(across)
        if i or j
    }
    cells = [
        Cell(r, c, text, Polygon.from_bounds(c, r, c + 1, r + 1), *spans.get((r, c), (1, 1)))
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
        if (r, c) not in covered
    ]
    return Table(Polygon.from_bounds(0, 0, 100, 100), len(rows), len(rows[0]), tuple(cells))


def page_of(*texts: str, tables: tuple[Table, ...] = (), blocks: tuple[Block, ...] = (), number: int = 1) -> Page:
    lines = tuple(line(text, Polygon.from_bounds(10, 10 + 30 * i, 500, 35 + 30 * i)) for i, text in enumerate(texts))
    return Page(number, 600, 20 + 30 * len(texts), lines=lines, tables=tables, blocks=blocks)


def field(name: str, value: str, passed: bool = True) -> Field:
    return Field(
        name, value, value, 0.9, polygon=Polygon.from_bounds(0, 0, 9, 9), checks=(Check("sum", passed, value),)
    )


def hostile() -> Document:
    """Give a document that holds every hostile text as a line, in cells and in fields, and an empty page."""
    rows = [[text, text] for text in HOSTILE]
    broken = Table(  # cells that lie over one another and outside of the table
        Polygon.from_bounds(0, 0, 9, 9),
        2,
        2,
        tuple(
            Cell(r, c, "over", Polygon.from_bounds(0, 0, 9, 9), 9, 9)
            for r, c in ((0, 0), (0, 1), (1, 0), (5, 5), (-1, 0), (0, 0))
        ),
    )
    empty = Table(Polygon.from_bounds(0, 0, 9, 9), 0, 0, ())
    pages = (
        page_of(*HOSTILE, tables=(table(rows, {(0, 0): (1, 2), (1, 0): (2, 1)}), broken, empty)),
        Page(2, 10, 10),
        page_of("<b>third</b>", number=3),
    )
    fields = (*(field(f"f{i}", text) for i, text in enumerate(HOSTILE)),)
    items = Field("items", "", "", 0.5, rows=((field("name", "=cmd"), field("amount", "-5.00", False)),))
    return Document(pages, "PNG", ("w@1",), (*fields, items), Verdict("review", ("<script>",)))

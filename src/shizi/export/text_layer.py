"""Text layer: the invisible text of a page as PDF operators, and the blank font it is set in.

Takes lines in pixels of the upright page image and where that image lies on a PDF page; gives content streams and
one font object. Knows nothing of pictures, of files or of pikepdf's saving.

Each run of characters (a word, a gap) is stretched to its own width, and runs follow one another without holes along
the line's own direction, so that a selection follows what the eye sees and a search meets no space that was never
written. The font has one blank glyph for every code; codes are given out as characters come, so that characters
beyond the Basic Multilingual Plane have one as well.
"""

import math
import struct
from dataclasses import dataclass, field

import pikepdf
from pikepdf import Array, Dictionary, Name

from shizi.document import Line, Page
from shizi.geometry import Point

MARK = "% text layer by shizi"  # a comment, by which a layer is known again

# Glyphs fill the line's frame: baseline on its lower edge, one em high. Viewers draw selections from these two.
_ASCENT, _DESCENT, _ADVANCE = 1000, 0, 1000
_MOST_CODES = 0xFFFF  # two bytes a code; 0 stays .notdef
_BFCHARS = 100  # entries a block may have (Adobe Technical Note 5014)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a page image lies on a PDF page: it fills `box` (left, bottom, right, top in the page's own units).

    `turn`: degrees clockwise (0, 90, 180, 270) from the PDF page as its units run to the upright page image.
    """

    width: int
    height: int
    box: tuple[float, float, float, float]
    turn: int = 0

    def point(self, corner: Point) -> Point:
        """Give the place on the PDF page of a point in pixels."""
        x, y = corner[0] / self.width, corner[1] / self.height
        left, bottom, right, top = self.box
        across, up = {0: (x, 1 - y), 90: (y, x), 180: (1 - x, y), 270: (1 - y, 1 - x)}[self.turn]
        return left + across * (right - left), bottom + up * (top - bottom)


@dataclass(slots=True)
class BlankFont:
    """The font of one PDF: codes are given out while layers are written, `finish` makes the object."""

    codes: dict[str, int] = field(default_factory=dict)

    def encode(self, text: str) -> str:
        """Give the codes of a text in hexadecimal, four digits a character."""
        return "".join(f"{self._code(character):04X}" for character in text)

    def _code(self, character: str) -> int:
        if character not in self.codes and len(self.codes) >= _MOST_CODES - 1:
            character = "\ufffd"  # more kinds of characters than codes; the last one stands for all others
        return self.codes.setdefault(character, len(self.codes) + 1)

    def finish(self, pdf: pikepdf.Pdf, font: pikepdf.Object) -> None:
        """Make `font`, an empty dictionary of `pdf`, the font (ISO 32000-1, 9.7: Type0, Identity-H)."""
        name = Name("/ShiziBlank")
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=name,
            Flags=4,
            FontBBox=[0, _DESCENT, _ADVANCE, _ASCENT],
            ItalicAngle=0,
            Ascent=_ASCENT,
            Descent=_DESCENT,
            CapHeight=_ASCENT,
            StemV=80,
            FontFile2=pdf.make_stream(blank_truetype()),
        )
        glyphs = b"\0\0" + b"\0\1" * len(self.codes)
        descendant = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=name,
            CIDSystemInfo=Dictionary(Registry="Adobe", Ordering="Identity", Supplement=0),
            FontDescriptor=pdf.make_indirect(descriptor),
            DW=_ADVANCE,
            CIDToGIDMap=pdf.make_stream(glyphs),
        )
        values = Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=name,
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(descendant)]),
            ToUnicode=pdf.make_stream(self._to_unicode()),
        )
        for key, value in values.items():
            font[key] = value

    def _to_unicode(self) -> bytes:
        entries = [f"<{code:04X}> <{character.encode('utf-16-be').hex()}>" for character, code in self.codes.items()]
        blocks = [entries[start : start + _BFCHARS] for start in range(0, len(entries), _BFCHARS)]
        return "\n".join(
            (
                "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
                "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
                "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
                "1 begincodespacerange <0000> <FFFF> endcodespacerange",
                *(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks),
                "endcmap CMapName currentdict /CMap defineresource pop end end",
            )
        ).encode()


def layer(page: Page, place: Placement, font: BlankFont, name: str) -> bytes:
    """Write the operators that set a page's lines in `font`, invisible; `name`: what the page calls the font."""
    lines = [_set_line(line, place, font, name) for line in page.lines]
    return "\n".join((MARK, "q", "BT", "3 Tr", *filter(None, lines), "ET", "Q\n")).encode()


def _set_line(line: Line, place: Placement, font: BlankFont, name: str) -> str:
    first, second, third, fourth = (place.point(corner) for corner in line.polygon.corners)
    if line.vertical:  # run down the column, the tops of the glyphs to its right
        fourth, first, second, third = first, second, third, fourth
    along = second[0] + third[0] - first[0] - fourth[0], second[1] + third[1] - first[1] - fourth[1]
    length = math.hypot(*along) / 2
    size = (math.dist(first, fourth) + math.dist(second, third)) / 2
    if not line.text or length < 1e-3 or size < 1e-3:
        return ""
    x, y = along[0] / length / 2, along[1] / length / 2
    begin, runs = _runs(line)
    left, low = fourth[0] + begin * length * x, fourth[1] + begin * length * y
    parts = [f"/{name} {size:.3f} Tf {x:.5f} {y:.5f} {-y:.5f} {x:.5f} {left:.3f} {low:.3f} Tm"]
    for text, share in runs:
        stretch = 100 * share * length / (len(text) * size)
        parts.append(f"{max(stretch, 0.001):.4f} Tz <{font.encode(text)}> Tj")
    return " ".join(parts)


def _runs(line: Line) -> tuple[float, list[tuple[str, float]]]:
    """Cut a line into its words and the gaps between them, without holes.

    Gives where the first begins, 0..1 of the line's length, and each run's share of that length.
    """
    spans = _spans(line)
    begin = reached = min(max(spans[0][1], 0.0), 0.5)
    runs = []
    for i, (text, _, end) in enumerate(spans):
        if i + 1 < len(spans) and not (text.isspace() or spans[i + 1][0].isspace()):
            end = (end + spans[i + 1][1]) / 2  # two words without a space between: they meet half way
        end = min(1.0, max(end, reached + (1 - reached) * 1e-3))
        runs.append((text, end - reached))
        reached = end
    return begin, runs


def _spans(line: Line) -> list[tuple[str, float, float]]:
    """Give the words of a line, and the spaces between, with where they start and end; the whole if it has none."""
    spans: list[tuple[str, float, float]] = []
    at, reached = 0, 0.0
    for word in line.words:
        place = line.text.find(word.text, at)
        if place < 0 or not word.text or line.text[at:place].strip():
            return [(line.text, 0.0, 1.0)]
        start, end = _extent(line, word.polygon.corners)
        if place > at:
            spans.append((line.text[at:place], reached, start))
        spans.append((word.text, start, end))
        at, reached = place + len(word.text), end
    if line.text[at:].strip() or not spans:
        return [(line.text, 0.0, 1.0)]
    if line.text[at:]:
        spans.append((line.text[at:], reached, 1.0))
    return spans


def _extent(line: Line, corners: tuple[Point, Point, Point, Point]) -> tuple[float, float]:
    """Give where a word starts and ends along its line, 0..1, by the middles of their ends."""
    a, b, c, d = line.polygon.corners
    head, tail = ((a, b), (d, c)) if line.vertical else ((a, d), (b, c))
    origin, end = _middle(*head), _middle(*tail)
    across, down = end[0] - origin[0], end[1] - origin[1]
    square = across * across + down * down or 1.0
    a, b, c, d = corners
    ends = (_middle(a, b), _middle(d, c)) if line.vertical else (_middle(a, d), _middle(b, c))
    first, last = (((x - origin[0]) * across + (y - origin[1]) * down) / square for x, y in ends)
    return first, last


def _middle(first: Point, second: Point) -> Point:
    return (first[0] + second[0]) / 2, (first[1] + second[1]) / 2


def blank_truetype() -> bytes:
    """Write a TrueType font of one glyph without ink, one em wide and high (OpenType 1.9, the tables PDF asks for).

    The glyph is a line from corner to corner and back: no area, so nothing to fill, but an extent. Without one
    pdfium takes a run of a single character for nothing, and gives selections no height.
    """
    extent = (0, _DESCENT, _ADVANCE, _ASCENT)
    outline = struct.pack(">h4hHHBB4h", 1, *extent, 1, 0, 1, 1, 0, _ADVANCE, _DESCENT, _ASCENT - _DESCENT)
    tables = {
        b"cmap": struct.pack(">HHHHI", 0, 1, 1, 0, 12) + struct.pack(">HHHHH", 6, 12, 0, 32, 1) + b"\0\1",
        b"glyf": outline,
        b"head": struct.pack(">IIIIHH16x4hHHhhh", 0x10000, 0, 0, 0x5F0F3CF5, 0, 1000, *extent, 0, 8, 2, 0, 0),
        b"hhea": struct.pack(">IhhhHhhhhhh8xhH", 0x10000, _ASCENT, _DESCENT, 0, _ADVANCE, 0, 0, 0, 1, 0, 0, 0, 2),
        b"hmtx": struct.pack(">HhHh", _ADVANCE, 0, _ADVANCE, 0),
        b"loca": struct.pack(">HHH", 0, 0, len(outline) // 2),
        b"maxp": struct.pack(">IH13H", 0x10000, 2, 2, 1, 0, 0, 1, *(0,) * 8),
        b"name": struct.pack(">HHH", 0, 0, 6),
        b"post": struct.pack(">IIhhI16x", 0x30000, 0, 0, 0, 0),
    }
    at = 12 + 16 * len(tables)
    entries, bodies = [], []
    for tag, body in tables.items():
        padded = body + bytes(-len(body) % 4)
        checksum = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        entries.append(struct.pack(">4sIII", tag, checksum, at, len(body)))
        bodies.append(padded)
        at += len(padded)
    return struct.pack(">IHHHH", 0x10000, len(tables), 128, 3, 16) + b"".join(entries + bodies)

"""Documents: what a reading gives. Frozen values on the standard library, with their way to JSON and back.

Lines are kept once, flat, in reading order; blocks point to them by index. An empty page is a page with no lines.
Coordinates are pixels of the upright page image, origin top left. A line's confidence is the estimated chance that
the whole line is right, 0..1; a word's and a character's likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shizi.geometry import Polygon

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class PageImage:
    """One decoded page: `pixels` H W 3 uint8 RGB, `number` from 1, `dpi` if the file states it."""

    pixels: npt.NDArray[np.uint8]
    number: int = 1
    dpi: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Char:
    """One character; `start` and `end` are shares 0..1 of its line's length."""

    text: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a recogniser read on one strip; `model` names its weights."""

    text: str
    confidence: float
    chars: tuple[Char, ...] = ()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A run of Latin letters and digits, or of Chinese characters, within one line."""

    text: str
    confidence: float
    polygon: Polygon
    chars: tuple[Char, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line (or one column, if `vertical`) of text; `model` names the weights that read it."""

    text: str
    confidence: float
    polygon: Polygon
    words: tuple[Word, ...] = ()
    model: str = ""
    vertical: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together; `lines` are indexes into the page's lines."""

    kind: str
    polygon: Polygon
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page read. `rotation`: degrees clockwise (0, 90, 180, 270) the picture was turned to stand upright."""

    number: int
    width: int
    height: int
    dpi: float | None = None
    rotation: int = 0
    lines: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The page's lines, one a row, a blank row between blocks."""
        if not self.blocks:
            return "\n".join(line.text for line in self.lines)
        return "\n\n".join("\n".join(self.lines[i].text for i in block.lines) for block in self.blocks)

    @property
    def confidence(self) -> float:
        """The mean confidence of the lines, weighted by their characters; 0 on an empty page."""
        return _mean_confidence(self.lines)


@dataclass(frozen=True, slots=True)
class Document:
    """One input read: its pages, the format it came in, and the weights that read it (`name@digest`)."""

    pages: tuple[Page, ...]
    source: str = ""
    weights: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of all pages; a form feed between pages, as in the output of pdftotext."""
        return "\n\f".join(page.text for page in self.pages)

    @property
    def confidence(self) -> float:
        """The mean confidence of all lines, weighted by their characters; 0 if there are none."""
        return _mean_confidence(tuple(line for page in self.pages for line in page.lines))

    def to_dict(self) -> dict[str, Any]:
        """Give the document as JSON-ready values; `from_dict` reads them back."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "source": self.source,
            "weights": list(self.weights),
            "pages": [_page_to_dict(page) for page in self.pages],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Document:
        """Read what `to_dict` wrote."""
        return cls(
            pages=tuple(_page_from_dict(page) for page in values["pages"]),
            source=values.get("source", ""),
            weights=tuple(values.get("weights", ())),
        )


def _mean_confidence(lines: tuple[Line, ...]) -> float:
    total = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / total if total else 0.0


def _corners(polygon: Polygon) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in polygon.corners]


def _page_to_dict(page: Page) -> dict[str, Any]:
    return {
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "dpi": page.dpi,
        "rotation": page.rotation,
        "text": page.text,
        "lines": [_line_to_dict(line) for line in page.lines],
        "blocks": [
            {"kind": block.kind, "polygon": _corners(block.polygon), "lines": list(block.lines)}
            for block in page.blocks
        ],
        "warnings": list(page.warnings),
    }


def _line_to_dict(line: Line) -> dict[str, Any]:
    values: dict[str, Any] = {
        "text": line.text,
        "confidence": round(line.confidence, 4),
        "polygon": _corners(line.polygon),
        "model": line.model,
        "vertical": line.vertical,
    }
    if line.words:
        values["words"] = [_word_to_dict(word) for word in line.words]
    return values


def _word_to_dict(word: Word) -> dict[str, Any]:
    values: dict[str, Any] = {
        "text": word.text,
        "confidence": round(word.confidence, 4),
        "polygon": _corners(word.polygon),
    }
    if word.chars:
        values["chars"] = [
            {
                "text": char.text,
                "confidence": round(char.confidence, 4),
                "start": round(char.start, 4),
                "end": round(char.end, 4),
            }
            for char in word.chars
        ]
    return values


def _page_from_dict(values: Mapping[str, Any]) -> Page:
    return Page(
        number=values["number"],
        width=values["width"],
        height=values["height"],
        dpi=values["dpi"],
        rotation=values["rotation"],
        lines=tuple(_line_from_dict(line) for line in values["lines"]),
        blocks=tuple(
            Block(block["kind"], Polygon.from_points(block["polygon"]), tuple(block["lines"]))
            for block in values["blocks"]
        ),
        warnings=tuple(values["warnings"]),
    )


def _line_from_dict(values: Mapping[str, Any]) -> Line:
    return Line(
        text=values["text"],
        confidence=values["confidence"],
        polygon=Polygon.from_points(values["polygon"]),
        words=tuple(
            Word(
                text=word["text"],
                confidence=word["confidence"],
                polygon=Polygon.from_points(word["polygon"]),
                chars=tuple(Char(**char) for char in word.get("chars", ())),
            )
            for word in values.get("words", ())
        ),
        model=values["model"],
        vertical=values["vertical"],
    )

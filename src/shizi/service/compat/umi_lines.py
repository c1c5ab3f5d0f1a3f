"""Umi-OCR's lines: a page's lines with what ends each, by the parser that is asked for.

Takes pages, gives lists as the answers of `/api/ocr` and `/api/doc/result` carry them.
"""

from collections.abc import Iterator
from typing import Any

from shizi.document import Line, Page
from shizi.errors import OptionsError
from shizi.service.compat import door

PARSERS = {
    "multi_para": "多栏-按自然段换行",
    "multi_line": "多栏-总是换行",
    "multi_none": "多栏-无换行",
    "single_para": "单栏-按自然段换行",
    "single_line": "单栏-总是换行",
    "single_none": "单栏-无换行",
    "single_code": "单栏-保留缩进",
    "none": "不做处理",
}


def lines_of(
    page: Page, parser: str = "multi_para", areas: list[tuple[float, float, float, float]] | None = None
) -> Iterator[dict[str, Any]]:
    """Give a page's lines as Umi-OCR does, each with what ends it by the `parser`; not those inside an ignored area."""
    check_parser(parser)
    ends = _paragraph_ends(page)
    kept = [
        (number, line)
        for number, line in enumerate(page.lines)
        if not any(_inside(door.bounds(door.corners(line.polygon, page)), area) for area in areas or ())
    ]
    left = min((line.polygon.bounds[0] for _, line in kept), default=0.0)
    for place, (number, line) in enumerate(kept):
        following = kept[place + 1][1] if place + 1 < len(kept) else None
        text = line.text
        if parser == "single_code":
            text = " " * round((line.polygon.bounds[0] - left) / _character_width(line)) + text
        yield {
            "text": text,
            "score": round(line.confidence, 5),
            "box": [list(corner) for corner in door.corners(line.polygon, page)],
            "end": _end(parser, line, following, number in ends),
        }


def check_parser(parser: object) -> None:
    """Raise OptionsError for what is no `tbpu.parser`."""
    if not isinstance(parser, str) or parser not in PARSERS:
        raise OptionsError(f"tbpu.parser is {str(parser)[:40]!r}; expected one of {', '.join(PARSERS)}.")


def text_of(lines: list[dict[str, Any]]) -> str:
    """Join lines by what ends each."""
    return "".join(line["text"] + line["end"] for line in lines)


def _paragraph_ends(page: Page) -> set[int]:
    return {block.lines[-1] for block in page.blocks if block.lines}


def _end(parser: str, line: Line, following: Line | None, closes: bool) -> str:
    if following is None:
        return "\n"
    if parser.endswith(("_line", "_code")) or parser == "none" or (parser.endswith("_para") and closes):
        return "\n"
    # Words of Latin letters need a space between them, Chinese none.
    return " " if line.text[-1:].isascii() and following.text[:1].isascii() else ""


def _character_width(line: Line) -> float:
    left, _, right, _ = line.polygon.bounds
    halves = sum(1 if character.isascii() else 2 for character in line.text)
    return max(1.0, (right - left) / max(1, halves))


def areas(given: object) -> list[tuple[float, float, float, float]]:
    """Take a `tbpu.ignoreArea`. Raises OptionsError for anything else."""
    try:
        return [(float(a), float(b), float(c), float(d)) for (a, b), (c, d) in given]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise OptionsError("tbpu.ignoreArea: expected a list of [[x1, y1], [x2, y2]].") from error


def _inside(box: tuple[float, float, float, float], area: tuple[float, float, float, float]) -> bool:
    return box[0] >= area[0] and box[1] >= area[1] and box[2] <= area[2] and box[3] <= area[3]

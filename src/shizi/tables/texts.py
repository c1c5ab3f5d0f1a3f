"""Texts: the pieces of a line that lie in different cells.

Takes a `Line`, and what tells the cell of a point; gives a `Piece` a cell. A line is cut between characters.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shizi.charset import is_chinese
from shizi.document import Char, Line
from shizi.geometry import Point, Polygon

# Widths of characters, and the white beyond them that parts two cells, in heights of the line (margins included).
FULL, HALF, APART = 0.72, 0.4, 0.6
SPARSE = 0.25  # gap between the characters of an upright column, in its widths, from which it is no word


@dataclass(frozen=True, slots=True)
class Piece:
    """What of a line (its index) stands in one cell."""

    line: int
    text: str
    confidence: float
    polygon: Polygon


def cut_line(
    index: int, line: Line, cells_at: Callable[[Sequence[Point]], Sequence[int | None]]
) -> Iterator[tuple[int, Piece]]:
    """Cut a line where its characters pass from one cell to another; what lies in no cell is left out."""
    runs: list[tuple[int | None, list[Char]]] = []
    chars = characters(line)
    places = [_point(line, (char.start + char.end) / 2) for char in chars]
    for char, cell in zip(chars, cells_at(places), strict=True):
        if not runs or (runs[-1][0] != cell and not char.text.isspace()):
            runs.append((cell, []))
        runs[-1][1].append(char)
    for cell, run in runs:
        text = "".join(char.text for char in run).strip()
        if cell is None or not text:
            continue
        if len(runs) == 1:
            yield cell, Piece(index, line.text, line.confidence, line.polygon)
        else:
            confidence = min(line.confidence, statistics.fmean(char.confidence for char in run))
            polygon = line.polygon.part(run[0].start, run[-1].end, line.vertical)
            yield cell, Piece(index, text, confidence, polygon)


def unstacked(line: Line) -> list[Line]:
    """Take apart an upright column whose characters stand far apart: the cells of a table's column, one on each row."""
    chars = characters(line)
    height = line.polygon.height
    gaps = [(b.start - a.end) * height for a, b in pairwise(chars)]
    if not line.vertical or not gaps or statistics.median(gaps) < SPARSE * line.polygon.width:
        return [line]
    return [
        Line(char.text, char.confidence, line.polygon.part(char.start, char.end, True), model=line.model)
        for char in chars
    ]


def chunks(line: Line) -> Iterator[tuple[str, Polygon]]:
    """Cut a line into what stands together: detectors take cells of one row, far apart, for one line."""
    chars = [char for char in characters(line) if not char.text.isspace()]
    if not chars or line.vertical:
        yield line.text, line.polygon
        return
    height = line.polygon.height / max(1.0, line.polygon.width)  # as a share of the length, like the places
    centres = [(char.start + char.end) / 2 for char in chars]
    halves = [(FULL if is_chinese(char.text) else HALF) * height / 2 for char in chars]
    starts = [0]
    for i in range(1, len(chars)):
        if centres[i] - centres[i - 1] - halves[i - 1] - halves[i] > APART * height:
            starts.append(i)
    for start, end in zip(starts, [*starts[1:], len(chars)], strict=True):
        left = max(0.0, centres[start] - halves[start]) if start else 0.0
        right = min(1.0, centres[end - 1] + halves[end - 1]) if end < len(chars) else 1.0
        text = line.text if len(starts) == 1 else "".join(char.text for char in chars[start:end])
        yield text, line.polygon.part(left, right)


def characters(line: Line) -> list[Char]:
    """Give every character of a line with its place: as read, spaces between; else at even steps by its width."""
    known = [char for word in line.words for char in word.chars]
    if "".join(char.text for char in known) == "".join(line.text.split()):
        found: list[Char] = []
        rest = iter(known)
        for letter in line.text:
            if letter.isspace():
                end = found[-1].end if found else 0.0
                found.append(Char(letter, 1.0, end, end))
            else:
                found.append(next(rest))
                if len(found[-1].text) > 1:  # a mark read as several letters has one place
                    return _even(line)
        return found
    return _even(line)


def _even(line: Line) -> list[Char]:
    widths = [2 if is_chinese(letter) else 1 for letter in line.text]
    total, at, found = sum(widths) or 1, 0, []
    for letter, width in zip(line.text, widths, strict=True):
        found.append(Char(letter, line.confidence, at / total, (at + width) / total))
        at += width
    return found


def _point(line: Line, share: float) -> Point:
    return line.polygon.part(share, share, line.vertical).centre

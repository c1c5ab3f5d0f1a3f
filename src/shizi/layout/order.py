"""Order: the order in which people read the lines of a page, from geometry alone.

Takes polygons, gives groups of indexes. Works in the page's own tilt. Knows nothing of text, pixels or models.

The order is a recursive cut (Nagy and Seth, Hierarchical representation of optically scanned documents, ICPR 1984):
a group of lines is cut where white space runs clean through it. Cuts between rows come first, so that tables and
forms are read row by row; a gutter wins over them only where the text on its sides runs in paragraphs.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from shizi.geometry import Polygon

# A fragment's box is taken in by this share of its height at each end: grown boxes of neighbouring lines overlap.
SHRINK = 0.25
PARAGRAPH_FILL = 0.6  # lines of a paragraph fill this share of their column on average
PARAGRAPH_LINES = 3  # fewer lines side by side are no columns
ALIGNED = 0.3  # boxes whose middles differ by less than this share of their height stand on one row
ALIGNED_SHARE = 0.6  # share of boxes on rows with others that makes a table of a group
COLUMN_WIDTH = 7.0  # narrower columns, in line heights, are columns of a table


@dataclass(frozen=True, slots=True)
class Box:
    """One fragment in the page's own tilt: its bounds, its line height, and its index among the fragments."""

    index: int
    left: float
    top: float
    right: float
    bottom: float
    size: float
    vertical: bool

    @property
    def centre(self) -> float:
        """How far right the fragment's centre lies."""
        return (self.left + self.right) / 2

    @property
    def middle(self) -> float:
        """How far down the fragment's centre lies."""
        return (self.top + self.bottom) / 2


def boxes_of(polygons: Sequence[Polygon], vertical: Sequence[bool]) -> list[Box]:
    """Give the bounds of each polygon after turning the page back by its tilt."""
    tilt = math.radians(tilt_of(polygons, vertical))
    cos, sin = math.cos(tilt), math.sin(tilt)
    boxes = []
    for i, (polygon, upright) in enumerate(zip(polygons, vertical, strict=True)):
        turned = Polygon.from_points((x * cos + y * sin, y * cos - x * sin) for x, y in polygon.corners)
        left, top, right, bottom = turned.bounds
        size = polygon.width if upright else polygon.height
        boxes.append(Box(i, left, top, right, bottom, max(1.0, size), upright))
    return boxes


def tilt_of(polygons: Sequence[Polygon], vertical: Sequence[bool]) -> float:
    """Give the page's tilt in degrees: the length-weighted median direction of its lines.

    Columns, and lines that stray more than 45 degrees from the horizontal, do not count.
    """
    angles = sorted(
        (polygon.angle, polygon.width)
        for polygon, upright in zip(polygons, vertical, strict=True)
        if not upright and abs(polygon.angle) <= 45 and polygon.width > 2 * polygon.height
    )
    half, passed = sum(width for _, width in angles) / 2, 0.0
    for angle, width in angles:
        passed += width
        if passed >= half:
            return angle
    return 0.0


def reading_order(boxes: Sequence[Box]) -> list[list[int]]:
    """Put fragments in reading order; gives groups (columns, cells, bands) of indexes, each group in order."""
    if not boxes:
        return []
    columns = sum(_length(box) for box in boxes if box.vertical)
    if columns > 0.5 * sum(_length(box) for box in boxes):
        # A page of columns is a page of rows lying on its side: what runs down runs to the right, right is top.
        boxes = [
            replace(box, left=box.top, top=-box.right, right=box.bottom, bottom=-box.left, vertical=not box.vertical)
            for box in boxes
        ]
    return [[box.index for box in group] for group in _ordered(list(boxes))]


def _length(box: Box) -> float:
    return max(box.right - box.left, box.bottom - box.top)


def _ordered(boxes: list[Box]) -> list[list[Box]]:
    bands = _split(boxes, _rows_of)
    if len(bands) == 1:
        columns = _split(boxes, _columns_of)
        if len(columns) == 1:
            return [_by_lines(boxes)]
        if all(box.vertical for box in boxes):
            columns.reverse()
        elif not any(box.vertical for box in boxes) and _in_rows(columns):
            return [_by_lines(boxes)]
        return [group for column in columns for group in _ordered(column)]
    result: list[list[Box]] = []
    for section in _sections(bands):
        if len(section) == 1:
            (band,) = section
            columns = _split(band, _columns_of)
            upright = all(box.vertical for box in band) and len(columns) > 1
            if upright or any(len(_split(column, _rows_of)) > 1 for column in columns):
                groups = _ordered(band)
            else:
                groups = [sorted(band, key=lambda box: box.left)]
            result.extend(groups)
        else:
            together = [box for band in section for box in band]
            for column in _split(together, _columns_of):
                result.extend(_ordered(column))
    return result


def _rows_of(box: Box) -> tuple[float, float]:
    shrink = 0.0 if box.vertical else SHRINK * min(box.size, box.bottom - box.top)
    return box.top + shrink, box.bottom - shrink


def _columns_of(box: Box) -> tuple[float, float]:
    shrink = SHRINK * min(box.size, box.right - box.left) / 2
    return box.left + shrink, box.right - shrink


def _split(boxes: Iterable[Box], extent: Callable[[Box], tuple[float, float]]) -> list[list[Box]]:
    """Cut where no box's extent reaches across; groups come in rising order."""
    groups: list[list[Box]] = []
    reach = -math.inf
    for box in sorted(boxes, key=extent):
        start, end = extent(box)
        if start >= reach or not groups:
            groups.append([])
        groups[-1].append(box)
        reach = max(reach, end)
    return groups


def _sections(bands: list[list[Box]]) -> list[list[list[Box]]]:
    """Join successive bands that share a gutter between paragraphs; every other band stays alone."""
    sections: list[list[list[Box]]] = []
    start = 0
    while start < len(bands):
        end = _shared_until(bands, start)
        while end - start > 1 and not _in_columns([box for band in bands[start:end] for box in band]):
            end -= 1
        sections.append(bands[start:end])
        start = end
    return sections


def _shared_until(bands: list[list[Box]], start: int) -> int:
    """Give the index after the last band, from `start`, that leaves some gutter of the bands before it white."""
    together: list[Box] = []
    for end in range(start, len(bands)):
        together = together + bands[end]
        if len(_split(together, _columns_of)) == 1:
            return max(end, start + 1)
    return len(bands)


def _in_columns(boxes: list[Box]) -> bool:
    """Say whether the boxes are paragraphs side by side rather than the rows of a table."""
    columns = _split(boxes, _columns_of)
    if len(columns) < 2:
        return False
    for column in columns:
        left, right = min(box.left for box in column), max(box.right for box in column)
        size = statistics.median(box.size for box in column)
        fill = statistics.mean((box.right - box.left) / (right - left) for box in column)
        if len(column) < PARAGRAPH_LINES or right - left < COLUMN_WIDTH * size or fill < PARAGRAPH_FILL:
            return False
    return True


def _in_rows(columns: list[list[Box]]) -> bool:
    """Say whether most boxes stand on a row with a box of another column, as in a table with one cell in between."""
    mates = total = 0
    for i, column in enumerate(columns):
        others = [box for j, other in enumerate(columns) if j != i for box in other]
        total += len(column)
        mates += sum(any(abs(box.middle - other.middle) < ALIGNED * box.size for other in others) for box in column)
    return mates > ALIGNED_SHARE * total


def _by_lines(boxes: list[Box]) -> list[Box]:
    """Order boxes no clean cut separates: gather those whose middles lie within half a line, then left to right."""
    ordered: list[Box] = []
    rest = sorted(boxes, key=lambda box: box.middle)
    while rest:
        first = rest[0]
        row = [box for box in rest if box.middle - first.middle < 0.5 * min(first.size, box.size)]
        ordered.extend(sorted(row, key=lambda box: box.left))
        rest = [box for box in rest if box not in row]
    return ordered

"""Geometry: polygons in pixels of the upright page image, origin at its top left.

Plain values on the standard library; knows nothing of images or of text.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Polygon:
    """Four corners, clockwise from the text's top left, so that corner 0 to corner 1 is the reading direction.

    For a column of vertical text the corners are those of the upright column: corner 0 to corner 3 runs down it.
    """

    corners: tuple[Point, Point, Point, Point]

    @classmethod
    def from_points(cls, points: Iterable[Iterable[float]]) -> "Polygon":
        """Make a polygon of four (x, y) points. Raises ValueError for any other number of points."""
        first, second, third, fourth = ((float(x), float(y)) for x, y in points)
        return cls((first, second, third, fourth))

    @classmethod
    def from_bounds(cls, left: float, top: float, right: float, bottom: float) -> "Polygon":
        """Make an upright rectangle."""
        return cls(((left, top), (right, top), (right, bottom), (left, bottom)))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the upright rectangle around the polygon."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def centre(self) -> Point:
        """The mean of the corners."""
        xs, ys = zip(*self.corners, strict=True)
        return sum(xs) / 4, sum(ys) / 4

    @property
    def width(self) -> float:
        """The mean length of the two sides that run in reading direction."""
        a, b, c, d = self.corners
        return (math.dist(a, b) + math.dist(d, c)) / 2

    @property
    def height(self) -> float:
        """The mean length of the two sides across the reading direction."""
        a, b, c, d = self.corners
        return (math.dist(a, d) + math.dist(b, c)) / 2

    @property
    def angle(self) -> float:
        """The direction of reading in degrees, clockwise from the x axis, in (-180, 180]."""
        a, b, c, d = self.corners
        return math.degrees(math.atan2(b[1] + c[1] - a[1] - d[1], b[0] + c[0] - a[0] - d[0]))

    def part(self, start: float, end: float, vertical: bool = False) -> "Polygon":
        """Cut out the stretch from `start` to `end`, shares 0..1 of the length, along the line (or the column)."""
        a, b, c, d = self.corners
        if vertical:
            return Polygon((_between(a, d, start), _between(b, c, start), _between(b, c, end), _between(a, d, end)))
        return Polygon((_between(a, b, start), _between(a, b, end), _between(d, c, end), _between(d, c, start)))


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share

"""Level: a page's coordinates with its rows of text set level, also where a camera's view makes them fan out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shizi.geometry import Point, Polygon

LONG = 3.0  # lines this many text heights long tell the slope of their rows
FEWEST = 6  # fewer lines tell a common slope only


@dataclass(frozen=True, slots=True)
class Level:
    """The map from the page to its level form: rows slope by `slope` at height `middle`, by `fan` more a pixel below.

    `slope` also tells how far upright lines lean: a page turned as a whole.
    """

    slope: float
    fan: float
    centre: float
    middle: float

    @classmethod
    def of(cls, polygons: Sequence[Polygon], size: float) -> "Level":
        """Fit the map to the page's lines."""
        x, y = (np.array([polygon.centre[axis] for polygon in polygons] or [0.0]) for axis in (0, 1))
        centre, middle = float(x.mean()), float(y.mean())
        long = [p for p in polygons if p.width > LONG * size and abs(p.angle) < 30]
        if not long:
            return cls(0.0, 0.0, centre, middle)
        slopes = np.array([math.tan(math.radians(p.angle)) for p in long])
        weights = np.array([p.width for p in long])
        order = np.argsort(slopes)
        passed = np.cumsum(weights[order])
        slope = float(slopes[order[int(np.searchsorted(passed, passed[-1] / 2))]])
        below = np.array([p.centre[1] for p in long]) - middle
        near = np.abs(slopes - slope) < 0.05
        if near.sum() < FEWEST or np.ptp(below[near]) < 10 * size:
            return cls(slope, 0.0, centre, middle)
        fan, first = np.polyfit(below[near], slopes[near], 1, w=weights[near])
        return cls(float(first), float(fan), centre, middle)

    def point(self, x: float, y: float) -> Point:
        """Set a point of the page level."""
        across = x - self.centre
        level = (y - self.middle - across * self.slope) / (1 + across * self.fan)
        return across + self.slope * level, level

    def back(self, x: float, y: float) -> Point:
        """Give the page's point of a level one."""
        across = x - self.slope * y
        return across + self.centre, y + self.middle + across * (self.slope + self.fan * y)

    def bounds(self, polygon: Polygon) -> tuple[float, float, float, float]:
        """Give the left, top, right and bottom of text set level."""
        a, b, c, d = (self.point(*corner) for corner in polygon.corners)
        return (a[0] + d[0]) / 2, (a[1] + b[1]) / 2, (b[0] + c[0]) / 2, (c[1] + d[1]) / 2

    def stretch(self, start: Point, end: Point) -> tuple[float, float, float]:
        """Give the left, right and height of a rule that runs across, set level."""
        (left, y0), (right, y1) = self.point(*start), self.point(*end)
        return left, right, (y0 + y1) / 2

"""Clutter: whether straight edges that meet are a table's rules, or a photograph's windows, bricks and shelves.

Takes the rules of a level page and its pixels, gives those that no picture fills. A table's cells are blank but for
their text; what shows through a grid laid over a photograph is not.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from shizi.geometry import Point
from shizi.tables.grid import Grid, grid_of, groups, is_grid
from shizi.tables.rules import Map, Rule, View, ridges

EDGED = 40  # grey levels by which an edge stands out from what is around it; the grain of paper and screens stays below
ROOM = 0.35  # text heights around text and rules that are not looked at
LEAST = 0.25  # square text heights that are looked at in a cell, for it to tell anything
# Share of a cell that edges fill, for it to be cluttered; the same of the whole grid, and of the area of its cells that
# are cluttered. In tables the last two are 0.012 and 0.05 at most, in photographs mostly 0.1 and 0.5 and more; a column
# of pictures in a table clutters its own cells alone.
FULL, GRID_FULL, CLUTTERED = 0.04, 0.03, 0.25
BLIND = 2  # marks what is not looked at


def uncluttered(rules: Sequence[Rule], view: View) -> list[Rule]:
    """Take off the rules of those grids of a level page whose cells hold more than text."""
    found: list[Rule] = []
    for group in groups(rules, view.size):
        grid = grid_of(group, view.size) if is_grid(group) else None
        if grid is None or not _is_cluttered(grid, rules, view):
            found.extend(group)
    return found


def _is_cluttered(grid: Grid, rules: Sequence[Rule], view: View) -> bool:
    corner, edges = _edges(grid, rules, view)
    areas, shares = [], []
    every, full = 0, 0
    for span in grid.spans:
        outline = np.array(grid.polygon(span).corners) - corner
        inside = np.zeros(edges.shape, np.uint8)
        cv2.fillConvexPoly(inside, np.rint(outline).astype(np.int32), 1)
        looked_at = edges[(inside > 0) & (edges < BLIND)]
        if looked_at.size > LEAST * view.size**2:
            areas.append(cv2.contourArea(outline.astype(np.float32)))
            shares.append(float(looked_at.mean()))
            every, full = every + looked_at.size, full + int(looked_at.sum())
    if not areas:
        return False
    cluttered = np.average(np.array(shares) > FULL, weights=areas)
    return bool(full > GRID_FULL * every and cluttered > CLUTTERED)


def _edges(grid: Grid, rules: Sequence[Rule], view: View) -> tuple[Point, Map]:
    """Give the part of the page that a grid covers: its corner, and 1 where an edge is, 0 where none, or BLIND."""
    height, width = view.colours.shape[:2]
    (left, top), (right, bottom) = np.min(grid.corners, axis=0), np.max(grid.corners, axis=0)
    x, y = max(0, int(left)), max(0, int(top))
    part = view.colours[y : min(height, int(bottom) + 1), x : min(width, int(right) + 1)]
    found = np.asarray(ridges(part, view.size) > EDGED, np.uint8)
    room = ROOM * view.size
    for box in view.bounds - (x, y, x, y) + (-room, -room, room, room):
        x0, y0, x1, y1 = np.maximum(0, np.rint(box)).astype(int).tolist()
        found[y0:y1, x0:x1] = BLIND
    for rule in rules:
        start, end = ((round(at[0] - x), round(at[1] - y)) for at in (rule.start, rule.end))
        cv2.line(found, start, end, (BLIND,), 2 * round(room) + 1)
    return (float(x), float(y)), found

"""Sides: which sides of a grid's cells are drawn, measured where they must be if they are.

Takes the rules of a level page and its pixels, gives the rules with faint ones completed and strokes of letters taken off.
Knows nothing of what the text says.

Rules found anywhere on a page have to be long or clear. Once some of them tell a table's frame, rows and columns, each
side of each cell can be asked for by itself: a rule stands out from its neighbourhood all along the side, at its ends
too, which letters do not reach; and it stands out as much as the table's other rules do.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from shizi.geometry import Point
from shizi.tables.grid import Grid, drawn_sides, grid_of, groups, is_grid
from shizi.tables.rules import THICKEST, Map, Rule, View

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MOST = 40  # grey levels that one pixel tells at most
BLOCK, END, OFF = 9, 6, 3  # pixels of a side that are averaged, at its ends, and left out where other rules cross it
ASIDE = 3  # pixels a side may stand beside where its boundary is taken to be
FEWEST = 3  # drawn sides that tell how much a table's rules stand out
# Of what its rules stand out by, from how much on a side is drawn, under how much it is not; least grey levels of a drawn one.
SEEN, UNSEEN, LEAST = 0.42, 0.2, 3.0
SHARE = 0.5  # of the rows (columns) that a column's (row's) own boundary must part, if no rule told it
# How far text reaches beyond a boundary to stand across it, in text heights, and of how much of what such a boundary parts.
INTO, CROSSED = 0.3, 0.3
NEW = 0.8  # text heights from one boundary to the next that no rule told
LARGEST = 4000  # pixels of a side of a table looked at


def completed(rules: Sequence[Rule], view: View) -> list[Rule]:
    """Complete the rules of each grid on a level page, and take off what is none."""
    found: list[Rule] = []
    for group in groups(rules, view.size):
        grid = grid_of(group, view.size) if is_grid(group) else None
        if grid is None or max(grid.width, grid.height) > LARGEST or min(len(grid.rows), len(grid.columns)) < 2:
            found.extend(group)
        else:
            found.extend(_completed(grid, group, view))
    return found


def _completed(grid: Grid, group: Sequence[Rule], view: View) -> Iterator[Rule]:
    """Measure the sides of one grid's cells and give the rules they make."""
    spare = round(2 * view.size)
    there = _matrix(grid, spare)
    flat = _flat(grid, view, there, spare)
    upright, lying = _ridges(flat, view.size, True), _ridges(flat, view.size, False).T
    rows = [spare + share * grid.height for share in grid.rows]
    columns = [spare + share * grid.width for share in grid.columns]
    above, before = drawn_sides(group, grid, view.size)  # rows + 1, columns; columns + 1, rows
    down, across = _standing_out(upright, rows), _standing_out(lying, columns)  # rows, W; columns, H
    usual = [_usual(_sides(down, columns), before), _usual(_sides(across, rows), above)]
    if not any(usual):
        yield from group
        return
    usual_down, usual_across = usual[0] or usual[1], usual[1] or usual[0]
    text = _text_in(view, there)
    if new := _untold(down, columns, usual_down, _crossed(text, rows, down.shape[1], view.size), view.size):
        columns, before, above = _with(columns, new, before, above)
        across = _standing_out(lying, columns)
    if new := _untold(across, rows, usual_across, _crossed(text[:, [1, 0, 3, 2]], columns, across.shape[1], view.size), view.size):
        rows, above, before = _with(rows, new, above, before)
        down = _standing_out(upright, rows)
    before, above = _judged(_sides(down, columns), before, usual_down), _judged(_sides(across, rows), above, usual_across)
    for sides, places, crossing, is_upright in ((before, columns, rows, True), (above, rows, columns, False)):
        for place, side in zip(places, sides, strict=True):
            for first, last in _runs(side):
                ends = [(place, crossing[i]) if is_upright else (crossing[i], place) for i in (first, last)]
                yield Rule(_moved(there, ends[0]), _moved(there, ends[1]), is_upright)


def _matrix(grid: Grid, spare: int) -> Floats:
    """Give the map (3 3) to the page from the grid set straight, its upper left corner at (spare, spare)."""
    left, top, right, bottom = spare, spare, spare + grid.width, spare + grid.height
    straight = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(straight, np.array(grid.corners, np.float32)), np.float64)


def _moved(matrix: Floats, point: Point) -> Point:
    x, y, share = matrix @ (*point, 1.0)
    return float(x / share), float(y / share)


def _flat(grid: Grid, view: View, matrix: Floats, spare: int) -> Map:
    """Give the pixels of a grid set straight, with `spare` ones around it."""
    size = round(grid.width) + 2 * spare, round(grid.height) + 2 * spare
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.atleast_3d(
        np.asarray(cv2.warpPerspective(view.colours, matrix, size, flags=way, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    )


def _ridges(colours: Map, size: float, upright: bool) -> Map:
    """Give by how much each pixel stands out, dark or light, from what lies beside it, in the channel that tells most."""
    thick = 2 * round(THICKEST * size / 2) + 3
    beside = np.ones((1, thick) if upright else (thick, 1), np.uint8)
    maps = [cv2.split(cv2.morphologyEx(colours, way, beside)) for way in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT)]
    return np.asarray(np.minimum(reduce(cv2.max, [channel for way in maps for channel in way]), MOST), np.uint8)


def _standing_out(ridge: Map, edges: Sequence[float]) -> Floats:
    """Give by how much an upright side at each x, from edge to edge, would stand out all along (N W)."""
    found = np.zeros((len(edges) - 1, ridge.shape[1]))
    for i, (start, end) in enumerate(pairwise(edges)):
        part = ridge[round(start) + OFF : round(end) - OFF].astype(np.float32)
        if len(part) < 2 * END:
            part = ridge[max(0, round(start)) : round(end)].astype(np.float32)
            if not len(part):
                continue
        blocks = np.stack([_near(block.mean(axis=0)) for block in np.array_split(part, max(1, len(part) // BLOCK))])
        blocks.sort(axis=0)
        ends = np.maximum(_near(part[:END].mean(axis=0)), _near(part[-END:].mean(axis=0)))  # gaps of dashes end there
        told = np.minimum(blocks[len(blocks) // 4], ends)
        found[i] = told - np.median(told)
    return found


def _near(levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Give the largest of each level and its neighbours: rules do not stand quite straight."""
    return np.asarray(cv2.dilate(levels[None], np.ones((1, 3), np.uint8))[0], np.float32)


def _sides(standing: Floats, places: Sequence[float]) -> Floats:
    """Give by how much the sides at each place stand out (places, N)."""
    return np.stack([standing[:, max(0, round(x) - ASIDE) : round(x) + ASIDE + 1].max(axis=1) for x in places])


def _usual(sides: Floats, drawn: Bools) -> float:
    """Give by how much the inner sides that are drawn stand out; 0 where too few are to tell."""
    told = sides[1:-1][drawn[1:-1]]
    return float(np.median(told)) if len(told) >= FEWEST else 0.0


def _judged(sides: Floats, drawn: Bools, usual: float) -> Bools:
    """Say which sides are drawn: as their rules say, but for what stands out clearly or not at all."""
    seen = sides > max(LEAST, SEEN * usual)
    unseen = sides < UNSEEN * usual
    unseen[[0, -1]] = False  # a frame's own rules are others
    return np.asarray((drawn | seen) & ~unseen, np.bool_)


def _text_in(view: View, matrix: Floats) -> Floats:
    """Give the bounds (K 4) of the page's text in the pixels of a grid set straight."""
    left, top, right, bottom = view.bounds.T
    middle, centre = (top + bottom) / 2, (left + right) / 2
    points = np.stack([[left, middle], [centre, top], [right, middle], [centre, bottom]]).transpose(2, 0, 1)  # K, 4, 2
    flat = cv2.perspectiveTransform(points.reshape(1, -1, 2), np.linalg.inv(matrix))[0].reshape(-1, 4, 2)
    return np.stack([flat[:, 0, 0], flat[:, 1, 1], flat[:, 2, 0], flat[:, 3, 1]], axis=1)


def _crossed(text: Floats, edges: Sequence[float], width: int, size: float) -> Bools:
    """Say at which x, from edge to edge, a line of text stands across (N W): its letters' strokes pass for a rule."""
    found = np.zeros((len(edges) - 1, width), bool)
    for left, top, right, bottom in text.tolist():
        inside = slice(max(0, round(left + INTO * size)), max(0, round(right - INTO * size)))
        for i, (start, end) in enumerate(pairwise(edges)):
            if min(bottom, end) - max(top, start) > 0.3 * min(bottom - top, end - start):
                found[i, inside] = True
    return found


def _untold(standing: Floats, places: Sequence[float], usual: float, crossed: Bools, size: float) -> list[float]:
    """Find the boundaries that no rule told: of half the rows and more they part each, and hardly any text."""
    seen = standing > max(LEAST, SEEN * usual)
    count = seen.sum(axis=0)
    share = seen.mean(axis=0) * (count >= 2) * ((seen & crossed).sum(axis=0) <= CROSSED * count)
    new: list[float] = []
    for x in np.argsort(-share, kind="stable").tolist():
        if share[x] < SHARE:
            break
        inside = places[0] < x < places[-1]
        if inside and all(abs(x - place) > NEW * size for place in (*places, *new)):
            new.append(float(x))
    return new


def _with(places: list[float], new: list[float], own: Bools, crossing: Bools) -> tuple[list[float], Bools, Bools]:
    """Put new boundaries among others: with no side drawn of their `own`; those `crossing` them are as they were."""
    every = sorted([*places, *new])
    known = {place: side for place, side in zip(places, own, strict=True)}
    none = np.zeros(own.shape[1], bool)
    parent = [int(np.searchsorted(places, (a + b) / 2)) - 1 for a, b in pairwise(every)]
    return every, np.stack([known.get(place, none) for place in every]), crossing[:, parent]


def _runs(drawn: Bools) -> Iterator[tuple[int, int]]:
    """Give the first and last edge of each run of drawn sides."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], drawn, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)

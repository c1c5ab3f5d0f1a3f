"""Sides: which sides of a grid's cells are drawn, measured where they must be if they are.

Takes the rules of a level page and its pixels, gives them with faint ones completed and strokes of letters taken off.
Knows nothing of what the text says.

Rules found anywhere on a page have to be long or clear. Once some of them tell a table's frame, rows and columns, each
side of each cell can be asked for by itself: a rule stands out from its neighbourhood all along the side, at its ends
too, which letters do not reach; and it stands out as much as the table's other rules do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from shizi.geometry import Point
from shizi.tables.grid import Grid, drawn_sides, grid_of, groups, is_grid
from shizi.tables.pieces import THICKEST, Map
from shizi.tables.rules import Rule, View

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MOST = 40  # grey levels that one pixel tells at most
BLOCK, END, OFF = 9, 6, 3  # pixels of a side that are averaged, at its ends, and left out where other rules cross it
ASIDE = 3  # pixels a side may stand beside where its boundary is taken to be
FEWEST = 3  # drawn sides that tell how much a table's rules stand out
# Of what its rules stand out by, from how much on a side is drawn, under how much it is not; least grey levels of one
# that is drawn.
SEEN, UNSEEN, LEAST = 0.42, 0.2, 3.0
SEEN_CROSSED, UNSEEN_CROSSED = 0.75, 0.45  # the same where text stands across
LONG = 3.0  # text heights from which a rule tells its boundary's slope
SHARE = 0.5  # of the rows (columns) that a column's (row's) own boundary must part, if no rule told it
# How far text reaches beyond a boundary to stand across it, in text heights, and of how much of what it parts at most.
INTO, CROSSED = 0.3, 0.3
NEW = 0.8  # text heights from one boundary to the next that no rule told
LARGEST = 4000  # pixels of a side of a table looked at


@dataclass(frozen=True, slots=True)
class Boundary:
    """A line of a grid set straight: where it stands at `middle` along it, and its slope. `told`: by long rules."""

    place: float
    middle: float
    slope: float
    told: bool = False

    def at(self, along: float) -> float:
        """Give where it stands at a place along it."""
        return self.place + self.slope * (along - self.middle)


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
    """Measure the sides of one grid's cells; gives its rules, without what is none, and those of sides they missed."""
    spare = round(2 * view.size)
    there = _matrix(grid, spare)
    flat = _flat(grid, view, there, spare)
    ridges = {True: _ridges(flat, view.size, True), False: _ridges(flat, view.size, False).T}
    text = _text_in(view, there)
    texts = {True: text, False: text[:, [1, 0, 3, 2]]}
    drawn = dict(zip((False, True), drawn_sides(group, grid, view.size), strict=True))
    lines = {way: _lines(group, grid, there, spare, way, view.size) for way in (True, False)}
    standing = {way: _standing_out(ridges[way], _places(lines[not way])) for way in (True, False)}
    usual = {way: _usual(_sides(standing[way], lines[way], lines[not way]), drawn[way]) for way in (True, False)}
    if not any(usual.values()):
        yield from group
        return
    for way in (True, False):
        edges = _places(lines[not way])
        standing[way] = _standing_out(ridges[way], edges)
        crossed = _crossed(texts[way], edges, ridges[way].shape[1], view.size)
        if new := _untold(standing[way], _places(lines[way]), usual[way] or usual[not way], crossed, view.size):
            lines[way], drawn[way], drawn[not way] = _with(lines[way], new, drawn[way], drawn[not way])
    for way in (True, False):
        edges = _places(lines[not way])
        sides = _sides(_standing_out(ridges[way], edges), lines[way], lines[not way])
        crossed = _crossed(texts[way], edges, ridges[way].shape[1], view.size)
        under = np.stack([crossed[np.arange(len(crossed)), _at(line, edges, crossed.shape[1])] for line in lines[way]])
        judged = _judged(sides, drawn[way], usual[way] or usual[not way], under)
        yield from _kept(group, there, way, lines[way], edges, drawn[way] & ~judged, view.size)
        for line, side in zip(lines[way], judged & ~drawn[way], strict=True):
            for first, last in _runs(side):
                ends = [(line.at(edges[i]), edges[i]) if way else (edges[i], line.at(edges[i])) for i in (first, last)]
                yield Rule(_moved(there, ends[0]), _moved(there, ends[1]), way)


def _lines(group: Sequence[Rule], grid: Grid, matrix: Floats, spare: int, upright: bool, size: float) -> list[Boundary]:
    """Give the straight lines of a grid's boundaries in its own pixels: those of the rules that tell them."""
    places = [
        spare + share * (grid.width if upright else grid.height) for share in (grid.columns if upright else grid.rows)
    ]
    ends: list[list[tuple[float, float, float]]] = [[] for _ in places]  # aside, along, weight
    for rule in group:
        if rule.upright == upright:
            stretch = _stretch(rule, np.asarray(np.linalg.inv(matrix), np.float64))
            (x0, y0), (x1, y1) = stretch
            nearest = min(range(len(places)), key=lambda i: abs(places[i] - (x0 + x1) / 2))
            if abs(places[nearest] - (x0 + x1) / 2) < size:
                ends[nearest] += [(x0, y0, abs(y1 - y0)), (x1, y1, abs(y1 - y0))]
    fits = [_fit(np.array(told), size) for told in ends]
    slopes = [fit.slope for fit in fits if fit and fit.told]
    slope = float(np.median(slopes)) if slopes else 0.0
    return [
        Boundary(place, 0.0, 0.0) if fit is None else fit if fit.told else Boundary(fit.place, fit.middle, slope)
        for place, fit in zip(places, fits, strict=True)
    ]


def _fit(ends: Floats, size: float) -> Boundary | None:
    """Fit a line to the ends of rules (N 3: aside, along, weight); short ones tell its place alone."""
    if not len(ends):
        return None
    aside, along, weight = ends.T
    middle = float(np.average(along, weights=weight + 1e-6))
    place = float(np.average(aside, weights=weight + 1e-6))
    if np.ptp(along) < LONG * size:
        return Boundary(place, middle, 0.0)
    slope, first = np.polyfit(along, aside, 1, w=weight + 1e-6)
    return Boundary(float(first + slope * middle), middle, float(slope), told=True)


def _stretch(rule: Rule, inverse: Floats) -> tuple[Point, Point]:
    """Give the ends of a rule in a grid's own pixels, x and y changed over for a level one."""
    start, end = _moved(inverse, rule.start), _moved(inverse, rule.end)
    return (start, end) if rule.upright else (start[::-1], end[::-1])


def _kept(
    group: Sequence[Rule],
    matrix: Floats,
    upright: bool,
    lines: Sequence[Boundary],
    edges: Sequence[float],
    off: Bools,
    size: float,
) -> Iterator[Rule]:
    """Give the rules of a group without the sides of theirs that are `off` (boundaries, sides)."""
    for rule in group:
        if rule.upright != upright:
            continue
        (x0, y0), (x1, y1) = _stretch(rule, np.asarray(np.linalg.inv(matrix), np.float64))
        nearest = min(range(len(lines)), key=lambda i: abs(lines[i].at((y0 + y1) / 2) - (x0 + x1) / 2))
        gone = _runs(off[nearest])
        if abs(lines[nearest].at((y0 + y1) / 2) - (x0 + x1) / 2) > size or not off[nearest].any():
            yield rule
            continue
        at, pieces = y0, []
        for first, last in gone:
            pieces.append((at, min(y1, edges[first])))
            at = max(at, edges[last])
        for start, end in [*pieces, (at, y1)]:
            if end - start > 0.5 * size:
                a, b = ((y - y0) / (y1 - y0) for y in (start, end))
                (px, py), (qx, qy) = rule.start, rule.end
                yield Rule((px + a * (qx - px), py + a * (qy - py)), (px + b * (qx - px), py + b * (qy - py)), upright)


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
        np.asarray(
            cv2.warpPerspective(view.colours, matrix, size, flags=way, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
    )


def _ridges(colours: Map, size: float, upright: bool) -> Map:
    """Give by how much each pixel stands out, dark or light, from what is beside it, in the channel that tells most."""
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


def _places(lines: Sequence[Boundary]) -> list[float]:
    """Give where each boundary stands, in rising order as they are."""
    return [line.place for line in lines]


def _at(line: Boundary, edges: Sequence[float], width: int) -> list[int]:
    """Give the pixel at which a boundary crosses the middle of each side."""
    return [min(width - 1, max(0, round(line.at((start + end) / 2)))) for start, end in pairwise(edges)]


def _sides(standing: Floats, lines: Sequence[Boundary], crossing: Sequence[Boundary]) -> Floats:
    """Give by how much the sides along each boundary stand out (boundaries, sides)."""
    width = standing.shape[1]
    reach = np.arange(-ASIDE, ASIDE + 1)
    places = np.array([_at(line, _places(crossing), width) for line in lines])  # boundaries, sides
    near = np.clip(places[:, :, None] + reach, 0, width - 1)
    return np.asarray(standing[np.arange(len(standing))[None, :, None], near].max(axis=2), np.float64)


def _usual(sides: Floats, drawn: Bools) -> float:
    """Give by how much the inner sides that are drawn stand out; 0 where too few are to tell."""
    told = sides[1:-1][drawn[1:-1]]
    return float(np.median(told)) if len(told) >= FEWEST else 0.0


def _judged(sides: Floats, drawn: Bools, usual: float, crossed: Bools) -> Bools:
    """Say which sides are drawn: as their rules say, but for what stands out clearly or not at all.

    Sides that text stands across (`crossed`) have to stand out more; a boundary of few such ones alone is none.
    """
    seen = sides > np.where(crossed, SEEN_CROSSED, SEEN) * max(usual, LEAST / SEEN)
    unseen = sides < np.where(crossed, UNSEEN_CROSSED, UNSEEN) * usual
    unseen[[0, -1]] = False  # a frame's own rules are others
    judged = (drawn | seen) & ~unseen
    strokes = (judged & ~crossed).sum(axis=1) == 0
    strokes &= judged.mean(axis=1) < SHARE
    strokes[[0, -1]] = False
    judged[strokes] = False
    return np.asarray(judged, np.bool_)


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


def _with(lines: list[Boundary], new: list[float], own: Bools, crossing: Bools) -> tuple[list[Boundary], Bools, Bools]:
    """Put new boundaries among others: with no side drawn of their `own`; those `crossing` them are as they were."""
    slope = float(np.median([line.slope for line in lines]))
    middle = float(np.median([line.middle for line in lines if line.told] or [0.0]))
    every = sorted([*lines, *(Boundary(place, middle, slope) for place in new)], key=lambda line: line.place)
    none = np.zeros(own.shape[1], bool)
    sides = [own[lines.index(line)] if line in lines else none for line in every]
    places = _places(lines)
    parent = [int(np.searchsorted(places, (a + b) / 2)) - 1 for a, b in pairwise(_places(every))]
    return every, np.stack(sides), crossing[:, np.clip(parent, 0, len(lines) - 2)]


def _runs(drawn: Bools) -> Iterator[tuple[int, int]]:
    """Give the first and last edge of each run of drawn sides."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], drawn, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)

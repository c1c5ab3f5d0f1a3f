"""Grid: rules that meet, to a table's rows, columns and cells with their spans.

Takes `Rule`s of a page, gives `Grid`s. Knows nothing of pixels or text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shizi.geometry import Point, Polygon
from shizi.tables.rules import Rule

TOUCH = 0.7  # rules meet when they end this close to one another, in text heights
ONE = 0.5  # rules closer than this, in text heights, are one boundary
DRAWN = 0.55  # share of a cell's side that a rule covers, for the side to count
NEWTON = 3  # steps; frames are nearly parallelograms, for which one is exact
OVERHANG = 1.5  # text heights by which rules reach beyond the outer upright ones of a table open at its sides

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """The place of a cell: its first row and column, and how many of each it takes."""

    row: int
    column: int
    row_span: int = 1
    column_span: int = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's frame: `corners` of the whole, shares 0..1 of its boundaries across and down it, and its cells."""

    corners: tuple[Point, Point, Point, Point]
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    spans: tuple[Span, ...]

    @property
    def width(self) -> float:
        """The mean length of the upper and lower sides."""
        a, b, c, d = self.corners
        return (math.dist(a, b) + math.dist(d, c)) / 2

    @property
    def height(self) -> float:
        """The mean length of the left and right sides."""
        a, b, c, d = self.corners
        return (math.dist(a, d) + math.dist(b, c)) / 2

    def place(self, across: float, down: float) -> Point:
        """Give the page's point at shares of the table's width and height (bilinear)."""
        a, b, c, d = (np.array(corner) for corner in self.corners)
        point = (a * (1 - across) + b * across) * (1 - down) + (d * (1 - across) + c * across) * down
        return float(point[0]), float(point[1])

    def polygon(self, span: Span) -> Polygon:
        """Give the outline of a cell."""
        left, right = self.columns[span.column], self.columns[span.column + span.column_span]
        top, bottom = self.rows[span.row], self.rows[span.row + span.row_span]
        return Polygon.from_points(
            self.place(*share) for share in ((left, top), (right, top), (right, bottom), (left, bottom))
        )

    def shares(self, points: Sequence[Point]) -> Floats:
        """Give where the page's points lie, as shares of the table's width and height (N 2)."""
        return _shares(np.array(self.corners), np.array(points))


def _shares(corners: Floats, points: Floats) -> Floats:
    """Invert the bilinear map of `corners` (4 2) at points (N 2), by Newton's method."""
    a, b, c, d = corners
    shares = np.full((len(points), 2), 0.5)
    for _ in range(NEWTON):
        u, v = shares[:, :1], shares[:, 1:]
        here = (a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v
        along, down = (b - a) * (1 - v) + (c - d) * v, (d - a) * (1 - u) + (c - b) * u
        miss = points - here
        turn = along[:, 0] * down[:, 1] - along[:, 1] * down[:, 0]
        turn = np.where(np.abs(turn) < 1e-9, 1e-9, turn)
        step = np.stack(
            [miss[:, 0] * down[:, 1] - miss[:, 1] * down[:, 0], along[:, 0] * miss[:, 1] - along[:, 1] * miss[:, 0]]
        )
        shares = shares + (step / turn).T
    return shares


def groups(rules: Sequence[Rule], size: float) -> list[list[Rule]]:
    """Gather the rules that meet; `size` is the page's text height."""
    across, down = ([rule for rule in rules if rule.upright == upright] for upright in (False, True))
    parent = list(range(len(across) + len(down)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, lying in enumerate(across):
        for j, upright in enumerate(down):
            if _meet(lying, upright, TOUCH * size):
                parent[root(i)] = root(len(across) + j)
    found: dict[int, list[Rule]] = {}
    for i, rule in enumerate((*across, *down)):
        found.setdefault(root(i), []).append(rule)
    return list(found.values())


def _meet(lying: Rule, upright: Rule, reach: float) -> bool:
    x = upright.at((lying.start[1] + lying.end[1]) / 2)
    y = lying.at(x)
    return lying.start[0] - reach < x < lying.end[0] + reach and upright.start[1] - reach < y < upright.end[1] + reach


def is_grid(rules: Iterable[Rule]) -> bool:
    """Say whether rules that meet can make cells: two or more each way, or three across and one down."""
    ways = [rule.upright for rule in rules]
    down, across = ways.count(True), ways.count(False)
    return (across >= 2 and down >= 2) or (across >= 3 and down >= 1)


def grid_of(rules: Sequence[Rule], size: float) -> Grid | None:
    """Make the grid of rules that meet; None when they make less than two rows and columns."""
    across, down = ([rule for rule in rules if rule.upright == upright] for upright in (False, True))
    corners = _corners(across, down, size)
    if corners is None:
        return None
    width = float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2
    height = float(np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])) / 2
    lying, upright = _stretches(across, corners, False), _stretches(down, corners, True)
    rows = _boundaries(lying, ONE * size / height)
    columns = _boundaries(upright, ONE * size / width)
    if len(rows) < 3 and len(columns) < 3:
        return None
    for _ in range(2):  # what parts no two cells is a stroke, and no boundary
        above = _drawn(lying, rows, columns, ONE * size / height)  # rows + 1, columns
        rows = [row for i, row in enumerate(rows) if above[i].any()]
        before = _drawn(upright, columns, rows, ONE * size / width)  # columns + 1, rows
        columns = [column for i, column in enumerate(columns) if before[i].any()]
    above = _drawn(lying, rows, columns, ONE * size / height)
    before = _drawn(upright, columns, rows, ONE * size / width).T  # rows, columns + 1
    a, b, c, d = corners.tolist()
    outline = tuple((float(x), float(y)) for x, y in (a, b, c, d))
    return Grid(outline, tuple(rows), tuple(columns), tuple(spans_of(above, before)))  # type: ignore[arg-type]


def drawn_sides(rules: Sequence[Rule], grid: Grid, size: float) -> tuple[Bools, Bools]:
    """Say which sides of a grid's cells its rules draw, the frame's own among them.

    Gives those over which level rules run (rows + 1, columns) and left of which upright ones do (columns + 1, rows).
    """
    across, down = ([rule for rule in rules if rule.upright == upright] for upright in (False, True))
    corners = np.array(grid.corners)
    lying, upright = _stretches(across, corners, False), _stretches(down, corners, True)
    above = _drawn(lying, grid.rows, grid.columns, ONE * size / grid.height, framed=False)
    return above, _drawn(upright, grid.columns, grid.rows, ONE * size / grid.width, framed=False)


def _corners(across: Sequence[Rule], down: Sequence[Rule], size: float) -> Floats | None:
    """Give the corners (4 2) of the frame: where its outer rules, or lines through the others' ends, meet."""
    if len(across) < 2 or not down:
        return None
    left, right = (_side(across, down, end, size) for end in (0, 1))
    top, bottom = (_edge(across, down, end, size) for end in (0, 1))
    corners = np.array([_cross(top, left), _cross(top, right), _cross(bottom, right), _cross(bottom, left)])
    if corners[1, 0] - corners[0, 0] < size or corners[3, 1] - corners[0, 1] < size:
        return None
    return corners


def _side(across: Sequence[Rule], down: Sequence[Rule], end: int, size: float) -> tuple[float, float]:
    """Give the left (`end` 0) or right (1) side of the frame as x = first + second * y."""
    sign = 1 if end == 0 else -1
    ends = np.array([(rule.start, rule.end)[end] for rule in across])
    long = np.array([rule.length for rule in across])
    ends = ends[long > 0.6 * long.max()]
    outer = min(down, key=lambda rule: sign * (rule.start[0] + rule.end[0]))
    tall = max(rule.end[1] for rule in down) - min(rule.start[1] for rule in down)
    beyond = np.median([sign * (outer.at(y) - x) for x, y in ends])
    if beyond < OVERHANG * size:
        whole = [rule for rule in down if sign * (rule.at(outer.start[1]) - outer.start[0]) < ONE * size]
        longest = max(whole, key=lambda rule: rule.length)
        if longest.length > 0.5 * tall:
            slope = (longest.end[0] - longest.start[0]) / (longest.end[1] - longest.start[1])
            return longest.start[0] - slope * longest.start[1], slope
    if len(ends) > 2 and np.ptp(ends[:, 1]) > 4 * size:
        slope, first = (float(value) for value in np.polyfit(ends[:, 1], ends[:, 0], 1))
        if abs(first + slope * ends[:, 1] - ends[:, 0]).max() < 0.4 * size:
            return first, slope
    slope = _lean(down)
    places = ends[:, 0] - slope * ends[:, 1]
    return float(places.min() if end == 0 else places.max()), slope


def _lean(down: Sequence[Rule]) -> float:
    longest = max(down, key=lambda rule: rule.length)
    return (longest.end[0] - longest.start[0]) / max(1.0, longest.end[1] - longest.start[1])


def _edge(across: Sequence[Rule], down: Sequence[Rule], end: int, size: float) -> tuple[float, float]:
    """Give the top (`end` 0) or bottom (1) of the frame as y = first + second * x."""
    sign = 1 if end == 0 else -1
    widest = max(rule.length for rule in across)
    wide = [rule for rule in across if rule.length > 0.5 * widest]
    outer = min(wide, key=lambda rule: sign * (rule.start[1] + rule.end[1]))
    slope = (outer.end[1] - outer.start[1]) / max(1.0, outer.end[0] - outer.start[0])
    first = outer.start[1] - slope * outer.start[0]
    ends = np.array([(rule.start, rule.end)[end] for rule in down])
    beyond = np.median([sign * (first + slope * x - y) for x, y in ends])
    if beyond > OVERHANG * size:  # no rule closes the frame: the upright ones' ends do
        places = ends[:, 1] - slope * ends[:, 0]
        first = float(np.median(places))
    return float(first), float(slope)


def _cross(edge: tuple[float, float], side: tuple[float, float]) -> tuple[float, float]:
    """Cross y = edge of x with x = side of y."""
    y = (edge[0] + edge[1] * side[0]) / (1 - edge[1] * side[1])
    return side[0] + side[1] * y, y


def _stretches(rules: Sequence[Rule], corners: Floats, upright: bool) -> Floats:
    """Give each rule within the frame (N 3): where it stands, from where to where it runs; shares of the frame."""
    if not rules:
        return np.zeros((0, 3))
    starts, ends = (_shares(corners, np.array([getattr(rule, end) for rule in rules])) for end in ("start", "end"))
    stand, along = (0, 1) if upright else (1, 0)
    return np.stack([(starts[:, stand] + ends[:, stand]) / 2, starts[:, along], ends[:, along]], axis=1)


def _boundaries(stretches: Floats, one: float) -> list[float]:
    """Give the places of the boundaries, 0 and 1 among them, taking rules closer than `one` for the same."""
    places: list[list[tuple[float, float]]] = []
    for place, start, end in sorted(stretches.tolist()):
        if places and place - places[-1][-1][0] < one and place - places[-1][0][0] < 1.6 * one:
            places[-1].append((place, end - start))
        else:
            places.append([(place, end - start)])
    means = [float(np.average([p for p, _ in group], weights=[max(w, 1e-6) for _, w in group])) for group in places]
    inner = [place for place in means if 1.2 * one < place < 1 - 1.2 * one]
    return [0.0, *inner, 1.0]


def _drawn(
    stretches: Floats, boundaries: Sequence[float], crossing: Sequence[float], one: float, framed: bool = True
) -> Bools:
    """Say of each boundary (rows) whether a rule runs along it between successive crossing ones (columns).

    `framed`: the outer ones count as drawn, whether they are or not.
    """
    drawn = np.zeros((len(boundaries), len(crossing) - 1), bool)
    starts, ends = np.array(crossing[:-1]), np.array(crossing[1:])
    for i, boundary in enumerate(boundaries):
        cover = np.zeros(len(starts))
        for place, start, end in stretches.tolist():
            if abs(place - boundary) < 1.2 * one:
                cover += np.clip(np.minimum(ends, end) - np.maximum(starts, start), 0, None)
        drawn[i] = cover > DRAWN * (ends - starts)
    if framed:
        drawn[0] = drawn[-1] = True
    return drawn


def spans_of(above: Bools, before: Bools) -> list[Span]:
    """Join what no side parts: `above` (rows + 1, columns) and `before` (rows, columns + 1) tell the sides drawn.

    What does not join to a rectangle is cut along its rows into ones.
    """
    rows, columns = before.shape[0], above.shape[1]
    label = np.arange(rows * columns).reshape(rows, columns)
    changed = True
    while changed:
        before_pass = label.copy()
        for r in range(rows):
            for c in range(columns):
                if c + 1 < columns and not before[r, c + 1]:
                    label[label == max(label[r, c], label[r, c + 1])] = min(label[r, c], label[r, c + 1])
                if r + 1 < rows and not above[r + 1, c]:
                    label[label == max(label[r, c], label[r + 1, c])] = min(label[r, c], label[r + 1, c])
        changed = bool((before_pass != label).any())
    spans: list[Span] = []
    for value in np.unique(label):
        mask = label == value
        down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        whole = Span(int(down[0]), int(across[0]), int(np.ptp(down)) + 1, int(np.ptp(across)) + 1)
        spans.extend([whole] if mask.sum() == whole.row_span * whole.column_span else _rectangles(mask))
    return sorted(spans, key=lambda span: (span.row, span.column))


def _rectangles(mask: Bools) -> list[Span]:
    """Cut a set of places into rectangles: runs along rows, joined downwards where they are alike."""
    found: list[Span] = []
    for r in range(mask.shape[0]):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], mask[r], [False]]).astype(np.int8)))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            for i, span in enumerate(found):
                if (span.column, span.column_span, span.row + span.row_span) == (start, end - start, r):
                    found[i] = Span(span.row, span.column, span.row_span + 1, span.column_span)
                    break
            else:
                found.append(Span(r, start, 1, end - start))
    return found

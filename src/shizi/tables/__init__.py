"""Tables: the tables of a page, ruled or not, with their cells, spans and texts.

Takes the page's lines (with their characters, where cells may cut them) and its rules, gives `Table`s. Knows nothing
of models; pixels only `rules` sees.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from shizi.crop import Region
from shizi.document import Cell, Line, Table
from shizi.geometry import Point, Polygon
from shizi.line_image import Pixels
from shizi.tables.gaps import Item, Plan, Stretch, between_rules, rows_of, without_rules, wrapped
from shizi.tables.grid import Grid, Span, grid_of, groups, is_grid
from shizi.tables.level import Level
from shizi.tables.rules import Rule, cut_at, rules_in, view_of
from shizi.tables.sides import completed
from shizi.tables.texts import Piece, chunks, cut_line, unstacked

__all__ = ["Rule", "cut_apart", "find", "find_rules"]

EDGE = 0.01  # text reaches this share of a table's size beyond its frame
MOST_BANDS = 4  # a table with more rows between rules has a rule under each
FEWEST = 2  # cells with text: frames and charts have none


def find_rules(pixels: Pixels, text: Sequence[Polygon]) -> list[Rule]:
    """Find the rules of a page (H W 3) by the polygons of its text; none on a page without text."""
    if not text:
        return []
    view = view_of(pixels, text)
    return [view.back(rule) for rule in completed(rules_in(view), view)]


def cut_apart(regions: Sequence[Region], rules: Sequence[Rule]) -> list[Region]:
    """Cut regions of text at the rules of grids: what stands in two cells is no one line."""
    if not regions:
        return []
    size = float(np.median([min(region.width, region.height) for region in regions]))
    parting = [rule for group in groups(rules, size) if is_grid(group) for rule in group]
    return [piece for region in regions for piece in cut_at(region, parting)]


def find(lines: Sequence[Line], rules: Sequence[Rule]) -> tuple[Table, ...]:
    """Find the tables of a page, from the top.

    `lines` are the page's lines, in any order; those with words and characters are cut where a cell ends within
    them, others at even steps. `rules` are what `find_rules` gives, none for a page without pixels.
    """
    parts = [(i, part) for i, line in enumerate(lines) for part in unstacked(line)]
    tables = _find([part for _, part in parts], rules)
    origin = [i for i, _ in parts]
    return tuple(
        replace(table, cells=tuple(_pointing(cell, origin) for cell in table.cells))
        for table in sorted(tables, key=lambda table: (table.polygon.bounds[1], table.polygon.bounds[0]))
    )


def _pointing(cell: Cell, origin: Sequence[int]) -> Cell:
    return replace(cell, lines=tuple(dict.fromkeys(origin[i] for i in cell.lines)))


def _find(lines: Sequence[Line], rules: Sequence[Rule]) -> list[Table]:
    if not lines:
        return []
    size = float(np.median([min(line.polygon.width, line.polygon.height) for line in lines]))
    tables: list[Table] = []
    rest: set[int] = set(range(len(lines)))
    free: list[Rule] = []
    for group in groups(rules, size):
        grid = grid_of(group, size) if is_grid(group) else None
        table = _ruled(lines, rest, grid, size) if grid and len(grid.columns) > 2 else None
        if table is None:
            free.extend(rule for rule in group if not rule.upright)
        else:
            tables.append(table)
            rest -= {i for cell in table.cells for i in cell.lines}
    return tables + _unruled(lines, rest, free, size)


def _ruled(lines: Sequence[Line], rest: Iterable[int], grid: Grid, size: float) -> Table | None:
    """Fill a grid; None if too few of its cells have text."""
    pieces = _pieces(lines, rest, grid)
    if len({span for span, _ in pieces}) < FEWEST or len(grid.spans) < 3:
        return None
    grid, pieces = _parted(lines, grid, pieces, size)
    return _table(grid, pieces, ruled=True)


def _pieces(lines: Sequence[Line], rest: Iterable[int], grid: Grid) -> list[tuple[int, Piece]]:
    """Cut the lines that lie in a grid at its cells; gives the index of the cell of each piece."""
    owner = _owners(grid)
    left, top, right, bottom = Polygon.from_points(grid.corners).bounds
    found: list[tuple[int, Piece]] = []
    for i in sorted(rest):
        x, y = lines[i].polygon.centre
        if left < x < right and top < y < bottom:
            found.extend(cut_line(i, lines[i], lambda points: _owners_at(grid, owner, points)))
    return found


def _owners(grid: Grid) -> list[list[int]]:
    owner = [[-1] * (len(grid.columns) - 1) for _ in grid.rows[1:]]
    for n, span in enumerate(grid.spans):
        for row in range(span.row, span.row + span.row_span):
            for column in range(span.column, span.column + span.column_span):
                owner[row][column] = n
    return owner


def _owners_at(grid: Grid, owner: Sequence[Sequence[int]], points: Sequence[Point]) -> list[int | None]:
    """Give the cell of each of the page's points; None outside of the grid."""
    across, down = grid.shares(points).T
    rows = np.clip(np.searchsorted(grid.rows, down, "right") - 1, 0, len(owner) - 1)
    columns = np.clip(np.searchsorted(grid.columns, across, "right") - 1, 0, len(owner[0]) - 1)
    inside = (np.abs(across - 0.5) < 0.5 + EDGE) & (np.abs(down - 0.5) < 0.5 + EDGE)
    return [owner[r][c] if there else None for r, c, there in zip(rows, columns, inside, strict=True)]


def _parted(
    lines: Sequence[Line], grid: Grid, pieces: list[tuple[int, Piece]], size: float
) -> tuple[Grid, list[tuple[int, Piece]]]:
    """Part the rows of a grid that hold several rows of text: where rules part head, body and foot only."""
    if len(grid.rows) - 1 > MOST_BANDS:
        return grid, pieces
    height = grid.height
    rows, spans = [0.0], list[Span]()
    for row in range(len(grid.rows) - 1):
        band = [span for span in grid.spans if span.row <= row < span.row + span.row_span]
        cuts = _cuts_within(grid, row, band, pieces, size) if all(span.row_span == 1 for span in band) else []
        for i in range(len(cuts) + 1):
            start = len(rows) - 1 + i
            spans.extend(Span(start, s.column, s.row_span, s.column_span) for s in band if s.row == row)
        rows.extend([cut / height for cut in cuts] + [grid.rows[row + 1]])
    if len(rows) == len(grid.rows):
        return grid, pieces
    parted = Grid(grid.corners, tuple(rows), grid.columns, tuple(spans))
    return parted, _pieces(lines, sorted({piece.line for _, piece in pieces}), parted)


def _cuts_within(
    grid: Grid, row: int, band: Sequence[Span], pieces: Sequence[tuple[int, Piece]], size: float
) -> list[float]:
    """Give the heights, from the grid's top, at which a row of it is to be parted; none if it is one row of text."""
    numbers = {n: span for n, span in enumerate(grid.spans) if span in band}
    items, extents = [], []
    for n, span in numbers.items():
        inside = [piece for m, piece in pieces if m == n]
        for piece in inside:
            corners = grid.shares(piece.polygon.corners) * (grid.width, grid.height)
            (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
            items.append(Item(n, left, top, right, bottom, piece.text))
        extents.append(
            (grid.columns[span.column] * grid.width, grid.columns[span.column + span.column_span] * grid.width)
        )
    several = sum(sum(item.index == n for item in items) > 1 for n in numbers)
    if several < max(2, 0.5 * len(numbers)):
        return []
    found = wrapped(rows_of(items, size), extents, size)
    if len(found) < 2 or sum(max(map(len, group)) > 1 for group in found) < 0.7 * len(found):
        return []
    bottoms = [max(item.bottom for line in group for item in line) for group in found]
    tops = [min(item.top for line in group for item in line) for group in found]
    return [(bottom + top) / 2 for bottom, top in zip(bottoms, tops[1:], strict=False)]


def _table(grid: Grid, pieces: Iterable[tuple[int, Piece]], ruled: bool) -> Table:
    texts: dict[int, list[Piece]] = {}
    for n, piece in pieces:
        texts.setdefault(n, []).append(piece)
    cells = tuple(_cell(grid, span, texts.get(n, [])) for n, span in enumerate(grid.spans))
    return Table(Polygon.from_points(grid.corners), len(grid.rows) - 1, len(grid.columns) - 1, cells, ruled)


def _cell(grid: Grid, span: Span, pieces: Sequence[Piece]) -> Cell:
    """Make a cell of its pieces of text: rows of them from the top, each from the left."""
    rows: list[str] = []
    if pieces:
        size = float(np.median([piece.polygon.height for piece in pieces]))
        items = [Item(i, *piece.polygon.bounds, piece.text) for i, piece in enumerate(pieces)]
        rows = [_side_by_side([item.text for item in row]) for row in rows_of(items, size)]
    confidence = float(np.prod([piece.confidence for piece in pieces])) if pieces else 1.0
    indexes = tuple(dict.fromkeys(piece.line for piece in pieces))
    return Cell(
        span.row, span.column, "\n".join(rows), grid.polygon(span), span.row_span, span.column_span, confidence, indexes
    )


def _side_by_side(texts: Sequence[str]) -> str:
    text = texts[0]
    for part in texts[1:]:
        text += (" " if text[-1:].isascii() and part[:1].isascii() else "") + part
    return text


def _unruled(lines: Sequence[Line], rest: set[int], rules: Sequence[Rule], size: float) -> list[Table]:
    """Find the tables among what no grid holds."""
    level = Level.of([line.polygon for line in lines if not line.vertical], size)
    items = [
        Item(i, *level.bounds(polygon), text)
        for i in sorted(rest)
        if not lines[i].vertical
        for text, polygon in chunks(lines[i])
    ]
    stretches = [Stretch(*level.stretch(rule.start, rule.end)) for rule in rules]
    tables = []
    for plan in between_rules(items, stretches, size):
        tables.append(_of_plan(lines, rest, plan, level))
        taken = {i for cell in tables[-1].cells for i in cell.lines}
        rest -= taken
        items = [item for item in items if item.index not in taken]
    for plan in without_rules(items, size):
        tables.append(_of_plan(lines, rest, plan, level))
        rest -= {i for cell in tables[-1].cells for i in cell.lines}
    return tables


def _of_plan(lines: Sequence[Line], rest: Iterable[int], plan: Plan, level: Level) -> Table:
    left, right, top, bottom = plan.columns[0], plan.columns[-1], plan.rows[0], plan.rows[-1]
    corners = tuple(level.back(x, y) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom)))
    rows = tuple((y - top) / (bottom - top) for y in plan.rows)
    columns = tuple((x - left) / (right - left) for x in plan.columns)
    grid = Grid(corners, rows, columns, plan.spans)  # type: ignore[arg-type]
    return _table(grid, _pieces(lines, rest, grid), plan.ruled)

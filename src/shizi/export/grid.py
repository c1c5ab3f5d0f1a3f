"""Grid: a table as a rectangle of places, spans clipped to it and to one another.

Takes a table, gives its cells by place. Whatever the table claims, no cell leaves the grid or covers another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from shizi.document import Table

_LARGEST = 1_048_576  # places; a table that claims more than a sheet has rows is no table


@dataclass(frozen=True, slots=True)
class Place:
    """One cell where it may stand: its row and column from 0, and how many rows and columns it covers."""

    row: int
    column: int
    row_span: int
    column_span: int
    text: str


def places(table: Table) -> Iterator[Place]:
    """Give the cells of a table in rows; spans that would cover another cell are cut to one place."""
    rows, columns = size(table)
    taken: set[tuple[int, int]] = {(cell.row, cell.column) for cell in table.cells}
    seen: set[tuple[int, int]] = set()
    for cell in sorted(table.cells, key=lambda cell: (cell.row, cell.column)):
        here = (cell.row, cell.column)
        if here in seen or not (0 <= cell.row < rows and 0 <= cell.column < columns):
            continue
        down, across = max(1, min(cell.row_span, rows - cell.row)), max(1, min(cell.column_span, columns - cell.column))
        covered = {(cell.row + i, cell.column + j) for i in range(down) for j in range(across)}
        if (covered - {here}) & (taken | seen):
            down = across = 1
            covered = {here}
        seen |= covered
        yield Place(cell.row, cell.column, down, across, cell.text)


def size(table: Table) -> tuple[int, int]:
    """Give the rows and columns of a table, no more than its cells reach and at most a sheet's worth."""
    rows = min(table.rows, max((cell.row + max(1, cell.row_span) for cell in table.cells), default=0))
    columns = min(table.columns, max((cell.column + max(1, cell.column_span) for cell in table.cells), default=0))
    return (rows, columns) if 0 < rows * columns <= _LARGEST else (0, 0)


def texts(table: Table) -> list[list[str]]:
    """Give a table as rows of texts; a cell's text stands in its first place, the others it covers are empty."""
    rows, columns = size(table)
    grid = [[""] * columns for _ in range(rows)]
    for place in places(table):
        grid[place.row][place.column] = place.text
    return grid


def spanned(table: Table) -> bool:
    """Say whether any cell covers more than one place."""
    return any(place.row_span > 1 or place.column_span > 1 for place in places(table))


def html(table: Table) -> str:
    """Write a table as HTML on one row, spans kept."""
    rows, _ = size(table)
    written: list[list[str]] = [[] for _ in range(rows)]
    for place in places(table):
        spans = f' rowspan="{place.row_span}"' if place.row_span > 1 else ""
        spans += f' colspan="{place.column_span}"' if place.column_span > 1 else ""
        written[place.row].append(f"<td{spans}>{escape(place.text, quote=False).replace(chr(10), '<br>')}</td>")
    return "<table>" + "".join(f"<tr>{''.join(row)}</tr>" for row in written) + "</table>"

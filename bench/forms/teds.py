"""TEDS: how alike two tables are as trees of rows and cells (Zhong et al., Image-based table recognition, ECCV 2020).

    TEDS = 1 - edit distance of the trees / nodes of the larger one

A tree is table -> rows -> cells. Inserting or deleting a node costs 1, replacing a cell by one of other spans 1, by one
of other text the edit distance of the texts over the longer one's length; `structure` leaves the text out. Heads and
bodies are not told apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shizi.evaluation import edit_distance, normalise


class Spans(Protocol):
    """A cell, of the truth or as read."""

    row: int
    column: int
    row_span: int
    column_span: int
    text: str


@dataclass(slots=True)
class Node:
    """A table, a row or a cell; `spans` and `text` are a cell's own."""

    tag: str
    children: list["Node"] = field(default_factory=list)
    spans: tuple[int, int] = (1, 1)
    text: str = ""


def teds(cells: Iterable[Spans], others: Iterable[Spans], structure: bool = False) -> float:
    """Give the likeness, 0..1, of two tables told by their cells."""
    first, second = _postorder(tree(cells)), _postorder(tree(others))
    return 1 - _distance(first, second, structure) / max(len(first), len(second))


def tree(cells: Iterable[Spans]) -> Node:
    """Make the tree of a table; rows in which no cell begins are rows still."""
    ordered = sorted(cells, key=lambda cell: (cell.row, cell.column))
    rows = [Node("tr") for _ in range(max((cell.row + cell.row_span for cell in ordered), default=0))]
    for cell in ordered:
        rows[cell.row].children.append(Node("td", [], (cell.row_span, cell.column_span), normalise(cell.text)))
    return Node("table", rows)


def _postorder(root: Node) -> list[tuple[Node, int]]:
    """List the nodes, children first, each with the index of its leftmost leaf."""
    found: list[tuple[Node, int]] = []

    def visit(node: Node) -> int:
        leaves = [visit(child) for child in node.children]
        found.append((node, leaves[0] if leaves else len(found)))
        return found[-1][1]

    visit(root)
    return found


def _cost(a: Node, b: Node, structure: bool) -> float:
    if a.tag != b.tag or a.spans != b.spans:
        return 1.0
    if structure or a.text == b.text:
        return 0.0
    return edit_distance(a.text, b.text) / max(len(a.text), len(b.text))


def _distance(first: Sequence[tuple[Node, int]], second: Sequence[tuple[Node, int]], structure: bool) -> float:
    """Give the tree edit distance (Zhang and Shasha, SIAM Journal on Computing 18, 1989)."""
    trees = [[0.0] * len(second) for _ in first]
    costs: dict[tuple[int, int], float] = {}
    for i in _keyroots(first):
        for j in _keyroots(second):
            _forests(first, second, i, j, trees, costs, structure)
    return trees[-1][-1]


def _keyroots(nodes: Sequence[tuple[Node, int]]) -> list[int]:
    """Give the last node of each leftmost leaf: the root, and every node with a sibling on its left."""
    return sorted({leaf: i for i, (_, leaf) in enumerate(nodes)}.values())


def _forests(
    first: Sequence[tuple[Node, int]],
    second: Sequence[tuple[Node, int]],
    i: int,
    j: int,
    trees: list[list[float]],
    costs: dict[tuple[int, int], float],
    structure: bool,
) -> None:
    """Fill in the distances between the trees that end on the way to the keyroots i and j."""
    top, left = first[i][1], second[j][1]
    above = [float(k) for k in range(j - left + 2)]
    rows = [above]
    for x in range(top, i + 1):
        node, leaf = first[x]
        row = [above[0] + 1]
        for y in range(left, j + 1):
            other, other_leaf = second[y]
            best = min(above[y - left + 1], row[y - left]) + 1
            if leaf == top and other_leaf == left:
                if (x, y) not in costs:
                    costs[x, y] = _cost(node, other, structure)
                best = min(best, above[y - left] + costs[x, y])
                trees[x][y] = best
            else:
                best = min(best, rows[leaf - top][other_leaf - left] + trees[x][y])
            row.append(best)
        rows.append(row)
        above = row

"""The specimen tables of the bench, and the measure they are scored by."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from shizi.document import Cell
from shizi.geometry import Polygon

BENCH = str(Path(__file__).parents[1] / "bench")


@pytest.fixture(scope="module")
def forms() -> Iterator[tuple[ModuleType, ModuleType]]:
    sys.path.insert(0, BENCH)
    from forms import tables, teds

    yield tables, teds
    sys.path.remove(BENCH)


def grid(*rows: str) -> list[Cell]:
    box = Polygon.from_bounds(0, 0, 1, 1)
    return [Cell(r, c, text, box) for r, row in enumerate(rows) for c, text in enumerate(row.split())]


def test_likeness_by_hand(forms: tuple[ModuleType, ModuleType]) -> None:
    _, teds = forms
    truth = grid("a b", "c d")  # a table, two rows, four cells: seven nodes
    assert teds.teds(truth, truth) == 1
    assert teds.teds(truth, grid("a b", "c")) == pytest.approx(1 - 1 / 7)
    assert teds.teds(truth, grid("a b", "c xy")) == pytest.approx(1 - 1 / 7)
    assert teds.teds(truth, grid("a b", "c xy"), structure=True) == 1
    assert teds.teds(truth, grid("a b")) == pytest.approx(1 - 3 / 7)
    assert teds.teds(truth, []) == pytest.approx(1 - 6 / 7)
    box = Polygon.from_bounds(0, 0, 1, 1)
    spanned = [Cell(0, 0, "a", box, 1, 2), *grid("", "c d")]
    assert teds.teds(truth, spanned, structure=True) == pytest.approx(1 - 2 / 7)


def test_likeness_is_what_apted_finds(forms: tuple[ModuleType, ModuleType]) -> None:
    from apted import APTED, Config

    tables, teds = forms

    class Trees(Config):  # type: ignore[misc]
        def rename(self, node1: object, node2: object) -> float:
            return float(teds._cost(node1, node2, True))

        def children(self, node: object) -> list[object]:
            return node.children  # type: ignore[attr-defined, no-any-return]

    (first,), (second,) = (tables.specimen("ruled", i).tables for i in (1, 3))
    a, b = teds.tree(first.cells), teds.tree(second.cells)
    most = max(len(teds._postorder(tree)) for tree in (a, b))
    expected = 1 - APTED(a, b, Trees()).compute_edit_distance() / most
    assert teds.teds(first.cells, second.cells, structure=True) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["ruled", "partly", "borderless", "none"])
def test_specimens_are_the_same_each_time_and_whole(forms: tuple[ModuleType, ModuleType], kind: str) -> None:
    tables, _ = forms
    if tables.missing_fonts():
        pytest.skip("Debian's package fonts-noto-cjk is missing: apt-get install fonts-noto-cjk")
    for i in (1, 4):
        page, again = tables.specimen(kind, i), tables.specimen(kind, i)
        assert np.array_equal(page.pixels, again.pixels)
        assert bool(page.tables) == (kind != "none")
        for truth in page.tables:
            places = [
                (cell.row + r, cell.column + c)
                for cell in truth.cells
                for r in range(cell.row_span)
                for c in range(cell.column_span)
            ]
            assert sorted(places) == [(r, c) for r in range(truth.rows) for c in range(truth.columns)]

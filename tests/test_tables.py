"""Tables: rules, grids, white between columns, texts cut at cells; pictures drawn here."""

import math
from itertools import pairwise

import cv2
import numpy as np
import pytest

from shizi.crop import Region
from shizi.document import Char, Line, Table, Word
from shizi.geometry import Polygon
from shizi.line_image import Pixels
from shizi.options import ReadOptions
from shizi.reader import Reader
from shizi.tables import cut_apart, find, find_rules
from shizi.tables.grid import grid_of, groups, spans_of
from shizi.tables.rules import Rule, cut_at

SIZE = 24


def line(text: str, x: float, y: float, chars: bool = True) -> Line:
    """Make a line whose left middle stands at (x, y): SIZE high, digits and letters half as wide as Chinese."""
    widths = [0.7 * SIZE if ord(letter) > 255 else 0.38 * SIZE for letter in text]
    total = sum(widths)
    polygon = Polygon.from_bounds(x, y - SIZE / 2, x + total, y + SIZE / 2)
    edges = [sum(widths[:i]) / total for i in range(len(text) + 1)]
    made = [Char(letter, 0.9, a, b) for letter, (a, b) in zip(text, pairwise(edges), strict=True) if letter != " "]
    return Line(text, 0.9, polygon, (Word(text, 0.9, polygon, tuple(made)),) if chars else ())


def grid_lines(
    rows: list[list[str]], left: float = 40, top: float = 40, wide: float = 150, high: float = 44
) -> list[Line]:
    return [
        line(text, left + 10 + wide * c, top + high * (r + 0.5))
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
        if text
    ]


def drawn(rows: int, columns: int, wide: int = 150, high: int = 44, ink: int = 0, dash: int = 0) -> Pixels:
    """Draw an empty grid 40 pixels off the corner."""
    page = np.full((rows * high + 80, columns * wide + 80, 3), 255, np.uint8)
    for r in range(rows + 1):
        stroke(page, (40, 40 + r * high), (40 + columns * wide, 40 + r * high), ink, dash)
    for c in range(columns + 1):
        stroke(page, (40 + c * wide, 40), (40 + c * wide, 40 + rows * high), ink, dash)
    return page


def stroke(page: Pixels, start: tuple[int, int], end: tuple[int, int], ink: int, dash: int) -> None:
    if not dash:
        cv2.line(page, start, end, (ink, ink, ink), 2)
        return
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1])) // dash
    points = np.linspace(start, end, steps + 1).astype(int).tolist()
    for a, b in list(pairwise(points))[::2]:
        cv2.line(page, a, b, (ink, ink, ink), 2)


def tilted(page: Pixels, lines: list[Line], degrees: float) -> tuple[Pixels, list[Line]]:
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = np.asarray(cv2.warpAffine(page, turn, (width, height), borderValue=(255, 255, 255)), np.uint8)
    moved = [
        Line(
            one.text,
            one.confidence,
            Polygon.from_points((np.array(one.polygon.corners) @ turn[:, :2].T + turn[:, 2]).tolist()),
        )
        for one in lines
    ]
    return turned, moved


def shape(table: Table) -> tuple[int, int]:
    return table.rows, table.columns


def texts(table: Table) -> list[list[str]]:
    rows = [[""] * table.columns for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row][cell.column] = cell.text
    return rows


CELLS = [["名称", "数量", "金额"], ["钢筋", "12", "3,400.00"], ["水泥", "", "99.50"], ["电缆", "7", "1,208.00"]]


# Ruled


@pytest.mark.parametrize("degrees", [0, 2.5, -4])
@pytest.mark.parametrize(("ink", "dash"), [(0, 0), (190, 0), (60, 5)])
def test_a_grid_of_any_ink_is_read_at_any_tilt(degrees: float, ink: int, dash: int) -> None:
    page, lines = tilted(drawn(4, 3, ink=ink, dash=dash), grid_lines(CELLS), degrees)
    (table,) = find(lines, find_rules(page, [one.polygon for one in lines]))
    assert table.ruled
    assert shape(table) == (4, 3)
    assert texts(table) == CELLS


def test_rules_of_any_colour_show_on_coloured_heads() -> None:
    page = drawn(4, 3, ink=0)
    page[40:84, 40:490] = np.where(page[40:84, 40:490] == 255, np.array([255, 242, 204], np.uint8), 200)
    page[page[:, :, 0] == 0] = (200, 205, 210)
    lines = grid_lines(CELLS)
    (table,) = find(lines, find_rules(page, [one.polygon for one in lines]))
    assert shape(table) == (4, 3)


def test_upright_rules_that_are_nearly_invisible_are_measured_side_by_side() -> None:
    """In tight noisy rows, where only some of their pieces stand out for themselves."""
    page = np.full((40 + 12 * 34 + 40, 700, 3), 240, np.uint8)
    for r in range(13):
        cv2.line(page, (40, 40 + 34 * r), (640, 40 + 34 * r), (120, 120, 120), 2)
    for x in (40, 190, 340, 490, 640):
        cv2.line(page, (x, 40), (x, 40 + 12 * 34), (218, 218, 218), 1)
    noisy = cv2.GaussianBlur(page, (0, 0), 0.6) + np.random.default_rng(1).normal(0, 6, page.shape)
    lines = grid_lines([["水泥水泥", "12345", "99.50", "2026"]] * 12, high=34)
    (table,) = find(lines, find_rules(np.clip(noisy, 0, 255).astype(np.uint8), [one.polygon for one in lines]))
    assert shape(table) == (12, 4)
    assert all((cell.row_span, cell.column_span) == (1, 1) for cell in table.cells)


def test_letters_on_a_boundary_part_no_spanning_cell() -> None:
    page = drawn(3, 2)
    page[130:170, 185:195] = 255  # the last row is one cell, and a stroke of its text stands on the columns' boundary
    cv2.line(page, (190, 140), (190, 162), (0, 0, 0), 2)
    lines = [*grid_lines([["甲", "1"], ["乙", "2"]]), line("合计十五", 150, 150)]
    (table,) = find(lines, find_rules(page, [one.polygon for one in lines]))
    assert {cell.text: cell.column_span for cell in table.cells}["合计十五"] == 2


def test_the_dark_edge_of_a_photograph_rules_nothing_off() -> None:
    page, lines = tilted(drawn(4, 3), grid_lines(CELLS), -3)
    shade = np.linspace(0.35, 1.0, page.shape[1])[None, :, None]
    dim = np.clip(page * shade + np.random.default_rng(2).normal(0, 4, page.shape), 0, 255).astype(np.uint8)
    (table,) = find(lines, find_rules(dim, [one.polygon for one in lines]))
    assert (shape(table), texts(table)) == ((4, 3), CELLS)


def test_missing_rules_make_spans() -> None:
    page = drawn(3, 3)
    page[45:80, 185:335] = 255  # the head's first two cells are one
    page[86:125, 45:185] = page[86:125, 45:185]
    page[120:135, 45:185] = 255  # the lower two cells of the first column are one
    rows = [["全年合计", "", "备注"], ["甲", "1", "x"], ["", "2", "y"]]
    lines = grid_lines(rows)
    (table,) = find(lines, find_rules(page, [one.polygon for one in lines]))
    spans = {cell.text: (cell.row_span, cell.column_span) for cell in table.cells}
    assert spans == {
        "全年合计": (1, 2),
        "备注": (1, 1),
        "甲": (2, 1),
        "1": (1, 1),
        "x": (1, 1),
        "2": (1, 1),
        "y": (1, 1),
    }
    assert '<td colspan="2">全年合计</td>' in table.html
    assert '<td rowspan="2">甲</td>' in table.html


def test_a_line_over_two_cells_is_cut_between_its_characters() -> None:
    lines = [*grid_lines([["名称", "数量"], ["", ""]]), line("钢筋钢筋钢12345", 60, 106)]
    rules = find_rules(drawn(2, 2, wide=100), [one.polygon for one in lines])
    (table,) = find([*grid_lines([["名称", "数量"]], wide=100), lines[-1]], rules)
    assert texts(table)[1] == ["钢筋钢筋钢", "12345"]
    assert [cell.lines for cell in table.cells if cell.row == 1] == [(2,), (2,)]


def test_a_region_is_cut_at_the_rules_of_a_grid_only() -> None:
    page = drawn(3, 2, wide=200)
    corners = np.array([[60, 50], [400, 50], [400, 74], [60, 74]], np.float32)
    region = Region(corners)
    rules = find_rules(page, [Polygon.from_points(corners.tolist())])
    first, second = cut_apart([region], rules)
    assert first.corners[1, 0] < 241 < second.corners[0, 0] + 2
    lone = [rule for rule in rules if rule.upright][:1]
    assert cut_apart([region], lone) == [region]
    assert cut_apart([], rules) == []


def test_a_bent_region_stays_whole() -> None:
    region = Region(np.array([[0, 0], [200, 0], [200, 20], [0, 20]], np.float32), (0.0, 3.0))
    assert cut_at(region, [Rule((100, -20), (100, 40), True)]) == [region]


def test_a_frame_around_text_is_no_table() -> None:
    page = drawn(1, 1, wide=500, high=160)
    lines = [line("本次采购严格按照招标文件的要求执行", 60, 70 + 40 * i) for i in range(3)]
    assert find(lines, find_rules(page, [one.polygon for one in lines])) == ()


@pytest.mark.parametrize("touched", ["nothing", "ring", "code"])
def test_what_touches_a_rule_hides_it_not(touched: str) -> None:
    """An invoice's upper rule: few upright ones reach up to it, a seal or a QR code lies on it."""
    page = np.full((392, 980, 3), 255, np.uint8)
    page[180:] = drawn(3, 6)
    for inner in (1, 2, 4, 5):
        page[223:262, 40 + 150 * inner - 3 : 40 + 150 * inner + 4] = 255
    if touched == "ring":
        for within in range(0, 60, 8):  # with its rows of text
            cv2.ellipse(page, (340, 170), (100, 62 - within), 0, 0, 360, (0, 0, 0), 4)
    elif touched == "code":
        page[102:222, 60:180][np.arange(120) % 8 < 4] = 0
    lines = grid_lines([["", "甲方", "", "", "乙方"], ["1234"] * 6, ["5678"] * 6], top=220)
    (table,) = find(lines, find_rules(page, [one.polygon for one in lines]))
    assert (table.rows, table.columns, len(table.cells)) == (3, 6, 14)


def test_a_page_without_text_has_no_rules_and_no_tables() -> None:
    assert find_rules(drawn(3, 3), []) == []
    assert find([], []) == ()


def test_rows_without_rules_between_are_parted() -> None:
    page = drawn(4, 3)
    for r in (2, 3):
        page[40 + 44 * r - 3 : 40 + 44 * r + 4, 43:188] = 255
        page[40 + 44 * r - 3 : 40 + 44 * r + 4, 193:338] = 255
        page[40 + 44 * r - 3 : 40 + 44 * r + 4, 343:488] = 255
    lines = grid_lines(CELLS)
    (table,) = find(lines, find_rules(page, [one.polygon for one in lines]))
    assert texts(table) == CELLS


def test_two_tables_on_a_page_come_from_the_top() -> None:
    page = np.concatenate([drawn(3, 3), drawn(2, 3)])
    below = [["A", "B", "C"], ["1", "2", "3"]]
    lines = grid_lines(below, top=40 + 3 * 44 + 80) + grid_lines(CELLS[:3])
    first, second = find(lines, find_rules(page, [one.polygon for one in lines]))
    assert texts(first) == CELLS[:3]
    assert texts(second) == below


def test_what_joins_to_no_rectangle_is_cut_into_some() -> None:
    above = np.ones((3, 2), bool)
    before = np.ones((2, 3), bool)
    above[1, 0] = before[0, 1] = False  # an L of three places
    spans = spans_of(above, before)
    covered = sorted((s.row + i, s.column + j) for s in spans for i in range(s.row_span) for j in range(s.column_span))
    assert covered == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_rules_that_do_not_meet_are_no_group() -> None:
    rules = [Rule((0, 0), (100, 0), False), Rule((300, 0), (300, 100), True)]
    assert [len(group) for group in groups(rules, 20)] == [1, 1]
    assert grid_of(rules[:1], 20) is None


# Without upright rules


PRICES = [["Item", "Units", "Price"], ["Bolt", "12", "3.40"], ["Washer", "250", "0.05"], ["Cable", "7", "120.80"]]


@pytest.mark.parametrize("degrees", [0, 3, -3])
def test_white_alone_makes_a_table(degrees: float) -> None:
    _, lines = tilted(np.full((400, 600, 3), 255, np.uint8), grid_lines(PRICES), degrees)
    (table,) = find(lines, [])
    assert not table.ruled
    assert texts(table) == PRICES


def test_a_wrapped_cell_is_one_cell() -> None:
    rows = [["Item", "Remarks", "Price"], ["Bolt", "", "3.40"], ["Nut", "short", "0.05"], ["Cable", "", "120.80"]]
    lines = grid_lines(rows, high=70)
    for row, words in ((1, ("zinc plated", "and hardened")), (3, ("by the metre", "two colours"))):
        lines += [line(text, 200, 40 + 70 * (row + 0.5) + shift) for text, shift in zip(words, (-12, 12), strict=True)]
    (table,) = find(lines, [])
    assert shape(table) == (4, 3)
    assert texts(table)[1][1] == "zinc plated\nand hardened"


def test_a_heading_over_two_columns_spans_them() -> None:
    rows = [
        ["", "", "", ""],
        ["Model", "Train", "Test", "Size"],
        *([f"net {i}", f"{i}.1", f"{i}.2", f"{i}0"] for i in range(4)),
    ]
    lines = grid_lines(rows)
    lines += [line("Accuracy in percent", 205, 62)]
    lines = [one for one in lines if one.text not in ("Model", "Size")]
    lines += [line("Model", 50, 84), line("Size", 500, 84)]
    (table,) = find(lines, [])
    spans = {cell.text: (cell.row_span, cell.column_span) for cell in table.cells}
    assert spans["Accuracy in percent"] == (1, 2)
    assert spans["Model"] == spans["Size"] == (2, 1)


def test_cells_read_as_one_line_are_taken_apart() -> None:
    lines = grid_lines(PRICES[:3])
    gap = 105 / (150 * 2)
    chars = (Char("C", 0.9, 0, 0.05), Char("7", 0.9, 0.5 - 0.02, 0.5 + 0.02), Char("9", 0.9, 0.98, 1.0))
    assert gap
    polygon = Polygon.from_bounds(50, 182, 50 + 310, 206)
    lines.append(Line("C79", 0.9, polygon, (Word("C79", 0.9, polygon, chars),)))
    (table,) = find(lines, [])
    assert texts(table)[3] == ["C", "7", "9"]


PROSE = "the figures below are based on unaudited accounts"


@pytest.mark.parametrize(
    "lines",
    [
        [line(PROSE, x, 40 + 30 * i) for i in range(8) for x in (40, 560)],
        [line(text, 40, 40 + 30 * i) for i, text in enumerate(("Northwind Ltd.", "12 Harbour Road", "Qingdao"))]
        + [line(text, 700, 40 + 30 * i) for i, text in enumerate(("Tel. 0532 8888", "Ref. A-22", "3 May"))],
        [
            line(text, x, 40 + 34 * i)
            for i in range(5)
            for x, text in ((40, "名称：华联"), (300, "电话：12345"), (560, "地址：青岛"))
        ],
        [line(f"{i + 1}.", 40, 40 + 34 * i) for i in range(6)] + [line(PROSE, 90, 40 + 34 * i) for i in range(6)],
        [line(text, x, 40 + 34 * i) for i in range(6) for x, text in ((40, "Chapter ......"), (400, str(7 * i)))],
    ],
    ids=["columns", "letter", "labels", "list", "contents"],
)
def test_other_text_side_by_side_is_no_table(lines: list[Line]) -> None:
    assert find(lines, []) == ()


def test_three_rules_frame_a_table() -> None:
    lines = grid_lines(PRICES)
    rules = [Rule((40, y), (490, y), False) for y in (40, 84, 216)]
    (table,) = find(lines, rules)
    assert table.ruled
    assert texts(table) == PRICES


# Through the reader


def test_reading_gives_tables_only_if_asked(real_reader: Reader) -> None:
    page = drawn(3, 2)
    for r, row in enumerate((("Name", "Total"), ("Alpha", "120"), ("Beta", "75"))):
        for c, text in enumerate(row):
            cv2.putText(
                page, text, (60 + 150 * c, 72 + 44 * r), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2, cv2.LINE_AA
            )
    (plain,) = real_reader.read(page).pages
    assert plain.tables == ()
    (read,) = real_reader.read(page, ReadOptions(tables="auto")).pages
    (table,) = read.tables
    assert texts(table) == [["Name", "Total"], ["Alpha", "120"], ["Beta", "75"]]
    assert all(read.lines[i].text == cell.text for cell in table.cells for i in cell.lines)
    assert all(one.words == () for one in read.lines)
    assert math.isclose(table.polygon.bounds[0], 40, abs_tol=4)
    (left,) = real_reader.read(page, ReadOptions(tables="skip")).pages
    assert (left.lines, left.tables, left.text) == ((), (), "")
    assert left.warnings[-1].startswith("tables_skipped: 1 tables")

from dataclasses import replace

import pytest

from shizi.document import Block, Cell, Char, Line, Page, Reading, Table
from shizi.geometry import Polygon
from shizi.layout import Fragment, arrange, set_beside, without_tables
from shizi.options import Detail


def piece(text: str, left: float, top: float, width: float | None = None, height: float = 20) -> Fragment:
    """A line of text; by default as wide as Chinese characters of its height, half for Latin ones."""
    units = sum(1.0 if ord(character) > 255 else 0.5 for character in text)
    width = width or units * height
    chars = tuple(Char(c, 0.9, i / len(text), (i + 1) / len(text)) for i, c in enumerate(text))
    return Fragment(Polygon.from_bounds(left, top, left + width, top + height), Reading(text, 0.9, chars, "model"))


def column(text: str, left: float, top: float, size: float = 20) -> Fragment:
    chars = tuple(Char(c, 0.9, i / len(text), (i + 1) / len(text)) for i, c in enumerate(text))
    polygon = Polygon.from_bounds(left, top, left + size, top + size * len(text))
    return Fragment(polygon, Reading(text, 0.9, chars, "model"), vertical=True)


def texts(*fragments: Fragment, rule: bool = False) -> list[str]:
    lines, _ = arrange(list(fragments)[::-1], lambda left, right: rule, "line")
    return [line.text for line in lines]


def paragraph(words: str, left: float, count: int = 5) -> list[Fragment]:
    return [piece(f"{words}{i}", left, 100 + 30 * i, width=300) for i in range(count)]


def test_nothing_is_nothing() -> None:
    assert arrange([], lambda left, right: False, "line") == ((), ())


def test_lines_run_from_top_to_bottom() -> None:
    assert texts(piece("一行", 10, 10), piece("二行", 40, 40), piece("三行", 0, 70)) == ["一行", "二行", "三行"]


def test_columns_of_paragraphs_are_read_one_after_the_other_under_their_title() -> None:
    left, right = paragraph("左栏正文", 20), paragraph("右栏正文", 360)
    title = piece("横贯两栏的标题", 200, 40)
    assert texts(title, *left, *right) == [title.text, *(f.text for f in left), *(f.text for f in right)]


def test_rows_of_a_table_are_read_across() -> None:
    cells = [
        piece(f"{row}{name}", x, 30 * row) for row in range(4) for name, x in (("名", 0), ("量", 200), ("价", 400))
    ]
    assert texts(*cells) == [cell.text for cell in cells]


def test_a_cell_that_stands_between_two_rows_does_not_break_them() -> None:
    rows = [piece("Male", 0, 0), piece("35", 200, 0), piece("Female", 0, 30), piece("44", 200, 30)]
    assert texts(*rows, piece("0.125", 400, 15)) == ["Male", "35", "0.125", "Female", "44"]


def test_a_stacked_label_is_one_line_and_parts_the_blocks_beside_it() -> None:
    label = [piece(c, 0, y) for c, y in (("购", 12), ("买", 42), ("方", 72))]
    left = [piece(f"名称第{i}行", 40, 27 * i) for i in range(4)]
    right = [piece(f"密码第{i}行", 400, 27 * i) for i in range(4)]
    divider = [piece(c, 360, y) for c, y in (("密", 12), ("码", 42), ("区", 72))]
    assert texts(*label, *left, *divider, *right) == [
        "购买方", *(f.text for f in left), "密码区", *(f.text for f in right),
    ]  # fmt: skip


def test_each_character_of_a_pile_keeps_its_own_place() -> None:
    pile = [column("盒箱", 0, 0), column("把册", 0, 60)]
    (line,), _ = arrange(pile, lambda left, right: False, "character")
    (word,) = line.words
    assert line.vertical
    assert [(c.text, round(100 * c.start), round(100 * c.end)) for c in word.chars] == [
        ("盒", 0, 20), ("箱", 20, 40), ("把", 60, 80), ("册", 80, 100),
    ]  # fmt: skip


def test_a_table_column_of_single_characters_stays_cells() -> None:
    rows = [f for i, c in enumerate("套个件") for f in (piece(f"货物{i}号", 0, 40 * i), piece(c, 200, 40 * i))]
    assert texts(*rows) == ["货物0号", "套", "货物1号", "个", "货物2号", "件"]


def test_upright_columns_are_read_from_the_right() -> None:
    assert texts(column("第一列文字", 200, 0), column("第二列文字", 150, 0), column("第三列文字", 100, 0)) == [
        "第一列文字", "第二列文字", "第三列文字",
    ]  # fmt: skip


def test_a_lone_figure_higher_than_wide_runs_as_the_other_text_does() -> None:
    figure = replace(column("7", 300, 0), polygon=Polygon.from_bounds(300, 0, 312, 20))
    cells = [piece("数量", 0, 0), figure, piece("单价", 0, 30)]
    lines, _ = arrange(cells, lambda left, right: False, "character")
    assert [(line.text, line.vertical) for line in lines] == [("数量", False), ("7", False), ("单价", False)]
    assert lines[1].words[0].polygon.bounds == pytest.approx((300, 0, 312, 20))
    upright = [column("第一列文字", 200, 0), column("末", 170, 0)]
    assert all(line.vertical for line in arrange(upright, lambda left, right: False, "line")[0])


def test_pieces_of_one_line_are_joined_with_spaces_between_latin_words_only() -> None:
    assert texts(piece("Hello", 0, 0), piece("world", 58, 0)) == ["Hello world"]
    assert texts(piece("你好", 0, 0), piece("世界", 45, 0)) == ["你好世界"]
    assert texts(piece("名", 0, 0), piece("称：个人", 70, 1)) == ["名称：个人"]


def test_a_line_of_pieces_names_each_model_once() -> None:
    pieces = [piece(word, 38 * place, 0) for place, word in enumerate(("one", "two", "thr", "fou"))]
    models = ("small", "small", "strong", "small")
    read = [replace(p, reading=replace(p.reading, model=model)) for p, model in zip(pieces, models, strict=True)]
    (line,), _ = arrange(read, lambda left, right: False, "line")
    assert (line.text, line.model) == ("one two thr fou", "small+strong")


@pytest.mark.parametrize("rule", [True, False])
def test_a_rule_keeps_cells_apart(rule: bool) -> None:
    assert texts(piece("46.62", 0, 0), piece("13%", 55, 0), rule=rule) == (["46.62", "13%"] if rule else ["46.62 13%"])


def test_a_tilted_page_keeps_its_order() -> None:
    def tilted(text: str, x: float, y: float, width: float) -> Fragment:
        slope = 0.15
        corners = [(x, y + slope * x), (x + width, y + slope * (x + width))]
        corners += [(px, py + 20) for px, py in reversed(corners)]
        return Fragment(Polygon.from_points(corners), Reading(text, 0.9, model="model"))

    rows = [tilted(f"{side}{i}", x, 40 * i, 60) for i in range(5) for side, x in (("左", 0), ("右", 400))]
    assert texts(*rows) == [row.text for row in rows]


def test_blocks_part_at_white_space_and_hold_every_line_once() -> None:
    fragments = [piece("标题", 0, 0), *(piece(f"正文{i}", 0, 80 + 25 * i) for i in range(3)), piece("落款", 0, 240)]
    lines, blocks = arrange(fragments, lambda left, right: False, "line")
    assert [block.lines for block in blocks] == [(0,), (1, 2, 3), (4,)]
    assert blocks[1].polygon.bounds == (0, 80, 50, 150)
    assert len(lines) == 5


@pytest.mark.parametrize(("detail", "words", "chars"), [("line", 0, 0), ("word", 3, 0), ("character", 3, 4)])
def test_detail_decides_how_deep_lines_go(detail: Detail, words: int, chars: int) -> None:
    (line,), _ = arrange([piece("读2026 abcd", 0, 0, width=100)], lambda left, right: False, detail)
    assert len(line.words) == words
    if words:
        assert [word.text for word in line.words] == ["读", "2026", "abcd"]
        assert line.words[1].polygon.bounds == pytest.approx((10, 0, 50, 20))
        assert len(line.words[1].chars) == chars


def test_rows_of_a_table_are_one_block() -> None:
    cells = [piece(text, x, 28 * row) for row in range(3) for x, text in ((0, "BIBIM"), (300, "$13.99"))]
    lines, blocks = arrange(cells, lambda left, right: False, "line")
    assert [block.lines for block in blocks] == [(0, 1, 2, 3, 4, 5)]
    assert len(lines) == 6


def test_what_lies_over_the_text_comes_after_it_as_one_block() -> None:
    lines, blocks = arrange([piece("正文", 10, 10)], lambda left, right: False, "line")
    stamp = [piece("发票专用章", 40, 30), piece("青岛识字", 45, 5)]
    around = Polygon.from_bounds(30, 0, 160, 130)
    lines, blocks = set_beside(lines, blocks, stamp, "line", "seal", around)
    assert [line.text for line in lines] == ["正文", "青岛识字", "发票专用章"]
    assert [(block.kind, block.lines) for block in blocks] == [("text", (0,)), ("seal", (1, 2))]
    assert blocks[1].polygon == around


def test_what_stands_in_tables_is_left_out_and_said() -> None:
    place = Polygon.from_bounds(0, 0, 90, 20)
    lines = tuple(Line(text, 0.9, place) for text in "甲乙丙丁")
    blocks = (
        Block("text", place, (0, 1)),
        Block("text", place, (2,)),
        Block("text", place, (3,)),
        Block("seal", place, ()),
    )
    cells = (Cell(0, 0, "乙", place, lines=(1,)), Cell(0, 1, "丙", place, lines=(2,)), Cell(1, 0, "", place))
    page = Page(1, 100, 200, lines=lines, blocks=blocks, tables=(Table(place, 2, 2, cells, True),))
    left = without_tables(page)
    assert [line.text for line in left.lines] == ["甲", "丁"]
    assert [(block.kind, block.lines) for block in left.blocks] == [("text", (0,)), ("text", (1,)), ("seal", ())]
    assert left.tables == ()
    assert left.text == "甲\n\n丁"
    assert left.warnings == ("tables_skipped: 1 tables with 2 lines were left out, as asked for.",)
    assert without_tables(left) is left

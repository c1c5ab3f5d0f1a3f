"""Paragraphs joined right for Chinese and English, rows of forms left as rows, tables where they stand."""

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from documents import line, page_of, table
from markdown_it import MarkdownIt

from shizi.document import Block, Document, Page
from shizi.export import FORMATS
from shizi.export.flow import Heading, Paragraph, flow, joined
from shizi.export.lists import Listing
from shizi.geometry import Polygon


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["人工智能是研究", "机器的科学。"], "人工智能是研究机器的科学。"),
        (["the quick brown", "fox jumps"], "the quick brown fox jumps"),
        (["an import-", "ant word"], "an important word"),
        (["state-of-the-", "art methods"], "state-of-the-art methods"),
        (["pages 12-", "14 of it"], "pages 12-14 of it"),
        (["see Smith-", "Jones there"], "see Smith-Jones there"),
        (["使用 Python", "语言编写"], "使用 Python语言编写"),
        (["中文，", "English"], "中文，English"),
        (["한국어는", "띄어 쓴다"], "한국어는 띄어 쓴다"),
        (["one", "", "two"], "one two"),
        (["  spaces ", " around "], "spaces around"),
    ],
)
def test_joined(lines: list[str], text: str) -> None:
    assert joined(lines) == text


def block_page(rows: Sequence[tuple[float, float, str]], kind: str = "text", size: float = 20) -> Page:
    """Make a page of one block; each row from left to right at its own height."""
    lines = tuple(
        line(text, Polygon.from_bounds(left, 30 * i, right, 30 * i + size))
        for i, (left, right, text) in enumerate(rows)
    )
    left, right = min(row[0] for row in rows), max(row[1] for row in rows)
    frame = Polygon.from_bounds(left, 0, right, 30 * len(rows))
    return Page(1, 1000, 1000, lines=lines, blocks=(Block(kind, frame, tuple(range(len(rows)))),))


def test_two_chinese_paragraphs_by_indent_and_by_a_short_line() -> None:
    page = block_page(
        [
            (40, 500, "这是第一段的第一行文字它一直写到右边为止然后"),
            (0, 500, "继续写第二行文字也写到右边为止没有剩余位置了又"),
            (0, 180, "在这里结束了。"),
            (40, 500, "这是第二段开头空两格写到右边为止也没有位置了还"),
            (0, 90, "有一点。"),
        ]
    )
    parts = [part.rows for part in flow(page) if isinstance(part, Paragraph)]
    assert [len(rows) for rows in parts] == [1, 1]
    assert parts[0][0].endswith("然后继续写第二行文字也写到右边为止没有剩余位置了又在这里结束了。")
    assert parts[1][0].endswith("还有一点。")


def test_english_is_ragged_and_still_one_paragraph() -> None:
    page = block_page(
        [
            (0, 480, "A line that is set ragged right and leaves some"),
            (0, 450, "room because the next word is unquestionably"),
            (0, 500, "long, and here comes the last line of it, hyphen-"),
            (0, 120, "ated once."),
        ]
    )
    [part] = flow(page)
    assert isinstance(part, Paragraph)
    assert part.rows == (
        "A line that is set ragged right and leaves some room because the next word is unquestionably long, and here "
        "comes the last line of it, hyphenated once.",
    )


def test_rows_of_a_form_stay_rows() -> None:
    page = block_page(
        [
            (0, 130, "姓名：张三"),
            (0, 125, "年龄：二十"),
            (0, 420, "地址：北京市海淀区中关村大街一号院二号楼"),
            (0, 60, "备注："),
        ]
    )
    [part] = flow(page)
    assert isinstance(part, Paragraph)
    assert part.rows == ("姓名：张三", "年龄：二十", "地址：北京市海淀区中关村大街一号院二号楼", "备注：")


def test_list_items_begin_rows() -> None:
    long = "写满一整行的条目文字写满一整行的条目文字"
    page = block_page(
        [(0, 400, f"1. {long}"), (0, 400, f"2. {long}"), (0, 400, f"（三）{long}"), (0, 100, "没有编号的")]
    )
    assert list(flow(page)) == [Listing("numbers", (long, long)), Paragraph((f"（三）{long}没有编号的",))]


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (["• 甲", "•乙", "后文"], [Listing("bullets", ("甲", "乙")), Paragraph(("后文",))]),
        (["前文", "3、甲", "4、乙"], [Paragraph(("前文",)), Listing("numbers", ("甲", "乙"), 3)]),
        (["（一）甲", "（二）乙"], [Listing("marks", ("（一）甲", "（二）乙"))]),
        (["①甲", "②乙", "③丙"], [Listing("marks", ("①甲", "②乙", "③丙"))]),
        (["九、甲", "十、乙", "十一、丙"], [Listing("marks", ("九、甲", "十、乙", "十一、丙"), 9)]),
        (["1. one", "2) two"], [Paragraph(("1. one", "2) two"))]),  # marks of two kinds
        (["1. one", "3. three"], [Paragraph(("1. one", "3. three"))]),  # they do not follow one another
        (["- alone"], [Paragraph(("- alone",))]),
        (["1.5 元", "2.5 元"], [Paragraph(("1.5 元", "2.5 元"))]),
        (["-5 度", "-6 度"], [Paragraph(("-5 度", "-6 度"))]),
        (["A. Yes", "B. No"], [Listing("marks", ("A. Yes", "B. No"))]),
        (["a.m. is morning", "b.o. is not"], [Paragraph(("a.m. is morning", "b.o. is not"))]),
    ],
)
def test_lists_by_their_marks(rows: list[str], parts: list[Paragraph | Listing]) -> None:
    assert list(flow(block_page([(0, 90, row) for row in rows]))) == parts


def test_a_list_goes_on_over_blocks_but_not_over_a_heading() -> None:
    frame = Polygon.from_bounds(0, 0, 9, 9)
    rows = ("1. one", "2. two", "head", "3. three")
    kinds = ("text", "text", "heading", "text")
    page = page_of(*rows, blocks=tuple(Block(kind, frame, (i,)) for i, kind in enumerate(kinds)))
    assert list(flow(page)) == [Listing("numbers", ("one", "two")), Heading("head", 2), Paragraph(("3. three",))]


def test_lists_in_files() -> None:
    rows = ("- <b>one</b>", "- # two", "between", "7. seven", "8. eight", "end", "（1）a", "（2）b")
    document = Document((page_of(*rows),))
    markdown = FORMATS["markdown"].write(document).decode()
    assert markdown == (
        "- \\<b\\>one\\</b\\>\n- \\# two\n\nbetween\n\n7. seven\n8. eight\n\nend\n\n- （1）a\n- （2）b\n"
    )
    shown = MarkdownIt().render(markdown)
    assert "<li># two</li>" in shown
    assert '<ol start="7">\n<li>seven</li>' in shown
    html = FORMATS["html"].write(document).decode()
    assert '<ul><li dir="auto">&lt;b&gt;one&lt;/b&gt;</li>' in html
    assert '<ol start="7"><li dir="auto">seven</li><li dir="auto">eight</li></ol>' in html
    assert '<ul class="marked"><li dir="auto">（1）a</li>' in html
    docx = pytest.importorskip("docx")
    word = docx.Document(io.BytesIO(FORMATS["docx"].write(document)))
    told = [(paragraph.style.name, paragraph.text) for paragraph in word.paragraphs]
    assert told[:2] == [("List Bullet", "<b>one</b>"), ("List Bullet", "# two")]
    assert ("List Paragraph", "7. seven") in told
    assert ("List Paragraph", "（1）a") in told


def test_vertical_columns_run_on_to_the_left() -> None:
    columns = [
        (90, 0, 110, 400, "从上到下写满一整列的文字然后"),
        (60, 0, 80, 400, "到左边的一列继续写满整列文字"),
        (30, 0, 50, 80, "结束。"),
    ]
    lines = tuple(line(text, Polygon.from_bounds(*box), vertical=True) for *box, text in columns)
    block = Block("text", Polygon.from_bounds(30, 0, 110, 400), (0, 1, 2))
    [part] = flow(Page(1, 120, 400, lines=lines, blocks=(block,)))
    assert isinstance(part, Paragraph)
    assert part.rows == ("从上到下写满一整列的文字然后到左边的一列继续写满整列文字结束。",)


def test_a_table_stands_once_in_the_place_of_its_lines() -> None:
    made = table([["甲", "乙"], ["1", "2"]])
    made = replace(made, cells=tuple(replace(cell, lines=(1 if cell.row == 0 else 2,)) for cell in made.cells))
    frame = Polygon.from_bounds(0, 0, 9, 9)
    blocks = (Block("text", frame, (0, 1)), Block("text", frame, (2, 3)))
    page = page_of("before", "甲 乙", "1 2", "after", tables=(made,), blocks=blocks)
    parts = list(flow(page))
    assert parts == [Paragraph(("before",)), made, Paragraph(("after",))]


def test_headings_and_furniture_by_the_kind_of_block() -> None:
    frame = Polygon.from_bounds(0, 0, 9, 9)
    kinds = ("header", "title", "heading", "text", "footer")
    page = page_of(*kinds, blocks=tuple(Block(kind, frame, (i,)) for i, kind in enumerate(kinds)))
    assert list(flow(page)) == [
        Paragraph(("header",), furniture=True),
        Heading("title", 1),
        Heading("heading", 2),
        Paragraph(("text",)),
        Paragraph(("footer",), furniture=True),
    ]
    markdown = FORMATS["markdown"].write(Document((page,))).decode()
    assert markdown == "# title\n\n## heading\n\ntext\n"
    html = FORMATS["html"].write(Document((page,))).decode()
    assert '<h1 dir="auto">title</h1>' in html
    assert '<aside><p dir="auto">footer</p></aside>' in html


def test_markdown_keeps_rows_and_pages_apart() -> None:
    written = FORMATS["markdown"].write(Document((page_of("one", "two"), page_of("# three", number=2)))).decode()
    assert written == "one  \ntwo\n\n---\n\n\\# three\n"
    assert MarkdownIt().render(written) == "<p>one<br />\ntwo</p>\n<hr />\n<p># three</p>\n"


def test_markdown_leaves_ordinary_text_alone() -> None:
    ordinary = "价格：1.5 元 (约 $-free) 50% a-b C# F+ a&b 2026-11-22 10:30 ！？"
    written = FORMATS["markdown"].write(Document((page_of(ordinary),))).decode()
    assert written == ordinary.replace("$", "\\$") + "\n"

"""Kinds of blocks: headings and the furniture of a page's margins."""

import pytest

from shizi.document import Block, Line
from shizi.geometry import Polygon
from shizi.layout import name_blocks

HEIGHT = 1400


def page(*rows: tuple[str, float, float]) -> dict[str, str]:
    """Name blocks of one line each (text, top, height); gives the kind of each by its text."""
    lines, blocks = [], []
    for i, (text, top, size) in enumerate(rows):
        polygon = Polygon.from_bounds(100, top, 100 + 0.6 * size * len(text), top + size)
        lines.append(Line(text, 0.9, polygon))
        blocks.append(Block("text", polygon, (i,)))
    return {lines[block.lines[0]].text: block.kind for block in name_blocks(lines, blocks, HEIGHT)}


BODY = [(f"这是正文的第{i}行，写得相当长，一直写到行末为止。", 300.0 + 40 * i, 24.0) for i in range(8)]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (("年度报告", 200.0, 48.0), "title"),
        (("经营情况", 220.0, 34.0), "heading"),
        (("第二章 经营情况", 240.0, 24.0), "heading"),
        (("1.2 Scope of work", 240.0, 24.0), "heading"),
        (("这一行较大，但是是一句话。", 220.0, 34.0), "text"),
        (("38,500.00", 220.0, 40.0), "text"),
        (("某某公司内部资料", 40.0, 22.0), "header"),
        (("保密文件", 1340.0, 22.0), "footer"),
        (("- 12 -", 1340.0, 22.0), "page_number"),
        (("第 3 页 共 10 页", 1340.0, 22.0), "page_number"),
        (("Page 3 of 10", 40.0, 22.0), "page_number"),
        (("12", 640.0, 24.0), "text"),
    ],
)
def test_kinds(row: tuple[str, float, float], kind: str) -> None:
    kinds = page(*BODY, row)
    assert kinds[row[0]] == kind
    assert all(kinds[text] == "text" for text, _, _ in BODY)


def test_a_margin_that_text_runs_into_is_none() -> None:
    kinds = page(*((text, 20.0 + 30 * i, 24.0) for i, (text, _, _) in enumerate(BODY)))
    assert set(kinds.values()) == {"text"}


def test_a_card_has_no_furniture() -> None:
    assert set(page(("张伟", 20.0, 60.0), ("经理", 200.0, 24.0), ("12", 1350.0, 24.0)).values()) == {"text"}

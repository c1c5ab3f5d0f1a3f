"""Kinds: what a block is: running text, a title or heading, or furniture of the page's margins.

Takes lines and blocks with the page's size, gives the blocks with their kinds. Knows nothing of pixels.

    text         running text, rows of forms, lists: whatever is nothing else
    title        the largest heading, above the text
    heading      one or two lines larger than the page's text, or numbered as headings are, standing alone
    header       what stands alone in the upper margin
    footer       what stands alone in the lower margin
    page_number  a page's number in either margin

A seal's block (`seal`) is made where its ring is found and not named here.
"""

import re
import statistics
from collections.abc import Sequence
from dataclasses import replace

from shizi.document import Block, Line

MARGIN = 0.09  # share of the page's height that its upper and lower margins take
APART = 1.2  # white, in line heights, between furniture and the text
FEWEST = 6  # a page of fewer lines is a sign, a ticket or a card: nothing on it is furniture or a heading
LARGER, MUCH_LARGER = 1.3, 1.7  # headings and titles, to the height of the text
SHORT = 40  # a heading has no more characters (Chinese ones count double)

_PAGE_NUMBER = re.compile(
    r"[-—–·\s]*(第\s*)?([\divxlcIVXLC]{1,4}|[一二三四五六七八九十]{1,4})(\s*页)?([\s,，]*[/共]\s*共?\s*\d{1,4}\s*页?)?[-—–·\s]*"
    r"|[Pp]age\s+\d{1,4}(\s+of\s+\d{1,4})?"
)
_NUMBERED = re.compile(
    r"第[一二三四五六七八九十百\d]{1,4}[章节篇部]|[一二三四五六七八九十]{1,3}、|\d{1,2}(\.\d{1,2}){0,3}\s+\S|Chapter\s+\d"
)
_SENTENCE = tuple("。！？；;，,：:.")


def name_blocks(lines: Sequence[Line], blocks: Sequence[Block], height: int) -> tuple[Block, ...]:
    """Give the blocks of a page of `height` with their kinds."""
    if len(lines) < FEWEST:
        return tuple(blocks)
    size = _text_size(lines)
    named = [replace(block, kind=_kind(lines, block, blocks, size, height)) for block in blocks]
    headings = [i for i, block in enumerate(named) if block.kind == "heading"]
    if headings and _size(lines, named[headings[0]]) > MUCH_LARGER * size:
        named[headings[0]] = replace(named[headings[0]], kind="title")
    return tuple(named)


def _text_size(lines: Sequence[Line]) -> float:
    """Give the height of the page's text: the median over its characters."""
    return statistics.median(size for line in lines for size in [_height(line)] * max(1, len(line.text)))


def _height(line: Line) -> float:
    return min(line.polygon.width, line.polygon.height) if line.vertical else line.polygon.height


def _size(lines: Sequence[Line], block: Block) -> float:
    return statistics.fmean(_height(lines[i]) for i in block.lines)


def _kind(lines: Sequence[Line], block: Block, blocks: Sequence[Block], size: float, height: int) -> str:
    texts = [lines[i].text.strip() for i in block.lines]
    whole = "".join(texts)
    if any(lines[i].vertical for i in block.lines) or not whole:
        return block.kind
    margin = _margin(block, blocks, size, height) if len(texts) <= 2 else ""
    if margin and _PAGE_NUMBER.fullmatch(whole):
        return "page_number"
    if margin and _size(lines, block) < 1.2 * size:
        return margin
    return "heading" if _is_heading(lines, block, texts, size) else block.kind


def _margin(block: Block, blocks: Sequence[Block], size: float, height: int) -> str:
    """Say in which margin a block stands alone; '' if in none."""
    _, top, _, bottom = block.polygon.bounds
    others = [other.polygon.bounds for other in blocks if other is not block]
    inner = [(above, below) for _, above, _, below in others if below < bottom + size and above > top - size]
    rest = [bounds for bounds in others if (bounds[1], bounds[3]) not in inner]  # not beside it in the same margin
    if bottom < MARGIN * height and all(other[1] - bottom > APART * size for other in rest):
        return "header"
    if top > (1 - MARGIN) * height and all(top - other[3] > APART * size for other in rest):
        return "footer"
    return ""


def _is_heading(lines: Sequence[Line], block: Block, texts: Sequence[str], size: float) -> bool:
    whole = "".join(texts)
    wide = sum(2 if ord(letter) > 0x2E7F else 1 for letter in whole)
    letters = sum(letter.isalpha() for letter in whole)
    if len(texts) > 2 or wide > 2 * SHORT or letters < 0.5 * len(whole.replace(" ", "")) or whole.endswith(_SENTENCE):
        return False
    if _size(lines, block) > LARGER * size:
        return True
    return len(texts) == 1 and wide <= SHORT and bool(_NUMBERED.match(whole))

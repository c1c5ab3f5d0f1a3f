"""Layout: fragments of text to lines in reading order, and lines to blocks.

Takes read fragments, gives `Line`s in reading order and `Block`s pointing to them. Knows nothing of models, and of
pixels only whether a rule separates two fragments, which it asks its caller.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from shizi.document import Block, Fragment, Line, Page
from shizi.geometry import Polygon
from shizi.layout.fragments import join_rows, join_stacks, lay_flat, to_line, with_detail
from shizi.layout.kinds import name_blocks
from shizi.layout.order import boxes_of, reading_order
from shizi.options import Detail

__all__ = ["Fragment", "arrange", "name_blocks", "set_beside", "with_detail", "without_tables"]

BLOCK_GAP = 0.9  # white space between two lines, in line heights, that starts a new block
BLOCK_SIZES = 1.45  # a line this much higher than its neighbour (a heading) starts or ends one, too


def arrange(
    fragments: Sequence[Fragment], ruled: Callable[[Polygon, Polygon], bool], detail: Detail
) -> tuple[tuple[Line, ...], tuple[Block, ...]]:
    """Put fragments in reading order, join those that are one line, and gather lines into blocks.

    `ruled` says whether a rule stands between two neighbours on one baseline. `detail` says whether lines carry
    their words, and words their characters.
    """
    stacked = lay_flat(join_stacks(fragments))
    lines: list[Line] = []
    groups: list[list[int]] = []  # of successive lines
    for order in reading_order(boxes_of([f.polygon for f in stacked], [f.vertical for f in stacked])):
        start = len(lines)
        lines.extend(to_line(fragment, detail) for fragment in join_rows([stacked[i] for i in order], ruled))
        groups.append(list(range(start, len(lines))))
    blocks: list[list[list[int]]] = []  # of groups
    for group in groups:
        if blocks and _continues([lines[i] for i in blocks[-1][-1]], [lines[i] for i in group]):
            blocks[-1].append(group)
        else:
            blocks.append([group])
    return tuple(lines), tuple(_block(lines, [i for group in block for i in group]) for block in blocks)


def set_beside(
    lines: tuple[Line, ...],
    blocks: tuple[Block, ...],
    fragments: Sequence[Fragment],
    detail: Detail,
    kind: str = "text",
    around: Polygon | None = None,
) -> tuple[tuple[Line, ...], tuple[Block, ...]]:
    """Put fragments that lie over a page's text and are none of it (a seal's, a watermark's) after it, as one block.

    `around`: the block's outline where it is not that of its lines. Without it there have to be fragments.
    """
    more, own = arrange(fragments, lambda left, right: False, detail)
    indexes = tuple(len(lines) + i for block in own for i in block.lines)
    outline = around if around is not None else _around([line.polygon for line in more])
    return lines + more, (*blocks, Block(kind, outline, indexes))


def without_tables(page: Page) -> Page:
    """Leave out of a page what stands in its tables; a warning says how many they were."""
    if not page.tables:
        return page
    gone = {i for table in page.tables for cell in table.cells for i in cell.lines}
    kept = [i for i in range(len(page.lines)) if i not in gone]
    moved = {old: new for new, old in enumerate(kept)}
    blocks = [_less(page, block, moved) for block in page.blocks if not block.lines or moved.keys() & block.lines]
    noted = f"tables_skipped: {len(page.tables)} tables with {len(gone)} lines were left out, as asked for."
    lines, warnings = tuple(page.lines[i] for i in kept), (*page.warnings, noted)
    return replace(page, lines=lines, blocks=tuple(blocks), tables=(), warnings=warnings)


def _less(page: Page, block: Block, moved: Mapping[int, int]) -> Block:
    """Give a block with those of its lines that stay, at their new places; its outline is theirs."""
    stays = [i for i in block.lines if i in moved]
    if len(stays) == len(block.lines):
        return replace(block, lines=tuple(moved[i] for i in stays))
    outline = _around([page.lines[i].polygon for i in stays])
    return replace(block, polygon=outline, lines=tuple(moved[i] for i in stays))


def _block(lines: Sequence[Line], indexes: Sequence[int]) -> Block:
    return Block("text", _around([lines[i].polygon for i in indexes]), tuple(indexes))


def _continues(above: Sequence[Line], below: Sequence[Line]) -> bool:
    """Say whether a row of lines goes on with the block that `above` ends: close under it (columns: left of it)."""
    if above[-1].vertical != below[0].vertical:
        return False
    first, second = (_around([line.polygon for line in row]).bounds for row in (above, below))
    if above[-1].vertical:
        size = min(line.polygon.width for line in (*above, *below))
        return -size < first[0] - second[2] < BLOCK_GAP * size and first[1] < second[3] and second[1] < first[3]
    size = min(line.polygon.height for line in (*above, *below))
    if len(above) == len(below) == 1 and above[0].polygon.height > BLOCK_SIZES * below[0].polygon.height:
        return False
    return first[0] < second[2] and second[0] < first[2] and -size < second[1] - first[3] < BLOCK_GAP * size


def _around(polygons: Sequence[Polygon]) -> Polygon:
    lefts, tops, rights, bottoms = zip(*(polygon.bounds for polygon in polygons), strict=True)
    return Polygon.from_bounds(min(lefts), min(tops), max(rights), max(bottoms))

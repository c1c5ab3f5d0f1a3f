"""Layout: fragments of text to lines in reading order, and lines to blocks.

Takes read fragments, gives `Line`s in reading order and `Block`s pointing to them. Knows nothing of models, and of
pixels only whether a rule separates two fragments, which it asks its caller.
"""

from collections.abc import Callable, Sequence

from shizi.document import Block, Line
from shizi.geometry import Polygon
from shizi.layout.fragments import Fragment, join_rows, join_stacks, to_line
from shizi.layout.order import boxes_of, reading_order
from shizi.options import Detail

__all__ = ["Fragment", "arrange"]

BLOCK_GAP = 0.9  # white space between two lines, in line heights, that starts a new block


def arrange(
    fragments: Sequence[Fragment], ruled: Callable[[Polygon, Polygon], bool], detail: Detail
) -> tuple[tuple[Line, ...], tuple[Block, ...]]:
    """Put fragments in reading order, join those that are one line, and gather lines into blocks.

    `ruled` says whether a rule stands between two neighbours on one baseline. `detail` says whether lines carry
    their words, and words their characters.
    """
    stacked = join_stacks(fragments)
    lines: list[Line] = []
    blocks: list[Block] = []
    for group in reading_order(boxes_of([f.polygon for f in stacked], [f.vertical for f in stacked])):
        start = len(lines)
        lines.extend(to_line(fragment, detail) for fragment in join_rows([stacked[i] for i in group], ruled))
        if blocks and _continues(lines[blocks[-1].lines[-1]], lines[start]):
            indexes = (*blocks.pop().lines, *range(start, len(lines)))
        else:
            indexes = tuple(range(start, len(lines)))
        blocks.append(Block("text", _around([lines[i].polygon for i in indexes]), indexes))
    return tuple(lines), tuple(blocks)


def _continues(above: Line, below: Line) -> bool:
    """Say whether `below` goes on with the block that `above` ends: close under it (or left of it, for columns)."""
    if above.vertical != below.vertical:
        return False
    first, second = above.polygon.bounds, below.polygon.bounds
    if above.vertical:
        size = min(above.polygon.width, below.polygon.width)
        return abs(first[0] - second[2]) < BLOCK_GAP * size and first[1] < second[3] and second[1] < first[3]
    size = min(above.polygon.height, below.polygon.height)
    gap = second[1] - first[3]
    beside = first[1] < below.polygon.centre[1] < first[3]
    overlap = first[0] < second[2] and second[0] < first[2]
    return beside or (overlap and -size < gap < BLOCK_GAP * size)


def _around(polygons: Sequence[Polygon]) -> Polygon:
    lefts, tops, rights, bottoms = zip(*(polygon.bounds for polygon in polygons), strict=True)
    return Polygon.from_bounds(min(lefts), min(tops), max(rights), max(bottoms))

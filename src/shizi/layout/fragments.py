"""Fragments: pieces of text as detected and read, joined where they are one line, and turned into lines of words.

Knows nothing of reading order, models or pixels.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from shizi.charset import is_chinese
from shizi.document import Char, Fragment, Line, Reading, Word
from shizi.geometry import Polygon
from shizi.layout.order import Box, boxes_of
from shizi.options import Detail

# Pieces on one baseline are one line up to this gap, in line heights: wider, and they are cells of a table.
JOIN_GAP = 1.0
# A lone Chinese character before its line's rest is letter-spaced (名　　称：); gaps reach this many heights.
SPACED_GAP = 4.0
STACK_GAP = 2.5  # gap between the stacked characters of one narrow cell (密/码/区), in characters
ALIGNED = 0.25  # pieces whose middles differ by less than this share of their height stand on one row


def join_stacks(fragments: Sequence[Fragment]) -> list[Fragment]:
    """Join single characters standing under one another in a narrow cell into one upright column.

    A column of a table is told apart by its characters' standing on the rows of their neighbours.
    """
    boxes = boxes_of([f.polygon for f in fragments], [f.vertical for f in fragments])
    pieces = [box for box in boxes if _can_stack(fragments[box.index])]
    others = [box for box in boxes if box not in pieces and not box.vertical]
    joined: list[Fragment] = []
    used: set[int] = set()
    for stack in _stacks(pieces):
        if len({fragments[box.index].text for box in stack}) > 1 and not _is_table_column(stack, others):
            joined.append(_pile([fragments[box.index] for box in stack]))
            used.update(box.index for box in stack)
    return [fragment for i, fragment in enumerate(fragments) if i not in used] + joined


def _is_single(fragment: Fragment) -> bool:
    return len(fragment.text) == 1 and is_chinese(fragment.text)


def _can_stack(fragment: Fragment) -> bool:
    short = len(fragment.text) <= 4 and all(map(is_chinese, fragment.text))
    return _is_single(fragment) or (fragment.vertical and short)


def _stacks(pieces: Sequence[Box]) -> list[list[Box]]:
    """Chain characters of about one size and one centre line, each close under the one before; two or more."""
    stacks: list[list[Box]] = []
    for box in sorted(pieces, key=lambda box: box.top):
        for stack in stacks:
            last = stack[-1]
            size = min(last.size, box.size)
            below = -0.5 * size < box.top - last.bottom < STACK_GAP * size
            if below and abs(last.centre - box.centre) < 0.35 * size and max(last.size, box.size) < 2 * size:
                stack.append(box)
                break
        else:
            stacks.append([box])
    return [stack for stack in stacks if len(stack) > 1]


def _is_table_column(stack: Sequence[Box], others: Sequence[Box]) -> bool:
    """Say whether most pieces of a stack stand on rows of other text, one piece on each row."""
    top, bottom = stack[0].top, stack[-1].bottom
    rows = [box.middle for box in others if top < box.middle < bottom]
    in_rows = sum(any(abs(row - box.middle) < ALIGNED * box.size for row in rows) for box in stack)
    return 2 * in_rows > len(stack) and _count_apart(rows, 0.5 * min(box.size for box in stack)) <= len(stack)


def _count_apart(places: Sequence[float], distance: float) -> int:
    """Count places, taking those closer than `distance` to the one before for the same."""
    ordered = sorted(places)
    return sum(1 for i, place in enumerate(ordered) if i == 0 or place - ordered[i - 1] > distance)


def _pile(stack: Sequence[Fragment]) -> Fragment:
    lefts, tops, rights, bottoms = zip(*(fragment.polygon.bounds for fragment in stack), strict=True)
    bounds = min(lefts), min(tops), max(rights), max(bottoms)
    height = bounds[3] - bounds[1]
    chars = tuple(
        _scaled(char if fragment.vertical else replace(char, start=0.0, end=1.0), (top - bounds[1]) / height, share)
        for fragment, top, bottom in zip(stack, tops, bottoms, strict=True)
        for char, share in ((char, (bottom - top) / height) for char in fragment.reading.chars)
    )
    return Fragment(Polygon.from_bounds(*bounds), _reading(chars, stack), vertical=True)


def _reading(chars: tuple[Char, ...], parts: Sequence[Fragment]) -> Reading:
    confidence = 1.0
    for part in parts:
        confidence *= part.reading.confidence
    # A part may itself have been joined of parts.
    models = dict.fromkeys(name for part in parts for name in part.reading.model.split("+"))
    return Reading("".join(char.text for char in chars), confidence, chars, "+".join(models))


def lay_flat(fragments: Sequence[Fragment]) -> list[Fragment]:
    """Take single characters for text that runs along rows where most other text does.

    A region of one figure is higher than wide, as a column's is; on its own nothing tells which way it runs.
    """
    letters = {upright: sum(len(f.text) for f in fragments if f.vertical is upright) for upright in (False, True)}
    if letters[True] > letters[False]:
        return list(fragments)
    return [_laid(f) if f.vertical and len(f.reading.chars) == 1 else f for f in fragments]


def _laid(fragment: Fragment) -> Fragment:
    chars = tuple(replace(char, start=0.0, end=1.0) for char in fragment.reading.chars)
    return replace(fragment, reading=replace(fragment.reading, chars=chars), vertical=False)


def join_rows(fragments: Sequence[Fragment], ruled: Callable[[Polygon, Polygon], bool]) -> list[Fragment]:
    """Join successive fragments (in reading order) that are pieces of one line."""
    joined: list[Fragment] = []
    for fragment in fragments:
        if joined and _one_line(joined[-1], fragment) and not ruled(joined[-1].polygon, fragment.polygon):
            joined[-1] = _side_by_side(joined[-1], fragment)
        else:
            joined.append(fragment)
    return joined


def _one_line(left: Fragment, right: Fragment) -> bool:
    if left.vertical or right.vertical:
        return False
    small, large = sorted((left.polygon.height, right.polygon.height))
    (_, b, c, _), (a, _, _, d) = left.polygon.corners, right.polygon.corners
    gap = ((a[0] - b[0]) + (d[0] - c[0])) / 2
    step = abs((a[1] + d[1]) - (b[1] + c[1])) / 2
    reach = SPACED_GAP if _is_single(left) and is_chinese(right.text[:1] or " ") else JOIN_GAP
    return large < 1.5 * small and step < ALIGNED * large and -0.5 * small < gap < reach * small


def _side_by_side(left: Fragment, right: Fragment) -> Fragment:
    (a, _, _, d), (_, b, c, _) = left.polygon.corners, right.polygon.corners
    polygon = Polygon((a, b, c, d))
    first, second = left.polygon.width / polygon.width, right.polygon.width / polygon.width
    begins = [_scaled(char, 0.0, first) for char in left.reading.chars]
    ends = [_scaled(char, 1.0 - second, second) for char in right.reading.chars]
    if not (is_chinese(left.text[-1:]) or is_chinese(right.text[:1])):
        begins.append(Char(" ", 1.0, first, 1.0 - second))
    return Fragment(polygon, _reading((*begins, *ends), (left, right)))


def _scaled(char: Char, start: float, share: float) -> Char:
    return replace(char, start=start + char.start * share, end=start + char.end * share)


def to_line(fragment: Fragment, detail: Detail) -> Line:
    """Make a line of a fragment, with as much detail as asked for."""
    return Line(
        text=fragment.text,
        confidence=fragment.reading.confidence,
        polygon=fragment.polygon,
        words=() if detail == "line" else tuple(_words(fragment, detail)),
        model=fragment.reading.model,
        vertical=fragment.vertical,
    )


def with_detail(line: Line, detail: Detail) -> Line:
    """Take off what of a line's detail was not asked for."""
    if detail == "character":
        return line
    return replace(line, words=() if detail == "line" else tuple(replace(word, chars=()) for word in line.words))


def _words(fragment: Fragment, detail: Detail) -> list[Word]:
    """Cut a line into words: at spaces, and between Chinese and other characters."""
    runs: list[list[Char]] = []
    before: Char | None = None
    for char in fragment.reading.chars:
        if not char.text.isspace():
            if before is None or before.text.isspace() or is_chinese(before.text) != is_chinese(char.text):
                runs.append([])
            runs[-1].append(char)
        before = char
    return [
        Word(
            text="".join(char.text for char in run),
            confidence=statistics.fmean(char.confidence for char in run),
            polygon=fragment.polygon.part(run[0].start, run[-1].end, fragment.vertical),
            chars=tuple(run) if detail == "character" else (),
        )
        for run in runs
    ]

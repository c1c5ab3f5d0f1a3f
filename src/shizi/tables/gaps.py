"""Gaps: tables without upright rules, told by the white between their columns and rows.

Takes the page's text as `Item`s set level, and rules that run across, gives `Plan`s. Knows nothing of pixels.

Careful on purpose: text in columns, letter heads, lists and pairs of label and value are no tables.
"""

import itertools
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shizi.tables.grid import Span

ROW_APART = 3.4  # rows of one table stand no further apart than this, in text heights
GUTTER = 0.3  # least white between columns, in text heights
SAME_ROW = 0.36  # text whose middles differ by less than this share of its height stands on one row
WRAPPED = 0.86  # lines of one cell stand closer than this share of the distance between rows
WRAP_PITCH = 1.15  # and never further apart than this, in text heights (margins included)
HEAD_PITCH = 1.1  # the rows of a head stand no further apart, in text heights
STRAY = 0.1  # share of rows whose text may cross a gutter: what stands over several columns
SHORT = 13.0  # mean width of cells, in text heights, beyond which a column is running text
FILLED = 0.62  # running text fills this share of its column's width on average
# Share of the text in line with its column, in tables 0.72 at least; text heights by which it may be off.
ALIGNED, ASKEW = 0.65, 0.6
LABELLED = re.compile(r"[^\d:：]{1,12}[:：]\s*\S|[^\d:：]{2,12}[:：]$")
LEADERS = re.compile(r"\.{4}|…|·{4}|－{4}|_{4}")
CAPTION = re.compile(r"(附?表|续表|图|Table|Tab\.|Figure|Fig\.)\s*[\d一二三四五六七八九十A-Z]")
NUMBER = re.compile(r"[-+±¥￥$€£(（]*\d[\d,.\s]*\s*(%|‰|[)）])*|[-—–]+")


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of text on a page set level: its bounds, height and text, and its index among the page's lines."""

    index: int
    left: float
    top: float
    right: float
    bottom: float
    text: str

    @property
    def middle(self) -> float:
        """How far down its centre lies."""
        return (self.top + self.bottom) / 2

    @property
    def centre(self) -> float:
        """How far right its centre lies."""
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """A rule that runs across a page set level."""

    left: float
    right: float
    y: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A table found: boundaries of its rows and columns on the level page, and its cells."""

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    spans: tuple[Span, ...]
    ruled: bool


Row = list[Item]


def rows_of(items: Iterable[Item], size: float) -> list[Row]:
    """Gather text that stands on one row, rows from the top, each from the left."""
    rows: list[Row] = []
    for item in sorted(items, key=lambda item: item.middle):
        if rows and item.middle - statistics.fmean(other.middle for other in rows[-1]) < SAME_ROW * size:
            rows[-1].append(item)
        else:
            rows.append([item])
    return [sorted(row, key=lambda item: item.left) for row in rows]


def between_rules(items: Sequence[Item], rules: Sequence[Stretch], size: float) -> list[Plan]:
    """Find the tables that only rules across frame: three-line tables, and those with a rule under each row."""
    plans = []
    for stack in _stacks(rules, size):
        top, bottom = stack[0].y, stack[-1].y
        left, right = (statistics.median(getattr(rule, side) for rule in stack) for side in ("left", "right"))
        inside = [item for item in items if top < item.middle < bottom and left - size < item.centre < right + size]
        rows = rows_of(inside, size)
        partly = [
            rule for rule in rules if top < rule.y < bottom and left - size < rule.left and rule.right < right + size
        ]
        plan = _plan(rows, size, stack, partly, (left, right))
        if plan is not None:
            plans.append(plan)
    return plans


def _stacks(rules: Sequence[Stretch], size: float) -> list[list[Stretch]]:
    """Gather rules of one width above one another, three or more; each but the first from the top."""
    stacks: list[list[Stretch]] = []
    for rule in sorted(rules, key=lambda rule: rule.y):
        for stack in stacks:
            first = stack[0]
            alike = abs(rule.left - first.left) < 1.5 * size and abs(rule.right - first.right) < 1.5 * size
            if alike and rule.right - rule.left > 6 * size:
                if rule.y - stack[-1].y > 0.6 * size:
                    stack.append(rule)
                break
        else:
            stacks.append([rule])
    return [stack for stack in stacks if len(stack) > 2]


def without_rules(items: Sequence[Item], size: float) -> list[Plan]:
    """Find the tables that white alone makes."""
    rows, plans, start = rows_of(items, size), [], 0
    while start < len(rows):
        end = _run(rows, start, size)
        plan = _plan(_trimmed(rows[start:end], size), size) if end - start > 2 else None
        if plan is not None:
            plans.append(plan)
        start = max(end, start + 1) if plan is not None or end - start < 3 else start + 1
    return plans


def _run(rows: Sequence[Row], start: int, size: float) -> int:
    """Give the index after the last row, from `start`, that goes on with the same gutters."""
    if len(rows[start]) < 2 and not _heads(rows, start, size):
        return start + 1
    taken = list(rows[start])
    columns = 0
    end = start + 1
    while end < len(rows):
        row = rows[end]
        if min(item.top for item in row) - max(item.bottom for item in rows[end - 1]) > ROW_APART * size:
            break
        found = _columns([*taken, *row], size, max(1, round(STRAY * (end - start + 1))))
        if len(found) < 2 or len(found) < 0.6 * columns:
            break
        wide = max(item.right for item in taken) - min(item.left for item in taken)
        if len(row) == 1 and row[0].right - row[0].left > 0.6 * wide:
            break  # a paragraph, or a caption
        columns = max(columns, len(found))
        taken.extend(row)
        end += 1
    return end


def _trimmed(rows: Sequence[Row], size: float) -> list[Row]:
    """Take off the rows at both ends that hold one piece of text: headings, notes."""
    start, end = 0, len(rows)
    while start < end and len(rows[start]) < 2 and not _heads(rows, start, size):
        start += 1
    while end > start and len(rows[end - 1]) < 2 and len(rows[end - 1][0].text) > 12:
        end -= 1
    return list(rows[start:end])


def _heads(rows: Sequence[Row], i: int, size: float) -> bool:
    """Say whether one piece of text may head some columns: others of the head stand close under it."""
    if i + 1 == len(rows) or len(rows[i + 1]) < 2 or CAPTION.match(rows[i][0].text):
        return False
    return _middle(rows[i + 1]) - _middle(rows[i]) < HEAD_PITCH * size


def _columns(items: Iterable[Item], size: float, stray: int) -> list[tuple[float, float]]:
    """Give the extents of the columns: where more than `stray` pieces of text stand above one another."""
    inset = 0.1 * size
    edges = sorted(
        edge for item in items for edge in ((item.left + inset, 1), (max(item.left + inset, item.right - inset), -1))
    )
    strict, lenient = _extents(edges, 0, size), _extents(edges, stray, size)
    return lenient if len(lenient) > len(strict) else strict


def _extents(edges: Iterable[tuple[float, int]], depth_beyond: int, size: float) -> list[tuple[float, float]]:
    """Give the stretches more than `depth_beyond` pieces deep; `edges` are where these begin (1) and end (-1)."""
    columns: list[tuple[float, float]] = []
    depth, start = 0, 0.0
    for place, step in edges:
        if step > 0 and depth == depth_beyond:
            start = place
        depth += step
        if step < 0 and depth == depth_beyond:
            if columns and start - columns[-1][1] < GUTTER * size:
                columns[-1] = (columns[-1][0], place)
            else:
                columns.append((start, place))
    return columns


def _plan(
    rows: Sequence[Row],
    size: float,
    rules: Sequence[Stretch] = (),
    partly: Sequence[Stretch] = (),
    sides: tuple[float, float] | None = None,
) -> Plan | None:
    """Make a table of rows of text; None if they are none."""
    if len(rows) < 2:
        return None
    items = [item for row in rows for item in row]
    columns = _body_columns(rows, size)
    if len(columns) < 2 or not _is_table(rows, columns, size, ruled=bool(rules)):
        return None
    cuts = _middles(
        columns,
        sides or (min(item.left for item in items) - 0.3 * size, max(item.right for item in items) + 0.3 * size),
    )
    groups = _banded(rows, rules, columns, size) if rules else wrapped(rows, columns, size)
    head, groups = _head(groups, cuts, partly, size)
    tops = _lines_between(groups, rules, size)
    spans = _spans(head, groups, len(cuts) - 1)
    return Plan(tuple(tops), tuple(cuts), tuple(spans), bool(rules))


def _body_columns(rows: Sequence[Row], size: float) -> list[tuple[float, float]]:
    """Give the columns' extents; columns no row fills both of are one."""
    columns = _columns([item for row in rows for item in row], size, max(1, round(STRAY * len(rows))))
    i = 0
    while i + 1 < len(columns):
        both = either = 0
        for row in rows:
            here, there = (any(left < item.centre < right for item in row) for left, right in columns[i : i + 2])
            both += here and there
            either += here or there
        gap = columns[i + 1][0] - columns[i][1]
        if not both and either > 1 and gap < 4 * size:
            columns[i : i + 2] = [(columns[i][0], columns[i + 1][1])]
        else:
            i += 1
    return columns


def _middles(columns: Sequence[tuple[float, float]], sides: tuple[float, float]) -> list[float]:
    inner = [(columns[i][1] + columns[i + 1][0]) / 2 for i in range(len(columns) - 1)]
    return [min(sides[0], columns[0][0]), *inner, max(sides[1], columns[-1][1])]


def _is_table(rows: Sequence[Row], columns: Sequence[tuple[float, float]], size: float, ruled: bool) -> bool:
    """Say whether text in columns is a table rather than running text, a letter's head, or labels and values."""
    items = [item for row in rows for item in row]
    if sum(bool(LEADERS.search(item.text)) for item in items) > 0.2 * len(items):
        return False
    cells = [[item for item in items if left <= item.centre <= right] for left, right in columns]
    running = sum(_is_running(column, left, right, size) for column, (left, right) in zip(cells, columns, strict=True))
    full = [row for row in rows if len(row) > 1]
    if ruled:
        return running < max(2, len(columns) - 1) and len(full) >= 2
    if sum(bool(LABELLED.match(item.text)) for item in items) > 0.3 * len(items):
        return False
    fill = sum(len(column) > 0.4 * len(full) for column in cells) / len(columns)
    if (
        running > (0 if len(columns) < 4 else 1)
        or fill < 0.5
        or statistics.median(i.right - i.left for i in items) > SHORT * size
        or _aligned(cells, size) < ALIGNED
    ):
        return False
    if len(columns) == 2:
        numbers = max(sum(bool(NUMBER.fullmatch(item.text)) for item in column) for column in cells)
        return len(full) >= 4 and numbers >= 0.7 * len(full) and columns[1][0] - columns[0][1] < SHORT * size
    dense = sum(len(row) >= max(2, 0.5 * len(columns)) for row in rows)
    return len(full) >= 3 and dense >= 3 and len(items) >= 0.45 * len(full) * len(columns)


def _aligned(columns: Sequence[Sequence[Item]], size: float) -> float:
    """Give the share of the text that stands in line, by its left, its right or its middle, with most of its column."""
    several = [column for column in columns if len(column) > 1]
    in_line = sum(max(_in_line(column, side, size) for side in ("left", "right", "centre")) for column in several)
    return in_line / max(1, sum(map(len, several)))


def _in_line(column: Sequence[Item], side: str, size: float) -> int:
    places = [float(getattr(item, side)) for item in column]
    return max(sum(abs(place - other) < ASKEW * size for other in places) for place in places)


def _is_running(column: Sequence[Item], left: float, right: float, size: float) -> bool:
    """Say whether a column holds running text: wide, line after line filled."""
    if right - left < 9 * size or len(column) < 3:
        return False
    close = sum(b.middle - a.middle < 2 * size for a, b in itertools.pairwise(column))
    fill = statistics.fmean((item.right - item.left) / (right - left) for item in column)
    return fill > FILLED and close > 0.6 * (len(column) - 1)


def wrapped(rows: Sequence[Row], columns: Sequence[tuple[float, float]], size: float) -> list[list[Row]]:
    """Gather rows of text to rows of the table: lines of a wrapped cell stand closer than rows do."""
    steps = [_middle(below) - _middle(above) for above, below in itertools.pairwise(rows)]
    near = _nearness(rows, steps, columns, size)
    groups = [[rows[0]]]
    for row, step in zip(rows[1:], steps, strict=True):
        if step < near:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _nearness(
    rows: Sequence[Row], steps: Sequence[float], columns: Sequence[tuple[float, float]], size: float
) -> float:
    """Give the distance under which rows of text belong to one row of the table; 0 where none do."""
    ordered = sorted(steps, reverse=True)
    for large, small in itertools.pairwise(ordered):
        near = (small + large) / 2
        if small < min(WRAP_PITCH * size, WRAPPED * large) and _are_partial(rows, steps, near, len(columns)):
            return near
    return 0.0


def _are_partial(rows: Sequence[Row], steps: Sequence[float], near: float, columns: int) -> bool:
    """Say whether, of most rows that stand near to one another, one leaves most columns empty."""
    pairs = [(rows[i], rows[i + 1]) for i, step in enumerate(steps) if step < near]
    partial = sum(min(len(above), len(below)) <= max(1, 0.5 * columns) for above, below in pairs)
    return partial >= 0.8 * len(pairs)


def _middle(row: Row) -> float:
    return statistics.fmean(item.middle for item in row)


def _banded(
    rows: Sequence[Row], rules: Sequence[Stretch], columns: Sequence[tuple[float, float]], size: float
) -> list[list[Row]]:
    """Gather rows of text by the rules between them; where rules part head, body and foot only, by their distance."""
    bands: list[list[Row]] = []
    for above, below in itertools.pairwise(rules):
        band = [row for row in rows if above.y < _middle(row) <= below.y]
        if band:
            bands.append(band)
    if len(bands) > 4 or (len(bands) > 2 and max(len(band) for band in bands[1:]) <= 3):
        return bands
    groups: list[list[Row]] = []
    for i, band in enumerate(bands):
        if i == 0 and len(bands) > 1:
            groups.append(band)
        else:
            groups.extend(wrapped(band, columns, size))
    return groups


def _head(
    groups: list[list[Row]], cuts: Sequence[float], partly: Sequence[Stretch], size: float
) -> tuple[list[tuple[int, int]], list[list[Row]]]:
    """Part a head of two rows: what stands over several columns (first and last of each), and what under it.

    Gives the columns of each heading in the upper row, and the groups, the head's two first if it was parted.
    """
    rows = groups[0] + (
        groups[1] if len(groups) > 2 and len(groups[0]) == 1 and _crosses(groups[0][0], cuts, size) else []
    )
    if len(rows) < 2:
        return [], groups
    upper, lower = rows[0], rows[-1]
    over = [_reach(item, lower, cuts, partly, size) for item in upper]
    if not any(last > first for first, last in over):
        return [], groups
    taken = {column for first, last in over if last > first for column in range(first, last + 1)}
    beside = [item for row in rows[:-1] for item in row if _column(item.centre, cuts) not in taken or row is not upper]
    above = [item for item in upper if item not in beside]
    beside += [item for item in lower if _column(item.centre, cuts) not in taken]
    below = [item for item in lower if item not in beside]
    if not below:
        return [], groups
    rest = groups[1:] if rows is groups[0] or len(rows) == len(groups[0]) else groups[2:]
    heads = [reach for reach in over if reach[1] > reach[0]]
    return heads, [[sorted(above + beside, key=lambda item: item.left)], [below], *rest]


def _crosses(row: Row, cuts: Sequence[float], size: float) -> bool:
    """Say whether some text of a row stands over a gutter."""
    return any(item.left + 0.3 * size < cut < item.right - 0.3 * size for item in row for cut in cuts[1:-1])


def _reach(item: Item, lower: Row, cuts: Sequence[float], partly: Sequence[Stretch], size: float) -> tuple[int, int]:
    """Give the first and last column a heading stands over: by the rule under it, or by its being centred over them."""
    column = _column(item.centre, cuts)
    for rule in partly:
        if item.middle < rule.y < item.middle + 2 * size and rule.left < item.centre < rule.right:
            first, last = _column(rule.left + size, cuts), _column(rule.right - size, cuts)
            if last > first and last - first + 1 < len(cuts) - 1:
                return first, last
    best = (column, column)
    miss = min(abs(item.centre - (cuts[column] + cuts[column + 1]) / 2), 2.0 * size)
    for other in lower:
        if _column(other.centre, cuts) == column:
            miss = min(miss, abs(item.centre - other.centre))
    crossing = [i for i in range(1, len(cuts) - 1) if item.left - 0.2 * size < cuts[i] < item.right + 0.2 * size]
    if not crossing:
        return best
    under = {_column(other.centre, cuts) for other in lower}
    for first in range(min(crossing) - 1, -1, -1):
        for last in range(max(crossing), len(cuts) - 1):
            if not set(range(first, last + 1)) <= under or last - first + 1 >= len(cuts) - 1:
                continue
            centre = (cuts[first] + cuts[last + 1]) / 2
            if abs(item.centre - centre) < miss or best[0] == best[1]:
                miss, best = abs(item.centre - centre), (first, last)
    return best


def _column(x: float, cuts: Sequence[float]) -> int:
    return max(0, min(len(cuts) - 2, sum(x >= cut for cut in cuts) - 1))


def _lines_between(groups: Sequence[Sequence[Row]], rules: Sequence[Stretch], size: float) -> list[float]:
    """Give the boundaries of the rows: the rule between two, or else halfway."""
    tops = [min(item.top for row in group for item in row) for group in groups]
    bottoms = [max(item.bottom for row in group for item in row) for group in groups]
    middles = [statistics.fmean(item.middle for row in group for item in row) for group in groups]
    edges = [rules[0].y if rules else tops[0]]
    for i in range(len(groups) - 1):
        there = [rule.y for rule in rules if middles[i] < rule.y < middles[i + 1]]
        edges.append(statistics.fmean(there) if there else (bottoms[i] + tops[i + 1]) / 2)
    edges.append(rules[-1].y if rules else bottoms[-1])
    for i in range(1, len(edges)):
        edges[i] = max(edges[i], edges[i - 1] + 0.1 * size)
    return edges


def _spans(heads: Sequence[tuple[int, int]], groups: Sequence[Sequence[Row]], columns: int) -> list[Span]:
    spans = [Span(0, first, 1, last - first + 1) for first, last in heads]
    taken = {column for first, last in heads for column in range(first, last + 1)}
    for column in range(columns):
        if not heads:
            spans.append(Span(0, column))
        elif column in taken:
            spans.append(Span(1, column))
        else:
            spans.append(Span(0, column, 2))
    start = 2 if heads else 1
    spans.extend(Span(row, column) for row in range(start, len(groups)) for column in range(columns))
    return sorted(spans, key=lambda span: (span.row, span.column))

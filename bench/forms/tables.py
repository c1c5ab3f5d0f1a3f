"""Specimen tables: pages with tables as reports, tenders, price lists and papers print them, and what is true of them.

Takes a number, gives a picture with its tables' cells. Specimen i of a seed is always the same. What a table holds
is drawn by chance apart from how it is painted. A tenth as many pages hold no table: columns of text, letters, lists.
"""

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Ink = tuple[int, int, int]
KINDS = ("ruled", "partly", "borderless")
FACES = {
    "sans": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "serif": "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "bold": "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "heavy": "/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc",
}
BOLD = {"sans": "bold", "serif": "heavy"}
CHINESE_SC = 2  # the face for mainland China within Noto's collections

GOODS = "钢筋 水泥 电缆 打印纸 办公桌 激光打印机 交换机 消防水泵 空气开关 不锈钢螺栓 防水涂料".split()  # noqa: SIM905
GOODS += "白炽灯 墨盒 键盘 显示器".split()  # noqa: SIM905
NAMES = "张伟 王芳 李娜 刘洋 陈静 杨帆 赵敏 黄磊 周杰 吴倩 欧阳雪 司马亮".split()  # noqa: SIM905
PLACES = "北京 上海 广州 深圳 成都 武汉 西安 南京 杭州 青岛 哈尔滨 呼和浩特".split()  # noqa: SIM905
HEADS_ZH = "序号 名称 规格型号 单位 数量 单价 金额 日期 备注 地区 负责人 部门 合同编号 完成率 同比增长".split()  # noqa: SIM905
HEADS_EN = "Item|Region|Units|Net sales|Growth|Date|Remarks|Owner|Model|Accuracy|Latency (ms)|Params".split("|")  # noqa: SIM905
WORDS = "annual report total revenue cost method baseline sample result control group north south model large".split()  # noqa: SIM905
SENTENCES = (
    "根据公司年度工作安排，现将各部门上半年的完成情况汇总如下，请各单位认真核对并于本月底前反馈意见。",
    "本次采购严格按照招标文件的要求执行，供应商应当在合同签订后十五个工作日内完成供货和安装调试。",
    "从表中可以看出，第二季度的销售收入比上年同期增长了百分之十二，其中华东地区的贡献最大。",
    "The figures below are based on unaudited accounts and may change once the audit has been completed.",
    "We compare our approach with several strong baselines on three public data sets and report the mean of five runs.",
    "Participants were asked to rate each item on a scale from one to seven, with higher values meaning agreement.",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One true cell; `lines` are its printed lines."""

    row: int
    column: int
    row_span: int
    column_span: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The cell's text."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Truth:
    """One true table: its outline (4 2, page pixels) and cells."""

    corners: NDArray[np.float32]
    rows: int
    columns: int
    cells: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Specimen:
    """One page, its tables, and what it is a case of."""

    name: str
    kind: str
    pixels: Pixels
    tables: tuple[Truth, ...]


@dataclass(slots=True)
class Plan:
    """What a table holds and how its rules run, before it is painted."""

    rows: int
    columns: int
    cells: list[Part]
    sorts: list[str]
    head: int  # rows of the head
    widths: list[float] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)


def specimens(count: int, seed: int = 0, kinds: tuple[str, ...] = KINDS) -> Iterator[Specimen]:
    """Draw `count` specimens of each kind."""
    for kind in kinds:
        for i in range(count):
            yield specimen(kind, i, seed)


def specimen(kind: str, i: int, seed: int = 0) -> Specimen:
    """Draw specimen `i` of a kind (`none`: a page without a table)."""
    random = Random(f"{seed}-{kind}-{i}")
    size = random.randint(17, 32)
    if kind == "none":
        page = _without_table(random, size)
        return Specimen(f"{kind}-{i}", kind, _worn(page, [], random)[0], ())
    page, truths = _page(kind, random, size)
    pixels, truths = _worn(page, truths, random)
    return Specimen(f"{kind}-{i}", kind, pixels, tuple(truths))


# What a table holds


def _plan(kind: str, random: Random) -> Plan:
    columns, body = random.randint(3, 8), random.randint(3, 14)
    chinese = random.random() < 0.65
    sorts = [random.choice(("index", "name", "name", "goods"))]
    sorts += [random.choice(("count", "count", "money", "percent", "date", "word", "unit")) for _ in range(columns - 1)]
    if random.random() < 0.35:
        sorts[random.randrange(1, columns)] = "remark"
    two_rows = columns >= 4 and random.random() < (0.3 if kind == "ruled" else 0.2)
    head = 2 if two_rows else 1
    cells = list(_head(random, columns, chinese, two_rows))
    open_rows = range(head, head + body)
    taken: set[tuple[int, int]] = set()
    if kind == "ruled" and random.random() < 0.35:  # groups of rows share their first cell
        row = head
        while row < head + body:
            span = min(random.randint(1, 4), head + body - row)
            cells.append(Part(row, 0, span, 1, (_value("name", row, random, chinese),)))
            taken.update((row + i, 0) for i in range(span))
            row += span
    if kind == "ruled" and random.random() < 0.3:  # a closing row whose first cells are one
        last, span = head + body - 1, random.randint(2, columns - 1)
        if (last, 0) not in taken:
            cells.append(Part(last, 0, 1, span, ("合计" if chinese else "Total",)))
            taken.update((last, column) for column in range(span))
    empty = random.choice((0, 0, 0.08, 0.2 if kind == "ruled" else 0.1))
    for row in open_rows:
        for column in range(columns):
            if (row, column) in taken:
                continue
            blank = random.random() < empty and (kind == "ruled" or column > 0)
            lines = () if blank else _wrapped(_value(sorts[column], row - head, random, chinese), random)
            cells.append(Part(row, column, 1, 1, lines))
    cells.sort(key=lambda cell: (cell.row, cell.column))
    return Plan(head + body, columns, cells, sorts, head)


def _head(random: Random, columns: int, chinese: bool, two_rows: bool) -> Iterator[Part]:
    words = random.sample(HEADS_ZH if chinese else HEADS_EN, columns)
    column = 0
    while column < columns:
        span = random.choice((2, 2, 3)) if two_rows and 0 < column <= columns - 3 else 1
        if two_rows and column + span > 2 and not column and columns < 5:
            span = 1
        if span > 1:
            group = random.choice(("本年", "上年", "合计", "基本情况") if chinese else ("Train", "Test", "Year 2025"))
            yield Part(0, column, 1, span, (group,))
            for i in range(span):
                yield Part(1, column + i, 1, 1, (words[column + i],))
        else:
            yield Part(0, column, 2 if two_rows else 1, 1, (words[column],))
        column += span


def _value(sort: str, row: int, random: Random, chinese: bool) -> str:
    money = f"{random.uniform(1, 10 ** random.randint(2, 7)):,.2f}"
    some = " ".join(random.sample(WORDS, random.randint(3, 9)))
    return {
        "index": str(row + 1),
        "name": random.choice(NAMES if chinese else PLACES) if chinese else random.choice(WORDS).title(),
        "goods": random.choice(GOODS) if chinese else " ".join(random.sample(WORDS, 2)),
        "count": str(random.randint(0, 10 ** random.randint(1, 5))),
        "money": random.choice(("", "", "¥")) + money,
        "percent": f"{random.uniform(-20, 120):.1f}%",
        "date": f"20{random.randint(10, 26)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}",
        "word": random.choice(PLACES) if chinese else random.choice(WORDS),
        "unit": random.choice(["台", "个", "千克", "套", "米", "箱"] if chinese else ["kg", "pcs", "m³", "box"]),
        "remark": random.choice(SENTENCES[:3])[: random.randint(4, 34)] if chinese else some,
    }[sort]


def _wrapped(text: str, random: Random) -> tuple[str, ...]:
    """Break a long text into lines as a narrow column does."""
    wide = sum(2 if ord(letter) > 255 else 1 for letter in text)
    room = 22
    if wide <= room:
        return (text,)
    lines, line, used = [], "", 0.0
    parts = text.split(" ") if " " in text else list(text)
    for part in parts:
        long = sum(2 if ord(letter) > 255 else 1 for letter in part)
        if line and used + long > room:
            lines.append(line)
            line, used = "", 0
        line += (" " if line and " " in text else "") + part
        used += long + (" " in text)
    return (*lines, line)


# How it is painted


@cache
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FACES[face], size, index=CHINESE_SC)


def _page(kind: str, random: Random, size: int) -> tuple[Image.Image, list[Truth]]:
    """Paint a whole sheet with text around up to three tables, or one table with a margin."""
    whole = random.random() < 0.3
    face = random.choice(("sans", "serif"))
    plans = [_plan(kind, random) for _ in range(random.choice((1, 2, 2, 3)) if whole else 1)]
    for plan in plans:
        _measure(plan, face, size, random, kind)
    margin = size * (4 if whole else random.uniform(0.7, 3))
    inner = max(sum(plan.widths) for plan in plans)
    inner = max(inner, 36.0 * size) if whole else inner
    page = Image.new("RGB", (round(inner + 2 * margin), 6000), random.choice(("white", "white", "#f8f6f0")))
    draw, y, truths = ImageDraw.Draw(page), margin, []
    for i, plan in enumerate(plans):
        if whole:
            y = _paragraph(draw, random, face, size, margin, y, inner, random.randint(2, 5)) + size
            title = f"表{i + 1}  各部门完成情况" if random.random() < 0.5 else f"Table {i + 1}: summary of results"
            draw.text((margin + inner / 2, y + size), title, "black", _font(BOLD[face], size), "mm")
            y += 2.2 * size
        left = margin + random.choice((0.0, (inner - sum(plan.widths)) / 2))
        truths.append(_paint(draw, plan, kind, random, face, size, left, y))
        y += sum(plan.heights) + 1.5 * size
    if whole:
        y = _paragraph(draw, random, face, size, margin, y, inner, random.randint(1, 4))
    page = page.crop((0, 0, page.width, round(y + margin)))
    if random.random() < 0.1:
        _stamp(page, random, size)
    return page, truths


def _measure(plan: Plan, face: str, size: int, random: Random, kind: str) -> None:
    """Set column widths and row heights so that everything fits, with the room tables of this kind leave."""
    side = size * (random.uniform(0.35, 1.0) if kind == "ruled" else random.uniform(0.7, 1.8))
    above = size * (random.uniform(0.12, 0.6) if kind == "ruled" else random.uniform(0.18, 0.6))
    font, pitch = _font(BOLD[face], size), 1.3 * size

    def wide(cell: Part) -> float:
        return max((font.getlength(line) for line in cell.lines), default=size) + 2 * side

    plan.widths = [
        max(wide(cell) for cell in plan.cells if cell.column_span == 1 and cell.column == column)
        if any(cell.column_span == 1 and cell.column == column for cell in plan.cells)
        else 4.0 * size
        for column in range(plan.columns)
    ]
    for cell in plan.cells:
        room = sum(plan.widths[cell.column : cell.column + cell.column_span])
        if wide(cell) > room:
            plan.widths[cell.column] += wide(cell) - room
    plan.heights = [pitch + 2 * above] * plan.rows
    for cell in plan.cells:
        if cell.row_span == 1:
            plan.heights[cell.row] = max(plan.heights[cell.row], pitch * len(cell.lines) + 2 * above)


def _paint(
    draw: ImageDraw.ImageDraw, plan: Plan, kind: str, random: Random, face: str, size: int, left: float, top: float
) -> Truth:
    xs = [left + sum(plan.widths[:i]) for i in range(plan.columns + 1)]
    ys = [top + sum(plan.heights[:i]) for i in range(plan.rows + 1)]
    light = _shade(draw, plan, kind, random, xs, ys)
    {"ruled": _rules_all, "partly": _rules_some, "borderless": lambda *_: None}[kind](draw, plan, random, xs, ys)
    middle = random.random() < 0.7  # how text of fewer lines stands in a high row
    centred, side = random.random() < 0.35, 0.35 * size if kind == "ruled" else 0.7 * size
    right = {"count", "money", "percent"} if random.random() < 0.7 else set()
    for cell in plan.cells:
        x0, x1 = xs[cell.column], xs[cell.column + cell.column_span]
        y0, y1 = ys[cell.row], ys[cell.row + cell.row_span]
        head = cell.row < plan.head
        font = _font(BOLD[face] if head else face, size)
        high = 1.3 * size * len(cell.lines)
        y = y0 + (y1 - y0 - high) / 2 if middle or head else y0 + (plan.heights[cell.row] - high) / 2
        if not middle and not head and len(cell.lines) == 1:
            y = y0 + (min(plan.heights[cell.row + i] for i in range(1)) - plan.heights[cell.row]) / 2
            y += min(plan.heights) / 2 - 0.65 * size
        sort = plan.sorts[cell.column]
        anchor = (
            "m" if cell.column_span > 1 or centred or (head and sort not in right) else "r" if sort in right else "l"
        )
        x = {"l": x0 + side, "m": (x0 + x1) / 2, "r": x1 - side}[anchor]
        for i, line in enumerate(cell.lines):
            ink = "white" if light and head else "black"
            draw.text((x, y + (i + 0.5) * 1.3 * size), line, ink, font, anchor + "m")
    corners = np.array([[xs[0], ys[0]], [xs[-1], ys[0]], [xs[-1], ys[-1]], [xs[0], ys[-1]]], np.float32)
    return Truth(corners, plan.rows, plan.columns, tuple(plan.cells))


def _shade(draw: ImageDraw.ImageDraw, plan: Plan, kind: str, random: Random, xs: list[float], ys: list[float]) -> bool:
    """Fill the head, or every other row; says whether the head needs light ink."""
    drawn = random.random()
    if drawn < 0.3:
        dark = random.random() < 0.35
        colour = random.choice(("#2f5597", "#385723", "#444444") if dark else ("#d9e2f3", "#e7e6e6", "#fff2cc"))
        draw.rectangle((xs[0], ys[0], xs[-1], ys[plan.head]), colour)
        return dark
    if drawn < 0.45 and not any(cell.row_span > 1 for cell in plan.cells if cell.row >= plan.head):
        for row in range(plan.head, plan.rows, 2):
            draw.rectangle((xs[0], ys[row], xs[-1], ys[row + 1]), random.choice(("#f2f2f2", "#eaf1fb")))
    return False


def _pen(random: Random) -> tuple[Ink, int, int]:
    """Choose a rule's ink, width and, where it is broken, the length of its dashes (0: unbroken)."""
    ink = random.choice(
        ((0, 0, 0), (0, 0, 0), (40, 40, 40), (150, 150, 150), (200, 205, 210), (60, 90, 160), (200, 60, 60))
    )
    return ink, random.choice((1, 1, 2, 2, 3)), random.choice((0, 0, 0, 0, 0, 2, 6))


def _rule(
    draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], pen: tuple[Ink, int, int]
) -> None:
    ink, width, dash = pen
    if not dash:
        draw.line((*start, *end), ink, width)
        return
    dash, length = max(dash, width), math.dist(start, end)
    step = ((end[0] - start[0]) / max(1, length), (end[1] - start[1]) / max(1, length))
    at = 0.0
    while at < length:
        stop = min(at + dash - 1, length)
        places = [(start[0] + step[0] * t, start[1] + step[1] * t) for t in (at, stop)]
        draw.line((*places[0], *places[1]), ink, width)
        at += 2.0 * dash


def _edges(plan: Plan) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Give the stretches between cells: (row, column) over which a level one, left of which an upright one runs."""
    owner = {
        (cell.row + i, cell.column + j): n
        for n, cell in enumerate(plan.cells)
        for i in range(cell.row_span)
        for j in range(cell.column_span)
    }
    across = [(r, c) for r in range(1, plan.rows) for c in range(plan.columns) if owner[r - 1, c] != owner[r, c]]
    down = [(r, c) for r in range(plan.rows) for c in range(1, plan.columns) if owner[r, c - 1] != owner[r, c]]
    return across, down


def _rules_all(draw: ImageDraw.ImageDraw, plan: Plan, random: Random, xs: list[float], ys: list[float]) -> None:
    pen, (across, down) = _pen(random), _edges(plan)
    for row, column in across:
        _rule(draw, (xs[column], ys[row]), (xs[column + 1], ys[row]), pen)
    for row, column in down:
        _rule(draw, (xs[column], ys[row]), (xs[column], ys[row + 1]), pen)
    frame = (pen[0], pen[1] + random.choice((0, 0, 2)), 0 if random.random() < 0.5 else pen[2])
    sides = [((xs[0], ys[0]), (xs[-1], ys[0])), ((xs[0], ys[-1]), (xs[-1], ys[-1]))]
    sides += [((xs[0], ys[0]), (xs[0], ys[-1])), ((xs[-1], ys[0]), (xs[-1], ys[-1]))]
    for start, end in sides:
        _rule(draw, start, end, frame)


def _rules_some(draw: ImageDraw.ImageDraw, plan: Plan, random: Random, xs: list[float], ys: list[float]) -> None:
    """Draw the rules of a three-line table, of rows alone, of columns alone, or a grid open at its sides."""
    style, pen, (across, down) = (
        random.choice(("three", "three", "rows", "columns", "open")),
        _pen(random),
        _edges(plan),
    )
    pen = (pen[0], pen[1], 0) if style == "three" else pen
    thick = (pen[0], pen[1] + random.choice((0, 1, 2)), pen[2])
    for y in (ys[0], ys[-1]):
        _rule(draw, (xs[0], y), (xs[-1], y), thick)
    _rule(draw, (xs[0], ys[plan.head]), (xs[-1], ys[plan.head]), pen)
    if style in ("rows", "open"):
        for row, column in across:
            _rule(draw, (xs[column], ys[row]), (xs[column + 1], ys[row]), pen)
    elif plan.head == 2:  # the rules under what stands over several columns
        for row, column in across:
            if row == 1:
                _rule(draw, (xs[column] + 4, ys[1]), (xs[column + 1] - 4, ys[1]), pen)
    if style in ("columns", "open"):
        for row, column in down:
            _rule(draw, (xs[column], ys[row]), (xs[column], ys[row + 1]), pen)
    if style == "columns":
        for x in (xs[0], xs[-1]):
            _rule(draw, (x, ys[0]), (x, ys[-1]), pen)


def _paragraph(
    draw: ImageDraw.ImageDraw, random: Random, face: str, size: int, x: float, y: float, width: float, lines: int
) -> float:
    """Write running text; gives where it ends."""
    font, text = _font(face, size), ""
    chinese = random.random() < 0.6
    while font.getlength(text) < lines * width:
        text += random.choice(SENTENCES[:3] if chinese else SENTENCES[3:]) + ("" if chinese else " ")
    units = list(text) if chinese else [word + " " for word in text.split()]
    line = "　　" if chinese else ""
    for unit in units:
        if font.getlength(line + unit) > width:
            draw.text((x, y + 0.75 * size), line.rstrip(), "black", font, "lm")
            y, line, lines = y + 1.5 * size, "", lines - 1
            if not lines:
                return y
        line += unit
    draw.text((x, y + 0.75 * size), line.rstrip(), "black", font, "lm")
    return y + 1.5 * size


def _stamp(page: Image.Image, random: Random, size: int) -> None:
    """Press a round red seal over a part of the page."""
    radius = 4 * size
    x, y = random.uniform(0.3, 0.8) * page.width, random.uniform(0.3, 0.9) * page.height
    layer = Image.new("RGB", page.size, "white")
    draw = ImageDraw.Draw(layer)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=(220, 60, 60), width=max(3, size // 6))
    draw.text((x, y), "★", (220, 60, 60), _font("sans", 2 * size), "mm")
    draw.text((x, y + 0.55 * radius), "合同专用章", (220, 60, 60), _font("sans", size), "mm")
    both = np.minimum(np.asarray(page), np.asarray(layer))
    page.paste(Image.fromarray(both))


# Pages without a table


def _without_table(random: Random, size: int) -> Image.Image:
    draws: tuple[Callable[[ImageDraw.ImageDraw, Random, int], float], ...] = (
        _columns,
        _letter,
        _list,
        _contents,
        _framed,
    )
    page = Image.new("RGB", (46 * size, 70 * size), "white")
    bottom = random.choice(draws)(ImageDraw.Draw(page), random, size)
    return page.crop((0, 0, page.width, min(page.height, round(bottom + 3 * size))))


def _columns(draw: ImageDraw.ImageDraw, random: Random, size: int) -> float:
    count, face = random.choice((2, 2, 3)), random.choice(("sans", "serif"))
    width = (40 * size - (count - 1) * 2 * size) / count
    bottoms = []
    for i in range(count):
        y = 3.0 * size
        for _ in range(random.randint(2, 4)):
            y = (
                _paragraph(draw, random, face, size, (3 + i * 2) * size + i * width, y, width, random.randint(4, 9))
                + 0.5 * size
            )
        bottoms.append(y)
    return max(bottoms)


def _letter(draw: ImageDraw.ImageDraw, random: Random, size: int) -> float:
    """Write a sender and, on the right, a few facts under one another; then the letter."""
    font = _font("sans", size)
    for i, line in enumerate(("Northwind Trading Ltd.", "12 Harbour Road", "Qingdao 266000", "China")):
        draw.text((3 * size, (4 + 1.4 * i) * size), line, "black", font, "lm")
    for i, line in enumerate(("Tel. 0532 8888 1234", "Your ref. A-2231", "3 May 2026")):
        draw.text((42 * size, (4 + 1.4 * i) * size), line, "black", font, "rm")
    y = 14.0 * size
    for _ in range(3):
        y = _paragraph(draw, random, "sans", size, 3 * size, y, 40 * size, random.randint(3, 6)) + size
    draw.text((30 * size, y + size), "单位负责人（签字）：", "black", font, "lm")
    draw.text((30 * size, y + 3 * size), "2026年5月3日", "black", font, "lm")
    return y + 3 * size


def _list(draw: ImageDraw.ImageDraw, random: Random, size: int) -> float:
    y = 3.0 * size
    for i in range(random.randint(6, 12)):
        draw.text(
            (3 * size, y + 0.75 * size),
            random.choice((f"{i + 1}.", f"（{i + 1}）", "•")),
            "black",
            _font("sans", size),
            "lm",
        )
        y = _paragraph(draw, random, "sans", size, 6 * size, y, 36 * size, random.randint(1, 3)) + 0.4 * size
    return y


def _contents(draw: ImageDraw.ImageDraw, random: Random, size: int) -> float:
    y, font = 4.0 * size, _font("serif", size)
    for i in range(random.randint(8, 16)):
        title, number = f"第{i + 1}章  {random.choice(SENTENCES)[: random.randint(6, 16)]}", str(3 + 7 * i)
        draw.text((3 * size, y), title, "black", font, "lm")
        draw.text((42 * size, y), number, "black", font, "rm")
        start, end = 3 * size + font.getlength(title) + 0.5 * size, 42 * size - font.getlength(number) - 0.5 * size
        draw.text((start, y), "…" * int((end - start) / font.getlength("…")), "black", font, "lm")
        y += 1.8 * size
    return y


def _framed(draw: ImageDraw.ImageDraw, random: Random, size: int) -> float:
    """Write text in a frame between a page's head and foot rules."""
    draw.text((23 * size, 2.5 * size), "年度报告 Annual report", "black", _font("serif", size), "mm")
    draw.line((3 * size, 3.5 * size, 43 * size, 3.5 * size), "black", 2)
    y = _paragraph(draw, random, "serif", size, 3 * size, 4.5 * size, 40 * size, random.randint(4, 9)) + size
    end = _paragraph(draw, random, "serif", size, 5 * size, y + size, 36 * size, random.randint(2, 5)) + size
    draw.rectangle((3 * size, y, 43 * size, end), outline="black", width=2)
    y = _paragraph(draw, random, "serif", size, 3 * size, end + size, 40 * size, random.randint(4, 9)) + size
    draw.line((3 * size, y, 43 * size, y), "black", 2)
    draw.text((23 * size, y + size), "- 12 -", "black", _font("serif", size), "mm")
    return y + 2 * size


# Its way into the computer


def _worn(page: Image.Image, truths: list[Truth], random: Random) -> tuple[Pixels, list[Truth]]:
    """Leave a page as it is (2 in 5), scan it (2 in 5) or photograph it; half of them are tilted up to 4 degrees."""
    pixels = np.asarray(page.convert("RGB"))
    height, width = pixels.shape[:2]
    way = random.choice(("clean", "clean", "scan", "scan", "photo"))
    tilt = random.uniform(-4, 4) if random.random() < 0.5 else random.uniform(-0.3, 0.3) if way != "clean" else 0.0
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    angle = math.radians(tilt)
    spin = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], np.float32)
    moved = (corners - corners.mean(axis=0)) @ spin.T
    if way == "photo":
        moved += (
            np.array([[random.uniform(-1, 1), random.uniform(-1, 1)] for _ in range(4)], np.float32) * 0.015 * width
        )
    moved -= moved.min(axis=0)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    frame = tuple(int(side) + 1 for side in moved.max(axis=0))
    edge = tuple(int(level) for level in pixels[0, 0])
    if tilt or way == "photo":
        pixels = cv2.warpPerspective(pixels, matrix, frame, flags=cv2.INTER_CUBIC, borderValue=edge)
    truths = [
        Truth(cv2.perspectiveTransform(truth.corners[None], matrix)[0], truth.rows, truth.columns, truth.cells)
        if tilt or way == "photo"
        else truth
        for truth in truths
    ]
    return (pixels.astype(np.uint8) if way == "clean" else _seen(pixels, way, random)), truths


def _seen(pixels: NDArray[np.uint8], way: str, random: Random) -> Pixels:
    """Soften, light, add noise, and pack as JPEG."""
    rng = np.random.default_rng(random.getrandbits(32))
    seen = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.4, 1.0)).astype(np.float32)
    if way == "photo":
        y, x = np.mgrid[: seen.shape[0], : seen.shape[1]].astype(np.float32)
        angle = random.uniform(0, 2 * math.pi)
        seen *= (0.8 + 0.3 * (np.cos(angle) * (x / seen.shape[1] - 0.5) + np.sin(angle) * (y / seen.shape[0] - 0.5)))[
            :, :, None
        ]
    seen += rng.normal(0, random.uniform(1, 7), seen.shape[:2])[:, :, None]
    file = io.BytesIO()
    Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=random.randint(55, 92))
    return np.asarray(Image.open(io.BytesIO(file.getvalue())).convert("RGB"))


def missing_fonts() -> list[str]:
    """Name the typefaces that are not installed (Debian: fonts-noto-cjk)."""
    return [path for path in FACES.values() if not Path(path).exists()]

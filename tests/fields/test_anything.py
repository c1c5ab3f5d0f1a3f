"""Pages of any words at any places: fields must bear them all, and accept none of them."""

import random

import pytest
from sheets import CODE, ELECTRONIC, ToldSight

from shizi.document import Line, Page
from shizi.fields import Finder
from shizi.fields.template import parse
from shizi.geometry import Polygon

ODD = [
    "",
    " ",
    ":",
    "名称",
    "12:",
    "¥",
    "合计",
    "㎡㈱½",
    "0" * 300,
    "9.9.9",
    "-",
    "***",
    "站站",
    "北京站",
    "亿万圆",
    "﷽",
]
ODD += [
    "2019年13月45日",
    "时间:1:00-2:00",
    "a: b: c:",
    "通用机打发票",
    "限乘当日当次车",
    "07车011号",
    "上车",
    "下车",
    "里程",
]
TEMPLATE = """
fields:
  a: {anchor: 名称, pattern: '\\d+'}
  b: {region: [0, 0, 1, 1]}
  c: {anchor: 合计, where: below, type: money}
  d: {anchor: 金额, area: [-1, -1, 5, 5], type: date}
checks: [a + c = b]
"""


def anything(rng: random.Random) -> Page:
    lines = []
    for _ in range(rng.randint(0, 60)):
        text = rng.choice([*ODD, *(row[0] for row in ELECTRONIC)])
        text = "".join(rng.sample(text, len(text))) if rng.random() < 0.4 else text
        x, y = rng.uniform(-50, 1300), rng.uniform(-50, 900)
        width, height = rng.choice([0, 1, rng.uniform(1, 600)]), rng.choice([0, 1, rng.uniform(1, 60)])
        corners = [(x, y), (x + width, y + rng.uniform(-20, 20)), (x + width, y + height), (x, y + height)]
        lines.append(Line(text, rng.random(), Polygon.from_points(corners), vertical=rng.random() < 0.15))
    return Page(1, rng.choice([1, 1200]), rng.choice([1, 800]), lines=tuple(lines))


@pytest.mark.parametrize("seed", range(40))
def test_a_page_of_anything(seed: int) -> None:
    rng = random.Random(seed)
    page = anything(rng)
    codes = rng.choice([[], [CODE], ["garbage,,,"], ["01,10,,12345678,x,y,z,"]])
    finder = Finder()
    finder.look(page, ToldSight(codes))  # type: ignore[arg-type]
    assert finder.result()[1].decision == "review"
    own = Finder(parse(TEMPLATE))
    own.look(page, ToldSight())  # type: ignore[arg-type]
    assert len({field.name for field in own.result()[0]}) == len(own.result()[0])

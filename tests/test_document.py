import json
import math

import pytest

from shizi.document import Block, Char, Document, Line, Page, Word
from shizi.errors import OptionsError
from shizi.geometry import Polygon
from shizi.options import CHOICES, ReadOptions

BOX = Polygon.from_bounds(10, 20, 110, 40)
WORD = Word("识字", 0.9, BOX, (Char("识", 0.9, 0.0, 0.5), Char("字", 0.8, 0.5, 1.0)))
PAGE = Page(
    number=1,
    width=200,
    height=100,
    dpi=300.0,
    rotation=90,
    lines=(Line("识字", 0.72, BOX, (WORD,), "strong"), Line("abcd", 0.9, BOX, (), "strong", vertical=True)),
    blocks=(Block("text", BOX, (0,)), Block("text", BOX, (1,))),
    warnings=("page_turned: x",),
)


def test_a_document_goes_to_json_and_back() -> None:
    document = Document((PAGE, Page(2, 10, 10)), "PNG", ("strong@12345678",))
    assert Document.from_dict(json.loads(json.dumps(document.to_dict()))) == document


def test_text_keeps_lines_blocks_and_pages_apart() -> None:
    assert Document((PAGE, Page(2, 10, 10))).text == "识字\n\nabcd\n\f"


def test_confidence_is_weighted_by_characters_and_nought_without_text() -> None:
    assert PAGE.confidence == pytest.approx((2 * 0.72 + 4 * 0.9) / 6)
    assert Document((Page(1, 5, 5),)).confidence == 0.0


def test_polygon_measures() -> None:
    tilted = Polygon.from_points([(0, 0), (30, 40), (22, 46), (-8, 6)])
    assert (tilted.width, tilted.height) == (50, 10)
    assert tilted.angle == pytest.approx(math.degrees(math.atan2(4, 3)))
    assert tilted.bounds == (-8, 0, 30, 46)


def test_a_polygon_has_four_points() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        Polygon.from_points([(0, 0), (1, 1), (2, 2)])


def test_parts_run_along_a_line_and_down_a_column() -> None:
    assert BOX.part(0.5, 1.0).bounds == (60, 20, 110, 40)
    assert BOX.part(0.5, 1.0, vertical=True).bounds == (10, 30, 110, 40)


def test_every_choice_is_taken_and_the_default_is_one_of_them() -> None:
    for name, values in CHOICES.items():
        assert getattr(ReadOptions(), name) in values
        for value in values:
            assert getattr(ReadOptions.parse({name: value}), name) == value


@pytest.mark.parametrize(
    ("values", "said"), [({"mod": "fast"}, "'mod'"), ({"mode": "slow"}, "'slow'"), ({"detail": ["line"]}, "detail")]
)
def test_a_wrong_option_is_named(values: dict[str, object], said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        ReadOptions.parse(values)

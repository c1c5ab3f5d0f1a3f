import json
import math

import pytest

from shizi.document import Block, Cell, Char, Check, Document, Field, Line, Page, Table, Verdict, Word
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


def test_tables_and_fields_go_to_json_and_back() -> None:
    cells = (
        Cell(0, 0, "名称 <b>", BOX, column_span=2, confidence=0.9, lines=(0,)),
        Cell(1, 0, "1\n2", BOX),
        Cell(1, 1, "", BOX),
    )
    item = Field("name", "纸", "纸", 0.9, polygon=BOX)
    total = Field(
        "total", "12.00", "￥12.00", 0.98, 1, BOX, "ocr", (Check("sum", True, "10.00 + 2.00 = 12.00"),), "￥12.O0"
    )
    fields = (total, Field("items", "", "", 0.9, rows=((item,),)))
    page = Page(1, 200, 100, tables=(Table(BOX, 2, 2, cells),), source="text")
    document = Document((page,), "PDF", (), fields, Verdict("review", ("date is missing",)))
    values = json.loads(json.dumps(document.to_dict()))
    assert Document.from_dict(values) == document
    assert values["fields"]["items"]["value"] == [{"name": "纸"}]
    assert values["fields"]["total"]["repaired"] == {"before": "￥12.O0", "after": "￥12.00"}
    assert values["pages"][0]["tables"][0]["html"] == (
        '<table><tr><td colspan="2">名称 &lt;b&gt;</td></tr><tr><td>1<br>2</td><td></td></tr></table>'
    )


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


def test_pages_are_chosen_by_numbers_and_ranges() -> None:
    def chosen(pages: str) -> list[int]:
        return [number for number in range(1, 9) if ReadOptions.parse({"pages": pages}).wants(number)]

    assert chosen("") == list(range(1, 9))
    assert chosen("2-3, 5") == [2, 3, 5]
    assert chosen("7-") == [7, 8]
    assert chosen("4") == [4]


def test_a_switch_may_be_true_or_false() -> None:
    options = ReadOptions.parse({"tables": True, "fields": "true", "enhance": False})
    assert (options.tables, options.fields, options.enhance) == ("auto", "auto", "none")
    with pytest.raises(OptionsError, match="mode"):
        ReadOptions.parse({"mode": True})


@pytest.mark.parametrize("pages", ["a", "1--2", "-3", "1,,2", 7])
def test_wrong_page_ranges_are_refused(pages: object) -> None:
    with pytest.raises(OptionsError, match="pages"):
        ReadOptions.parse({"pages": pages})


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(ReadOptions(password="secret"))

"""Templates: what they find, and how they are refused."""

from pathlib import Path

import pytest
from sheets import ToldSight, page

from shizi.document import Field, Verdict
from shizi.errors import OptionsError
from shizi.fields import Finder
from shizi.fields.template import load, parse
from shizi.options import ReadOptions

NOTE = """
name: delivery note
match: [送货单]
fields:
  order: {anchor: [订单编号, 订单号], pattern: 'PO-\\d{6}', required: true}
  day: {anchor: 送货日期, type: date}
  net: {anchor: 金额合计, type: money}
  tax: {anchor: 税额, type: money, where: below, reach: 3}
  gross: {anchor: 应付, type: money, required: true}
  note: {region: [0, 0.7, 1, 1]}
  clerk: {anchor: 经手人, area: [0, 1, 12, 3]}
checks:
  - net + tax = gross
"""
ROWS = [
    ("送货单", 500, 30),
    ("订单号: PO-123456", 60, 80),
    ("送货日期: 2024年5月6日", 500, 80),
    ("金额合计", 60, 160),
    ("1,200.00", 200, 160),
    ("税额", 600, 160),
    ("156.00", 590, 190),
    ("应付: ¥1356.00", 60, 220),
    ("经手人", 800, 300),
    ("李芳", 810, 335),
    ("请当面点清", 100, 650),
    ("谢谢", 100, 690),
]


def found(rows: list[tuple[str, float, float]], sight: ToldSight | None = None) -> tuple[dict[str, Field], Verdict]:
    finder = Finder(parse(NOTE))
    finder.look(page(rows), sight or ToldSight())  # type: ignore[arg-type]
    fields, verdict = finder.result()
    return {field.name: field for field in fields}, verdict


def test_every_way_to_say_where_a_field_stands() -> None:
    fields, verdict = found(ROWS)
    assert {name: field.value for name, field in fields.items()} == {
        "order": "PO-123456",
        "day": "2024-05-06",
        "net": "1200.00",
        "tax": "156.00",
        "gross": "1356.00",
        "note": "请当面点清\n谢谢",
        "clerk": "李芳",
    }
    assert verdict == Verdict("accept")


def test_a_broken_equation_and_a_missing_field() -> None:
    fields, verdict = found([("157.00" if text == "156.00" else text, x, y) for text, x, y in ROWS])
    assert [check.name for check in fields["gross"].checks if not check.passed] == ["net + tax = gross"]
    assert verdict.decision == "review"
    _, verdict = found([row for row in ROWS if not row[0].startswith("应付")])
    assert "gross was not found" in verdict.reasons


def test_a_value_is_read_again_within_its_pattern() -> None:
    rows = [("订单号: P0-I23456" if text.startswith("订单号") else text, x, y) for text, x, y in ROWS]
    told = {"P0-I23456": [("PO-123456", 0.4)]}
    fields, verdict = found(rows, ToldSight(runners_up=told))
    assert (fields["order"].value, fields["order"].repaired) == ("PO-123456", "P0-I23456")
    assert verdict == Verdict("accept")
    fields, verdict = found(rows, ToldSight(runners_up={"P0-I23456": [("PO-123456", 0.001)]}))
    assert fields["order"].value == "P0-I23456"
    assert verdict.decision == "review"


def test_a_page_of_another_form() -> None:
    fields, verdict = found([("收据", 100, 100)])
    assert not fields
    assert "送货单" in verdict.reasons[0]


BROKEN = [
    ("", "the file: found nothing"),
    ("- a", "the file: found list"),
    ("fields: {a: {anchor: x}\nb: [", "no YAML in line"),
    ("field: {}", "key 'field'"),
    ("fields: {}", "found 0 fields"),
    ("fields: {a: {}}", "fields.a: found neither"),
    ("fields: {a: {anchor: x, region: [0, 0, 1, 1]}}", "fields.a: found both"),
    ("fields: {'a b': {anchor: x}}", "the name 'a b'"),
    ("fields: {a: {anchor: x, wehre: left}}", "the key 'wehre'"),
    ("fields: {a: {anchor: x, where: under}}", "fields.a.where: found 'under'"),
    ("fields: {a: {anchor: x, type: dat}}", "fields.a.type: found 'dat'"),
    ("fields: {a: {anchor: x, pattern: '(a'}}", "fields.a.pattern"),
    ("fields: {a: {anchor: x, pattern: 5}}", "fields.a.pattern: found 5"),
    ("fields: {a: {anchor: x, pattern: a, allowed: b}}", "found pattern and allowed"),
    ("fields: {a: {region: [0, 0, 2, 1]}}", "fields.a.region"),
    ("fields: {a: {region: [1, 0, 0, 1]}}", "fields.a.region"),
    ("fields: {a: {anchor: x, reach: far}}", "fields.a.reach: found 'far'"),
    ("fields: {a: {anchor: x, required: 1}}", "fields.a.required: found 1"),
    ("fields: {a: {anchor: x}}\nchecks: [a + b = 1]", "checks.1: found the name b"),
    ("fields: {a: {anchor: x}}\nchecks: [a + = 1]", "checks.1"),
    ("fields: {a: {anchor: x}}\nchecks: [a]", "an equation such as"),
    ("fields: {a: {anchor: x}}\nchecks: ['__import__(a) = 1']", "checks.1"),
    ("!!python/object/apply:os.system ['true']", "no YAML"),
    ("fields: " + "[" * 5000, "no YAML|nested too deeply"),
    ("x" * 70_000, "larger than 64,000"),
]


@pytest.mark.parametrize(("text", "told"), BROKEN, ids=range(len(BROKEN)))
def test_a_template_that_cannot_be_used_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(OptionsError, match=told):
        parse(text, "form.yaml")


@pytest.mark.parametrize("name", ["../secret", "a/b", "a.yaml", "", " ", "a" * 65, "..", "C:\\x"])
def test_a_request_cannot_name_a_path(name: str) -> None:
    if name:
        with pytest.raises(OptionsError, match="no path"):
            ReadOptions.parse({"template": name})


def test_templates_are_taken_from_the_operators_folder(tmp_path: Path) -> None:
    (tmp_path / "note.yaml").write_text(NOTE)
    (tmp_path / "latin.yaml").write_bytes(b"name: \xff")
    assert load(tmp_path, "note").name == "delivery note"
    with pytest.raises(OptionsError, match="known are latin, note"):
        load(tmp_path, "other")
    with pytest.raises(OptionsError, match="UTF-8"):
        load(tmp_path, "latin")
    with pytest.raises(OptionsError, match="SHIZI_TEMPLATES"):
        load(None, "note")

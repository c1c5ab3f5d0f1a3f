"""VAT invoices from placed words: fields, checks, repairs, the verdict."""

from dataclasses import replace

import pytest
from sheets import CODE, ELECTRONIC, ToldSight, altered, page

from shizi.document import Char, Document, Field, Reading, Verdict
from shizi.fields import Finder
from shizi.fields.items import normal
from shizi.geometry import Polygon


def found(
    rows: list[tuple[str, float, float]], sight: ToldSight, tilt: float = 0.0
) -> tuple[dict[str, Field], Verdict]:
    finder = Finder()
    finder.look(page(rows, tilt), sight)  # type: ignore[arg-type]
    fields, verdict = finder.result()
    return {field.name: field for field in fields}, verdict


EXPECTED = {
    "invoice_type": "增值税电子普通发票",
    "invoice_code": "051001800211",
    "invoice_number": "65281307",
    "date": "2019-02-23",
    "check_code": "02259002865525349387",
    "machine_number": "499099715868",
    "buyer_name": "西华大学",
    "buyer_tax_id": "12510000450717578Y",
    "seller_name": "当当网信息技术有限公司",
    "seller_tax_id": "91511422MA62J75P9H",
    "seller_address_phone": "眉山市青龙镇 028-37696091",
    "seller_bank_account": "中国工商银行彭山青行 2313075309100024123",
    "amount": "250.00",
    "tax": "29.00",
    "total": "279.00",
    "total_in_words": "贰佰柒拾玖圆整",
    "payee": "王伟",
    "drawer": "李芳",
}


@pytest.mark.parametrize("tilt", [0.0, 0.03, -0.03])
def test_every_field_of_an_invoice_however_it_is_turned(tilt: float) -> None:
    fields, verdict = found(ELECTRONIC, ToldSight([CODE]), tilt)
    assert {name: field.value for name, field in fields.items() if name != "items"} == EXPECTED
    rows = [{part.name: part.value for part in row} for row in fields["items"].rows]
    assert rows == [
        {
            "name": "*纸制品*复印纸",
            "spec": "A4",
            "unit": "箱",
            "quantity": "2",
            "unit_price": "100.00",
            "amount": "200.00",
            "tax_rate": "13%",
            "tax": "26.00",
        },
        {
            "name": "*印刷品*技术手册(第3版)",
            "unit": "套",
            "quantity": "4",
            "unit_price": "12.50",
            "amount": "50.00",
            "tax_rate": "6%",
            "tax": "3.00",
        },
    ]
    assert verdict == Verdict("accept")


def test_each_field_carries_its_checks() -> None:
    fields, _ = found(ELECTRONIC, ToldSight([CODE]))
    passed = {name: {check.name for check in field.checks if check.passed} for name, field in fields.items()}
    assert passed["total"] == {"amount_plus_tax", "in_words"}
    assert passed["amount"] == {"amount_plus_tax", "rows_amount", "qr"}
    assert passed["seller_tax_id"] == {"check_character"}
    assert passed["seller_name"] == {"read_twice", "whole_name"}
    assert passed["date"] == {"real_date", "qr"}
    row = {part.name: {check.name for check in part.checks} for part in fields["items"].rows[0]}
    assert row["amount"] == {"rows_amount", "row_rate", "row_price", "rows_complete"}


FALSIFIED = [
    ("¥279.00", "¥279.80", "total", "amount_plus_tax"),
    ("¥250.00", "¥260.00", "amount", "rows_amount"),
    ("¥29.00", "¥28.00", "tax", "rows_tax"),
    ("26.00", "26.50", "items.0.tax", "row_rate"),
    ("200.00", "210.00", "items.0.amount", "row_price"),
    ("⊗贰佰柒拾玖圆整", "⊗贰佰柒拾捌圆整", "total_in_words", "in_words"),
    ("纳税人识别号:91511422MA62J75P9H", "纳税人识别号:91511422MA62J75P9K", "seller_tax_id", "check_character"),
    ("纳税人识别号:12510000450717578Y", "纳税人识别号:12510000450717579Y", "buyer_tax_id", "check_character"),
    ("开票日期:2019年02月23日", "开票日期:2019年02月30日", "date", "real_date"),
    ("开票日期:2019年02月23日", "开票日期:2019年02月24日", "date", "qr"),
    ("发票号码:65281307", "发票号码:65281807", "invoice_number", "qr"),
    ("发票代码:051001800211", "发票代码:05100180021", "invoice_code", "length"),
]


@pytest.mark.parametrize(("before", "after", "name", "check"), FALSIFIED)
def test_a_falsified_figure_stays_as_printed_and_fails(before: str, after: str, name: str, check: str) -> None:
    fields, verdict = found(altered(before, after), ToldSight([CODE]))
    if name.startswith("items."):
        _, i, column = name.split(".")
        field = next(part for part in fields["items"].rows[int(i)] if part.name == column)
    else:
        field = fields[name]
    assert field.value.replace("-", "") in "".join(c for c in after if c.isalnum() or c == ".").replace(
        "年", ""
    ).replace("月", "").replace("日", "")
    assert check in {made.name for made in field.checks if not made.passed}
    assert not field.repaired
    assert verdict.decision == "review"
    assert any(check in reason for reason in verdict.reasons)


def test_our_own_misreading_is_repaired_where_one_runner_up_mends_it() -> None:
    sight = ToldSight([CODE], {"¥279.80": [("¥279.80", 0.6), ("¥279.00", 0.3), ("¥279.30", 0.05)]})
    fields, verdict = found(altered("¥279.00", "¥279.80"), sight)
    assert (fields["total"].value, fields["total"].text, fields["total"].repaired) == ("279.00", "¥279.00", "¥279.80")
    assert verdict.decision == "accept"


def test_a_character_its_field_cannot_have_is_read_again() -> None:
    sight = ToldSight([CODE], {"贰佰柒抬玖圆整": [("贰佰柒拾玖圆整", 0.2)]})
    fields, verdict = found(altered("⊗贰佰柒拾玖圆整", "⊗贰佰柒抬玖圆整"), sight)
    assert (fields["total_in_words"].value, fields["total_in_words"].repaired) == ("贰佰柒拾玖圆整", "贰佰柒抬玖圆整")
    assert verdict.decision == "accept"


def test_an_unlikely_runner_up_repairs_nothing() -> None:
    sight = ToldSight([CODE], {"¥279.80": [("¥279.80", 0.999), ("¥279.00", 0.0004)]})
    fields, verdict = found(altered("¥279.00", "¥279.80"), sight)
    assert fields["total"].value == "279.80"
    assert verdict.decision == "review"


def test_two_ways_to_mend_are_none() -> None:
    """Amount and tax of a row both have a runner-up that makes rate and rows right: nobody knows which was misread."""
    rows = [("26.50" if text == "26.00" else "29.50" if text == "¥29.00" else text, x, y) for text, x, y in ELECTRONIC]
    rows = [
        ("贰佰柒拾玖圆伍角" if "贰佰柒拾玖" in text else "¥279.50" if text == "¥279.00" else text, x, y)
        for text, x, y in rows
    ]
    rows = [("¥29.50" if text == "29.50" else text, x, y) for text, x, y in rows]
    sight = ToldSight([CODE], {"13%": [("13%", 0.5), ("16%", 0.4)], "26.50": [("26.50", 0.5), ("26.00", 0.4)]})
    fields, verdict = found(rows, sight)
    assert not any(part.repaired for row in fields["items"].rows for part in row)
    assert verdict.decision == "review"


def test_what_the_print_lacks_comes_from_the_code() -> None:
    rows = [row for row in ELECTRONIC if not row[0].startswith(("发票代码", "开票日期"))]
    fields, _ = found(rows, ToldSight([CODE]))
    assert [(fields[name].value, fields[name].source) for name in ("invoice_code", "date")] == [
        ("051001800211", "qr"),
        ("2019-02-23", "qr"),
    ]


def test_without_a_code_number_and_date_have_no_proof() -> None:
    fields, verdict = found(ELECTRONIC, ToldSight())
    assert {check.name for check in fields["invoice_number"].checks} == {"length", "read_twice"}
    assert verdict.decision == "review"
    assert "QR" in verdict.reasons[0]


def test_a_value_the_second_recogniser_reads_otherwise_does_not_pass() -> None:
    fields, verdict = found(ELECTRONIC, ToldSight([CODE], disputed=["当当网"]))
    assert {check.name: check.passed for check in fields["seller_name"].checks} == {
        "whole_name": True,
        "read_twice": False,
    }
    assert verdict.decision == "accept"  # names decide nothing


def test_a_missing_total_is_told() -> None:
    rows = [row for row in ELECTRONIC if row[0] not in ("(小写)", "¥279.00")]
    _, verdict = found(rows, ToldSight([CODE]))
    assert "total was not found" in verdict.reasons


def test_quantity_and_price_read_as_one_number_are_parted_by_arithmetic() -> None:
    rows = [("4712.50" if text == "12.50" else text, x - 50 * (text == "12.50"), y) for text, x, y in ELECTRONIC]
    rows = [row for row in rows if row[0] != "4"]
    rows = [("587.50" if text == "50.00" else text, x, y) for text, x, y in rows]
    fields, _ = found(rows, ToldSight([CODE]))
    row = {part.name: part.value for part in fields["items"].rows[1]}
    assert (row["quantity"], row["unit_price"]) == ("47", "12.50")


def test_a_price_whose_quantity_was_overlooked_is_not_parted() -> None:
    """Of 12.51 x 1 = 12.51 the price's last figure would pass for the quantity: 12.5 x 1 fits as well."""
    rows = [("12.51" if text == "12.50" else text, x, y) for text, x, y in ELECTRONIC if text != "4"]
    rows = [("12.51" if text == "50.00" else text, x, y) for text, x, y in rows]
    sight = ToldSight([CODE])
    sight.read = lambda polygon: Reading("1", 0.9, (Char("1", 0.9, 0.0, 1.0),))  # type: ignore[attr-defined]
    fields, _ = found(rows, sight)
    row = {part.name: part.value for part in fields["items"].rows[1]}
    assert (row["quantity"], row["unit_price"]) == ("1", "12.51")


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [("unit", "箱·", "箱"), ("spec", "0.5mm.", "0.5mm"), ("spec", "[0.5mm", "0.5mm"), ("spec", "[A]", "[A]")],
)
def test_dust_at_a_cells_ends_is_no_text(column: str, text: str, value: str) -> None:
    assert normal(column, text) == value


def test_ten_is_written_out_in_capital_numerals() -> None:
    fields, _ = found(altered("⊗贰佰柒拾玖圆整", "⊗拾玖圆整"), ToldSight([CODE]))
    assert (fields["total_in_words"].value, fields["total_in_words"].text) == ("壹拾玖圆整", "拾玖圆整")


def test_a_sign_of_the_next_cell_is_none_of_an_account() -> None:
    said = next(text for text, _, _ in ELECTRONIC if "2313075309100024123" in text)
    fields, _ = found(altered(said, f"{said}区"), ToldSight([CODE]))
    assert fields["seller_bank_account"].value == "中国工商银行彭山青行 2313075309100024123"


@pytest.mark.parametrize("colon", [":", "：", "；"])
def test_a_colon_left_with_a_name_is_none_of_it(colon: str) -> None:
    fields, _ = found(altered("收款人:王伟", f"收款人:{colon}王伟"), ToldSight([CODE]))
    assert fields["payee"].value == "王伟"


def test_a_rule_read_as_a_bracket_beside_a_figure() -> None:
    fields, verdict = found(altered("2", "2]"), ToldSight([CODE]))
    assert next(part.value for part in fields["items"].rows[0] if part.name == "quantity") == "2"
    assert verdict.decision == "accept"


def test_parties_side_by_side() -> None:
    rows = [
        ("电子发票（普通发票）", 480, 40),
        ("发票号码：24312000000336470023", 850, 40),
        ("开票日期：2024年04月22日", 850, 70),
        ("名称：合肥市天和机械设备有限公司", 100, 160),
        ("统一社会信用代码/纳税人识别号：91511422MA62J75P9H", 100, 200),
        ("名称：浙江鼎盛信息技术有限公司", 680, 160),
        ("统一社会信用代码/纳税人识别号：12510000450717578Y", 680, 200),
    ]
    fields, _ = found(rows, ToldSight())
    assert fields["buyer_name"].value == "合肥市天和机械设备有限公司"
    assert fields["seller_name"].value == "浙江鼎盛信息技术有限公司"
    assert (fields["buyer_tax_id"].value, fields["seller_tax_id"].value) == ("91511422MA62J75P9H", "12510000450717578Y")


@pytest.mark.parametrize("codes", [[], ["01,31,,24312000000336470023,106.00,20240422,,A1B2"]])
def test_half_a_title_under_its_seal(codes: list[str]) -> None:
    rows = [("增值税专用发票)", 480, 40), ("发票号码：24312000000336470023", 850, 40), ("价税合计", 60, 300)]
    fields, _ = found(rows, ToldSight(codes))
    assert fields["invoice_type"].value == "电子发票(增值税专用发票)"
    assert all(check.passed for check in fields["invoice_number"].checks)


@pytest.mark.parametrize(
    ("printed", "holds"),
    [
        ("当当网信息技术有限公", False),
        ("当当网信息技术有限", False),
        ("当当网信息技术有限责任公", False),
        ("当当网信息技术（集团）有限公司", True),
        ("当当网信息技术有限公司眉山分公司", True),
        ("当当网信息技术有限公司眉山分公", False),
        ("当当投资中心（有限合伙）", True),
    ],
)
def test_a_name_that_lost_its_end_does_not_pass(printed: str, holds: bool) -> None:
    rows = [(text.replace("当当网信息技术有限公司", printed), x, y) for text, x, y in ELECTRONIC]
    fields, _ = found(rows, ToldSight([CODE]))
    assert fields["seller_name"].value == printed
    assert [check.passed for check in fields["seller_name"].checks if check.name == "whole_name"] == [holds]


def test_a_line_seen_too_short_does_not_pass_though_two_read_it_alike() -> None:
    fields, verdict = found(ELECTRONIC, ToldSight([CODE], cut=["2313075309100024123"]))
    failed = {name: [check.name for check in field.checks if not check.passed] for name, field in fields.items()}
    assert {name: checks for name, checks in failed.items() if checks} == {"seller_bank_account": ["whole_line"]}
    assert verdict == Verdict("accept")  # words decide nothing


def test_a_stroke_behind_goods_is_doubted() -> None:
    rows = [("*纸制品*复印纸I" if text == "*纸制品*复印纸" else text, x, y) for text, x, y in ELECTRONIC]
    fields, _ = found(rows, ToldSight([CODE]))
    names = [next(part for part in row if part.name == "name") for row in fields["items"].rows]
    assert [[check.name for check in name.checks if not check.passed] for name in names] == [["stroke"], []]


def test_stars_that_were_overlooked_are_looked_for_in_rows_without_tax() -> None:
    asked: list[Polygon] = []

    class Seeing(ToldSight):
        def read(self, polygon: Polygon) -> Reading:
            asked.append(polygon)
            return Reading("***", 0.9, tuple(Char("*", 0.9, i / 3, (i + 1) / 3) for i in range(3)))

    rows = [("免税" if text == "13%" else text, x, y) for text, x, y in ELECTRONIC if text != "26.00"]
    fields, _ = found(rows, Seeing([CODE]))
    taxes = [next(part.value for part in row if part.name == "tax") for row in fields["items"].rows]
    assert taxes[0] == "***"
    [polygon] = [polygon for polygon in asked if polygon.centre[0] > 950]
    amount = next(part for part in fields["items"].rows[0] if part.name == "amount")
    assert amount.polygon is not None
    assert polygon.centre[1] == pytest.approx(amount.polygon.centre[1], abs=2)


def test_stars_are_looked_for_under_the_heading_where_no_tax_at_all_was_seen() -> None:
    class Seeing(ToldSight):
        def read(self, polygon: Polygon) -> Reading:
            right = polygon.bounds[2] > 1000
            return Reading("***", 0.9, (Char("***", 0.9, 0.0, 1.0),)) if right else Reading("", 0.0, ())

    told = {"13%": "免税", "6%": "免税", "26.00": "", "3.00": "", "¥29.00": "", "¥279.00": "¥250.00"}
    told["⊗贰佰柒拾玖圆整"] = "⊗贰佰伍拾圆整"
    rows = [(told.get(text, text), x, y) for text, x, y in ELECTRONIC if told.get(text, text)]
    fields, verdict = found(rows, Seeing([CODE]))
    assert [next(part.value for part in row if part.name == "tax") for row in fields["items"].rows] == ["***", "***"]
    assert fields["tax"].value == "***"
    assert fields["tax"].polygon is not None
    assert fields["tax"].polygon.centre[1] == pytest.approx(430, abs=2)
    assert verdict == Verdict("accept")


@pytest.mark.parametrize("tilt", [0.0, 0.04, -0.04])
@pytest.mark.parametrize("heading", [[("备注", 630.0, 540.0)], []], ids=["beside their heading", "without it"])
def test_remarks_stand_between_the_total_and_the_drawer(heading: list[tuple[str, float, float]], tilt: float) -> None:
    fields, _ = found([*ELECTRONIC, *heading, ("订单号31179533409", 675, 490)], ToldSight([CODE]), tilt)
    assert fields["remarks"].value == "订单号31179533409"
    assert "remarks" not in found([*ELECTRONIC, *heading], ToldSight([CODE]), tilt)[0]


@pytest.mark.parametrize("dust", ["_", "|", "☑"])
def test_dust_before_a_name_is_none_of_it(dust: str) -> None:
    fields, _ = found(altered("收款人:王伟", f"收款人:{dust}王伟"), ToldSight([CODE]))
    assert fields["payee"].value == "王伟"


def second(rows: list[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Give another invoice of the same form: other numbers, other parties."""
    others = {"65281307": "65281308", "西华大学": "东华大学", "02259 00286": "02259 00287"}
    changed = []
    for text, x, y in rows:
        for before, after in others.items():
            text = text.replace(before, after)
        changed.append((text, x, y))
    return changed


def test_each_of_two_invoices_in_a_document_has_its_own_fields() -> None:
    finder = Finder()
    for number, rows in ((1, ELECTRONIC), (2, second(ELECTRONIC))):
        finder.look(replace(page(rows), number=number), ToldSight([CODE]))  # type: ignore[arg-type]
    fields, verdict = finder.result()
    first, other = finder.forms
    assert (first.page, other.page) == (1, 2)
    assert fields == first.fields
    assert (first.value("invoice_number"), other.value("invoice_number")) == ("65281307", "65281308")
    assert first.verdict.decision == "accept"
    assert any("qr failed" in reason for reason in other.verdict.reasons)  # the code is the first one's
    assert verdict.decision == "review"
    assert verdict.reasons[-1].startswith("several_forms: 2 forms stand on page 1, 2")


@pytest.mark.parametrize(("right", "down"), [(0, 760), (1250, 0)], ids=["one above the other", "side by side"])
def test_two_invoices_on_one_page_are_told_apart(right: int, down: int) -> None:
    both = [*ELECTRONIC, *((text, x + right, y + down) for text, x, y in second(ELECTRONIC))]
    sheet = replace(page(both), width=1200 + right, height=800 + down)  # a title is as small as the text here
    other_code = CODE.replace("65281307", "65281308").replace("0225900286", "0225900287")
    finder = Finder()
    sight = ToldSight([(CODE, (60, 60)), (other_code, (60 + right, 60 + down))])
    finder.look(sheet, sight)  # type: ignore[arg-type]
    assert [form.verdict for form in finder.forms] == [Verdict("accept"), Verdict("accept")]
    for form, number, buyer in zip(finder.forms, ("65281307", "65281308"), ("西华大学", "东华大学"), strict=True):
        values = {field.name: field.value for field in form.fields if field.name != "items"}
        assert values == EXPECTED | {
            "invoice_number": number,
            "buyer_name": buyer,
            "check_code": "02259002865525349387" if number == "65281307" else "02259002875525349387",
        }


def test_a_second_title_without_a_form_of_its_own_makes_no_second_form() -> None:
    finder = Finder()
    finder.look(page([*ELECTRONIC, ("增值税专用发票", 400, 770)]), ToldSight([CODE]))  # type: ignore[arg-type]
    fields, verdict = finder.result()
    assert finder.forms == ()
    assert {field.name: field.value for field in fields if field.name != "items"} == EXPECTED
    assert "could not be told apart" in verdict.reasons[-1]


def test_a_further_page_without_title_or_another_number_is_the_same_invoice() -> None:
    finder = Finder()
    untitled = [row for row in ELECTRONIC if "发票" not in row[0]]
    for rows in (ELECTRONIC, untitled):
        finder.look(page(rows), ToldSight())  # type: ignore[arg-type]
    assert finder.forms == ()
    other = [row for row in second(ELECTRONIC) if "普通发票" not in row[0]]
    finder.look(page(other), ToldSight())  # type: ignore[arg-type]
    assert [form.value("invoice_number") for form in finder.forms] == ["65281307", "65281308"]


def test_pages_read_apart_are_joined_as_if_read_together() -> None:
    read = []
    for number, rows in ((1, ELECTRONIC), (2, second(ELECTRONIC))):
        finder = Finder()
        finder.look(replace(page(rows), number=number), ToldSight([CODE]))  # type: ignore[arg-type]
        fields, verdict = finder.result()
        read.append(Document.from_dict(Document((), "pdf", (), fields, verdict).to_dict()))
    whole = Document.join(read)
    assert [form.value("invoice_number") for form in whole.forms] == ["65281307", "65281308"]
    assert whole.fields == whole.forms[0].fields
    assert whole.verdict is not None
    assert whole.verdict.decision == "review"
    assert Document.from_dict(whole.to_dict()) == whole


def test_an_invoice_that_states_its_own_data() -> None:
    stated = {
        "invoice_type": "普通发票",
        "invoice_number": "24312000000336470023",
        "date": "2024-04-22",
        "seller_tax_id": "91511422MA62J75P9H",
        "amount": "100",
        "tax": "6",
        "total": "106.00",
        "total_in_words": "壹佰零陆圆整",
    }
    rows = [{"name": "*服务*咨询", "amount": "100.00", "tax_rate": "6%", "tax": "6.00"}]
    fields, verdict = Finder(stated=(stated, rows)).result()
    known = {field.name: field for field in fields}
    assert {field.source for field in fields if field.name != "items"} == {"xml"}
    assert (known["amount"].value, known["invoice_type"].value) == ("100.00", "电子发票(普通发票)")
    assert verdict == Verdict("accept")
    _, wrong = Finder(stated=({**stated, "total": "107.00"}, rows)).result()
    assert any("amount_plus_tax" in reason for reason in wrong.reasons)

"""Train tickets, taxi and machine-printed receipts, and forms nobody knows, from placed words."""

from dataclasses import replace

import pytest
from sheets import ToldSight, page

from shizi.document import Verdict
from shizi.fields import Finder

Row = tuple[str, float, float]


def found(rows: list[Row], sight: ToldSight | None = None) -> tuple[dict[str, str], Verdict]:
    finder = Finder()
    finder.look(page(rows), sight or ToldSight())  # type: ignore[arg-type]
    fields, verdict = finder.result()
    return {field.name: field.value for field in fields if not field.rows}, verdict


TRAIN = [
    ("016B038561", 60, 30),
    ("汉口站", 100, 80),
    ("K1068", 400, 80),
    ("新县站", 640, 80),
    ("Hankou", 120, 110),
    ("2019年08月04日11:20开", 60, 150),
    ("07车011号下铺", 600, 150),
    ("¥78.5元", 60, 190),
    ("新空调硬卧", 620, 190),
    ("限乘当日当次车", 60, 230),
    ("买票请到12306 发货请到95306", 100, 330),
    ("21050000160714B038561 武B售", 60, 400),
]


def test_a_train_ticket() -> None:
    values, verdict = found(TRAIN)
    assert values == {
        "invoice_type": "火车票",
        "ticket_number": "016B038561",
        "train_number": "K1068",
        "departure_station": "汉口",
        "arrival_station": "新县",
        "date": "2019-08-04",
        "time": "11:20",
        "seat": "07车011号下铺",
        "seat_class": "新空调硬卧",
        "total": "78.50",
        "serial_number": "21050000160714B038561",
    }
    assert verdict == Verdict("accept")


def test_one_line_with_both_stations() -> None:
    rows = [row for row in TRAIN if row[0] not in ("汉口站", "K1068", "新县站")]
    values, _ = found([*rows, ("驻马店西站D3085武汉站", 100, 80)])
    assert [values[name] for name in ("departure_station", "train_number", "arrival_station")] == [
        "驻马店西",
        "D3085",
        "武汉",
    ]


def test_numbers_of_a_ticket_that_disagree() -> None:
    _, verdict = found([("016B038562" if text == "016B038561" else text, x, y) for text, x, y in TRAIN])
    assert any("same_number" in reason for reason in verdict.reasons)


def test_a_taxi_receipt() -> None:
    values, verdict = found(
        [
            ("杭州出租汽车专用发票", 100, 20),
            ("发票代码 181107374940", 60, 60),
            ("发票号码 96912687", 60, 90),
            ("车号", 60, 140),
            ("沪AT0371", 200, 140),
            ("证号:", 60, 170),
            ("760445", 200, 170),
            ("日期 2023-12-08", 60, 200),
            ("上车 14:44", 60, 230),
            ("下车 15:53", 60, 260),
            ("单价 1.80元/公里", 60, 290),
            ("里程 33.2km", 60, 320),
            ("等候 00:10:54", 60, 350),
            ("金额 ￥69.76元", 60, 380),
        ]
    )
    assert values == {
        "invoice_type": "出租车发票",
        "invoice_code": "181107374940",
        "invoice_number": "96912687",
        "vehicle_number": "沪AT0371",
        "driver_number": "760445",
        "date": "2023-12-08",
        "board_time": "14:44",
        "alight_time": "15:53",
        "unit_price": "1.80",
        "distance": "33.2",
        "waiting_time": "00:10:54",
        "total": "69.76",
    }
    assert verdict == Verdict("accept")


def test_a_machine_printed_receipt() -> None:
    rows: list[Row] = [
        ("江苏通用机打发票", 100, 20),
        ("发票代码:181107374940", 60, 60),
        ("发票号码:96912687", 60, 90),
        ("开票日期:2022-01-22", 60, 120),
        ("收款单位:苏州市银河机械有限公司", 60, 150),
        ("项目", 60, 200),
        ("数量", 300, 200),
        ("单价", 400, 200),
        ("金额", 520, 200),
        ("住宿费", 60, 230),
        ("2", 330, 230),
        ("275.00", 400, 230),
        ("550.00", 520, 230),
        ("合计金额(小写):￥550.00", 60, 280),
        ("合计金额(大写):伍佰伍拾圆整", 60, 310),
    ]
    values, verdict = found(rows)
    assert (values["seller_name"], values["total"], values["date"]) == (
        "苏州市银河机械有限公司",
        "550.00",
        "2022-01-22",
    )
    assert verdict == Verdict("accept")
    _, wrong = found([("551.00" if text == "550.00" else text, x, y) for text, x, y in rows])
    assert {"rows_amount", "row_price"} <= {reason.split(": ")[1].split()[0] for reason in wrong.reasons}


def test_any_other_form_gives_its_pairs_and_no_more_than_a_review() -> None:
    values, verdict = found(
        [
            ("送货单", 300, 20),
            ("订单号:A-17  送货日期：2024-05-06", 60, 60),
            ("收货人:", 60, 90),
            ("王伟", 150, 90),
            ("11:20 没有标签", 60, 120),
            ("Order No: 77", 60, 150),
        ]
    )
    assert values == {"订单号": "A-17", "送货日期": "2024-05-06", "收货人": "王伟", "Order No": "77"}
    assert verdict.decision == "review"


def test_a_slip_whose_values_stand_below_their_labels() -> None:
    values, _ = found(
        [
            ("商户名称&编号(MERCHANT NAME&CODE)", 60, 100),
            ("某某书店", 60, 126),
            ("终端号(TERMINAL)", 60, 160),
            ("交易日期(DATE)", 460, 160),
            ("001", 70, 186),
            ("2024-05-06", 470, 186),
            ("卡号 (CARD NUMBER):", 60, 220),
            ("622200001", 80, 246),
            ("有效期(EXPIRY)", 460, 220),
        ]
    )
    assert values == {
        "商户名称&编号(MERCHANT NAME&CODE)": "某某书店",
        "终端号(TERMINAL)": "001",
        "交易日期(DATE)": "2024-05-06",
        "卡号 (CARD NUMBER)": "622200001",
    }


def test_a_receipt_with_amounts_at_the_ends_of_its_rows() -> None:
    values, verdict = found(
        [
            ("GREEN KITCHEN", 200, 20),
            ("DATE 12/30/2016 FRI TIME 19:19", 60, 60),
            ("PORK DUMPLIN T1", 60, 100),
            ("$8.99", 500, 100),
            ("4.00xITEMS", 200, 130),
            ("SUBTOTAL", 60, 160),
            ("$8.99", 500, 160),
            ("TAX1", 60, 190),
            ("$0.72", 500, 192),
            ("TOTAL", 60, 220),
            ("$9.71", 500, 220),
            ("$1.00", 500, 300),
        ]
    )
    assert values == {
        "PORK DUMPLIN T1": "$8.99",
        "SUBTOTAL": "$8.99",
        "TAX1": "$0.72",
        "TOTAL": "$9.71",
        "DATE": "12/30/2016",
        "TIME": "19:19",
    }
    assert verdict.decision == "review"


def test_an_empty_page_has_no_fields() -> None:
    values, verdict = found([])
    assert values == {}
    assert verdict.decision == "review"


def test_nothing_of_a_second_page_is_lost_in_silence() -> None:
    finder = Finder()
    for number in (1, 2):
        finder.look(replace(page(TRAIN), number=number), ToldSight())  # type: ignore[arg-type]
    assert [form.page for form in finder.forms] == [1, 2]
    assert finder.result()[1].reasons[-1].startswith("several_forms: 2 forms stand on page 1, 2;")
    finder = Finder()
    for number in (1, 2):
        finder.look(replace(page([("订单号:A-17", 60, 60)]), number=number), ToldSight())  # type: ignore[arg-type]
    assert [field.name for field in finder.result()[0]] == ["订单号", "订单号 (page 2)"]


def test_tickets_glued_on_one_sheet_keep_to_themselves() -> None:
    rows, places = [], [(0, 0), (1000, 30), (20, 520), (1000, 560)]
    for i, (right, down) in enumerate(places):
        changed = [(text.replace("038561", f"03856{i}").replace("K1068", f"K106{i}"), x, y) for text, x, y in TRAIN]
        rows += [(text, x + right, y + down) for text, x, y in changed]
    finder = Finder()
    finder.look(replace(page(rows), width=2000, height=1000), ToldSight())  # type: ignore[arg-type]
    told = [
        (form.value("ticket_number"), form.value("serial_number"), form.value("train_number")) for form in finder.forms
    ]
    assert sorted(told) == [(f"016B03856{i}", f"21050000160714B03856{i}", f"K106{i}") for i in range(4)]
    assert {form.value("departure_station") for form in finder.forms} == {"汉口"}


@pytest.mark.parametrize("read", ["¥78:5元", "¥140.9.5元", "78:9.5元"])
def test_a_fare_with_a_point_misread_or_too_many_is_not_taken_in_part(read: str) -> None:
    values, verdict = found([(read if text == "¥78.5元" else text, x, y) for text, x, y in TRAIN])
    assert "total" not in values
    assert "total was not found" in verdict.reasons

"""Normal forms and arithmetic of single values."""

from datetime import date
from decimal import Decimal

import pytest

from shizi.fields.values import (
    clock,
    day,
    from_capitals,
    is_citizen_number,
    is_older_tax_id,
    is_real_day,
    is_tax_id,
    money,
    number,
)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("伍拾贰圆柒角", "52.70"),
        ("柒拾玖元捌角", "79.80"),
        ("壹佰圆整", "100"),
        ("壹佰零伍圆零叁分", "105.03"),
        ("拾万圆整", "100000"),
        ("贰拾壹万叁仟壹佰玖拾贰圆捌角肆分", "213192.84"),
        ("壹亿零贰佰万圆正", "102000000"),
        ("零圆伍角", "0.50"),
        ("伍分", "0.05"),
        ("负叁圆整", "-3"),
        ("壹佰拾圆", "110"),
    ],
)
def test_capital_numerals(words: str, value: str) -> None:
    assert from_capitals(words) == Decimal(value)


@pytest.mark.parametrize("words", ["", "圆整圆", "壹贰圆", "佰圆", "壹拾佰圆", "西华大学", "伍拾贰", "壹圆贰"])
def test_what_is_no_amount_in_numerals(words: str) -> None:
    assert from_capitals(words) is None


@pytest.mark.parametrize(
    "code", ["91120222079642398Y", "91511422MA62J75P9H", "12510000450717578Y", "11010519491231002X"]
)
def test_ids_that_can_be_true(code: str) -> None:
    assert is_tax_id(code)


@pytest.mark.parametrize("code", ["91120222079642398X", "91511422MA62J75P9I", "1251000045071757", "", "西华大学"])
def test_ids_that_cannot(code: str) -> None:
    assert not is_tax_id(code)


def test_ids_without_a_check_character_are_no_credit_codes_with_one_lost() -> None:
    assert is_older_tax_id("510106197001011")
    assert not is_older_tax_id("91511422MA62J75P9")
    assert not is_tax_id("510106197001011")


def test_every_single_wrong_character_of_a_credit_code_is_noticed() -> None:
    code = "91511422MA62J75P9H"
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for i, own in enumerate(code):
        for other in alphabet:
            if other != own and not is_citizen_number(code[:i] + other + code[i + 1 :]):
                assert not is_tax_id(code[:i] + other + code[i + 1 :])


def test_numbers_as_printed() -> None:
    assert [money(text) for text in ("￥1,234.5", "¥52.70", "(小写)-3.00 元", "379400.48 .", "无")] == [
        "1234.50",
        "52.70",
        "-3.00",
        "379400.48",
        "",
    ]
    assert number("１２.50") == Decimal("12.50")
    assert number("12.5.0") is None


def test_dates_and_times() -> None:
    assert [day(text) for text in ("2019 05 08", "2019年2月3日", "2019年0 2月23日", "20190223", "12.50")] == [
        "2019-05-08",
        "2019-02-03",
        "2019-02-23",
        "2019-02-23",
        "",
    ]
    today = date(2024, 2, 28)
    assert [is_real_day(text, today) for text in ("2024-02-28", "2024-02-29", "2023-02-29", "0000-01-01")] == [
        True,
        False,
        False,
        False,
    ]
    assert (clock("9:05开"), clock("24:00")) == ("09:05", "")

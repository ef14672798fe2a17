"""How values, tables and curves are written."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cli import output
from order_cli.chart import area, sparkline
from order_domain.model.enums import Side
from order_service.plain import line, moment, number, plain

D = Decimal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (D("1.500"), "1.5"),
        (D("1E+5"), "100000"),
        (D("1E-9"), "0.000000001"),
        (D("-0.0"), "0"),
        (D("0"), "0"),
        (D("100"), "100"),
        (D("-2.10"), "-2.1"),
    ],
)
def test_a_decimal_has_no_exponent_and_no_idle_zeros(value: Decimal, text: str) -> None:
    assert number(value) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_a_written_decimal_is_the_same_number(value: Decimal) -> None:
    assert D(number(value)) == value


def test_a_time_has_z_and_always_six_places() -> None:
    assert moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000000Z"


def test_values_of_the_domain_become_json() -> None:
    value = {
        "side": Side.BUY,
        "price": D("1.0"),
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "age": timedelta(seconds=1.5),
        "ids": ("a", "b"),
        "flag": True,
        "count": 3,
        "none": None,
    }

    assert plain(value) == {
        "side": "Buy",
        "price": "1",
        "at": "2026-01-02T00:00:00.000000Z",
        "age": "1.5",
        "ids": ["a", "b"],
        "flag": True,
        "count": 3,
        "none": None,
    }
    assert json.loads(line({"a": plain(value)})) == {"a": plain(value)}


def test_what_has_no_agreed_text_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        plain(1.5)


def test_a_table_in_a_pipe_is_aligned_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table("Orders", ("status", ">orders"), [("FILLED", 12), ("DENIED", None)])

    assert capsys.readouterr().out == ("Orders\n  status  orders\n  FILLED      12\n  DENIED\n\n")


def test_fields_without_a_value_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_fields("Order", {"id": "x", "code": "", "ids": [], "fees": {"USDT": "1"}})

    assert capsys.readouterr().out == "Order\n  field  value\n  id     x\n  fees   USDT 1\n\n"


def test_a_sparkline_goes_from_the_lowest_to_the_highest_block() -> None:
    assert sparkline([D(1), D(4), D(8)]) == "▁▄█"
    assert sparkline([D(5), D(5)]) == "▁▁"
    assert sparkline([]) == ""


def test_an_area_stands_on_zero_and_fills_its_height() -> None:
    assert area([D(0), D(8), D(16)], 2) == ["  █", " ██"]
    assert area([], 2) == []


@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=1, max_size=20))
def test_every_row_of_a_picture_is_as_wide_as_its_values(values: list[Decimal]) -> None:
    assert {len(row) for row in area(values, 4)} == {len(values)}
    assert len(sparkline(values)) == len(values)

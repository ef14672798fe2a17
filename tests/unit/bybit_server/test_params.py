"""How fields, pages and windows of a request are read."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.bybit_server.failures import Refused
from order_adapters.bybit_server.rest.paging import page, window
from order_adapters.bybit_server.rest.params import Params

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def test_missing_null_and_empty_are_the_same() -> None:
    params = Params({"null": None, "empty": ""})

    for name in ("null", "empty", "missing"):
        assert (params.text(name, "x"), params.amount(name), params.whole(name, 7)) == (
            "x",
            None,
            7,
        )
        assert not params.flag(name)


def test_numbers_are_read_from_digits_and_from_numbers() -> None:
    params = Params({"a": "0.010", "b": 5, "c": "7", "d": -3})

    assert (params.amount("a"), params.amount("b")) == (Decimal("0.010"), Decimal(5))
    assert (params.whole("b"), params.whole("c"), params.whole("d")) == (5, 7, -3)
    assert params.text("b") == "5"


@pytest.mark.parametrize(
    "value", ["1e5", "NaN", " 1", "1.", ".5", "+1", "\u0663", 0.5, True, [], {}]
)
def test_an_amount_is_plain_digits(value: Any) -> None:
    with pytest.raises(Refused, match="10001"):
        Params({"qty": value}).amount("qty")


def test_flags_are_true_in_several_spellings() -> None:
    assert all(Params({"x": value}).flag("x") for value in (True, "true", "True", 1, "1"))
    assert not any(Params({"x": value}).flag("x") for value in (False, "false", 0, "no", [1]))


def test_a_query_is_decoded_once() -> None:
    params = Params.of_query(b"cursor=1%3A1%2C1%3A1&symbol=&coin=USDT,USDC&again=%253A")

    assert params.text("cursor") == "1:1,1:1"
    assert params.text("coin") == "USDT,USDC"
    assert params.text("again") == "%3A"


@given(st.binary(max_size=200))
def test_no_bytes_are_read_otherwise_than_as_fields_or_a_refusal(raw: bytes) -> None:
    Params.of_query(raw)
    with suppress(Refused):
        Params.of_body(raw)


@given(
    st.sets(st.integers(1, 10_000), max_size=60),
    st.integers(1, 60),
    st.sets(st.integers(10_001, 20_000), max_size=5),
)
def test_pages_show_every_row_once_newest_first_whatever_comes_meanwhile(
    numbers: set[int], limit: int, later: set[int]
) -> None:
    rows = sorted(numbers, reverse=True)
    seen: list[int] = []
    cursor = ""
    while True:
        found, cursor = page(
            ((number, number) for number in rows),
            Params({"limit": limit, "cursor": unquote(cursor)}),
            default=20,
            largest=50,
        )
        seen += found
        assert len(found) <= min(limit, 50)
        rows = sorted({*rows, *later}, reverse=True)
        if not cursor:
            break

    assert seen == sorted(numbers, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "-1:1", "\u0661:1", ":"])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(Refused, match="cursor"):
        page(iter(()), Params({"cursor": cursor}), default=20, largest=50)


def test_one_end_of_a_window_gives_the_other() -> None:
    week = timedelta(days=7)
    start = NOW - timedelta(days=30)
    stamp = str(int(start.timestamp()) * 1000)

    assert window(Params({"startTime": stamp}), NOW) == (start, start + week)
    assert window(Params({"endTime": stamp}), NOW) == (start - week, start)
    begin, end = window(Params({}), NOW)
    assert begin == NOW - week
    assert end > NOW

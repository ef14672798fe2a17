"""Sizing: amounts in quote or base units as quantities on the step."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_domain.model.signal import SignalIntent
from order_domain.notes import Note
from order_domain.policy.order_type import Notes
from order_domain.policy.sizing import floor_amount, size
from tests.builders import D, a_config, a_signal

STEP = D("0.001")


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("999.99", "0.019"), ("1000", "0.020"), ("1049.99", "0.020"), ("49.99", "0.000")],
)
def test_an_opening_amount_is_quote_units_rounded_down_to_the_step(
    amount: str, expected: str
) -> None:
    notes: Notes = []

    assert size(a_signal(amount=D(amount)), D(50000), STEP, a_config(), notes) == D(expected)
    assert notes == [(Note.AMOUNT, "quote", D(amount), True)]


def test_a_closing_amount_is_base_units() -> None:
    notes: Notes = []
    signal = a_signal(amount=D("0.4567"), intent=SignalIntent.CLOSE)

    assert size(signal, D(50000), STEP, a_config(), notes) == D("0.456")
    assert notes == [(Note.AMOUNT, "base", D("0.4567"), True)]


def test_a_closing_amount_is_quote_units_where_the_setting_says_so() -> None:
    notes: Notes = []
    signal = a_signal(amount=D(1000), intent=SignalIntent.CLOSE)
    config = a_config(close_amount_is_base=False)

    assert size(signal, D(50000), STEP, config, notes) == D("0.02")
    assert size(signal, D(0), STEP, config, notes) is None


def test_a_closing_amount_in_base_units_needs_no_price() -> None:
    signal = a_signal(amount=D("0.5"), intent=SignalIntent.CLOSE)

    assert size(signal, D(0), STEP, a_config(), []) == D("0.5")


def test_a_warm_up_signal_is_sized_by_its_factor() -> None:
    notes: Notes = []
    config = a_config(warmup_size_factor=D("0.1"))

    assert size(a_signal(is_warmup=True), D(50000), STEP, config, notes) == D("0.002")
    assert notes[0] == (Note.WARM_UP, D("0.1"), D(100), True)


def test_an_amount_beyond_exact_arithmetic_has_no_size() -> None:
    assert floor_amount(D("1e40"), D(50000), STEP) is None


@given(
    amount=st.decimals("0.01", "1e9", places=4),
    unit=st.decimals("0.0001", "1e6", places=4),
)
def test_the_size_is_the_most_that_is_not_more_than_the_amount(
    amount: Decimal, unit: Decimal
) -> None:
    quantity = floor_amount(amount, unit, STEP)

    assert quantity is not None
    assert quantity * unit <= amount < (quantity + STEP) * unit

"""Order type: when a signal becomes a market order, and what the trace says of it."""

from decimal import Decimal
from typing import Any

import pytest

from order_domain.model.enums import OrderType
from order_domain.notes import Note
from order_domain.policy.order_type import Notes, choose_order_type
from tests.builders import D, a_config, a_quote, a_signal

WIDE = {"bid": D(49000), "ask": D(51000)}
"""4 % of mid."""


def chosen(signal: Any, quote: Any, **settings: Any) -> tuple[OrderType, Notes]:
    notes: Notes = []
    return choose_order_type(signal, quote, a_config(**settings), notes), notes


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        ("0.899", OrderType.LIMIT),
        ("0.9", OrderType.MARKET),
        ("0.901", OrderType.MARKET),
    ],
)
def test_confidence_from_the_threshold_on_makes_a_market_order(
    confidence: str, expected: OrderType
) -> None:
    order_type, _ = chosen(a_signal(confidence=D(confidence)), a_quote(**WIDE))

    assert order_type is expected


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        ("3.999", OrderType.LIMIT),
        ("4", OrderType.LIMIT),
        ("4.001", OrderType.MARKET),
    ],
)
def test_a_spread_below_the_threshold_makes_a_market_order(
    threshold: str, expected: OrderType
) -> None:
    order_type, notes = chosen(
        a_signal(), a_quote(**WIDE), market_order_spread_threshold=D(threshold)
    )

    assert order_type is expected
    assert notes[0] == (Note.SPREAD, "live", D(4), True)


def test_an_urgent_signal_is_a_market_order_whatever_the_market() -> None:
    order_type, notes = chosen(a_signal(urgent=True), a_quote(**WIDE))

    assert order_type is OrderType.MARKET
    assert notes == [(Note.ORDER_TYPE, "urgency", OrderType.MARKET, True)]


def test_the_trace_names_what_decided() -> None:
    reasons = [
        chosen(a_signal(confidence=D(1)), a_quote())[1][-1][1],
        chosen(a_signal(), a_quote())[1][-1][1],
        chosen(a_signal(), a_quote(**WIDE))[1][-1][1],
        chosen(a_signal(), None)[1][-1][1],
    ]

    assert reasons == ["confidence", "spread", "resting", "no_quote"]


def test_the_signals_own_spread_counts_only_without_a_live_quote() -> None:
    signal = a_signal(snapshot_spread=D("0.01"))

    assert chosen(signal, a_quote(**WIDE))[0] is OrderType.LIMIT
    assert chosen(signal, None)[1] == [
        (Note.SPREAD, "signal_percent", D("0.01"), True),
        (Note.ORDER_TYPE, "spread", OrderType.MARKET, True),
    ]


def test_a_spread_told_as_a_price_difference_is_put_against_the_signals_price() -> None:
    signal = a_signal(snapshot_spread=D(5), snapshot_price=D(50000))

    _, notes = chosen(signal, None, snapshot_spread_is_percent=False)

    assert notes[0] == (Note.SPREAD, "signal_price", D("0.01"), True)


@pytest.mark.parametrize("price", [None, Decimal(0)])
def test_a_price_difference_without_a_price_says_nothing(price: Decimal | None) -> None:
    signal = a_signal(snapshot_spread=D(5), snapshot_price=price)

    _, notes = chosen(signal, None, snapshot_spread_is_percent=False)

    assert notes == [(Note.ORDER_TYPE, "no_quote", OrderType.MARKET, True)]

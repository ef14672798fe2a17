"""Limit price: passive side of mid, on the tick, never crossing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_domain.model.enums import Side
from order_domain.policy.limit_price import limit_price, touch_price
from tests.builders import D, a_config, a_quote, an_instrument


@pytest.mark.parametrize(
    ("side", "ratio", "expected"),
    [
        (Side.BUY, "0", "49995"),
        (Side.BUY, "0.5", "49990"),
        (Side.BUY, "1", "49985"),
        (Side.SELL, "0", "49995"),
        (Side.SELL, "0.5", "50000"),
        (Side.SELL, "1", "50005"),
    ],
)
def test_the_price_is_mid_less_or_plus_spread_times_ratio(
    side: Side, ratio: str, expected: str
) -> None:
    config = a_config(limit_order_price_offset_ratio=D(ratio))

    assert limit_price(side, a_quote(), an_instrument(), config) == D(expected)


@pytest.mark.parametrize(("side", "expected"), [(Side.BUY, "100.0"), (Side.SELL, "100.5")])
def test_prices_between_ticks_are_rounded_away_from_crossing(side: Side, expected: str) -> None:
    quote = a_quote(bid=D("99.9"), ask=D("100.6"))
    config = a_config(limit_order_price_offset_ratio=D("0.3"))

    price = limit_price(side, quote, an_instrument(), config)

    assert price == D(expected)


@pytest.mark.parametrize(("side", "expected"), [(Side.BUY, "99.9"), (Side.SELL, "100.1")])
def test_in_a_locked_market_the_price_stays_one_tick_short(side: Side, expected: str) -> None:
    quote = a_quote(bid=D(100), ask=D(100))

    assert limit_price(side, quote, an_instrument(), a_config()) == D(expected)
    assert touch_price(side, quote, an_instrument()) == D(expected)


@pytest.mark.parametrize(("side", "expected"), [(Side.BUY, "100.0"), (Side.SELL, "100.1")])
def test_a_touch_between_ticks_needs_no_further_tick(side: Side, expected: str) -> None:
    quote = a_quote(bid=D("100.05"), ask=D("100.05"))

    assert touch_price(side, quote, an_instrument()) == D(expected)


@pytest.mark.parametrize(("side", "expected"), [(Side.BUY, 49990), (Side.SELL, 50000)])
def test_the_touch_is_the_best_price_of_the_own_side(side: Side, expected: int) -> None:
    assert touch_price(side, a_quote(), an_instrument()) == expected


@given(
    bid=st.integers(1, 10**7),
    spread=st.integers(0, 10**5),
    places=st.integers(0, 3),
    tick=st.sampled_from(["0.1", "0.5", "0.01", "5"]),
    ratio=st.integers(0, 100),
    side=st.sampled_from(Side),
)
def test_a_limit_price_is_on_the_tick_and_never_crosses(
    bid: int, spread: int, places: int, tick: str, ratio: int, side: Side
) -> None:
    quote = a_quote(bid=Decimal(bid).scaleb(-places), ask=Decimal(bid + spread).scaleb(-places))
    instrument = an_instrument(tick_size=D(tick))
    config = a_config(limit_order_price_offset_ratio=Decimal(ratio) / 100)

    for price in (
        limit_price(side, quote, instrument, config),
        touch_price(side, quote, instrument),
    ):
        assert instrument.is_on_tick(price)
        assert price < quote.ask if side is Side.BUY else price > quote.bid

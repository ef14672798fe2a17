"""Trading rules: exact rounding to tick and step, and bounds that keep every product exact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_domain.errors import InvalidValue
from order_domain.model.enums import Category, OrderType, Side
from tests.builders import D, an_instrument

PRICES = st.decimals(min_value=D("0.00000001"), max_value=D(10_000_000), places=8)
QUANTITIES = st.decimals(min_value=D(0), max_value=D(1_000_000), places=8)
TICKS = st.sampled_from([D("0.1"), D("0.5"), D("0.00001"), D("0.25"), D(1), D("0.03")])


@pytest.mark.parametrize(
    ("asked", "rounded"),
    [("0.0019", "0.001"), ("0.001", "0.001"), ("0.0009999", "0"), ("1.2345", "1.234")],
)
def test_a_quantity_is_rounded_to_the_step_and_never_up(asked: str, rounded: str) -> None:
    assert an_instrument().floor_quantity(D(asked)) == D(rounded)


@pytest.mark.parametrize(
    ("side", "price", "rounded"),
    [
        (Side.BUY, "49990.19", "49990.1"),
        (Side.BUY, "49990.1", "49990.1"),
        (Side.SELL, "49990.11", "49990.2"),
        (Side.SELL, "49990.2", "49990.2"),
    ],
)
def test_a_price_is_rounded_away_from_crossing(side: Side, price: str, rounded: str) -> None:
    assert an_instrument().round_price_passive(D(price), side) == D(rounded)


@given(quantity=QUANTITIES, step=TICKS)
def test_a_rounded_quantity_is_on_the_step_and_less_than_a_step_away(
    quantity: Decimal, step: Decimal
) -> None:
    instrument = an_instrument(quantity_step=step, max_quantity=D(1_000_000), max_price=D(1000))

    rounded = instrument.floor_quantity(quantity)

    assert instrument.is_on_step(rounded)
    assert 0 <= quantity - rounded < step


@given(price=PRICES, tick=TICKS, side=st.sampled_from(Side))
def test_a_rounded_price_is_on_the_tick_and_less_than_a_tick_on_the_passive_side(
    price: Decimal, tick: Decimal, side: Side
) -> None:
    instrument = an_instrument(tick_size=tick)

    rounded = instrument.round_price_passive(price, side)

    gap = price - rounded if side is Side.BUY else rounded - price
    assert instrument.is_on_tick(rounded)
    assert 0 <= gap < tick


@pytest.mark.parametrize(("price", "on_tick"), [("50000.1", True), ("50000.15", False)])
def test_a_price_off_the_tick_is_told(price: str, on_tick: bool) -> None:
    assert an_instrument().is_on_tick(D(price)) is on_tick


@pytest.mark.parametrize(("quantity", "on_step"), [("0.002", True), ("0.0025", False)])
def test_a_quantity_off_the_step_is_told(quantity: str, on_step: bool) -> None:
    assert an_instrument().is_on_step(D(quantity)) is on_step


def test_a_linear_quantity_is_worth_price_times_quantity() -> None:
    assert an_instrument().notional(D(50000), D("0.02")) == D(1000)


def test_an_inverse_quantity_is_worth_base_units() -> None:
    inverse = an_instrument(category=Category.INVERSE, symbol="BTCUSD", quantity_step=D(1))

    assert inverse.notional(D(50000), D(100)) == D("0.002")


@pytest.mark.parametrize(
    ("category", "side", "coin"),
    [
        (Category.LINEAR, Side.BUY, "USDT"),
        (Category.LINEAR, Side.SELL, "USDT"),
        (Category.SPOT, Side.BUY, "USDT"),
        (Category.SPOT, Side.SELL, "BTC"),
    ],
)
def test_an_opening_order_spends_the_coin_it_gives_away(
    category: Category, side: Side, coin: str
) -> None:
    assert an_instrument(category=category).spent_coin(side) == coin


@pytest.mark.parametrize(("kind", "limit"), [(OrderType.MARKET, 50), (OrderType.LIMIT, 100)])
def test_market_and_limit_orders_have_limits_of_their_own(kind: OrderType, limit: int) -> None:
    assert an_instrument().max_order_quantity(kind) == limit


def test_the_id_joins_category_and_symbol() -> None:
    assert an_instrument(category=Category.SPOT).id == "spot:BTCUSDT"


@pytest.mark.parametrize(
    "name",
    [
        "tick_size",
        "quantity_step",
        "min_quantity",
        "max_quantity",
        "max_market_quantity",
        "max_price",
    ],
)
@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_a_rule_that_must_be_positive_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidValue) as error:
        an_instrument(**{name: D(value)})

    assert error.value.details["field"] == name


@pytest.mark.parametrize(
    "name", ["min_notional", "initial_margin_rate", "taker_fee_rate", "maker_fee_rate"]
)
@pytest.mark.parametrize("value", ["NaN", "-Infinity"])
def test_a_rate_that_is_no_number_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidValue) as error:
        an_instrument(**{name: D(value)})

    assert error.value.details["field"] == name


def test_rules_whose_products_would_be_rounded_are_refused() -> None:
    digits_of_price = {"max_price": D("9999999.9"), "tick_size": D("0.1")}  # 8 digits
    fits = an_instrument(
        **digits_of_price, max_quantity=D(10) ** 17, quantity_step=D(1), min_quantity=D(1)
    )
    assert fits.notional(D("9999999.9"), D(10) ** 17 - 1) == (D(10) ** 17 - 1) * D("9999999.9")

    with pytest.raises(InvalidValue) as error:
        an_instrument(**digits_of_price, max_quantity=D(10) ** 18, quantity_step=D(1))

    assert error.value.details["rule"] == "price and quantity within 26 digits"


def test_the_zeros_of_a_round_number_are_digits_too() -> None:
    with pytest.raises(InvalidValue):
        an_instrument(max_price=D(10) ** 20, tick_size=D("1E-10"))

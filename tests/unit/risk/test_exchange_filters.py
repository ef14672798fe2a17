"""Exchange filters: tick, step, minimum quantity, minimum value; and the rule table itself."""

from typing import Any

import pytest

from order_domain.codes import Code
from order_domain.context import Decision
from order_domain.decide import decide, decide_place
from order_domain.model.enums import Side
from order_domain.model.signal import SignalIntent
from order_domain.risk import GATES, LIMITS, RULES
from tests.builders import D, a_config, a_context, a_place_order, a_signal, an_instrument


def placed(**changes: Any) -> Decision:
    return decide_place(a_place_order(**changes), a_context(), a_config())


@pytest.mark.parametrize(
    ("price", "expected"),
    [("49990.1", Code.OK), ("49990.05", Code.PRICE_OFF_TICK), ("49990.11", Code.PRICE_OFF_TICK)],
)
def test_a_persons_price_off_the_tick_is_denied_and_never_rounded(
    price: str, expected: Code
) -> None:
    decision = placed(price=D(price))

    assert decision.code is expected
    assert decision.drafts[0].price == D(price)


def test_a_price_above_the_instruments_maximum_is_denied() -> None:
    context = a_context(instrument=an_instrument(max_price=D(49_990)))

    at = decide_place(a_place_order(price=D(49_990)), context, a_config())
    above = decide_place(a_place_order(price=D("49990.1")), context, a_config())

    assert (at.code, above.code) == (Code.OK, Code.PRICE_OFF_TICK)


@pytest.mark.parametrize(
    ("quantity", "expected"), [("0.02", Code.OK), ("0.0205", Code.QUANTITY_OFF_STEP)]
)
def test_a_persons_quantity_off_the_step_is_denied_and_never_rounded(
    quantity: str, expected: Code
) -> None:
    decision = placed(quantity=D(quantity))

    assert decision.code is expected
    assert decision.drafts[0].quantity == D(quantity)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("450", Code.QUANTITY_BELOW_MIN), ("500", Code.OK), ("550", Code.OK)],
)
def test_below_the_smallest_quantity_is_denied_and_never_lifted(
    amount: str, expected: Code
) -> None:
    context = a_context(instrument=an_instrument(min_quantity=D("0.01")))

    decision = decide(a_signal(amount=D(amount)), context, a_config())

    assert decision.code is expected
    assert decision.drafts[0].quantity <= D(amount) / 50_000


def test_the_smallest_quantity_binds_reductions() -> None:
    context = a_context(instrument=an_instrument(min_quantity=D("0.01")), position=D("0.1"))
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.009"))

    assert decide(signal, context, a_config()).code is Code.QUANTITY_BELOW_MIN


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [("999.9", Code.OK), ("1000", Code.OK), ("1000.1", Code.NOTIONAL_BELOW_MIN)],
)
def test_below_the_smallest_value_is_denied(minimum: str, expected: Code) -> None:
    context = a_context(instrument=an_instrument(min_notional=D(minimum)))

    assert decide(a_signal(amount=D(1000)), context, a_config()).code is expected


def test_the_smallest_value_does_not_bind_reductions() -> None:
    context = a_context(instrument=an_instrument(min_notional=D(1000)), position=D("0.1"))
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.001"))

    assert decide(signal, context, a_config()).code is Code.OK


def test_an_amount_below_one_step_is_denied_as_below_the_minimum() -> None:
    decision = decide(a_signal(amount=D(49)), a_context(), a_config())

    assert decision.code is Code.QUANTITY_BELOW_MIN
    assert decision.drafts[0].quantity == 0


# -- the table


def test_the_rules_are_asked_in_the_order_that_is_written_down() -> None:
    names = [rule.check.__module__.rpartition(".")[2] for rule in RULES]

    assert names == [
        "trading_state",
        "allowed_symbol",
        "allowed_strategy",
        "instrument_status",
        "signal_age",
        "out_of_order",
        "quote_age",
        "max_orders_per_signal",
        "duplicate_window",
        "reduction",
        "max_order_value",
        "max_order_quantity",
        "price_collar",
        "max_position",
        "max_exposure",
        "max_open_orders",
        "max_daily_loss",
        "available_balance",
        "price_filter",
        "quantity_step",
        "min_quantity",
        "min_notional",
    ]


def test_every_code_belongs_to_one_rule() -> None:
    codes = [code for rule in RULES for code in rule.codes]

    assert len(codes) == len(set(codes))


def test_a_decision_asks_every_rule_that_is_on() -> None:
    config = a_config(
        symbol_allow_list=frozenset({"BTCUSDT"}),
        strategy_allow_list=frozenset({"trend"}),
        supersede_out_of_order=True,
        duplicate_window=a_config().signal_max_age,
        max_daily_loss=D(100),
        market_order_spread_threshold=D(0),
    )
    signal = a_signal()
    context = a_context(newest_timestamp=signal.timestamp, position=D("-0.001"))

    trace = decide(signal, context, config).trace

    asked = [entry[0] for entry in trace]
    assert all(any(code in asked for code in rule.codes) for rule in (*GATES, *LIMITS))

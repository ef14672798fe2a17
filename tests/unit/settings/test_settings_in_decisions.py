"""A variable that is set changes what is decided, as its page says."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from order_domain.context import Context, Decision
from order_domain.decide import decide
from order_domain.model.enums import OrderType, Side, TimeInForce, Verdict
from order_domain.model.signal import SignalIntent, TradingSignal
from order_service.settings import Settings
from tests.builders import NOW, STRATEGY, D, a_context, a_quote, a_signal, an_order

WIDE = a_quote(bid=D(49900), ask=D(50000))
"""A spread of 0.2 %: limit orders by default."""


def decided(
    environment: Mapping[str, str],
    signal: TradingSignal | None = None,
    context: Context | None = None,
) -> Decision:
    settings = Settings.from_environment(
        {f"ORDERMANAGER_{name}": text for name, text in environment.items()}
    )
    config = settings.engine_config(account="dry:default", environment="dry")
    return decide(signal or a_signal(), context or a_context(quote=WIDE), config)


def quantities(decision: Decision) -> list[Decimal]:
    return [draft.quantity for draft in decision.drafts]


DENIALS: list[tuple[dict[str, str], dict[str, Any], dict[str, Any], str]] = [
    # settings that deny, the signal's changes, the context's changes, the code
    ({"SIGNAL_MAX_AGE": "60"}, {"timestamp": NOW - timedelta(seconds=61)}, {}, "SIGNAL_EXPIRED"),
    (
        {"SIGNAL_FUTURE_SKEW": "0"},
        {"timestamp": NOW + timedelta(seconds=1)},
        {},
        "SIGNAL_FROM_FUTURE",
    ),
    (
        {"QUOTE_MAX_AGE": "1"},
        {},
        {"quote": a_quote(bid=D(49900), at=NOW - timedelta(seconds=2))},
        "QUOTE_STALE",
    ),
    ({"SYMBOL_ALLOW_LIST": "ETHUSDT"}, {}, {}, "SYMBOL_NOT_ALLOWED"),
    ({"STRATEGY_ALLOW_LIST": "other"}, {}, {}, "STRATEGY_NOT_ALLOWED"),
    (
        {"MAX_POSITION_SIZE": "0.01", "ENABLE_ORDER_SIZE_REDUCTION": "false"},
        {},
        {},
        "MAX_POSITION",
    ),
    (
        {"MAX_POSITION_SIZE": "1,BTCUSDT=0.01", "ENABLE_ORDER_SIZE_REDUCTION": "false"},
        {},
        {},
        "MAX_POSITION",
    ),
    (
        {
            "MAX_EXPOSURE": "500",
            "MAX_ORDER_SIZE_RATIO": "1",
            "ENABLE_ORDER_SIZE_REDUCTION": "false",
        },
        {"amount": D(490)},
        {"exposure_elsewhere": D(100)},
        "MAX_EXPOSURE",
    ),
    ({"MAX_OPEN_ORDERS": "1"}, {}, {"orders": [an_order()]}, "MAX_OPEN_ORDERS"),
    ({"MAX_DAILY_LOSS": "100"}, {}, {"daily_loss": D(101)}, "MAX_DAILY_LOSS"),
    (
        {"DUPLICATE_WINDOW": "10"},
        {},
        {"like_decided_at": NOW - timedelta(seconds=5)},
        "DUPLICATE_WINDOW",
    ),
    (
        {"SUPERSEDE_OUT_OF_ORDER": "true"},
        {},
        {"newest_timestamp": NOW + timedelta(seconds=1)},
        "SUPERSEDED",
    ),
    (
        {"PRICE_COLLAR_PERCENT": "0.01"},
        {},
        {"quote": a_quote(bid=D(49900), mark=D(51000))},
        "PRICE_COLLAR",
    ),
]


@pytest.mark.parametrize(("environment", "signal", "context", "code"), DENIALS, ids=str)
def test_a_limit_denies_only_when_it_is_set(
    environment: dict[str, str], signal: dict[str, Any], context: dict[str, Any], code: str
) -> None:
    asked = a_signal(**signal)
    world = a_context(**({"quote": WIDE} | context))
    # Cancelling first would free the room that the limit is about.
    keep = {"CANCEL_OPPOSITE_ORDERS_ONLY": "true"}

    assert decided(keep, asked, world).verdict is Verdict.ORDERED
    assert decided(keep | environment, asked, world).code == code


def test_confidence_decides_the_order_type() -> None:
    signal = a_signal(confidence=D("0.8"))

    assert decided({}, signal).drafts[0].terms.order_type is OrderType.LIMIT
    lower = decided({"MARKET_ORDER_CONFIDENCE_THRESHOLD": "0.8"}, signal)
    assert lower.drafts[0].terms.order_type is OrderType.MARKET


def test_spread_decides_the_order_type() -> None:
    wider = decided({"MARKET_ORDER_SPREAD_THRESHOLD": "0.3"})

    assert decided({}).drafts[0].terms.order_type is OrderType.LIMIT
    assert wider.drafts[0].terms.order_type is OrderType.MARKET


@pytest.mark.parametrize(("ratio", "price"), [("0", "49950"), ("0.25", "49925"), ("0.5", "49900")])
def test_the_offset_decides_the_limit_price(ratio: str, price: str) -> None:
    decision = decided({"LIMIT_ORDER_PRICE_OFFSET_RATIO": ratio})

    assert decision.drafts[0].price == D(price)


def test_limit_orders_may_take() -> None:
    decision = decided({"LIMIT_TIME_IN_FORCE": "GTC"})

    assert decided({}).drafts[0].terms.time_in_force is TimeInForce.POST_ONLY
    assert decision.drafts[0].terms.time_in_force is TimeInForce.GTC


def test_a_large_order_is_resized_split_or_denied() -> None:
    signal = a_signal(amount=D(12000))
    limits = {"MAX_SINGLE_ORDER_SIZE": "4000", "MAX_ORDER_SIZE_RATIO": "1"}
    resized = decided(limits, signal)
    parts = decided(limits | {"ENABLE_ORDER_SPLITTING": "true"}, signal)
    denied = decided(limits | {"ENABLE_ORDER_SIZE_REDUCTION": "false"}, signal)

    assert len(quantities(resized)) == 1
    assert sum(quantities(parts)) > sum(quantities(resized))
    assert len(quantities(parts)) == 3
    assert denied.code == "ORDER_VALUE_ABOVE_MAX"


def test_one_child_is_at_most_a_part_of_the_exposure() -> None:
    smaller = decided({"MAX_ORDER_SIZE_RATIO": "0.01"})

    assert quantities(smaller) < quantities(decided({}))


def test_the_part_may_be_of_the_balance() -> None:
    context = a_context(quote=WIDE, available=D(5000))
    of_balance = decided({"ORDER_SIZE_RATIO_OF_BALANCE": "true"}, context=context)

    assert quantities(of_balance) < quantities(decided({}, context=context))


def test_an_order_of_ours_may_be_smaller_than_the_exchanges_largest() -> None:
    assert quantities(decided({"MAX_ORDER_QUANTITY": "0.005"})) == [D("0.005")]


def test_the_balance_need_not_be_checked() -> None:
    poor = a_context(quote=WIDE, available=D(1))

    assert decided({}, context=poor).code == "INSUFFICIENT_BALANCE"
    assert decided({"ENABLE_BALANCE_CHECK": "false"}, context=poor).verdict is Verdict.ORDERED


def test_warm_up_signals_are_smaller() -> None:
    signal = a_signal(is_warmup=True)
    half = decided({"WARMUP_SIZE_FACTOR": "0.5"}, signal)

    assert quantities(half)[0] <= quantities(decided({}, signal))[0] / 2


def test_market_orders_may_slip_only_so_far() -> None:
    signal = a_signal(urgent=True)
    decision = decided({"MARKET_SLIPPAGE": "0.002"}, signal)

    assert decided({}, signal).drafts[0].terms.slippage is None
    assert decision.drafts[0].terms.slippage == D("0.002")


def test_the_last_moment_of_a_claim_follows_the_timeout() -> None:
    decision = decided({"ORDER_EXECUTION_TIMEOUT": "7"})

    assert decision.drafts[0].terms.valid_until == NOW + timedelta(seconds=7)


@pytest.mark.parametrize(
    ("environment", "keeps"),
    [
        ({}, False),
        ({"CANCEL_OPPOSITE_ORDERS_ONLY": "true"}, True),
        ({"CANCEL_SAME_STRATEGY_ONLY": "true"}, True),
    ],
)
def test_a_new_signal_cancels_what_the_settings_say(
    environment: dict[str, str], keeps: bool
) -> None:
    of_another = an_order(side=Side.BUY, strategy_id="other")
    assert of_another.terms.strategy_id != STRATEGY
    context = a_context(quote=WIDE, orders=[of_another], buy_leaves=of_another.quantity)

    assert (decided(environment, context=context).cancels == ()) is keeps


def test_partially_filled_orders_are_cancelled_only_if_set() -> None:
    order = an_order(status="PARTIALLY_FILLED", cum_quantity=D("0.005"))
    context = a_context(quote=WIDE, orders=[order], buy_leaves=order.leaves_quantity)

    assert decided({}, context=context).cancels == ()
    cancels = decided({"CANCEL_PARTIALLY_FILLED": "true"}, context=context).cancels
    assert cancels == (order.client_order_id,)


def test_one_signal_makes_only_so_many_orders() -> None:
    signal = a_signal(amount=D(12000))
    split = {
        "MAX_SINGLE_ORDER_SIZE": "4000",
        "MAX_ORDER_SIZE_RATIO": "1",
        "ENABLE_ORDER_SPLITTING": "true",
    }

    assert len(decided(split, signal).drafts) == 3
    assert decided(split | {"MAX_ORDERS_PER_SIGNAL": "2"}, signal).code == "MAX_ORDERS_PER_SIGNAL"


def test_the_amount_of_a_close_is_base_or_quote_units() -> None:
    close = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.05"), urgent=True)
    context = a_context(quote=WIDE, position=D(1))

    assert quantities(decided({}, close, context)) == [D("0.05")]
    in_quote_units = decided({"CLOSE_AMOUNT_IS_BASE": "false"}, close, context)
    assert in_quote_units.code == "QUANTITY_BELOW_MIN"


def test_the_spread_of_a_signal_is_percent_or_quote_units() -> None:
    close = a_signal(
        side=Side.SELL,
        intent=SignalIntent.CLOSE,
        amount=D("0.5"),
        snapshot_spread=D(5),
        snapshot_price=D(50000),
    )
    context = a_context(quote=None, position=D(1))

    def why(decision: Decision) -> list[tuple[object, object]]:
        return [
            (name, what) for name, what, *_ in decision.trace if name in ("SPREAD", "ORDER_TYPE")
        ]

    percent = why(decided({}, close, context))
    price = why(decided({"SNAPSHOT_SPREAD_IS_PERCENT": "false"}, close, context))

    assert percent == [("SPREAD", "signal_percent"), ("ORDER_TYPE", "no_quote")]
    assert price == [("SPREAD", "signal_price"), ("ORDER_TYPE", "spread")]

"""Limits of the account: collar, position, exposure, open orders, daily loss, balance."""

from decimal import Decimal
from typing import Any

import pytest

from order_domain.codes import Code
from order_domain.context import Decision
from order_domain.decide import decide
from order_domain.model.enums import Category, OrderStatus, OrderType, Side
from order_domain.model.signal import SignalIntent
from order_domain.risk.available_balance import reservation
from tests.builders import (
    D,
    a_config,
    a_context,
    a_quote,
    a_signal,
    a_signal_id,
    an_instrument,
    an_order,
)

WIDE: dict[str, Any] = {
    "max_position_size": D(1000),
    "max_exposure": D(10_000_000),
    "max_order_size_ratio": D(1),
    "max_single_order_size": D(1_000_000),
}


def bought(amount: str, context: dict[str, Any] | None = None, **settings: Any) -> Decision:
    """Market buy at 50,000; mark is 49,995."""
    wallet = {"available": D(10_000_000)} | (context or {})
    return decide(a_signal(amount=D(amount)), a_context(**wallet), a_config(**WIDE | settings))


def sold(amount: str, context: dict[str, Any] | None = None, **settings: Any) -> Decision:
    """Market sell at 49,990."""
    wallet = {"available": D(10_000_000)} | (context or {})
    signal = a_signal(side=Side.SELL, amount=D(amount))
    return decide(signal, a_context(**wallet), a_config(**WIDE | settings))


def closed(context: dict[str, Any], **settings: Any) -> Decision:
    """Close 0.1 of a long 0.1."""
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.1"))
    facts = {"position": D("0.1")} | context
    return decide(signal, a_context(**facts), a_config(**WIDE | settings))


def quantity(decision: Decision) -> Decimal:
    return decision.drafts[0].quantity


def outcome(decision: Decision) -> tuple[Code, Decimal]:
    return decision.code, quantity(decision)


def entry(decision: Decision, code: Code) -> tuple[object, object, bool]:
    found = [entry[1:] for entry in decision.trace if entry[0] == code]
    return found[-1]


# -- price collar


@pytest.mark.parametrize(
    ("mark", "expected"),
    [("50000", Code.OK), ("47619.1", Code.OK), ("47619", Code.PRICE_COLLAR)],
)
def test_a_price_far_from_mark_is_denied(mark: str, expected: Code) -> None:
    assert bought("1000", {"quote": a_quote(mark=D(mark))}).code is expected


def test_exactly_the_collar_still_passes() -> None:
    context = {"quote": a_quote(bid=D("104.95"), ask=D(105), mark=D(100))}

    assert bought("1000", context).code is Code.OK
    assert bought("1000", context, price_collar_percent=D("4.99")).code is Code.PRICE_COLLAR


def test_the_collar_binds_limit_orders_and_reductions() -> None:
    context = {"quote": a_quote(mark=D(40_000))}

    resting = bought("1000", context, market_order_spread_threshold=D(0))

    assert resting.code is Code.PRICE_COLLAR
    assert resting.drafts[0].price == D(49990)
    assert closed(context).code is Code.PRICE_COLLAR


# -- position


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("0.031", "0.02"), ("0.03", "0.02"), ("0.029", "0.019")],
)
def test_position_orders_and_the_new_one_stay_within_the_limit(limit: str, expected: str) -> None:
    context = {"position": D("0.004"), "buy_leaves": D("0.006")}

    assert outcome(bought("1000", context, max_position_size=D(limit))) == (Code.OK, D(expected))


def test_a_short_position_is_limited_alike() -> None:
    context = {"position": D("-0.004"), "sell_leaves": D("0.006")}

    assert quantity(sold("1000", context, max_position_size=D("0.025"))) == D("0.015")


def test_a_full_position_denies_with_the_numbers() -> None:
    decision = bought("1000", {"position": D("0.03")}, max_position_size=D("0.03"))

    assert decision.code is Code.MAX_POSITION
    assert entry(decision, Code.MAX_POSITION) == (D("0.03"), D("0.05"), False)


def test_the_position_limit_denies_where_resizing_is_off() -> None:
    decision = bought("1000", max_position_size=D("0.01"), enable_order_size_reduction=False)

    assert decision.code is Code.MAX_POSITION


def test_a_limit_of_one_symbol_overrides_the_general_one() -> None:
    limits = {"BTCUSDT": D("0.01"), "ETHUSDT": D(5)}

    assert quantity(bought("1000", max_position_size_by_symbol=limits)) == D("0.01")


def test_what_a_limit_leaves_below_the_exchanges_minimum_is_denied_with_the_limits_code() -> None:
    instrument = an_instrument(min_quantity=D("0.01"))
    too_few = {"instrument": instrument, "position": D("0.991")}
    too_little = {"instrument": an_instrument(min_notional=D(500)), "position": D("0.991")}

    assert bought("1000", too_few, max_position_size=D(1)).code is Code.MAX_POSITION
    assert bought("1000", too_little, max_position_size=D(1)).code is Code.MAX_POSITION


def test_a_position_over_the_limit_may_still_be_reduced() -> None:
    decision = sold("1000", {"position": D(3)}, max_position_size=D(1))

    assert decision.code is Code.OK
    assert decision.drafts[0].terms.reduce_only


# -- exposure


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("10999.91", "0.02"), ("10999.90", "0.02"), ("10999.89", "0.019")],
)
def test_exposure_counts_everything_at_mark_prices(limit: str, expected: str) -> None:
    context = {"exposure_elsewhere": D(10_000)}

    assert quantity(bought("1000", context, max_exposure=D(limit))) == D(expected)


def test_exposure_counts_position_and_orders_of_this_side() -> None:
    context = {"position": D("0.01"), "buy_leaves": D("0.01")}

    decision = bought("1000", context)

    assert entry(decision, Code.MAX_EXPOSURE)[1] == D("0.04") * D(49_995)


def test_the_larger_side_counts() -> None:
    decision = bought("1000", {"sell_leaves": D("0.5")})

    assert entry(decision, Code.MAX_EXPOSURE)[1] == D("0.5") * D(49_995)


def test_replaced_orders_of_the_other_side_are_no_exposure_any_more() -> None:
    other = an_order(side=Side.SELL, price=D(50_000), quantity=D("0.5"), signal_id=a_signal_id(2))

    decision = bought("1000", {"orders": [other], "sell_leaves": D("0.5")})

    assert decision.cancels == (other.client_order_id,)
    assert entry(decision, Code.MAX_EXPOSURE)[1] == D("0.02") * D(49_995)


def test_while_the_other_side_alone_is_beyond_the_limit_nothing_is_opened() -> None:
    decision = bought("1000", {"sell_leaves": D("0.5")}, max_exposure=D(20_000))

    assert decision.code is Code.MAX_EXPOSURE


def test_a_missing_price_elsewhere_denies_opens_and_no_reductions() -> None:
    assert bought("1000", {"exposure_elsewhere": None}).code is Code.MAX_EXPOSURE
    assert closed({"exposure_elsewhere": None}).code is Code.OK


def test_a_full_account_may_still_reduce() -> None:
    assert closed({"exposure_elsewhere": D(60_000)}, max_exposure=D(50_000)).code is Code.OK


def test_a_rounded_quotient_never_lets_a_step_too_much_pass() -> None:
    # limit / mark is 3 less a third of the 28th digit, so it is rounded up to 3; but 3 x mark,
    # which 28 digits hold exactly, is beyond the limit.
    mark, limit = D("3.000000000000000000000000001"), D("9.000000000000000000000000002")
    context = {
        "quote": a_quote(bid=D(3), ask=D(3), mark=mark),
        "instrument": an_instrument(quantity_step=D(1), min_quantity=D(1), min_notional=D(0)),
    }
    assert limit / mark == 3

    # so that no other limit cuts it first
    decision = bought("15", context, max_exposure=limit, order_size_ratio_of_balance=True)

    assert 3 * mark > limit
    assert quantity(decision) == 2


def test_nor_does_it_where_what_is_cut_only_reduces() -> None:
    price, limit = D("3.000000000000000000000000001"), D("9.000000000000000000000000002")
    context = {
        "quote": a_quote(bid=price, ask=price, mark=price),
        "instrument": an_instrument(quantity_step=D(1), min_quantity=D(1), min_notional=D(0)),
        "position": D(5),
        "available": D(1000),
    }
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D(5))
    config = a_config(**WIDE | {"max_single_order_size": limit})

    assert limit / price == 3
    assert 3 * price > limit
    assert quantity(decide(signal, a_context(**context), config)) == 2


def test_what_a_limit_leaves_at_exactly_the_exchanges_least_is_an_order() -> None:
    fewest = {"instrument": an_instrument(min_quantity=D("0.01")), "position": D("0.99")}
    least = {"instrument": an_instrument(min_notional=D(500)), "position": D("0.99")}

    for context in (fewest, least):
        assert outcome(bought("1000", context, max_position_size=D(1))) == (Code.OK, D("0.01"))


# -- open orders


def orders(count: int) -> list[Any]:
    return [
        an_order(signal_id=a_signal_id(number + 10), cum_quantity=D("0.001"))
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, Code.OK), (2, Code.OK), (3, Code.MAX_OPEN_ORDERS)]
)
def test_at_most_so_many_orders_live_on_an_instrument(count: int, expected: Code) -> None:
    decision = bought("1000", {"orders": orders(count)}, max_open_orders=3)

    assert decision.code is expected


def test_orders_that_are_replaced_do_not_count() -> None:
    replaced = an_order(signal_id=a_signal_id(9))

    decision = bought("1000", {"orders": [*orders(2), replaced]}, max_open_orders=3)

    assert decision.code is Code.OK
    assert decision.cancels == (replaced.terms.client_order_id,)


def test_children_count_one_each() -> None:
    settings = {"max_single_order_size": D(500), "enable_order_splitting": True}

    assert bought("1000", max_open_orders=2, **settings).code is Code.OK
    assert bought("1000", max_open_orders=1, **settings).code is Code.MAX_OPEN_ORDERS


def test_a_market_reduction_does_not_rest_and_a_limit_reduction_does() -> None:
    context = {"orders": orders(3)}

    assert closed(context, max_open_orders=3).code is Code.OK
    resting = closed(context, max_open_orders=3, market_order_spread_threshold=D(0))
    assert resting.code is Code.MAX_OPEN_ORDERS


# -- daily loss


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("-50", Code.OK),
        ("99.99", Code.OK),
        ("100", Code.MAX_DAILY_LOSS),
        ("100.01", Code.MAX_DAILY_LOSS),
    ],
)
def test_a_loss_that_has_reached_its_limit_denies_opens(loss: str, expected: Code) -> None:
    context = {"daily_loss": D(loss)}

    assert bought("1000", context, max_daily_loss=D(100)).code is expected
    assert bought("1000", context).code is Code.OK
    assert closed(context, max_daily_loss=D(100)).code is Code.OK


def test_a_loss_that_cannot_be_valued_counts_as_reached() -> None:
    decision = bought("1000", {"daily_loss": None}, max_daily_loss=D(100))

    assert decision.code is Code.MAX_DAILY_LOSS


# -- available balance

NEEDED = D("100.55")
"""0.02 x 50,000 x (0.1 + 0.00055)."""


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        (NEEDED + D("0.01"), "0.02"),
        (NEEDED, "0.02"),
        (NEEDED - D("0.01"), "0.019"),
    ],
)
def test_margin_and_fee_must_be_available(available: Decimal, expected: str) -> None:
    assert quantity(bought("1000", {"available": available})) == D(expected)


@pytest.mark.parametrize("available", ["0", "-5", "4"])
def test_an_empty_balance_denies_with_the_numbers(available: str) -> None:
    decision = bought("1000", {"available": D(available)})

    assert decision.code is Code.INSUFFICIENT_BALANCE
    assert entry(decision, Code.INSUFFICIENT_BALANCE) == (D(available), NEEDED, False)


def test_an_unknown_balance_denies_opens_and_no_reductions() -> None:
    assert bought("1000", {"available": None}).code is Code.BALANCE_MISSING
    assert closed({"available": None}).code is Code.OK
    assert closed({"available": D(0)}).code is Code.OK


def test_the_balance_is_not_asked_where_the_check_is_off() -> None:
    assert bought("1000", {"available": None}, enable_balance_check=False).code is Code.OK


def test_of_a_flip_only_the_opening_part_needs_balance() -> None:
    context = {"position": D("-0.015"), "available": NEEDED / 4}

    decision = bought("1000", context)

    assert outcome(decision) == (Code.OK, D("0.02"))
    assert entry(decision, Code.INSUFFICIENT_BALANCE)[1] == NEEDED / 4


def test_a_flip_that_cannot_be_paid_is_cut_to_its_closing_part() -> None:
    context = {"position": D("-0.015"), "available": D(0)}

    decision = bought("1000", context)

    assert outcome(decision) == (Code.OK, D("0.015"))
    assert decision.drafts[0].terms.reduce_only


def test_what_replaced_orders_hold_counts_as_free() -> None:
    replaced = an_order(price=D(50_000), quantity=D("0.02"))
    context = {"orders": [replaced], "buy_leaves": D("0.02"), "available": D(0)}

    decision = bought("1000", context)

    held = D("0.02") * 50_000 * D("0.10055")
    assert held == NEEDED
    assert outcome(decision) == (Code.OK, D("0.02"))
    assert entry(decision, Code.INSUFFICIENT_BALANCE) == (0, 0, True)


def test_replaced_orders_of_the_other_side_or_reduce_only_free_nothing() -> None:
    other_side = an_order(side=Side.SELL, price=D(50_000))
    reducing = an_order(price=D(50_000), reduce_only=True)

    for order in (other_side, reducing):
        decision = bought("1000", {"orders": [order], "available": D(0)})
        assert decision.code is Code.INSUFFICIENT_BALANCE


@pytest.mark.parametrize(
    ("touch", "expected"),
    [
        ({"decision_ask": D(50_000), "decision_bid": D(49_990)}, Code.OK),
        ({}, Code.INSUFFICIENT_BALANCE),
    ],
)
def test_a_waiting_market_order_holds_the_touch_it_was_decided_at(
    touch: dict[str, Any], expected: Code
) -> None:
    replaced = an_order(order_type=OrderType.MARKET, status=OrderStatus.INTENT, **touch)

    decision = bought("1000", {"orders": [replaced], "available": D(0)})

    assert decision.code is expected
    assert quantity(decision) == D("0.02")


def test_a_waiting_market_sell_holds_the_bid_it_was_decided_at() -> None:
    replaced = an_order(
        side=Side.SELL,
        order_type=OrderType.MARKET,
        status=OrderStatus.INTENT,
        decision_bid=D(49_990),
    )

    decision = sold("1000", {"orders": [replaced], "available": D(0)})

    assert outcome(decision) == (Code.OK, D("0.02"))


@pytest.mark.parametrize("side", Side)
def test_a_contract_holds_margin_and_fee_on_either_side(side: Side) -> None:
    assert reservation(an_instrument(), side, D(50_000), D("0.02")) == NEEDED


SPOT = an_instrument(category=Category.SPOT, initial_margin_rate=D(1), taker_fee_rate=D("0.001"))


@pytest.mark.parametrize(("available", "expected"), [("1001", "0.02"), ("1000.99", "0.019")])
def test_a_spot_buy_spends_the_quote_coin_in_full(available: str, expected: str) -> None:
    context = {"instrument": SPOT, "available": D(available)}

    assert quantity(bought("1000", context)) == D(expected)


@pytest.mark.parametrize(("available", "expected"), [("0.02", "0.02"), ("0.0199", "0.019")])
def test_a_spot_sell_spends_the_base_coin(available: str, expected: str) -> None:
    context = {"instrument": SPOT, "available": D(available)}

    assert quantity(sold("1000", context)) == D(expected)


# -- inverse contracts: one contract is one quote unit

INVERSE = an_instrument(
    category=Category.INVERSE,
    symbol="BTCUSD",
    settle_coin="BTC",
    quantity_step=D(1),
    min_quantity=D(1),
    max_quantity=D(1_000_000),
    max_market_quantity=D(1_000_000),
)


def test_inverse_contracts_are_sized_valued_and_limited_in_quote_units() -> None:
    decision = bought("1000.7", {"instrument": INVERSE}, max_position_size=D(5000))

    assert quantity(decision) == 1000
    assert entry(decision, Code.ORDER_VALUE_ABOVE_MAX)[1] == 1000
    assert entry(decision, Code.MAX_EXPOSURE)[1] == 1000


def test_inverse_contracts_hold_margin_in_the_base_coin() -> None:
    context = {"instrument": INVERSE, "available": D("0.002011")}
    wide = {"max_position_size": D(5000)}

    assert quantity(bought("1000", context, **wide)) == 1000
    assert quantity(bought("1000", context | {"available": D("0.00201")}, **wide)) == 999

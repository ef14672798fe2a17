"""Limits of one order: number, likeness, value and quantity; splitting, resizing and denying."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from order_domain.codes import Code
from order_domain.context import Decision
from order_domain.decide import decide, decide_close, decide_place
from order_domain.model.enums import Origin, PositionSide, Side
from order_domain.model.signal import SignalIntent
from order_domain.notes import Note
from order_domain.risk.base import legs_needed
from tests.builders import (
    BTC,
    NOW,
    D,
    a_config,
    a_context,
    a_place_order,
    a_signal,
    an_instrument,
    seconds,
)

RICH: dict[str, Any] = {
    "max_position_size": D(1000),
    "max_exposure": D(10_000_000),
    "max_order_size_ratio": D(1),
    "max_single_order_size": D(1_000_000),
}
"""No limit of position, exposure or order value in the way."""


def bought(amount: str, context: dict[str, Any] | None = None, **settings: Any) -> Decision:
    """Market buy at 50,000 with plenty of money and no limits but those named."""
    wallet = {"available": D(10_000_000)} | (context or {})
    return decide(a_signal(amount=D(amount)), a_context(**wallet), a_config(**RICH | settings))


def quantities(decision: Decision) -> list[Decimal]:
    return [draft.quantity for draft in decision.drafts]


def resized(decision: Decision) -> list[tuple[object, object]]:
    return [(entry[1], entry[2]) for entry in decision.trace if entry[0] == Note.RESIZED]


# -- order value


@pytest.mark.parametrize(
    ("amount", "expected"), [("9950", "0.199"), ("10000", "0.2"), ("10050", "0.2")]
)
def test_over_the_value_of_one_order_is_resized_down_to_the_largest_step(
    amount: str, expected: str
) -> None:
    decision = bought(amount, max_single_order_size=D(10_000))

    assert decision.code is Code.OK
    assert quantities(decision) == [D(expected)]


def test_a_resize_is_in_the_trace_behind_the_limit_that_made_it() -> None:
    decision = bought("20000", max_single_order_size=D(10_049))

    at = decision.trace.index((Note.RESIZED, D("0.4"), D("0.2"), True))
    assert decision.trace[at - 1] == (Code.ORDER_VALUE_ABOVE_MAX, D(10_049), D(20_000), False)
    assert decision.drafts[0].terms.requested_quantity == D("0.4")


def test_over_the_value_of_one_order_is_denied_where_resizing_is_off() -> None:
    decision = bought("10050", max_single_order_size=D(10_000), enable_order_size_reduction=False)

    assert decision.code is Code.ORDER_VALUE_ABOVE_MAX
    assert quantities(decision) == [D("0.201")]


@pytest.mark.parametrize("amount", ["5000", "5050"])
def test_one_order_is_at_most_its_part_of_the_exposure_limit(amount: str) -> None:
    decision = bought(amount, max_exposure=D(50_000), max_order_size_ratio=D("0.1"))

    assert quantities(decision) == [D("0.1")]


def test_one_order_is_at_most_its_part_of_the_available_balance_by_setting() -> None:
    decision = bought(
        "5050",
        {"available": D(50_000)},
        order_size_ratio_of_balance=True,
        max_order_size_ratio=D("0.1"),
    )

    assert quantities(decision) == [D("0.1")]


def test_a_part_of_an_unknown_balance_is_nothing_for_opens() -> None:
    decision = bought("100", {"available": None}, order_size_ratio_of_balance=True)
    split = bought(
        "100", {"available": None}, order_size_ratio_of_balance=True, enable_order_splitting=True
    )

    assert decision.code is Code.ORDER_VALUE_ABOVE_MAX
    assert split.code is Code.ORDER_VALUE_ABOVE_MAX


@pytest.mark.parametrize("amount", ["0.01", "100", "5000"])
@pytest.mark.parametrize("available", ["0", "-1", "-50000"])
def test_a_part_of_a_balance_that_is_used_up_is_nothing_for_opens(
    amount: str, available: str
) -> None:
    context = {"available": D(available)}
    ratio = {"order_size_ratio_of_balance": True}
    decision = bought(amount, context, **ratio)
    split = bought(amount, context, enable_order_splitting=True, **ratio)

    assert decision.code in (Code.ORDER_VALUE_ABOVE_MAX, Code.QUANTITY_BELOW_MIN)
    assert split.code is decision.code
    assert [draft.terms.legs for draft in split.drafts] == [1]


def test_a_part_of_an_unknown_balance_does_not_stop_reductions() -> None:
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.1"))
    config = a_config(order_size_ratio_of_balance=True)

    decision = decide(signal, a_context(position=D("0.1"), available=None), config)

    assert (decision.code, quantities(decision)) == (Code.OK, [D("0.1")])


def test_a_close_that_nobody_can_value_is_split_by_quantity_alone() -> None:
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.1"))
    config = a_config(order_size_ratio_of_balance=True, enable_order_splitting=True)
    context = a_context(
        position=D("0.1"),
        available=D(0),
        quote=None,
        instrument=an_instrument(max_market_quantity=D("0.04")),
    )

    assert quantities(decide(signal, context, config)) == [D("0.034"), D("0.033"), D("0.033")]


def test_reductions_have_no_free_pass_on_order_value() -> None:
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.5"))

    decision = decide(signal, a_context(position=D("0.5")), a_config())

    assert quantities(decision) == [D("0.1")]  # 5,000 of 25,000 USDT


def test_a_persons_close_is_not_bound_by_our_own_sizes() -> None:
    config = a_config(max_single_order_size=D(100), max_order_quantity=D("0.01"))
    context = a_context(position=D("0.5"))

    decision = decide_close("r", Origin.MANUAL, (BTC, PositionSide.BOTH), D(1), context, config)

    assert quantities(decision) == [D("0.5")]


# -- order quantity


@pytest.mark.parametrize(("maximum", "expected"), [("0.41", "0.4"), ("0.4", "0.4"), ("0.3", "0.3")])
def test_the_exchanges_largest_market_order_binds_market_orders(
    maximum: str, expected: str
) -> None:
    instrument = an_instrument(max_market_quantity=D(maximum))

    assert quantities(bought("20000", {"instrument": instrument})) == [D(expected)]


def test_the_exchanges_largest_limit_order_binds_limit_orders() -> None:
    instrument = an_instrument(max_quantity=D("0.3"), max_market_quantity=D("0.2"))

    decision = bought("20000", {"instrument": instrument}, market_order_spread_threshold=D(0))

    assert quantities(decision) == [D("0.3")]


@pytest.mark.parametrize(("ours", "expected"), [("0.25", "0.25"), ("99", "0.4")])
def test_our_own_largest_order_binds_where_it_is_smaller(ours: str, expected: str) -> None:
    assert quantities(bought("20000", max_order_quantity=D(ours))) == [D(expected)]


def test_where_ours_is_larger_that_of_the_exchange_binds() -> None:
    instrument = an_instrument(max_market_quantity=D("0.2"))
    decision = bought("20000", {"instrument": instrument}, max_order_quantity=D("0.3"))

    assert quantities(decision) == [D("0.2")]


def test_over_the_largest_quantity_is_denied_where_resizing_is_off() -> None:
    decision = bought("20000", max_order_quantity=D("0.3"), enable_order_size_reduction=False)

    assert decision.code is Code.QUANTITY_ABOVE_MAX


# -- splitting


def test_with_splitting_on_the_value_of_one_order_limits_each_child() -> None:
    decision = bought("20050", max_single_order_size=D(10_000), enable_order_splitting=True)

    assert quantities(decision) == [D("0.134"), D("0.134"), D("0.133")]
    assert sum(quantities(decision)) == D("0.401")


def test_children_are_numbered_follow_each_other_and_share_their_parents_terms() -> None:
    decision = bought("20050", max_single_order_size=D(10_000), enable_order_splitting=True)
    first, second, third = (draft.terms for draft in decision.drafts)

    assert [terms.leg for terms in (first, second, third)] == [1, 2, 3]
    assert {terms.legs for terms in (first, second, third)} == {3}
    assert (first.follows, second.follows, third.follows) == (
        None,
        first.client_order_id,
        second.client_order_id,
    )
    assert len({terms.client_order_id for terms in (first, second, third)}) == 3
    assert len({terms.valid_until for terms in (first, second, third)}) == 1
    assert (Note.SPLIT, D("0.134"), 3, True) in decision.trace


def test_the_exchanges_largest_order_limits_each_child_too() -> None:
    instrument = an_instrument(max_market_quantity=D("0.15"))

    decision = bought("20000", {"instrument": instrument}, enable_order_splitting=True)

    assert quantities(decision) == [D("0.134"), D("0.133"), D("0.133")]


@pytest.mark.parametrize(
    ("quantity", "largest", "legs"),
    [("0", "5", 1), ("5", "5", 1), ("5.1", "5", 2), ("10", "5", 2), ("7", "0", 1)],
)
def test_the_fewest_children_of_at_most_a_size(quantity: str, largest: str, legs: int) -> None:
    assert legs_needed(D(quantity), D(largest)) == legs


def test_children_of_a_large_value_are_limited_by_it_as_those_of_a_small_one() -> None:
    decision = bought("300000", max_single_order_size=D(100_000), enable_order_splitting=True)

    assert quantities(decision) == [D(2), D(2), D(2)]


def test_two_children_are_told_of_too() -> None:
    decision = bought("20000", max_single_order_size=D(10_000), enable_order_splitting=True)

    assert (Note.SPLIT, D("0.2"), 2, True) in decision.trace


def test_what_fits_into_one_order_is_not_split() -> None:
    decision = bought("10000", max_single_order_size=D(10_000), enable_order_splitting=True)

    assert quantities(decision) == [D("0.2")]
    assert decision.drafts[0].terms.legs == 1
    assert Note.SPLIT not in [entry[0] for entry in decision.trace]


def test_children_below_the_exchanges_minimum_are_denied() -> None:
    instrument = an_instrument(min_quantity=D("0.005"))

    decision = bought(
        "1000",
        {"instrument": instrument},
        max_single_order_size=D(200),
        enable_order_splitting=True,
    )

    assert decision.code is Code.QUANTITY_BELOW_MIN
    assert len(decision.drafts) == 1


def test_children_below_the_exchanges_least_value_are_denied() -> None:
    instrument = an_instrument(min_notional=D(300))

    decision = bought(
        "1000",
        {"instrument": instrument},
        max_single_order_size=D(250),
        enable_order_splitting=True,
    )

    assert decision.code is Code.NOTIONAL_BELOW_MIN


def test_a_child_smaller_than_a_step_cannot_be() -> None:
    decision = bought("1000", max_single_order_size=D(40), enable_order_splitting=True)

    assert decision.code is Code.ORDER_VALUE_ABOVE_MAX


def test_a_parent_resized_by_another_limit_is_split_anew() -> None:
    decision = bought(
        "20000",
        max_single_order_size=D(10_000),
        max_position_size=D("0.3"),
        enable_order_splitting=True,
    )

    assert quantities(decision) == [D("0.15"), D("0.15")]


# -- orders per signal


@pytest.mark.parametrize(
    ("limit", "expected"), [(2, Code.MAX_ORDERS_PER_SIGNAL), (3, Code.OK), (4, Code.OK)]
)
def test_a_signal_makes_at_most_so_many_orders(limit: int, expected: Code) -> None:
    decision = bought(
        "20050",
        max_single_order_size=D(10_000),
        enable_order_splitting=True,
        max_orders_per_signal=limit,
    )

    assert decision.code is expected
    assert (Note.SPLIT in [entry[0] for entry in decision.trace]) is (expected is Code.OK)


def test_more_than_a_hundred_children_would_share_ids_with_re_quotes() -> None:
    settings: dict[str, Any] = {
        "max_single_order_size": D(50),
        "enable_order_splitting": True,
        "max_orders_per_signal": 500,
        "max_open_orders": 500,
    }

    assert bought("5000", **settings).code is Code.OK
    assert bought("5050", **settings).code is Code.MAX_ORDERS_PER_SIGNAL


def test_a_close_is_bound_by_the_number_of_orders_too() -> None:
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.5"))
    config = a_config(enable_order_splitting=True, max_orders_per_signal=4)

    decision = decide(signal, a_context(position=D("0.5")), config)

    assert decision.code is Code.MAX_ORDERS_PER_SIGNAL  # 25,000 USDT in orders of 5,000


# -- duplicate window


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (timedelta(seconds=9, microseconds=999_999), Code.DUPLICATE_WINDOW),
        (seconds(10), Code.OK),
        (seconds(11), Code.OK),
    ],
)
def test_a_like_order_within_the_window_is_a_duplicate(since: timedelta, expected: Code) -> None:
    context = {"like_decided_at": NOW - since}

    assert bought("1000", context, duplicate_window=seconds(10)).code is expected
    assert bought("1000", context).code is Code.OK


def test_the_first_of_its_kind_is_no_duplicate() -> None:
    decision = bought("1000", duplicate_window=seconds(10))

    assert (Code.DUPLICATE_WINDOW, seconds(10), None, True) in decision.trace


def test_reductions_pass_the_duplicate_window() -> None:
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.1"))
    context = a_context(position=D("0.1"), like_decided_at=NOW)

    assert decide(signal, context, a_config(duplicate_window=seconds(10))).code is Code.OK


# -- a person's order is never changed


def test_a_persons_order_over_a_limit_is_denied_as_typed() -> None:
    request = a_place_order(quantity=D("0.2"))  # 9,998 USDT, where one order may be 5,000

    decision = decide_place(request, a_context(), a_config(enable_order_splitting=True))

    assert decision.code is Code.ORDER_VALUE_ABOVE_MAX
    assert quantities(decision) == [D("0.2")]
    assert resized(decision) == []


def test_an_amount_beyond_arithmetic_is_denied_as_too_large() -> None:
    decision = bought("1e40")

    assert decision.code is Code.ORDER_VALUE_ABOVE_MAX
    assert decision.trace[-1] == (Code.ORDER_VALUE_ABOVE_MAX, D(1_000_000), D("1e40"), False)

"""Reductions and flips: what is sent reduce-only, how much, and what goes beyond."""

from decimal import Decimal
from typing import Any

import pytest

from order_domain.codes import Code
from order_domain.context import Decision
from order_domain.decide import decide
from order_domain.model.enums import Category, InstrumentStatus, Side
from order_domain.model.signal import SignalIntent
from order_domain.notes import Note
from tests.builders import (
    D,
    a_config,
    a_context,
    a_signal,
    a_signal_id,
    an_instrument,
    an_order,
)


def closed(amount: str, context: dict[str, Any], **settings: Any) -> Decision:
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D(amount))
    return decide(signal, a_context(**context), a_config(**settings))


def sold(amount: str, context: dict[str, Any], **settings: Any) -> Decision:
    return decide(
        a_signal(side=Side.SELL, amount=D(amount)), a_context(**context), a_config(**settings)
    )


def outcome(decision: Decision) -> tuple[Code, Decimal, bool]:
    draft = decision.drafts[0]
    return decision.code, draft.quantity, draft.terms.reduce_only


# -- close signals


@pytest.mark.parametrize(
    ("amount", "expected"), [("0.05", "0.05"), ("0.08", "0.08"), ("0.081", "0.08"), ("9", "0.08")]
)
def test_a_close_is_clamped_to_what_is_left_of_the_position(amount: str, expected: str) -> None:
    decision = closed(amount, {"position": D("0.1"), "sell_leaves": D("0.02")})

    assert outcome(decision) == (Code.OK, D(expected), True)


def test_a_clamped_close_says_from_what_to_what() -> None:
    decision = closed("9", {"position": D("0.1")})

    assert (Note.RESIZED, D(9), D("0.1"), True) in decision.trace
    assert decision.drafts[0].terms.requested_quantity == 9


def test_a_close_is_clamped_even_where_resizing_is_off() -> None:
    decision = closed("9", {"position": D("0.1")}, enable_order_size_reduction=False)

    assert outcome(decision) == (Code.OK, D("0.1"), True)


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"position": D("-0.1")},
        {"position": D("0.1"), "sell_leaves": D("0.1")},
        {"position": D("0.1"), "sell_leaves": D("0.2")},
    ],
    ids=["flat", "other side", "closing already", "over-closing"],
)
def test_nothing_to_close_is_denied(context: dict[str, Any]) -> None:
    decision = closed("0.1", context)

    assert decision.code is Code.NOTHING_TO_CLOSE
    assert decision.drafts[0].terms.reduce_only


@pytest.mark.parametrize("amount", ["1e9", "1e20", "1e35", "1e300"])
def test_a_close_beyond_all_arithmetic_closes_what_there_is(amount: str) -> None:
    assert closed(amount, {}).code is Code.NOTHING_TO_CLOSE
    assert outcome(closed(amount, {"position": D("0.1")})) == (Code.OK, D("0.1"), True)


def test_a_close_beyond_all_arithmetic_cannot_be_sized_without_a_quote() -> None:
    decision = closed("1e300", {"position": D("0.1"), "quote": None})

    assert decision.code is Code.QUOTE_MISSING
    assert decision.trace[-1] == (Code.QUOTE_MISSING, None, None, False)


@pytest.mark.parametrize(("position", "amount"), [("0.0004", "0.1"), ("0.1", "0.0004")])
def test_less_than_a_step_is_below_the_minimum_and_never_lifted(position: str, amount: str) -> None:
    assert closed(amount, {"position": D(position)}).code is Code.QUANTITY_BELOW_MIN


def test_a_close_of_a_short_buys() -> None:
    signal = a_signal(side=Side.BUY, intent=SignalIntent.CLOSE, amount=D("0.1"))

    decision = decide(signal, a_context(position=D("-0.1")), a_config())

    assert outcome(decision) == (Code.OK, D("0.1"), True)


def test_a_close_that_replaces_closing_orders_may_close_what_they_would_have() -> None:
    resting = an_order(side=Side.SELL, price=D(50_000), quantity=D("0.1"))
    context = {"position": D("0.1"), "sell_leaves": D("0.1"), "orders": [resting]}

    decision = closed("0.1", context)

    assert outcome(decision) == (Code.OK, D("0.1"), True)
    assert decision.drafts[0].terms.replaces == (resting.terms.client_order_id,)
    assert (Note.REPLACES, 1, D("0.1"), True) in decision.trace


# -- opening signals against a position


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("999.8", (Code.OK, D("0.02"), True)),
        ("1499.7", (Code.OK, D("0.03"), True)),
        ("1549.69", (Code.OK, D("0.031"), False)),
    ],
)
def test_what_only_reduces_is_sent_reduce_only_and_what_goes_beyond_is_one_flip(
    amount: str, expected: tuple[Code, Decimal, bool]
) -> None:
    assert outcome(sold(amount, {"position": D("0.03")})) == expected


def test_closing_orders_on_their_way_lessen_what_reduces() -> None:
    context = {"position": D("0.03"), "sell_leaves": D("0.02")}

    assert outcome(sold("999.8", context)) == (Code.OK, D("0.02"), False)
    assert outcome(sold("499.9", context)) == (Code.OK, D("0.01"), True)


def test_a_flip_that_is_not_allowed_is_cut_to_the_position_or_denied() -> None:
    context = {"position": D("0.03")}

    assert outcome(sold("5000", context, allow_flip=False)) == (Code.OK, D("0.03"), True)
    denied = sold("5000", context, allow_flip=False, enable_order_size_reduction=False)
    assert denied.code is Code.FLIP_NOT_ALLOWED


def test_a_flip_that_is_not_allowed_is_denied_while_all_is_being_closed() -> None:
    context = {"position": D("0.03"), "sell_leaves": D("0.03")}

    assert sold("1000", context, allow_flip=False).code is Code.FLIP_NOT_ALLOWED


def test_spot_cannot_flip() -> None:
    context = {"position": D("0.03"), "instrument": an_instrument(category=Category.SPOT)}

    assert outcome(sold("5000", context)) == (Code.OK, D("0.03"), True)


def test_the_part_beyond_the_position_obeys_the_position_limit() -> None:
    context = {"position": D("0.03")}

    decision = sold("5000", context, max_position_size=D("0.01"))

    assert outcome(decision) == (Code.OK, D("0.04"), False)


def test_a_flip_on_a_full_account_is_cut_to_its_closing_part() -> None:
    context = {"position": D("0.03"), "exposure_elsewhere": D(60_000)}

    decision = sold("5000", context)

    assert outcome(decision) == (Code.OK, D("0.03"), True)
    assert (Note.RESIZED, D("0.1"), D("0.03"), True) in decision.trace


def test_the_closing_part_of_a_flip_is_bound_by_no_rule_for_openings() -> None:
    context = {"position": D("0.03"), "exposure_elsewhere": D(60_000), "daily_loss": D(500)}

    decision = sold("5000", context, max_daily_loss=D(100))

    assert outcome(decision) == (Code.OK, D("0.03"), True)


def test_the_closing_part_of_a_flip_may_be_worth_less_than_an_opening_must_be() -> None:
    context = {
        "position": D("0.003"),
        "exposure_elsewhere": D(60_000),
        "instrument": an_instrument(min_notional=D(500)),
    }

    assert outcome(sold("5000", context)) == (Code.OK, D("0.003"), True)


def asked(decision: Decision, code: Code) -> int:
    return [entry[0] for entry in decision.trace].count(code)


def test_only_an_order_that_becomes_a_reduction_is_asked_about_again() -> None:
    flip = sold("5000", {"position": D("0.03"), "exposure_elsewhere": D(60_000)})
    shrunk = sold("5000", {"position": D(0)}, max_position_size=D("0.01"))
    close = closed("0.5", {"position": D("0.5")})

    assert asked(flip, Code.QUANTITY_ABOVE_MAX) == 2
    assert [asked(each, Code.QUANTITY_ABOVE_MAX) for each in (shrunk, close)] == [1, 1]
    assert all(asked(each, Code.MAX_ORDERS_PER_SIGNAL) == 1 for each in (shrunk, close))


@pytest.mark.parametrize("status", [InstrumentStatus.DELIVERING, InstrumentStatus.CLOSED])
def test_what_is_not_traded_now_is_only_reduced_however_much_is_asked_for(
    status: InstrumentStatus,
) -> None:
    context = {"position": D("0.03"), "instrument": an_instrument(status=status)}

    assert outcome(sold("5000", context)) == (Code.OK, D("0.03"), True)


def test_a_flip_on_a_full_account_is_denied_where_resizing_is_off() -> None:
    context = {"position": D("0.03"), "exposure_elsewhere": D(60_000)}

    decision = sold("5000", context, enable_order_size_reduction=False)

    assert decision.code is Code.MAX_EXPOSURE


# -- orders that are replaced


def test_of_old_and_new_only_the_larger_counts_against_the_position_limit() -> None:
    resting = an_order(side=Side.SELL, price=D(50_000), quantity=D("0.6"))
    context = {"sell_leaves": D("0.6"), "orders": [resting]}
    settings: dict[str, Any] = {"max_order_size_ratio": D(1), "max_single_order_size": D(50_000)}

    decision = sold("39992", context, max_position_size=D(1), **settings)

    assert outcome(decision) == (Code.OK, D("0.8"), False)


def test_waiting_orders_count_only_beyond_what_they_wait_for() -> None:
    first = an_order(side=Side.SELL, price=D(50_000), quantity=D("0.3"))
    second = an_order(
        side=Side.SELL,
        price=D(50_000),
        quantity=D("0.4"),
        signal_id=a_signal_id(2),
        replaces=(first.terms.client_order_id, an_order(leg=9).terms.client_order_id),
    )
    stays = an_order(
        side=Side.SELL, quantity=D("0.6"), cum_quantity=D("0.1"), signal_id=a_signal_id(3)
    )
    # 0.3, 0.1 of the second beyond the first, and 0.5
    context = {"sell_leaves": D("0.9"), "orders": [first, second, stays]}
    settings: dict[str, Any] = {"max_order_size_ratio": D(1), "max_single_order_size": D(50_000)}

    decision = sold("30000", context, max_position_size=D(1), **settings)

    assert outcome(decision) == (Code.OK, D("0.5"), False)
    assert len(decision.cancels) == 2

"""A person's decisions: orders as typed, and closing."""

from decimal import Decimal
from typing import Any

import pytest

from order_domain.codes import Code
from order_domain.context import Decision
from order_domain.decide import decide_close, decide_place
from order_domain.decide.person import is_sound
from order_domain.model.enums import (
    OrderType,
    Origin,
    PositionSide,
    Side,
    TimeInForce,
    Verdict,
)
from order_domain.model.identifiers import client_order_id, is_ours
from tests.builders import (
    BTC,
    NOW,
    D,
    a_config,
    a_context,
    a_place_order,
    a_signal_id,
    an_instrument,
    an_order,
    seconds,
)

MARKET = {"order_type": OrderType.MARKET, "price": None}


def placed(context: dict[str, Any] | None = None, **changes: Any) -> Decision:
    return decide_place(a_place_order(**changes), a_context(**context or {}), a_config())


def closed(part: str = "1", context: dict[str, Any] | None = None, **settings: Any) -> Decision:
    facts = {"position": D("0.1")} | (context or {})
    return decide_close(
        "request-1",
        Origin.FLATTEN,
        (BTC, PositionSide.BOTH),
        D(part),
        a_context(**facts),
        a_config(**settings),
    )


def quantities(decision: Decision) -> list[Decimal]:
    return [draft.quantity for draft in decision.drafts]


# -- placing


def test_a_persons_order_is_placed_as_typed() -> None:
    decision = placed(take_profit=D(60_000), stop_loss=D(40_000))

    (draft,) = decision.drafts
    terms = draft.terms
    assert decision.verdict is Verdict.ORDERED
    assert (draft.price, draft.quantity) == (D(49_990), D("0.02"))
    assert (terms.origin, terms.strategy_id) == (Origin.MANUAL, "MANUAL")
    assert terms.time_in_force is TimeInForce.GTC
    assert terms.valid_until == NOW + seconds(30)
    assert (terms.decision_bid, terms.decision_ask, terms.decision_quote_at) == (
        D(49_990),
        D(50_000),
        NOW,
    )
    assert (terms.take_profit, terms.stop_loss) == (D(60_000), D(40_000))
    assert decision.cancels == ()


def test_the_request_id_makes_the_signal_id_and_the_order_id() -> None:
    first, again, other = (
        placed(request_id=request_id).drafts[0].terms for request_id in ("a", "a", "b")
    )

    assert first.signal_id == again.signal_id != other.signal_id
    assert first.client_order_id == client_order_id(
        "dry", "dry:default", "MANUAL", first.signal_id, 1, 0
    )
    assert is_ours(other.client_order_id)


def test_a_persons_order_cancels_nothing() -> None:
    order = an_order(signal_id=a_signal_id(2))

    assert placed({"orders": [order], "buy_leaves": D("0.02")}).cancels == ()


@pytest.mark.parametrize("asked", [TimeInForce.POST_ONLY, TimeInForce.IOC, TimeInForce.FOK])
def test_a_limit_order_has_the_time_in_force_that_was_asked_for(asked: TimeInForce) -> None:
    assert placed(time_in_force=asked).drafts[0].terms.time_in_force is asked


def test_a_market_order_needs_no_price_and_is_immediate() -> None:
    (draft,) = placed(**MARKET).drafts

    assert (draft.price, draft.terms.time_in_force) == (None, TimeInForce.IOC)


def test_only_a_market_order_may_slip() -> None:
    config = a_config(market_slippage=D("0.01"))
    decisions = [decide_place(a_place_order(**kind), a_context(), config) for kind in (MARKET, {})]

    assert [each.drafts[0].terms.slippage for each in decisions] == [D("0.01"), None]


@pytest.mark.parametrize(
    "changes",
    [
        {"price": None},
        {"order_type": OrderType.MARKET},
        {"quantity": D(0)},
        {"quantity": D(-1)},
        {"quantity": D("NaN")},
        {"quantity": D("Infinity")},
        {"quantity": D("1e16")},
        {"price": D(0)},
        {"price": D("1e999999")},
        {"take_profit": D(-1)},
        {"stop_loss": D("NaN")},
        MARKET | {"time_in_force": TimeInForce.GTC},
        {"position_side": PositionSide.LONG},
    ],
)
def test_what_makes_no_sense_is_denied_before_any_rule(changes: dict[str, Any]) -> None:
    decision = placed(**changes)

    assert decision.code is Code.VALUE_INVALID
    assert (decision.trace[0][0], decision.trace[0][3]) == (Code.VALUE_INVALID, False)
    assert quantities(decision) == [0]


def test_the_row_of_what_makes_no_sense_says_what_was_asked_as_far_as_it_can() -> None:
    decision = placed(**MARKET, time_in_force=TimeInForce.GTC, side=Side.SELL, reduce_only=True)

    terms = decision.drafts[0].terms
    assert decision.code is Code.VALUE_INVALID
    assert (terms.time_in_force, terms.reduce_only) == (TimeInForce.IOC, True)


@pytest.mark.parametrize(("number", "sound"), [("9e15", True), ("1e15", True), ("1e16", False)])
def test_a_number_of_sixteen_digits_is_the_largest_a_person_can_mean(
    number: str, sound: bool
) -> None:
    assert is_sound(D(number)) is sound


@pytest.mark.parametrize(
    ("quantity", "expected"), [("0.1", Code.OK), ("0.101", Code.NOTHING_TO_CLOSE)]
)
def test_a_reduce_only_order_beyond_the_position_is_denied_and_not_clamped(
    quantity: str, expected: Code
) -> None:
    decision = placed(
        {"position": D("0.1")},
        side=Side.SELL,
        price=D(49_990),
        quantity=D(quantity),
        reduce_only=True,
    )

    assert decision.code is expected
    assert quantities(decision) == [D(quantity)]


def test_an_order_that_only_reduces_is_sent_reduce_only_even_if_not_asked() -> None:
    context = {"position": D("0.1"), "available": None}

    decision = placed(context, side=Side.SELL, price=D(50_000))

    assert decision.code is Code.OK
    assert decision.drafts[0].terms.reduce_only


def test_a_limit_reduction_without_a_market_price_cannot_be_judged() -> None:
    context = {"position": D("0.1"), "quote": None}

    decision = placed(context, side=Side.SELL, price=D(50_000), reduce_only=True)

    assert decision.code is Code.PRICE_COLLAR


def test_in_hedge_mode_a_sell_of_the_long_position_can_only_close() -> None:
    request = a_place_order(
        side=Side.SELL, price=D(50_000), quantity=D("0.2"), position_side=PositionSide.LONG
    )
    config = a_config(hedge_mode=True, max_order_size_ratio=D(1))

    more = decide_place(request, a_context(position=D("0.1")), config)
    enough = decide_place(request, a_context(position=D("0.2")), config)

    assert more.code is Code.NOTHING_TO_CLOSE
    assert enough.drafts[0].terms.reduce_only
    assert enough.drafts[0].terms.position_side is PositionSide.LONG


# -- closing


def test_a_close_takes_the_whole_position_at_market_reduce_only() -> None:
    decision = closed()

    (draft,) = decision.drafts
    terms = draft.terms
    assert (terms.side, draft.quantity, draft.price) == (Side.SELL, D("0.1"), None)
    assert (terms.order_type, terms.reduce_only) == (OrderType.MARKET, True)
    assert (terms.origin, terms.strategy_id) == (Origin.FLATTEN, "MANUAL")


def test_a_short_is_closed_by_buying() -> None:
    (draft,) = closed(context={"position": D("-0.1")}).drafts

    assert (draft.terms.side, draft.quantity) == (Side.BUY, D("0.1"))


@pytest.mark.parametrize(("part", "expected"), [("0.5", "0.05"), ("0.333", "0.033"), ("1", "0.1")])
def test_a_part_is_rounded_down_to_the_step(part: str, expected: str) -> None:
    assert quantities(closed(part)) == [D(expected)]


def test_closing_orders_on_their_way_are_left_to_do_their_part() -> None:
    assert quantities(closed(context={"sell_leaves": D("0.04")})) == [D("0.06")]


def test_a_close_is_cut_by_the_exchanges_largest_market_order_alone() -> None:
    instrument = an_instrument(max_market_quantity=D("0.04"))

    decision = closed(context={"instrument": instrument}, max_single_order_size=D(1))

    assert quantities(decision) == [D("0.034"), D("0.033"), D("0.033")]
    assert [draft.terms.leg for draft in decision.drafts] == [1, 2, 3]


@pytest.mark.parametrize(
    ("position_side", "side"),
    [
        (PositionSide.BOTH, Side.SELL),
        (PositionSide.LONG, Side.SELL),
        (PositionSide.SHORT, Side.BUY),
    ],
)
def test_a_flat_position_leaves_nothing_to_close(position_side: PositionSide, side: Side) -> None:
    decision = decide_close(
        "r", Origin.MANUAL, (BTC, position_side), D(1), a_context(), a_config(hedge_mode=True)
    )

    assert decision.code is Code.NOTHING_TO_CLOSE
    assert decision.drafts[0].terms.side is side


def test_a_close_of_an_unknown_instrument_is_denied_with_a_row() -> None:
    decision = closed(context={"instrument": None})

    assert decision.code is Code.UNKNOWN_INSTRUMENT
    assert decision.drafts[0].terms.instrument_id == BTC

"""Orders decided before: rechecked at their claim, re-quoted when post-only would have taken."""

from typing import Any

import attrs
import pytest

from order_domain.book import Book
from order_domain.codes import Code
from order_domain.context import Decision
from order_domain.decide import recheck, requote
from order_domain.exposure import reserved
from order_domain.model.enums import (
    EndedBy,
    InstrumentStatus,
    OrderStatus,
    OrderType,
    Origin,
    Side,
    TimeInForce,
    Trading,
    Verdict,
)
from order_domain.model.order import Order
from order_domain.notes import Note
from order_domain.risk.available_balance import reservation
from tests.builders import (
    NOW,
    D,
    a_config,
    a_context,
    a_quote,
    a_signal_id,
    an_instrument,
    an_order,
    an_order_id,
    seconds,
)

WAITING = an_order(status=OrderStatus.INTENT)
"""Buys 0.020 at 49,990."""


def counted(order: Order, **changes: Any) -> Any:
    """A context that counts the order among the others, as the engine's does."""
    side = "buy_leaves" if order.terms.side is Side.BUY else "sell_leaves"
    return a_context(**{"orders": [order], side: order.leaves_quantity} | changes)


# -- recheck


def test_what_still_passes_keeps_its_quantity() -> None:
    assessment = recheck(WAITING, counted(WAITING), a_config())

    assert (assessment.code, assessment.quantity) == (Code.OK, D("0.02"))
    assert assessment.trace


def test_an_order_is_not_counted_twice() -> None:
    held = D("0.02") * 49_990 * D("0.10055")
    config = a_config(max_position_size=D("0.02"), max_open_orders=1)

    assert recheck(WAITING, counted(WAITING, available=D(0)), config).quantity == D("0.02")
    half = recheck(WAITING, counted(WAITING, available=-held / 2), config)
    assert half.quantity == D("0.01")


def test_an_order_that_the_context_does_not_count_is_checked_as_it_is() -> None:
    assessment = recheck(WAITING, a_context(), a_config(max_position_size=D("0.02")))

    assert assessment.quantity == D("0.02")


def test_the_quantity_shrinks_to_what_the_limits_leave_now() -> None:
    context = counted(WAITING, position=D("0.99"))

    assert recheck(WAITING, context, a_config()).quantity == D("0.01")


def test_the_price_stays_and_is_judged_by_the_quote_of_now() -> None:
    far = counted(WAITING, quote=a_quote(bid=D(60_000), ask=D(60_010)))

    assessment = recheck(WAITING, far, a_config())

    assert (assessment.code, assessment.quantity) == (Code.PRICE_COLLAR, 0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trading": Trading.REDUCE_ONLY}, Code.TRADING_STATE),
        ({"trading": Trading.HALTED}, Code.TRADING_STATE),
        ({"quote": None}, Code.QUOTE_MISSING),
        ({"quote": a_quote(at=NOW - seconds(6))}, Code.QUOTE_STALE),
        ({"instrument": None}, Code.UNKNOWN_INSTRUMENT),
        ({"available": None}, Code.BALANCE_MISSING),
        ({"exposure_elsewhere": D(60_000)}, Code.MAX_EXPOSURE),
    ],
)
def test_trading_state_and_risk_are_asked_again(changes: dict[str, Any], expected: Code) -> None:
    assessment = recheck(WAITING, counted(WAITING, **changes), a_config())

    assert (assessment.code, assessment.quantity) == (expected, 0)


def test_rules_about_the_signal_are_not_asked_again() -> None:
    config = a_config(duplicate_window=seconds(60), supersede_out_of_order=True)
    context = counted(
        WAITING, like_decided_at=NOW, newest_timestamp=NOW + seconds(1), now=NOW + seconds(4)
    )

    assert recheck(WAITING, context, config).code is Code.OK


def test_an_order_that_was_not_sent_reduce_only_gets_no_free_pass_now() -> None:
    sell = an_order(side=Side.SELL, price=D(50_000), status=OrderStatus.INTENT)

    restricted = counted(sell, position=D("0.1"), trading=Trading.REDUCE_ONLY)
    full = [
        counted(sell, position=D(position), exposure_elsewhere=D(60_000))
        for position in ("0.01", "0.1")
    ]

    assert recheck(sell, restricted, a_config()).code is Code.TRADING_STATE
    assert [recheck(sell, each, a_config()).code for each in full] == [Code.MAX_EXPOSURE] * 2


@pytest.mark.parametrize(
    ("reduce_only", "expected"), [(True, Code.OK), (False, Code.INSTRUMENT_NOT_TRADING)]
)
def test_once_an_instrument_is_not_traded_only_what_is_sent_reduce_only_may_go(
    reduce_only: bool, expected: Code
) -> None:
    sell = an_order(
        side=Side.SELL, price=D(50_000), status=OrderStatus.INTENT, reduce_only=reduce_only
    )
    instrument = an_instrument(status=InstrumentStatus.DELIVERING)
    context = counted(sell, position=D("0.1"), instrument=instrument)

    assert recheck(sell, context, a_config()).code is expected


def test_a_reduction_shrinks_to_what_is_still_closable() -> None:
    sell = an_order(side=Side.SELL, price=D(50_000), status=OrderStatus.INTENT, reduce_only=True)

    assert recheck(sell, counted(sell, position=D("0.005")), a_config()).quantity == D("0.005")
    assert recheck(sell, counted(sell), a_config()).code is Code.NOTHING_TO_CLOSE


def test_a_persons_order_is_not_shrunk() -> None:
    manual = an_order(status=OrderStatus.INTENT, origin=Origin.MANUAL)

    assessment = recheck(manual, counted(manual, position=D("0.99")), a_config())

    assert assessment.code is Code.MAX_POSITION


def test_a_persons_close_passes_halted_and_our_sizes() -> None:
    close = an_order(
        side=Side.SELL,
        order_type=OrderType.MARKET,
        status=OrderStatus.INTENT,
        origin=Origin.FLATTEN,
        reduce_only=True,
        quantity=D("0.5"),
    )
    context = counted(close, position=D("0.5"), trading=Trading.HALTED, quote=None)

    assert recheck(close, context, a_config()).quantity == D("0.5")


@pytest.mark.parametrize(("origin", "reduce_only"), [(Origin.SIGNAL, True), (Origin.MANUAL, False)])
def test_only_what_a_person_closes_passes_halted(origin: Origin, reduce_only: bool) -> None:
    order = an_order(
        side=Side.SELL,
        price=D(50_000),
        status=OrderStatus.INTENT,
        origin=origin,
        reduce_only=reduce_only,
    )
    context = counted(order, position=D("0.5"), trading=Trading.HALTED)

    assert recheck(order, context, a_config()).code is Code.TRADING_STATE


def test_only_a_persons_close_is_free_of_our_sizes() -> None:
    sell = {"side": Side.SELL, "price": D(50_000), "status": OrderStatus.INTENT}
    signals = an_order(**sell, reduce_only=True, quantity=D("0.5"))
    manual = an_order(**sell, origin=Origin.MANUAL, quantity=D("0.5"))
    context = {"position": D("0.5"), "sell_leaves": D("0.5")}

    assert recheck(signals, counted(signals, **context), a_config()).quantity == D("0.1")
    placed = recheck(manual, counted(manual, **context), a_config())
    assert placed.code is Code.ORDER_VALUE_ABOVE_MAX


def test_only_what_was_not_filled_is_asked_for() -> None:
    partly = an_order(cum_quantity=D("0.005"), reported_cum=D("0.015"))

    assert recheck(partly, counted(partly), a_config()).quantity == D("0.005")


def test_more_than_was_ordered_leaves_nothing_to_ask_for() -> None:
    over = attrs.evolve(REFUSED, cum_quantity=D("0.025"))

    decision = requote(over, a_context(), a_config())

    assert decision.verdict is Verdict.DENIED
    assert decision.drafts[0].terms.requested_quantity == 0


@pytest.mark.parametrize("order_type", OrderType)
def test_the_book_and_the_rule_agree_on_what_an_order_holds(order_type: OrderType) -> None:
    order = an_order(order_type=order_type, status=OrderStatus.INTENT, decision_ask=D(50_000))
    instrument = an_instrument()
    book = Book()
    for row in (instrument, order):
        book.apply(row)

    price = order.price or D(50_000)
    assert reserved(book, order, "USDT") == reservation(
        instrument, Side.BUY, price, order.leaves_quantity
    )


# -- re-quote

REFUSED = an_order(
    status=OrderStatus.CANCELLED,
    ended_by=EndedBy.REPORT,
    replaces=(an_order_id(leg=7),),
    follows=an_order_id(leg=8),
)


def requoted(order: Order = REFUSED, context: Any = None, **settings: Any) -> Decision:
    return requote(order, context or a_context(), a_config(**settings))


@pytest.mark.parametrize(("side", "touch"), [(Side.BUY, 50_100), (Side.SELL, 50_110)])
def test_a_re_quote_stands_at_the_touch_of_now(side: Side, touch: int) -> None:
    order = attrs.evolve(REFUSED, terms=attrs.evolve(REFUSED.terms, side=side))
    context = a_context(quote=a_quote(bid=D(50_100), ask=D(50_110)))

    decision = requoted(order, context)

    assert decision.verdict is Verdict.ORDERED
    assert decision.drafts[0].price == touch
    assert (Note.REQUOTE, order.client_order_id, touch, True) in decision.trace


def test_a_re_quote_keeps_the_terms_but_is_a_leg_of_its_own() -> None:
    context = a_context(now=NOW + seconds(3))

    (draft,) = requoted(context=context).drafts

    assert draft.terms == attrs.evolve(
        REFUSED.terms,
        client_order_id=an_order_id(leg=101),
        leg=101,
        requote_of=REFUSED.terms.client_order_id,
        created_at=NOW + seconds(3),
        replaces=(),
        follows=None,
        decision_bid=D(49_990),
        decision_ask=D(50_000),
        decision_quote_at=NOW,
    )


def test_a_re_quote_offers_what_was_not_filled() -> None:
    order = attrs.evolve(REFUSED, cum_quantity=D("0.005"))
    filled = attrs.evolve(REFUSED, cum_quantity=D("0.02"))

    assert requoted(order).drafts[0].quantity == D("0.015")
    assert requoted(filled).verdict is Verdict.DENIED


@pytest.mark.parametrize(
    ("terms", "changes", "settings", "expected"),
    [
        ({}, {}, {"requote_post_only": False}, Code.POST_ONLY_WOULD_TAKE),
        ({"requote_of": an_order_id(leg=9)}, {}, {}, Code.POST_ONLY_WOULD_TAKE),
        ({"time_in_force": TimeInForce.GTC}, {}, {}, Code.POST_ONLY_WOULD_TAKE),
        ({"origin": Origin.MANUAL}, {}, {}, Code.POST_ONLY_WOULD_TAKE),
        ({}, {"cancel_reason": Code.NEW_SIGNAL}, {}, Code.NEW_SIGNAL),
        ({"valid_until": NOW}, {}, {}, Code.INTENT_EXPIRED),
    ],
)
def test_some_orders_are_never_re_quoted(
    terms: dict[str, Any], changes: dict[str, Any], settings: dict[str, Any], expected: Code
) -> None:
    order = attrs.evolve(REFUSED, terms=attrs.evolve(REFUSED.terms, **terms), **changes)

    decision = requoted(order, **settings)

    assert (decision.verdict, decision.code) == (Verdict.DENIED, expected)
    assert decision.trace == ((expected, None, order.client_order_id, False),)
    assert len(decision.drafts) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trading": Trading.CANCEL_ONLY}, Code.TRADING_STATE),
        ({"quote": None}, Code.QUOTE_MISSING),
        ({"available": D(0)}, Code.INSUFFICIENT_BALANCE),
    ],
)
def test_a_re_quote_passes_trading_state_and_risk(changes: dict[str, Any], expected: Code) -> None:
    assert requoted(context=a_context(**changes)).code is expected


def test_a_reduce_only_order_is_re_quoted_reduce_only_with_a_fresh_quote_only() -> None:
    order = attrs.evolve(
        REFUSED, terms=attrs.evolve(REFUSED.terms, side=Side.SELL, reduce_only=True)
    )

    again = requoted(order, a_context(position=D("0.01")))
    blind = requoted(order, a_context(position=D("0.01"), quote=None))

    assert again.drafts[0].terms.reduce_only
    assert again.drafts[0].quantity == D("0.01")
    assert blind.code is Code.QUOTE_MISSING
    assert blind.trace[-1] == (Code.QUOTE_MISSING, None, None, False)


def test_a_re_quote_that_the_limits_forbid_may_still_close_what_it_can() -> None:
    order = attrs.evolve(REFUSED, terms=attrs.evolve(REFUSED.terms, side=Side.SELL))
    context = a_context(position=D("0.01"), exposure_elsewhere=D(60_000))

    (draft,) = requoted(order, context).drafts

    assert (draft.quantity, draft.terms.reduce_only) == (D("0.01"), True)


def test_a_reduce_only_order_stays_one_also_where_nothing_is_left_to_close() -> None:
    order = attrs.evolve(
        REFUSED, terms=attrs.evolve(REFUSED.terms, side=Side.SELL, reduce_only=True)
    )

    decision = requoted(order)
    unwanted = requoted(attrs.evolve(order, cancel_reason=Code.NEW_SIGNAL))

    assert (decision.code, unwanted.code) == (Code.NOTHING_TO_CLOSE, Code.NEW_SIGNAL)
    assert all(each.drafts[0].terms.reduce_only for each in (decision, unwanted))


def test_a_re_quote_is_not_taken_for_a_second_order_of_its_kind() -> None:
    context = a_context(like_decided_at=NOW)

    assert requoted(context=context, duplicate_window=seconds(60)).code is Code.OK


def test_the_re_quote_of_a_child_is_counted_from_its_leg() -> None:
    child = an_order(leg=3, legs=4, signal_id=a_signal_id(5))

    terms = requoted(child, counted(child)).drafts[0].terms

    assert (terms.leg, terms.legs) == (103, 4)

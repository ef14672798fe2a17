"""Decisions of signals: terms, verdicts, cancels, hedge mode."""

import attrs
import pytest

from order_domain.codes import Code
from order_domain.decide import decide
from order_domain.model.enums import (
    OrderType,
    Origin,
    PositionSide,
    Side,
    TimeInForce,
    Trading,
    Verdict,
)
from order_domain.model.identifiers import TraceId
from order_domain.model.order import OrderTerms
from order_domain.model.signal import SignalIntent
from order_domain.notes import Note
from tests.builders import (
    BTC,
    NOW,
    SIGNAL,
    STRATEGY,
    D,
    a_config,
    a_context,
    a_quote,
    a_signal,
    a_signal_id,
    an_order,
    an_order_id,
    seconds,
)

RESTING = a_config(market_order_spread_threshold=D(0))


def test_a_market_order_carries_all_its_terms() -> None:
    signal = a_signal(trace_id=TraceId("t-1"))

    decision = decide(signal, a_context(), a_config(market_slippage=D("0.01")))

    assert (decision.verdict, decision.code) == (Verdict.ORDERED, Code.OK)
    (draft,) = decision.drafts
    assert (draft.price, draft.quantity) == (None, D("0.02"))
    assert draft.terms == OrderTerms(
        client_order_id=an_order_id(),
        instrument_id=BTC,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        origin=Origin.SIGNAL,
        signal_id=SIGNAL,
        strategy_id=STRATEGY,
        trace_id=TraceId("t-1"),
        requested_quantity=D("0.02"),
        created_at=NOW,
        valid_until=NOW + seconds(30),
        decision_bid=D(49_990),
        decision_ask=D(50_000),
        decision_quote_at=NOW,
        slippage=D("0.01"),
    )


def test_a_resting_order_is_post_only_at_its_price_and_has_no_slippage() -> None:
    config = attrs.evolve(RESTING, market_slippage=D("0.01"))

    (draft,) = decide(a_signal(), a_context(), config).drafts

    assert draft.price == D(49_990)
    assert draft.terms.order_type is OrderType.LIMIT
    assert draft.terms.time_in_force is TimeInForce.POST_ONLY
    assert draft.terms.slippage is None


def test_a_market_order_is_sized_at_the_touch_and_a_limit_order_at_its_price() -> None:
    quote = a_quote(bid=D(40_000), ask=D(50_000))
    config = a_config(market_order_spread_threshold=D(0), price_collar_percent=D(50))
    market = a_config(market_order_spread_threshold=D(100), price_collar_percent=D(50))

    limited = decide(a_signal(), a_context(quote=quote), config).drafts[0]
    taken = decide(a_signal(), a_context(quote=quote), market).drafts[0]
    sold = decide(a_signal(side=Side.SELL), a_context(quote=quote), market).drafts[0]

    assert (limited.price, limited.quantity) == (D(40_000), D("0.025"))
    assert (taken.price, taken.quantity) == (None, D("0.02"))
    assert (sold.price, sold.quantity) == (None, D("0.025"))


def test_the_generation_makes_another_order() -> None:
    first = decide(a_signal(), a_context(), a_config()).drafts[0].terms
    retried = decide(a_signal(), a_context(), a_config(), 1).drafts[0].terms

    assert (first.generation, retried.generation) == (0, 1)
    assert retried.client_order_id == an_order_id(generation=1)
    assert retried.client_order_id != first.client_order_id


def test_the_same_input_gives_the_same_decision() -> None:
    assert decide(a_signal(), a_context(), a_config()) == decide(
        a_signal(), a_context(), a_config()
    )


def test_a_denial_before_sizing_has_one_draft_without_price_and_quantity() -> None:
    context = a_context(trading=Trading.HALTED, quote=None)

    decision = decide(a_signal(), context, RESTING)

    assert decision.verdict is Verdict.DENIED
    (draft,) = decision.drafts
    assert (draft.price, draft.quantity) == (None, 0)
    assert draft.terms.client_order_id == an_order_id()
    assert draft.terms.reduce_only is False


def test_a_close_that_is_denied_before_sizing_is_still_one() -> None:
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.1"))

    decision = decide(signal, a_context(instrument=None), a_config())

    assert decision.code is Code.UNKNOWN_INSTRUMENT
    assert decision.drafts[0].terms.reduce_only


def test_a_denial_after_sizing_tells_what_was_denied() -> None:
    decision = decide(a_signal(), a_context(available=D(0)), RESTING)

    (draft,) = decision.drafts
    assert (draft.price, draft.quantity) == (D(49_990), D("0.02"))


def test_a_denial_cancels_nothing() -> None:
    context = a_context(orders=[an_order(signal_id=a_signal_id(2))], buy_leaves=D("0.02"))

    decision = decide(a_signal(), context, a_config(symbol_allow_list=frozenset()))

    assert (decision.verdict, decision.cancels) == (Verdict.DENIED, ())


def test_what_is_cancelled_first_is_what_every_child_replaces() -> None:
    orders = [an_order(signal_id=a_signal_id(2)), an_order(signal_id=a_signal_id(3))]
    context = a_context(orders=orders, buy_leaves=D("0.04"))
    config = a_config(enable_order_splitting=True, max_single_order_size=D(500))

    decision = decide(a_signal(), context, config)

    ids = tuple(order.terms.client_order_id for order in orders)
    assert decision.cancels == ids
    assert [draft.terms.replaces for draft in decision.drafts] == [ids, ids]
    assert (Note.REPLACES, 2, 0, True) in decision.trace


def test_without_an_order_to_replace_nothing_is_said_of_it() -> None:
    decision = decide(a_signal(), a_context(), a_config())

    assert Note.REPLACES not in [entry[0] for entry in decision.trace]


@pytest.mark.parametrize(
    ("side", "intent", "position", "position_side", "reduce_only"),
    [
        (Side.BUY, SignalIntent.OPEN, "0.1", PositionSide.LONG, False),
        (Side.SELL, SignalIntent.OPEN, "-0.1", PositionSide.SHORT, False),
        (Side.SELL, SignalIntent.CLOSE, "0.1", PositionSide.LONG, True),
        (Side.BUY, SignalIntent.CLOSE, "-0.1", PositionSide.SHORT, True),
    ],
)
def test_in_hedge_mode_each_order_names_its_position(
    side: Side,
    intent: SignalIntent,
    position: str,
    position_side: PositionSide,
    reduce_only: bool,
) -> None:
    amount = D(1000) if intent is SignalIntent.OPEN else D("0.05")
    signal = a_signal(side=side, intent=intent, amount=amount)

    decision = decide(signal, a_context(position=D(position)), a_config(hedge_mode=True))

    (draft,) = decision.drafts
    assert decision.code is Code.OK
    assert (draft.terms.position_side, draft.terms.reduce_only) == (position_side, reduce_only)


def test_hedge_mode_knows_no_flip() -> None:
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D(9))

    (draft,) = decide(signal, a_context(position=D("0.1")), a_config(hedge_mode=True)).drafts

    assert draft.quantity == D("0.1")

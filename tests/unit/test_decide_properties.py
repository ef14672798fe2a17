"""What holds of every decision, whatever the signal, the market, the book and the settings."""

from decimal import Decimal
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context, Decision
from order_domain.decide import decide, decide_close, decide_place, recheck
from order_domain.model.enums import (
    OrderStatus,
    OrderType,
    Origin,
    PositionSide,
    Side,
    Trading,
    Verdict,
)
from order_domain.model.signal import SignalIntent, TradingSignal
from tests.builders import (
    BTC,
    NOW,
    D,
    a_config,
    a_context,
    a_place_order,
    a_quote,
    a_signal,
    a_signal_id,
    an_instrument,
    an_order,
    seconds,
)

STEP = D("0.001")


def decimals(low: str, high: str, places: int = 3) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places, allow_nan=False)


def rarely(odd: st.SearchStrategy[Any], usual: Any) -> st.SearchStrategy[Any]:
    """The usual value nine times of ten, so that most decisions come as far as the limits."""
    return st.integers(0, 9).flatmap(lambda number: odd if number == 9 else st.just(usual))


@st.composite
def signals(draw: Any) -> TradingSignal:
    intent = draw(st.sampled_from(SignalIntent))
    amount = decimals("0.01", "60000") if intent is SignalIntent.OPEN else decimals("0.01", "3")
    return a_signal(
        side=draw(st.sampled_from(Side)),
        intent=intent,
        amount=draw(amount),
        confidence=draw(decimals("0", "1", 2)),
        timestamp=NOW - draw(rarely(st.sampled_from([seconds(301), -seconds(9)]), seconds(1))),
        is_warmup=draw(st.booleans()),
        urgent=draw(st.booleans()),
    )


@st.composite
def contexts(draw: Any) -> Context:
    bid = draw(decimals("100", "50000", 1))
    quote = a_quote(
        bid=bid,
        ask=bid + draw(decimals("0", "50", 1)),
        mark=draw(st.none() | st.just(bid)),
        at=NOW - draw(rarely(st.just(seconds(6)), seconds(1))),
    )
    orders = [
        an_order(
            side=draw(st.sampled_from(Side)),
            quantity=draw(decimals("0.001", "0.5")),
            signal_id=a_signal_id(number + 2),
            status=draw(st.sampled_from([OrderStatus.INTENT, OrderStatus.WORKING])),
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    leaves = {
        side: sum((o.quantity for o in orders if o.terms.side is side), D(0)) for side in Side
    }
    return a_context(
        quote=draw(rarely(st.none(), quote)),
        instrument=an_instrument(
            min_quantity=draw(st.sampled_from([D("0.001"), D("0.01")])),
            max_market_quantity=draw(st.sampled_from([D("0.2"), D(50)])),
        ),
        trading=draw(rarely(st.sampled_from(Trading), Trading.ACTIVE)),
        position=draw(decimals("-1.5", "1.5")),
        orders=orders,
        buy_leaves=leaves[Side.BUY],
        sell_leaves=leaves[Side.SELL],
        exposure_elsewhere=draw(rarely(st.none() | decimals("0", "60000", 1), D(1000))),
        available=draw(rarely(st.none() | decimals("-10", "2000", 1), D(20_000))),
        daily_loss=draw(rarely(st.none() | decimals("-100", "200", 1), D(0))),
    )


@st.composite
def configs(draw: Any) -> EngineConfig:
    return a_config(
        market_order_spread_threshold=draw(st.sampled_from([D(0), D("0.1")])),
        limit_order_price_offset_ratio=draw(decimals("0", "1", 2)),
        enable_order_splitting=draw(st.booleans()),
        enable_order_size_reduction=draw(st.booleans()),
        max_single_order_size=draw(decimals("100", "20000", 1)),
        max_order_size_ratio=draw(st.sampled_from([D("0.1"), D(1)])),
        max_order_quantity=draw(st.none() | decimals("0.01", "2")),
        max_position_size=draw(decimals("0.5", "3")),
        max_daily_loss=draw(st.none() | st.just(D(100))),
        allow_flip=draw(st.booleans()),
        cancel_opposite_orders_only=draw(st.booleans()),
        warmup_size_factor=draw(decimals("0", "1", 1)),
        order_size_ratio_of_balance=draw(st.booleans()),
    )


def total(decision: Decision) -> Decimal:
    return sum((draft.quantity for draft in decision.drafts), D(0))


def staying(context: Context, decision: Decision, side: Side) -> Decimal:
    """Leaves of a side without the orders that the decision replaces."""
    gone = set(decision.cancels)
    return sum(
        (
            order.quantity
            for order in context.orders
            if order.terms.side is side and order.terms.client_order_id not in gone
        ),
        D(0),
    )


@given(signals(), contexts(), configs())
def test_every_decision_has_a_trace_and_a_denial_exactly_one_draft(
    signal: TradingSignal, context: Context, config: EngineConfig
) -> None:
    decision = decide(signal, context, config)

    assert decision.trace
    assert (decision.verdict is Verdict.ORDERED) is (decision.code is Code.OK)
    if decision.verdict is not Verdict.ORDERED:
        assert len(decision.drafts) == 1
        assert decision.cancels == ()
        assert decision.trace[-1][0] == decision.code
        assert decision.trace[-1][3] is False


@given(signals(), contexts(), configs())
def test_what_is_ordered_is_within_every_limit(
    signal: TradingSignal, context: Context, config: EngineConfig
) -> None:
    decision = decide(signal, context, config)
    if decision.verdict is not Verdict.ORDERED:
        return
    instrument, terms = context.instrument, decision.drafts[0].terms
    assert instrument is not None
    sign = 1 if signal.side is Side.BUY else -1
    reach = sign * context.position + staying(context, decision, signal.side) + total(decision)
    if terms.reduce_only:
        assert reach <= 0
    else:
        assert reach <= config.max_position_size
        assert context.available is not None
        assert context.exposure_elsewhere is not None
        assert context.quote is not None
        assert context.exposure_elsewhere + reach * context.quote.mark_price <= config.max_exposure
    for draft in decision.drafts:
        assert draft.quantity % STEP == 0
        assert instrument.min_quantity <= draft.quantity
        assert draft.quantity <= instrument.max_order_quantity(draft.terms.order_type)
        assert config.max_order_quantity is None or draft.quantity <= config.max_order_quantity
        if context.quote is not None and draft.terms.decision_ask is not None:
            touch = context.quote.ask if sign == 1 else context.quote.bid
            value = draft.quantity * (touch if draft.price is None else draft.price)
            assert value <= config.max_single_order_size


@given(signals(), contexts(), configs())
def test_what_is_ordered_is_never_more_than_was_asked_for(
    signal: TradingSignal, context: Context, config: EngineConfig
) -> None:
    decision = decide(signal, context, config)

    amount = signal.amount * (config.warmup_size_factor if signal.is_warmup else 1)
    if signal.intent is SignalIntent.CLOSE:
        assert total(decision) <= amount
    elif context.quote is not None:
        price = decision.drafts[0].price
        touch = context.quote.ask if signal.side is Side.BUY else context.quote.bid
        assert total(decision) * (touch if price is None else price) <= amount


@given(signals(), contexts(), configs())
def test_children_are_equal_up_to_a_step_and_follow_each_other(
    signal: TradingSignal, context: Context, config: EngineConfig
) -> None:
    drafts = decide(signal, context, config).drafts
    sizes = [draft.quantity for draft in drafts]
    ids = [draft.terms.client_order_id for draft in drafts]

    assert max(sizes) - min(sizes) <= STEP
    assert len(set(ids)) == len(ids)
    assert [draft.terms.follows for draft in drafts] == [None, *ids[:-1]]
    assert all(draft.terms.legs == len(drafts) for draft in drafts)


@given(signals(), contexts(), configs())
def test_a_limit_price_never_crosses_the_touch(
    signal: TradingSignal, context: Context, config: EngineConfig
) -> None:
    for draft in decide(signal, context, config).drafts:
        if draft.price is not None and context.quote is not None:
            assert draft.terms.order_type is OrderType.LIMIT
            if signal.side is Side.BUY:
                assert draft.price < context.quote.ask
            else:
                assert draft.price > context.quote.bid


@given(
    signals(),
    contexts(),
    configs(),
    decimals("0.001", "1"),
)
def test_a_wider_position_limit_never_orders_less(
    signal: TradingSignal, context: Context, config: EngineConfig, more: Decimal
) -> None:
    wider = attrs.evolve(config, max_position_size=config.max_position_size + more)

    narrow, wide = decide(signal, context, config), decide(signal, context, wider)

    if narrow.verdict is Verdict.ORDERED and len(narrow.drafts) == len(wide.drafts):
        assert wide.verdict is Verdict.ORDERED
        assert total(wide) >= total(narrow)


@given(signals(), contexts(), configs())
def test_what_was_just_decided_passes_its_recheck_unchanged(
    signal: TradingSignal, context: Context, config: EngineConfig
) -> None:
    decision = decide(signal, context, config)
    if decision.verdict is not Verdict.ORDERED or len(decision.drafts) > 1:
        return
    (draft,) = decision.drafts
    order = an_order(
        signal_id=signal.signal_id,
        side=signal.side,
        order_type=draft.terms.order_type,
        reduce_only=draft.terms.reduce_only,
        status=OrderStatus.INTENT,
        quantity=draft.quantity,
        price=draft.price,
    )
    gone = set(decision.cancels)
    others = [one for one in context.orders if one.terms.client_order_id not in gone]
    own = {
        side: staying(context, decision, side) + (draft.quantity if side is signal.side else 0)
        for side in Side
    }
    later = attrs.evolve(
        context,
        orders=[*others, order],
        buy_leaves=own[Side.BUY],
        sell_leaves=own[Side.SELL],
        available=None if context.available is None else D(10_000_000),
    )

    if draft.terms.reduce_only and config.order_size_ratio_of_balance:
        later.available = context.available
    assessment = recheck(order, later, config)

    assert (assessment.code, assessment.quantity) == (Code.OK, draft.quantity)


@given(contexts(), configs(), decimals("0.001", "2"), st.sampled_from(Side), st.booleans())
def test_a_persons_order_is_placed_as_typed_or_not_at_all(
    context: Context, config: EngineConfig, quantity: Decimal, side: Side, reduce_only: bool
) -> None:
    request = a_place_order(
        quantity=quantity,
        side=side,
        reduce_only=reduce_only,
        order_type=OrderType.MARKET,
        price=None,
    )

    decision = decide_place(request, context, config)

    assert decision.trace
    assert [draft.quantity for draft in decision.drafts] == [quantity]


@given(contexts(), configs(), decimals("0.1", "1", 2))
def test_a_persons_close_never_goes_beyond_the_position(
    context: Context, config: EngineConfig, part: Decimal
) -> None:
    decision = decide_close("r", Origin.MANUAL, (BTC, PositionSide.BOTH), part, context, config)

    assert total(decision) <= abs(context.position)
    assert all(draft.terms.reduce_only for draft in decision.drafts)
    if decision.verdict is Verdict.ORDERED:
        side = decision.drafts[0].terms.side
        closing = context.buy_leaves if side is Side.BUY else context.sell_leaves
        assert total(decision) + closing <= abs(context.position)

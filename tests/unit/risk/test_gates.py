"""The gates: what is asked before price and quantity are known."""

from datetime import timedelta
from typing import Any

import pytest

from order_domain.codes import Code
from order_domain.context import Decision
from order_domain.decide import decide, decide_close, decide_place
from order_domain.model.enums import InstrumentStatus, Origin, PositionSide, Side, Trading, Verdict
from order_domain.model.signal import SignalIntent
from tests.builders import (
    BTC,
    NOW,
    D,
    a_config,
    a_context,
    a_place_order,
    a_quote,
    a_signal,
    an_instrument,
    seconds,
)

MICROSECOND = timedelta(microseconds=1)
LONG = {"position": D("0.1")}


def opened(context: dict[str, Any], **settings: Any) -> Decision:
    return decide(a_signal(), a_context(**context), a_config(**settings))


def closed(context: dict[str, Any], **settings: Any) -> Decision:
    """A close signal against a long position."""
    signal = a_signal(side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.1"))
    return decide(signal, a_context(**LONG | context), a_config(**settings))


def closed_by_a_person(context: dict[str, Any], **settings: Any) -> Decision:
    return decide_close(
        "r",
        Origin.MANUAL,
        (BTC, PositionSide.BOTH),
        D(1),
        a_context(**LONG | context),
        a_config(**settings),
    )


# -- trading state


@pytest.mark.parametrize(
    ("state", "opens", "closes", "person_closes"),
    [
        (Trading.ACTIVE, Code.OK, Code.OK, Code.OK),
        (Trading.REDUCE_ONLY, Code.TRADING_STATE, Code.OK, Code.OK),
        (Trading.CANCEL_ONLY, Code.TRADING_STATE, Code.TRADING_STATE, Code.OK),
        (Trading.HALTED, Code.TRADING_STATE, Code.TRADING_STATE, Code.OK),
    ],
)
def test_each_trading_state_lets_pass_what_it_should(
    state: Trading, opens: Code, closes: Code, person_closes: Code
) -> None:
    context = {"trading": state, "trading_cause": "account/OPERATOR"}

    assert opened(context).code is opens
    assert closed(context).code is closes
    assert closed_by_a_person(context).code is person_closes


def test_a_restriction_names_its_cause() -> None:
    decision = opened({"trading": Trading.HALTED, "trading_cause": "account/LOSS"})

    assert decision.trace[-1] == (Code.TRADING_STATE, Trading.HALTED, "account/LOSS", False)


def test_halted_lets_pass_a_persons_reduce_only_order_and_no_other() -> None:
    context = a_context(trading=Trading.HALTED, **LONG)
    sell = a_place_order(side=Side.SELL, price=D(50000), reduce_only=True)

    assert decide_place(sell, context, a_config()).code is Code.OK
    sell.reduce_only = False
    assert decide_place(sell, context, a_config()).code is Code.TRADING_STATE


def test_in_reduce_only_an_opening_signal_may_reduce() -> None:
    context = a_context(trading=Trading.REDUCE_ONLY, **LONG)

    decision = decide(a_signal(side=Side.SELL, amount=D(1000)), context, a_config())

    assert decision.code is Code.OK
    assert decision.drafts[0].terms.reduce_only
    assert decision.drafts[0].quantity == D("0.02")


def test_in_reduce_only_a_flip_is_clamped_to_the_position_even_without_resizing() -> None:
    context = a_context(trading=Trading.REDUCE_ONLY, position=D("0.01"))
    config = a_config(enable_order_size_reduction=False)

    decision = decide(a_signal(side=Side.SELL, amount=D(1000)), context, config)

    assert decision.drafts[0].quantity == D("0.01")
    assert decision.drafts[0].terms.reduce_only


def test_in_reduce_only_what_is_already_being_closed_cannot_be_closed_twice() -> None:
    context = a_context(trading=Trading.REDUCE_ONLY, position=D("0.1"), sell_leaves=D("0.1"))

    assert decide(a_signal(side=Side.SELL), context, a_config()).code is Code.TRADING_STATE


# -- allow-lists


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ({"BTCUSDT"}, Code.OK),
        ({"linear:BTCUSDT"}, Code.OK),
        ({"ETHUSDT"}, Code.SYMBOL_NOT_ALLOWED),
        (set(), Code.SYMBOL_NOT_ALLOWED),
    ],
)
def test_only_listed_symbols_are_traded(allowed: set[str], expected: Code) -> None:
    assert opened({}, symbol_allow_list=frozenset(allowed)).code is expected
    assert closed({}, symbol_allow_list=frozenset(allowed)).code is expected
    assert closed_by_a_person({}, symbol_allow_list=frozenset(allowed)).code is Code.OK


@pytest.mark.parametrize(
    ("allowed", "expected"), [({"trend"}, Code.OK), ({"other"}, Code.STRATEGY_NOT_ALLOWED)]
)
def test_only_listed_strategies_are_followed(allowed: set[str], expected: Code) -> None:
    assert opened({}, strategy_allow_list=frozenset(allowed)).code is expected
    assert closed({}, strategy_allow_list=frozenset(allowed)).code is expected


def test_a_person_needs_no_strategy() -> None:
    config = a_config(strategy_allow_list=frozenset({"trend"}))

    assert decide_place(a_place_order(), a_context(), config).code is Code.OK


# -- instrument


def test_an_unknown_instrument_denies_everything() -> None:
    assert opened({"instrument": None}).code is Code.UNKNOWN_INSTRUMENT
    assert closed({"instrument": None}).code is Code.UNKNOWN_INSTRUMENT
    assert closed_by_a_person({"instrument": None}).code is Code.UNKNOWN_INSTRUMENT


@pytest.mark.parametrize(
    "status",
    [InstrumentStatus.PRE_LAUNCH, InstrumentStatus.DELIVERING, InstrumentStatus.CLOSED],
)
def test_what_is_not_traded_now_may_only_be_reduced(status: InstrumentStatus) -> None:
    context = {"instrument": an_instrument(status=status)}

    assert opened(context).code is Code.INSTRUMENT_NOT_TRADING
    assert closed(context).code is Code.OK
    flip = decide(a_signal(side=Side.SELL, amount=D(9000)), a_context(**LONG | context), a_config())
    assert flip.drafts[0].quantity == D("0.1")


# -- signal age


@pytest.mark.parametrize(
    ("age", "verdict", "code"),
    [
        (timedelta(0), Verdict.ORDERED, Code.OK),
        (seconds(300), Verdict.ORDERED, Code.OK),
        (seconds(300) + MICROSECOND, Verdict.EXPIRED, Code.SIGNAL_EXPIRED),
        (-seconds(5), Verdict.ORDERED, Code.OK),
        (-seconds(5) - MICROSECOND, Verdict.DENIED, Code.SIGNAL_FROM_FUTURE),
    ],
)
def test_a_signal_is_neither_too_old_nor_from_the_future(
    age: timedelta, verdict: Verdict, code: Code
) -> None:
    decision = decide(a_signal(timestamp=NOW - age), a_context(), a_config())

    assert (decision.verdict, decision.code) == (verdict, code)


def test_an_old_close_is_expired_too() -> None:
    signal = a_signal(
        side=Side.SELL, intent=SignalIntent.CLOSE, amount=D("0.1"), timestamp=NOW - seconds(301)
    )

    assert decide(signal, a_context(**LONG), a_config()).verdict is Verdict.EXPIRED


# -- out of order


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        (None, Code.OK),
        (NOW - MICROSECOND, Code.OK),
        (NOW, Code.OK),
        (NOW + MICROSECOND, Code.SUPERSEDED),
    ],
)
def test_a_signal_older_than_the_last_decided_is_superseded_if_set(
    newest: Any, expected: Code
) -> None:
    context = {"newest_timestamp": newest}

    assert opened(context, supersede_out_of_order=True).code is expected
    assert closed(context, supersede_out_of_order=True).code is expected
    assert opened(context).code is Code.OK


# -- quote


@pytest.mark.parametrize(
    ("age", "expected"),
    [(seconds(5), Code.OK), (seconds(5) + MICROSECOND, Code.QUOTE_STALE)],
)
def test_an_old_quote_denies_opens(age: timedelta, expected: Code) -> None:
    assert opened({"quote": a_quote(at=NOW - age)}).code is expected


@pytest.mark.parametrize(
    "quote",
    [None, a_quote(bid=D(0)), a_quote(bid=D(50001)), a_quote(bid=D(-2), ask=D(-1))],
    ids=["none", "one-sided", "crossed", "negative"],
)
def test_without_a_sound_quote_opens_are_denied(quote: Any) -> None:
    assert opened({"quote": quote}).code is Code.QUOTE_MISSING


@pytest.mark.parametrize(
    "quote", [None, a_quote(bid=D(0)), a_quote(at=NOW - seconds(6))], ids=["none", "bad", "old"]
)
def test_a_close_needs_no_quote_and_goes_as_a_market_order(quote: Any) -> None:
    for decision in (closed({"quote": quote}), closed_by_a_person({"quote": quote})):
        assert decision.code is Code.OK
        assert decision.drafts[0].price is None
        assert decision.drafts[0].terms.decision_quote_at is None


def test_a_close_in_quote_units_cannot_be_sized_without_a_quote() -> None:
    decision = closed({"quote": None}, close_amount_is_base=False)

    assert decision.code is Code.QUOTE_MISSING
    assert decision.drafts[0].quantity == 0

"""Position side: one-way and hedge mode."""

import pytest

from order_domain.model.enums import PositionSide, Side
from order_domain.model.identifiers import InstrumentId
from order_domain.model.signal import SignalIntent
from order_domain.policy.position_side import (
    is_hedged,
    only_closes,
    position_side_for,
    position_side_of,
)
from tests.builders import a_config, a_place_order, a_signal

BOTH, LONG, SHORT = PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT


@pytest.mark.parametrize("intent", SignalIntent)
@pytest.mark.parametrize("side", Side)
def test_in_one_way_mode_there_is_one_position(side: Side, intent: SignalIntent) -> None:
    assert position_side_for(a_signal(side=side, intent=intent), a_config()) is BOTH


@pytest.mark.parametrize(
    ("side", "closes", "expected"),
    [
        (Side.BUY, False, LONG),
        (Side.SELL, False, SHORT),
        (Side.SELL, True, LONG),
        (Side.BUY, True, SHORT),
    ],
)
def test_in_hedge_mode_the_side_and_the_intent_name_the_position(
    side: Side, closes: bool, expected: PositionSide
) -> None:
    config = a_config(hedge_mode=True)
    intent = SignalIntent.CLOSE if closes else SignalIntent.OPEN

    assert position_side_for(a_signal(side=side, intent=intent), config) is expected
    assert position_side_of(a_place_order(side=side, reduce_only=closes), config) is expected


@pytest.mark.parametrize(
    ("instrument", "is_kept_apart"),
    [
        ("linear:BTCUSDT", True),
        ("linear:BTCPERP", False),
        ("linear:BTCUSDT-26MAR27", False),
        ("inverse:BTCUSD", False),
        ("spot:BTCUSDT", False),
    ],
)
def test_in_hedge_mode_only_perpetuals_in_usdt_have_two_positions(
    instrument: str, is_kept_apart: bool
) -> None:
    config, name = a_config(hedge_mode=True), InstrumentId(instrument)
    of_signal = position_side_for(a_signal(instrument_id=name), config)
    of_person = position_side_of(a_place_order(instrument_id=name), config)

    assert is_hedged(name, config) is is_kept_apart
    assert not is_hedged(name, a_config())
    assert [of_signal is BOTH, of_person is BOTH] == [not is_kept_apart] * 2


def test_a_person_may_name_the_position() -> None:
    request = a_place_order(side=Side.SELL, position_side=LONG)

    assert position_side_of(request, a_config(hedge_mode=True)) is LONG
    assert position_side_of(request, a_config()) is LONG


@pytest.mark.parametrize(
    ("side", "position_side", "expected"),
    [
        (Side.BUY, BOTH, False),
        (Side.SELL, BOTH, False),
        (Side.BUY, LONG, False),
        (Side.SELL, LONG, True),
        (Side.BUY, SHORT, True),
        (Side.SELL, SHORT, False),
    ],
)
def test_a_sell_of_a_long_and_a_buy_of_a_short_can_only_close(
    side: Side, position_side: PositionSide, expected: bool
) -> None:
    assert only_closes(side, position_side) is expected

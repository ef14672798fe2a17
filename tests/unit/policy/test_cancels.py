"""Cancel selection: which working orders a new signal takes the place of."""

from typing import Any

import pytest

from order_domain.codes import Code
from order_domain.model.enums import OrderStatus, OrderType, Origin, Side
from order_domain.model.identifiers import StrategyId
from order_domain.model.order import Order
from order_domain.model.signal import SignalIntent
from order_domain.policy.cancels import replaced_orders
from tests.builders import D, a_config, a_context, a_signal, an_order


def is_replaced(order: Order, *, intent: SignalIntent = SignalIntent.OPEN, **settings: Any) -> bool:
    signal = a_signal(side=Side.BUY, intent=intent)
    return replaced_orders(signal, a_context(orders=(order,)), a_config(**settings)) == (order,)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    "status", [OrderStatus.INTENT, OrderStatus.SUBMITTING, OrderStatus.UNKNOWN, OrderStatus.WORKING]
)
def test_a_signal_takes_the_place_of_limit_orders_of_both_sides(
    side: Side, status: OrderStatus
) -> None:
    assert is_replaced(an_order(side=side, status=status))


@pytest.mark.parametrize("origin", [Origin.MANUAL, Origin.FLATTEN, Origin.EXTERNAL])
def test_orders_that_no_signal_made_stay(origin: Origin) -> None:
    assert not is_replaced(an_order(origin=origin))


def test_orders_of_other_strategies_stay_by_setting() -> None:
    other = an_order(strategy_id=StrategyId("other"))

    assert is_replaced(other)
    assert not is_replaced(other, cancel_same_strategy_only=True)
    assert is_replaced(an_order(), cancel_same_strategy_only=True)


def test_orders_of_the_same_side_stay_by_setting() -> None:
    assert not is_replaced(an_order(side=Side.BUY), cancel_opposite_orders_only=True)
    assert is_replaced(an_order(side=Side.SELL), cancel_opposite_orders_only=True)


@pytest.mark.parametrize("filled", [{"cum_quantity": D("0.01")}, {"reported_cum": D("0.01")}])
def test_partially_filled_orders_stay_unless_set_otherwise(filled: dict[str, Any]) -> None:
    order = an_order(**filled)

    assert not is_replaced(order)
    assert is_replaced(order, cancel_partially_filled=True)


def test_an_order_whose_cancel_an_earlier_signal_asked_for_is_waited_for() -> None:
    order = an_order(cancel_reason=Code.NEW_SIGNAL, cum_quantity=D("0.01"))

    assert is_replaced(order)
    assert is_replaced(order, cancel_opposite_orders_only=True)


def test_a_market_order_on_its_way_is_past_cancelling() -> None:
    submitting = an_order(order_type=OrderType.MARKET, status=OrderStatus.SUBMITTING)
    waiting = an_order(order_type=OrderType.MARKET, status=OrderStatus.INTENT)

    assert not is_replaced(submitting)
    assert is_replaced(waiting)


def test_a_close_never_waits_for_an_unknown_outcome() -> None:
    assert not is_replaced(an_order(status=OrderStatus.UNKNOWN), intent=SignalIntent.CLOSE)
    assert is_replaced(an_order(status=OrderStatus.WORKING), intent=SignalIntent.CLOSE)

"""Time in force of signals' and of a person's orders."""

import pytest

from order_domain.model.enums import OrderType, TimeInForce
from order_domain.policy.time_in_force import asked_time_in_force, time_in_force
from tests.builders import a_config

MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT


def test_market_orders_of_signals_are_immediate_and_limit_orders_post_only_by_default() -> None:
    assert time_in_force(MARKET, a_config()) is TimeInForce.IOC
    assert time_in_force(LIMIT, a_config()) is TimeInForce.POST_ONLY
    assert time_in_force(LIMIT, a_config(limit_time_in_force=TimeInForce.GTC)) is TimeInForce.GTC


@pytest.mark.parametrize(
    ("order_type", "asked", "expected"),
    [
        (LIMIT, None, TimeInForce.GTC),
        (LIMIT, TimeInForce.FOK, TimeInForce.FOK),
        (MARKET, None, TimeInForce.IOC),
        (MARKET, TimeInForce.IOC, TimeInForce.IOC),
        (MARKET, TimeInForce.GTC, None),
        (MARKET, TimeInForce.POST_ONLY, None),
    ],
)
def test_a_person_gets_what_was_asked_where_it_can_be(
    order_type: OrderType, asked: TimeInForce | None, expected: TimeInForce | None
) -> None:
    assert asked_time_in_force(order_type, asked) is expected

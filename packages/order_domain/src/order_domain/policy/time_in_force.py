"""Time in force: market orders take at once; limit orders of signals rest, by default post-only."""

from order_domain.config import EngineConfig
from order_domain.model.enums import OrderType, TimeInForce


def time_in_force(order_type: OrderType, config: EngineConfig) -> TimeInForce:
    """What an order of a signal gets."""
    return TimeInForce.IOC if order_type is OrderType.MARKET else config.limit_time_in_force


def asked_time_in_force(order_type: OrderType, asked: TimeInForce | None) -> TimeInForce | None:
    """What a person gets: the wish, GTC for a limit without one; None when it cannot be."""
    if order_type is OrderType.LIMIT:
        return TimeInForce.GTC if asked is None else asked
    return TimeInForce.IOC if asked in (None, TimeInForce.IOC) else None

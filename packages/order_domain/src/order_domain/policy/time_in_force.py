"""Time in force: market orders take at once; limit orders of signals rest, by default post-only."""

from typing import Final

from order_domain.config import EngineConfig
from order_domain.model.enums import OrderType, TimeInForce

_GTC: Final = TimeInForce.GTC
_IOC: Final = TimeInForce.IOC
_LIMIT: Final = OrderType.LIMIT
_MARKET: Final = OrderType.MARKET


def time_in_force(order_type: OrderType, config: EngineConfig) -> TimeInForce:
    """What an order of a signal gets."""
    return _IOC if order_type is _MARKET else config.limit_time_in_force


def asked_time_in_force(order_type: OrderType, asked: TimeInForce | None) -> TimeInForce | None:
    """What a person gets: the wish, GTC for a limit without one; None when it cannot be."""
    if order_type is _LIMIT:
        return _GTC if asked is None else asked
    return _IOC if asked in (None, _IOC) else None

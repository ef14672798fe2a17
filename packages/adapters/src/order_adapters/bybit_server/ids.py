"""Ids: order and execution ids in the shape of each category, made of the core's own ids."""

from datetime import datetime
from hashlib import blake2b
from typing import Final
from uuid import UUID

from order_adapters.bybit_server.numbers import milliseconds

ANONYMOUS: Final = "anonymous-order-"
"""Client order ids that begin so are ours, for orders that came without one."""
_MILLION: Final = 1_000_000


def display_id(core_id: str, *, is_spot: bool, at: datetime) -> str:
    """Name an order or execution: nineteen digits on spot, a UUID elsewhere."""
    if is_spot:
        number = int(core_id.rpartition("-")[2][1:])
        return str(milliseconds(at) * _MILLION + number % _MILLION)
    return str(UUID(bytes=blake2b(core_id.encode(), digest_size=16).digest(), version=4))


def core_number(core_id: str) -> int:
    """The number in a core id: 1..n in the order of creation."""
    return int(core_id.rpartition("-")[2][1:])


def link_id(client_order_id: str) -> str:
    """Return the client order id as the client knows it."""
    return "" if client_order_id.startswith(ANONYMOUS) else client_order_id

"""Housekeeping: rows whose time is over are deleted, by the hour."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from order_domain.ports.clock import Clock
from order_domain.ports.journal import StoreUnavailable
from order_service.runtime.metrics import Metrics

INTERVAL: Final = timedelta(hours=1)
Prune = Callable[[], Awaitable[int]]
"""Deletes rows beyond their retention and returns how many."""


async def keep_house(clock: Clock, metrics: Metrics, prune: Prune) -> None:
    """Prune at once and then by the hour; a store that is away is left alone."""
    while True:
        try:
            metrics.pruned += await prune()
        except StoreUnavailable:
            metrics.outages += 1
        await clock.sleep_until(clock.now() + INTERVAL)

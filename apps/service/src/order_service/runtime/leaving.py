"""Leaving: what an owner writes when it has ended, without a flush: its lease is given up."""

from typing import Final

from order_domain.model.enums import Trading
from order_domain.model.rows import TradingStateRow
from order_domain.ports.clock import Clock
from order_domain.ports.journal import Journal, StoreUnavailable
from order_service.runtime.backoff import Backoff
from order_service.runtime.metrics import Metrics
from order_service.runtime.outcome import Ended, EndReason

CAUSE: Final = "COMMITS_LOST"
TRIES: Final = 20
"""About as many seconds. A store that stays away so long has no owner who could trade, either."""
_REASON: Final = (
    "the database has forgotten commits that it had confirmed: compare orders and positions with"
    " the exchange before you resume"
)


async def leave(ended: Ended, journal: Journal, clock: Clock, metrics: Metrics) -> None:
    """Give the lease back after a good end; halt the account for a person after lost commits.

    Whoever owns the account next, or again, finds the halt and does not trade on.
    """
    if ended.reason is EndReason.STOPPED:
        try:
            await journal.release()
        except StoreUnavailable:
            metrics.outages += 1  # the lease ends by itself
    elif ended.reason is EndReason.COMMITS_LOST:
        await _halt(journal, clock, metrics)


async def _halt(journal: Journal, clock: Clock, metrics: Metrics) -> None:
    now = clock.now()
    row = TradingStateRow("account", CAUSE, Trading.HALTED, 0, _REASON, "order-manager", now)
    backoff = Backoff(clock)
    for _ in range(TRIES):
        try:
            await journal.set_trading_state(row)
        except StoreUnavailable:
            metrics.outages += 1
            await backoff.wait()
        else:
            return

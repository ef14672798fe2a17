"""What it costs to keep orders: one group commit of many orders' steps into SQLite."""

import asyncio
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import loop
from benchmarks.loop import Loop
from order_adapters.clock import SystemClock
from order_adapters.stores.sqlite import SqliteStore
from order_domain.model.rows import Change
from order_domain.model.steps import Step


class KeepingLoop(Loop):
    """A loop that keeps the changes of every step, as a committer would get them."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[Change] = []

    def _release(self, step: Step, now: datetime) -> None:
        self.changes += step.changes
        super()._release(step, now)


def changes_of(orders: int) -> list[Change]:
    """All rows and events of this many market orders, start of the account included."""
    account = KeepingLoop()
    account.open()
    account.run(loop.market_orders(orders))
    loop.check(account, orders)
    return account.changes


def flush(changes: list[Change]) -> float:
    """CPU seconds, all threads, of writing the changes in one transaction into a new file."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_flush(str(Path(folder) / "orders.sqlite"), changes))


async def _flush(path: str, changes: list[Change]) -> float:
    store = SqliteStore(path, SystemClock())
    await store.open()
    try:
        await store.journal.acquire(
            account="dry:default", owner="bench", url="", ttl=timedelta(seconds=60)
        )
        began = time.process_time()
        await store.journal.flush(1, changes)
        return time.process_time() - began
    finally:
        await store.close()

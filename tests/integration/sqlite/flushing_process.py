"""A process that flushes to a store until it is killed, and tells each commit.

python flushing_process.py <path> [<words with which its last statement begins>]
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from order_adapters.clock import SystemClock
from order_adapters.stores.sqlite import SqliteStore
from order_domain.model.rows import Change, Mark
from tests.builders import NOW, seconds
from tests.row_builders import an_entry, an_order_event, an_order_of, id_of

ORDERS = 20
MARK = "flush"


def rows_of(flush_no: int) -> list[Change]:
    """Rows that only together make sense: orders, events, fills, and the flush's own number."""
    rows: list[Change] = [Mark(MARK, NOW, flush_no)]
    for number in range((flush_no - 1) * ORDERS + 1, flush_no * ORDERS + 1):
        order = an_order_of(number)
        rows += [order, an_order_event(order), an_entry(number, client_order_id=id_of(number))]
    return rows


def killer(words: str) -> Callable[[str], None]:
    """Watch statements as they begin, and be killed at this one."""

    def trace(statement: str) -> None:
        if statement.strip().startswith(words):
            os.kill(os.getpid(), signal.SIGKILL)

    return trace


def tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


async def main(path: str, words: str) -> None:
    store = SqliteStore(path, SystemClock(), wait=seconds(0))
    await store.open()
    head = await store.journal.acquire(
        account="dry:a", owner=str(os.getpid()), url="http://dying", ttl=seconds(60)
    )
    number = head.flush_no + 1
    await store.journal.flush(number, rows_of(number))
    tell(number)
    if words:
        trace = killer(words)
        await store._writer.run(lambda connection: connection.set_trace_callback(trace))
    while True:
        number += 1
        await store.journal.flush(number, rows_of(number))
        tell(number)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))

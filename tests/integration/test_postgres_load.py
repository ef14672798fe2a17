"""What a load reads of a PostgreSQL store beside rows that no book needs."""

import json
from typing import Any

from order_adapters.clock import VirtualClock
from order_adapters.stores.postgres import PostgresStore, selection
from order_domain.model.enums import OrderStatus
from order_domain.model.rows import Change
from tests.builders import NOW, D, a_signal, a_signal_id, seconds
from tests.postgres_server import connected
from tests.row_builders import a_closed_order, a_signal_row, an_entry, id_of

QUERIES = (
    ("orders", selection._ORDERS, (NOW,)),
    ("signals", selection._SIGNALS, (NOW, [])),
    ("commands", selection._COMMANDS, ([],)),
    ("executions", selection._LEDGER, ([],)),
)


def a_filled(number: int) -> list[Change]:
    """One whose fill came before any report of it, long ago."""
    at = NOW - seconds(10_000 - number)
    filled = a_closed_order(
        number, at, status=OrderStatus.FILLED, cum_quantity=D("0.020"), reported_cum=D(0)
    )
    signal = a_signal(signal_id=a_signal_id(number), timestamp=at)
    entry = an_entry(number + 1, client_order_id=id_of(number), exec_id=f"e{number}")
    return [a_signal_row(number, signal=signal, decided_at=at), filled, entry]


def rows_read(plan: dict[str, Any]) -> int:
    """Rows that the scans of a plan gave or dropped, all their turns together."""
    rows = (
        plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        if "Scan" in plan["Node Type"]
        else 0
    )
    return int(rows * plan["Actual Loops"]) + sum(map(rows_read, plan.get("Plans", ())))


async def test_a_load_reads_as_few_rows_beside_many_orders_that_were_filled(
    emptied_postgres: str,
) -> None:
    store = PostgresStore(emptied_postgres, VirtualClock(NOW))
    await store.open()
    await store.journal.acquire(account="dry", owner="o", url="", ttl=seconds(10))
    await store.journal.flush(1, [row for number in range(500) for row in a_filled(number)])
    loaded = await store.journal.load(NOW)
    await store.close()
    found = {}
    async with connected(emptied_postgres) as connection:
        # so small a table would be read whole
        await connection.execute("SET enable_seqscan = off")
        await connection.execute("ANALYZE")
        for table, rest, given in QUERIES:
            query = f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT row_no FROM {table} {rest}"
            if table == "executions":
                query = query.replace("row_no", "number", 1)
            ((told,),) = await connection.fetch(query, *given)
            found[table] = rows_read(json.loads(told)[0]["Plan"])

    assert len(loaded) == 2  # the newest signal and the newest execution
    assert {table: rows for table, rows in found.items() if rows > 20} == {}

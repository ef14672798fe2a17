"""Rows of PostgreSQL that were stored before orders had a column for the id of their row."""

import asyncio

from order_adapters.clock import VirtualClock
from order_adapters.stores.postgres import PostgresStore
from order_domain.model.identifiers import order_row_id
from tests.builders import NOW, seconds
from tests.postgres_server import connected
from tests.row_builders import an_order_of

MORE_THAN_BOTH_AT_ONCE = 2_005


async def test_whoever_writes_such_a_row_fills_it_in(emptied_postgres: str) -> None:
    store = PostgresStore(emptied_postgres, VirtualClock(NOW))
    await store.open()
    await store.journal.acquire(account="dry", owner="o", url="", ttl=seconds(10))
    await store.journal.flush(1, [an_order_of(1)])
    async with connected(emptied_postgres) as connection:
        await connection.execute("UPDATE orders SET row_id = NULL")
    changed = an_order_of(1, version=2)
    await store.journal.flush(2, [changed])
    found = await store.views.order(order_row_id(changed.client_order_id))
    await store.close()

    assert found == changed


async def test_they_are_filled_in_when_the_store_is_opened_by_several_at_once(
    emptied_postgres: str,
) -> None:
    orders = [an_order_of(number) for number in range(MORE_THAN_BOTH_AT_ONCE)]
    store = PostgresStore(emptied_postgres, VirtualClock(NOW))
    await store.open()
    await store.journal.acquire(account="dry", owner="o", url="", ttl=seconds(10))
    await store.journal.flush(1, orders)
    await store.close()
    async with connected(emptied_postgres) as connection:
        await connection.execute("UPDATE orders SET row_id = NULL")

    others = [PostgresStore(emptied_postgres, VirtualClock(NOW)) for _ in range(2)]
    await asyncio.gather(*(each.open() for each in others))
    ends = [orders[0], orders[-1]]
    found = [await others[0].views.order(order_row_id(each.client_order_id)) for each in ends]
    for each in others:
        await each.close()
    async with connected(emptied_postgres) as connection:
        lacking = await connection.fetchval("SELECT count(*) FROM orders WHERE row_id IS NULL")

    assert found == ends
    assert lacking == 0

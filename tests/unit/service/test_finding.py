"""Finding: an order by any id that anybody was told, in any of its texts."""

from uuid import UUID

import pytest

from order_adapters.clock import VirtualClock
from order_adapters.stores.memory.store import MemoryStore
from order_domain.model.identifiers import order_row_id
from order_service.http.finding import find_order
from tests.builders import NOW, seconds
from tests.row_builders import an_order_of, id_of

ROW_ID = order_row_id(an_order_of(1).client_order_id)


@pytest.mark.parametrize(
    "name",
    [id_of(1), "v1", ROW_ID, ROW_ID.upper(), UUID(ROW_ID).hex, f"{{{ROW_ID}}}"],
    ids=["ours", "exchange", "row", "upper case", "hex", "braces"],
)
async def test_an_order_is_found_by_each_of_its_ids(name: str) -> None:
    store = MemoryStore(VirtualClock(NOW))
    await store.journal.acquire(account="dry", owner="o", url="", ttl=seconds(10))
    order = an_order_of(1, venue_order_id="v1")
    await store.journal.flush(1, [an_order_of(2), order])

    assert await find_order(store.views, name) == order


@pytest.mark.parametrize("name", ["", "v", id_of(2), str(UUID(int=5)), "x" * 1000])
async def test_what_nobody_was_told_finds_nothing(name: str) -> None:
    store = MemoryStore(VirtualClock(NOW))
    await store.journal.acquire(account="dry", owner="o", url="", ttl=seconds(10))
    await store.journal.flush(1, [an_order_of(1)])

    assert await find_order(store.views, name) is None

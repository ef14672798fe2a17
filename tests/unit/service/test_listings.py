"""Listings: every answer is what is stored now, whatever was kept of earlier ones."""

import json
from typing import Any

import msgspec
import pytest

from order_adapters.clock import VirtualClock
from order_adapters.stores.memory.store import MemoryStore
from order_domain.model.enums import OrderStatus
from order_domain.ports.views import OrderQuery
from order_service.http import listings as module
from order_service.http.listings import Listings
from order_service.http.order_view import order_view
from tests.builders import NOW, seconds
from tests.row_builders import an_order_of

TEN_SECONDS = seconds(10)


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore(VirtualClock(NOW))
    await store.journal.acquire(account="dry", owner="o", url="", ttl=TEN_SECONDS)
    return store


@pytest.fixture
def listings(store: MemoryStore) -> Listings:
    return Listings(store.views, True)


async def shown(listings: Listings, **query: Any) -> Any:
    return json.loads(msgspec.json.encode(await listings.page(OrderQuery(**query))))


def by_itself(number: int, **changes: Any) -> Any:
    view = order_view(an_order_of(number, **changes), is_dry_run=True)
    return json.loads(msgspec.json.encode(view))


async def test_a_page_asked_for_twice_is_the_same_and_each_order_as_by_itself(
    store: MemoryStore, listings: Listings
) -> None:
    await store.journal.flush(1, [an_order_of(1), an_order_of(2)])
    first, second = await shown(listings), await shown(listings)

    assert first == second
    assert first["orders"] == [by_itself(2), by_itself(1)]
    assert first["pagination"]["total_items"] == 2


async def test_an_order_shows_as_it_is_though_an_earlier_form_was_kept(
    store: MemoryStore, listings: Listings
) -> None:
    await store.journal.flush(1, [an_order_of(1), an_order_of(2)])
    await shown(listings)
    later = {"version": 2, "status": OrderStatus.FILLED}
    await store.journal.flush(2, [an_order_of(1, **later)])

    assert (await shown(listings))["orders"] == [by_itself(2), by_itself(1, **later)]


async def test_a_flush_that_a_failover_lost_shows_no_more(
    store: MemoryStore, listings: Listings
) -> None:
    await store.journal.flush(1, [an_order_of(1)])
    await store.journal.flush(2, [an_order_of(1, version=2, status=OrderStatus.FILLED)])
    await shown(listings)
    store.database.fail_over(1)

    assert (await shown(listings))["orders"] == [by_itself(1)]


async def test_a_page_shows_though_less_is_kept_than_it_holds(
    store: MemoryStore, listings: Listings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ORDERS_KEPT", 3)
    await store.journal.flush(1, [an_order_of(number) for number in range(1, 11)])

    for _ in range(2):
        found = (await shown(listings))["orders"]
        assert found == [by_itself(number) for number in range(10, 0, -1)]
    assert len(listings._orders) == 3


def test_only_so_many_query_strings_are_kept_and_the_oldest_is_forgotten(
    listings: Listings,
) -> None:
    for number in range(module.WORDS_KEPT + 1):
        listings.keep_words(b"offset=%d" % number, OrderQuery(offset=number))

    assert listings.asked_before(b"offset=0") is None
    assert listings.asked_before(b"offset=1") == OrderQuery(offset=1)
    assert len(listings._queries) == module.WORDS_KEPT


def test_a_query_string_of_any_length_is_not_kept(listings: Listings) -> None:
    words = b"limit=1&" + b"x" * module.LONGEST_WORDS
    listings.keep_words(words, OrderQuery(limit=1))

    assert listings.asked_before(words) is None

"""The PostgreSQL store on a server of its own, by way of a proxy: faults injected, not imagined."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import attrs
import pytest

from order_adapters.clock import VirtualClock
from order_adapters.stores.postgres import PostgresStore
from order_adapters.stores.postgres.limits import Limits
from order_adapters.stores.postgres.link import Connection, Link
from order_adapters.stores.postgres.migrator import migrate
from order_adapters.stores.postgres.place import Place
from order_domain.model.order import Order
from order_domain.ports.journal import FlushOutcome, LeaseHeld, StoreUnavailable
from tests.builders import NOW
from tests.faults.proxy import Proxy, Way
from tests.faults.servers import PrivatePostgres
from tests.postgres_server import EMPTY, connected
from tests.row_builders import an_alarm, an_order_of

ACCOUNT, TTL = "dry:default", timedelta(seconds=60)
SHORT = Limits(call=2.0, connect=2.0, statement=1.5, lock=0.5, idle_in_transaction=1.0)
DONE = b"Z\x00\x00\x00\x05I"
"""The server is ready and in no transaction: a flush is one statement, and has committed."""
EXECUTE = b"E\x00\x00\x00\x09\x00"
"""The client's word to run what it has prepared."""


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as running:
        asyncio.run(migrate(Place.of(running.url)))
        yield running


@pytest.fixture
async def url(server: PrivatePostgres) -> str:
    async with connected(server.url) as connection:
        await connection.execute(EMPTY)
    return server.url


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with Proxy(url) as running:
        yield running


@pytest.fixture
async def store(proxy: Proxy) -> AsyncIterator[PostgresStore]:
    """Owned, and reached by way of the proxy."""
    store = a_store(proxy.url)
    await store.open()
    await store.journal.acquire(account=ACCOUNT, owner="one", url="http://one", ttl=TTL)
    yield store
    proxy.heal()
    await store.close()


def a_store(url: str, limits: Limits = SHORT) -> PostgresStore:
    return PostgresStore(url, VirtualClock(NOW), limits)


async def orders_in(store: PostgresStore) -> int:
    return len([order async for order in store.views.stream(Order)])


async def ended(store: PostgresStore, flush_no: int, rows: list[Order]) -> FlushOutcome:
    """Run the same flush until it is answered, as the committer does."""
    while True:
        try:
            return (await store.journal.flush(flush_no, rows)).outcome
        except StoreUnavailable:
            await asyncio.sleep(0.05)


async def test_a_commit_whose_answer_was_lost_is_found_done_when_it_is_run_again(
    proxy: Proxy, store: PostgresStore
) -> None:
    rows = [an_order_of(1), an_order_of(2)]
    await store.journal.flush(1, [an_order_of(3)])  # the next one is prepared already
    proxy.set(to_client=Way(cut_at=DONE, passes=False))

    with pytest.raises(StoreUnavailable):
        await store.journal.flush(2, rows)
    proxy.heal()
    again = await store.journal.flush(2, rows)

    assert proxy.cuts == 1
    assert again.outcome is FlushOutcome.ALREADY
    assert await orders_in(store) == 3


async def test_a_commit_that_never_arrived_is_done_when_it_is_run_again(
    proxy: Proxy, store: PostgresStore
) -> None:
    rows = [an_order_of(1)]
    await store.journal.flush(1, [an_order_of(3)])  # the next one is prepared already
    proxy.set(to_server=Way(cut_at=EXECUTE, passes=False, is_reset=True))

    with pytest.raises(StoreUnavailable):
        await store.journal.flush(2, rows)
    before = proxy.cuts
    proxy.heal()

    assert await ended(store, 2, rows) is FlushOutcome.COMMITTED
    assert (before, await orders_in(store)) == (1, 2)


@pytest.mark.parametrize("number", [1, 40, 200, 700, 1500])
async def test_a_flush_cut_after_any_number_of_bytes_is_there_once_or_not_at_all(
    proxy: Proxy, store: PostgresStore, number: int
) -> None:
    rows = [an_order_of(n) for n in range(5)]
    proxy.set(to_server=Way(cut_after=number))

    with pytest.raises(StoreUnavailable):
        await store.journal.flush(1, rows)
    proxy.heal()
    async with connected(proxy.url) as connection:
        seen = await connection.fetchval("SELECT count(*) FROM orders")

    assert await ended(store, 1, rows) is FlushOutcome.COMMITTED
    assert (seen, await orders_in(store)) == (0, 5)


async def test_a_server_reached_byte_by_byte_is_a_server(
    proxy: Proxy, store: PostgresStore
) -> None:
    proxy.both(Way(slice=1))

    assert await ended(store, 1, [an_order_of(1)]) is FlushOutcome.COMMITTED


async def test_a_black_hole_frees_the_caller_and_what_waits_behind_it(
    proxy: Proxy, store: PostgresStore
) -> None:
    rows = [an_order_of(1)]
    proxy.both(Way(is_black_hole=True))
    flushes = [asyncio.create_task(store.journal.flush(1, rows)) for _ in range(2)]

    async with asyncio.timeout(30):
        answers = await asyncio.gather(*flushes, return_exceptions=True)
    proxy.cut()
    proxy.heal()

    assert [type(each) for each in answers] == [StoreUnavailable, StoreUnavailable]
    assert await ended(store, 1, rows) in (FlushOutcome.COMMITTED, FlushOutcome.ALREADY)
    assert await orders_in(store) == 1


async def test_a_frozen_server_frees_the_caller_and_serves_when_it_wakes(
    server: PrivatePostgres, store: PostgresStore
) -> None:
    rows = [an_order_of(1)]
    server.pause()
    try:
        with pytest.raises(StoreUnavailable):
            await store.journal.flush(1, rows)
    finally:
        server.resume()

    assert await ended(store, 1, rows) in (FlushOutcome.COMMITTED, FlushOutcome.ALREADY)
    assert await orders_in(store) == 1


async def test_nothing_that_was_answered_is_lost_by_a_killed_server(
    server: PrivatePostgres, store: PostgresStore
) -> None:
    done = asyncio.Event()

    async def write() -> int:
        number = 0
        while not done.is_set():
            number += 1
            assert await ended(store, number, [an_order_of(number)]) in (
                FlushOutcome.COMMITTED,
                FlushOutcome.ALREADY,
            )
        return number

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.3)
    await asyncio.to_thread(server.kill)
    server.spawn()
    await asyncio.to_thread(server.wait_until_up)
    await asyncio.sleep(0.1)
    done.set()
    written = await writing

    assert await orders_in(store) == written
    assert (await store.journal.look()).flush_no == written


async def test_what_the_client_makes_no_sense_of_is_trouble_with_the_server(url: str) -> None:
    """A connection that is cut in the middle of an answer says so now and then."""
    link = Link(Place.of(url), SHORT)
    used: list[object] = []

    async def confused(connection: Connection) -> None:
        used.append(connection)
        raise asyncpg.InternalClientError("got result for unknown protocol state 0")

    async def fine(connection: Connection) -> int:
        used.append(connection)
        return int(await connection.fetchval("SELECT 1"))

    with pytest.raises(StoreUnavailable):
        await link.run(confused)
    answer = await link.run(fine)
    await link.close()

    assert answer == 1
    assert used[0] is not used[1]


async def test_a_lock_that_somebody_holds_is_not_waited_for_without_end(
    url: str, store: PostgresStore
) -> None:
    async with connected(url) as other:
        await other.execute("BEGIN; LOCK TABLE orders")
        with pytest.raises(StoreUnavailable) as refused:
            await store.journal.flush(1, [an_order_of(1)])
        await other.execute("ROLLBACK")

    assert "lock timeout" in str(refused.value.details["reason"])
    assert await ended(store, 1, [an_order_of(1)]) is FlushOutcome.COMMITTED


async def test_a_cancelled_caller_leaves_a_commit_that_is_found_done(
    proxy: Proxy, store: PostgresStore
) -> None:
    rows = [an_order_of(n) for n in range(20)]
    proxy.both(Way(latency=0.05))
    flush = asyncio.create_task(store.journal.flush(1, rows))
    await asyncio.sleep(0.12)
    flush.cancel()

    again = await store.journal.flush(1, rows)

    assert flush.cancelled()
    assert again.outcome is FlushOutcome.ALREADY


async def test_a_store_that_came_back_without_the_last_commits_says_so(
    url: str, store: PostgresStore
) -> None:
    for number in (1, 2, 3):
        await store.journal.flush(number, [an_alarm(number)])
    async with connected(url) as connection:
        await connection.execute("UPDATE head SET flush_no = 1")

    lost = await store.journal.flush(4, [an_alarm(4)])

    assert lost.outcome is FlushOutcome.COMMITS_LOST


async def test_an_owner_cut_off_until_its_lease_was_taken_writes_nothing_more(
    url: str, proxy: Proxy, store: PostgresStore
) -> None:
    proxy.refuse()
    with pytest.raises(StoreUnavailable):
        await store.journal.flush(1, [an_order_of(1)])
    other = a_store(url)
    await other.open()
    with pytest.raises(LeaseHeld):
        await other.journal.acquire(account=ACCOUNT, owner="two", url="http://two", ttl=TTL)
    async with connected(url) as connection:
        await connection.execute("UPDATE head SET expires_at = clock_timestamp()")
    await other.journal.acquire(account=ACCOUNT, owner="two", url="http://two", ttl=TTL)
    proxy.heal()

    outcome = await ended(store, 1, [an_order_of(1)])
    await other.close()

    assert outcome is FlushOutcome.LEASE_LOST
    assert await orders_in(store) == 0


async def test_readers_without_end_share_a_few_connections(url: str, store: PostgresStore) -> None:
    looks = await asyncio.gather(*(store.journal.look() for _ in range(200)))
    async with connected(url) as connection:
        ours = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'order-manager'"
        )

    assert len(looks) == 200
    assert ours <= 4


async def test_a_server_that_takes_nobody_more_is_unavailable_and_then_is_not(
    url: str, server: PrivatePostgres
) -> None:
    async with connected(url) as admin:
        await admin.execute("ALTER DATABASE postgres CONNECTION LIMIT 1")
        await admin.execute("CREATE ROLE guest LOGIN")
        await admin.execute("GRANT USAGE ON SCHEMA order_manager TO guest")
        await admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA order_manager TO guest")
        guest = url.replace("postgres@", "guest@")
        try:
            with pytest.raises(StoreUnavailable):
                await a_store(guest).open()
        finally:
            await admin.execute("ALTER DATABASE postgres CONNECTION LIMIT -1")
        store = a_store(guest)
        await store.open()
        await store.close()
        await admin.execute("DROP OWNED BY guest; DROP ROLE guest")


def test_every_limit_is_one_that_the_server_hears_of_first() -> None:
    limits = attrs.asdict(Limits())

    assert limits["lock"] < limits["statement"] < limits["call"]


async def test_a_goodbye_of_the_server_that_comes_before_its_end_is_trouble_like_any_other(
    url: str,
) -> None:
    said = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"
    link = Link(Place.of(url), SHORT)
    await link.open()
    driver: Any = link._connection
    # a server that is stopped says so, and closes a moment later: in between the driver is idle
    driver._protocol.data_received(b"E" + struct.pack("!i", len(said) + 4) + said)
    with pytest.raises(StoreUnavailable):
        await link.run(lambda connection: connection.execute("SELECT 1"))
    again = await link.run(lambda connection: connection.fetchval("SELECT 1"))
    await link.close()

    assert again == 1

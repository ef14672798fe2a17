"""What can be made to go wrong with a store in memory."""

import asyncio

import pytest

from order_adapters.clock import VirtualClock
from order_adapters.stores.memory import MemoryDatabase, MemoryStore
from order_domain.model.events import Event
from order_domain.model.order import Order
from order_domain.model.rows import Change, Mark
from order_domain.model.steps import Need
from order_domain.ports.journal import ChangeRefused, FlushOutcome, StoreUnavailable
from tests.builders import NOW, an_order, seconds
from tests.row_builders import a_state, an_alarm, an_entry, an_order_of


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
async def store(clock: VirtualClock, database: MemoryDatabase) -> MemoryStore:
    store = MemoryStore(clock, database)
    await take(store)
    return store


async def take(store: MemoryStore, owner: str = "owner") -> None:
    await store.journal.acquire(account="dry:a", owner=owner, url="", ttl=seconds(10))


async def orders(store: MemoryStore) -> list[Order]:
    return [order async for order in store.views.stream(Order)]


async def test_a_lost_answer_hides_a_commit_and_the_same_flush_tells(
    store: MemoryStore, database: MemoryDatabase
) -> None:
    database.faults.lose_answers = 1

    with pytest.raises(StoreUnavailable):
        await store.journal.flush(1, [an_order()])

    assert await orders(store) == [an_order()]
    assert (await store.journal.flush(1, [an_order()])).outcome is FlushOutcome.ALREADY


async def test_a_failure_before_the_commit_leaves_nothing_and_the_same_flush_commits(
    store: MemoryStore, database: MemoryDatabase
) -> None:
    database.faults.fail_flushes = 1

    with pytest.raises(StoreUnavailable):
        await store.journal.flush(1, [an_order()])

    assert await orders(store) == []
    assert (await store.journal.flush(1, [an_order()])).outcome is FlushOutcome.COMMITTED


async def test_content_can_be_refused_and_then_the_flush_is_undone(
    store: MemoryStore, database: MemoryDatabase
) -> None:
    def refuse(change: Change) -> str | None:
        return "no events today" if isinstance(change, Event) else None

    database.faults.refuse = refuse
    await store.journal.flush(1, [Mark("m", NOW, 1)])

    with pytest.raises(ChangeRefused) as refused:
        await store.journal.flush(2, [Mark("m", NOW, 2), an_order(), an_entry(), an_alarm()])

    assert refused.value.details == {"table": "events", "reason": "no events today"}
    assert [row.number async for row in store.views.stream(Mark)] == [1]
    database.faults.refuse = None
    again = await store.journal.flush(2, [an_entry(), an_alarm()])
    assert (again.outcome, again.head.event_no) == (FlushOutcome.COMMITTED, 1)


async def test_while_it_is_away_nothing_answers(
    store: MemoryStore, database: MemoryDatabase
) -> None:
    database.faults.away = True
    calls = (
        store.journal.flush(1, ()),
        store.journal.load(NOW),
        store.journal.read(Need(orders=("x",))),
        store.journal.trading_states(),
        store.journal.set_trading_state(a_state()),
        store.journal.release(),
        store.outbox.events_after(0, 1),
        store.views.order("x"),
        store.views.order_events("x"),
        take(store),
    )

    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert {type(answer) for answer in answers} == {StoreUnavailable}
    database.faults.away = False
    assert (await store.journal.flush(1, ())).outcome is FlushOutcome.COMMITTED


async def test_a_failover_loses_whole_flushes_the_newest_first(
    store: MemoryStore, database: MemoryDatabase
) -> None:
    await store.journal.flush(1, [an_order_of(1), an_alarm(1), Mark("m", NOW, 1)])
    await store.journal.flush(2, [an_order_of(2), an_alarm(2), an_entry(1), Mark("m", NOW, 2)])
    await store.journal.flush(3, [an_order_of(1, version=2), an_alarm(3)])

    database.fail_over(2)

    assert (database.head.flush_no, database.head.event_no) == (1, 1)
    assert await orders(store) == [an_order_of(1)]
    assert [row.number async for row in store.views.stream(Mark)] == [1]
    assert (await store.journal.flush(4, ())).outcome is FlushOutcome.COMMITS_LOST


async def test_after_a_failover_a_new_epoch_writes_again_what_was_lost(
    store: MemoryStore, database: MemoryDatabase
) -> None:
    await store.journal.flush(1, [an_entry(1), an_alarm(1)])
    database.fail_over(1)
    await take(store)

    flushed = await store.journal.flush(1, [an_entry(1), an_alarm(1)])

    assert (flushed.outcome, flushed.head.event_no) == (FlushOutcome.COMMITTED, 1)


async def test_a_failover_keeps_the_lease_and_the_states(
    store: MemoryStore, database: MemoryDatabase
) -> None:
    await store.journal.flush(1, ())
    await store.journal.set_trading_state(a_state())
    epoch = database.head.epoch

    database.fail_over(1)

    assert (database.head.epoch, database.head.owner) == (epoch, "owner")
    assert await store.journal.trading_states() == (1, [a_state(version=1)])


async def test_a_slow_flush_is_judged_when_it_commits(
    store: MemoryStore, database: MemoryDatabase, clock: VirtualClock
) -> None:
    database.faults.delay = seconds(20)
    flush = asyncio.create_task(store.journal.flush(1, [an_order()]))
    await asyncio.sleep(0)
    clock.advance_to(NOW + seconds(15))
    await take(MemoryStore(clock, database), "second")
    clock.advance_to(NOW + seconds(20))

    assert (await flush).outcome is FlushOutcome.LEASE_LOST
    assert await orders(store) == []


async def test_the_database_outlives_its_users(
    store: MemoryStore, database: MemoryDatabase, clock: VirtualClock
) -> None:
    await store.journal.flush(1, [an_order()])
    await store.close()

    assert await orders(MemoryStore(clock, database)) == [an_order()]

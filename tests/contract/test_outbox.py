"""Outbox: committed events in their order, for relays."""

import pytest

from order_adapters.registry import Store
from order_domain.ports.journal import ChangeRefused
from order_domain.ports.outbox import NumberedEvent
from tests.builders import an_order
from tests.contract.backends import Backend
from tests.row_builders import an_alarm, an_entry, an_order_event


async def test_a_relay_reads_on_from_its_cursor(store: Store) -> None:
    events = [an_alarm(number) for number in range(1, 6)]
    await store.journal.flush(1, events)

    assert await store.outbox.events_after(0, 2) == [
        NumberedEvent(1, events[0]),
        NumberedEvent(2, events[1]),
    ]
    assert await store.outbox.events_after(2, 10) == [
        NumberedEvent(number, events[number - 1]) for number in (3, 4, 5)
    ]


async def test_after_the_last_event_there_is_nothing(store: Store) -> None:
    assert await store.outbox.events_after(0, 10) == []
    await store.journal.flush(1, [an_alarm()])
    assert await store.outbox.events_after(1, 10) == []


async def test_an_event_comes_back_with_the_order_and_the_execution_it_was_about(
    store: Store,
) -> None:
    event = an_order_event(an_order(), ledger=an_entry())
    await store.journal.flush(1, [event])

    assert await store.outbox.events_after(0, 1) == [NumberedEvent(1, event)]


async def test_events_of_a_refused_flush_are_not_there_and_leave_no_gap(store: Store) -> None:
    with pytest.raises(ChangeRefused):
        await store.journal.flush(1, [an_alarm(1), an_entry(1), an_entry(1)])
    await store.journal.flush(1, [an_alarm(2)])

    assert await store.outbox.events_after(0, 10) == [NumberedEvent(1, an_alarm(2))]


async def test_the_next_owner_numbers_on(backend: Backend, store: Store) -> None:
    await store.journal.flush(1, [an_alarm(1)])
    await store.journal.release()
    other = await backend.owned("second")

    await other.journal.flush(2, [an_alarm(2)])

    assert await store.outbox.events_after(1, 10) == [NumberedEvent(2, an_alarm(2))]

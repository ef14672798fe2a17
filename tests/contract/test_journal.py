"""The journal: one owner, one flush after the other, each wholly there or not at all."""

import asyncio
from collections.abc import Sequence
from typing import Any

import attrs
import pytest

from order_adapters.registry import Store
from order_domain.model.enums import OrderStatus, Trading
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import PositionSnapshot
from order_domain.model.rows import (
    ROW_TYPES,
    Change,
    Mark,
)
from order_domain.ports.journal import (
    ChangeRefused,
    FlushOutcome,
    Head,
    LeaseHeld,
    StateChanged,
    WrongMode,
)
from tests.builders import NOW, an_order, seconds
from tests.contract.backends import ACCOUNT, TTL, Backend
from tests.row_builders import (
    a_snapshot,
    a_state,
    an_alarm,
    an_entry,
    an_order_event,
    an_order_of,
    one_of_each,
)


async def rows_of(store: Store, row_type: type) -> list[Any]:
    return [row async for row in store.views.stream(row_type)]


async def head_of(store: Store) -> Head:
    """The head row, as a flush out of turn tells it."""
    return (await store.journal.flush(0, ())).head


async def acquire(store: Store, owner: str = "second", account: str = ACCOUNT) -> Head:
    return await store.journal.acquire(account=account, owner=owner, url="http://two", ttl=TTL)


class TestLease:
    async def test_the_first_owner_begins_at_epoch_1_and_flush_0(self, backend: Backend) -> None:
        store = await backend.another()

        head = await acquire(store)

        assert head == Head(ACCOUNT, "second", "http://two", 1, head.expires_at, 0, 0, 0)
        assert head == await head_of(store)

    async def test_a_second_owner_is_refused_and_told_who_has_it(
        self, backend: Backend, store: Store
    ) -> None:
        other = await backend.another()

        with pytest.raises(LeaseHeld) as held:
            await acquire(other)

        assert held.value.details == {
            "account": ACCOUNT,
            "owner": "owner",
            "url": "http://one",
            "expires_at": (await head_of(store)).expires_at,
        }

    async def test_a_released_lease_is_taken_at_once_and_the_numbers_go_on(
        self, backend: Backend, store: Store
    ) -> None:
        await store.journal.flush(1, [an_alarm()])
        await store.journal.release()

        head = await acquire(await backend.another())

        assert (head.epoch, head.flush_no, head.event_no) == (2, 1, 1)

    async def test_who_gave_the_lease_back_is_told_apart_from_who_died(
        self, backend: Backend, store: Store
    ) -> None:
        looks = [await head_of(store)]
        await backend.end_the_lease()
        looks.append(await head_of(store))
        await store.journal.release()
        looks.append(await head_of(store))
        await acquire(await backend.another())
        looks.append(await head_of(store))

        assert [head.is_given_back for head in looks] == [False, False, True, False]
        assert [head.owner for head in looks] == ["owner", "owner", "", "second"]

    async def test_an_account_that_never_had_an_owner_was_not_given_back(
        self, backend: Backend
    ) -> None:
        assert not (await head_of(await backend.another())).is_given_back

    async def test_an_owner_may_take_a_new_epoch_from_itself(self, store: Store) -> None:
        head = await acquire(store, owner="owner")

        assert head.epoch == 2
        assert (await store.journal.flush(1, ())).outcome is FlushOutcome.COMMITTED

    async def test_after_a_take_over_the_old_owner_writes_nothing_more(
        self, backend: Backend, store: Store
    ) -> None:
        other = await backend.another()
        await backend.end_the_lease()
        await acquire(other)

        flushed = await store.journal.flush(1, [an_order()])

        assert flushed.outcome is FlushOutcome.LEASE_LOST
        assert (flushed.head.owner, flushed.head.epoch) == ("second", 2)
        assert await rows_of(store, Order) == []

    async def test_the_release_of_a_lost_lease_takes_nothing_from_its_new_owner(
        self, backend: Backend, store: Store
    ) -> None:
        other = await backend.another()
        await backend.end_the_lease()
        taken = await acquire(other)

        await store.journal.release()

        flushed = await other.journal.flush(1, ())
        assert flushed.outcome is FlushOutcome.COMMITTED
        assert flushed.head.expires_at >= taken.expires_at

    async def test_who_never_took_the_lease_writes_nothing(self, backend: Backend) -> None:
        store = await backend.another()

        flushed = await store.journal.flush(1, [an_order()])

        assert flushed.outcome is FlushOutcome.LEASE_LOST
        assert await rows_of(store, Order) == []

    async def test_who_released_the_lease_writes_nothing(self, store: Store) -> None:
        await store.journal.release()

        assert (await store.journal.flush(1, ())).outcome is FlushOutcome.LEASE_LOST

    async def test_a_release_without_the_lease_does_nothing(
        self, backend: Backend, store: Store
    ) -> None:
        await (await backend.another()).journal.release()

        assert (await store.journal.flush(1, ())).outcome is FlushOutcome.COMMITTED

    async def test_every_flush_prolongs_the_lease(self, backend: Backend, store: Store) -> None:
        await backend.age_the_lease(seconds(3))
        before = await head_of(store)

        flushed = await store.journal.flush(1, ())

        assert flushed.head.expires_at >= before.expires_at + seconds(3)

    async def test_a_store_of_another_account_or_mode_is_refused(
        self, backend: Backend, store: Store
    ) -> None:
        await store.journal.release()
        other = await backend.another()

        with pytest.raises(WrongMode) as wrong:
            await acquire(other, account="main")

        assert wrong.value.details == {"account": "main", "found": ACCOUNT}
        assert (await acquire(await backend.another(), "third")).epoch == 2


class TestFlush:
    async def test_a_row_of_every_class_comes_back_as_it_was(self, store: Store) -> None:
        rows = one_of_each()

        await store.journal.flush(1, rows)

        found = [row for row_type in ROW_TYPES for row in await rows_of(store, row_type)]
        assert found == list(rows)

    async def test_events_are_numbered_without_a_gap_over_all_flushes(self, store: Store) -> None:
        first = await store.journal.flush(1, [an_alarm(1), an_order(), an_alarm(2)])
        second = await store.journal.flush(2, [an_alarm(3)])

        events = await store.outbox.events_after(0, 10)
        assert [numbered.number for numbered in events] == [1, 2, 3]
        assert [numbered.event.sequence for numbered in events] == [1, 2, 3]
        assert (first.head.event_no, second.head.event_no) == (2, 3)

    async def test_the_same_flush_again_changes_nothing(self, store: Store) -> None:
        rows = [an_alarm(), an_entry(), an_order()]
        await store.journal.flush(1, rows)

        flushed = await store.journal.flush(1, rows)

        assert flushed.outcome is FlushOutcome.ALREADY
        assert (flushed.head.flush_no, flushed.head.event_no) == (1, 1)
        assert len(await rows_of(store, Event)) == 1

    async def test_a_store_that_lost_commits_says_so(self, backend: Backend, store: Store) -> None:
        for number in (1, 2, 3):
            await store.journal.flush(number, [Mark("m", NOW, number)])
        await backend.lose_flushes(2)

        flushed = await store.journal.flush(4, [Mark("m", NOW, 4)])

        assert flushed.outcome is FlushOutcome.COMMITS_LOST
        assert flushed.head.flush_no == 1
        assert (await rows_of(store, Mark))[0].number < 4

    async def test_a_later_version_takes_the_place_of_the_earlier_one(self, store: Store) -> None:
        first, second = an_order_of(1), an_order_of(2)
        later = attrs.evolve(first, version=2, status=OrderStatus.FILLED, text="new")
        await store.journal.flush(1, [first, second])

        await store.journal.flush(2, [later])

        assert await rows_of(store, Order) == [later, second]

    async def test_of_several_versions_in_one_flush_the_last_stays(self, store: Store) -> None:
        first = an_order_of(1)
        later = attrs.evolve(first, version=2, status=OrderStatus.FILLED)
        events = [an_order_event(first), an_order_event(later)]

        await store.journal.flush(1, [first, events[0], an_order_of(2), later, events[1]])

        assert await rows_of(store, Order) == [later, an_order_of(2)]
        assert await rows_of(store, Event) == events

    async def test_an_empty_flush_counts(self, store: Store) -> None:
        await store.journal.flush(1, ())

        assert (await head_of(store)).flush_no == 1

    @pytest.mark.parametrize(
        ("before", "refused", "table"),
        [
            ([an_entry(1)], an_entry(2, exec_id="e1"), "executions"),
            ([an_entry(1)], an_entry(1, exec_id="e2"), "executions"),
            ([an_order_event(an_order())], an_order_event(an_order()), "events"),
        ],
        ids=["execution booked twice", "ledger number given twice", "order event told twice"],
    )
    async def test_a_flush_with_a_refused_row_leaves_nothing_behind(
        self, store: Store, before: Sequence[Change], refused: Change, table: str
    ) -> None:
        await store.journal.flush(1, before)
        rows = [an_order(), Mark("m", NOW, 1), an_alarm(), refused]

        with pytest.raises(ChangeRefused) as error:
            await store.journal.flush(2, rows)

        assert error.value.details["table"] == table
        head = await head_of(store)
        assert (head.flush_no, head.event_no) == (1, len(await rows_of(store, Event)))
        assert [await rows_of(store, kind) for kind in (Order, Mark)] == [[], []]
        assert (await store.journal.flush(2, rows[:3])).outcome is FlushOutcome.COMMITTED

    async def test_what_was_refused_once_within_a_flush_may_come_right(self, store: Store) -> None:
        with pytest.raises(ChangeRefused):
            await store.journal.flush(1, [an_entry(1), an_entry(2, exec_id="e1")])

        await store.journal.flush(1, [an_entry(1), an_entry(2)])

        assert await rows_of(store, LedgerEntry) == [an_entry(1), an_entry(2)]

    async def test_an_event_that_is_no_orders_may_be_told_again(self, store: Store) -> None:
        await store.journal.flush(1, [an_alarm(1)])

        flushed = await store.journal.flush(2, [an_alarm(1)])

        assert flushed.head.event_no == 2

    async def test_a_cancelled_caller_does_not_stop_the_commit(self, store: Store) -> None:
        rows = [an_order_of(number) for number in range(50)]
        flush = asyncio.create_task(store.journal.flush(1, rows))
        await asyncio.sleep(0)
        flush.cancel()

        again = await store.journal.flush(1, rows)

        assert again.outcome is FlushOutcome.ALREADY
        assert len(await rows_of(store, Order)) == 50


class TestLook:
    async def test_whoever_owns_nothing_sees_who_does_and_how_far_they_are(
        self, backend: Backend, store: Store
    ) -> None:
        other = await backend.another()
        before = await other.journal.look()
        flushed = await store.journal.flush(1, [an_alarm()])

        after = await other.journal.look()

        assert before.epoch == after.epoch
        assert after == flushed.head
        assert (after.flush_no, after.event_no) == (1, 1)

    async def test_before_the_first_owner_there_is_none(self, backend: Backend) -> None:
        head = await (await backend.another()).journal.look()

        assert (head.owner, head.epoch, head.flush_no) == ("", 0, 0)


class TestPrune:
    async def test_snapshots_older_than_30_days_go_and_nothing_else(self, store: Store) -> None:
        old, new = a_snapshot(NOW - seconds(31 * 86_400)), a_snapshot(NOW - seconds(29 * 86_400))
        await store.journal.flush(1, [old, new, an_order()])

        assert await store.prune() == 1

        assert await rows_of(store, PositionSnapshot) == [new]
        assert await rows_of(store, Order) == [an_order()]


class TestTradingStates:
    async def test_a_halt_needs_no_lease_and_no_first_start(self, backend: Backend) -> None:
        store = await backend.another()

        head = await store.journal.set_trading_state(a_state(version=0))

        assert head.states_version == 1
        assert await store.journal.trading_states() == (1, [a_state(version=1)])
        assert (await acquire(store)).states_version == 1

    async def test_the_owners_next_flush_reads_the_new_version(
        self, backend: Backend, store: Store
    ) -> None:
        before = await store.journal.flush(1, ())
        await (await backend.another()).journal.set_trading_state(a_state())

        after = await store.journal.flush(2, ())

        assert (before.head.states_version, after.head.states_version) == (0, 1)

    async def test_a_flush_does_not_write_over_a_halt_it_has_not_seen(
        self, backend: Backend, store: Store
    ) -> None:
        await (await backend.another()).journal.set_trading_state(a_state())

        flushed = await store.journal.flush(1, [a_state(state=Trading.ACTIVE, version=1)])

        version, rows = await store.journal.trading_states()
        assert rows == [a_state()]
        assert flushed.head.states_version == version == 2

    async def test_two_who_take_the_same_version_for_two_causes_are_both_seen(
        self, backend: Backend, store: Store
    ) -> None:
        await (await backend.another()).journal.set_trading_state(a_state())
        own = a_state(cause="STREAM", state=Trading.REDUCE_ONLY, version=1)

        flushed = await store.journal.flush(1, [own])

        assert flushed.head.states_version > own.version
        assert (await store.journal.trading_states())[1] == [a_state(), own]

    async def test_a_lift_of_another_version_than_the_one_that_stands_there_is_refused(
        self, backend: Backend
    ) -> None:
        journal = (await backend.another()).journal
        await journal.set_trading_state(a_state())
        await journal.set_trading_state(a_state(reason="again"))
        before = await journal.trading_states()

        for stale in (0, 1, 3):
            with pytest.raises(StateChanged):
                await journal.set_trading_state(a_state(state=Trading.ACTIVE), replaces=stale)
        untouched = await journal.trading_states()
        head = await journal.set_trading_state(a_state(state=Trading.ACTIVE), replaces=2)

        assert untouched == before
        assert head.states_version == 3
        assert [row.state for row in (await journal.trading_states())[1]] == [Trading.ACTIVE]

    async def test_of_two_who_lift_one_version_at_once_one_is_refused(
        self, backend: Backend
    ) -> None:
        journals = [(await backend.another()).journal for _ in range(2)]
        await journals[0].set_trading_state(a_state())

        answers = await asyncio.gather(
            *(
                each.set_trading_state(a_state(state=Trading.ACTIVE), replaces=1)
                for each in journals
            ),
            return_exceptions=True,
        )

        assert sorted(type(each).__name__ for each in answers) == ["Head", "StateChanged"]

    async def test_the_owner_lifts_what_it_has_seen(self, backend: Backend, store: Store) -> None:
        await (await backend.another()).journal.set_trading_state(a_state())
        lifted = a_state(state=Trading.ACTIVE, version=2)

        flushed = await store.journal.flush(1, [lifted])

        assert flushed.head.states_version == 2
        assert await store.journal.trading_states() == (2, [lifted])

"""One flush in flight, in step order; nothing is let go before it is durable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from order_adapters.stores.memory.journal import MemoryJournal
from order_domain.model.rows import Change, Mark
from order_service.runtime import passes
from order_service.runtime.outcome import End, EndReason
from tests.builders import NOW
from tests.unit.runtime.parts import ACCOUNT, TTL, Desk, a_desk, a_step, an_ack, turns, until


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[asyncio.Task[None]]:
    await desk.begin()
    task = asyncio.create_task(desk.committer.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, End):
            await task


async def test_a_step_is_let_go_once_it_is_written() -> None:
    desk = a_desk()
    async with running(desk):
        desk.add(a_step(1, effects=[an_ack(1)]))

        assert desk.released == []
        await turns()

        assert desk.numbers == [1]
        assert desk.committer.durable == 1
        assert [mark.name for mark in desk.database.rows[Mark].values()] == ["mark-1"]


async def test_nothing_is_let_go_while_the_commit_takes_its_time() -> None:
    desk = a_desk()
    desk.database.faults.delay = timedelta(seconds=1)
    async with running(desk):
        desk.add(a_step(1, effects=[an_ack(1)]))
        await turns()

        assert desk.released == []
        await until(desk.clock, lambda: bool(desk.released))

        assert desk.metrics.last_flush == timedelta(seconds=1)


async def test_steps_that_come_during_a_flush_share_the_next_one() -> None:
    desk = a_desk()
    desk.database.faults.delay = timedelta(milliseconds=5)
    async with running(desk):
        desk.add(a_step(1))
        await turns()
        for number in range(2, 8):
            desk.add(a_step(number))
        await until(desk.clock, lambda: desk.committer.tail == 0)

        assert desk.numbers == [1, 2, 3, 4, 5, 6, 7]
        assert desk.metrics.flushes == 2
        assert desk.metrics.largest_flush == 6


async def test_a_flush_holds_at_most_500_steps() -> None:
    desk = a_desk()
    async with running(desk):
        for number in range(1, 502):
            desk.add(a_step(number))
        await turns()

        assert desk.metrics.flushes == 2
        assert desk.metrics.largest_flush == 500


async def test_a_commit_whose_answer_is_lost_is_run_again_and_written_once() -> None:
    desk = a_desk()
    desk.database.faults.lose_answers = 2
    async with running(desk):
        desk.add(a_step(1, effects=[an_ack(1)]))
        await turns()

        assert desk.released == []
        assert desk.committer.store_away
        await until(desk.clock, lambda: bool(desk.released))

        assert desk.database.head.flush_no == 1
        assert desk.numbers == [1]
        assert not desk.committer.store_away


async def test_a_flush_that_failed_before_its_commit_is_run_again_with_the_same_content() -> None:
    desk = a_desk()
    desk.database.faults.fail_flushes = 1
    async with running(desk):
        desk.add(a_step(1))
        await turns()
        desk.add(a_step(2))
        await until(desk.clock, lambda: desk.committer.tail == 0)

        assert desk.numbers == [1, 2]
        assert desk.database.head.flush_no == 2


async def test_a_store_that_stays_away_is_asked_until_it_is_back() -> None:
    desk = a_desk()
    async with running(desk):
        desk.database.faults.away = True
        desk.add(a_step(1))
        await turns()
        for _ in range(20):
            assert desk.committer.is_waiting
            assert desk.committer.retry_at == desk.clock.next_deadline
            desk.clock.advance_to(desk.committer.retry_at or desk.clock.now())
            await turns()
        assert desk.committer.is_behind
        desk.database.faults.away = False
        await until(desk.clock, lambda: bool(desk.released))

        assert desk.metrics.outages == 1
        assert not desk.committer.is_behind


async def test_a_lost_lease_ends_the_right_to_send_at_once() -> None:
    desk = a_desk()
    async with running(desk) as task:
        desk.database.head.expires_at = NOW
        other = MemoryJournal(desk.database, desk.clock)
        await other.acquire(account=ACCOUNT, owner="other", url="", ttl=TTL)
        assert desk.lease.until > desk.clock.monotonic()
        desk.add(a_step(1, effects=[an_ack(1)]))
        await turns()

        with pytest.raises(End) as ended:
            await task
        assert ended.value.reason is EndReason.LEASE_LOST
        assert desk.released == []
        assert desk.lease.until < desk.clock.monotonic()


async def test_a_database_that_forgot_commits_ends_the_runtime() -> None:
    desk = a_desk()
    async with running(desk) as task:
        for number in (1, 2):
            desk.add(a_step(number))
            await turns()
        desk.database.fail_over(1)
        desk.add(a_step(3, effects=[an_ack(3)]))
        await turns()

        with pytest.raises(End) as ended:
            await task
        assert ended.value.reason is EndReason.COMMITS_LOST
        assert desk.numbers == [1, 2]


async def test_a_refused_change_stops_the_writing_and_keeps_the_inputs() -> None:
    desk = a_desk()
    desk.database.faults.refuse = lambda row: "bad" if _is_mark(row, "mark-2") else None
    async with running(desk):
        desk.database.faults.delay = timedelta(milliseconds=1)
        desk.add(a_step(1))
        await turns()
        desk.add(a_step(2), message="second")
        desk.add(a_step(3), message="third")
        await until(desk.clock, lambda: desk.committer.refused is not None)

        assert desk.numbers == [1]
        assert desk.committer.take_tail(desk.database.head) == ["second", "third"]


async def test_what_was_committed_unheard_is_told_and_its_inputs_are_not_kept() -> None:
    desk = a_desk()
    desk.database.faults.lose_answers = 1
    async with running(desk):
        desk.add(a_step(1), message="committed")
        await turns()
        desk.add(a_step(2), message="open")

        assert desk.committer.take_tail(desk.database.head) == ["open"]
        assert [entry.message for entry in desk.unheard] == ["committed"]


async def test_a_row_that_rides_along_is_written_with_the_next_flush_and_only_the_newest() -> None:
    desk = a_desk()
    async with running(desk):
        desk.committer.carry(Mark("relay:a", NOW, 1))
        desk.committer.carry(Mark("relay:a", NOW, 2))
        await turns()
        assert desk.metrics.flushes == 0

        desk.add(a_step(1))
        await turns()

        assert desk.database.rows[Mark]["relay:a"].number == 2
        assert desk.committer.is_empty


async def test_a_row_that_came_during_the_flush_rides_in_the_one_after() -> None:
    desk = a_desk()
    desk.database.faults.delay = timedelta(milliseconds=5)
    async with running(desk):
        desk.committer.carry(Mark("relay:a", NOW, 1))
        desk.add(a_step(1))
        await turns()
        desk.committer.carry(Mark("relay:a", NOW, 2))
        await until(desk.clock, lambda: desk.committer.tail == 0)
        assert not desk.committer.is_empty
        desk.committer.request_flush()
        await until(desk.clock, lambda: desk.committer.is_empty)

        assert desk.database.rows[Mark]["relay:a"].number == 2


async def test_steps_that_say_nothing_cost_no_flush_but_keep_their_place() -> None:
    desk = a_desk()
    async with running(desk):
        desk.add(a_step(1, changes=[]))
        desk.add(a_step(2, changes=[]))
        await turns()

        assert desk.metrics.flushes == 0
        assert desk.committer.durable == 2


async def test_an_effect_without_rows_waits_for_a_flush_all_the_same() -> None:
    desk = a_desk()
    desk.database.faults.away = True
    async with running_again(desk):
        desk.add(a_step(1, changes=[], effects=[an_ack(1)]))
        await turns()

        assert desk.released == []


@asynccontextmanager
async def running_again(desk: Desk) -> AsyncIterator[None]:
    """Begin while the store is there, then let it go away."""
    desk.database.faults.away = False
    async with running(desk):
        desk.database.faults.away = True
        yield


async def test_more_than_1000_open_steps_or_2_s_is_too_far_behind() -> None:
    desk = a_desk()
    await desk.begin()
    for number in range(1000):
        desk.add(a_step(number))
    assert not desk.committer.is_behind
    desk.clock.advance_to(NOW + timedelta(seconds=2))
    assert not desk.committer.is_behind
    desk.clock.advance_to(NOW + timedelta(seconds=2, milliseconds=1))
    assert desk.committer.is_behind

    younger = a_desk()
    for number in range(1001):
        younger.add(a_step(number))
    assert younger.committer.is_behind


async def test_a_commit_under_way_is_let_finish_when_the_runtime_ends() -> None:
    desk = a_desk()
    desk.database.faults.delay = timedelta(seconds=1)
    async with running(desk):
        desk.add(a_step(1))
        await turns()
    landing = asyncio.create_task(desk.committer.land())
    await until(desk.clock, landing.done)

    assert desk.database.head.flush_no == 1


def _is_mark(row: Change, name: str) -> bool:
    return isinstance(row, Mark) and row.name == name


async def test_the_third_step_behind_a_flush_under_way_is_a_crash_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed: list[str] = []
    monkeypatch.setattr(passes, "crash_point", passed.append)
    desk = a_desk()
    desk.database.faults.delay = timedelta(milliseconds=5)
    async with running(desk):
        desk.add(a_step(1))
        await turns()
        desk.add(a_step(2))
        desk.add(a_step(3))
        assert passed == []
        desk.add(a_step(4))

    assert passed == ["flush.in_flight"]

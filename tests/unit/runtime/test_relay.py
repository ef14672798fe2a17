"""Events go out in number order, at least once, and on from the stored cursor."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import attrs

from order_adapters.clock import VirtualClock
from order_adapters.messaging.memory import MemoryPublisher
from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.views import MemoryOutbox
from order_domain.model.rows import Mark
from order_domain.ports.outbox import NumberedEvent
from order_service.runtime.metrics import Metrics
from order_service.runtime.pulse import Pulse
from order_service.runtime.relay import BATCH, Relay
from tests.builders import NOW
from tests.unit.runtime.parts import an_event, turns, until


@attrs.define
class Post:
    clock: VirtualClock
    database: MemoryDatabase
    publisher: MemoryPublisher
    relay: Relay
    carried: list[Mark]

    @property
    def numbers(self) -> list[int]:
        return [event.number for event in self.publisher.published]

    def commit(self, count: int) -> None:
        for _ in range(count):
            self.database.write([an_event(self.database.head.event_no + 1)], self.database.head)
        self.relay.advance(self.database.head.event_no)


@asynccontextmanager
async def a_post(cursor: int = 0) -> AsyncIterator[Post]:
    clock, database, publisher = VirtualClock(NOW), MemoryDatabase(), MemoryPublisher()
    carried: list[Mark] = []
    relay = Relay(
        "bus", MemoryOutbox(database), publisher, clock, Metrics(), Pulse(), carried.append
    )
    relay.begin(cursor)
    task = asyncio.create_task(relay.run())
    try:
        yield Post(clock, database, publisher, relay, carried)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_committed_events_go_out_in_number_order() -> None:
    async with a_post() as post:
        post.commit(BATCH + 5)
        assert not post.relay.is_idle
        await turns()

        assert post.numbers == list(range(1, BATCH + 6))
        assert post.relay.is_done
        assert post.carried[-1] == Mark("relay:bus", NOW, BATCH + 5)


async def test_a_relay_goes_on_behind_its_stored_cursor() -> None:
    async with a_post(cursor=2) as post:
        post.commit(4)
        await turns()

        assert post.numbers == [3, 4]


async def test_a_publisher_that_is_away_gets_the_same_event_again_and_nothing_is_skipped() -> None:
    async with a_post() as post:
        post.publisher.away = True
        post.commit(3)
        await turns()
        assert post.relay.failure is not None
        assert post.relay.is_idle
        assert not post.relay.is_done
        assert post.relay.retry_at == post.clock.next_deadline

        post.publisher.away = False
        await until(post.clock, lambda: post.relay.is_done, timedelta(seconds=5))

        assert post.numbers == [1, 2, 3]
        assert post.relay.failure is None


async def test_the_cursor_never_runs_ahead_of_what_is_published() -> None:
    async with a_post() as post:
        post.commit(2)
        await turns()
        post.publisher.away = True
        post.commit(2)
        await turns()

        assert post.relay.cursor == 2
        assert post.carried[-1].number == 2


class Counter:
    """Publishes when told to; notes what was on its way and what is safe, in order."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.safe: list[int] = []
        self.failing: set[int] = set()
        self.gate = asyncio.Event()

    async def publish(self, event: NumberedEvent) -> None:
        self.begun.append(event.number)
        await self.gate.wait()
        if event.number in self.failing:
            raise ConnectionError(f"event {event.number}")
        self.safe.append(event.number)


def commit(post: Post, *subjects: str) -> None:
    for subject in subjects:
        head = post.database.head
        event = attrs.evolve(an_event(head.event_no + 1), subject=subject)
        post.database.write([event], head)
    post.relay.advance(post.database.head.event_no)


async def test_events_of_different_orders_go_out_together_and_those_of_one_in_turn() -> None:
    async with a_post() as post:
        counter = Counter()
        post.relay._publisher = counter
        commit(post, "a", "b", "a", "c", "a")
        await turns()
        assert counter.begun == [1, 2, 4]

        counter.gate.set()
        await turns()

        assert counter.safe.index(1) < counter.safe.index(3) < counter.safe.index(5)
        assert post.relay.cursor == 5


async def test_an_event_that_fails_holds_its_order_up_and_nothing_that_is_safe_goes_again() -> None:
    async with a_post() as post:
        counter = Counter()
        post.relay._publisher = counter
        counter.failing, _ = {1}, counter.gate.set()
        commit(post, "a", "b", "a", "b")
        await turns()
        assert counter.begun == [1, 2, 4]
        assert (post.relay.cursor, post.carried) == (0, [])

        counter.failing = set()
        await until(post.clock, lambda: post.relay.is_done, timedelta(seconds=5))

        assert counter.begun == [1, 2, 4, 1, 3]
        assert counter.safe == [2, 4, 1, 3]
        assert post.carried[-1].number == 4


async def test_a_publisher_of_many_takes_all_that_were_read_or_none() -> None:
    class Table:
        def __init__(self) -> None:
            self.rows: list[list[int]] = []
            self.away = True

        async def publish_all(self, events: Sequence[NumberedEvent]) -> None:
            if self.away:
                raise ConnectionError("away")
            self.rows.append([event.number for event in events])

    async with a_post() as post:
        table = Table()
        post.relay._publisher = table
        post.commit(3)
        await turns()
        assert post.relay.cursor == 0
        table.away = False
        await until(post.clock, lambda: post.relay.is_done, timedelta(seconds=5))

        assert table.rows == [[1, 2, 3]]
        assert [mark.number for mark in post.carried] == [3]


class Group:
    """Takes many events, each with a fate of its own; notes what it was given at once."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.failing: set[int] = set()

    async def publish_each(self, events: Sequence[NumberedEvent]) -> Sequence[Exception | None]:
        self.turns.append([each.number for each in events])
        return [
            ConnectionError(f"event {each.number}") if each.number in self.failing else None
            for each in events
        ]


async def test_a_group_gets_the_first_event_of_each_order_then_the_next() -> None:
    async with a_post() as post:
        group = post.relay._publisher = Group()
        commit(post, "a", "b", "a", "c", "a")
        await turns()

        assert group.turns == [[1, 2, 4], [3], [5]]
        assert post.relay.cursor == 5


async def test_what_fails_in_a_group_holds_its_order_up_and_what_is_safe_does_not_go_again() -> (
    None
):
    async with a_post() as post:
        group = post.relay._publisher = Group()
        group.failing = {1}
        commit(post, "a", "b", "a", "b")
        await turns()
        assert group.turns == [[1, 2], [4]]
        assert (post.relay.cursor, post.carried) == (0, [])

        group.failing = set()
        await until(post.clock, lambda: post.relay.is_done, timedelta(seconds=5))

        assert group.turns == [[1, 2], [4], [1], [3]]
        assert post.carried[-1].number == 4


class Closed:
    """An outbox that nobody may read."""

    async def events_after(self, number: int, limit: int) -> Sequence[NumberedEvent]:
        raise AssertionError(f"read after {number}, at most {limit}")


def told(*numbers: int) -> list[NumberedEvent]:
    return [NumberedEvent(number, an_event(number)) for number in numbers]


async def test_events_told_with_their_commit_are_not_read_again() -> None:
    async with a_post() as post:
        post.relay._outbox = Closed()
        post.relay.advance(2, told(1, 2))
        await turns()
        post.relay.advance(3, told(3))
        await turns()

        assert post.numbers == [1, 2, 3]
        assert post.relay.failure is None


async def test_events_from_before_those_that_were_told_are_read() -> None:
    async with a_post() as post:
        for number in range(1, 6):
            post.database.write([an_event(number)], post.database.head)
        post.relay.advance(4, told(4))
        post.relay.advance(5, told(5))
        await turns()

        assert post.numbers == [1, 2, 3, 4, 5]


async def test_of_two_commits_with_a_gap_between_them_no_event_is_left_out() -> None:
    async with a_post() as post:
        post.publisher.away = True
        for number in range(1, 5):
            post.database.write([an_event(number)], post.database.head)
        post.relay.advance(1, told(1))
        post.relay.advance(4, told(4))
        post.publisher.away = False
        await until(post.clock, lambda: post.relay.is_done, timedelta(seconds=5))

        assert post.numbers == [1, 2, 3, 4]


class Slow(Group):
    """Answers for a group when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: list[asyncio.Event] = []

    async def publish_each(self, events: Sequence[NumberedEvent]) -> Sequence[Exception | None]:
        gate = asyncio.Event()
        self.gates.append(gate)
        fates = await super().publish_each(events)
        await gate.wait()
        return fates


def told_of(number: int, subject: str) -> NumberedEvent:
    return NumberedEvent(number, attrs.evolve(an_event(number), subject=subject))


async def test_an_event_waits_for_its_order_and_not_for_a_group_that_is_on_its_way() -> None:
    async with a_post() as post:
        group = post.relay._publisher = Slow()
        post.relay.advance(1, [told_of(1, "a")])
        await turns()
        post.relay.advance(3, [told_of(2, "a"), told_of(3, "b")])
        await turns()
        assert group.turns == [[1], [3]]

        group.gates[1].set()
        await turns()
        assert (group.turns, post.relay.cursor) == ([[1], [3]], 0)

        group.gates[0].set()
        await turns()
        assert (group.turns, post.relay.cursor) == ([[1], [3], [2]], 1)

        group.gates[2].set()
        await turns()
        assert post.relay.is_done

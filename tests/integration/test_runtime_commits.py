"""Nothing leaves before its commit, whatever the store does."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from order_domain.model.enums import OrderStatus, Side, Trading
from order_domain.model.execution import LedgerEntry
from order_domain.model.position import Position
from order_domain.model.rows import TradingStateRow
from order_domain.model.steps import SendCreate
from order_service.runtime.outcome import EndReason
from tests.builders import NOW, D, a_signal_id
from tests.integration.runtime_world import World

MS = timedelta(milliseconds=1)
TROUBLE = st.tuples(
    st.sampled_from(["fail", "lose", "slow", "away", "back"]),
    st.integers(1, 3),
    st.integers(0, 1500),
)


def turn(world: World, knob: str, amount: int) -> None:
    faults = world.database.faults
    if knob == "fail":
        faults.fail_flushes = amount
    elif knob == "lose":
        faults.lose_answers = amount
    elif knob == "slow":
        faults.delay = amount * 100 * MS
    else:
        faults.away = knob == "away"


async def test_a_signal_becomes_an_order_and_a_fill_and_everybody_is_told() -> None:
    world = World()
    await world.start()
    await world.signal(1)
    await world.until(lambda: bool(world.orders) and world.is_at_rest)

    (order,) = world.orders
    assert order.status is OrderStatus.FILLED
    assert world.published == list(range(1, world.database.head.event_no + 1))
    assert (await world.stop()).reason is EndReason.STOPPED


@settings(max_examples=40)
@given(trouble=st.lists(TROUBLE, max_size=8), pauses=st.lists(st.integers(0, 900), min_size=3))
async def test_whatever_the_store_does_nothing_leaves_before_its_commit_and_nothing_is_lost(
    trouble: list[tuple[str, int, int]], pauses: list[int]
) -> None:
    world = World(latency=20 * MS)
    await world.start()
    script = list(trouble)
    for number, pause in enumerate(pauses[:6], start=1):
        await world.signal(number, side=Side.BUY if number % 2 else Side.SELL, amount=D(500))
        await world.pass_time(pause * MS)
        if script:
            knob, amount, after = script.pop(0)
            turn(world, knob, amount)
            await world.pass_time(after * MS)
    world.database.faults.away = False
    world.database.faults.delay = timedelta(0)
    await world.until(lambda: world.is_at_rest, timedelta(minutes=10))

    for sent in world.creates:
        assert sent.stored is not None
        assert sent.stored.attempt >= sent.command.order.attempt
        assert sent.stored.request_ts is not None
    attempts = [(s.command.order.client_order_id, s.command.order.attempt) for s in world.creates]
    assert len(attempts) == len(set(attempts))
    assert len(world.signals) == min(len(pauses), 6)
    assert world.published == list(range(1, world.database.head.event_no + 1))
    assert _booked(world) == _held(world)
    assert (await world.stop()).reason is EndReason.STOPPED


def _booked(world: World) -> D:
    return sum((position.size for position in world.database.rows[Position].values()), D(0))


def _held(world: World) -> D:
    reports = world.exchange.positions(world.clock.now())
    return sum((report.size for report in reports), D(0))


async def test_an_order_is_not_sent_while_its_commit_is_unknown() -> None:
    world = World()
    await world.start()
    world.database.faults.lose_answers = 3
    await world.signal(1)
    await world.turns()
    assert len(world.orders) == 1
    assert world.venue.sent == []
    await world.until(lambda: bool(world.venue.sent))

    assert len(world.creates) == 1
    await world.until(lambda: world.is_at_rest)
    await world.stop()


async def test_after_a_commit_of_9_s_nothing_leaves_that_it_released() -> None:
    world = World()
    await world.start()
    world.database.faults.delay = timedelta(seconds=9)
    await world.signal(1)
    await world.until(lambda: world.runtime.metrics.not_sent > 0)

    assert world.creates == []
    world.database.faults.delay = timedelta(0)
    await world.until(lambda: world.is_at_rest)
    await world.stop()


async def test_while_the_store_is_away_facts_are_taken_and_signals_wait() -> None:
    world = World(latency=200 * MS)
    await world.start()
    await world.signal(1)
    await world.until(lambda: len(world.creates) == 1)
    world.database.faults.away = True
    before = world.runtime.metrics.facts
    await world.pass_time(timedelta(seconds=4))
    await world.signal(2)
    await world.pass_time(timedelta(seconds=4))

    assert world.runtime.metrics.facts > before
    assert world.runtime.metrics.signals == 1
    assert not world.runtime.is_ready
    assert len(world.creates) == 1
    assert [row.signal.signal_id for row in world.signals] == [a_signal_id(1)]

    world.database.faults.away = False
    await world.until(lambda: world.is_at_rest)
    assert world.runtime.is_ready
    assert len(world.database.rows[LedgerEntry]) == 2
    await world.stop()


async def test_a_halt_that_another_process_wrote_holds_back_what_was_decided_before_it() -> None:
    world = World()
    await world.start()
    world.database.faults.delay = 50 * MS
    await world.signal(1)
    await world.turns()
    await world.store.journal.set_trading_state(
        TradingStateRow("account", "OPERATOR", Trading.HALTED, 0, "fire", "ann", NOW)
    )
    await world.pass_time(timedelta(seconds=1))

    assert world.creates == []
    assert world.runtime.metrics.not_sent == 1
    await world.until(lambda: world.is_at_rest)
    assert [order.cum_quantity for order in world.orders] == [D(0)]
    await world.stop()


async def test_creates_go_out_in_the_order_of_their_steps() -> None:
    world = World()
    await world.start()
    world.database.faults.delay = 30 * MS
    for number in range(1, 6):
        await world.signal(number, amount=D(500))
    await world.until(lambda: len(world.creates) == 5)

    ids = [row.order_ids[0] for row in world.signals]
    sent = [s.command.order.client_order_id for s in world.creates]
    assert all(isinstance(s.command, SendCreate) for s in world.creates)
    assert sent == ids
    await world.until(lambda: world.is_at_rest)
    await world.stop()

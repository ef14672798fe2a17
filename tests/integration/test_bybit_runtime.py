"""A whole runtime trading on a Bybit account: our books and the exchange's are the same."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from order_adapters.clock import SystemClock
from order_adapters.messaging.memory import MemoryPublisher, MemorySignalSource
from order_adapters.simulator import Fault, FaultKind
from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.store import MemoryStore
from order_adapters.venues.bybit.link import LinkTiming
from order_domain.config import EngineConfig
from order_domain.engine import Engine
from order_domain.model.enums import OrderStatus, Origin, Side
from order_domain.model.execution import LedgerEntry
from order_domain.model.inputs import SignalDelivered
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.parts import Ports
from order_service.runtime.runtime import Runtime
from tests.builders import BTC, D, a_signal, a_signal_id
from tests.integration.bybit_world import World, a_world


class Desk:
    """A runtime with its store, on a venue."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = SystemClock()
        self.database = MemoryDatabase()
        store = MemoryStore(self.clock, self.database)
        self.source = MemorySignalSource()
        config = EngineConfig(account="default", environment="custom")
        self.runtime = Runtime(
            RuntimeConfig(owner="me"),
            config,
            lambda: Engine(config),
            Ports(
                journal=store.journal,
                outbox=store.outbox,
                venue=world.venue,
                source=self.source,
                publishers={"bus": MemoryPublisher()},
                clock=self.clock,
            ),
        )

    async def signal(self, number: int, **changes: Any) -> None:
        """A signal so sure of itself that it takes the market's price."""
        values = {
            "signal_id": a_signal_id(number),
            "timestamp": self.clock.now(),
            "body_hash": f"h{number}",
            "body": "{}",
            "confidence": D(1),
        }
        await self.source.put(SignalDelivered(number, a_signal(**values | changes)))

    @property
    def orders(self) -> list[Order]:
        return list(self.database.rows[Order].values())

    @property
    def ours(self) -> list[Order]:
        """Orders that signals made."""
        return [order for order in self.orders if order.terms.origin is Origin.SIGNAL]

    @property
    def ledger(self) -> list[LedgerEntry]:
        return list(self.database.rows[LedgerEntry].values())

    @property
    def position(self) -> Any:
        rows = self.database.rows[Position].values()
        return next((row.size for row in rows if row.instrument_id == BTC), D(0))

    @property
    def at_exchange(self) -> Any:
        positions = self.world.account.exchange.account.positions.values()
        return sum((each.size for each in positions), D(0))

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():  # noqa: ASYNC110 -- what it waits for rings no bell
            await asyncio.sleep(0.01)


@asynccontextmanager
async def trading(*faults: Fault, **config: Any) -> AsyncIterator[Desk]:
    async with a_world(*faults, opens=False, **config) as world:
        desk = Desk(world)
        await desk.runtime.start()
        await desk.until(lambda: world.venue.health.stream)
        try:
            yield desk
        finally:
            await desk.runtime.stop()
            await world.venue.close()


@pytest.mark.parametrize("by_socket", [True, False])
async def test_a_signal_becomes_one_order_and_the_same_position_on_both_sides(
    by_socket: bool,
) -> None:
    async with trading(trades_by_socket=by_socket) as desk:
        await desk.signal(1)
        await desk.until(lambda: any(o.status is OrderStatus.FILLED for o in desk.orders))
        await desk.signal(2, side=Side.SELL, amount=D(500))
        await desk.until(lambda: len(desk.ledger) == 2 and desk.position == desk.at_exchange)
        orders = desk.world.account.exchange.records.orders
        booked = {entry.execution.exec_id for entry in desk.ledger}
        ours = {order.client_order_id for order in desk.orders}

    assert {order.status for order in desk.orders} == {OrderStatus.FILLED}
    assert set(orders) == ours
    assert len(booked) == 2
    assert desk.position > 0


@pytest.mark.parametrize("by_socket", [True, False])
async def test_a_lost_answer_costs_no_second_order_and_no_fill(by_socket: bool) -> None:
    lost = Fault(kind=FaultKind.LOSE_ANSWER, request="create")
    async with trading(lost, trades_by_socket=by_socket, answer_within=2.6) as desk:
        await desk.signal(1)
        await desk.until(lambda: any(o.status is OrderStatus.FILLED for o in desk.orders))
        await desk.until(lambda: desk.position == desk.at_exchange)
        made = len(desk.world.account.exchange.records.orders)

    assert made == 1
    assert len(desk.ledger) == 1
    assert desk.position > 0


async def test_w1_fills_that_the_stream_never_told_are_booked_by_the_sweep_after_it() -> None:
    slow = LinkTiming(first_wait=1.0, longest_wait=1.0)
    async with trading(trades_by_socket=False, link=slow) as desk:
        desk.world.server.app.disconnect("private")
        await desk.until(lambda: not desk.world.venue.health.stream)
        account = desk.world.account
        account.exchange.admin.place(BTC, Side.BUY, D("0.01"), account.exchange_now())
        account.pump()
        await desk.until(lambda: desk.position == D("0.01"))

    assert [entry.strategy_id for entry in desk.ledger] == ["EXTERNAL"]
    assert desk.position == desk.at_exchange


async def test_a_banned_account_is_not_tried_every_100_ms_and_goes_on_when_the_ban_is_over() -> (
    None
):
    async with trading(trades_by_socket=False) as desk:
        budget = desk.world.venue._client.budget
        engine = desk.runtime._parts.stepper.engine
        assert isinstance(engine, Engine)
        await desk.until(lambda: not engine.is_behind_barrier)
        budget.stop_http(600)
        await desk.until(lambda: not engine._watch.transport_up)
        await desk.signal(1)
        await desk.until(lambda: bool(desk.orders))
        for _ in range(100):
            await asyncio.sleep(0.01)
        waiting = [(order.status, order.attempt) for order in desk.orders]
        budget.http_stopped_until = 0.0
        await desk.until(lambda: any(o.status is OrderStatus.FILLED for o in desk.orders))

    assert waiting == [(OrderStatus.INTENT, 0)]
    assert [order.attempt for order in desk.orders] == [1]

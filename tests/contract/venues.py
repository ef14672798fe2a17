"""Exchange accounts behind the Venue port, each with a hand on the exchange itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import attrs

from order_adapters.clock import SystemClock
from order_adapters.simulator import (
    Fault,
    FaultKind,
    FaultScript,
    SimulatedExchange,
    SimulatorConfig,
)
from order_adapters.venues.simulated import SimulatedVenue
from order_domain.model.enums import OrderStatus, OrderType, TimeInForce
from order_domain.model.inputs import StreamState
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.steps import LookUp, SendAmend, SendCancel, SendCreate
from order_domain.ports.venue import Fact, Venue
from tests.builders import D, a_quote, an_instrument, an_order
from tests.integration.bybit_world import a_world

TIMEOUT: Final = timedelta(seconds=2.6)
BTC_USDT: Final = an_instrument()


@attrs.define
class Bench:
    """An open account and what it told.

    `core` is the matching core behind it, `pump` has it do at once what a change by hand brought.
    """

    venue: Venue
    facts: list[Fact]
    core: SimulatedExchange
    pump: Callable[[], Any]
    exchange_now: Callable[[], datetime]

    def break_(self, kind: FaultKind, **more: Any) -> None:
        """Let the next thing go wrong."""
        self.core.inject(Fault(kind=kind, **more), self.exchange_now())

    def orders_of(self, name: str) -> int:
        """How many orders of this client order id the exchange took."""
        orders = self.core.records.orders.values()
        return sum(order.client_order_id == name for order in orders)

    def a_create(self, name: str, attempt: int = 1, **changes: Any) -> SendCreate:
        """A limit order far below the market, claimed now."""
        values: dict[str, Any] = {
            "client_order_id": name,
            "status": OrderStatus.SUBMITTING,
            "attempt": attempt,
            "request_ts": self.exchange_now(),
            "time_in_force": TimeInForce.GTC,
            "price": D(46000),
        }
        return SendCreate(an_order(**values | changes))

    def a_market(self, name: str) -> SendCreate:
        kind = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC, "price": None}
        return self.a_create(name, **kind)

    def a_cancel(self, order: Order, number: int = 1) -> SendCancel:
        return SendCancel(order, number, 1, self.exchange_now())

    def an_amend(self, order: Order, **values: Any) -> SendAmend:
        return SendAmend(
            order, 1, 1, self.exchange_now(), values.get("price"), values.get("quantity")
        )

    def of(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def states(self) -> list[bool]:
        return [state.healthy for state in self.of(StreamState)]

    async def told(self, kind: type[Any], count: int = 1) -> list[Any]:
        """Wait until so many facts of a kind have come."""
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():  # noqa: ASYNC110 -- what it waits for rings no bell
            await asyncio.sleep(0.005)


def look_up(command: SendCreate) -> LookUp:
    order = command.order
    return LookUp(order.client_order_id, order.attempt, order)


@asynccontextmanager
async def simulated(instrument: Instrument = BTC_USDT) -> AsyncIterator[Bench]:
    clock = SystemClock()
    config = SimulatorConfig(
        latency=timedelta(milliseconds=2),
        rate_limit=None,
        answer_timeout=TIMEOUT,
        balances={instrument.settle_coin: D(100_000)},
    )
    exchange = SimulatedExchange(instruments=[instrument], config=config, faults=FaultScript())
    venue = SimulatedVenue(exchange, clock)
    facts: list[Fact] = []
    await venue.open()
    reader = asyncio.create_task(_read(venue, facts))
    venue.feed(
        a_quote(
            instrument_id=instrument.id,
            at=clock.now(),
            bid_size=instrument.max_market_quantity,
            ask_size=instrument.max_market_quantity,
        )
    )
    try:
        yield Bench(venue, facts, exchange, venue._woken.set, clock.now)
    finally:
        await venue.close()
        await reader


@asynccontextmanager
async def _bybit(instrument: Instrument = BTC_USDT, *, by_socket: bool) -> AsyncIterator[Bench]:
    config = {
        "answer_within": TIMEOUT.total_seconds(),
        "categories": (instrument.category,),
        "instruments": (instrument.id,),
    }
    async with a_world(trades_by_socket=by_socket, **config) as world:
        account = world.account
        yield Bench(world.venue, world.facts, account.exchange, account.pump, world.exchange_now)


async def _read(venue: Venue, facts: list[Fact]) -> None:
    async for fact in venue.facts():
        facts.append(fact)  # noqa: PERF401 -- seen while it grows


VENUES: Final[dict[str, Callable[..., AbstractAsyncContextManager[Bench]]]] = {
    "simulated": simulated,
    "bybit by socket": partial(_bybit, by_socket=True),
    "bybit by rest": partial(_bybit, by_socket=False),
}

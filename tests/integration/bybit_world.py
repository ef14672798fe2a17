"""A Bybit venue on a local Bybit, with a wire between them that can be cut at any byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import attrs

from order_adapters.bybit_server import AccountConfig, BybitServer, ServerConfig
from order_adapters.clock import SystemClock
from order_adapters.simulator import Fault, FaultScript
from order_adapters.venues.bybit.config import BybitConfig, Retry
from order_adapters.venues.bybit.hosts import custom_hosts
from order_adapters.venues.bybit.link import LinkTiming
from order_adapters.venues.bybit.signing import Credentials
from order_adapters.venues.bybit.venue import BybitVenue
from order_domain.model.enums import OrderStatus, OrderType, TimeInForce
from order_domain.model.inputs import StreamState
from order_domain.model.order import Order
from order_domain.model.steps import LookUp, SendCancel, SendCreate
from order_domain.ports.venue import Fact
from tests.builders import BTC, D, an_order

FAST = LinkTiming(first_wait=0.02, longest_wait=0.1)


@attrs.define
class Wire:
    """A TCP relay. Once armed, it passes so many more bytes of a kind of connection, and cuts.

    Kinds are `trade` (order entry socket), `http`, and the streams, which carry no orders.
    """

    target: int
    port: int = 0
    left: int | None = None
    kind: str = ""
    is_upward: bool = True
    cuts: int = 0
    refused: int = 0
    holes: set[str] = attrs.field(factory=set)
    """Kinds of which nothing is carried either way, and nothing closed: nobody is told."""
    is_shut: bool = False
    """Refuse whoever comes."""
    forgery: "Forgery | None" = None

    def forge(self, kind: str, old: bytes, new: bytes, skip: int = 0) -> None:
        """Have the exchange say something else, from its `skip`-th such word on. b"" is all of it.

        A word of a socket must keep its length, for the frame around it tells it.
        """
        self.forgery = Forgery(kind, old, new, skip)

    def cut_after(self, count: int, kind: str, *, is_upward: bool) -> None:
        """Upward is towards the exchange."""
        self.left, self.kind, self.is_upward = count, kind, is_upward

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_shut:
            self.refused += 1
            writer.transport.abort()
            return
        try:
            first = await reader.readuntil(b"\r\n")
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except (OSError, asyncio.IncompleteReadError):
            self.refused += 1
            writer.transport.abort()
            return
        kind = next((each for each in ("trade", "private", "public") if each in str(first)), "http")
        relay = _Relay(self, kind, (writer, up_writer))
        both = (
            asyncio.create_task(relay.carry(reader, up_writer, first, is_upward=True)),
            asyncio.create_task(relay.carry(up_reader, writer, b"", is_upward=False)),
        )
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        relay.close()
        await asyncio.gather(*both, return_exceptions=True)


@attrs.define
class Forgery:
    """Other words in the exchange's mouth."""

    kind: str
    old: bytes
    new: bytes
    skip: int
    count: int = 0

    def of(self, kind: str, data: bytes) -> bytes:
        if kind != self.kind or self.old not in data:
            return data
        self.count += 1
        if self.count <= self.skip:
            return data
        return data.replace(self.old, self.new) if self.old else self.new


@attrs.frozen
class _Relay:
    wire: Wire
    kind: str
    ends: tuple[asyncio.StreamWriter, ...]

    def close(self) -> None:
        for end in self.ends:
            end.close()

    async def carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        data: bytes,
        *,
        is_upward: bool,
    ) -> None:
        with suppress(ConnectionError):
            while data or (data := await reader.read(65536)):
                wire = self.wire
                if self.kind in wire.holes:
                    data = b""
                    continue
                if wire.forgery is not None and not is_upward:
                    data = wire.forgery.of(self.kind, data)
                if wire.left is not None and (wire.kind, wire.is_upward) == (self.kind, is_upward):
                    if len(data) > wire.left:
                        writer.write(data[: wire.left])
                        wire.left = None
                        wire.cuts += 1
                        return
                    wire.left -= len(data)
                writer.write(data)
                data = b""


@attrs.define
class World:
    server: BybitServer
    venue: BybitVenue
    wire: Wire
    facts: list[Fact]
    clock: SystemClock = attrs.field(factory=SystemClock)
    attempts: int = 0

    @property
    def account(self) -> Any:
        return self.server.account()

    def orders_at_exchange(self, name: str) -> int:
        """How many orders of this client order id the exchange ever took."""
        orders = self.account.exchange.records.orders.values()
        return sum(order.client_order_id == name for order in orders)

    def a_create(self, name: str, attempt: int = 1, **changes: Any) -> SendCreate:
        """Claimed now: a limit order far below the market."""
        values: dict[str, Any] = {
            "client_order_id": name,
            "status": OrderStatus.SUBMITTING,
            "attempt": attempt,
            "request_ts": self.exchange_now(),
            "time_in_force": TimeInForce.GTC,
            "price": D(46000),
        }
        return SendCreate(an_order(**values | changes))

    def a_market(self, name: str, **changes: Any) -> SendCreate:
        values = {
            "order_type": OrderType.MARKET,
            "time_in_force": TimeInForce.IOC,
            "price": None,
        }
        return self.a_create(name, **values | changes)

    def a_cancel(self, order: Order, number: int = 1) -> SendCancel:
        return SendCancel(order, number, 1, self.exchange_now())

    def a_look_up(self, command: SendCreate) -> LookUp:
        order = command.order
        return LookUp(order.client_order_id, order.attempt, order)

    def exchange_now(self) -> Any:
        return self.clock.now() + self.venue.health.clock_offset

    def states(self) -> list[bool]:
        return [fact.healthy for fact in self.facts if isinstance(fact, StreamState)]

    def of(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    async def until(self, holds: Any) -> None:
        while not holds():  # noqa: ASYNC110 -- what it waits for rings no bell
            await asyncio.sleep(0.005)

    async def connected(self) -> None:
        await self.until(lambda: self.venue.health.stream)
        if self.venue._trade is not None:
            await self.until(lambda: self.venue.health.trades_by_socket)


def settings(server: BybitServer, port: int, **changes: Any) -> BybitConfig:
    account: AccountConfig = server.config.accounts[0]
    return BybitConfig(
        **{
            "hosts": custom_hosts(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"),
            "credentials": Credentials(account.api_key, account.secret),
            "instruments": (BTC,),
            "link": FAST,
            "retry": Retry(first=0.05, longest=0.2),
            "share": 1.0,
        }
        | changes
    )


@asynccontextmanager
async def a_world(
    *faults: Fault, server: dict[str, Any] | None = None, opens: bool = True, **config: Any
) -> AsyncIterator[World]:
    """An open venue whose sockets are up, on a server of its own; or one that others will open."""
    script = FaultScript(faults=faults) if faults else None
    latency = timedelta(milliseconds=1)
    made = ServerConfig(
        **{"latency": latency, "faults": script, "admin": True, "uid_limits": False}
        | (server or {})
    )
    async with BybitServer(made) as bybit:
        wire = Wire(int(bybit.rest_url.rpartition(":")[2]))
        relay = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
        wire.port = relay.sockets[0].getsockname()[1]
        clock = SystemClock()
        venue = BybitVenue(settings(bybit, wire.port, **config), clock)
        world = World(bybit, venue, wire, [], clock)
        if not opens:
            yield world
            relay.close()
            return
        reader = asyncio.create_task(_read(world))
        try:
            await venue.open()
            await venue.instruments()
            await world.connected()
            yield world
        finally:
            await venue.close()
            await reader
            relay.close()


async def _read(world: World) -> None:
    async for fact in world.venue.facts():
        world.facts.append(fact)

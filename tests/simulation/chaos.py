"""Chaos: what happens to machines, servers and connections, at moments a seed draws."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Final, Protocol

from order_domain.errors import InvalidValue
from order_domain.model.enums import ExecutionKind, OrderStatus, Side, Trading
from order_domain.model.inputs import Operator
from order_domain.model.order import Order
from order_domain.model.rows import SignalRow, TradingStateRow
from order_service.runtime.outcome import RuntimeEnded
from order_service.runtime.runtime import Runtime
from tests.simulation.exchange import Stream
from tests.simulation.loop import NOBODY, Process, context_of
from tests.simulation.node import Around, Node
from tests.simulation.traffic import Market, People

LONGEST_FREEZE: Final = 25.0
RESTING: Final = (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)


class World(Around, Protocol):
    nodes: list[Node]
    market: Market
    people: People
    pauses_quotes: bool

    def crash(self, node: Node) -> None: ...


class Chaos:
    """One task per kind of happening."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = Random(f"{world.plan.seed}:chaos")
        self._impatience = Random(f"{world.plan.seed}:impatience")
        self._later: list[asyncio.Task[None]] = []

    def kinds(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "crash": self._crash,
            "freeze": self._freeze,
            "stop": self._stop,
            "store.outage": lambda: self._outage("store"),
            "store.failover": self._fail_over,
            "exchange.outage": lambda: self._outage("exchange"),
            "broker.outage": lambda: self._outage("broker"),
            "exchange.ban": self._ban,
            "exchange.cut": lambda: self._cut("exchange"),
            "exchange.deaf": self._deafen,
            "store.cut": lambda: self._cut("store"),
            "broker.disconnect": self._disconnect,
            "broker.blocked": self._block,
            "stream.silence": self._silence,
            "stream.disconnect": self._break_stream,
            "clock.step": self._step_clock,
            "person": self._person,
            "amend": self._amend,
            "halt_outside": self._halt_outside,
            "foreign": self._foreign,
            "funding": self._fund,
            "foreign.cancel": self._cancel_by_hand,
            "liquidation": self._liquidate,
            "deleveraging": lambda: self._liquidate(ExecutionKind.ADL),
            "quotes.pause": self._pause_quotes,
        }

    async def run(self) -> None:
        """Let everything of the plan happen until cancelled."""
        kinds = self.kinds()
        async with asyncio.TaskGroup() as group:
            if self._world.plan.earlier:
                group.create_task(self._live_in())
            for kind, mean in self._world.plan.every.items():
                group.create_task(self._again_and_again(kinds[kind], mean))

    async def _again_and_again(self, happen: Callable[[], Awaitable[None]], mean: float) -> None:
        while True:
            await asyncio.sleep(self._random.expovariate(1 / mean))
            await happen()

    def _some_node(self) -> Node:
        """Mostly the owner: it has something to lose."""
        owner = next((node for node in self._world.nodes if node.owner is not None), None)
        if owner is not None and self._random.random() < 0.7:
            return owner
        return self._random.choice(self._world.nodes)

    def _fault(self, who: str, kind: str, detail: object = "") -> None:
        self._world.wires.trace.fault(who, kind, detail)

    async def _crash(self) -> None:
        await self._crash_node(self._some_node())

    async def _crash_node(self, node: Node) -> None:
        if node.is_up:
            self._fault(node.name, "crash")
            self._world.crash(node)
            await asyncio.sleep(self._random.uniform(0.1, 15))
            if not node.is_up:
                node.boot()

    async def _freeze(self) -> None:
        await self._freeze_node(self._some_node())

    async def _freeze_node(self, node: Node) -> None:
        world, process = self._world, node.process
        if not node.is_up or process.is_frozen:
            return
        seconds = self._random.uniform(0.5, LONGEST_FREEZE)
        self._fault(node.name, "freeze", f"{seconds:.3f}")
        world.wires.loop.freeze(process)
        patience = self._random.uniform(8, 20)
        if seconds > patience:
            await asyncio.sleep(patience)
            consumer = world.broker.consumer
            if consumer is not None and consumer.process is process:
                world.broker.close(consumer)
            await asyncio.sleep(seconds - patience)
        else:
            await asyncio.sleep(seconds)
        world.wires.loop.thaw(process)

    async def _stop(self) -> None:
        await self._stop_node(self._some_node())

    async def _stop_node(self, node: Node) -> None:
        runtime = node.runtime
        if not node.is_up or runtime is None or runtime._main is None:
            return
        self._fault(node.name, "stop")
        process = node.process
        node.run(runtime.stop())
        while not process.is_dead:  # noqa: ASYNC110 -- a process has no event for its end
            await asyncio.sleep(0.5)
        await asyncio.sleep(self._random.uniform(0.1, 10))
        if not node.is_up:
            node.boot()

    async def _outage(self, server: str) -> None:
        seconds = self._random.uniform(0.2, 12)
        self._fault(server, f"{server}.outage", f"{seconds:.3f}")
        down = self._world.wires.down
        if server in down:
            return
        down.add(server)
        consumer = self._world.broker.consumer
        if server == "broker" and consumer is not None:
            self._world.broker.close(consumer)
        await asyncio.sleep(seconds)
        down.discard(server)

    async def _cut(self, server: str) -> None:
        node = self._some_node()
        seconds = self._random.uniform(0.2, 15)
        self._fault(node.name, f"{server}.cut", f"{seconds:.3f}")
        pair = (server, node.name)
        self._world.wires.cut.add(pair)
        await asyncio.sleep(seconds)
        self._world.wires.cut.discard(pair)

    async def _deafen(self) -> None:
        """What the node sends arrives; nothing comes back, neither answers nor reports."""
        node = self._some_node()
        seconds = self._random.uniform(1, 16)
        self._fault(node.name, "exchange.deaf", f"{seconds:.3f}")
        pair = ("exchange", node.name)
        self._world.wires.deaf.add(pair)
        await asyncio.sleep(seconds)
        self._world.wires.deaf.discard(pair)

    def moment(self, kind: str, process: Process) -> None:
        """Crash, freeze or stop a node right here, if chance wants it."""
        world = self._world
        node = next((each for each in world.nodes if each.process is process), None)
        if node is None:
            return
        for what, happen in (
            ("crash", self._crash_node),
            ("freeze", self._freeze_node),
            ("stop", self._stop_node),
        ):
            name = f"{what}.{kind}"
            if world.wires.strikes(name):
                self._fault(process.name, name)
                delay = self._random.choice((0.0, 0.001, 0.01, 0.1))
                self._later.append(
                    asyncio.get_running_loop().create_task(
                        _later(happen, node, delay), context=context_of(NOBODY)
                    )
                )

    async def _fail_over(self) -> None:
        database = self._world.database
        kept = len(database._undo)
        lost = min(kept, self._random.randint(0, 3))
        self._fault("store", "store.failover", lost)
        database.fail_over(lost)

    async def _ban(self) -> None:
        seconds = self._random.uniform(0.5, 10)
        self._fault("exchange", "exchange.ban", f"{seconds:.3f}")
        self._world.exchange.banned = True
        await asyncio.sleep(seconds)
        self._world.exchange.banned = False

    async def _disconnect(self) -> None:
        consumer = self._world.broker.consumer
        if consumer is not None:
            self._fault("broker", "broker.disconnect")
            self._world.broker.close(consumer)

    async def _block(self) -> None:
        """A memory alarm: what is published is neither taken nor refused, and arrives later."""
        self._fault("broker", "broker.blocked")
        self._world.broker.block()
        await asyncio.sleep(self._random.uniform(0.5, 12))
        self._world.broker.unblock()

    def _some_stream(self) -> Stream | None:
        streams = self._world.exchange.streams
        return self._random.choice(streams) if streams else None

    async def _silence(self) -> None:
        stream = self._some_stream()
        if stream is None or not stream.is_up:
            return
        self._fault(stream.process.name, "stream.silence")
        stream.is_silent = True
        await asyncio.sleep(self._random.uniform(1, 25))
        # without a pong for so long the adapter has given the connection up
        stream.break_off(self._random.uniform(0.1, 3))

    async def _break_stream(self) -> None:
        stream = self._some_stream()
        if stream is not None:
            self._fault(stream.process.name, "stream.disconnect")
            stream.break_off(self._random.uniform(0.1, 8))

    async def _step_clock(self) -> None:
        """A correction within what the engine's skew allows."""
        node = self._random.choice(self._world.nodes)
        if self._world.plan.accounts_clock_known:
            return  # the adapter would measure it again; within its error nothing is stepped here
        offset = self._random.uniform(-0.2, 0.2)
        self._fault(node.name, "clock.step", f"{offset - node.clock.offset:.6f}")
        node.clock.offset = offset

    async def _person(self) -> None:
        node = next((node for node in self._world.nodes if node.owner is not None), None)
        if node is None or node.process.is_frozen:
            return
        rows = self._world.database.rows
        request = self._world.people.request(
            list(rows[Order].values()),
            list(rows[SignalRow].values()),
            list(rows[TradingStateRow].values()),
        )
        self._request(node, request)

    async def _amend(self) -> None:
        """Somebody changes an order that rests."""
        node = next((node for node in self._world.nodes if node.owner is not None), None)
        orders = self._world.database.rows[Order].values()
        resting = [each for each in orders if each.status in RESTING and each.price is not None]
        if node is not None and not node.process.is_frozen and resting:
            self._request(node, self._world.people.amend(self._random.choice(resting)))

    def _request(self, node: Node, request: Operator) -> None:
        runtime = node.owner
        assert runtime is not None
        self._world.wires.trace.note("person", type(request).__name__, request.request_id)
        self._world.wires.trace.counts["person"] += 1
        for _ in range(self._impatience.choice((1, 1, 1, 2))):  # some press the key twice
            node.run(self._ask(node, runtime, request))

    async def _ask(self, node: Node, runtime: Runtime, request: Operator) -> None:
        try:
            reply = await runtime.ask(request)
        except RuntimeEnded:
            return
        self._world.watch.replied(node.process, reply)

    async def _halt_outside(self) -> None:
        """Somebody without the lease halts, and lifts it later: `halt` and `resume` of the CLI."""
        world = self._world
        state = self._random.choice((Trading.HALTED, Trading.REDUCE_ONLY))
        self._fault("outside", "halt_outside", state.value)
        for each in (state, Trading.ACTIVE):
            if "store" not in world.wires.down:
                row = TradingStateRow(
                    "account", "OPERATOR", each, 1, "outside", "bob", world.clock.now()
                )
                world.set_state(row)
            await asyncio.sleep(self._random.uniform(2, 12))

    async def _foreign(self) -> None:
        world, random = self._world, self._random
        instrument = random.choice(world.market.instruments)
        side = random.choice((Side.BUY, Side.SELL))
        price = None
        if random.random() < 0.5:
            factor = Decimal("0.98") if side is Side.BUY else Decimal("1.02")
            quoted = world.exchange.core.account.markets[instrument.id].mark_price()
            if quoted is None:
                return
            price = quoted * factor // instrument.tick_size * instrument.tick_size
        quantity = instrument.quantity_step * random.randint(1, 20)
        self._fault("stranger", "foreign", f"{instrument.id} {side} {quantity} {price}")
        with suppress(InvalidValue):  # refused: nobody's news
            world.exchange.act(
                lambda at: world.exchange.core.admin.place(
                    instrument.id, side, quantity, at, price=price
                )
            )

    async def _live_in(self) -> None:
        """Strangers trade while the account is taken over."""
        for _ in range(self._world.plan.earlier):
            await asyncio.sleep(self._random.expovariate(0.5))
            await self._foreign()

    async def _fund(self) -> None:
        world = self._world
        instrument = self._random.choice(world.market.instruments)
        rate = Decimal(self._random.randint(-10, 10)) / 10_000
        self._fault("exchange", "funding", f"{instrument.id} {rate}")
        world.exchange.act(lambda at: world.exchange.core.admin.fund(instrument.id, rate, at))

    async def _cancel_by_hand(self) -> None:
        """Somebody cancels an order, mostly ours, on the exchange's own page."""
        exchange = self._world.exchange
        names = list(exchange.core.records.open)
        if names:
            order_id = self._random.choice(names)
            self._fault("stranger", "foreign.cancel", order_id)
            exchange.act(lambda at: exchange.core.admin.cancel(order_id, at))

    async def _liquidate(self, kind: ExecutionKind = ExecutionKind.LIQUIDATION) -> None:
        world = self._world
        instrument = self._random.choice(world.market.instruments)
        name = "deleveraging" if kind is ExecutionKind.ADL else "liquidation"
        self._fault("exchange", name, instrument.id)
        world.exchange.act(
            lambda at: world.exchange.core.admin.liquidate(instrument.id, at, kind=kind)
        )

    async def _pause_quotes(self) -> None:
        self._fault("exchange", "quotes.pause")
        self._world.pauses_quotes = True
        await asyncio.sleep(self._random.uniform(1, 12))
        self._world.pauses_quotes = False


async def _later(happen: Callable[[Node], Awaitable[None]], node: Node, delay: float) -> None:
    await asyncio.sleep(delay)
    await happen(node)

"""Node: one machine with the production runtime on it, started as the service starts it."""

import asyncio
from typing import Any, Final, Protocol

from order_adapters.stores.memory import MemoryDatabase
from order_adapters.stores.memory.views import MemoryViews
from order_domain.engine import Engine
from order_domain.ports.journal import LeaseHeld, StoreUnavailable
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.outcome import EndReason, RuntimeEnded
from order_service.runtime.parts import Ports
from order_service.runtime.runtime import Runtime
from tests.simulation.broker import Broker, NodePublisher, NodeSource
from tests.simulation.clocks import NodeClock, WorldClock
from tests.simulation.exchange import Exchange, NodeVenue
from tests.simulation.loop import Process, context_of
from tests.simulation.network import Link, Lost, Refused, Wires
from tests.simulation.plan import Plan
from tests.simulation.store import NodeJournal, NodeOutbox, NodeViews, at_once
from tests.simulation.store import Watches as WatchesStore

STANDBY: Final = 0.5


class Around(Protocol):
    """What stands around a node."""

    plan: Plan
    wires: Wires
    clock: WorldClock
    database: MemoryDatabase
    exchange: Exchange
    broker: Broker

    @property
    def watch(self) -> "Watches": ...


class Watches(WatchesStore, Protocol):
    def died(self, process: Process, why: str) -> None: ...
    def broken(self, code: str, text: str) -> None: ...
    def judge(self, process: Process, runtime: Runtime) -> None: ...


class Node:
    """A machine. Each boot is a process of its own; what it knew is gone with it."""

    def __init__(self, name: str, around: Around, clock: NodeClock) -> None:
        self.name = name
        self.clock = clock
        self._around = around
        self._boots = 0
        self.process = Process(name, is_dead=True)
        self.runtime: Runtime | None = None
        self._last = 0

    @property
    def is_up(self) -> bool:
        return not self.process.is_dead

    @property
    def owner(self) -> Runtime | None:
        """The runtime, while it takes signals."""
        runtime = self.runtime
        return runtime if self.is_up and runtime is not None and runtime.is_ready else None

    def boot(self) -> None:
        """Start a process."""
        self._boots += 1
        self.process = Process(f"{self.name}#{self._boots}")
        self.runtime = None
        loop = self._around.wires.loop
        loop.create_task(self._guarded(self.process), context=context_of(self.process))

    async def _guarded(self, process: Process) -> None:
        try:
            await self._live()
        except Exception as error:  # noqa: BLE001 -- told: no runtime may raise through to here
            self._around.watch.broken("NODE", f"{process.name}: {error!r}")
            process.is_dead = True

    def run(self, work: Any) -> "asyncio.Task[Any]":
        """Run something inside the process; it ends with it."""
        loop = self._around.wires.loop
        return loop.create_task(work, context=context_of(self.process))

    async def _live(self) -> None:
        process, around = self.process, self._around
        while True:
            runtime, source = self._make()
            self.runtime = runtime
            if not await self._taken_over(runtime):
                source.close()
                continue
            ended = await runtime.wait()
            source.close()
            around.watch.judge(process, runtime)
            around.wires.trace.note(process.name, "ended", ended.reason.value)
            if ended.reason is not EndReason.LEASE_LOST:
                break
        if ended.reason is not EndReason.STOPPED:
            around.watch.died(process, f"{ended.reason.value} {ended.worker} {ended.error!r}")
        process.is_dead = True

    async def _taken_over(self, runtime: Runtime) -> bool:
        """Stand by until the account is ours; False when it was lost again meanwhile."""
        while True:
            try:
                await runtime.start()
            except (LeaseHeld, StoreUnavailable):
                await asyncio.sleep(STANDBY)
            except RuntimeEnded as ended:
                self._around.watch.judge(self.process, runtime)
                reason = ended.details["reason"]
                return bool(reason != EndReason.LEASE_LOST.value)
            else:
                self._around.wires.trace.note(self.process.name, "owns")
                return True

    def _make(self) -> tuple[Runtime, NodeSource]:
        around, process = self._around, self.process
        store = Link(around.wires, "store", process, delay=(0.0005, 0.004), timeout=2.0)
        broker = Link(around.wires, "broker", process, delay=(0.0005, 0.004), timeout=5.0)
        journal = NodeJournal(store, process, around.database, around.clock, around.watch)
        source = LateSource(store, broker, process, around)
        ports = Ports(
            journal=journal,
            outbox=NodeOutbox(store, around.database),
            venue=NodeVenue(around.plan, around.wires, process, self.clock, around.exchange),
            source=source,
            publishers={"bus": NodePublisher(broker, process, around.broker)},
            clock=self.clock,
            views=NodeViews(store, around.database),
        )
        config = around.plan.config
        shell = RuntimeConfig(owner=process.name, audit_interval=around.plan.audit_interval)
        return Runtime(shell, config, lambda: Engine(config), ports), source


class LateSource(NodeSource):
    """Learns the number of the last delivery only when it is asked for the next one."""

    def __init__(self, store: Link, broker: Link, process: Process, around: Around) -> None:
        super().__init__(broker, process, around.broker, 0)
        self._store = store
        self._views = MemoryViews(around.database)

    async def deliveries(self) -> Any:
        while True:
            try:
                self._last = await self._store.ask(
                    "last delivery", lambda: at_once(self._views.last_delivery())
                )
                break
            except (Lost, Refused, StoreUnavailable):
                await asyncio.sleep(STANDBY)
        async for delivery in super().deliveries():
            yield delivery

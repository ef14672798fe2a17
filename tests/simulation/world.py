"""World: everything of one run, from its seed to its outcome."""

import asyncio
from collections.abc import Coroutine
from decimal import Decimal
from random import Random
from typing import Any, Final

import attrs

from order_adapters.stores.memory import MemoryDatabase
from order_domain.model.inputs import CancelAll, Operator
from order_domain.model.rows import TradingStateRow
from order_domain.model.steps import Reply
from order_service.runtime.outcome import RuntimeEnded
from tests.simulation import verdict
from tests.simulation.broker import Broker
from tests.simulation.chaos import Chaos
from tests.simulation.checker import Checker, Violation
from tests.simulation.clocks import NodeClock, WorldClock
from tests.simulation.exchange import Exchange
from tests.simulation.loop import Over, SimulationLoop, run
from tests.simulation.network import Wires
from tests.simulation.node import Node
from tests.simulation.plan import NEWEST, Plan, draw
from tests.simulation.trace import Trace
from tests.simulation.traffic import Market, Model, People, lifting

SETTLE_SECONDS: Final = 180
CANCEL_EVERY: Final = 10
"""Seconds between two orders to cancel everything; a stranger's order is seen by a sweep only."""
FORGOTTEN: Final = ("published", "cursor", "waits for its executions")
"""What may never come to rest once a store has lost commits."""
AT_THE_END: Final = "at the end"
ROUNDING: Final = Decimal("1e-12")
"""Of averages with 28 digits."""


@attrs.frozen(slots=True, kw_only=True)
class Outcome:
    """What a run came to.

    Attributes:
        seconds: Simulated.
        newest: The last events, for people.
    """

    seed: int
    digest: str
    seconds: float
    callbacks: int
    commits: int
    orders: int
    signals: int
    executions: int
    faults: dict[str, int]
    alarms: dict[str, int]
    violations: tuple[Violation, ...]
    newest: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        return not self.violations


class World:
    """Servers, machines and traffic."""

    def __init__(self, loop: SimulationLoop, plan: Plan, *, keeps_all: bool = False) -> None:
        self.plan = plan
        self.trace = Trace(loop)
        self.trace.keeps_all = keeps_all
        self.wires = Wires(loop, plan, self.trace)
        self.clock = WorldClock(loop)
        self.database = MemoryDatabase()
        self.watch = Checker(plan, self.clock, self.trace, self.database)
        self.market = Market(plan.seed)
        self.model = Model(plan.seed)
        self.people = People(plan.seed)
        self.exchange = Exchange(plan, self.wires, self.clock, self.market.instruments)
        self.exchange.watch = self.watch
        self.watch.exchange = self.exchange
        self.broker = Broker(loop, self.watch)
        self.nodes = [
            Node(name, self, NodeClock(loop, offset, drift))
            for name, offset, drift in zip("abcde", plan.skews, plan.drifts, strict=False)
        ]
        self.pauses_quotes = False
        self._random = Random(f"{plan.seed}:world")
        self._loop = loop

    # -- what chaos asks for

    def crash(self, node: Node) -> None:
        """Let a machine lose its power: nothing is closed in order, servers notice later."""
        process = node.process
        self._loop.crash(process)
        streams = self.exchange.streams
        streams[:] = [stream for stream in streams if stream.process is not process]
        consumer = self.broker.consumer
        if consumer is not None and consumer.process is process:
            self._loop.call_later(self._random.uniform(0, 3), self.broker.close, consumer)
        if not self.plan.loses_commits:
            self._audit("at a crash")

    def set_state(self, row: TradingStateRow) -> None:
        """Write a trading state as somebody who does not own the account."""
        version = self.database.head.states_version + 1
        row = attrs.evolve(row, version=version)
        self.database.put_state(row)
        self.watch.restricts(row)
        self.trace.note("outside", "state", f"{row.state.value} {version}")

    # -- the run

    async def run(self) -> Outcome:
        for node in self.nodes:
            node.boot()
        market = asyncio.create_task(self._play())
        traffic = asyncio.create_task(self._send_signals())
        disorder = Chaos(self)
        self.wires.moment = disorder.moment
        chaos = asyncio.create_task(disorder.run())
        await asyncio.sleep(self.plan.seconds)
        traffic.cancel()
        chaos.cancel()
        await asyncio.gather(traffic, chaos, return_exceptions=True)
        if chaos.done() and not chaos.cancelled() and chaos.exception() is not None:
            raise AssertionError("chaos failed") from chaos.exception()
        self._heal()
        await self._settle()
        self._judge()
        market.cancel()
        return self.outcome()

    async def _play(self) -> None:
        while True:
            if not self.pauses_quotes:
                for quote in self.market.next_quotes(self.clock.now()):
                    self.exchange.feed(quote)
                    for stream in list(self.exchange.streams):
                        stream.quote(quote)
                    if self._random.random() < self.market.trade_chance:
                        self.exchange.feed(self.market.next_trade(quote, self.clock.now()))
            await asyncio.sleep(self.market.wait())

    async def _send_signals(self) -> None:
        rates, random = self.wires, self._random
        while True:
            await asyncio.sleep(random.expovariate(1 / self.plan.signal_gap))
            count = self.plan.batch if random.random() < 0.2 else 1
            for body in self.model.signals(self.clock.now(), count):
                self.broker.put(body)
            if rates.strikes("signals.again"):
                self.trace.fault("broker", "signals.again")
                acknowledged = self.broker.acknowledged
                if acknowledged and random.random() < 0.5:
                    self.broker.put_again(random.choice(acknowledged))
                else:
                    self.broker.put(self.model.earlier())
            if rates.strikes("signals.invalid"):
                self.trace.fault("broker", "signals.invalid")
                self.broker.put(self.model.wrong())
            if rates.strikes("signals.conflict"):
                self.trace.fault("broker", "signals.conflict")
                self.broker.put(self.model.conflicting())

    def _heal(self) -> None:
        """End every fault: what is broken comes back."""
        self.trace.note("world", "heals")
        wires = self.wires
        wires.rates.clear()
        wires.cut.clear()
        wires.deaf.clear()
        wires.down.clear()
        self.exchange.banned = self.pauses_quotes = False
        self.broker.unblock()
        for node in self.nodes:
            if node.process.is_frozen:
                self._loop.thaw(node.process)
        for stream in list(self.exchange.streams):
            if stream.is_silent:
                stream.break_off(1.0)

    async def _settle(self) -> None:
        """Restart what has died, lift what people must lift, cancel everything, wait for rest."""
        asked = 0
        cancelled_at: int | None = None
        for second in range(SETTLE_SECONDS):
            await asyncio.sleep(1)
            for node in self.nodes:
                if not node.is_up:
                    node.boot()
            owner = next((node for node in self.nodes if node.owner is not None), None)
            if owner is None:
                continue
            restricted = verdict.restrictions(self.database)
            lifted = [row for row in restricted if row.cause in self._lifted_by_people]
            if lifted:
                asked += 1
                self._ask(owner, lifting(lifted[0], asked))
                continue
            if self._restless() or restricted or self._differences():
                continue
            if cancelled_at is None or self._has_open_orders:
                if cancelled_at is None or second >= cancelled_at + CANCEL_EVERY:
                    cancelled_at = second
                    self._ask(owner, CancelAll(request_id=f"all-{second}", actor="ada"))
                continue
            await self._stay_empty()
            return
        for text in (
            *self._restless(),
            *self._differences(),
            *map(str, verdict.restrictions(self.database)),
        ):
            self.watch.broken("V29", text)
        owners = [node.name for node in self.nodes if node.owner is not None]
        self.watch.broken("V29", f"not at rest after {SETTLE_SECONDS} s, owners {owners}")

    async def _stay_empty(self) -> None:
        """Nothing is born after a cancel-all, however long it was on its way."""
        config = self.plan.config
        await asyncio.sleep((config.recv_window + config.visibility).total_seconds())
        for name in self.exchange.core.records.open:
            self.watch.broken("V36", f"order {name} is open although everything was cancelled")

    @property
    def _has_open_orders(self) -> bool:
        return bool(self.exchange.core.records.open)

    @property
    def _lifted_by_people(self) -> tuple[str, ...]:
        lost = ("COMMITS_LOST", "AUDIT", "LEDGER") if self.plan.loses_commits else ()
        return ("OPERATOR", *lost)

    def _restless(self) -> list[str]:
        found = verdict.restless(self.database, self.watch.unpublished)
        if self.plan.loses_commits:
            found = [text for text in found if not any(word in text for word in FORGOTTEN)]
        if not self.broker.is_empty:
            found.append("messages are not acknowledged")
        return found

    def _ask(self, node: Node, request: Operator) -> None:
        runtime = node.owner
        assert runtime is not None

        async def ask() -> None:
            try:
                reply: Reply = await runtime.ask(request)
            except RuntimeEnded:
                return
            self.watch.replied(node.process, reply)

        node.run(ask())

    # -- judgement

    def _audit(self, when: str) -> None:
        for each in verdict.audit(
            self.database, self.plan.config, is_complete=when == AT_THE_END
        ).broken:
            if not self.plan.loses_commits or each.code not in verdict.WITH_LOST_COMMITS:
                self.watch.broken(
                    each.code,
                    f"{when}: {each.subject}: {each.text}: {each.expected} / {each.actual}",
                )
        unknown = verdict.booked_twice_or_unknown(self.database, self.exchange.core)
        if unknown:
            self.watch.broken("V7", f"{when}: booked and not of the exchange: {unknown}")

    def _differences(self) -> list[str]:
        report = verdict.compare(self.database, self.exchange.core, self.clock)
        return [
            f"{each.code} {each.subject}: {each.text}: {each.expected} / {each.actual}"
            for each in report.broken
            if not self.plan.loses_commits or each.code not in verdict.WITH_LOST_COMMITS
        ]

    def _judge(self) -> None:
        self._audit(AT_THE_END)
        for text in self._differences():
            self.watch.broken(text.partition(" ")[0], f"at the end: {text}")
        difference = verdict.worth_difference(self.database, self.exchange.core)
        if abs(difference) > ROUNDING:
            self.watch.broken("V10", f"the account is worth {difference} more than the books say")
        if not self.plan.loses_commits:
            for name in verdict.undecided(self.database, list(self.model.bodies)):
                self.watch.broken("V24", f"signal {name} has no verdict")
        for node in self.nodes:
            runtime = node.runtime
            if runtime is not None and node.is_up:
                self.watch.judge(node.process, runtime)
        for text in self._loop.failures:
            self.watch.broken("LOOP", text)

    def outcome(self) -> Outcome:
        """What it has come to by now."""
        watch = self.watch
        return Outcome(
            seed=self.plan.seed,
            digest=self.trace.digest,
            seconds=self._loop.time(),
            callbacks=self._loop.callbacks,
            commits=watch.commits,
            orders=len(self.exchange.core.records.orders),
            signals=len(self.model.bodies),
            executions=len(self.exchange.core.records.executions),
            faults=dict(self.trace.counts),
            alarms=verdict.alarms(self.database),
            violations=tuple(watch.violations),
            newest=tuple(self.trace.newest) if watch.violations else (),
        )


def simulate(
    seed: int, generation: int = NEWEST, *, to_the_first: bool = False, **changes: Any
) -> Outcome:
    """Run one seed, to its end or to the first violation. `changes` replace parts of its plan."""
    plan = attrs.evolve(draw(seed, generation), **changes)
    worlds: list[World] = []

    def begin(loop: SimulationLoop) -> Coroutine[Any, Any, Outcome]:
        world = World(loop, plan)
        worlds.append(world)
        if to_the_first:
            world.watch.told = loop.end
        return world.run()

    try:
        outcome: Outcome = run(begin, Random(f"{seed}:order"))
    except Over:
        return worlds[0].outcome()
    return outcome

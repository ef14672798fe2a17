"""Bytes leave only inside lease, request window and trading state; each command gets one answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import attrs
import pytest

from order_adapters.clock import VirtualClock
from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.journal import MemoryJournal
from order_domain.model.enums import AnswerOutcome, CommandKind, Origin, Trading
from order_domain.model.reports import Answer
from order_domain.model.rows import TradingStateRow
from order_domain.model.steps import SendAmend, SendCancel, SendCreate
from order_service.runtime.executors import Executors, Send
from order_service.runtime.lease import Lease
from order_service.runtime.metrics import Metrics
from order_service.runtime.pulse import Pulse
from order_service.runtime.trading_state import TradingStates
from tests.builders import NOW, D, an_order
from tests.unit.runtime.parts import TTL, turns

WINDOW = timedelta(milliseconds=2500)
MS = timedelta(milliseconds=1)


class Wire:
    """Where bytes would go: keeps what was sent, answers when told to."""

    def __init__(self) -> None:
        self.sent: list[Send] = []
        self.hold = False
        self.broken = False
        self._held: list[asyncio.Future[None]] = []

    async def send(self, command: Send) -> Answer:
        self.sent.append(command)
        if self.broken:
            raise ConnectionResetError("cut")
        if self.hold:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._held.append(future)
            await future
        kind = CommandKind.CREATE if isinstance(command, SendCreate) else CommandKind.CANCEL
        return Answer(command.order.client_order_id, kind, 0, 1, AnswerOutcome.ACCEPTED)

    def let_go(self) -> None:
        for future in self._held:
            future.set_result(None)


@attrs.define
class Gate:
    clock: VirtualClock
    wire: Wire
    lease: Lease
    states: TradingStates
    executors: Executors
    answers: list[Answer]
    metrics: Metrics


@asynccontextmanager
async def a_gate() -> AsyncIterator[Gate]:
    clock, wire, lease, metrics = VirtualClock(NOW), Wire(), Lease(TTL), Metrics()
    journal = MemoryJournal(MemoryDatabase(), clock)
    states = TradingStates(journal, clock, metrics, lambda _row: None)
    states.confirm(0, (), 0)
    lease.renew(0)
    answers: list[Answer] = []
    executors = Executors(
        wire,  # type: ignore[arg-type]
        clock,
        lease,
        states,
        metrics,
        Pulse(),
        recv_window=WINDOW,
        answer=answers.append,
    )
    task = asyncio.create_task(executors.run())
    try:
        yield Gate(clock, wire, lease, states, executors, answers, metrics)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def a_create(**changes: Any) -> SendCreate:
    return SendCreate(an_order(**{"request_ts": NOW, "attempt": 1} | changes))


def a_cancel(**changes: Any) -> SendCancel:
    return SendCancel(an_order(**changes), 1, 1, NOW)


def an_amend(**changes: Any) -> SendAmend:
    return SendAmend(an_order(**changes), 2, 3, NOW, D(50000), None)


async def sent_at(gate: Gate, moment: timedelta, command: Send) -> bool:
    gate.clock.advance_to(NOW + moment)
    gate.executors.send(command)
    await turns()
    return bool(gate.wire.sent)


async def test_a_command_inside_every_limit_is_sent_and_answered_once() -> None:
    async with a_gate() as gate:
        assert await sent_at(gate, MS, a_create())
        assert [answer.outcome for answer in gate.answers] == [AnswerOutcome.ACCEPTED]
        assert gate.executors.in_flight == 0


@pytest.mark.parametrize(
    ("moment", "leaves"), [(timedelta(seconds=8) - MS, True), (timedelta(seconds=8), False)]
)
async def test_nothing_leaves_from_2_s_before_the_lease_ends(
    moment: timedelta, leaves: bool
) -> None:
    async with a_gate() as gate:
        gate.states.confirm(0, (), 7.5)
        command = a_create(request_ts=NOW + timedelta(seconds=7))

        assert await sent_at(gate, moment, command) is leaves
        if not leaves:
            assert gate.answers[0].outcome is AnswerOutcome.NOT_SENT
            assert gate.answers[0].attempt == 1


@pytest.mark.parametrize(("moment", "leaves"), [(2000 * MS - MS, True), (2000 * MS, False)])
async def test_nothing_leaves_in_the_last_500_ms_of_its_window_until_round_trips_are_known(
    moment: timedelta, leaves: bool
) -> None:
    async with a_gate() as gate:
        gate.states.confirm(0, (), 1.5)

        assert await sent_at(gate, moment, a_create()) is leaves


async def test_the_exchanges_clock_counts_for_the_window() -> None:
    async with a_gate() as gate:
        gate.executors.offset = timedelta(seconds=2)

        assert not await sent_at(gate, MS, a_create())


async def test_a_broken_connection_leaves_the_outcome_unknown() -> None:
    async with a_gate() as gate:
        gate.wire.broken = True
        await sent_at(gate, MS, a_create(attempt=4))

        answer = gate.answers[0]
        assert (answer.outcome, answer.attempt, answer.kind) == (
            AnswerOutcome.UNKNOWN,
            4,
            CommandKind.CREATE,
        )
        assert gate.metrics.unanswered == 1


async def test_an_amend_that_hangs_holds_no_cancel_back() -> None:
    async with a_gate() as gate:
        gate.wire.hold = True
        gate.executors.send(an_amend())
        await turns()
        gate.wire.hold = False
        gate.executors.send(a_cancel())
        await turns()

        assert [type(command) for command in gate.wire.sent] == [SendAmend, SendCancel]
        assert len(gate.answers) == 1
        assert gate.executors.in_flight == 1
        assert gate.executors.is_idle


async def test_commands_leave_in_the_order_they_were_released() -> None:
    async with a_gate() as gate:
        commands = [a_create(client_order_id=f"order-{n}") for n in range(20)]
        for command in commands:
            gate.executors.send(command)
        assert not gate.executors.is_idle
        await turns()

        assert gate.wire.sent == commands


async def test_a_held_back_amend_names_its_number_and_attempt() -> None:
    async with a_gate() as gate:
        gate.lease.give_up()
        await sent_at(gate, MS, an_amend())

        answer = gate.answers[0]
        assert (answer.kind, answer.number, answer.attempt) == (CommandKind.AMEND, 2, 3)
        assert gate.metrics.not_sent == 1


@pytest.mark.parametrize(
    ("state", "opens", "closes", "amends", "flattens"),
    [
        (Trading.ACTIVE, True, True, True, True),
        (Trading.REDUCE_ONLY, False, True, False, True),
        (Trading.CANCEL_ONLY, False, False, False, True),
        (Trading.HALTED, False, False, False, True),
    ],
)
@pytest.mark.parametrize("scope", ["account", "strategy:trend", "symbol:linear:BTCUSDT"])
async def test_the_trading_state_is_looked_at_right_before_the_bytes(
    state: Trading, opens: bool, closes: bool, amends: bool, flattens: bool, scope: str
) -> None:
    commands = (
        a_create(),
        a_create(reduce_only=True),
        an_amend(),
        a_create(reduce_only=True, origin=Origin.FLATTEN),
        a_cancel(),
    )
    for command, leaves in zip(commands, (opens, closes, amends, flattens, True), strict=True):
        async with a_gate() as gate:
            row = TradingStateRow(scope, "OPERATOR", state, 1, "", "ann", NOW)
            gate.states.learn([row])

            assert await sent_at(gate, MS, command) is leaves, command


async def test_a_state_of_another_scope_holds_nothing_back() -> None:
    async with a_gate() as gate:
        gate.states.learn(
            [TradingStateRow("strategy:other", "OPERATOR", Trading.HALTED, 1, "", "ann", NOW)]
        )

        assert await sent_at(gate, MS, a_create())


@pytest.mark.parametrize(
    ("command", "moment", "leaves"),
    [
        (a_create(), 1000 * MS, True),
        (a_create(), 1001 * MS, False),
        (a_create(reduce_only=True), 1001 * MS, True),
        (a_cancel(), 1001 * MS, True),
    ],
)
async def test_nothing_that_adds_risk_leaves_when_the_state_is_unread_for_1_s(
    command: Send, moment: timedelta, leaves: bool
) -> None:
    async with a_gate() as gate:
        assert await sent_at(gate, moment, command) is leaves

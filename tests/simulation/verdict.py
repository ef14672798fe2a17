"""Verdict: what must hold when every fault has stopped and everything has come to rest."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from order_adapters.intake.signal_json import parse_signal
from order_adapters.simulator import SimulatedExchange
from order_adapters.simulator.config import STARTING_BALANCES
from order_adapters.stores.memory import MemoryDatabase
from order_domain.config import EngineConfig
from order_domain.engine.work import OPENED, WATERMARK
from order_domain.invariants import Report, Truth, check, compare_with_exchange
from order_domain.model.command import Command
from order_domain.model.enums import (
    EventKind,
    ExecutionKind,
    OrderStatus,
    Side,
    Trading,
    Verdict,
)
from order_domain.model.execution import Execution, LedgerEntry
from order_domain.model.order import AT_VENUE, TERMINAL, Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, Mark, SignalRow, TradingStateRow
from order_domain.ports.outbox import NumberedEvent
from order_service.runtime.relay import cursor_name
from tests.simulation.clocks import WorldClock

_OPENING: Final = ExecutionKind.OPENING
WITH_LOST_COMMITS = frozenset(
    {"V3", "V4", "V8", "V15", "V12", "V13", "V16", "V19", "V23", "V24", "V35"}
)
"""What cannot hold once a store has forgotten what it confirmed."""


def audit(database: MemoryDatabase, config: EngineConfig, *, is_complete: bool) -> Report:
    """Check every committed row against every other."""
    rows = [row for table in database.rows.values() for row in table.values()]
    events = [NumberedEvent(number, event) for number, event in enumerate(database.events, 1)]
    return check(
        [*rows, *events],
        account=config.account,
        environment=config.environment,
        is_complete=is_complete,
        read_body=parse_signal,
    )


def compare(database: MemoryDatabase, core: SimulatedExchange, clock: WorldClock) -> Report:
    """Compare the books with the exchange's account."""
    truth = Truth(
        orders=tuple(
            order.newest for order in core.records.orders.values() if order.newest is not None
        ),
        executions=tuple(core.records.executions),
        positions=tuple(core.positions(clock.now())),
        opened_at=_opened_at(database),
    )
    rows = database.rows
    return compare_with_exchange(
        rows[Order].values(), rows[LedgerEntry].values(), rows[Position].values(), truth
    )


def _opened_at(database: MemoryDatabase) -> datetime | None:
    """Until when what was executed may be in what the account held at the first start."""
    mark = database.rows[Mark].get(OPENED)
    return None if mark is None else mark.at


def booked_twice_or_unknown(database: MemoryDatabase, core: SimulatedExchange) -> list[str]:
    """V7 at any moment: what is booked is known to the exchange."""
    known = {execution.exec_id for execution in core.records.executions}
    return [
        entry.execution.exec_id
        for entry in database.rows[LedgerEntry].values()
        if entry.execution.exec_id not in known and entry.execution.kind is not _OPENING
    ]


def worth_difference(database: MemoryDatabase, core: SimulatedExchange) -> Decimal:
    """V10: what the account is worth at one mark beyond its beginning and what the books explain.

    Executions may be booked in another order than they happened; then part of what is realised
    there is unrealised here, never more or less of both together. What OPENING entries stand for
    was paid for at other prices, and its fees before we came.
    """
    ours, booked = STARTING_BALANCES["USDT"], set()
    for entry in database.rows[LedgerEntry].values():
        ours += entry.realized_pnl - entry.execution.fee
        booked.add(entry.execution.exec_id)
        if entry.execution.kind is _OPENING:
            ours -= _paid(entry.execution)
    for execution in core.records.executions:
        if execution.exec_id not in booked:
            ours += _paid(execution) - execution.fee
    theirs = core.account.wallet("USDT").total
    for position in database.rows[Position].values():
        mark = core.account.markets[position.instrument_id].mark_price()
        if mark is not None and position.size:
            ours += position.unrealized_pnl(mark)
    for held in core.account.positions.values():
        mark = core.account.markets[held.instrument.id].mark_price()
        if mark is not None and held.size:
            theirs += held.size * mark - (held.cost if held.size > 0 else -held.cost)
    return theirs - ours


def _paid(execution: Execution) -> Decimal:
    """Quote units that an execution brought in: negative for a buy."""
    value = execution.price * execution.quantity
    return value if execution.side is Side.SELL else -value


def restless(database: MemoryDatabase, unpublished: int) -> list[str]:
    """V29: what has not come to rest."""
    found: list[str] = []
    at_rest = (*TERMINAL, *AT_VENUE)
    for order in database.rows[Order].values():
        if order.status not in at_rest or order.status is OrderStatus.ACKED:
            found.append(f"order {order.client_order_id} is {order.status}")
        if order.unbooked_quantity or order.reported_status is not None:
            found.append(f"order {order.client_order_id} waits for its executions")
    found += [
        f"{row.kind} {row.client_order_id} is {row.status}"
        for row in database.rows[Command].values()
        if row.is_open
    ]
    found += [
        f"signal {row.signal.signal_id} is parked"
        for row in database.rows[SignalRow].values()
        if row.verdict is Verdict.PARKED
    ]
    if WATERMARK not in database.rows[Mark]:
        found.append("the account is not taken over")
    if unpublished:
        found.append(f"{unpublished} events are not published")
    cursor = database.rows[Mark].get(cursor_name("bus"))
    if (0 if cursor is None else cursor.number) < database.head.event_no:
        found.append("the cursor is behind")
    return found


def restrictions(database: MemoryDatabase) -> list[TradingStateRow]:
    """What is not allowed at the moment."""
    rows = database.rows[TradingStateRow].values()
    return [row for row in rows if row.state is not Trading.ACTIVE]


def undecided(database: MemoryDatabase, sent: list[str]) -> list[str]:
    """V1, V24: signals without a verdict."""
    rows = database.rows[SignalRow]
    return [name for name in sent if (name, 0) not in rows]


def invalid_kept(database: MemoryDatabase) -> int:
    rows = database.rows[DeliveryRow].values()
    return sum(row.verdict is Verdict.INVALID for row in rows)


def alarms(database: MemoryDatabase) -> dict[str, int]:
    """How often each alarm was raised."""
    counts: dict[str, int] = {}
    for event in database.events:
        if event.kind in (EventKind.ALARM, EventKind.POSITION_MISMATCH):
            counts[event.code] = counts.get(event.code, 0) + 1
    return counts

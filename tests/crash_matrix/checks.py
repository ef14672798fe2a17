"""Checks: what must hold once the dust has settled: real tables, real queues, the exchange."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import attrs

from order_domain.model.enums import EventKind, OrderStatus, Origin, Verdict
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import symbol_of
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.ports.outbox import NumberedEvent, Outbox
from order_service.audit import audit_store
from order_service.stores import open_store, system_clock
from tests.postgres_server import connected

UNSETTLED = "not settled"
LEFT = "left in the queue"
ACCOUNT, ENVIRONMENT = "custom:default", "custom"
IN_FLIGHT = (OrderStatus.INTENT, OrderStatus.SUBMITTING, OrderStatus.UNKNOWN, OrderStatus.ACKED)


@attrs.frozen
class Rows:
    """Everything of the store that is judged."""

    signals: Sequence[SignalRow]
    deliveries: Sequence[DeliveryRow]
    orders: Sequence[Order]
    ledger: Sequence[LedgerEntry]
    positions: Sequence[Position]
    refusals: Sequence[int]
    broken: Sequence[Any]


async def read_rows(url: str) -> Rows:
    """Read the store as an auditor does."""
    store = open_store(url, system_clock())
    await store.open()
    try:
        kinds = (SignalRow, DeliveryRow, Order, LedgerEntry, Position)
        rows = [[row async for row in store.views.stream(kind)] for kind in kinds]
        refusals = [
            each.number
            async for each in _all_events(store.outbox)
            if each.event.kind in (EventKind.SIGNAL_INVALID, EventKind.SIGNAL_CONFLICT)
        ]
        report = await audit_store(
            store, account=ACCOUNT, environment=ENVIRONMENT, contiguous=False
        )
        return Rows(*rows, refusals, report.broken)
    finally:
        await store.close()


async def _all_events(outbox: Outbox) -> AsyncIterator[NumberedEvent]:
    number = 0
    while page := await outbox.events_after(number, 1000):
        for each in page:
            yield each
        number = page[-1].number


async def is_settled(url: str, sent: set[str]) -> bool:
    """Whether nothing will change by itself: every signal decided, no order in flight."""
    async with connected(url) as connection:
        if await connection.fetchval(_ANY_IN_FLIGHT):
            return False
        return sent <= {row["signal_id"] for row in await connection.fetch(_DECIDED)}


_ANY_IN_FLIGHT = "SELECT EXISTS (SELECT 1 FROM orders WHERE status IN ({}))".format(
    ", ".join(f"'{each.value}'" for each in IN_FLIGHT)
)
_DECIDED = f"SELECT signal_id FROM signals WHERE verdict <> '{Verdict.PARKED.value}'"


def problems(
    rows: Rows,
    *,
    sent: set[str],
    malformed: set[bytes],
    dead: Sequence[Any],
    events: Sequence[dict[str, Any]],
    truth: dict[str, Any],
    left: int,
) -> list[str]:
    """Say everything that does not hold."""
    found = [f"audit: {each}" for each in rows.broken]
    found += _signals(rows, sent, malformed, dead, left)
    found += differences(rows, truth)
    found += _events(events, rows.refusals)
    return found


def _signals(
    rows: Rows, sent: set[str], malformed: set[bytes], dead: Sequence[Any], left: int
) -> list[str]:
    verdicts = Counter(row.signal.signal_id for row in rows.signals)
    found = [f"V24 signal {each} has no verdict" for each in sorted(sent - set(verdicts))]
    found += [f"V1 signal {each} has {n} verdicts" for each, n in verdicts.items() if n != 1]
    found += [f"V24 signal {each} was never sent" for each in sorted(set(verdicts) - sent)]
    buried = {letter.body for letter in dead}
    found += [f"V24 malformed and not a dead letter: {each!r}" for each in malformed - buried]
    if left:
        found.append(f"V24 {left} signals are {LEFT}")
    return found


def differences(rows: Rows, truth: dict[str, Any]) -> list[str]:
    """What orders, executions and positions are not the exchange's."""
    here = {order.client_order_id: order for order in rows.orders}
    # what comes back under a name we never gave is taken for somebody else's
    ours = {name for name, order in here.items() if order.terms.origin is not Origin.EXTERNAL}
    there = Counter(each["client_order_id"] for each in truth["orders"])
    found = [f"V2 the exchange has {n} orders {each}" for each, n in there.items() if n != 1]
    found += [f"V3 order {each} is not ours" for each in there if each not in ours]
    executed = Counter(
        (e["client_order_id"], Decimal(e["quantity"]), Decimal(e["price"]), e["sequence"])
        for e in truth["executions"]
    )
    booked = Counter(
        (e.client_order_id, e.quantity, e.price, e.sequence)
        for e in (entry.execution for entry in rows.ledger)
    )
    found += [f"V7 execution {each} was not booked" for each in executed - booked]
    found += [f"V7 execution {each} never was, or was booked twice" for each in booked - executed]
    for order in rows.orders:
        if order.cum_quantity and order.client_order_id not in there:
            found.append(f"V3 order {order.client_order_id} filled without being there")
    sizes: Counter[str] = Counter()
    for position in rows.positions:
        sizes[symbol_of(position.instrument_id)] += position.size  # type: ignore[assignment]
    for each in truth["positions"]:
        sizes[symbol_of(each["instrument_id"])] -= Decimal(each["size"])  # type: ignore[assignment]
    found += [f"V9 position {symbol} differs by {size}" for symbol, size in sizes.items() if size]
    open_there = {each["client_order_id"] for each in truth["orders"] if not _has_ended(each)}
    open_here = {name for name, order in here.items() if not order.is_terminal}
    found += [f"V16 open on one side only: {each}" for each in sorted(open_there ^ open_here)]
    return found


def _has_ended(order: dict[str, Any]) -> bool:
    return order["status"] not in ("New", "PartiallyFilled", "Untriggered")


def _events(events: Sequence[dict[str, Any]], refusals: Sequence[int]) -> list[str]:
    """Every event came, those of one order in order; refusals went to the dead letters instead.

    No order was taken for ended by us and then found alive.
    """
    numbers = {each["number"] for each in events} | set(refusals)
    last = max(numbers, default=0)
    found = [f"V13 event {n} was not published" for n in sorted(set(range(1, last + 1)) - numbers)]
    revived = EventKind.ORDER_REVIVED.value
    found += [
        f"V11 given up, then alive: {e['text']}" for e in events if e["event_type"] == revived
    ]
    newest: dict[str, int] = {}
    for each in events:
        if each.get("order") is None:
            continue
        before = newest.get(each["subject"], 0)
        if each["sequence"] > before + 1:
            found.append(f"V14 {each['subject']}: {each['sequence']} came after {before}")
        newest[each["subject"]] = max(before, each["sequence"])
    return found

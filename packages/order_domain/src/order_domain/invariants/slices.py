"""Slice: some orders of one moment with everything that belongs to them, checked by themselves.

What an auditor beside a live service can afford. Whatever needs every row of the store, or a quiet
one, is left to `Audit`.
"""

from collections.abc import Mapping, Sequence

import attrs

from order_domain.invariants.lives import Lives
from order_domain.invariants.orders import Orders
from order_domain.invariants.report import Findings, Report
from order_domain.invariants.signals import ReadBody, Signals
from order_domain.invariants.values import check_values
from order_domain.model.command import Command
from order_domain.model.enums import Origin
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.rows import SignalRow


@attrs.frozen(slots=True, kw_only=True)
class Slice:
    """Rows of one snapshot of a store.

    Attributes:
        signals: Every generation of the signals that made the orders.
        orders: Every order of these signals, re-quotes with what they re-quote.
        commands, ledger: Those of the orders.
        events: Of the orders, by sequence; they may reach beyond the snapshot.
        strangers: By the ids of the strangers' orders that are judged: what was booked of each
            before anybody here knew of it. Others of them are left out.
        overfilled: Orders of which an alarm told that they were filled beyond their quantity.
    """

    signals: Sequence[SignalRow]
    orders: Sequence[Order]
    commands: Sequence[Command]
    ledger: Sequence[LedgerEntry]
    events: Sequence[Event]
    strangers: Mapping[str, Sequence[LedgerEntry]] = attrs.Factory(dict)
    overfilled: frozenset[str] = frozenset()


def check_slice(
    rows: Slice, *, account: str, environment: str, read_body: ReadBody | None = None
) -> Report:
    """Check what the rows of some orders and their signals say of each other.

    Args:
        rows: What was read.
        account: The account of the rows; part of every order id.
        environment: Likewise.
        read_body: Reads a stored signal body again; None leaves that comparison out.
    """
    findings = Findings()
    orders = Orders(findings, account, environment)
    signals = Signals(findings, read_body)
    for row in (*rows.signals, *rows.orders, *rows.commands, *rows.ledger):
        check_values(findings, row, type(row).__name__)
    for signal in rows.signals:
        signals.take(signal)
    for order in rows.orders:
        if _is_judged(order, rows):
            orders.take(order)
    for command in rows.commands:
        if command.client_order_id in orders.rows:
            orders.take_command(command)
    events = [event for event in rows.events if _is_told(event, orders, rows)]
    ledger = _ledger(rows, orders, events)
    lives = Lives(findings, ledger)
    for number in (entry.number for entries in rows.strangers.values() for entry in entries):
        lives.book(number, "")
    for event, order in [(each, each.order) for each in events if each.order is not None]:
        lives.take(event, order)
    lives.finish(orders.rows)
    orders.check_fills(ledger, lives.booked, set(rows.overfilled))
    orders.check_signals(signals.rows, None)
    orders.check_commands(lives)
    return findings.report()


def _is_judged(order: Order, rows: Slice) -> bool:
    is_strangers = order.terms.origin is Origin.EXTERNAL
    return not is_strangers or order.client_order_id in rows.strangers


def _is_told(event: Event, orders: Orders, rows: Slice) -> bool:
    """Whether an event had happened when its order was read; all have, of one without a row."""
    if event.order is None or not _is_judged(event.order, rows):
        return False
    order = orders.rows.get(event.subject)
    return order is None or event.sequence <= order.version


def _ledger(rows: Slice, orders: Orders, events: Sequence[Event]) -> dict[int, LedgerEntry]:
    """Entries that name an order, those of its events that name none, and strangers' before it."""
    told = [event.ledger for event in events if event.ledger is not None]
    nameless = [each for each in told if each.execution.client_order_id not in orders.rows]
    named = [each for each in rows.ledger if each.execution.client_order_id in orders.rows]
    before = [entry for entries in rows.strangers.values() for entry in entries]
    return {entry.number: entry for entry in (*nameless, *named, *before)}

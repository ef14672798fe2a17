"""Audit: takes every row of a store, in any number of pieces, and tells what does not hold."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from order_domain.book import ALERTS
from order_domain.invariants.lives import Lives
from order_domain.invariants.orders import Orders
from order_domain.invariants.positions import Positions
from order_domain.invariants.report import Findings, Report
from order_domain.invariants.signals import ReadBody, Signals
from order_domain.invariants.states import States
from order_domain.invariants.values import check_values
from order_domain.model.balance import Balance
from order_domain.model.command import Command
from order_domain.model.enums import EventKind
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import instrument_id
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position, PositionSnapshot
from order_domain.model.rows import (
    Change,
    DeliveryRow,
    Mark,
    RequestRow,
    SignalRow,
    TradingStateRow,
)
from order_domain.ports.outbox import NumberedEvent

OVERFILL: Final = "OVERFILL"
"""Code of the alarm that an order was filled beyond its quantity; its text is the order's id."""
Row = Change | NumberedEvent
ORDER: tuple[type, ...] = (
    Instrument,
    SignalRow,
    DeliveryRow,
    Order,
    Command,
    Position,
    PositionSnapshot,
    LedgerEntry,
    Balance,
    TradingStateRow,
    Mark,
    RequestRow,
    NumberedEvent,
)
"""In which order rows must come. Within a type: ledger and events by number, snapshots by time."""


class Audit:
    """Checks the invariants that concern book, ledger and events.

    Args:
        account: The account of the rows; part of every order id.
        environment: Likewise.
        contiguous: Deliveries are numbered 1..n, as the lines of a file are.
        is_complete: Nothing the exchange has executed is missing in the ledger. Of a service at
            work nobody knows that, and whether a reduction made a position smaller (V22) is left
            out.
        read_body: Reads a stored signal body again; None leaves that comparison out.
    """

    def __init__(
        self,
        *,
        account: str,
        environment: str,
        contiguous: bool = False,
        is_complete: bool = True,
        read_body: ReadBody | None = None,
    ) -> None:
        self._is_complete = is_complete
        self._findings = findings = Findings()
        self._contiguous = contiguous
        self._signals = Signals(findings, read_body)
        self._orders = Orders(findings, account, environment)
        self._positions = Positions(findings, self._is_reduce_only)
        self._lives = Lives(findings, self._positions.ledger)
        self._instruments: dict[str, Instrument] = {}
        self._requests: list[RequestRow] = []
        self._state_rows: list[TradingStateRow] = []
        self._states = States(findings)
        self._events = self._alerts = self._alerts_marked = 0
        self._overfilled: set[str] = set()
        self._take: dict[type, Callable[[Any], None]] = {
            Instrument: self._instrument,
            SignalRow: self._signals.take,
            DeliveryRow: self._signals.take_delivery,
            Order: self._orders.take,
            Command: self._orders.take_command,
            Position: self._positions.take_position,
            PositionSnapshot: self._positions.take_snapshot,
            LedgerEntry: self._positions.take,
            TradingStateRow: self._state_rows.append,
            Mark: self._mark,
            RequestRow: self._requests.append,
            NumberedEvent: self._event,
        }

    def take(self, row: Row) -> None:
        """Take the next row, in the order of `ORDER`."""
        check_values(self._findings, row, type(row).__name__)
        take = self._take.get(type(row))
        if take is not None:
            take(row)

    def report(self) -> Report:
        """Check what needs all rows, and tell. Once, at the end."""
        findings, orders = self._findings, self._orders
        self._signals.finish(contiguous=self._contiguous)
        self._states.compare(self._state_rows, findings)
        self._states.check_versions(self._state_rows)
        self._lives.finish(orders.rows)
        self._positions.finish(is_complete=self._is_complete)
        orders.check_fills(self._positions.ledger, self._lives.booked, self._overfilled)
        orders.check_terms(self._instruments)
        orders.check_signals(self._signals.rows, self._requests)
        orders.check_commands(self._lives)
        findings.equal(
            "V13", "account", self._alerts_marked, self._alerts, "its events are counted"
        )
        return findings.report()

    def _is_reduce_only(self, order_id: str) -> bool:
        order = self._orders.rows.get(order_id)
        return order is not None and order.terms.reduce_only

    def _instrument(self, row: Instrument) -> None:
        name = f"instrument {row.id}"
        expected = instrument_id(row.category, row.symbol)
        self._findings.equal("V23", name, expected, row.id, "an instrument is named by its symbol")
        fresh = row.id not in self._instruments
        self._findings.holds("V23", name, fresh, "an instrument has one set of rules")
        self._instruments[row.id] = row

    def _mark(self, row: Mark) -> None:
        if row.name == ALERTS:
            self._alerts_marked = row.number

    def _event(self, numbered: NumberedEvent) -> None:
        event, name = numbered.event, f"event {numbered.number}"
        self._findings.equal("V13", name, self._events + 1, numbered.number, "events have no gap")
        self._events = numbered.number
        self._states.take_event(event)
        if event.order is not None:
            self._lives.take(event, event.order)
            return
        if event.subject == "account":
            self._alert(event, name)
            return
        self._findings.equal(
            "V13", name, 1, event.sequence, "a thing that happens once is told once"
        )
        self._signals.take_event(event)
        kind, _, rest = event.subject.partition(":")
        if kind == "execution":
            self._lives.book(int(rest), "")
        elif kind == "snapshot":
            self._positions.take_event(event)

    def _alert(self, event: Event, name: str) -> None:
        self._alerts += 1
        self._findings.equal(
            "V13", name, self._alerts, event.sequence, "account events have no gap"
        )
        if event.kind is EventKind.ALARM and event.code == OVERFILL:
            self._overfilled.add(event.text)


def check(
    rows: Iterable[Row],
    *,
    account: str,
    environment: str,
    contiguous: bool = False,
    is_complete: bool = True,
    read_body: ReadBody | None = None,
) -> Report:
    """Check rows that are at hand, in any order of types."""
    audit = Audit(
        account=account,
        environment=environment,
        contiguous=contiguous,
        is_complete=is_complete,
        read_body=read_body,
    )
    place = {row_type: number for number, row_type in enumerate(ORDER)}
    for row in sorted(rows, key=lambda each: place[type(each)]):
        audit.take(row)
    return audit.report()

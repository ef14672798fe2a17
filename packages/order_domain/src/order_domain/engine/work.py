"""Work: the changes of one step while they are being made, readable by the handler that makes them.

A handler never touches the book: it stages new row versions here, and the engine applies them once
    the handler has
returned. So an exception leaves the book as it was.
"""

from datetime import datetime, timedelta
from typing import Final

from order_domain.book import Book, CommandKey, ExecutionKey, PositionKey
from order_domain.config import EngineConfig
from order_domain.engine.watch import LONG_AGO, Watch
from order_domain.lifecycle import Trigger, outcome
from order_domain.model.command import Command
from order_domain.model.enums import CommandKind, EndedBy, EventKind
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.order import TERMINAL, Order
from order_domain.model.position import Position
from order_domain.model.rows import Change, Mark
from order_domain.model.steps import Effect, Query

# Members looked up once: on an enum class each look-up costs as much as an addition.
_ORDER_REVIVED: Final = EventKind.ORDER_REVIVED

ALERTS = "account_events"
"""Mark that numbers the events whose subject is the account."""
WATERMARK = "watermark"
"""Mark: executions before this moment are known completely."""
OPENED = "opened"
"""Mark: what was executed before this moment (exchange time) is in what the account held at the
first start, unless it was booked by itself."""

_new = object.__new__


class Work:
    """One step in the making. Reads prefer what is staged, then the book."""

    __slots__ = (
        "book",
        "changes",
        "commands",
        "config",
        "effects",
        "executions",
        "ledger_number",
        "marks",
        "now",
        "orders",
        "positions",
        "queries",
        "watch",
    )

    def __init__(self, book: Book, config: EngineConfig, watch: Watch) -> None:
        self.book = book
        self.config = config
        self.watch = watch
        self.orders: dict[ClientOrderId, Order] = {}
        self.positions: dict[PositionKey, Position] = {}
        self.commands: dict[CommandKey, Command] = {}
        self.executions: dict[ExecutionKey, None] = {}
        self.marks: dict[str, Mark] = {}
        self.begin(LONG_AGO)

    def begin(self, now: datetime) -> None:
        """Start a step. One object serves all steps of an engine; what it hands out is made new."""
        self.now = now
        self.changes: list[Change] = []
        self.effects: list[Effect] = []
        self.queries: list[Query] = []
        if self.orders:
            self.orders = {}
        if self.executions:
            self.positions = {}
            self.executions = {}
        if self.commands:
            self.commands = {}
        if self.marks:
            self.marks = {}
        self.ledger_number = self.book.ledger_number

    @property
    def exchange_now(self) -> datetime:
        """Our time corrected by the measured clock offset."""
        return self.now + self.watch.clock_offset

    def order(self, order_id: ClientOrderId) -> Order | None:
        """Newest version of an order."""
        return self.orders.get(order_id) or self.book.orders.get(order_id)

    def find(self, client_order_id: ClientOrderId, venue_order_id: str) -> Order | None:
        """Newest version of an order, by either id."""
        staged = self.orders.get(client_order_id) if client_order_id else None
        if staged is not None:
            return staged
        order = self.book.find(client_order_id, venue_order_id)
        if order is not None:
            return self.orders.get(order.terms.client_order_id, order)
        if venue_order_id:
            return next(
                (made for made in self.orders.values() if made.venue_order_id == venue_order_id),
                None,
            )
        return None

    def command(self, order_id: ClientOrderId, kind: CommandKind) -> Command | None:
        """Newest amend or cancel of an order."""
        return self.commands.get((order_id, kind)) or self.book.commands.get((order_id, kind))

    def mark(self, name: str) -> Mark | None:
        """Newest version of a mark."""
        return self.marks.get(name) or self.book.marks.get(name)

    def emit(
        self,
        order: Order,
        kind: EventKind,
        code: str = "",
        text: str = "",
        ledger: LedgerEntry | None = None,
        detail: tuple[tuple[str, object], ...] = (),
    ) -> Order:
        """Stage a freshly derived order as its next version, with the event that tells why."""
        now, changes = self.now, self.changes
        order.version = version = order.version + 1
        order.updated_at = now
        order_id = order.terms.client_order_id
        self.orders[order_id] = order
        event = _new(Event)
        event.kind = kind
        event.at = now
        event.subject = order_id
        event.sequence = version
        event.order = order
        event.ledger = ledger
        event.code = code
        event.text = text
        event.detail = detail
        changes += (order, event)
        return order

    def move(self, order: Order, trigger: Trigger) -> bool:
        """Set the status of a freshly derived order by the lifecycle table.

        False when the trigger is absorbed.

        An order that a fact brings back is alarmed about, and its end forgotten.
        """
        target = outcome(order.status, order.ended_by, trigger, order.terms.client_order_id)
        if target is None:
            return False
        if order.ended_by is not _NOBODY:
            self.alert(_ORDER_REVIVED, code=order.status.value, text=order.terms.client_order_id)
            order.closed_at = None
        order.status, order.ended_by = target
        if order.status in TERMINAL:
            order.closed_at = self.now
        return True

    def put_command(self, command: Command) -> Command:
        """Stage the next version of an amend or cancel."""
        command.updated_at = self.now
        self.commands[(command.client_order_id, command.kind)] = command
        self.changes.append(command)
        return command

    def put_mark(self, name: str, at: datetime | None, number: int = 0, text: str = "") -> None:
        """Stage a mark."""
        mark = Mark(name, at, number, text)
        self.marks[name] = mark
        self.changes.append(mark)

    def tell(
        self,
        kind: EventKind,
        subject: str,
        code: str = "",
        text: str = "",
        detail: tuple[tuple[str, object], ...] = (),
    ) -> None:
        """Stage an event of a subject that has exactly one event of its life."""
        self.changes.append(Event(kind, self.now, subject, 1, None, None, code, text, detail))

    def alert(
        self,
        kind: EventKind,
        code: str = "",
        text: str = "",
        detail: tuple[tuple[str, object], ...] = (),
    ) -> None:
        """Stage an event of the account as a whole, numbered by its own mark."""
        mark = self.mark(ALERTS)
        number = 1 if mark is None else mark.number + 1
        self.put_mark(ALERTS, self.now, number)
        self.changes.append(
            Event(kind, self.now, "account", number, None, None, code, text, detail)
        )

    def retry_delay(self, attempt: int) -> timedelta:
        """How long a command that was definitely not accepted waits for its next attempt."""
        config = self.config
        delay, longest = (
            config.retry_base_delay // _MICROSECOND,
            config.retry_max_delay // _MICROSECOND,
        )
        for _ in range(1, attempt):
            if delay >= longest:
                break
            delay = int(delay * config.retry_multiplier)
        return min(delay, longest) * _MICROSECOND


_MICROSECOND = timedelta(microseconds=1)
_NOBODY = EndedBy.NOBODY

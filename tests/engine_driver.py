"""World: one engine, its store, its time; tests tell it what happens and read what it asks for."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import attrs

from order_adapters.stores.memory.database import MemoryDatabase
from order_adapters.stores.memory.selection import rows_needed, rows_of_a_book
from order_domain.book import Book
from order_domain.engine import Engine
from order_domain.model.command import Command
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    CommandStatus,
    EventKind,
    OrderStatus,
    VenueStatus,
)
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import (
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    SignalId,
    VenueOrderId,
)
from order_domain.model.inputs import (
    ClockOffset,
    Input,
    SignalDelivered,
    StreamState,
    Tick,
    TransportState,
)
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.reports import (
    Answer,
    LookupResult,
    OrderReport,
    PositionReport,
    SweepResult,
    WalletReport,
)
from order_domain.model.rows import Change, SignalRow, TradingStateRow
from order_domain.model.steps import (
    Acknowledge,
    Effect,
    LookUp,
    Need,
    Query,
    Reply,
    SendAmend,
    SendCancel,
    SendCreate,
    Step,
    Sweep,
)
from tests.builders import (
    BTC,
    NOW,
    D,
    a_balance,
    a_config,
    a_quote,
    a_signal,
    an_execution,
    an_instrument,
)
from tests.builders import a_signal_id as numbered

T = TypeVar("T")
MS = timedelta(milliseconds=1)


class World:
    """An engine and everything around it, without a clock.

    Attributes:
        steps: Every step so far; `last` is the newest.
        store: What a journal would hold, each step being a flush of its own.
    """

    def __init__(self, **config: Any) -> None:
        # With no threshold of the spread a signal becomes a limit order unless it is very sure.
        self.config = a_config(**{"market_order_spread_threshold": D(0)} | config)
        self.store = MemoryDatabase()
        self.now = NOW
        self.engine = Engine(self.config)
        self.engine.load((), NOW, complete=True)
        self.steps: list[Step] = []
        self._delivery = 0
        self._executions = 0

    # -- telling it what happens

    def feed(self, message: Input) -> Step:
        """Take one input now, bring the rows it needs, commit its step."""
        result = self.engine.step(message, self.now)
        if isinstance(result, Need):
            result = self.engine.step(message, self.now, rows_needed(self.store, result))
        assert isinstance(result, Step), result
        return self.commit(result)

    def commit(self, step: Step) -> Step:
        self.store.write(step.changes, self.store.head)
        self.engine.committed(step.number)
        self.steps.append(step)
        return step

    def after(self, seconds: float = 0, *, milliseconds: float = 0) -> "World":
        """Let time pass without anything being due."""
        self.now += timedelta(seconds=seconds, milliseconds=milliseconds)
        return self

    def tick(self) -> Step:
        return self.feed(Tick())

    def tick_to(self, moment: datetime, *, quotes: bool = True) -> None:
        """Send every Tick that is due until a moment, each at its own time, with fresh quotes."""
        for _ in range(10_000):
            deadline = self.engine.next_deadline
            if deadline is None or deadline > moment:
                self.now = max(self.now, moment)
                return
            stuck = deadline <= self.now and self.steps and self.steps[-1] is self._ticked
            self.now = max(self.now + MS * 10 if stuck else self.now, deadline)
            if quotes:
                self.quote()
            self._ticked = self.tick()
        raise AssertionError("the engine asks for Ticks without end")

    _ticked: Step | None = None

    def pass_(self, seconds: float, *, quotes: bool = True) -> None:
        """Let time pass with all that is due in it."""
        self.tick_to(self.now + timedelta(seconds=seconds), quotes=quotes)

    def quote(self, **changes: Any) -> Step:
        return self.feed(a_quote(**{"at": self.now} | changes))

    def signal(self, **changes: Any) -> Step:
        """Deliver a signal made now, with an id of its own."""
        self._delivery += 1
        values = {"signal_id": numbered(self._delivery), "timestamp": self.now} | changes
        return self.feed(SignalDelivered(self._delivery, a_signal(**values)))

    def redeliver(self, signal_id: SignalId, **changes: Any) -> Step:
        self._delivery += 1
        signal = attrs.evolve(self.row(signal_id).signal, **changes)
        return self.feed(SignalDelivered(self._delivery, signal))

    def answer(
        self,
        order: Order,
        outcome: AnswerOutcome = AnswerOutcome.ACCEPTED,
        *,
        kind: CommandKind = CommandKind.CREATE,
        number: int | None = None,
        attempt: int | None = None,
        code: int = 0,
        text: str = "",
        **told: Any,
    ) -> Step:
        """Answer the newest attempt of a command, or the one that is named."""
        if kind is CommandKind.CREATE:
            number, newest = 0, self.order(order).attempt
        else:
            command = self.command(order, kind)
            number = command.number if number is None else number
            newest = command.attempt
        venue_id = VenueOrderId(
            f"v-{order.client_order_id}" if outcome is AnswerOutcome.ACCEPTED else ""
        )
        return self.feed(
            Answer(
                order.client_order_id,
                kind,
                number,
                newest if attempt is None else attempt,
                outcome,
                code,
                text,
                venue_id,
                **told,
            )
        )

    def report(self, order: Order, status: VenueStatus = VenueStatus.NEW, **changes: Any) -> Step:
        return self.feed(self.report_of(order, status, **changes))

    def report_of(
        self, order: Order, status: VenueStatus = VenueStatus.NEW, **changes: Any
    ) -> OrderReport:
        """What the exchange would show of an order now."""
        order, terms = self.order(order), order.terms
        return OrderReport(
            **{
                "instrument_id": terms.instrument_id,
                "venue_order_id": VenueOrderId(f"v-{terms.client_order_id}"),
                "client_order_id": terms.client_order_id,
                "side": terms.side,
                "order_type": terms.order_type,
                "time_in_force": terms.time_in_force,
                "price": order.price,
                "quantity": order.quantity,
                "status": status,
                "cum_quantity": order.cum_quantity,
                "updated_at": self.now,
                "created_at": terms.created_at,
                "reduce_only": terms.reduce_only,
                "position_side": terms.position_side,
            }
            | changes
        )

    def fill(self, order: Order, quantity: Any = None, **changes: Any) -> Step:
        return self.feed(self.execution_of(order, quantity, **changes))

    def execution_of(self, order: Order, quantity: Any = None, **changes: Any) -> Any:
        """A fill of what is left of an order, or of a part."""
        self._executions += 1
        order, terms = self.order(order), order.terms
        return an_execution(
            **{
                "exec_id": ExecutionId(f"e{self._executions}"),
                "instrument_id": terms.instrument_id,
                "client_order_id": terms.client_order_id,
                "venue_order_id": VenueOrderId(f"v-{terms.client_order_id}"),
                "side": terms.side,
                "price": order.price or D(50000),
                "quantity": order.leaves_quantity if quantity is None else D(quantity),
                "position_side": terms.position_side,
                "executed_at": self.now,
            }
            | changes
        )

    def lookup(
        self,
        order: Order,
        *,
        found: OrderReport | None = None,
        executions: Sequence[Any] = (),
        complete: bool = True,
        attempt: int | None = None,
        sent_at: datetime | None = None,
    ) -> Step:
        return self.feed(
            LookupResult(
                client_order_id=order.client_order_id,
                attempt=self.order(order).attempt if attempt is None else attempt,
                sent_at=self.now if sent_at is None else sent_at,
                complete=complete,
                order=found,
                executions=tuple(executions),
            )
        )

    def sweep(
        self,
        reason: str = "PERIODIC",
        *,
        complete: bool = True,
        orders: Sequence[OrderReport] = (),
        executions: Sequence[Any] = (),
        positions: Sequence[PositionReport] | None = None,
        wallet: WalletReport | None = None,
        began_at: datetime | None = None,
    ) -> Step:
        """A reading of the account; without other word its positions are ours."""
        if positions is None:
            positions = self.positions_as_booked(executions)
        return self.feed(
            SweepResult(
                began_at=self.now if began_at is None else began_at,
                ended_at=self.now,
                complete=complete,
                reason=reason,
                orders=tuple(orders),
                executions=tuple(executions),
                positions=tuple(positions),
                wallet=wallet,
            )
        )

    def positions_as_booked(self, executions: Iterable[Any] = ()) -> list[PositionReport]:
        sizes = {key: position.size for key, position in self.book.positions.items()}
        for execution in executions:
            key = (execution.instrument_id, execution.exec_id)
            if key not in self.book.executions:
                side = (execution.instrument_id, execution.position_side)
                signed = execution.quantity if execution.side == "Buy" else -execution.quantity
                sizes[side] = sizes.get(side, D(0)) + signed
        return [
            PositionReport(instrument_id, side, size, D(50000), self.now)
            for (instrument_id, side), size in sizes.items()
        ]

    def wallet(self, **changes: Any) -> Step:
        balance = a_balance(**{"as_of": self.now} | changes)
        return self.feed(WalletReport(balance.as_of, (balance,)))

    def transport(self, *, up: bool, flush: timedelta = timedelta(0)) -> Step:
        return self.feed(TransportState(up, flush))

    def stream(self, *, healthy: bool, reason: str = "") -> Step:
        return self.feed(StreamState(healthy, reason))

    def clock(self, offset: timedelta, uncertainty: timedelta = timedelta(0)) -> Step:
        return self.feed(ClockOffset(offset, uncertainty))

    def restart(self) -> Step:
        """Forget everything and load the store again."""
        self.engine = Engine(self.config)
        self.engine.load(self.stored_rows(), self.now, complete=False)
        return self.commit(self.engine.resume(self.now))

    # -- reading what it did

    @property
    def book(self) -> Book:
        return self.engine.book

    @property
    def last(self) -> Step:
        return self.steps[-1]

    def stored_rows(self) -> list[Change]:
        return rows_of_a_book(self.store, self.now - self.config.retention)

    def loaded_book(self) -> Book:
        """The book that a restart would make of the stored rows."""
        book = Book()
        for row in self.stored_rows():
            book.apply(row)
        return book

    def order(self, order: Order | ClientOrderId) -> Order:
        """The newest version of an order."""
        return self.book.orders[order.client_order_id if isinstance(order, Order) else order]

    def orders(self) -> list[Order]:
        return list(self.book.orders.values())

    def the_order(self) -> Order:
        """The only order there is."""
        (order,) = self.book.orders.values()
        return order

    def newest_order(self) -> Order:
        return list(self.book.orders.values())[-1]

    def status(self, order: Order) -> OrderStatus:
        return self.order(order).status

    def command(self, order: Order, kind: CommandKind = CommandKind.CANCEL) -> Command:
        return self.book.commands[(order.client_order_id, kind)]

    def command_status(self, order: Order, kind: CommandKind = CommandKind.CANCEL) -> CommandStatus:
        return self.command(order, kind).status

    def row(self, signal_id: SignalId) -> SignalRow:
        return self.book.signals[signal_id]

    def position(self, instrument_id: InstrumentId = BTC, side: Any = "Both") -> Position:
        return self.book.positions[(instrument_id, side)]

    def state(self, cause: str, scope: str = "account") -> TradingStateRow:
        return self.book.states[(scope, cause)]


def of_type(rows: Iterable[Any], wanted: type[T]) -> list[T]:
    return [row for row in rows if isinstance(row, wanted)]


def creates(step: Step) -> list[SendCreate]:
    return of_type(step.effects, SendCreate)


def cancels(step: Step) -> list[SendCancel]:
    return of_type(step.effects, SendCancel)


def amends(step: Step) -> list[SendAmend]:
    return of_type(step.effects, SendAmend)


def acknowledgements(step: Step) -> list[Acknowledge]:
    return of_type(step.effects, Acknowledge)


def reply(step: Step) -> Reply:
    (found,) = of_type(step.effects, Reply)
    return found


def lookups(step: Step) -> list[LookUp]:
    return of_type(step.queries, LookUp)


def sweeps(step: Step) -> list[Sweep]:
    return of_type(step.queries, Sweep)


def events(step: Step, kind: EventKind | None = None) -> list[Event]:
    return [event for event in of_type(step.changes, Event) if kind in (None, event.kind)]


def event_kinds(step: Step) -> list[EventKind]:
    return [event.kind for event in of_type(step.changes, Event)]


def entries(step: Step) -> list[LedgerEntry]:
    return of_type(step.changes, LedgerEntry)


def effects_and_queries(steps: Iterable[Step]) -> list[Effect | Query]:
    return [one for step in steps for one in (*step.effects, *step.queries)]


def a_world(**config: Any) -> World:
    """A world open for business: rules, transport, stream, wallet, first sweep, fresh quote."""
    world = World(**config)
    world.feed(an_instrument())
    world.transport(up=True)
    world.stream(healthy=True)
    world.sweep("START", wallet=WalletReport(world.now, (a_balance(),)))
    world.quote()
    world.tick()
    return world


def a_world_with_working_order(**changes: Any) -> tuple[World, Order]:
    """A limit order to buy 0.02 at 49,990 that the exchange shows as New."""
    world = a_world(**changes)
    world.signal()
    order = world.the_order()
    world.answer(order)
    world.report(order)
    return world, world.order(order)

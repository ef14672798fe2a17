"""Engine.

`step(input, now) -> Step | Need`. Input type -> handler is one table at the end of this file.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import getcontext
from typing import Any

from order_domain.book import Book
from order_domain.config import EngineConfig
from order_domain.engine import states
from order_domain.engine.answers import on_answer
from order_domain.engine.lookups import on_lookup, on_sweep, request_sweep
from order_domain.engine.operators import on_operator
from order_domain.engine.orders import copy_command
from order_domain.engine.reports import on_execution, on_order_report, on_wallet
from order_domain.engine.signals import on_invalid, on_signal
from order_domain.engine.ticks import next_deadline, on_tick
from order_domain.engine.watch import LONG_AGO, Watch, Why
from order_domain.engine.work import Work
from order_domain.errors import InvalidValue
from order_domain.lifecycle import Trigger
from order_domain.model.command import Command
from order_domain.model.enums import CommandKind, CommandStatus, EventKind, OrderStatus
from order_domain.model.execution import Execution, LedgerEntry
from order_domain.model.inputs import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    ClockOffset,
    ClosePosition,
    DeliveryInvalid,
    Flatten,
    Input,
    PlaceOrder,
    RequestSweep,
    RetrySignal,
    SetTradingState,
    SignalDelivered,
    StreamState,
    Tick,
    TransportState,
)
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.quote import Quote
from order_domain.model.reports import Answer, LookupResult, OrderReport, SweepResult, WalletReport
from order_domain.model.rows import Change, RequestRow, SignalRow, TradingStateRow
from order_domain.model.steps import Need, Step

_PRECISION = 28
_FLUSH_PART = 4
"""Claims need the last flush to have taken less than this part of recv_window (protocol 5.4)."""
_EVICT_INTERVAL = timedelta(seconds=10)
_EVICT_SLACK = 1000


class Engine:
    """One account's decisions.

    Synchronous; the same inputs with the same times give the same steps.

    Args:
        config: What decisions depend on.
        has_store: False for a driver that keeps nothing (a backtest): then every signal id stays in
            memory and `Need` is never answered.
    """

    def __init__(self, config: EngineConfig, *, has_store: bool = True) -> None:
        if getcontext().prec < _PRECISION:
            raise InvalidValue(
                field="decimal precision", rule=f">= {_PRECISION}", value=getcontext().prec
            )
        self.config = config
        self.book = Book()
        self._has_store = has_store
        self._watch = Watch(config)
        self._number = 0
        self._now = LONG_AGO
        self._started = False
        self._open_steps: deque[tuple[int, datetime]] = deque()

    # -- the outside
    # ------------------------------------------------------------------------------------------

    def step(
        self, message: Input, now: datetime, rows: Sequence[Change] | None = None
    ) -> Step | Need:
        """Take one input.

        Args:
            message: What happened.
            now: Our time, UTC; never earlier than at the step before.
            rows: The stored rows that an earlier `Need` of this same input asked for; None if none
                was asked.

        Returns:
            The step, already applied to the book, or the rows needed first, the book being
            untouched.
        """
        if rows:
            self._bring(rows)
        if self._started and now < self._now:
            now = self._now
        self._now, self._started = now, True
        work = Work(self.book, self.config, self._watch, now)
        need = _HANDLERS[message.__class__](self, work, message, rows is not None)
        if need is not None:
            return need
        return self._finish(work)

    def load(self, rows: Iterable[Change], now: datetime, *, complete: bool = False) -> None:
        """Fill the book from a journal. `complete` tells that the rows are all the store has."""
        for row in rows:
            self.book.apply(row)
        self.book.signals_complete = complete or not self._has_store
        self._now, self._started = now, True

    def resume(self, now: datetime) -> Step:
        """Make good for the time nobody was here (protocol 8.4): the first step after a load.

        What was sent and not answered is unknown, sent cancels go again, and no token is assumed.
        """
        watch = self._watch
        second = timedelta(seconds=1)
        if self.book.orders or self.book.positions:
            watch.creates.drain(now + second)
            watch.cancels.drain(now + second)
        self._now, self._started = now, True
        work = Work(self.book, self.config, watch, now)
        for orders in self.book.live.values():
            for order in orders.values():
                self._resume_order(work, order)
        for key in self.book.open_commands:
            self._resume_command(work, self.book.commands[key])
        watch.intents_due = bool(self.book.intents)
        watch.parked_due = bool(self.book.parked)
        request_sweep(work, "START")
        return self._finish(work)

    def committed(self, number: int) -> None:
        """Everything up to this step is durable, so it may be forgotten when it is old."""
        open_steps = self._open_steps
        while open_steps and open_steps[0][0] <= number:
            open_steps.popleft()

    @property
    def next_deadline(self) -> datetime | None:
        """When a Tick is due; may lie in the past. None before the first step."""
        return next_deadline(self.book, self._watch, self._now) if self._started else None

    @property
    def is_behind_barrier(self) -> bool:
        """Openings wait for a complete sweep."""
        return self._watch.barrier

    # -- inside ------------------------------------------------------------------------------------
    # -----------

    def _finish(self, work: Work) -> Step:
        apply = self.book.apply
        for change in work.changes:
            apply(change)
        self._number += 1
        if self._has_store:
            self._open_steps.append((self._number, work.now))
        return Step(self._number, work.changes, work.effects, work.queries)

    def _bring(self, rows: Sequence[Change]) -> None:
        """Take stored rows into the book where it does not hold the object."""
        book = self.book
        for row in rows:
            if isinstance(row, Order):
                held = row.terms.client_order_id in book.orders
            elif isinstance(row, SignalRow):
                known = book.signals.get(row.signal.signal_id)
                held = known is not None and known.generation >= row.generation
            elif isinstance(row, LedgerEntry):
                held = (row.execution.instrument_id, row.execution.exec_id) in book.executions
            elif isinstance(row, Command):
                held = (row.client_order_id, row.kind) in book.commands
            elif isinstance(row, RequestRow):
                held = row.request_id in book.requests
            else:
                held = True
            if not held:
                book.apply(row)

    def _resume_order(self, work: Work, order: Order) -> None:
        watch, order_id, now = work.watch, order.terms.client_order_id, work.now
        stale_after = self.config.cancel_stale_order_timeout
        if stale_after and order.attempt:
            watch.resting.append((order.terms.created_at + stale_after, order_id))
        if order.status is OrderStatus.SUBMITTING:
            unknown = order.derive()
            work.move(unknown, Trigger.LOSE)
            work.emit(
                unknown,
                EventKind.ORDER_UNKNOWN,
                code="RESTART",
                text="no answer known after a restart",
            )
        if order.status in (OrderStatus.SUBMITTING, OrderStatus.UNKNOWN):
            watch.inquire(order_id, Why.UNANSWERED, order.attempt, now)
        elif order.unbooked_quantity or order.reported_status is not None:
            watch.inquire(order_id, Why.LEDGER, order.attempt, now)
        elif order.status is OrderStatus.ACKED:
            watch.acked.append((now + self.config.acked_silence, order_id))

    def _resume_command(self, work: Work, command: Command) -> None:
        if command.status is not CommandStatus.SENT:
            return
        again = copy_command(command)
        again.status = (
            CommandStatus.PENDING if command.kind is CommandKind.CANCEL else CommandStatus.UNKNOWN
        )
        work.put_command(again)

    def _on_tick(self, work: Work, message: Tick, asked: bool) -> None:
        on_tick(work, message, asked)
        watch, book = self._watch, self.book
        over = len(book.closed) > self.config.retention_orders + _EVICT_SLACK
        if over or watch.evict_at is None or watch.evict_at <= work.now:
            watch.evict_at = work.now + _EVICT_INTERVAL
            durable = self._open_steps[0][1] if self._open_steps else work.now
            book.evict(
                work.now - self.config.retention,
                self.config.retention_orders,
                durable,
                keep_ids=not self._has_store,
            )


def _on_quote(engine: Engine, _work: Work, quote: Quote, _asked: bool) -> None:
    engine.book.quotes[quote.instrument_id] = quote


def _on_instrument(_engine: Engine, work: Work, instrument: Instrument, _asked: bool) -> None:
    if work.book.instruments.get(instrument.id) != instrument:
        work.changes.append(instrument)


def _on_transport(engine: Engine, work: Work, state: TransportState, _asked: bool) -> None:
    work.watch.transport_up = state.up and state.flush * _FLUSH_PART < engine.config.recv_window
    work.watch.intents_due = work.watch.intents_due or bool(
        work.book.intents or work.book.open_commands
    )


def _on_stream(_engine: Engine, work: Work, state: StreamState, _asked: bool) -> None:
    """A lost stream closes the door to openings; a new one opens it only after a complete sweep."""
    watch = work.watch
    if not state.healthy:
        watch.stream_healthy, watch.barrier = False, True
        states.restrict(work, "STREAM", state.reason or "private stream down")
        return
    if not watch.stream_healthy:
        watch.stream_healthy, watch.healthy_at = True, work.exchange_now
        request_sweep(work, "RECONNECT")


def _on_clock(_engine: Engine, work: Work, clock: ClockOffset, _asked: bool) -> None:
    work.watch.clock_offset = clock.offset


def _on_state_row(_engine: Engine, work: Work, row: TradingStateRow, _asked: bool) -> None:
    """Somebody set a state in the store without the lease: take it over (protocol part 4)."""
    known = work.book.states.get((row.scope, row.cause))
    if known is None or known.version < row.version:
        work.changes.append(row)


def _plain(
    handler: Callable[[Work, Any, bool], Need | None],
) -> Callable[[Engine, Work, Any, bool], Need | None]:
    def call(_engine: Engine, work: Work, message: Any, asked: bool) -> Need | None:
        return handler(work, message, asked)

    return call


_OPERATOR_TYPES = (
    PlaceOrder,
    AmendOrder,
    CancelOrder,
    CancelAll,
    ClosePosition,
    Flatten,
    SetTradingState,
    RetrySignal,
    RequestSweep,
)
_HANDLERS: Mapping[type, Callable[[Engine, Work, Any, bool], Need | None]] = {
    SignalDelivered: _plain(on_signal),
    DeliveryInvalid: _plain(on_invalid),
    Answer: _plain(on_answer),
    OrderReport: _plain(on_order_report),
    Execution: _plain(on_execution),
    WalletReport: _plain(on_wallet),
    Quote: _on_quote,
    Instrument: _on_instrument,
    TransportState: _on_transport,
    StreamState: _on_stream,
    ClockOffset: _on_clock,
    TradingStateRow: _on_state_row,
    LookupResult: _plain(on_lookup),
    SweepResult: _plain(on_sweep),
    Tick: Engine._on_tick,
    **dict.fromkeys(_OPERATOR_TYPES, _plain(on_operator)),
}

"""Engine.

`step(input, now) -> Step | Need`. Input type -> handler is one table at the end of this file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import getcontext
from typing import Any, Final

from order_domain.book import APPLY, Book, apply_order
from order_domain.config import EngineConfig
from order_domain.context import Decision
from order_domain.engine.answers import on_answer
from order_domain.engine.deadlines import next_deadline
from order_domain.engine.executions import on_execution
from order_domain.engine.lookups import on_lookup
from order_domain.engine.operators import on_operator
from order_domain.engine.plumbing import (
    on_clock,
    on_instrument,
    on_state_row,
    on_stream,
    on_transport,
)
from order_domain.engine.preview import preview
from order_domain.engine.reports import on_order_report, on_wallet
from order_domain.engine.resume import resume
from order_domain.engine.signals import on_invalid, on_signal
from order_domain.engine.sweeps import on_sweep
from order_domain.engine.ticks import on_tick
from order_domain.engine.watch import LONG_AGO, Watch
from order_domain.engine.work import Work
from order_domain.errors import InvalidValue
from order_domain.model.command import Command
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
from order_domain.model.signal import TradingSignal
from order_domain.model.steps import Need, Step

_new = object.__new__
_PRECISION = 28
_APPLY: Final = {**APPLY, Order: None}
"""Of a step's orders only the newest version of each goes into the book, and the work knows it."""


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
        self._watch.keeps_ids = not has_store
        self._work = Work(self.book, config, self._watch)

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
        if now > self._now:
            self._now = now
        else:
            now = self._now
        if type(message) is Quote:
            self.book.quotes[message.instrument_id] = message
            return self._nothing(now)
        work = self._work
        work.begin(now)
        need = _HANDLERS[type(message)](work, message, rows is not None)
        if need is not None:
            return need
        return self._finish(work)

    def load(self, rows: Iterable[Change], now: datetime, *, complete: bool = False) -> None:
        """Fill the book from a journal. `complete` tells that the rows are all the store has."""
        for row in rows:
            self.book.apply(row)
        self.book.signals_complete = complete or not self._has_store
        self._now = now

    def resume(self, now: datetime) -> Step:
        """Make good for the time nobody was here (protocol 8.4): the first step after a load.

        What was sent and not answered is unknown, sent cancels go again, and no token is assumed.
        """
        self._now = now
        work = self._work
        work.begin(now)
        resume(work)
        return self._finish(work)

    def preview(self, signal: TradingSignal, now: datetime) -> Decision:
        """Say what a signal would come to on this book; the book stays as it is.

        It is decided at once: a missing quote denies, and nothing that an order would wait for is
        asked about. Whether the signal is known already is not looked up.
        """
        work = self._work
        work.begin(now)
        return preview(work, signal)

    def committed(self, number: int) -> None:
        """Everything up to this step is durable, so it may be forgotten when it is old."""
        open_steps = self._watch.open_steps
        while open_steps and open_steps[0][0] <= number:
            open_steps.popleft()

    @property
    def next_deadline(self) -> datetime | None:
        """When a Tick is due; may lie in the past. None before the first step."""
        if self._now is LONG_AGO:
            return None
        return next_deadline(self.book, self._watch, self._now)

    @property
    def is_behind_barrier(self) -> bool:
        """Openings wait for a complete sweep."""
        return self._watch.barrier

    def _finish(self, work: Work) -> Step:
        """Let the book follow the changes; only now has the step happened."""
        book = self.book
        for order in work.orders.values():
            apply_order(book, order)
        for change in work.changes:
            apply = _APPLY[type(change)]
            if apply is not None:
                apply(book, change)
        self._number = number = self._number + 1
        if self._has_store:
            self._watch.open_steps.append((number, work.now))
        step = _new(Step)
        step.number, step.changes = number, work.changes
        step.effects, step.queries = work.effects, work.queries
        return step

    def _nothing(self, now: datetime) -> Step:
        """A step of volatile state only: quotes are most of all inputs, and write nothing."""
        self._number = number = self._number + 1
        if self._has_store:
            self._watch.open_steps.append((number, now))
        step = _new(Step)
        step.number = number
        step.changes, step.effects, step.queries = [], [], []
        return step

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
_HANDLERS: Mapping[type, Callable[[Work, Any, bool], Need | None]] = {
    SignalDelivered: on_signal,
    DeliveryInvalid: on_invalid,
    Answer: on_answer,
    OrderReport: on_order_report,
    Execution: on_execution,
    WalletReport: on_wallet,
    Instrument: on_instrument,
    TransportState: on_transport,
    StreamState: on_stream,
    ClockOffset: on_clock,
    TradingStateRow: on_state_row,
    LookupResult: on_lookup,
    SweepResult: on_sweep,
    Tick: on_tick,
    **dict.fromkeys(_OPERATOR_TYPES, on_operator),
}

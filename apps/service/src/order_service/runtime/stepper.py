"""Stepper: the one place where the engine is called; every step goes into the tail."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, Protocol

from order_domain.book import Book
from order_domain.driving import Quotes
from order_domain.model.inputs import ClockOffset, Input, StreamState, Tick, TransportState
from order_domain.model.quote import Quote
from order_domain.model.rows import Change
from order_domain.model.steps import Need, Query, Step
from order_domain.ports.clock import Clock
from order_service.runtime.committer import Entry
from order_service.runtime.metrics import Metrics
from order_service.runtime.trading_state import TradingStates

PLUMBING: Final = (TransportState, StreamState, ClockOffset)
"""Inputs an engine does not store: a new engine is told the newest of each again."""


class DecidingEngine(Protocol):
    """The engine, as far as the runtime sees it. The book is looked at by drivers only."""

    def load(self, rows: Iterable[Change], now: datetime, *, complete: bool = False) -> None: ...
    def resume(self, now: datetime) -> Step: ...
    def step(
        self, message: Input, now: datetime, rows: Sequence[Change] | None = None
    ) -> Step | Need: ...
    def committed(self, step_number: int) -> None: ...
    @property
    def next_deadline(self) -> datetime | None: ...
    @property
    def is_behind_barrier(self) -> bool: ...
    @property
    def book(self) -> Book: ...


EngineFactory = Callable[[], DecidingEngine]
"""Makes an empty engine: every rebuild begins with one."""


class Stepper:
    """Steps inputs, with the quotes before them, at a time that never goes back."""

    def __init__(
        self,
        factory: EngineFactory,
        clock: Clock,
        states: TradingStates,
        metrics: Metrics,
        *,
        add: Callable[[Entry], None],
        ask: Callable[[Query], None] | None,
    ) -> None:
        """Wire up.

        `ask` takes queries at once; None when they leave with the effects of their step.
        """
        self._factory = factory
        self._clock = clock
        self._states = states
        self._metrics = metrics
        self._add = add
        self._ask = ask
        self._now = clock.now()
        self._plumbing: dict[type, Input] = {}
        self.engine = factory()
        self.quotes = Quotes()

    def now(self) -> datetime:
        """Time for the engine: the clock's, but never earlier than it was."""
        now = self._clock.now()
        self._now = max(self._now, now)
        return self._now

    def load(self, rows: Sequence[Change], states_version: int) -> Entry:
        """Begin with a new engine on these rows; return its first step, not yet in the tail."""
        self.engine = self._factory()
        self.engine.load(rows, self.now(), complete=not rows)
        self._states.begin(states_version, rows)
        self.quotes.renew()
        return self._entry(None, self.engine.resume(self.now()))

    def retell(self) -> None:
        """Tell a new engine what its predecessor knew of our plumbing."""
        for message in list(self._plumbing.values()):
            self.step(message)

    def step(self, message: Input, rows: Sequence[Change] | None = None) -> Need | None:
        """Step one input into the tail; return the need when rows are missing."""
        self.feed_quotes()
        outcome = self.prepare(message, rows)
        if isinstance(outcome, Need):
            return outcome
        self._add(outcome)
        return None

    def feed_quotes(self) -> None:
        """Step the quotes the engine has not seen."""
        for quote in self.quotes.drain():
            outcome = self.prepare(quote, None)
            if isinstance(outcome, Entry):
                self._add(outcome)

    def prepare(self, message: Input, rows: Sequence[Change] | None) -> Entry | Need:
        """Step one input without putting it into the tail. Raises whatever the engine raises."""
        now = self.now()
        if rows is None:
            outcome = self.engine.step(message, now)
        else:
            outcome = self.engine.step(message, now, rows)
        if isinstance(outcome, Need):
            return outcome
        if isinstance(message, PLUMBING):
            self._plumbing[type(message)] = message
        self._count(message)
        return self._entry(message, outcome)

    def _entry(self, message: Input | None, step: Step) -> Entry:
        self._states.learn(step.changes)
        if self._ask is not None:
            for query in step.queries:
                self._ask(query)
        return Entry(message, step, self._clock.monotonic())

    def _count(self, message: Input) -> None:
        self._metrics.steps += 1
        if isinstance(message, Quote):
            self._metrics.quotes += 1
        elif isinstance(message, Tick):
            self._metrics.ticks += 1

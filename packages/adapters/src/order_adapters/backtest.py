"""Backtest: engine and simulated exchange, driven synchronously in the order of a replay.

No event loop, no store: the changes of every step are kept in a list.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from order_adapters.schedule import Delivery, MarketRow, Schedule
from order_adapters.simulator.exchange import SimulatedExchange
from order_domain.config import EngineConfig
from order_domain.driving import Quotes, Ticks, has_open_ends
from order_domain.engine import Engine
from order_domain.errors import BrokenInvariant
from order_domain.model.inputs import Input, StreamState, Tick, TransportState
from order_domain.model.quote import Quote
from order_domain.model.reports import Answer, LookupResult, SweepResult
from order_domain.model.rows import Change
from order_domain.model.steps import (
    Acknowledge,
    LookUp,
    Need,
    Query,
    Reply,
    SendAmend,
    SendCancel,
    SendCreate,
    Step,
)

_REPLIES: Final = (Answer, LookupResult, SweepResult)
LONGEST_END: Final = timedelta(hours=1)


class Backtest:
    """One account in virtual time. `begin`, then `advance` and `deliver` or `run`, then `finish`.

    Attributes:
        changes: Rows of every step, in order; the newest version of a row is its state.
        replies: Verdicts and replies, in order.
    """

    def __init__(self, config: EngineConfig, exchange: SimulatedExchange) -> None:
        self.engine = Engine(config, has_store=False)
        self.exchange = exchange
        self.changes: list[Change] = []
        self.replies: list[Acknowledge | Reply] = []
        self._quotes = Quotes()
        self._ticks = Ticks()
        self._answers: deque[Input] = deque()
        self._facts: deque[Input] = deque()
        self._deliveries: deque[Delivery] = deque()
        self._steps: list[Step] = []
        self._takes_deliveries = False
        self._now: datetime | None = None

    @property
    def now(self) -> datetime:
        """The instant that time has reached. Raises BrokenInvariant before `begin`."""
        if self._now is None:
            raise BrokenInvariant(backtest="not begun")
        return self._now

    def begin(self, at: datetime) -> None:
        """Start at an instant: rules, plumbing, and a first look at the account."""
        self._now = at
        self.engine.load((), at)
        self._steps.append(self.engine.resume(at))
        self._answers.extend(self.exchange.instruments)
        self._answers.append(TransportState(up=True))
        self._facts.append(StreamState(healthy=True))
        self._work()

    def run(self, schedule: Schedule) -> None:
        """Go through all that is recorded, then `finish`."""
        last = self.now
        while not schedule.is_over:
            dues = (self.exchange.next_due, self._next_tick())
            moment = schedule.next_moment(*dues, deliveries=self._takes_deliveries)
            if not schedule.is_market_over:
                last = moment or last
            if moment is None or moment > last + LONGEST_END:
                raise BrokenInvariant(backtest="never ready for the deliveries")
            now = max(moment, self.now)
            self._reach(now, schedule.market(now))
            if self._takes_deliveries:
                self._deliver_all(schedule.deliveries(now))
        self.finish()

    def advance(self, to: datetime, market: Iterable[MarketRow] = ()) -> None:
        """Move time; the rows given are the whole market of that instant."""
        while (due := self._next_due()) is not None and due < to:
            self._reach(max(due, self.now))
        self._reach(to, market)

    def deliver(self, message: Delivery) -> None:
        """Bring a signal now."""
        self._deliver_all((message,))

    def finish(self) -> None:
        """Let time go on until nothing but resting orders is left, for an hour at most."""
        limit = self.now + LONGEST_END
        while self.exchange.next_due is not None or has_open_ends(self.engine.book):
            due = self._next_due()
            if due is None or due > limit:
                break
            self._reach(max(due, self.now))

    # -- one instant: market, answers and reports, time, deliveries

    def _reach(self, now: datetime, market: Iterable[MarketRow] = ()) -> None:
        self._now = now
        for row in market:
            if isinstance(row, Quote):
                self.exchange.on_quote(row, now)
                self._quotes.put(row)
            else:
                self.exchange.on_trade(row, now)
        for message in self.exchange.poll(now):
            (self._answers if isinstance(message, _REPLIES) else self._facts).append(message)
        self._work()

    def _deliver_all(self, messages: Iterable[Delivery]) -> None:
        self._deliveries.extend(messages)
        self._work()

    def _work(self) -> None:
        """Step all that is here, then let everything leave in step order."""
        while (message := self._next()) is not None:
            self._step(message)
        if self._quotes.is_due:
            self._feed_quotes()
            self._ticks.stepped()
        steps, self._steps = self._steps, []
        for step in steps:
            self._release(step)

    def _next(self) -> Input | None:
        if self._answers:
            return self._answers.popleft()
        if self._facts:
            return self._facts.popleft()
        tick_at = self._next_tick()
        if tick_at is not None and tick_at <= self.now:
            return Tick()
        if self._deliveries and self._takes_deliveries:
            return self._deliveries.popleft()
        return None

    def _step(self, message: Input) -> None:
        self._feed_quotes()
        self._keep(message)
        if isinstance(message, Tick):
            self._ticks.ticked(self.now)
        else:
            self._ticks.stepped()
        if isinstance(message, SweepResult) and message.complete:
            self._takes_deliveries = True

    def _feed_quotes(self) -> None:
        for quote in self._quotes.drain():
            self._keep(quote)

    def _keep(self, message: Input) -> None:
        step = self.engine.step(message, self.now)
        if isinstance(step, Need):
            raise BrokenInvariant(backtest="has no store", needs=step)
        self.changes += step.changes
        self._steps.append(step)

    def _release(self, step: Step) -> None:
        for effect in step.effects:
            if isinstance(effect, SendCreate | SendAmend | SendCancel):
                self.exchange.submit(effect, self.now)
            else:
                self.replies.append(effect)
        for query in step.queries:
            self._ask(query)

    def _ask(self, query: Query) -> None:
        if isinstance(query, LookUp):
            self.exchange.look_up(query, self.now)
        else:
            self.exchange.sweep(query, self.now)

    def _next_tick(self) -> datetime | None:
        return self._ticks.due_at(self.engine.next_deadline)

    def _next_due(self) -> datetime | None:
        moments = (self.exchange.next_due, self._next_tick())
        return min((moment for moment in moments if moment is not None), default=None)

"""Auditor: reads committed rows beside the engine; a broken invariant stops what adds risk.

A round looks at what has changed since the last one, at what is open, and at some of what is old,
so that it costs the same however much there is.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from order_domain.config import EngineConfig
from order_domain.engine.work import WATERMARK
from order_domain.invariants import (
    Broken,
    Findings,
    Folds,
    Pace,
    Report,
    States,
    check_refusal,
    check_rules,
    check_slice,
)
from order_domain.model.enums import EventKind, OrderStatus, Trading
from order_domain.model.events import Event
from order_domain.model.identifiers import ClientOrderId, InstrumentId
from order_domain.model.inputs import SetTradingState
from order_domain.model.instrument import Instrument
from order_domain.model.order import TERMINAL, Order
from order_domain.model.position import Position
from order_domain.model.rows import Mark
from order_domain.model.steps import Need
from order_domain.ports.clock import Clock
from order_domain.ports.journal import Journal, StoreUnavailable
from order_domain.ports.outbox import NumberedEvent, Outbox
from order_domain.ports.views import OrderQuery, Views
from order_service.runtime.broken import Known, in_both
from order_service.runtime.metrics import Metrics
from order_service.runtime.slicing import read_slice

CAUSE: Final = "AUDIT"
PAGE: Final = 200
"""Rows of one reading; events of the past that a round walks over; open orders it looks at."""
MOST: Final = 300
"""Changed orders that one round looks at; what is left out the walk comes to."""
AT_ONCE: Final = 20
"""Orders of one slice."""
BREATH: Final = timedelta(milliseconds=20)
"""Between two readings: others have their turn."""
AGAIN: Final = timedelta(seconds=2)
"""What is broken must be so twice, so long apart: two rows may have been read in between."""
NAMED: Final = 5
"""Broken claims that the reason of a restriction names."""
EVENTS, LEDGER, POSITIONS, STATES = NOT_ORDERS = ("events", "ledger", "positions", "states")
PRICED: Final = (EventKind.ORDER_CREATED, EventKind.ORDER_AMENDED, EventKind.ORDER_RESIZED)
"""What gives an order a price or quantity of ours."""
REFUSED: Final = (EventKind.SIGNAL_INVALID, EventKind.SIGNAL_CONFLICT)
LIVE: Final = tuple(status for status in OrderStatus if status not in TERMINAL)
log: Final = logging.getLogger(__name__)


class Auditor:
    """Looks every so often. It writes nothing but a restriction, which a person lifts.

    Lifted, it is not set again for what was known then; after a restart everything is news.

    Attributes:
        known: What does not hold, as far as has been looked.
        checked: How many single claims the last round has checked.
    """

    def __init__(
        self,
        config: EngineConfig,
        journal: Journal,
        views: Views,
        outbox: Outbox,
        clock: Clock,
        metrics: Metrics,
        interval: timedelta,
        restrict: Callable[[SetTradingState], Awaitable[None]],
    ) -> None:
        self._config = config
        self._journal = journal
        self._views = views
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._interval = interval
        self._restrict = restrict
        self._events, self._ledger = Findings(), Findings()
        self._folds = Folds(self._ledger)
        self._pace = Pace(config.max_orders_per_second)
        self._states, self._past_states = States(self._events), States(self._events)
        self._refusals: list[Event] = []
        self._priced: dict[str, None] = {}
        self._rules: Mapping[InstrumentId, Instrument] | None = None
        self._followed: int | None = None
        self._walked = 0
        self.known = Known()
        self.checked = 0

    async def run(self) -> None:
        """Look at the interval; a round that the store does not answer is left out."""
        while True:
            await self._clock.sleep_until(self._clock.now() + self._interval)
            try:
                await self.look()
            except StoreUnavailable:
                continue
            self._metrics.audits += 1

    async def look(self) -> None:
        """Look once. Raises StoreUnavailable."""
        before = self._events.checked + self._ledger.checked
        self.checked = 0
        known_until = await self._known_until()
        await self._fold()
        ids = dict.fromkeys(
            [
                *(part for part in self.known.parts if part not in NOT_ORDERS),
                *await self._changed(),
                *await self._open(),
                *await self._old(),
            ]
        )
        await self._check_refusals()
        await self._check_rules()
        await self._check_reductions(known_until)
        news = [*await self._orders(list(ids)), *await self._check_states()]
        news += await self._positions()
        news += self.known.learn(EVENTS, self._events.broken)
        news += self.known.learn(LEDGER, self._ledger.broken)
        self.checked += self._events.checked + self._ledger.checked - before
        if news:
            await self._tell(news)

    # -- which orders

    async def _changed(self) -> Sequence[str]:
        """Orders with events since the last round; the first begins at the newest event."""
        if self._followed is None:
            self._followed = (await self._journal.look()).event_no
        ids: dict[str, None] = {}
        while page := await self._outbox.events_after(self._followed, PAGE):
            for each in page:
                event = each.event
                self._followed = self._after(self._followed, each)
                self._states.take_event(event)
                self._note_refusal(event)
                if event.order is not None and len(ids) < MOST:
                    ids[event.subject] = None
                if event.kind in PRICED and len(self._priced) < MOST:
                    self._priced[event.subject] = None
                if event.kind is EventKind.ORDER_SUBMITTED:
                    self._pace.take(self._events, event.at, f"event {each.number}")
            await self._breathe()
        return list(ids)

    async def _open(self) -> Sequence[str]:
        orders, _ = await self._views.orders(OrderQuery(statuses=LIVE, limit=PAGE))
        return [str(order.client_order_id) for order in orders]

    async def _old(self) -> Sequence[str]:
        """Walk on over the events of all time; each order is looked at where it was born."""
        page = await self._outbox.events_after(self._walked, PAGE)
        if not page:
            is_whole = self._walked >= (self._followed or 0)
            self._events.holds("V13", "events", is_whole, "the newest are there", self._walked)
            self._walked, self._past_states = 0, States(self._events)
        for each in page:
            self._walked = self._after(self._walked, each)
            self._past_states.take_event(each.event)
            self._note_refusal(each.event)
        await self._breathe()
        births = (each.event for each in page if each.event.sequence == 1)
        return [event.subject for event in births if event.order is not None]

    def _after(self, before: int, each: NumberedEvent) -> int:
        name = f"event {each.number}"
        self._events.equal("V13", name, before + 1, each.number, "events have no gap")
        return each.number

    def _note_refusal(self, event: Event) -> None:
        if event.kind in REFUSED and len(self._refusals) < MOST:
            self._refusals.append(event)

    # -- what they say

    async def _check_refusals(self) -> None:
        """V25: what was told to be refused has its row and its reason; both were one commit."""
        refusals, self._refusals = self._refusals, []
        for event in refusals:
            row = await self._views.delivery(int(event.subject.partition(":")[2]))
            check_refusal(self._events, row, event)
            await self._breathe()

    async def _check_rules(self) -> None:
        """V23: orders since the last round obey the rules of then or of now."""
        priced, self._priced = list(self._priced), {}
        now = {row.id: row async for row in self._views.stream(Instrument)}
        before, self._rules = self._rules or now, now
        for row in await self._read_orders(priced):
            found = [Findings(), Findings()]
            for findings, rules in zip(found, (before, now), strict=True):
                check_rules(findings, row, rules.get(row.terms.instrument_id))
            self._events.checked += found[1].checked
            self._events.broken += in_both(found[0].broken, found[1].broken)

    async def _known_until(self) -> datetime | None:
        """Read before which moment every execution is booked: the last complete reading says so."""
        marks = [mark async for mark in self._views.stream(Mark) if mark.name == WATERMARK]
        return marks[0].at if marks else None

    async def _check_reductions(self, until: datetime | None) -> None:
        """V22: of what was executed since the auditor began, as far as all of it is known."""
        reductions = self._folds.reductions
        if until is None:
            return
        if reductions.horizon is None:
            reductions.skip(until)
            return
        orders = await self._read_orders(reductions.orders(until))
        reductions.judge(until, {str(o.client_order_id) for o in orders if o.terms.reduce_only})

    async def _read_orders(self, ids: Sequence[str]) -> Sequence[Order]:
        found: list[Order] = []
        for at in range(0, len(ids), PAGE):
            need = Need(orders=tuple(map(ClientOrderId, ids[at : at + PAGE])))
            found += [row for row in await self._journal.read(need) if isinstance(row, Order)]
            await self._breathe()
        return found

    async def _check_states(self) -> Sequence[Broken]:
        """V6: the states are what was told of them, as far as it was followed."""
        first = await self._compared_states()
        if first.is_sound:
            return self.known.learn(STATES, ())
        await self._clock.sleep_until(self._clock.now() + AGAIN)
        second = await self._compared_states()
        return self.known.learn(STATES, in_both(first.broken, second.broken))

    async def _compared_states(self) -> Report:
        findings = Findings()
        self._states.compare(await self._views.trading_states(), findings)
        self.checked += findings.checked
        return findings.report()

    async def _orders(self, ids: Sequence[str]) -> list[Broken]:
        """Check orders, some at once; those of a broken lot again later, each by itself."""
        news: list[Broken] = []
        doubtful: list[tuple[str, Report]] = []
        for at in range(0, len(ids), AT_ONCE):
            lot = ids[at : at + AT_ONCE]
            report = await self._slice(lot)
            for order_id in lot:
                if report.is_sound:
                    self.known.learn(order_id, ())
                else:
                    doubtful.append((order_id, report))
        if doubtful:
            await self._clock.sleep_until(self._clock.now() + AGAIN)
            await self._fold()  # a stranger's order may have become known since
        for order_id, first in doubtful:
            second = await self._slice([order_id])
            news += self.known.learn(order_id, in_both(first.broken, second.broken))
        return news

    async def _slice(self, ids: Sequence[str]) -> Report:
        rows = await read_slice(self._journal, self._views, self._outbox, self._folds, ids)
        await self._breathe()
        config = self._config
        report = check_slice(rows, account=config.account, environment=config.environment)
        self.checked += report.checked
        return report

    async def _positions(self) -> Sequence[Broken]:
        first = await self._folded()
        if first.is_sound:
            return self.known.learn(POSITIONS, ())
        await self._clock.sleep_until(self._clock.now() + AGAIN)
        second = await self._folded()
        return self.known.learn(POSITIONS, in_both(first.broken, second.broken))

    async def _folded(self) -> Report:
        """Compare the positions with the ledger, which is read before and after them."""
        await self._fold()
        self._folds.begin()
        rows: Iterable[Position] = await self._views.positions()
        await self._fold()
        report = self._folds.compare(rows)
        self.checked += report.checked
        return report

    async def _fold(self) -> None:
        while page := await self._views.ledger_after(self._folds.number, PAGE):
            for entry in page:
                self._folds.take(entry)
            await self._breathe()

    async def _breathe(self) -> None:
        await self._clock.sleep_until(self._clock.now() + BREATH)

    # -- what follows

    async def _tell(self, news: Sequence[Broken]) -> None:
        for each in news:
            log.error(
                "invariant %s is broken, %s: %s; expected %s, found %s",
                *(each.code, each.subject, each.text, each.expected, each.actual),
            )
        named = "; ".join(f"{each.code} {each.subject}: {each.text}" for each in news[:NAMED])
        await self._restrict(
            SetTradingState(
                request_id=f"audit:{self._clock.now().isoformat()}",
                actor="order-manager",
                scope="account",
                state=Trading.REDUCE_ONLY,
                reason=f"{len(news)} broken: {named}"[:2000],
                cause=CAUSE,
            )
        )

"""Release: lets the effects of committed steps leave, in step order, each to whom it belongs."""

import asyncio
from collections.abc import Callable, Sequence

from order_domain.model.events import Event
from order_domain.model.rows import Change, SignalRow
from order_domain.model.steps import Acknowledge, Effect, Query, Reply, SendCancel
from order_domain.ports.journal import Head
from order_domain.ports.outbox import NumberedEvent
from order_service.runtime.acknowledger import Acknowledger
from order_service.runtime.committer import Entry
from order_service.runtime.crash import crash_point
from order_service.runtime.executors import Executors
from order_service.runtime.lease import Lease
from order_service.runtime.relay import Relay
from order_service.runtime.spans import Spans
from order_service.runtime.syncing import Syncs
from order_service.runtime.trading_state import TradingStates

UNREAD = "trading state changed by somebody else"


class Replies:
    """People who wait for the reply to a request."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[Reply]]] = {}

    def expect(self, request_id: str) -> asyncio.Future[Reply]:
        """Return the future of the reply."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(request_id, []).append(future)
        return future

    def settle(self, reply: Reply) -> None:
        """Hand the reply to everybody who waits for it."""
        for future in self._waiting.pop(reply.request_id, ()):
            if not future.done():
                future.set_result(reply)

    def fail(self, error: Exception) -> None:
        """Nobody will be answered any more."""
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_exception(error)
        self._waiting.clear()


class Release:
    """Called by the committer with what has become durable."""

    def __init__(  # noqa: PLR0913 -- who is called from here
        self,
        lease: Lease,
        states: TradingStates,
        executors: Executors,
        acknowledger: Acknowledger,
        replies: Replies,
        syncs: Syncs,
        relays: Sequence[Relay],
        *,
        ask: Callable[[Query], None] | None,
        spans: Spans | None = None,
    ) -> None:
        """Wire up.

        `ask` takes the queries of a step behind its effects; None when they have left already.
        """
        self._spans = spans
        self._lease = lease
        self._states = states
        self._executors = executors
        self._acknowledger = acknowledger
        self._replies = replies
        self._syncs = syncs
        self._relays = relays
        self._ask = ask

    def __call__(self, entries: Sequence[Entry], head: Head) -> None:
        """Let everything leave.

        What adds risk stays when the flush read a trading state nobody here knows.
        """
        changes = [change for entry in entries for change in entry.step.changes]
        if self._spans is not None:
            self._spans.committed(changes)
        is_read = self._states.confirm(head.states_version, changes, self._lease.began_at)
        for entry in entries:
            cancels = 0
            for effect in entry.step.effects:
                cancels += isinstance(effect, SendCancel)
                if cancels > 1:
                    crash_point("halt.mid_cancel_all")
                self._let_go(effect, is_read=is_read)
            if self._ask is not None:
                for query in entry.step.queries:
                    self._ask(query)
        self._syncs.committed(entries)
        fresh = _numbered(changes, head.event_no)
        for relay in self._relays:
            relay.advance(head.event_no, fresh)

    def tell(self, entries: Sequence[Entry]) -> None:
        """Tell those who wait for the steps of an epoch that is over; send nothing of it."""
        for entry in entries:
            for effect in entry.step.effects:
                if isinstance(effect, Acknowledge):
                    self._acknowledger.put(effect)
                elif isinstance(effect, Reply):
                    self._replies.settle(effect)
        self._syncs.committed(entries)

    def _let_go(self, effect: Effect, *, is_read: bool) -> None:
        if isinstance(effect, Acknowledge):
            self._acknowledger.put(effect)
        elif isinstance(effect, Reply):
            self._replies.settle(effect)
        elif is_read or isinstance(effect, SendCancel) or effect.order.terms.reduce_only:
            self._executors.send(effect)
        else:
            self._executors.hold_back(effect, UNREAD)


def _numbered(changes: Sequence[Change], last: int) -> Sequence[NumberedEvent]:
    """The events among the changes of a flush, the last of which has this number."""
    signals: dict[str, SignalRow] = {}
    events: list[Event] = []
    for change in changes:
        if isinstance(change, Event):
            events.append(change)
        elif isinstance(change, SignalRow):
            signals[change.signal.signal_id] = change
    fresh = list(map(NumberedEvent, range(last - len(events) + 1, last + 1), events))
    if signals:
        for each in fresh:
            if each.event.order is not None:
                each.signal = signals.get(each.event.order.terms.signal_id)
    return fresh

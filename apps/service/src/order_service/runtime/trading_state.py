"""Trading states as others may set them: read, fed to the engine, checked before bytes leave."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from math import inf
from typing import Final

import attrs

from order_domain.model.enums import CommandKind, Origin, Trading
from order_domain.model.order import Order
from order_domain.model.rows import Change, TradingStateRow
from order_domain.ports.clock import Clock
from order_domain.ports.journal import Journal, StoreUnavailable
from order_service.runtime.backoff import Backoff
from order_service.runtime.metrics import Metrics

POLL: Final = timedelta(milliseconds=200)
UNREAD_S: Final = 1.0
"""Unread for this long, nothing that adds risk leaves (protocol part 4)."""


class TradingStates:
    """The newest known row of every scope and cause, whoever wrote it, and when it was read."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        metrics: Metrics,
        feed: Callable[[TradingStateRow], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._metrics = metrics
        self._feed = feed
        self._rows: dict[tuple[str, str], TradingStateRow] = {}
        self._read_at = -inf
        self._stale = asyncio.Event()
        self._backoff = Backoff(clock)
        self._read_version = 0
        self._newest = 0

    def begin(self, version: int, rows: Iterable[Change]) -> None:
        """Start on what a load read; the head row told this version before it."""
        self._read_version = version
        self.learn(rows)

    def learn(self, rows: Iterable[Change]) -> None:
        """Take the states among the rows of a step: what the engine now knows."""
        for row in rows:
            if isinstance(row, TradingStateRow):
                self._rows[(row.scope, row.cause)] = row
                self._newest = max(self._newest, row.version)

    def confirm(self, version: int, changes: Iterable[Change], read_at: float) -> bool:
        """Note the version a flush of these changes read; False when others changed a state too.

        Every state of our own raises the version by one; what it has risen beyond that is others'.
        """
        for row in changes:
            if isinstance(row, TradingStateRow):
                self._read_version = max(self._read_version + 1, row.version)
        if version > self._read_version:
            self._stale.set()
            return False
        self._read_version = version
        self._read_at = max(self._read_at, read_at)
        return True

    @property
    def is_idle(self) -> bool:
        """Whether no state is known to be unread, or nothing can be done before a retry is due."""
        return self._backoff.is_waiting or not self._stale.is_set()

    @property
    def retry_at(self) -> datetime | None:
        """When an unread state is asked for again."""
        return self._backoff.until

    def forbids(self, order: Order, kind: CommandKind) -> str:
        """Why this command may not leave now; empty when it may. Cancels always may."""
        if kind is CommandKind.CANCEL:
            return ""
        state, cause = self._strictest(order)
        reduces = order.terms.reduce_only
        strict = state.severity >= Trading.CANCEL_ONLY.severity
        if strict and kind is CommandKind.CREATE and _is_way_out(order):
            return ""
        if strict or (state is Trading.REDUCE_ONLY and not reduces):
            return f"{state.value} by {cause}"
        if not reduces and self._clock.monotonic() - self._read_at > UNREAD_S:
            return "trading state unread for 1 s"
        return ""

    def _strictest(self, order: Order) -> tuple[Trading, str]:
        scopes = (
            "account",
            f"strategy:{order.terms.strategy_id}",
            f"symbol:{order.terms.instrument_id}",
        )
        worst = Trading.ACTIVE, ""
        for (scope, cause), row in self._rows.items():
            if scope in scopes and row.state.severity > worst[0].severity:
                worst = row.state, f"{scope}/{cause}"
        return worst

    async def poll(self) -> None:
        """Read version and rows every 200 ms; what others changed goes to the engine.

        The store may be away.
        """
        while True:
            await self.read()
            await self._clock.sleep_until(self._clock.now() + POLL)

    async def watch(self) -> None:
        """Read at once whenever a flush saw a version that is not known here."""
        while True:
            await self._stale.wait()
            if await self.read():
                self._backoff.reset()
            else:
                await self._backoff.wait()

    async def read(self) -> bool:
        """Read once; False when the store did not answer."""
        began_at = self._clock.monotonic()
        try:
            version, rows = await self._journal.trading_states()
        except StoreUnavailable:
            return False
        self._metrics.state_polls += 1
        self._read_at = max(self._read_at, began_at)
        self._stale.clear()
        states = [row for row in rows if isinstance(row, TradingStateRow)]
        for row in sorted(states, key=lambda row: row.version):
            self._take(row)
        self._read_version = max(self._read_version, version)
        return True

    def _take(self, row: TradingStateRow) -> None:
        known = self._rows.get((row.scope, row.cause))
        if known is not None and known.version > row.version:
            return
        if known is not None and known.version == row.version:
            if _says_the_same(known, row):
                return
            row = attrs.evolve(row, version=self._newest + 1)
        self._rows[(row.scope, row.cause)] = row
        self._newest = max(self._newest, row.version)
        self._feed(row)


def _says_the_same(one: TradingStateRow, other: TradingStateRow) -> bool:
    """A person and the engine may give a version twice at once: only the content tells."""
    return (one.state, one.reason, one.actor) == (other.state, other.reason, other.actor)


def _is_way_out(order: Order) -> bool:
    """A reduce-only order of a person's flatten or close leaves even when everything is halted."""
    return order.terms.reduce_only and order.terms.origin in (Origin.FLATTEN, Origin.MANUAL)

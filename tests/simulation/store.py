"""The store as a server: transactions of the memory store, reached over a wire that may fail."""

import copy
from collections.abc import AsyncIterator, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from order_adapters.stores.memory import MemoryDatabase
from order_adapters.stores.memory.journal import MemoryJournal
from order_adapters.stores.memory.views import MemoryViews
from order_domain.model.command import Command
from order_domain.model.enums import CommandStatus, EventKind
from order_domain.model.events import Event
from order_domain.model.rows import Change, TradingStateRow
from order_domain.model.steps import Need
from order_domain.ports.clock import Clock
from order_domain.ports.journal import ChangeRefused, Flushed, FlushOutcome, Head, StoreUnavailable
from order_domain.ports.outbox import NumberedEvent
from tests.simulation.loop import Process
from tests.simulation.network import Link, Lost, Refused

T = TypeVar("T")
MADE_TO: Final = "made to be refused"
LET_PASS: Final = 100
"""Flushes after a refused one that are not refused: a rebuild is not disturbed."""


class Watches(Protocol):
    """Who is told of every commit."""

    def committed(self, process: Process, changes: Sequence[Change], head: Head) -> None: ...


def at_once(call: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing: one transaction at one instant."""
    try:
        call.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("a transaction of the memory store waited")


class NodeJournal:
    """One node's connection. What it sent may be carried out long after it has given up."""

    def __init__(
        self, link: Link, process: Process, database: MemoryDatabase, clock: Clock, watch: Watches
    ) -> None:
        self._link = link
        self._process = process
        self._database = database
        self._watch = watch
        self._session = MemoryJournal(database, clock)
        self._let_pass = 0

    async def acquire(self, *, account: str, owner: str, url: str, ttl: timedelta) -> Head:
        session = copy.copy(self._session)
        head = await self._ask(
            "acquire",
            lambda: at_once(session.acquire(account=account, owner=owner, url=url, ttl=ttl)),
        )
        self._session = session
        return head

    async def load(self, since: datetime) -> Sequence[Change]:
        return await self._ask("load", lambda: at_once(self._session.load(since)))

    async def flush(self, flush_no: int, changes: Sequence[Change]) -> Flushed:
        session = copy.copy(self._session)
        kept = list(changes)

        def serve() -> Flushed:
            if kept and self._refuses():
                raise ChangeRefused(table="orders", reason=MADE_TO)
            flushed = at_once(session.flush(flush_no, kept))
            if flushed.outcome is FlushOutcome.COMMITTED:
                self._watch.committed(self._process, kept, flushed.head)
                if kept:
                    self._link.moment("at_claim" if _claims(kept) else "at_commit")
                    if _cancels(kept):
                        self._link.moment("at_cancel")
            return flushed

        return await self._ask(f"flush {flush_no}", serve)

    def _refuses(self) -> bool:
        """Refuse a flush for its content now and then; what is stepped again is let pass."""
        self._let_pass -= 1
        if self._let_pass > 0 or not self._link.strikes("refuse", "flush"):
            return False
        self._let_pass = LET_PASS
        return True

    async def read(self, need: Need) -> Sequence[Change]:
        return await self._ask("read", lambda: at_once(self._session.read(need)))

    async def set_trading_state(self, row: TradingStateRow) -> Head:
        return await self._ask("set state", lambda: at_once(self._session.set_trading_state(row)))

    async def look(self) -> Head:
        return await self._ask("look", lambda: at_once(self._session.look()))

    async def trading_states(self) -> tuple[int, Sequence[TradingStateRow]]:
        return await self._ask("states", lambda: at_once(self._session.trading_states()))

    async def release(self) -> None:
        session = copy.copy(self._session)
        await self._ask("release", lambda: at_once(session.release()))

    async def _ask(self, what: str, serve: Any) -> Any:
        try:
            return await self._link.ask(what, serve)
        except (Lost, Refused) as error:
            raise StoreUnavailable(reason=str(error)) from None


def _claims(changes: Sequence[Change]) -> bool:
    """Whether a flush gives leave to send: the moment before the bytes."""
    return any(
        isinstance(each, Event) and each.kind is EventKind.ORDER_SUBMITTED for each in changes
    )


def _cancels(changes: Sequence[Change]) -> bool:
    """Whether a flush gives leave to send a cancel or an amend."""
    return any(isinstance(each, Command) and each.status is CommandStatus.SENT for each in changes)


class NodeViews:
    """One node's reading of rows, as far as validator and auditor ask for it."""

    def __init__(self, link: Link, database: MemoryDatabase) -> None:
        self._link = link
        self._views = MemoryViews(database)

    def __getattr__(self, name: str) -> Any:
        read = getattr(self._views, name)

        async def ask(*arguments: Any) -> Any:
            try:
                return await self._link.ask(name, lambda: at_once(read(*arguments)))
            except (Lost, Refused) as error:
                raise StoreUnavailable(reason=str(error)) from None

        return ask

    async def stream(self, row_type: type[T]) -> AsyncIterator[T]:
        """Every row of one type, read at once."""
        for row in await self._read_all(row_type):
            yield row

    async def _read_all(self, row_type: type[T]) -> list[T]:
        async def read() -> list[T]:
            return [row async for row in self._views.stream(row_type)]

        try:
            rows: list[T] = await self._link.ask("stream", lambda: at_once(read()))
        except (Lost, Refused) as error:
            raise StoreUnavailable(reason=str(error)) from None
        return rows


class NodeOutbox:
    """One node's reading of committed events."""

    def __init__(self, link: Link, database: MemoryDatabase) -> None:
        self._link = link
        self._database = database

    async def events_after(self, number: int, limit: int) -> Sequence[NumberedEvent]:
        try:
            return await self._link.ask("events", lambda: self._read(number, limit))
        except (Lost, Refused) as error:
            raise StoreUnavailable(reason=str(error)) from None

    def _read(self, number: int, limit: int) -> list[NumberedEvent]:
        events = self._database.events[number : number + limit]
        return [NumberedEvent(at, event) for at, event in enumerate(events, number + 1)]

"""Service: one account's runtime with its store and its market, from start to stop."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import attrs
import structlog

from order_domain.config import EngineConfig
from order_domain.invariants import Broken
from order_domain.model.enums import Category, Verdict
from order_domain.model.identifiers import InstrumentId
from order_domain.model.inputs import Operator, PlaceOrder, RetrySignal
from order_domain.model.quote import Quote
from order_domain.model.rows import SignalRow, TradingStateRow
from order_domain.model.signal import TradingSignal
from order_domain.model.steps import Reply
from order_domain.ports.journal import Journal, LeaseHeld, StoreUnavailable
from order_domain.ports.outbox import Outbox
from order_domain.ports.venue import Rates
from order_domain.ports.views import Views
from order_service.choices import Choices
from order_service.desk import Desk, NotTaking
from order_service.preview import Preview, preview
from order_service.runtime.outcome import Ended, EndReason, RuntimeEnded
from order_service.runtime.runtime import Runtime
from order_service.runtime.syncing import SyncResult, Syncs
from order_service.runtime.timings import Timings

log = structlog.get_logger(__name__)
VERDICT_SECONDS: Final = 10.0
"""How long a request waits for its verdict."""
BARRIER_WAIT: Final = timedelta(seconds=5)
"""How long a person's order waits for a reading of the account that is under way."""
STANDBY_SECONDS: Final = 0.5
"""Between two tries to take the account over."""
PARKED_LOOKS: Final = 40
PARKED_PAUSE_SECONDS: Final = 0.05


class OpenStore(Protocol):
    """What the service needs of a store."""

    @property
    def views(self) -> Views:
        """The read side."""
        ...

    @property
    def journal(self) -> Journal:
        """The write side."""
        ...

    @property
    def outbox(self) -> Outbox:
        """The committed events."""
        ...

    async def open(self) -> None:
        """Connect."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class Closable(Protocol):
    """What has a connection of its own, made when it is first needed."""

    async def close(self) -> None:
        """Disconnect."""
        ...


class Outlet(Protocol):
    """Where events go, with a connection of its own."""

    @property
    def is_up(self) -> bool:
        """Whether events can leave."""
        ...

    def open(self) -> None:
        """Begin to connect."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class Health:
    """How the service is.

    Attributes:
        is_alive: The runtime has not ended.
        is_ready: Signals are taken.
        store, bus: Whether they answer.
        owner: Who has the account while this service stands by, with its url; else empty.
    """

    is_alive: bool
    is_ready: bool
    store: bool
    bus: bool
    owner: str = ""


class Service:
    """Opens everything in order and closes it in reverse; ends by itself when the runtime ends.

    Args:
        limits: What the engine decides by.
        category_of: In which category a symbol is traded.
        runtime: Makes a runtime; each owns the account at most once.
        stands_by: Wait while another service has the account, and take over when its lease ends;
            else that is an error.
        market: What moves the market of a dry run, for ever; None where the venue has its own.
        closing: What else is closed at the end.
        events: Where events go, if that is outside of this process.
        priced: Set by the market once every symbol has a price; signals are taken after it.

    Attributes:
        error: What ended it, if it was not asked to end.
        on_end: Called when it has ended without being asked.
    """

    def __init__(  # noqa: PLR0913 -- the parts it holds together
        self,
        *,
        choices: Choices,
        limits: EngineConfig,
        category_of: Callable[[str], Category],
        store: OpenStore,
        runtime: Callable[[], Runtime],
        desk: Desk,
        stands_by: bool = False,
        market: Callable[[], Coroutine[Any, Any, None]] | None = None,
        priced: asyncio.Event | None = None,
        events: Outlet | None = None,
        closing: Sequence[Closable] = (),
    ) -> None:
        self.choices = choices
        self.limits = limits
        self._category_of = category_of
        self.desk = desk
        self.error: BaseException | None = None
        self.on_end: Callable[[], None] = lambda: None
        self._store = store
        self._make_runtime = runtime
        self._runtime = runtime()
        self._stands_by = stands_by
        self._owner = ""
        self._market = market
        self._priced = priced
        self._events = events
        self._closing = closing
        self._tasks: list[asyncio.Task[None]] = []
        self._is_open = False
        self._is_closing = False

    @property
    def views(self) -> Views:
        """Committed rows."""
        return self._store.views

    @property
    def outbox(self) -> Outbox:
        """Committed events."""
        return self._store.outbox

    @property
    def is_closing(self) -> bool:
        """Whether the end has begun: streams end too."""
        return self._is_closing

    def category_of(self, symbol: str) -> Category:
        """In which category a symbol is traded."""
        return self._category_of(symbol)

    def quote(self, instrument: InstrumentId) -> Quote | None:
        """The newest quote, while this service owns the account."""
        return self._runtime.quotes.get(instrument)

    async def last_event(self) -> int:
        """Number of the newest committed event."""
        return (await self._store.journal.look()).event_no

    async def ask(self, request: Operator) -> Reply:
        """Let a person's request be decided; return the committed reply.

        Raises NotTaking, RuntimeEnded.
        """
        if not self._is_open:
            raise NotTaking(reason="not the owner")
        if isinstance(request, PlaceOrder | RetrySignal):
            # a signal would be parked meanwhile; a person waits
            await self._runtime.past_barrier(BARRIER_WAIT)
        return await self._runtime.ask(request)

    async def restrict(self, row: TradingStateRow, replaces: int | None = None) -> None:
        """Write a trading state; while this service owns the account it holds from here on.

        Raises StoreUnavailable, StateChanged.
        """
        await self._store.journal.set_trading_state(row, replaces=replaces)
        if self._is_open:
            await self._runtime.heed_states()

    async def sync(self, scope: str, *, request_id: str, actor: str) -> SyncResult:
        """Read the account now. Raises NotTaking, SyncRunning, InvalidValue, RuntimeEnded."""
        if not self._is_open:
            raise NotTaking(reason="not the owner")
        return await self._runtime.sync(scope, request_id=request_id, actor=actor)

    async def preview(self, signal: TradingSignal, now: datetime) -> Preview:
        """What a signal would come to; it is not taken. Raises StoreUnavailable."""
        quotes = self._runtime.quotes.values()
        return await preview(signal, self._store.journal, self.views, self.limits, quotes, now)

    @property
    def metrics(self) -> dict[str, int]:
        """What the runtime has counted since the start."""
        counted = attrs.asdict(self._runtime.metrics)
        return {name: value for name, value in counted.items() if isinstance(value, int)}

    @property
    def flush_seconds(self) -> float:
        """How long the last commit took."""
        return self._runtime.metrics.last_flush.total_seconds()

    @property
    def loop_lag_seconds(self) -> float:
        """How late the last look of the watchdog was."""
        return self._runtime.metrics.loop_lag.total_seconds()

    @property
    def rates(self) -> Rates | None:
        """What the limits of the exchange leave us now; None where it has none."""
        return self._runtime.rates

    @property
    def submits(self) -> Timings:
        """How long answers of the exchange took."""
        return self._runtime.metrics.submits

    @property
    def syncs(self) -> Syncs:
        """The readings of the account."""
        return self._runtime.syncs

    @property
    def broken(self) -> Sequence[Broken]:
        """Invariants that do not hold, as far as the auditor has looked."""
        return self._runtime.broken

    @property
    def uncommitted(self) -> int:
        """Steps not known to be durable."""
        return self._runtime.uncommitted

    @property
    def unpublished(self) -> int:
        """Committed events that the slowest relay has not published."""
        return self._runtime.unpublished

    @property
    def health(self) -> Health:
        """How it is now; costs nothing."""
        is_alive = self.error is None and self._runtime.ended is None
        bus = self.desk.is_connected and (self._events is None or self._events.is_up)
        store = is_alive and self._runtime.is_lease_proven  # or another one may own the account
        return Health(
            is_alive=is_alive,
            is_ready=store and self._is_open and self._runtime.is_ready and bus,
            store=store,
            bus=is_alive and bus,
            owner=self._owner,
        )

    async def verdict(self, signal_id: str) -> SignalRow:
        """The newest row of a signal; what one waits for is mostly there in a moment."""
        looks = PARKED_LOOKS
        while (row := (await self.views.signal(signal_id))[-1]).verdict is Verdict.PARKED and looks:
            looks -= 1
            await asyncio.sleep(PARKED_PAUSE_SECONDS)
        return row

    async def open(self) -> None:
        """Open the store and begin; returns before signals are taken. Raises StoreUnavailable."""
        await self._store.open()
        self._begin("service", self._live)

    async def close(self) -> None:
        """Take nothing more, finish what was begun, give everything back."""
        self._is_closing = True
        self.desk.close()
        if self._runtime.ended is None:
            with suppress(RuntimeError):  # it has not begun to take the account over
                ended = await self._runtime.stop()
                log.info("service.stopped", reason=ended.reason.value)
        await self._disconnect()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        for each in self._closing:
            await each.close()
        await self._store.close()

    async def _live(self) -> None:
        while True:
            await self._take_over()
            ended = await self._own()
            await self._disconnect()
            if ended.reason is not EndReason.LEASE_LOST or not self._stands_by:
                break
            log.error("service.lease_lost", account=self.choices.account)
            self._runtime = self._make_runtime()
        if ended.reason is not EndReason.STOPPED:
            raise _Over(ended)

    async def _disconnect(self) -> None:
        """Leave the broker: what was not acknowledged is the next owner's."""
        self._is_open = False
        await self.desk.shut()
        if self._events is not None:
            await self._events.close()

    async def _take_over(self) -> None:
        """Start the runtime; while somebody else owns the account, stand by."""
        while True:
            try:
                await self._runtime.start()
            except LeaseHeld as held:
                if not self._stands_by:
                    raise
                self._stand_by(held)
                await asyncio.sleep(STANDBY_SECONDS)
            except RuntimeEnded as ended:  # it had begun, and somebody else took over
                if not self._stands_by or ended.details["reason"] != EndReason.LEASE_LOST.value:
                    raise
                self._runtime = self._make_runtime()
            except StoreUnavailable as away:
                if not self._stands_by:
                    raise
                log.warning("service.store_away", error=str(away))
                await asyncio.sleep(STANDBY_SECONDS)
            else:
                self._owner = ""
                return

    def _stand_by(self, held: LeaseHeld) -> None:
        owner = f"{held.details['owner']} {held.details['url']}".strip()
        if owner != self._owner:
            log.info("service.standing_by", owner=owner, account=self.choices.account)
        self._owner = owner

    async def _own(self) -> Ended:
        """Trade until the runtime ends."""
        # Not before: the exchange's account is brought back while the runtime starts.
        if self._events is not None:
            self._events.open()
        if self._market is not None:
            self._begin("market", self._market)
        if self._priced is not None:
            await self._priced.wait()
        self.desk.open(await self._store.views.last_delivery())
        self._is_open = True
        log.info("service.ready", account=self.choices.account)
        return await self._runtime.wait()

    def _begin(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.append(asyncio.create_task(self._watch(name, work), name=name))

    async def _watch(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Whatever ends without being asked to ends the service."""
        try:
            await work()
        except (Exception, asyncio.CancelledError) as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            self.error = error  # a cancellation of what it waited for is an end like any other
        if not self._is_closing:
            log.critical("service.ended", part=name, error=repr(self.error))
            self.desk.close()
            self.on_end()


class _Over(Exception):
    """The runtime has ended."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(f"{ended.reason.value} ({ended.worker}): {ended.error!r}")

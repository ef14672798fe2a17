"""BybitVenue: the Venue port over one Bybit account."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Final, TypeVar

from order_adapters.venues.bybit.bodies import (
    Command,
    body_of,
    disconnect_topic,
    path_of,
    to_bytes,
)
from order_adapters.venues.bybit.budget import RateBudget
from order_adapters.venues.bybit.checks import (
    AccountRefused,
    check_account,
    check_clock,
    check_key,
    check_modes,
)
from order_adapters.venues.bybit.client import BybitClient, ReadFailed, stamp_of
from order_adapters.venues.bybit.clock_offset import ClockMeter, ClockState, to_milliseconds
from order_adapters.venues.bybit.config import BybitConfig
from order_adapters.venues.bybit.facts import Facts
from order_adapters.venues.bybit.health import VenueHealth
from order_adapters.venues.bybit.knowledge import Knowledge
from order_adapters.venues.bybit.link import Link, LinkUser
from order_adapters.venues.bybit.private_stream import EARLY_FILLS, PrivateStream
from order_adapters.venues.bybit.public_stream import PublicStream
from order_adapters.venues.bybit.reader import AccountReader
from order_adapters.venues.bybit.relayed import MakeRelay, Relay, RelayedStream
from order_adapters.venues.bybit.replies import (
    answer_of,
    envelope_of,
    kind_of,
    not_sent,
    unanswered,
)
from order_adapters.venues.bybit.rest import BybitRest
from order_adapters.venues.bybit.trade_socket import TradeSocket
from order_adapters.venues.bybit.transport import HttpTransport, NoAnswer, NotSent
from order_domain.model.enums import Category
from order_domain.model.identifiers import InstrumentId, category_of, symbol_of
from order_domain.model.inputs import TransportState
from order_domain.model.instrument import Instrument
from order_domain.model.reports import Answer, LookupResult, SweepResult
from order_domain.model.steps import LookUp, SendCreate, Sweep
from order_domain.ports.clock import Clock
from order_domain.ports.venue import Fact, Rates

MEASUREMENTS: Final = 3
TELLING_SECONDS: Final = 0.2
"""Between two looks whether commands can leave."""
PARAMETER_ERROR: Final = 10001
Read = TypeVar("Read")
log: Final = logging.getLogger(__name__)


class BybitVenue:
    """One account: REST, order entry socket, private stream, one public stream a category.

    With a relay there is no private stream of our own: the relay brings our orders in its place.

    A command goes by the socket while it is up, else by REST; which of them is chosen when it is
    handed over, and never again for the same attempt.
    """

    def __init__(self, config: BybitConfig, clock: Clock, relay: MakeRelay | None = None) -> None:
        self._config = config
        self._clock = clock
        self._random = Random(config.seed)  # noqa: S311 -- jitter
        self._meter = ClockMeter(config.clock)
        self._facts = Facts(config.facts)
        self._transport = HttpTransport(
            config.hosts.rest,
            config.credentials,
            recv_window_ms=config.recv_window_ms,
            timing=config.http,
        )
        budget = RateBudget(clock, share=config.share)
        self._client = BybitClient(
            config, self._transport, budget, self._meter, clock, self._random
        )
        self._client.measure = self._measure_again
        self.rest = BybitRest(self._client)
        self._knowledge = Knowledge(self._client.exchange_now)
        self._reader = AccountReader(self.rest, config, self._knowledge)
        self._private: PrivateStream | RelayedStream
        self._relay: Relay | None = None
        if relay is None:
            self._private = self._private_stream()
        else:
            self._private = RelayedStream(self._facts, self._knowledge)
            self._relay = relay(self._private)
        self._trade = self._trade_socket()
        self._public = {each: self._public_stream(each) for each in config.categories}
        self._tasks: list[asyncio.Task[None]] = []
        self._refresh = asyncio.Event()
        self._is_open = False
        self._is_protected = False

    # -- the port ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Check clock, key and account, then connect. Waits for an exchange that is not there.

        Raises:
            AccountRefused: This key or account must not be traded on.
        """
        for _ in range(MEASUREMENTS):
            await self._insist(self.measure_clock)
        check_clock(self._meter)
        check_key(await self._insist(self.rest.key_info), self._config, self._clock.now())
        check_account(await self._insist(self.rest.account_info))
        check_modes(await self._insist(self._reader.modes), self._config)
        await self._protect()
        self._is_open = True
        links = [public.link for public in self._public.values()]
        if isinstance(self._private, PrivateStream):
            links.append(self._private.link)
        if self._trade is not None:
            links.append(self._trade.link)
        for public in self._public.values():
            await public.watch(self._wanted(public.category))
        upkeep = (self._keep_time, self._keep_instruments, self._keep_telling)
        for run in (*(link.run for link in links), *upkeep):
            task = asyncio.create_task(run(), name=f"bybit {run.__qualname__}")
            task.add_done_callback(self._ended)
            self._tasks.append(task)
        if self._relay is not None:
            self._relay.open()

    async def close(self) -> None:
        """Disconnect. Whoever waits for an answer on the socket is told that nothing is known."""
        self._is_open = False
        if self._relay is not None:
            await self._relay.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._trade is not None:
            self._trade.down("the venue was closed")
        await self._transport.close()
        self._facts.close()

    async def send(self, command: Command) -> Answer:
        """Make one attempt of a command."""
        reason = self._obstacle(command)
        if reason:
            return not_sent(command, reason)
        trade = self._trade
        if trade is not None and trade.is_up:
            answer = await self._send_by_socket(trade, command)
        else:
            answer = await self._client.command(command)
        if answer.code == PARAMETER_ERROR:
            self._refresh.set()  # the trading rules may have changed
        answer.limit = self._client.limit_of(command)
        return answer

    async def look_up(self, query: LookUp) -> LookupResult:
        """Ask for one order."""
        return await self._reader.look_up(query)

    async def sweep(self, query: Sweep) -> SweepResult:
        """Read the whole account."""
        return await self._reader.sweep(query)

    async def instruments(self) -> tuple[Instrument, ...]:
        """Read trading rules; waits for an exchange that is not there. Raises AccountRefused."""
        return await self._insist(self._reader.instruments)

    def facts(self) -> AsyncIterator[Fact]:
        """Yield reports in order of arrival; of quotes only the newest per instrument."""
        return self._facts.stream()

    # -- beyond the port ---------------------------------------------------------------------------

    async def watch(self, instrument: InstrumentId) -> None:
        """Ask for quotes of an instrument."""
        await self._public[Category(category_of(instrument))].watch((symbol_of(instrument),))

    async def measure_clock(self) -> None:
        """Measure the exchange's clock once and tell it. Raises ReadFailed."""
        asked_at, began_at = self._clock.now(), self._clock.monotonic()
        exchange_time = await self.rest.exchange_time()
        round_trip = timedelta(seconds=self._clock.monotonic() - began_at)
        self._meter.add(asked_at, round_trip, exchange_time)
        self._facts.put_own(self._meter.best)

    @property
    def health(self) -> VenueHealth:
        """How the connections are now."""
        best = self._meter.best
        return VenueHealth(
            stream=self._private.is_healthy,
            trades_by_socket=self._trade is not None and self._trade.is_up,
            protected=self._is_protected,
            http_banned=self._client.budget.is_http_stopped,
            clock=self._meter.state,
            clock_offset=best.offset,
            clock_uncertainty=best.uncertainty,
            quarantines=self._knowledge.quarantines,
        )

    def rates(self) -> Rates:
        """What the limits of the exchange leave us now."""
        return self._client.budget.rates()

    # -- sending -----------------------------------------------------------------------------------

    def _obstacle(self, command: Command) -> str:
        """Why nothing may leave; empty when it may. Whatever takes risk away passes a bad clock."""
        if not self._is_open:
            return "the venue is not open"
        adds_risk = isinstance(command, SendCreate) and not command.order.terms.reduce_only
        if adds_risk and self._meter.state is ClockState.STOP:
            return "the clock is too uncertain"
        return ""

    async def _send_by_socket(self, trade: TradeSocket, command: Command) -> Answer:
        path = path_of(command)
        reason = await self._client.turn(command, path, http=False)
        if reason:
            return not_sent(command, reason)
        body = to_bytes(body_of(command, self._config.smp_type))
        try:
            message = await trade.request(kind_of(command), body, stamp_of(command))
        except NotSent as error:
            return not_sent(command, str(error))
        except NoAnswer as error:
            return unanswered(command, str(error))
        reply = envelope_of(message)
        await self._client.heed(command, reply)
        return answer_of(command, reply)

    # -- keeping up --------------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(self._config.clock_interval)
            await self._measure_again()

    async def _measure_again(self) -> None:
        try:
            await self.measure_clock()
        except ReadFailed as error:
            log.warning("the exchange's clock was not measured: %s", error)
        try:
            check_clock(self._meter)
        except AccountRefused as error:
            log.error("%s", error)  # noqa: TRY400 -- no traceback: nothing broke
            self._private.bar("clock", str(error))
        else:
            self._private.bar("clock", "")

    async def _keep_telling(self) -> None:
        """Tell when no command could leave: HTTP banned and no socket up; and when one could."""
        told = True
        while True:
            by_socket = self._trade is not None and self._trade.is_up
            can_leave = by_socket or not self._client.budget.is_http_stopped
            if can_leave is not told:
                told = can_leave
                self._facts.put_own(TransportState(up=can_leave))
            await asyncio.sleep(TELLING_SECONDS)

    async def _keep_instruments(self) -> None:
        """Read trading rules and key again: by the hour, and when an order's form was refused."""
        while True:
            try:
                async with asyncio.timeout(self._config.refresh_interval):
                    await self._refresh.wait()
            except TimeoutError:
                pass
            await self._refresh_once()
            self._refresh.clear()
            await asyncio.sleep(min(60.0, self._config.refresh_interval))

    async def _refresh_once(self) -> None:
        known = dict(self._knowledge.instruments)
        try:
            await self._check_key()
            listed = await self._reader.instruments()
            for instrument in (*listed, *self._knowledge.delist(listed)):
                if known.get(instrument.id) != instrument:
                    self._facts.put_own(instrument)
        except ReadFailed as error:
            log.warning("trading rules and key were not read again: %s", error)
            if error.is_auth:
                self._private.bar("key", str(error))

    async def _check_key(self) -> None:
        key = await self.rest.key_info()
        try:
            check_key(key, self._config, self._clock.now())
        except AccountRefused as error:
            log.error("%s", error)  # noqa: TRY400 -- no traceback: nothing broke
            self._private.bar("key", str(error))
        else:
            self._private.bar("key", "")

    async def _protect(self) -> None:
        """Ask for disconnection protection; few accounts have it, and the others go on without."""
        window = self._config.disconnect_window
        if window is None or not isinstance(self._private, PrivateStream):
            return
        by_topic = {disconnect_topic(each): each for each in self._config.categories}
        try:
            for category in by_topic.values():
                await self.rest.protect(category, window)
        except ReadFailed as error:
            log.warning("the exchange will not cancel our orders when we are gone: %s", error)
        else:
            self._is_protected = True

    async def _insist(self, read: Callable[[], Awaitable[Read]]) -> Read:
        """Ask until answered; a key that is refused stays refused."""
        failures = 0
        while True:
            try:
                return await read()
            except ReadFailed as error:
                if error.is_auth:
                    raise AccountRefused(reason=str(error)) from error
                failures += 1
                log.warning("waiting for the exchange: %s", error)
            await asyncio.sleep(self._config.retry.wait(failures, self._random))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """No task of the venue ends by itself: whoever reads the facts is told why one did."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._facts.close(error)

    # -- wiring ------------------------------------------------------------------------------------

    def _wanted(self, category: Category) -> list[str]:
        return [
            symbol_of(each) for each in self._config.instruments if category_of(each) == category
        ]

    def _link(self, name: str, url: str) -> Callable[[LinkUser], Link]:
        def make(user: LinkUser) -> Link:
            return Link(name, url, user, self._clock, self._random, self._config.link)

        return make

    def _private_stream(self) -> PrivateStream:
        return PrivateStream(
            self._link("private stream", self._config.hosts.private),
            self._config.credentials,
            self._client.exchange_ms,
            self._facts,
            self._knowledge,
            self._further_topics(),
        )

    def _further_topics(self) -> list[str]:
        topics = [EARLY_FILLS] if self._config.fast_executions else []
        if self._config.disconnect_window is not None:
            topics += dict.fromkeys(map(disconnect_topic, self._config.categories))
        return topics

    def _public_stream(self, category: Category) -> PublicStream:
        url = self._config.hosts.public_of(category)
        link = self._link(f"public stream {category}", url)
        return PublicStream(link, category, self._facts, self._knowledge)

    def _trade_socket(self) -> TradeSocket | None:
        url = self._config.hosts.trade
        if url is None or not self._config.trades_by_socket:
            return None
        return TradeSocket(
            self._link("order entry socket", url),
            self._config.credentials,
            self._client.exchange_ms,
            recv_window_ms=self._config.recv_window_ms,
            answer_within=self._config.answer_within,
            session=f"{to_milliseconds(self._clock.now()):x}",
        )

"""Account: clock, key, account, position mode, instruments and streams at Bybit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import attrs

from order_adapters.clock import SystemClock
from order_adapters.venues.bybit.checks import (
    AccountRefused,
    check_account,
    check_key,
    check_modes,
)
from order_adapters.venues.bybit.client import ReadFailed
from order_adapters.venues.bybit.clock_offset import ClockState
from order_adapters.venues.bybit.config import BybitConfig, Retry
from order_adapters.venues.bybit.knowledge import Knowledge
from order_adapters.venues.bybit.reader import AccountReader
from order_adapters.venues.bybit.venue import MEASUREMENTS, BybitVenue
from order_domain.model.identifiers import symbol_of
from order_service.doctor.findings import Finding, State, good, not_tried, warning, wrong

STREAM_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 0.05
_NETWORK: Final = "check the network, BYBIT_ENVIRONMENT and the URLs"
_KEY: Final = "make another key at Bybit, or correct BYBIT_API_KEY, _SECRET and _ENVIRONMENT"


class AccountDoctor:
    """Looks at one account. Sends no order and changes no setting of the account.

    Args:
        streams: Whether the service itself listens to the exchange; else another service does.
    """

    def __init__(self, config: BybitConfig, *, streams: bool) -> None:
        self._config = attrs.evolve(config, retry=Retry(attempts=1))
        self._streams = streams
        self._venue = BybitVenue(self._config, SystemClock())
        knowledge = Knowledge(self._venue.rest.client.exchange_now)
        self._reader = AccountReader(self._venue.rest, self._config, knowledge)

    async def look(self) -> AsyncIterator[Finding]:
        """Yield what is found, in order; what stands on something wrong is not tried."""
        looks = (
            ("clock", self._clock, _NETWORK),
            ("key", self._key, _KEY),
            ("account", self._account, "upgrade it to a unified trading account at Bybit"),
            ("instruments", self._instruments, _NETWORK),
            ("position mode", self._modes, "switch it at Bybit, or set BYBIT_HEDGE_MODE"),
        )
        try:
            for about, ask, advice in looks:
                finding = await _told(about, ask, advice)
                yield finding
                if finding.state is State.WRONG:
                    yield not_tried("the rest", "it stands on what is wrong above")
                    return
            yield await self._connections()
        finally:
            await self._venue.close()

    async def _clock(self) -> Finding:
        for _ in range(MEASUREMENTS):
            await self._venue.measure_clock()
        health = self._venue.health
        off = -health.clock_offset.total_seconds()
        sure = health.clock_uncertainty.total_seconds()
        text = f"this machine is {off:+.3f} s off the exchange's time, give or take {sure:.3f} s"
        if health.clock is ClockState.STOP:
            return wrong(
                "clock", text, "set the clock, for example by chrony; or find a nearer line"
            )
        if health.clock is ClockState.ALARM:
            return warning("clock", text, "requests are stamped by the exchange's; set the clock")
        return good("clock", text)

    async def _key(self) -> Finding:
        key, now = await self._venue.rest.key_info(), datetime.now(UTC)
        check_key(key, self._config, now)
        rights = ", ".join(key.permissions)
        if key.may_withdraw:
            text = f"the key of user {key.user_id} may withdraw ({rights})"
            return warning("key", text, "make one that may only trade")
        if key.expires_at is not None and key.expires_at - now < self._config.expiry_warning:
            text = f"the key of user {key.user_id} expires at {key.expires_at:%Y-%m-%d %H:%M} UTC"
            return warning("key", text, "make another; one bound to an IP address does not expire")
        return good("key", f"the key of user {key.user_id} may trade and not withdraw ({rights})")

    async def _account(self) -> Finding:
        account = await self._venue.rest.account_info()
        check_account(account)
        return good("account", f"a unified trading account, margin mode {account.margin_mode}")

    async def _modes(self) -> Finding:
        modes = await self._reader.modes()
        check_modes(modes, self._config)
        mode = "hedge" if self._config.hedge_mode else "one-way"
        if not modes:
            return not_tried("position mode", "BYBIT_SYMBOLS names no contract to look at")
        return good("position mode", f"{mode}, as the settings say")

    async def _instruments(self) -> Finding:
        known = {
            each.id
            for category in self._config.categories
            for each in (await self._venue.rest.instruments(category)).good
        }
        missing = [symbol_of(each) for each in self._config.instruments if each not in known]
        categories = ", ".join(self._config.categories)
        if missing:
            text = f"{', '.join(missing)} cannot be traded in {categories}"
            return wrong("instruments", text, "correct BYBIT_SYMBOLS or BYBIT_ASSET_CATEGORIES")
        return good("instruments", f"{len(known)} can be traded in {categories}")

    async def _connections(self) -> Finding:
        """Open everything that the service opens, and wait until the exchange confirms it."""
        if not self._streams:
            return not_tried("streams", "the ws-gateway listens in our place")
        by_socket = self._config.trades_by_socket and self._config.hosts.trade is not None
        try:
            async with asyncio.timeout(STREAM_SECONDS):
                await self._venue.open()
                # polled: a venue tells only whoever reads its facts
                while not self._is_up(by_socket=by_socket):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            health = self._venue.health
            waiting = [
                *(["private stream"] if not health.stream else []),
                *(["order entry socket"] if by_socket and not health.trades_by_socket else []),
            ]
            text = f"after {STREAM_SECONDS:g} s not up: {', '.join(waiting)}"
            return wrong("streams", text, "let this machine reach the WebSocket hosts of Bybit")
        entry = "the order entry socket" if by_socket else "REST"
        return good("streams", f"the private stream is confirmed; orders would go by {entry}")

    def _is_up(self, *, by_socket: bool) -> bool:
        health = self._venue.health
        return health.stream and (health.trades_by_socket or not by_socket)


async def _told(about: str, ask: Callable[[], Awaitable[Finding]], advice: str) -> Finding:
    """Ask, and say a refusal in words."""
    try:
        return await ask()
    except AccountRefused as error:
        return wrong(about, str(error.details["reason"]), advice)
    except ReadFailed as error:
        return wrong(about, str(error), _KEY if error.is_auth else _NETWORK)

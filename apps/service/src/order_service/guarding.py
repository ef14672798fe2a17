"""Guarding: from settings to a running guardian, and its end."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from order_adapters.clock import SystemClock
from order_adapters.registry import Store
from order_adapters.venues.bybit.venue import BybitVenue
from order_domain.model.enums import Category
from order_domain.ports.journal import Head
from order_service.bybit_account import bybit_config
from order_service.choices import IN_PROCESS, choose
from order_service.guardian.config import GuardianConfig
from order_service.guardian.guardian import Guardian
from order_service.guardian.records import Records
from order_service.guardian.vital_signs import VitalSigns
from order_service.settings import Problem, Settings, SettingsError
from order_service.stores import open_store

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
_OK: Final = 200


class StoredHead:
    """Reads the head row of a store that may not be there yet, or not any more."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: Store | None = None

    async def read(self) -> Head:
        """Connect if that has not worked yet, and read. Raises whatever keeps it from that."""
        if self._store is None:
            store = open_store(self._url, SystemClock())
            await store.open()
            self._store = store
        return await self._store.journal.look()

    async def close(self) -> None:
        """Disconnect."""
        if self._store is not None:
            await self._store.close()


class BybitAccount:
    """The account as the guardian sees it: something to be emptied, with a key of its own."""

    def __init__(self, venue: BybitVenue, categories: tuple[str, ...], coins: tuple[str, ...]):
        self._venue = venue
        linear = [(Category.LINEAR, coin) for coin in coins]
        others = [(Category(name), "") for name in categories if name != Category.LINEAR]
        self._parts = [*(linear if Category.LINEAR in categories else []), *others]

    async def cancel_all(self) -> int:
        """Cancel every order of every category. Raises ReadFailed."""
        await self._venue.measure_clock()
        left = 0
        for category, coin in self._parts:
            left += len(await self._venue.rest.cancel_all(category, settle_coin=coin))
        return left


async def probe(url: str) -> bool:
    """Ask a service whether it lives. Raises httpx.HTTPError."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"{url.rstrip('/')}/live")).status_code == _OK


async def guard(settings: Settings, said: Callable[[str], None]) -> None:
    """Watch until a signal.

    Args:
        said: Gets every record as it is written.

    Raises:
        SettingsError: The guardian has no key, or there is nothing real to guard.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for each in _STOPS:
        loop.add_signal_handler(each, stop.set)
    guardian, head, venue = _made(settings, said)
    running = asyncio.create_task(guardian.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
    finally:
        for task in (running, stopping):
            task.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
        await venue.close()
        await head.close()


def _made(
    settings: Settings, said: Callable[[str], None]
) -> tuple[Guardian, StoredHead, BybitVenue]:
    settings, clock = _guardians(settings), SystemClock()
    choices, ours = choose(settings), settings.guardian
    if choices.is_dry:
        rule = "is on: a dry run has nothing at an exchange that could be guarded"
        raise SettingsError([Problem("ORDERMANAGER_ENABLE_DRY_RUN", rule)])
    config = bybit_config(settings)
    venue = BybitVenue(config, clock)
    account = BybitAccount(venue, config.categories, config.settle_coins)
    head = StoredHead(choices.store)
    protocol = settings.ordermanager
    guarded = GuardianConfig(
        account=choices.account,
        stale_after=ours.stale_after,
        acts_after_stop=ours.acts_after_stop,
        again_after=protocol.recv_window + protocol.clock_skew + protocol.visibility,
    )
    signs = VitalSigns(clock, head.read, probe, limit=guarded.poll, url=ours.url or "")
    records = Records(Path(ours.file), clock, said)
    return Guardian(guarded, clock, signs, account.cancel_all, records), head, venue


def _guardians(settings: Settings) -> Settings:
    """The settings with the guardian's key in the place of the service's, and without a bus."""
    ours = settings.guardian
    given = {"GUARDIAN_API_KEY": ours.api_key, "GUARDIAN_API_SECRET": ours.api_secret}
    rule = "is needed: the guardian trades with a key of its own"
    missing = [Problem(name, rule) for name, value in given.items() if value is None]
    if missing:
        raise SettingsError(missing)
    key = {"api_key": ours.api_key, "api_secret": ours.api_secret}
    return settings.model_copy(
        update={
            "bybit": settings.bybit.model_copy(update=key),
            "ordermanager": settings.ordermanager.model_copy(update={"bus": IN_PROCESS}),
        }
    )

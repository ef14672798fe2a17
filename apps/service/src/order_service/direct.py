"""Direct: empties the account by the exchange alone, for when nothing else of ours works."""

import asyncio
from collections.abc import Callable
from typing import Final

from order_adapters.clock import SystemClock
from order_adapters.venues.bybit.checks import AccountRefused
from order_adapters.venues.bybit.client import ReadFailed
from order_adapters.venues.bybit.venue import BybitVenue
from order_domain.model.enums import Category
from order_service.bybit_account import BybitConfig, bybit_config
from order_service.settings import Problem, Settings, SettingsError

AGAIN_SECONDS: Final = 1.0
Say = Callable[[str], None]


async def cancel_all_direct(settings: Settings, symbol: str | None, say: Say) -> None:
    """Cancel until the exchange shows no open order. No store, broker or service is needed.

    Args:
        symbol: Only orders of this symbol; None is every order of the configured categories.
        say: Told of every round that left something, or failed.

    Raises:
        SettingsError: There is no key, or a dry run is set.
        AccountRefused: The exchange does not take the key, or it belongs to another account.
    """
    if settings.ordermanager.enable_dry_run:
        rule = "is on: a dry run has no exchange; use `order cancel-all`"
        raise SettingsError([Problem("ORDERMANAGER_ENABLE_DRY_RUN", rule)])
    config = bybit_config(settings)
    parts = _parts(config)
    if symbol is not None:
        parts = [(settings.bybit.category_of(symbol), symbol, "")]
    venue = BybitVenue(config, SystemClock())
    try:
        while True:
            try:
                left = await _round(venue, config, parts)
            except ReadFailed as error:
                if error.is_auth:
                    raise AccountRefused(reason=str(error)) from error
                say(f"the exchange did not do it, trying again: {error}")
            else:
                if not left:
                    return
                say(f"{left} orders are still open, trying again")
            await asyncio.sleep(AGAIN_SECONDS)
    finally:
        await venue.close()


async def _round(
    venue: BybitVenue, config: BybitConfig, parts: list[tuple[Category, str, str]]
) -> int:
    """Cancel everything once; return how many orders are open after that. Raises ReadFailed."""
    await venue.measure_clock()
    if config.user_id is not None:
        key = await venue.rest.key_info()
        if key.user_id != config.user_id:
            reason = f"the key belongs to user {key.user_id}, not {config.user_id}"
            raise AccountRefused(reason=reason)
    left = 0
    for category, symbol, coin in parts:
        left += len(await venue.rest.cancel_all(category, symbol, coin))
    return left


def _parts(config: BybitConfig) -> list[tuple[Category, str, str]]:
    """What one request reaches: linear contracts coin by coin, the other categories whole."""
    return [
        (category, "", coin)
        for category in config.categories
        for coin in (config.settle_coins if category is Category.LINEAR else ("",))
    ]

"""Diagnosis: everything the settings name, looked at one after the other."""

from collections.abc import AsyncIterator

import attrs

from order_service.bybit_account import bybit_config
from order_service.doctor.account import AccountDoctor
from order_service.doctor.findings import Finding, good, not_tried, wrong
from order_service.doctor.servers import look_at_broker, look_at_store
from order_service.effective import dry_checked
from order_service.logging import Masking
from order_service.settings import Settings, SettingsError


async def diagnose(settings: Settings) -> AsyncIterator[Finding]:
    """Look at settings, store, broker and account. Changes nothing, sends no order.

    What others said of our requests may hold what was in them: no finding shows a secret.
    """
    hidden = Masking(settings.secret_values)
    async for each in _diagnose(settings):
        yield attrs.evolve(each, text=hidden.text(each.text))


async def _diagnose(settings: Settings) -> AsyncIterator[Finding]:
    try:
        choices = dry_checked(settings)
    except SettingsError as error:
        for problem in error.problems:
            yield wrong("settings", str(problem), "see the settings page, or `config show`")
        yield not_tried("the rest", "it stands on what is wrong above")
        return
    yield good("settings", f"{choices.mode} on {choices.account}")
    yield await look_at_store(choices)
    for finding in await look_at_broker(settings, choices):
        yield finding
    if choices.is_dry:
        yield not_tried("account", "a dry run trades on no exchange")
        return
    streams = settings.ordermanager.event_source != "gateway"
    async for finding in AccountDoctor(bybit_config(settings), streams=streams).look():
        yield finding

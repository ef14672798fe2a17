"""Checks: whether this key and account are the ones that may be traded on."""

import logging
from datetime import datetime
from typing import Final

from order_adapters.venues.bybit.clock_offset import ClockMeter, ClockState
from order_adapters.venues.bybit.config import BybitConfig
from order_adapters.venues.bybit.records import AccountInfo, KeyInfo
from order_domain.errors import OrderManagerError
from order_domain.model.identifiers import InstrumentId, may_hedge

log: Final = logging.getLogger(__name__)


class AccountRefused(OrderManagerError):
    """The account or its key must not be traded on as it is. Details: `reason`."""

    code = "ACCOUNT_REFUSED"


def check_key(key: KeyInfo, config: BybitConfig, now: datetime) -> None:
    """Refuse a key of another account, one that cannot trade, and one that can take money away.

    Raises:
        AccountRefused: It must not be used.
    """
    if config.user_id is not None and key.user_id != config.user_id:
        raise AccountRefused(reason=f"the key belongs to user {key.user_id}, not {config.user_id}")
    if key.may_withdraw and not config.allow_withdrawal:
        raise AccountRefused(reason="the key may withdraw; use one that may only trade")
    if not key.may_trade:
        raise AccountRefused(reason="the key may not trade")
    if key.expires_at is not None and key.expires_at - now < config.expiry_warning:
        log.warning("the API key expires at %s", key.expires_at.isoformat())


def check_account(account: AccountInfo) -> None:
    """Refuse an account that speaks otherwise. Raises AccountRefused."""
    if not account.is_supported:
        raise AccountRefused(reason="no unified trading account 2.0")


def check_modes(modes: dict[InstrumentId, bool], config: BybitConfig) -> None:
    """Refuse an account in the other position mode. Raises AccountRefused."""
    for instrument, is_hedged in modes.items():
        if is_hedged != (config.hedge_mode and may_hedge(instrument)):
            mode = "hedge" if is_hedged else "one-way"
            raise AccountRefused(reason=f"{instrument} is in {mode} mode")


def check_clock(meter: ClockMeter) -> None:
    """Refuse a clock that nothing can be signed by. Raises AccountRefused."""
    best = meter.best
    shown = f"our clock is off by {-best.offset.total_seconds():.3f} s"
    if meter.state is ClockState.STOP:
        raise AccountRefused(reason=f"{shown}, give or take {best.uncertainty.total_seconds():.3f}")
    if meter.state is ClockState.ALARM:
        log.warning("%s; requests are stamped by the exchange's", shown)

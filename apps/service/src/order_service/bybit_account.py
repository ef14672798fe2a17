"""Bybit account: the venue of a live service, made of its settings."""

import os
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from order_adapters.venues.bybit.config import BybitConfig, Retry
from order_adapters.venues.bybit.hosts import HOSTS, Hosts, custom_hosts
from order_adapters.venues.bybit.signing import Credentials
from order_adapters.venues.bybit.transport import HttpTiming
from order_adapters.venues.bybit.venue import BybitVenue
from order_domain.errors import InvalidValue
from order_domain.model.identifiers import instrument_id
from order_domain.ports.clock import Clock
from order_service.broker import make_relay
from order_service.settings import Problem, Settings, SettingsError

__all__ = ["BybitConfig", "BybitVenue", "bybit_config", "bybit_venue"]

_THIS_MACHINE: Final = ("127.0.0.1", "::1", "localhost")
_SECOND: Final = timedelta(seconds=1)
_VARIABLES: Final = {
    "api_key": "BYBIT_API_KEY",
    "api_secret": "BYBIT_API_SECRET",
    "rest": "BYBIT_REST_URL",
    "stream": "BYBIT_STREAM_URL",
    "answer_within": "ORDERMANAGER_ORDER_EXECUTION_TIMEOUT",
    "http.whole": "ORDERMANAGER_ORDER_EXECUTION_TIMEOUT",
    "disconnect_window": "BYBIT_DISCONNECT_WINDOW",
    "recv_window": "ORDERMANAGER_RECV_WINDOW",
}


def bybit_venue(settings: Settings, clock: Clock) -> BybitVenue:
    """Make the venue, not yet connected. Raises SettingsError."""
    return BybitVenue(bybit_config(settings), clock, make_relay(settings))


def bybit_config(settings: Settings) -> BybitConfig:
    """Say the settings in the words of the venue.

    Raises:
        SettingsError: A key is missing, or a value is one that the venue refuses.
    """
    key, secret = settings.bybit.api_key, settings.bybit.api_secret
    missing = [
        Problem(name, "is needed to trade on Bybit; a dry run needs none")
        for name, value in (("BYBIT_API_KEY", key), ("BYBIT_API_SECRET", secret))
        if value is None
    ]
    if missing or key is None or secret is None:
        raise SettingsError(missing)
    try:
        return _config(settings, Credentials(key.get_secret_value(), secret.get_secret_value()))
    except InvalidValue as error:
        field = str(error.details["field"])
        rule = f"must be {error.details['rule']}"
        raise SettingsError([Problem(_VARIABLES.get(field, field), rule)]) from None


def _config(settings: Settings, credentials: Credentials) -> BybitConfig:
    ours, bybit = settings.ordermanager, settings.bybit
    categories = {bybit.market_category, *bybit.asset_categories.values()}
    answer_within = settings.http_timeout / _SECOND
    return BybitConfig(
        hosts=_hosts(settings),
        credentials=credentials,
        categories=tuple(sorted(categories)),
        settle_coins=tuple(sorted(bybit.settle_coins)),
        instruments=tuple(
            instrument_id(bybit.category_of(symbol), symbol) for symbol in sorted(bybit.symbols)
        ),
        hedge_mode=bybit.hedge_mode,
        user_id=bybit.user_id,
        allow_withdrawal=bybit.allow_withdrawal,
        trades_by_socket=bybit.trade_by_socket,
        fast_executions=bybit.fast_executions,
        disconnect_window=bybit.disconnect_window,
        recv_window=ours.recv_window,
        http=HttpTiming(whole=answer_within),
        answer_within=answer_within,
        retry=Retry(
            attempts=ours.bybit_api_retry_max_attempts,
            first=ours.bybit_api_retry_base_delay / _SECOND,
            longest=ours.bybit_api_retry_max_delay / _SECOND,
            factor=ours.bybit_api_retry_multiplier,
        ),
        refresh_interval=ours.instrument_info_refresh_interval / _SECOND,
        smp_type=bybit.smp_type or "",
        # of the jitter: two services must not come back in step
        seed=int.from_bytes(os.urandom(4)),
    )


def _hosts(settings: Settings) -> Hosts:
    bybit = settings.bybit
    if bybit.environment != "custom":
        return HOSTS[bybit.environment]
    rest, stream = bybit.rest_url or "", bybit.stream_url or ""
    for name, url in (("BYBIT_REST_URL", rest), ("BYBIT_STREAM_URL", stream)):
        parts = urlsplit(url)
        if parts.scheme in ("http", "ws") and parts.hostname not in _THIS_MACHINE:
            rule = "must be https or wss: keys and orders never leave this machine in the open"
            raise SettingsError([Problem(name, rule, url)])
    return custom_hosts(rest, stream)

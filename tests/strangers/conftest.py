"""A local Bybit in a thread of its own: the clients of strangers block theirs."""

from collections.abc import Iterator
from datetime import timedelta

import pybit._websocket_trading
import pybit.unified_trading
import pytest
from pybit.unified_trading import HTTP

from order_adapters.bybit_server import AccountConfig, ServerConfig
from order_adapters.testing import LocalBybit

ONE_WAY = AccountConfig()
HEDGE = AccountConfig(
    api_key="SIMULATORKEY000002",
    secret="SIMULATORSECRET000000000000000000002",
    user_id=1_000_002,
    hedged=True,
)


@pytest.fixture
def bybit() -> Iterator[LocalBybit]:
    local = LocalBybit(
        ServerConfig(accounts=(ONE_WAY, HEDGE), latency=timedelta(milliseconds=20), ip_limit=None)
    )
    local.start()
    yield local
    local.stop()


def a_session(bybit: LocalBybit, account: AccountConfig) -> HTTP:
    session = HTTP(api_key=account.api_key, api_secret=account.secret)
    session.endpoint = bybit.rest_url
    return session


@pytest.fixture
def session(bybit: LocalBybit) -> Iterator[HTTP]:
    """Speak for the one-way account."""
    made = a_session(bybit, ONE_WAY)
    yield made
    made.client.close()


@pytest.fixture
def hedge_session(bybit: LocalBybit) -> Iterator[HTTP]:
    """Speak for the account that keeps a long and a short position."""
    made = a_session(bybit, HEDGE)
    yield made
    made.client.close()


@pytest.fixture
def pybit_sockets(bybit: LocalBybit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the sockets of pybit here, by its own constants."""
    url = bybit.ws_url
    monkeypatch.setattr(pybit.unified_trading, "PRIVATE_WSS", f"{url}/v5/private")
    public = url + "/v5/public/{CHANNEL_TYPE}"
    monkeypatch.setattr(pybit.unified_trading, "PUBLIC_WSS", public)
    monkeypatch.setattr(pybit._websocket_trading, "TRADE_WSS", f"{url}/v5/trade")

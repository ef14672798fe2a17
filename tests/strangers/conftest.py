"""A local Bybit in a thread of its own: the clients of strangers block theirs."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pybit._websocket_trading
import pybit.unified_trading
import pytest
from pybit.unified_trading import HTTP

from order_adapters.bybit_server import AccountConfig, BybitServer, ServerConfig
from order_domain.model.identifiers import InstrumentId
from tests.builders import D

ONE_WAY = AccountConfig()
HEDGE = AccountConfig(
    api_key="SIMULATORKEY000002",
    secret="SIMULATORSECRET000000000000000000002",
    user_id=1_000_002,
    hedged=True,
)


class LocalBybit:
    """The server and the loop it lives on."""

    def __init__(self) -> None:
        config = ServerConfig(
            accounts=(ONE_WAY, HEDGE), latency=timedelta(milliseconds=20), ip_limit=None
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bybit")
        self._server = BybitServer(config)

    def start(self) -> None:
        self._thread.start()
        self._run(self._server.start)

    def stop(self) -> None:
        self._run(self._server.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def rest_url(self) -> str:
        return self._server.rest_url

    @property
    def ws_url(self) -> str:
        return self._server.ws_url

    def move(self, name: str, bid: str, ask: str) -> None:
        """Show another touch of an instrument, for example LINEAR:BTCUSDT."""

        async def on_its_loop() -> None:
            self._server.move(InstrumentId(name), D(bid), D(ask))

        self._run(on_its_loop)

    def _run(self, work: Callable[[], Awaitable[Any]]) -> None:
        async def made() -> None:
            await work()

        asyncio.run_coroutine_threadsafe(made(), self._loop).result(timeout=10)


@pytest.fixture
def bybit() -> Iterator[LocalBybit]:
    local = LocalBybit()
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

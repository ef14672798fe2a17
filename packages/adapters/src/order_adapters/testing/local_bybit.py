"""LocalBybit: the Bybit server for tests whose client blocks their thread."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final

from order_adapters.bybit_server import AccountConfig, BybitServer, ServerConfig
from order_adapters.simulator import MarketTrade
from order_domain.model.enums import Side
from order_domain.model.identifiers import InstrumentId

PATIENCE: Final = 10.0
"""Seconds that the server may take for anything asked of it by a test."""


class LocalBybit:
    """A local Bybit on a loop and in a thread of its own, for clients that block theirs."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bybit")
        self._server = BybitServer(config)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        try:
            self._run(self._server.start)
        except BaseException:
            self._end_thread()
            raise

    def stop(self) -> None:
        """Cut everybody off."""
        try:
            self._run(self._server.stop)
        finally:
            self._end_thread()

    @property
    def rest_url(self) -> str:
        """Where REST is, for example http://127.0.0.1:45123."""
        return self._server.rest_url

    @property
    def ws_url(self) -> str:
        """Where the sockets are: `/v5/private`, `/v5/trade`, `/v5/public/{category}` behind it."""
        return self._server.ws_url

    @property
    def account(self) -> AccountConfig:
        """The first account: key, secret, wallet."""
        return self.config.accounts[0]

    def move(self, name: str, bid: str, ask: str) -> None:
        """Show another touch of an instrument, for example linear:BTCUSDT."""

        async def on_its_loop() -> None:
            self._server.move(InstrumentId(name), Decimal(bid), Decimal(ask))

        self._run(on_its_loop)

    def trade(self, name: str, price: str, size: str, side: str = "Buy") -> None:
        """Let others trade, which moves the last price; the side is the taker's."""

        async def on_its_loop() -> None:
            at = self._server.services.clock.now()
            trade = MarketTrade(InstrumentId(name), Decimal(price), Decimal(size), Side(side), at)
            self._server.feed(trade)

        self._run(on_its_loop)

    def liquidate(self, name: str) -> None:
        """Close the first account's position in an instrument at mark, as the exchange would."""

        async def on_its_loop() -> None:
            account = self._server.account()
            account.exchange.admin.liquidate(InstrumentId(name), account.exchange_now())
            account.pump()

        self._run(on_its_loop)

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Callable[[], Awaitable[Any]]) -> None:
        async def made() -> None:
            await work()

        asyncio.run_coroutine_threadsafe(made(), self._loop).result(timeout=PATIENCE)

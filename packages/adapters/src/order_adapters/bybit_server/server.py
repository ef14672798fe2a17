"""BybitServer: a local Bybit, from its settings to an open port and back."""

import asyncio
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from types import TracebackType
from typing import Final, Self

import uvicorn

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.app import App
from order_adapters.bybit_server.config import ServerConfig
from order_adapters.bybit_server.limits import AddressLimits, RateLimits
from order_adapters.bybit_server.market.boards import Boards
from order_adapters.bybit_server.market.feed import Feed, still_market
from order_adapters.bybit_server.market.mirror import News
from order_adapters.bybit_server.services import Address, Services
from order_adapters.clock import SystemClock
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ONE
from order_domain.model.quote import Quote
from order_domain.ports.clock import Clock

_GRACE: Final = 1


class BybitServer:
    """Speaks Bybit V5 on a port of its own: REST, and the private, trade and public streams.

    Without a market every listed coin has one quote that stands still until `feed` moves it.

    Args:
        market: Quotes and trades in order of time, of the instruments in `sources`; the other
            instruments of the same coins follow them.
        speed: How much faster than real time the market plays.

    Attributes:
        app: The ASGI application, for another server.
        services: Accounts, boards and limits; tests look and change things here.
    """

    def __init__(
        self,
        config: ServerConfig | None = None,
        clock: Clock | None = None,
        *,
        market: Iterable[News] | None = None,
        sources: Iterable[InstrumentId] = (),
        speed: Decimal = ONE,
    ) -> None:
        self.config = config or ServerConfig()
        clock = clock or SystemClock()
        accounts = {
            each.api_key: ServerAccount(each, self.config, clock) for each in self.config.accounts
        }
        instruments = self.config.instruments
        boards = Boards(instruments, accounts.values(), self.config.walk_levels)
        self.services = Services(
            config=self.config,
            clock=clock,
            accounts=accounts,
            boards=boards,
            limits=RateLimits(enforced=self.config.uid_limits),
            addresses=AddressLimits(self.config.ip_limit),
            abort=self._abort,
        )
        self.app = App(self.services)
        self._feed: Feed | None = None
        if market is not None:
            self._feed = Feed(market, sources, instruments, boards, clock, speed)
            self.app.play(self._feed)
        self._server: _Uvicorn | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._host, self._port = self.config.host, self.config.port

    @property
    def rest_url(self) -> str:
        """Where REST is, for example http://127.0.0.1:45123."""
        return f"http://{self._host}:{self._port}"

    @property
    def ws_url(self) -> str:
        """Where the sockets are: `/v5/private`, `/v5/trade`, `/v5/public/{category}` behind it."""
        return f"ws://{self._host}:{self._port}"

    def account(self, api_key: str = "") -> ServerAccount:
        """Return the account of a key; the first one without a key."""
        return self.services.accounts[api_key] if api_key else self.services.first

    def feed(self, news: News) -> None:
        """Move the market by hand."""
        self.services.boards.feed(news)

    def move(
        self, name: InstrumentId, bid: Decimal, ask: Decimal, size: Decimal = Decimal(10)
    ) -> None:
        """Show another touch of an instrument."""
        self.feed(Quote(name, bid, size, ask, size, self.services.clock.now()))

    async def start(self) -> None:
        """Listen, with a price for every instrument. OSError if the address is taken."""
        listener = socket.create_server((self.config.host, self.config.port))
        # Accepted sockets inherit it; asyncio sets it only where a socket names its protocol.
        # Without it an answer's body waits 40 ms for the client to acknowledge the head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host, self._port = listener.getsockname()[:2]
        if self._feed is None:
            for quote in still_market(self.config.instruments, self.services.clock.now()):
                self.feed(quote)
        else:
            self._feed.prime()
            self._tasks.append(asyncio.create_task(self._feed.play(), name="bybit-market"))
        self._server = _Uvicorn(_settings(self.app))
        serving = asyncio.create_task(self._server.serve(sockets=[listener]), name="bybit-server")
        self._tasks.append(serving)
        while not self._server.started:
            if serving.done():
                serving.result()
            await asyncio.sleep(0)

    async def wait(self) -> None:
        """Return when the server has ended by itself or its market has failed; raise why."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Cut everybody off and close the port."""
        for account in self.services.accounts.values():
            account.close()
        if self._server is not None:
            self._server.stop()
        for task in self._tasks:
            if task.get_name() == "bybit-market":
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _abort(self, address: Address) -> None:
        if self._server is None:
            return
        for connection in tuple(self._server.server_state.connections):
            transport = connection.transport
            if transport.get_extra_info("peername")[:2] == address[:2]:
                transport.abort()


class _Uvicorn(uvicorn.Server):
    """Leaves the signals of the process to whoever runs it, and stops without looking for a sign.

    uvicorn's own loop looks ten times a second whether to stop, and writes the Date header.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    async def main_loop(self) -> None:
        """Serve until stopped."""
        await self._stopped.wait()

    def stop(self) -> None:
        """Cut everybody off and close the port."""
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        self.should_exit = True
        self._stopped.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _settings(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        ws_ping_interval=None,
        ws_ping_timeout=None,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_GRACE,
    )

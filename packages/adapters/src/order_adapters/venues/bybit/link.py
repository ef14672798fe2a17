"""Link: one WebSocket that is kept up."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, Final, Protocol

import attrs

from order_adapters.venues.bybit.socket_wire import SocketError, SocketWire
from order_domain.ports.clock import Clock

PING: Final = b'{"op":"ping"}'


@attrs.frozen(slots=True, kw_only=True)
class LinkTiming:
    """Seconds. Bybit allows 500 new connections in 5 minutes; these waits make far fewer.

    Attributes:
        ping: Between two pings.
        dead: Without any pong, after which the connection counts as dead though it is open.
        greet: For connecting, and again for authentication and subscriptions.
        first_wait, longest_wait: Before connecting again: doubled by each failure, then jittered.
        steady: A connection that lasted so long ends a row of failures.
    """

    ping: float = 20.0
    dead: float = 25.0
    greet: float = 10.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    steady: float = 60.0


class LinkDown(Exception):
    """The connection is not there, or not to be trusted; the text says why."""


class LinkUser(Protocol):
    """Who speaks over a link."""

    async def greet(self) -> None:
        """Authenticate and subscribe. Raises LinkDown when the exchange will not have it."""
        ...

    def receive(self, frame: bytes) -> None:
        """Take one message, in the moment it comes.

        Never raises: a message nobody understands is counted. What is raised ends the link.
        """
        ...

    def up(self) -> None:
        """Greeting is over: the link may be used."""
        ...

    def down(self, reason: str) -> None:
        """The connection is gone."""
        ...


class Link:
    """Connects, greets, pings, notices death, and connects again, for as long as it runs.

    A connection that is about to end can hand over: the next one is made while it still hears.
    """

    def __init__(
        self,
        name: str,
        url: str,
        user: LinkUser,
        clock: Clock,
        random: Random,
        timing: LinkTiming,
    ) -> None:
        self.name = name
        self._url = url
        self._user = user
        self._clock = clock
        self._random = random
        self._timing = timing
        self._socket: SocketWire | None = None
        self._pong_at = 0.0
        self._closing = asyncio.Event()
        self._reason = ""
        self._heard_out: tuple[float, Callable[[str], None]] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self.connections = 0

    async def run(self) -> None:
        """Keep the link up until cancelled."""
        try:
            await self._run()
        finally:
            for task in self._leaving:
                task.cancel()
            await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while True:
            began_at = self._clock.monotonic()
            try:
                reason = await self._live()
            except (OSError, SocketError, TimeoutError, LinkDown) as error:
                reason = f"{type(error).__name__}: {error}".rstrip(": ")
            lasted = self._clock.monotonic() - began_at
            failures = 1 if lasted >= self._timing.steady else failures + 1
            if self._heard_out is None:
                self._user.down(reason)
            elif failures == 1:
                self._heard_out = None
                continue
            self._heard_out = None
            await asyncio.sleep(self._wait(failures))

    def send(self, frame: bytes) -> None:
        """Hand a message to the connection. Raises LinkDown; the bytes may be out even then."""
        if self._socket is None:
            raise LinkDown(f"{self.name} is not connected")
        try:
            self._socket.say(frame)
        except (OSError, SocketError) as error:
            raise LinkDown(f"{type(error).__name__}: {error}") from error

    @property
    def is_open(self) -> bool:
        """Whether a connection is there; the greeting may be going on."""
        return self._socket is not None

    def pong(self) -> None:
        """The exchange answered a ping."""
        self._pong_at = self._clock.monotonic()

    def close(self, reason: str) -> None:
        """Give this connection up; `run` makes another."""
        self._reason = self._reason or reason
        self._closing.set()

    def hand_over(self, reason: str, *, within: float, gone: Callable[[str], None]) -> None:
        """Make another connection at once; this one is no more sent on, but hears for a while.

        Args:
            within: Seconds until it is closed.
            gone: Told when it has ended, and why.
        """
        self._heard_out = within, gone
        self.close(reason)

    def _wait(self, failures: int) -> float:
        longest = min(
            self._timing.longest_wait, self._timing.first_wait * 2.0 ** min(failures - 1, 16)
        )
        return longest * self._random.uniform(0.5, 1.0)

    async def _live(self) -> str:
        """One connection from its beginning to its end; says why it ended."""
        self._closing.clear()
        self._reason = ""
        socket = await SocketWire.to(self._url, self._user.receive, within=self._timing.greet)
        self.connections += 1
        self._socket = socket
        self.pong()
        tasks = [
            asyncio.create_task(self._greet_and_ping(socket), name=f"{self.name} pings"),
            asyncio.create_task(self._closing.wait(), name=f"{self.name} end"),
        ]
        try:
            ends: list[asyncio.Future[Any]] = [socket.ended, *tasks]
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return self._reason or "closed"
        finally:
            self._socket = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._heard_out is None:
                await socket.leave()
            else:
                leaving = asyncio.create_task(self._hear_out(socket, *self._heard_out))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)

    async def _hear_out(
        self, socket: SocketWire, within: float, gone: Callable[[str], None]
    ) -> None:
        try:
            await asyncio.wait([socket.ended], timeout=within)
        finally:
            await socket.leave()
            gone("the exchange restarted this service")

    async def _greet_and_ping(self, socket: SocketWire) -> None:
        async with asyncio.timeout(self._timing.greet):
            await self._user.greet()
        self._user.up()
        self.pong()
        ping_at = self._clock.monotonic()
        while True:
            now = self._clock.monotonic()
            dead_at = self._pong_at + self._timing.dead
            if now >= dead_at:
                raise LinkDown(f"no pong for {self._timing.dead:g} s")
            if now >= ping_at:
                socket.say(PING)
                ping_at = now + self._timing.ping
            await asyncio.sleep(max(0.0, min(ping_at, dead_at) - now))

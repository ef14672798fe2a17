"""TradeSocket: order entry over one WebSocket, each request with one reply or none.

A reply says that a request was taken. It is never a status, and never a fill.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Final

from order_adapters.passing import passing
from order_adapters.venues.bybit.frames import Dialogue, read_object
from order_adapters.venues.bybit.link import Link, LinkDown
from order_adapters.venues.bybit.quarantine import Raw
from order_adapters.venues.bybit.signing import Credentials, socket_auth
from order_adapters.venues.bybit.transport import NoAnswer, NotSent
from order_domain.model.enums import CommandKind

RESTARTING: Final = 10019
AUTH_AHEAD_MS: Final = 10_000
OPS: Final[Mapping[CommandKind, str]] = {
    CommandKind.CREATE: "order.create",
    CommandKind.AMEND: "order.amend",
    CommandKind.CANCEL: "order.cancel",
}

_Waiting = tuple[asyncio.Future[Raw], float, int]
"""A reply to come, its deadline (loop time), and the number of the connection it is to come on."""


class TradeSocket:
    """Requests on their way, by request id.

    Args:
        make_link: Makes the link of this user; only the caller knows url and timing.
        exchange_ms: The exchange's time now.
        answer_within: Seconds after which a request counts as unanswered.
        session: Makes request ids differ from those of every other process of the account.
    """

    def __init__(
        self,
        make_link: Callable[["TradeSocket"], Link],
        credentials: Credentials,
        exchange_ms: Callable[[], int],
        *,
        recv_window_ms: int,
        answer_within: float,
        session: str,
    ) -> None:
        self.link = make_link(self)
        self._credentials = credentials
        self._exchange_ms = exchange_ms
        self._tails = {
            kind: f'","X-BAPI-RECV-WINDOW":"{recv_window_ms}"}},"op":"{op}","args":['.encode()
            for kind, op in OPS.items()
        }
        self._within = answer_within
        self._session = session
        self._numbers = count(1)
        self._pending: dict[str, _Waiting] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._dialogue = Dialogue(self.link.send)
        self._connection = 0
        self.strays = 0
        """Replies to nothing that waits: too late, twice, without an id, or not understood."""

    @property
    def is_up(self) -> bool:
        """Whether a request may be handed over."""
        return self._connection != 0 and self.link.is_open

    @property
    def in_flight(self) -> int:
        """Requests without a reply."""
        return len(self._pending)

    async def request(self, kind: CommandKind, body: bytes, timestamp_ms: int) -> Raw:
        """Send one request and wait for its reply.

        Args:
            body: The object that REST would get.
            timestamp_ms: The stamp of the claim; the exchange refuses what is too old by it.

        Raises:
            NotSent: The socket is not up; nothing left.
            NoAnswer: Time-out or a lost connection. The request may have arrived.
        """
        if not self.is_up:
            raise NotSent("the order entry socket is not up")
        request_id = f"{self._session}-{next(self._numbers)}"
        frame = b'{"reqId":"%b","header":{"X-BAPI-TIMESTAMP":"%d%b%b]}' % (
            request_id.encode(),
            timestamp_ms,
            self._tails[kind],
            body,
        )
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Raw] = loop.create_future()
        deadline = loop.time() + self._within
        self._pending[request_id] = reply, deadline, self._connection
        if self._watch is None:
            self._watch = loop.call_at(deadline, self._expire, loop)
        try:
            self.link.send(frame)
            passing("submit.after_send")
            return await reply
        except LinkDown as error:
            raise NoAnswer(str(error)) from error
        finally:
            self._forget(request_id, reply)

    async def greet(self) -> None:
        """Authenticate."""
        args = socket_auth(self._credentials, self._exchange_ms() + AUTH_AHEAD_MS)
        reply = await self._dialogue.ask("auth", args)
        if reply.get("retCode") != 0:
            raise LinkDown(f"auth refused: {reply.get('retCode')} {reply.get('retMsg')}")

    def up(self) -> None:
        """Requests may leave."""
        self._connection = self.link.connections

    def down(self, reason: str) -> None:
        """Whatever is on its way there is lost: all of it at once, in the order it was sent."""
        connection, self._connection = self._connection, 0
        self._lose(connection, reason)

    def receive(self, frame: bytes) -> None:
        """Give a reply to whoever waits for it."""
        message = read_object(frame)
        if message.get("op") == "pong":
            self.link.pong()
            return
        if self._dialogue.hear(message):
            return
        if message.get("retCode") == RESTARTING:
            self._move()
        request_id = message.get("reqId")
        waiting = self._pending.get(request_id) if isinstance(request_id, str) else None
        if waiting is None or waiting[0].done():
            self.strays += 1
            return
        waiting[0].set_result(message)

    def _move(self) -> None:
        """Go to another connection; replies to what is on its way still come on this one."""
        connection, self._connection = self._connection, 0
        if connection:
            self.link.hand_over(
                "the exchange restarts this service",
                within=self._within,
                gone=partial(self._lose, connection),
            )

    def _lose(self, connection: int, reason: str) -> None:
        for reply, _, sent_on in self._pending.values():
            if sent_on == connection and not reply.done():
                reply.set_exception(NoAnswer(f"connection lost: {reason}"))

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give up what is due. Requests are in the order of their deadlines: one timer will do."""
        self._watch = None
        now = loop.time()
        for reply, deadline, _ in self._pending.values():
            if deadline > now:
                self._watch = loop.call_at(deadline, self._expire, loop)
                return
            if not reply.done():
                reply.set_exception(NoAnswer(f"no reply within {self._within:g} s"))

    def _forget(self, request_id: str, reply: asyncio.Future[Raw]) -> None:
        del self._pending[request_id]
        if reply.done() and not reply.cancelled():
            reply.exception()  # looked at, so that asyncio does not complain

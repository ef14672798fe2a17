"""PrivateStream: what the exchange pushes of our account: orders, executions, wallet."""

from collections.abc import Callable
from functools import partial
from typing import Final

from order_adapters.venues.bybit.facts import Facts
from order_adapters.venues.bybit.fields import moment
from order_adapters.venues.bybit.frames import Dialogue, read_object
from order_adapters.venues.bybit.knowledge import Knowledge
from order_adapters.venues.bybit.link import Link, LinkDown
from order_adapters.venues.bybit.records import (
    Batch,
    Raw,
    RecordInvalid,
    decode_all,
    decode_execution,
    decode_order,
    decode_position,
    decode_wallet,
)
from order_adapters.venues.bybit.signing import Credentials, socket_auth
from order_adapters.venues.bybit.trade_socket import AUTH_AHEAD_MS
from order_adapters.venues.bybit.trust import Trust
from order_domain.model.execution import Execution
from order_domain.model.reports import OrderReport, WalletReport

TOPICS: Final = ("order", "execution", "position", "wallet")


class PrivateStream:
    """Healthy means: authenticated, and every topic confirmed by itself.

    There is no snapshot and no replay, so each new connection says unhealthy, then healthy, and the
    engine reads the account anew. A reader that falls behind costs the connection, never a fact in
    silence.
    """

    def __init__(
        self,
        make_link: Callable[["PrivateStream"], Link],
        credentials: Credentials,
        exchange_ms: Callable[[], int],
        facts: Facts,
        knowledge: Knowledge,
    ) -> None:
        self.link = make_link(self)
        self._credentials = credentials
        self._exchange_ms = exchange_ms
        self._facts = facts
        self._knowledge = knowledge
        self._dialogue = Dialogue(self.link.send)
        self._trust = Trust(facts)
        self._readers: dict[str, Callable[[Raw], None]] = {
            "order": self._take_orders,
            "execution": self._take_executions,
            "position": self._take_positions,
            "wallet": self._take_wallet,
        }

    @property
    def is_healthy(self) -> bool:
        """Whether everything that happens would be told."""
        return self._trust.is_given

    async def greet(self) -> None:
        """Authenticate, then subscribe topic by topic."""
        await self._facts.room()
        expires = self._exchange_ms() + AUTH_AHEAD_MS
        await self._confirm("auth", socket_auth(self._credentials, expires))
        for topic in TOPICS:
            await self._confirm("subscribe", [topic])

    def up(self) -> None:
        """Tell that the stream can be trusted from here on."""
        self._trust.up()

    def down(self, reason: str) -> None:
        """Tell that it cannot."""
        self._trust.down(reason)

    def bar(self, cause: str, reason: str) -> None:
        """Tell it untrusted whatever the connection says, for a cause, until that has no reason."""
        self._trust.bar(cause, reason)

    def receive(self, frame: bytes) -> None:
        """Take one message."""
        message = read_object(frame)
        topic = message.get("topic")
        if isinstance(topic, str):
            reader = self._readers.get(topic)
            if reader is not None:
                reader(message)
        elif message.get("op") == "pong":
            self.link.pong()
        else:
            self._dialogue.hear(message)

    async def _confirm(self, op: str, args: list[str] | list[str | int]) -> None:
        reply = await self._dialogue.ask(op, args)
        if reply.get("success") is not True:
            what = args[0] if op == "subscribe" else "auth"
            raise LinkDown(f"{what} refused: {reply.get('ret_msg')}")

    def _take_orders(self, message: Raw) -> None:
        batch = decode_all(decode_order, message.get("data"))
        for report in batch.good:
            self._knowledge.learn_order(report)
        self._put(batch)

    def _take_executions(self, message: Raw) -> None:
        decode = partial(decode_execution, known=self._knowledge.known)
        self._put(decode_all(decode, message.get("data")))

    def _take_positions(self, message: Raw) -> None:
        """No fact of their own: positions are the ledger's, and sweeps compare."""
        batch = decode_all(decode_position, message.get("data"))
        for report in batch.good:
            self._knowledge.learn_position(report)
        self._knowledge.put_aside(batch.quarantined)

    def _take_wallet(self, message: Raw) -> None:
        try:
            as_of = moment(message, "creationTime")
        except RecordInvalid:
            as_of = self._knowledge.exchange_now()
        self._put(decode_all(partial(decode_wallet, as_of=as_of), message.get("data")))

    def _put(self, batch: Batch[OrderReport] | Batch[Execution] | Batch[WalletReport]) -> None:
        self._knowledge.put_aside(batch.quarantined)
        for fact in batch.good:
            if not self._facts.put(fact):
                self.down("the reader is too slow")
                self.link.close("the reader is too slow")
                return

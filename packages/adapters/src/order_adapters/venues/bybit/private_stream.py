"""PrivateStream: what the exchange pushes of our account: orders, executions, wallet."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import attrs

from order_adapters.venues.bybit.facts import Facts
from order_adapters.venues.bybit.fast_fills import FastFills
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
    decode_fast_execution,
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
EARLY_FILLS: Final = "execution.fast"
log: Final = logging.getLogger(__name__)


class PrivateStream:
    """Healthy means: authenticated, and every topic confirmed by itself.

    Further topics (early fills, disconnection protection) are asked for too; one that is refused is
    told and done without.

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
        further: Sequence[str] = (),
    ) -> None:
        self.link = make_link(self)
        self._further = further
        self._fast = FastFills() if EARLY_FILLS in further else None
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
            EARLY_FILLS: self._take_early_fills,
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
        if self._fast is not None:
            self._fast = FastFills()
        for topic in TOPICS:
            await self._confirm("subscribe", [topic])
        for topic in self._further:
            try:
                await self._confirm("subscribe", [topic])
            except LinkDown as error:
                if not self.link.is_open:
                    raise
                log.warning("going on without a topic: %s", error)

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
        if self._fast is not None:
            batch = attrs.evolve(batch, good=tuple(map(self._fast.show, batch.good)))
        self._put(batch)

    def _take_executions(self, message: Raw) -> None:
        decode = partial(decode_execution, known=self._knowledge.known)
        batch = decode_all(decode, message.get("data"))
        if self._fast is not None:
            for execution in batch.good:
                self._fast.book(execution)
        self._put(batch)

    def _take_early_fills(self, message: Raw) -> None:
        """No entries of the ledger, for they tell no fee: only how much of an order is filled."""
        if self._fast is None:
            return
        batch = decode_all(decode_fast_execution, message.get("data"))
        reports = [report for fill in batch.good if (report := self._fast.tell(fill)) is not None]
        self._put(Batch(tuple(reports), batch.quarantined))

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

"""RelayedStream: our orders as another service brings them, in the exchange's own records.

Only cumulative order updates are relayed. What they are ahead of the ledger the engine reads by
REST, as it does whenever a fill was not told.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from order_adapters.venues.bybit.facts import Facts
from order_adapters.venues.bybit.knowledge import Knowledge
from order_adapters.venues.bybit.records import decode_all, decode_order
from order_adapters.venues.bybit.trust import Trust


class RelayedStream:
    """Stands in the place of the private stream where there is none of our own."""

    def __init__(self, facts: Facts, knowledge: Knowledge) -> None:
        self._facts = facts
        self._knowledge = knowledge
        self._trust = Trust(facts)

    @property
    def is_healthy(self) -> bool:
        """Whether everything that happens would be told."""
        return self._trust.is_given

    def up(self) -> None:
        """Orders are relayed from here on."""
        self._trust.up()

    def down(self, reason: str) -> None:
        """They are not, or not for sure."""
        self._trust.down(reason)

    def failed(self, error: BaseException) -> None:
        """Whoever relays has a defect: end the venue's facts with it."""
        self._facts.close(error)

    def bar(self, cause: str, reason: str) -> None:
        """See `Trust.bar`."""
        self._trust.bar(cause, reason)

    def order(self, record: Mapping[str, Any]) -> bool:
        """Take one order as the exchange wrote it; False when the reader is too slow.

        Then nothing is kept, and what was missed is read when the stream is trusted again.
        """
        batch = decode_all(decode_order, [record])
        self._knowledge.put_aside(batch.quarantined)
        for report in batch.good:
            self._knowledge.learn_order(report)
            if not self._facts.put(report):
                self.down("the reader is too slow")
                return False
        return True


class Relay(Protocol):
    """Whatever brings orders to a RelayedStream, and says whether it can be trusted."""

    def open(self) -> None:
        """Begin; it connects, and connects again, by itself."""
        ...

    async def close(self) -> None:
        """End."""
        ...


MakeRelay = Callable[[RelayedStream], Relay]

"""The broker as a server: a queue with one consumer, redelivery, and a history of events."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Protocol

import attrs

from order_adapters.intake.signal_json import read_delivery
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.steps import Acknowledge
from order_domain.ports.outbox import NumberedEvent
from tests.simulation.loop import NOBODY, Process, SimulationLoop
from tests.simulation.network import Link, Lost, Refused, Silence

PREFETCH: Final = 64
RETRY: Final = 0.5


@attrs.define(slots=True, eq=False)
class Letter:
    """One message of the queue."""

    number: int
    body: bytes


@attrs.define(slots=True, eq=False)
class Connection:
    """One consumer's channel. Once closed, nothing said on it counts."""

    process: Process
    is_open: bool = True
    unacknowledged: dict[int, Letter] = attrs.Factory(dict)
    arrived: asyncio.Queue[Letter | None] = attrs.Factory(asyncio.Queue)


class Watches(Protocol):
    def acknowledged(self, process: Process, delivery: int, letter: Letter) -> None: ...
    def published(self, process: Process, event: NumberedEvent) -> None: ...


class Broker:
    """Survives everybody."""

    def __init__(self, loop: SimulationLoop, watch: Watches) -> None:
        self._loop = loop
        self._watch = watch
        self._count = 0
        self.queue: deque[Letter] = deque()
        self.acknowledged: list[Letter] = []
        self.consumer: Connection | None = None
        self._blocked: list[tuple[Process, NumberedEvent]] | None = None

    def put(self, body: bytes) -> None:
        """Take a message of the model service."""
        self._count += 1
        self.queue.append(Letter(self._count, body))
        self._push()

    def put_again(self, letter: Letter) -> None:
        """Bring an acknowledged message once more, as brokers may after a failover."""
        self.queue.append(Letter(letter.number, letter.body))
        self._push()

    def connect(self, process: Process) -> Connection:
        """Open the one consumer. Raises Refused while another has it."""
        if self.consumer is not None or process.is_dead:
            raise Refused("exclusive")
        connection = self.consumer = Connection(process)
        self._push()
        return connection

    def close(self, connection: Connection) -> None:
        """End a consumer: what it did not acknowledge goes back to the front."""
        if not connection.is_open:
            return
        connection.is_open = False
        self.queue.extendleft(reversed(list(connection.unacknowledged.values())))
        connection.arrived.put_nowait(None)
        if self.consumer is connection:
            self.consumer = None

    def acknowledge(self, connection: Connection, delivery: int, letter: Letter) -> None:
        if connection.is_open and connection.unacknowledged.pop(letter.number, None) is not None:
            self._watch.acknowledged(connection.process, delivery, letter)
            self.acknowledged.append(letter)
            self._push()

    def publish(self, process: Process, event: NumberedEvent) -> None:
        """Take an event. Raises Silence while blocked: it waits, and nobody is told."""
        if self._blocked is not None:
            self._blocked.append((process, event))
            raise Silence
        self._watch.published(process, event)

    def block(self) -> None:
        """Read no more of what is published, as under a memory alarm."""
        self._blocked = []

    def unblock(self) -> None:
        """Take what has waited, also of those who have given up long ago."""
        waited, self._blocked = self._blocked or [], None
        for process, event in waited:
            self._watch.published(process, event)

    @property
    def is_empty(self) -> bool:
        return not self.queue and (self.consumer is None or not self.consumer.unacknowledged)

    def _push(self) -> None:
        consumer = self.consumer
        while consumer is not None and self.queue and len(consumer.unacknowledged) < PREFETCH:
            letter = self.queue.popleft()
            consumer.unacknowledged[letter.number] = letter
            consumer.arrived.put_nowait(letter)


class NodeSource:
    """One node's consumer; numbers deliveries on from the last one that is committed."""

    def __init__(self, link: Link, process: Process, broker: Broker, last: int) -> None:
        self._link = link
        self._process = process
        self._broker = broker
        self._last = last
        self._given: dict[int, tuple[Connection, Letter]] = {}
        self._is_closed = False

    def close(self) -> None:
        """Stop consuming, as the service does when it no longer owns the account."""
        self._is_closed = True
        consumer = self._broker.consumer
        if consumer is not None and consumer.process is self._process:
            self._broker.close(consumer)

    async def deliveries(self) -> AsyncIterator[SignalDelivered | DeliveryInvalid]:
        while True:
            connection = await self._connect()
            try:
                while (letter := await connection.arrived.get()) is not None:
                    await asyncio.sleep(self._link.one_way())
                    if not connection.is_open:
                        break
                    self._last += 1
                    self._given[self._last] = (connection, letter)
                    yield read_delivery(self._last, letter.body)
            finally:
                self._broker.close(connection)

    async def acknowledge(self, effect: Acknowledge) -> None:
        given = self._given.pop(effect.number, None)
        if given is None:
            return  # a parked signal's verdict: its delivery was acknowledged when it was parked
        connection, letter = given
        if connection.is_open:
            self._broker._loop.call_in(
                NOBODY,
                self._link.one_way(),
                self._broker.acknowledge,
                connection,
                effect.number,
                letter,
            )

    def _open(self) -> Connection:
        if self._is_closed:
            raise Refused("the channel is gone")
        return self._broker.connect(self._process)

    async def _connect(self) -> Connection:
        while True:
            try:
                return await self._link.ask("consume", self._open)
            except (Lost, Refused):
                consumer = self._broker.consumer
                if consumer is not None and consumer.process is self._process:
                    self._broker.close(consumer)  # the answer was lost: the broker notices
                await asyncio.sleep(RETRY)


class NodePublisher:
    """One node's publishing channel. Returns when the broker has confirmed.

    Attributes:
        mandatory: What no queue takes comes back; else the broker confirms it and forgets it.
    """

    mandatory = True

    def __init__(self, link: Link, process: Process, broker: Broker) -> None:
        self._link = link
        self._process = process
        self._broker = broker

    async def publish(self, event: NumberedEvent) -> None:
        await self._link.ask(f"publish {event.number}", lambda: self._route(event))

    def _route(self, event: NumberedEvent) -> None:
        if not self._link.strikes("unroutable", f"event {event.number}"):
            self._broker.publish(self._process, event)
        elif self.mandatory:
            raise Refused("no queue takes it")

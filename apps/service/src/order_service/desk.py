"""Desk: where signals come together, from HTTP and from a broker, and where verdicts go back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import attrs
import structlog

from order_domain.errors import OrderManagerError
from order_domain.model.enums import Verdict
from order_domain.model.identifiers import TraceId
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.steps import Acknowledge
from order_domain.model.trace import NO_TRACE, Trace
from order_service.runtime.spans import Spans
from order_service.runtime.timings import Timings

log = structlog.get_logger(__name__)
Delivery = SignalDelivered | DeliveryInvalid


class NotTaking(OrderManagerError):
    """Signals are not taken now; nothing was kept. Details: `reason`."""

    code = "NOT_TAKING"


class Undecided(OrderManagerError):
    """A signal was taken but its verdict did not come in time. Details: `number`.

    Sending it again is safe: a signal is decided once, whatever happens.
    """

    code = "UNDECIDED"


class Queue(Protocol):
    """A source of signals that one can also send to."""

    async def put(self, delivery: Delivery) -> None:
        """Send a delivery."""
        ...

    def deliveries(self) -> AsyncIterator[Delivery]:
        """Yield deliveries in order."""
        ...

    async def acknowledge(self, effect: Acknowledge) -> None:
        """Forget a delivery."""
        ...


class Letter(Protocol):
    """One message of a broker."""

    @property
    def body(self) -> bytes:
        """As it came."""
        ...

    @property
    def trace(self) -> Trace:
        """What came along with it."""
        ...

    @property
    def is_dead(self) -> bool:
        """Whether the broker will bring it again, so that it must not be used."""
        ...

    async def acknowledge(self) -> None:
        """Let the broker forget it."""
        ...


class Broker(Protocol):
    """Where letters come from, one consumer at a time."""

    @property
    def is_up(self) -> bool:
        """Whether letters come."""
        ...

    def open(self) -> None:
        """Begin to consume."""
        ...

    async def close(self) -> None:
        """Stop; what was not acknowledged goes back."""
        ...

    def letters(self) -> AsyncIterator[Letter]:
        """Yield letters in their order."""
        ...


@attrs.frozen(slots=True)
class Taken:
    """A delivery whose last verdict is still to come, and when it came by the loop's clock."""

    at: float
    ids: Mapping[str, str]
    waits: bool = False

    @classmethod
    def now(cls, delivery: Delivery) -> "Taken":
        """One that comes now; its ids find its lines in the log."""
        if isinstance(delivery, SignalDelivered):
            signal = delivery.signal
            named = {"signal_id": signal.signal_id, "trace_id": signal.trace_id}
        else:
            named = {"signal_id": delivery.signal_id}
        ids = {name: text for name, text in named.items() if text}
        return cls(asyncio.get_running_loop().time(), ids)


class Desk:
    """A SignalSource over a queue that tells whoever handed a signal in what became of it.

    Args:
        make_queue: Makes an empty queue, one for each time that the account is owned.
        read: Makes a delivery of a number and a raw body; never fails.
        broker: Also brings signals; each is acknowledged once its delivery is.
        spans: Told of what comes in and what became of it; None where nobody traces.

    Attributes:
        decisions: From a delivery to its first verdict, committed.
        verdicts: How many, by verdict and code; one that waited has two.
    """

    def __init__(
        self,
        make_queue: Callable[[], Queue],
        read: Callable[[int, bytes], Delivery],
        broker: Broker | None = None,
        spans: Spans | None = None,
    ) -> None:
        self._make_queue = make_queue
        self._queue = make_queue()
        self._read = read
        self._broker = broker
        self._spans = spans
        self._taking: asyncio.Task[None] | None = None
        self._letters: dict[int, Letter] = {}
        self._last = 0
        self._is_open = False
        self._waiting: dict[int, asyncio.Future[Acknowledge]] = {}
        self._taken: dict[int, Taken] = {}
        self.decisions = Timings()
        self.verdicts: Counter[tuple[str, str]] = Counter()

    @property
    def is_connected(self) -> bool:
        """Whether the broker brings signals; without one there is nothing to miss."""
        return self._broker is None or self._broker.is_up

    def open(self, last: int) -> None:
        """Take signals from now on, numbered on from the newest delivery in the store."""
        self._last, self._is_open = last, True
        if self._broker is not None:
            self._broker.open()
            self._taking = asyncio.create_task(self._take(self._broker), name="broker's signals")

    async def shut(self) -> None:
        """Close, and let the broker have back what was not acknowledged.

        Nothing of it is left here: its numbers are the next owner's to give.
        """
        self.close()
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.gather(self._taking, return_exceptions=True)
            self._taking = None
        if self._broker is not None:
            await self._broker.close()
        self._queue = self._make_queue()
        self._letters.clear()
        self._taken.clear()

    def close(self) -> None:
        """Take nothing more, and tell whoever still waits."""
        self._is_open = False
        for number, future in self._waiting.items():
            if not future.done():
                future.set_exception(Undecided(number=number))

    def read(self, raw: bytes) -> Delivery:
        """Read a body as a delivery of no number, which is not taken."""
        return self._read(0, raw)

    async def hand_in(
        self, raw: bytes, seconds: float, trace: Trace = NO_TRACE
    ) -> tuple[Delivery, Acknowledge]:
        """Bring one body; return how it was read and its verdict, once that is committed.

        Args:
            trace: What came along with it.

        Raises:
            NotTaking: The desk is closed.
            Undecided: No verdict came in time.
        """
        if not self._is_open:
            raise NotTaking(reason="not ready")
        self._last += 1
        number, delivery = self._last, self._received(raw, trace)
        future: asyncio.Future[Acknowledge] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await self._queue.put(delivery)
            async with asyncio.timeout(seconds):
                return delivery, await future
        except TimeoutError:
            raise Undecided(number=number) from None
        finally:
            del self._waiting[number]

    async def _take(self, broker: Broker) -> None:
        async for letter in broker.letters():
            if not self._is_open:
                continue
            self._last += 1
            self._letters[self._last] = letter
            await self._queue.put(self._received(letter.body, letter.trace))

    def _received(self, raw: bytes, trace: Trace) -> Delivery:
        """Read the newest delivery; its signal has the trace id that came along, if none itself."""
        delivery = self._read(self._last, raw)
        if trace.id and isinstance(delivery, SignalDelivered) and not delivery.signal.trace_id:
            delivery.signal.trace_id = TraceId(trace.id)
        taken = self._taken[delivery.number] = Taken.now(delivery)
        log.info("signal.taken", delivery=delivery.number, **taken.ids)
        if self._spans is not None:
            self._spans.received(delivery, trace.parent)
        return delivery

    async def deliveries(self) -> AsyncIterator[Delivery]:
        """Yield what came in, in order; letters that come again are left out."""
        async for delivery in self._queue.deliveries():
            letter = self._letters.get(delivery.number)
            if letter is not None and letter.is_dead:
                del self._letters[delivery.number]
                self._taken.pop(delivery.number, None)
                again = Acknowledge(delivery.number, Verdict.DUPLICATE)
                await self._queue.acknowledge(again)
                if self._spans is not None:
                    self._spans.decided(again)
                continue
            yield delivery

    async def acknowledge(self, effect: Acknowledge) -> None:
        """Tell the verdict to whoever waits for it, and let the broker forget the letter."""
        await self._queue.acknowledge(effect)
        self.verdicts[effect.verdict.value, effect.code] += 1
        if self._spans is not None:
            self._spans.decided(effect)
        taken = self._taken.pop(effect.number, None)
        if taken is not None and not taken.waits:
            self.decisions.add(asyncio.get_running_loop().time() - taken.at)
        if taken is not None and effect.verdict is Verdict.PARKED:
            self._taken[effect.number] = attrs.evolve(taken, waits=True)
        log.info(
            "signal.decided",
            delivery=effect.number,
            verdict=effect.verdict.value,
            code=effect.code,
            **({} if taken is None else taken.ids),
        )
        letter = self._letters.pop(effect.number, None)
        if letter is not None:
            await letter.acknowledge()
        future = self._waiting.get(effect.number)
        if future is not None and not future.done():
            future.set_result(effect)

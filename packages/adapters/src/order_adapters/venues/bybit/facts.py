"""Facts: the bounded queue between the streams and whoever reads the venue."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from order_domain.model.identifiers import InstrumentId
from order_domain.model.inputs import ClockOffset, StreamState, TransportState
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote
from order_domain.ports.venue import Fact


class Facts:
    """Facts in order of arrival, for one reader.

    A newer quote takes the place of an unread one, and states of our own plumbing are few, so only
    what the private stream tells is counted against the capacity.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._queue: deque[Fact | InstrumentId] = deque()
        self._quotes: dict[InstrumentId, Quote] = {}
        self._reports = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        self._error: BaseException | None = None

    def put(self, fact: Fact) -> bool:
        """Append a fact of the private stream; False, and nothing kept, when the queue is full."""
        if self._reports >= self._capacity:
            self._room.clear()
            return False
        self._reports += 1
        self._queue.append(fact)
        self._news.set()
        return True

    def put_own(self, fact: StreamState | TransportState | ClockOffset | Instrument) -> None:
        """Append what our own plumbing says or asked for."""
        self._queue.append(fact)
        self._news.set()

    def put_quote(self, quote: Quote) -> None:
        """Append a quote, or put it in the place of an unread one of its instrument."""
        if quote.instrument_id not in self._quotes:
            self._queue.append(quote.instrument_id)
            self._news.set()
        self._quotes[quote.instrument_id] = quote

    async def room(self) -> None:
        """Wait until a queue that was full is half read."""
        await self._room.wait()

    def close(self, error: BaseException | None = None) -> None:
        """End the stream once everything is read, with an error if there was one."""
        self._closed = True
        self._error = self._error or error
        self._news.set()

    async def stream(self) -> AsyncIterator[Fact]:
        """Yield until closed."""
        while True:
            while self._queue:
                yield self._take(self._queue.popleft())
            if self._closed:
                if self._error is not None:
                    raise self._error
                return
            self._news.clear()
            await self._news.wait()

    def _take(self, entry: Fact | InstrumentId) -> Fact:
        if isinstance(entry, str):
            return self._quotes.pop(entry)
        if not isinstance(entry, StreamState | TransportState | ClockOffset | Instrument):
            self._reports -= 1
            if self._reports * 2 <= self._capacity:
                self._room.set()
        return entry

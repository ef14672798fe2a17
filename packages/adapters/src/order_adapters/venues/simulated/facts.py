"""Facts: the queue of what an exchange pushed, with quotes conflated."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from order_domain.model.identifiers import InstrumentId
from order_domain.model.quote import Quote
from order_domain.ports.venue import Fact


class Facts:
    """Facts in order of arrival, for one reader. A newer quote takes the place of an unread one."""

    def __init__(self) -> None:
        self._queue: deque[Fact | InstrumentId] = deque()
        self._quotes: dict[InstrumentId, Quote] = {}
        self._news = asyncio.Event()
        self._closed = False
        self._error: BaseException | None = None

    def put(self, fact: Fact) -> None:
        """Append a fact."""
        self._queue.append(fact)
        self._news.set()

    def put_quote(self, quote: Quote) -> None:
        """Append a quote, or put it in the place of an unread one of its instrument."""
        if quote.instrument_id not in self._quotes:
            self._queue.append(quote.instrument_id)
            self._news.set()
        self._quotes[quote.instrument_id] = quote

    def close(self, error: BaseException | None = None) -> None:
        """End the stream once everything is read, with an error if there was one."""
        self._closed = True
        self._error = error
        self._news.set()

    async def stream(self) -> AsyncIterator[Fact]:
        """Yield until closed."""
        while True:
            while self._queue:
                fact = self._queue.popleft()
                yield self._quotes.pop(fact) if isinstance(fact, str) else fact
            if self._closed:
                if self._error is not None:
                    raise self._error
                return
            self._news.clear()
            await self._news.wait()

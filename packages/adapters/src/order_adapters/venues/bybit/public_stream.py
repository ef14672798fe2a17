"""PublicStream: best bid and ask of the instruments somebody wants, with the exchange's time."""

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

import attrs

from order_adapters.venues.bybit.facts import Facts
from order_adapters.venues.bybit.fields import mapping_or_empty, moment, price_or_none, text
from order_adapters.venues.bybit.frames import Dialogue, read_object
from order_adapters.venues.bybit.knowledge import Knowledge
from order_adapters.venues.bybit.link import Link, LinkDown
from order_adapters.venues.bybit.order_book import OrderBook
from order_adapters.venues.bybit.records import Quarantined, Raw, RecordInvalid, decode_book
from order_domain.model.enums import Category
from order_domain.model.identifiers import InstrumentId, instrument_id

ARGS: Final = 10
"""Topics in one request: spot takes no more."""
_BOOK: Final = "orderbook.1."
_TICKER: Final = "tickers."


class PublicStream:
    """One public socket: it serves one category.

    Quotes are the top of the book; the mark price comes from the ticker. What comes before a new
    connection's first book is not mixed with what came before.
    """

    def __init__(
        self,
        make_link: Callable[["PublicStream"], Link],
        category: Category,
        facts: Facts,
        knowledge: Knowledge,
    ) -> None:
        self.category = category
        self.link = make_link(self)
        self._facts = facts
        self._knowledge = knowledge
        self._dialogue = Dialogue(self.link.send)
        self._wanted: dict[str, None] = {}
        self._subscribed: set[str] = set()
        self._books: dict[InstrumentId, OrderBook] = {}
        self._marks: dict[InstrumentId, Decimal] = {}
        self._is_greeted = False
        self._subscribing = asyncio.Lock()

    async def watch(self, symbols: Iterable[str]) -> None:
        """Ask for quotes of these symbols too, now and after every reconnect."""
        self._wanted.update(dict.fromkeys(symbols))
        if self._is_greeted:
            try:
                await self._subscribe()
            except LinkDown as error:
                self.link.close(str(error))

    async def greet(self) -> None:
        """Subscribe what is wanted."""
        self._subscribed.clear()
        self._books.clear()
        self._marks.clear()
        await self._subscribe()

    def up(self) -> None:
        """Nothing more to do."""
        self._is_greeted = True

    def down(self, _reason: str) -> None:
        """Quotes age from here on; whoever decides by one looks at its time."""
        self._is_greeted = False

    def receive(self, frame: bytes) -> None:
        """Take one message."""
        message = read_object(frame)
        topic = message.get("topic")
        try:
            if not isinstance(topic, str):
                self._hear(message)
            elif topic.startswith(_BOOK):
                self._take_book(message)
            elif topic.startswith(_TICKER):
                self._take_ticker(message)
        except RecordInvalid as error:
            record = Quarantined(error.field, error.rule, error.value, message)
            self._knowledge.put_aside((record,))

    async def _subscribe(self) -> None:
        async with self._subscribing:
            topics = [
                topic + symbol
                for symbol in self._wanted
                if symbol not in self._subscribed
                for topic in (_BOOK, _TICKER)
            ]
            for begin in range(0, len(topics), ARGS):
                reply = await self._dialogue.ask("subscribe", topics[begin : begin + ARGS])
                if reply.get("success") is not True:
                    raise LinkDown(f"subscription refused: {reply.get('ret_msg')}")
            self._subscribed.update(topic.rpartition(".")[2] for topic in topics)

    def _hear(self, message: Raw) -> None:
        if message.get("op") == "pong" or message.get("ret_msg") == "pong":
            self.link.pong()
        else:
            self._dialogue.hear(message)

    def _take_book(self, message: Raw) -> None:
        change = decode_book(message, self.category)
        quote = self._books.setdefault(change.instrument_id, OrderBook()).apply(change)
        if quote is None:
            return
        # a quiet book is repeated as it was: it is as good as its message, not as its last change
        quote = attrs.evolve(
            quote, at=moment(message, "ts"), mark=self._marks.get(quote.instrument_id)
        )
        self._facts.put_quote(quote)

    def _take_ticker(self, message: Raw) -> None:
        data = mapping_or_empty(message, "data")
        mark = price_or_none(data, "markPrice")
        if mark is not None:  # a delta leaves out what did not change
            self._marks[instrument_id(self.category.value, text(data, "symbol"))] = mark

"""Quotes from the public stream: the top of the book, with the exchange's time and mark price."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from order_adapters.venues.bybit.clock_offset import from_milliseconds
from order_adapters.venues.bybit.facts import Facts
from order_adapters.venues.bybit.knowledge import Knowledge
from order_adapters.venues.bybit.link import LinkTiming
from order_adapters.venues.bybit.public_stream import PublicStream
from order_domain.model.enums import Category
from order_domain.model.quote import Quote
from order_domain.ports.venue import Fact
from tests.builders import BTC, NOW, D
from tests.unit.bybit.sockets import (
    FAST,
    PATIENT,
    Message,
    SocketPeer,
    a_link,
    running,
    talking,
    until,
)

MS = 1700000000700


def confirm(message: Message) -> Message:
    if message["op"] == "ping":
        return {"success": True, "ret_msg": "pong", "conn_id": "c", "req_id": "", "op": "ping"}
    return {"success": True, "ret_msg": "", "conn_id": "c", "op": "subscribe"}


def a_book(bid: str = "50000", ask: str = "50001", ts: int = MS, cts: int = MS) -> Message:
    data = {"s": "BTCUSDT", "b": [[bid, "1"]], "a": [[ask, "2"]], "u": 7, "seq": 9}
    topic = "orderbook.1.BTCUSDT"
    return {"topic": topic, "type": "snapshot", "ts": ts, "cts": cts, "data": data}


def a_ticker(**fields: Any) -> Message:
    data = {"symbol": "BTCUSDT"} | fields
    return {"topic": "tickers.BTCUSDT", "type": "delta", "ts": MS, "data": data}


class Market:
    def __init__(self, peer: SocketPeer, timing: LinkTiming) -> None:
        self.peer = peer
        self.knowledge = Knowledge(lambda: NOW)
        self.facts = Facts(1)
        self.seen: list[Fact] = []
        self.stream = PublicStream(
            a_link(peer, timing), Category.LINEAR, self.facts, self.knowledge
        )

    async def read(self) -> None:
        async for fact in self.facts.stream():
            self.seen.append(fact)

    def topics(self) -> list[str]:
        return [t for m in self.peer.heard if m["op"] == "subscribe" for t in m["args"]]


@asynccontextmanager
async def streaming(
    *symbols: str,
    reply: Callable[[Message], Any] = confirm,
    timing: LinkTiming = PATIENT,
) -> AsyncIterator[Market]:
    async with talking(SocketPeer(reply)) as peer:
        market = Market(peer, timing)
        await market.stream.watch(symbols)
        reader = asyncio.create_task(market.read())
        async with running(market.stream.link):
            await until(lambda: market.stream._is_greeted or peer.connections > 2)
            yield market
        market.facts.close()
        await reader


async def test_a_book_becomes_a_quote_with_the_mark_price_known() -> None:
    async with streaming("BTCUSDT") as market:
        await market.peer.say(a_ticker(markPrice="50000.5"), a_ticker(lastPrice="1"), a_book())
        await until(lambda: market.seen)

    at = from_milliseconds(MS)
    assert market.seen == [Quote(BTC, D(50000), D(1), D(50001), D(2), at, D("50000.5"))]


async def test_a_quiet_book_that_is_repeated_is_as_fresh_as_its_message() -> None:
    async with streaming("BTCUSDT") as market:
        await market.peer.say(a_book(ts=MS + 3000, cts=MS))
        await until(lambda: market.seen)

    assert market.seen[0].at == from_milliseconds(MS + 3000)


async def test_no_request_asks_for_more_topics_than_spot_takes() -> None:
    async with streaming(*(f"S{number}" for number in range(23))) as market:
        pass

    sizes = [len(m["args"]) for m in market.peer.heard if m["op"] == "subscribe"]
    assert sizes == [10, 10, 10, 10, 6]
    assert len(set(market.topics())) == 46


async def test_a_symbol_wanted_later_is_subscribed_alone_and_again_after_a_reconnect() -> None:
    async with streaming("BTCUSDT", timing=FAST) as market:
        await market.stream.watch(["ETHUSDT", "BTCUSDT"])
        before = market.topics()
        market.peer.cut()
        await until(lambda: len(market.topics()) == 8)

    assert before[2:] == ["orderbook.1.ETHUSDT", "tickers.ETHUSDT"]
    assert sorted(market.topics()[4:]) == sorted(before)


async def test_a_refused_subscription_is_tried_again_on_a_new_connection() -> None:
    def refuse(message: Message) -> Message:
        return confirm(message) | {"success": message["op"] == "ping"}

    async with streaming("BTCUSDT", reply=refuse, timing=FAST) as market:
        pass

    assert market.peer.connections > 2


async def test_x25_market_data_that_makes_no_sense_makes_no_quote() -> None:
    crossed = a_book(bid="50002", ask="50001")
    async with streaming("BTCUSDT") as market:
        await market.peer.say(
            crossed,
            a_book(bid="-1"),
            a_ticker(markPrice="x"),
            {"topic": "orderbook.1.BTCUSDT"},
            b"\xff",
            a_book(),
        )
        await until(lambda: market.seen)

    assert [quote.bid for quote in market.seen] == [D(50000)]
    assert market.knowledge.quarantines == 3

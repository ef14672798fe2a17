"""Bybit's REST as a test tells it: one function a path, and everything that was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import attrs

from order_adapters.clock import SystemClock
from order_adapters.venues.bybit.budget import RateBudget
from order_adapters.venues.bybit.client import BybitClient
from order_adapters.venues.bybit.clock_offset import ClockMeter
from order_adapters.venues.bybit.config import BybitConfig, Retry
from order_adapters.venues.bybit.hosts import custom_hosts
from order_adapters.venues.bybit.knowledge import Knowledge
from order_adapters.venues.bybit.reader import AccountReader
from order_adapters.venues.bybit.rest import BybitRest
from order_adapters.venues.bybit.transport import HttpTiming, HttpTransport
from tests.unit.bybit.raw import Peer, http, is_whole, listening
from tests.unit.bybit.sockets import KEY

Fields = dict[str, str]


@attrs.define
class Refusal:
    code: int = 0
    status: str = "200 OK"
    body: bytes = b""


EMPTY: dict[str, Any] = {"list": [], "nextPageCursor": ""}
WALLET = {"list": [{"accountType": "UNIFIED", "coin": []}]}


@attrs.define
class Exchange:
    """`routes` say what a path answers: a result, a Refusal, or None to cut the connection."""

    routes: dict[str, Callable[[Fields], Any]]
    asked: list[tuple[str, Fields]] = attrs.field(factory=list)
    targets: list[str] = attrs.field(factory=list)

    async def react(self, writer: asyncio.StreamWriter, heard: bytes) -> None:
        if not is_whole(heard):
            return
        head, _, body = heard.rpartition(b"\r\n\r\n")
        line = [each for each in head.split(b"\r\n") if each.endswith(b" HTTP/1.1")][-1]
        target = line.split(b" ")[1].decode()
        path, _, query = target.partition("?")
        fields = json.loads(body) if body else dict(parse_qsl(query))
        self.targets.append(target)
        self.asked.append((path, fields))
        said = self.routes.get(path, lambda _: EMPTY)(fields)
        if said is None:
            writer.transport.abort()
        elif isinstance(said, Refusal):
            reply = said.body or envelope({}, said.code)
            writer.write(http(reply, said.status))
        else:
            writer.write(http(envelope(said)))

    def fields_of(self, path: str) -> list[Fields]:
        return [fields for asked, fields in self.asked if asked == path]


def envelope(result: Any, code: int = 0) -> bytes:
    message = {"retCode": code, "retMsg": "", "result": result, "retExtInfo": {}}
    return json.dumps(message | {"time": 1700000000123}).encode()


def in_turn(*answers: Any) -> Callable[[Fields], Any]:
    """One answer after another, the last ever again."""
    left = list(answers)
    return lambda _fields: left.pop(0) if len(left) > 1 else left[0]


@attrs.define
class Desk:
    exchange: Exchange
    client: BybitClient
    rest: BybitRest
    reader: AccountReader
    knowledge: Knowledge


@asynccontextmanager
async def a_desk(routes: dict[str, Callable[[Fields], Any]], **config: Any) -> AsyncIterator[Desk]:
    """Everything that asks, on an exchange that answers as it is told."""
    routes = {"/v5/account/wallet-balance": lambda _: WALLET} | routes
    exchange = Exchange(routes)
    async with listening(Peer(exchange.react)) as peer:
        made = BybitConfig(
            **{
                "hosts": custom_hosts(peer.url, peer.url.replace("http", "ws")),
                "credentials": KEY,
                "retry": Retry(first=0.001, longest=0.002),
                "settle_coins": ("USDT",),
                "http": HttpTiming(whole=3.0),
            }
            | config
        )
        clock = SystemClock()
        transport = HttpTransport(
            peer.url, KEY, recv_window_ms=made.recv_window_ms, timing=made.http
        )
        meter = ClockMeter(made.clock)
        meter.add(clock.now(), timedelta(0), clock.now())
        budget = RateBudget(clock)
        client = BybitClient(made, transport, budget, meter, clock, Random(1))
        rest, knowledge = BybitRest(client), Knowledge(client.exchange_now)
        try:
            yield Desk(exchange, client, rest, AccountReader(rest, made, knowledge), knowledge)
        finally:
            await transport.close()

"""A raw client of the local Bybit: it signs by itself and shares no code with the server."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from order_adapters.bybit_server import AccountConfig, BybitServer, ServerConfig
from order_adapters.clock import VirtualClock
from order_adapters.simulator import MarketTrade
from order_domain.model.enums import Side
from order_domain.model.identifiers import InstrumentId

Json = dict[str, Any]
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)
PATIENCE = 10.0
NO_TLS = False  # reading the certificates would take longer than most tests
ACCOUNT = AccountConfig()


def ms(moment: datetime) -> int:
    return (moment - EPOCH) // MS


class Stream:
    """One socket; frames are JSON objects."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def hear(self) -> Json:
        heard: Json = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE))
        return heard

    async def row(self, topic: str) -> Json:
        """The next row of a topic; others are passed over."""
        while (heard := await self.hear()).get("topic") != topic:
            pass
        row: Json = heard["data"][0]
        return row

    async def rows(self, number: int) -> list[tuple[str, Json]]:
        """The next rows with their topics."""
        heard = [await self.hear() for _ in range(number)]
        return [(each["topic"], each["data"][0]) for each in heard]


class Rig:
    """A server with its client; the clock stands still unless the test moves it."""

    def __init__(
        self,
        server: BybitServer,
        http: httpx.AsyncClient,
        clock: VirtualClock,
        account: AccountConfig,
    ) -> None:
        self.server = server
        self.http = http
        self.clock = clock
        self.account = account

    @property
    def now(self) -> int:
        return ms(self.clock.now())

    def wait(self, **length: float) -> None:
        self.clock.advance_to(self.clock.now() + timedelta(**length))

    def sign(self, text: str) -> str:
        return hmac.new(self.account.secret.encode(), text.encode(), sha256).hexdigest()

    def headers(
        self, payload: str, *, stamp: int | None = None, window: int = 5000
    ) -> dict[str, str]:
        at = str(self.now if stamp is None else stamp)
        return {
            "X-BAPI-API-KEY": self.account.api_key,
            "X-BAPI-TIMESTAMP": at,
            "X-BAPI-RECV-WINDOW": str(window),
            "X-BAPI-SIGN": self.sign(f"{at}{self.account.api_key}{window}{payload}"),
        }

    async def fetch(self, path: str, query: str = "", **how: int) -> httpx.Response:
        url = f"{path}?{query}" if query else path
        return await self.http.get(url, headers=self.headers(query, **how))

    async def get(self, path: str, query: str = "", **how: int) -> Json:
        envelope: Json = (await self.fetch(path, query, **how)).json()
        return envelope

    async def read(self, path: str, query: str = "") -> list[Json]:
        """The rows of a list that must succeed."""
        envelope = await self.get(path, query)
        assert envelope["retCode"] == 0, envelope
        rows: list[Json] = envelope["result"]["list"]
        return rows

    async def send(self, path: str, body: Json, **how: int) -> httpx.Response:
        text = json.dumps(body)
        headers = self.headers(text, **how) | {"Content-Type": "application/json"}
        return await self.http.post(path, content=text, headers=headers)

    async def post(self, path: str, body: Json, **how: int) -> Json:
        envelope: Json = (await self.send(path, body, **how)).json()
        return envelope

    async def create(self, **order: Any) -> Json:
        """Create an order: a limit order for 0.01 BTCUSDT far below the market by default."""
        usual = {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.01",
        }
        body = usual | order
        if body["orderType"] == "Limit":
            body.setdefault("price", "49000")
        return await self.post("/v5/order/create", body)

    def others_trade(
        self, price: str, symbol: str = "linear:BTCUSDT", side: Side = Side.BUY
    ) -> None:
        """Let others trade, which moves the last price."""
        at = self.clock.now()
        name = InstrumentId(symbol)
        self.server.feed(MarketTrade(name, Decimal(price), Decimal("0.001"), side, at))

    async def guards(self) -> list[tuple[str, str, str]]:
        """Kind, quantity and trigger price of what waits for BTCUSDT, newest first."""
        where = "category=linear&symbol=BTCUSDT&orderFilter=StopOrder"
        rows = await self.read("/v5/order/realtime", where)
        return [(row["stopOrderType"], row["qty"], row["triggerPrice"]) for row in rows]

    async def cancel(self, **order: Any) -> Json:
        usual = {"category": "linear", "symbol": "BTCUSDT"}
        return await self.post("/v5/order/cancel", usual | order)

    async def order(self, link: str, category: str = "linear") -> Json:
        rows = await self.read("/v5/order/realtime", f"category={category}&orderLinkId={link}")
        return rows[0]

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[Stream]:
        async with connect(f"{self.server.ws_url}{path}", ping_interval=None) as socket:
            yield Stream(socket)

    def auth(self) -> list[Any]:
        expires = self.now + 1000
        return [self.account.api_key, expires, self.sign(f"GET/realtime{expires}")]

    @asynccontextmanager
    async def private(self, *topics: str) -> AsyncIterator[Stream]:
        """A private stream that is signed in and subscribed."""
        async with self.stream("/v5/private") as stream:
            await stream.say(op="auth", args=self.auth())
            await stream.say(op="subscribe", args=list(topics))
            assert [(await stream.hear())["success"] for _ in range(2)] == [True, True]
            yield stream

    @asynccontextmanager
    async def trade(self) -> AsyncIterator[Stream]:
        """A trade socket that is signed in."""
        async with self.stream("/v5/trade") as stream:
            await stream.say(op="auth", args=self.auth())
            assert (await stream.hear())["retCode"] == 0
            yield stream

    async def ask(self, stream: Stream, op: str, body: Json, **frame: Any) -> Json:
        """Send one request over a trade socket and return its answer."""
        header = {"X-BAPI-TIMESTAMP": str(self.now)}
        await stream.say(**({"header": header, "op": op, "args": [body]} | frame))
        return await stream.hear()


@asynccontextmanager
async def a_rig(account: AccountConfig = ACCOUNT, **changes: Any) -> AsyncIterator[Rig]:
    """A server without latency whose market stands still at 50,000.00 / 50,000.10."""
    clock = VirtualClock(START)
    usual = {"latency": timedelta(0), "accounts": (account,)}
    server = BybitServer(ServerConfig(**(usual | changes)), clock)
    async with server, httpx.AsyncClient(base_url=server.rest_url, verify=NO_TLS) as http:
        yield Rig(server, http, clock, account)

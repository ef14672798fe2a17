"""The exchange of the bench, in its own process: takes and fills every order at once.

Prints its port, ends with its input. Whoever reads the private stream is told of the fill by the
topics `execution` and `order`, and of the wallet twenty times a second; floors do not read it.
"""

import asyncio
import base64
import gc
import hashlib
import json
import sys
from itertools import count
from typing import Any

from benchmarks.pipeline.books import Books, now_ms
from benchmarks.pipeline.frames import HEAD, FrameReader, plain_frame
from benchmarks.pipeline.place import PRICE, SYMBOLS

_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
QUOTES_S = 1.0
WALLET_S = 0.05


class Exchange:
    """Everything that connections share."""

    def __init__(self) -> None:
        self.books = Books()
        self.private: set[Connection] = set()
        self.public: set[Connection] = set()
        self.numbers = count(1)
        self.updates = count(1)
        self._wallet_due: asyncio.TimerHandle | None = None

    def trade(self, connection: "Connection", request: dict[str, Any]) -> None:
        """Take an order, and fill it."""
        order, number, at = request["args"][0], next(self.numbers), str(now_ms())
        order_id = f"00000000-0000-4000-9000-{number:012d}"
        link, symbol, side, quantity = (
            order["orderLinkId"], order["symbol"], order["side"], order["qty"],
        )  # fmt: skip
        connection.say(
            f'{{"reqId":"{request["reqId"]}","retCode":0,"retMsg":"OK","op":"order.create",'
            f'"data":{{"orderId":"{order_id}","orderLinkId":"{link}"}},"retExtInfo":{{}},'
            f'"header":{{"X-Bapi-Limit":"100000","X-Bapi-Limit-Status":"99999",'
            f'"X-Bapi-Limit-Reset-Timestamp":"{at}","Timenow":"{at}"}},"connId":"stub"}}'
        )
        execution = {
            "symbol": symbol, "orderId": order_id, "orderLinkId": link, "side": side,
            "orderPrice": PRICE, "orderQty": quantity, "leavesQty": "0", "orderType": "Market",
            "execFee": "0.055", "execId": f"e{number:031d}", "execPrice": PRICE,
            "execQty": quantity, "execType": "Trade", "execValue": PRICE, "execTime": at,
            "feeCurrency": "USDT", "isMaker": False, "feeRate": "0.00055", "closedSize": "0",
            "seq": number, "category": "linear", "execPnl": "0",
        }  # fmt: skip
        self.books.fill(execution)
        if self.private:
            filled = {
                "category": "linear", "symbol": symbol, "orderId": order_id, "orderLinkId": link,
                "side": side, "positionIdx": 0, "orderStatus": "Filled", "cancelType": "UNKNOWN",
                "rejectReason": "EC_NoError", "avgPrice": PRICE, "leavesQty": "0",
                "leavesValue": "0", "cumExecQty": quantity, "cumExecValue": PRICE,
                "cumExecFee": "0.055", "timeInForce": "IOC", "orderType": "Market",
                "price": PRICE, "qty": quantity, "reduceOnly": False, "closeOnTrigger": False,
                "createdTime": at, "updatedTime": at, "feeCurrency": "USDT",
            }  # fmt: skip
            self.push("execution", number, at, execution)
            self.push("order", number, at, filled)
            if self._wallet_due is None:
                loop = asyncio.get_running_loop()
                self._wallet_due = loop.call_later(WALLET_S, self._push_wallet)

    def push(self, topic: str, number: int, at: str, row: dict[str, Any]) -> None:
        text = (
            f'{{"id":"{number}","topic":"{topic}","creationTime":{at},"data":[{json.dumps(row)}]}}'
        )
        for each in self.private:
            each.say(text)

    def _push_wallet(self) -> None:
        """The wallet after fills, at most twenty times a second."""
        self._wallet_due = None
        coin = {"coin": "USDT", "walletBalance": "100000000", "equity": "100000000"}
        row = {"accountType": "UNIFIED", "coin": [coin]}
        self.push("wallet", next(self.updates), str(now_ms()), row)

    async def quote(self) -> None:
        """Every book once a second, and marks with the first of them."""
        while True:
            at, update = now_ms(), next(self.updates)
            for symbol in SYMBOLS:
                book = (
                    f'{{"topic":"orderbook.1.{symbol}","type":"snapshot","ts":{at},"cts":{at},'
                    f'"data":{{"s":"{symbol}","b":[["99.9","1000000"]],"a":[["{PRICE}","1000000"]],'
                    f'"u":{update},"seq":{update}}}}}'
                )
                for each in self.public:
                    each.say(book)
            await asyncio.sleep(QUOTES_S)


class Connection(asyncio.Protocol):
    """HTTP until it is upgraded."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._reader: FrameReader | None = None
        self._head = b""
        self._path = ""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # of a stream, always

    def connection_lost(self, _: Exception | None) -> None:
        self._exchange.private.discard(self)
        self._exchange.public.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            self._head += data
            while HEAD in self._head and self._reader is None:
                head, _, self._head = self._head.partition(HEAD)
                self._serve(head)
            return
        for payload in self._reader.feed(data):
            self._hear(json.loads(payload))

    def say(self, text: str) -> None:
        self._transport.write(plain_frame(text.encode()))

    def _serve(self, head: bytes) -> None:
        target = head.split(b" ", 2)[1].decode()
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
        }
        key = fields.get(b"sec-websocket-key")
        if key is None:
            body = self._exchange.books.answer(target)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            return
        accept = base64.b64encode(hashlib.sha1(key + _ACCEPT).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + HEAD
        )
        self._path, self._reader = target, FrameReader()

    def _hear(self, request: dict[str, Any]) -> None:
        op = request.get("op")
        if op == "order.create":
            self._exchange.trade(self, request)
        elif op == "ping":
            self.say('{"success":true,"ret_msg":"pong","op":"pong","req_id":"","args":["1"]}')
        else:
            name = request.get("req_id") or request.get("reqId") or ""
            self.say(
                f'{{"success":true,"ret_msg":"","retCode":0,"retMsg":"OK","op":"{op}",'
                f'"req_id":"{name}","reqId":"{name}","conn_id":"stub"}}'
            )
            if op == "subscribe":
                self._subscribe(request["args"])

    def _subscribe(self, topics: list[str]) -> None:
        if self._path.endswith("/private"):
            self._exchange.private.add(self)
            return
        self._exchange.public.add(self)
        at = now_ms()
        for topic in topics:
            kind, _, symbol = topic.rpartition(".")
            if kind == "tickers":
                self.say(
                    f'{{"topic":"{topic}","type":"snapshot","ts":{at},"cs":1,"data":'
                    f'{{"symbol":"{symbol}","markPrice":"{PRICE}","lastPrice":"{PRICE}"}}}}'
                )


async def serve() -> None:
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    exchange = Exchange()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(exchange), "127.0.0.1", 0)
    quoting = asyncio.create_task(exchange.quote())
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    quoting.cancel()


if __name__ == "__main__":
    asyncio.run(serve())

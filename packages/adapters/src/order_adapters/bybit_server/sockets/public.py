"""Public stream: books, tickers, trades, candles and limits of one category, to whoever asks."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from order_adapters.bybit_server.market.board import INTERVALS, Board, Level
from order_adapters.bybit_server.numbers import milliseconds, text
from order_adapters.bybit_server.rows.market import (
    book_row,
    level_rows,
    liquidation_row,
    price_limit_row,
    pushed_ticker_row,
    trade_id,
)
from order_adapters.bybit_server.sockets.candles import HEAD, Candles
from order_adapters.bybit_server.sockets.connection import Connection
from order_adapters.simulator import MarketTrade
from order_domain.model.enums import Category
from order_domain.model.execution import Execution
from order_domain.model.quote import Quote

Row = dict[str, Any]
_DEPTHS: Final = (1, 50, 200, 1000)
_HEADS: Final = (
    "tickers",
    "publicTrade",
    "priceLimit",
    "allLiquidation",
    *(f"orderbook.{depth}" for depth in _DEPTHS),
    *(f"{HEAD}{interval}" for interval in INTERVALS),
)
_SPOT_ARGS_MAX: Final = 10
_ARGS_TEXT_MAX: Final = 21_000


class PublicSession:
    """One public connection; it remembers what it was shown, to say only what changed."""

    def __init__(self, connection: Connection, category: Category) -> None:
        self._connection = connection
        self._category = category
        self._topics: dict[str, dict[str, Any]] = {}
        self._books: dict[str, tuple[list[Level], list[Level]]] = {}
        self._tickers: dict[str, Row] = {}
        self._candles = Candles()

    async def run(self) -> None:
        """Serve until either end closes."""
        listeners = self._connection.services.boards.listeners
        listeners.append(self.show)
        try:
            await self._connection.run(self.handle)
        finally:
            listeners.remove(self.show)

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def handle(self, frame: Any) -> None:
        """Take one frame."""
        request: Row = frame if isinstance(frame, dict) else {}
        operation = request.get("op")
        args = request.get("args")
        topics = args if isinstance(args, list) else []
        if operation == "ping":
            self._say(request, "ping", "pong")
        elif operation == "subscribe":
            self._subscribe(request, topics)
        elif operation == "unsubscribe":
            for topic in topics:
                self._forget(str(topic))
            self._say(request, "unsubscribe", "")
        else:
            self._say(request, str(operation or ""), "error:unknown operation", success=False)

    def show(self, board: Board, news: Quote | MarketTrade | Execution) -> None:
        """Tell what an instrument did, to the topics that want it."""
        if board.instrument.category is not self._category or not self._topics:
            return
        symbol = board.instrument.symbol
        if isinstance(news, Execution):
            if f"allLiquidation.{symbol}" in self._topics:
                self._snapshot(f"allLiquidation.{symbol}", [liquidation_row(board, news)])
            return
        if isinstance(news, MarketTrade):
            if f"publicTrade.{symbol}" in self._topics:
                self._trade(board, news)
        else:
            if f"priceLimit.{symbol}" in self._topics:
                self._limits(board)
            for depth in _DEPTHS:
                topic = f"orderbook.{depth}.{symbol}"
                if topic in self._topics:
                    self._book(topic, board, depth)
        if f"tickers.{symbol}" in self._topics:
            self._ticker(board)
        for interval in INTERVALS:
            topic = f"{HEAD}{interval}.{symbol}"
            if topic in self._topics:
                self._candle(topic, interval, board)

    def _subscribe(self, request: Row, topics: list[Any]) -> None:
        wrong = self._why_not(topics)
        if wrong:
            self._say(request, "subscribe", wrong, success=False)
            return
        spot = self._category is Category.SPOT
        self._say(request, "subscribe", "subscribe" if spot else "")
        for topic in topics:
            self._forget(topic)
            self._topics[topic] = {}
            self._begin(topic)

    def _why_not(self, topics: list[Any]) -> str:
        if not topics or not all(isinstance(each, str) for each in topics):
            return "Params Error"
        if self._category is Category.SPOT and len(topics) > _SPOT_ARGS_MAX:
            return "args size >10"
        if sum(len(each) for each in (*self._topics, *topics)) > _ARGS_TEXT_MAX:
            return "args length exceeds 21000"
        strange = [topic for topic in topics if self._board(topic) is None]
        return f"error:handler not found,topic:{strange[0]}" if strange else ""

    def _board(self, topic: str) -> Board | None:
        """Find what a topic is about; None if there is no such topic."""
        head, _, symbol = topic.rpartition(".")
        if head not in _HEADS or (head == "allLiquidation" and self._category is Category.SPOT):
            return None
        return self._connection.services.boards.find(self._category, symbol)

    def _begin(self, topic: str) -> None:
        """Show what there is already."""
        board = self._board(topic)
        if board is None or board.quote is None:
            return
        kind, _, rest = topic.partition(".")
        if kind == "orderbook":
            self._book(topic, board, int(rest.partition(".")[0]))
        elif kind == "tickers":
            self._ticker(board)
        elif kind == "kline":
            self._candle(topic, rest.partition(".")[0], board)
        elif kind == "priceLimit":
            self._limits(board)

    def _forget(self, topic: str) -> None:
        self._topics.pop(topic, None)
        self._books.pop(topic, None)
        self._tickers.pop(topic, None)
        self._candles.forget(topic)

    def _book(self, topic: str, board: Board, depth: int) -> None:
        bids, asks = board.levels(True)[:depth], board.levels(False)[:depth]
        before = self._books.get(topic)
        self._books[topic] = (bids, asks)
        row = book_row(board, depth)
        is_delta = before is not None and depth > 1
        if before is not None and depth > 1:
            row["b"] = _changes(before[0], bids)
            row["a"] = _changes(before[1], asks)
        at = self._at()
        kind = "delta" if is_delta else "snapshot"
        self._push({"topic": topic, "type": kind, "ts": at, "data": row, "cts": at})

    def _ticker(self, board: Board) -> None:
        topic = f"tickers.{board.instrument.symbol}"
        row = pushed_ticker_row(board)
        before = self._tickers.get(topic)
        self._tickers[topic] = row
        kind = "snapshot"
        if before is not None and self._category is not Category.SPOT:
            kind = "delta"
            changed = {name: value for name, value in row.items() if before.get(name) != value}
            if not changed:
                return
            row = {"symbol": row["symbol"]} | changed
        self._push(
            {"topic": topic, "type": kind, "cs": board.sequence, "ts": self._at(), "data": row}
        )

    def _trade(self, board: Board, trade: MarketTrade) -> None:
        row: Row = {
            "T": milliseconds(trade.at),
            "s": board.instrument.symbol,
            "S": trade.taker_side,
            "v": text(trade.size),
            "p": text(trade.price),
            "i": trade_id(board, board.sequence),
            "BT": False,
            "RPI": False,
            "seq": board.sequence,
        }
        if self._category is not Category.SPOT:
            row["L"] = board.tick
        self._snapshot(f"publicTrade.{board.instrument.symbol}", [row])

    def _candle(self, topic: str, interval: str, board: Board) -> None:
        for row in self._candles.rows(topic, interval, board, self._connection.services.now()):
            self._snapshot(topic, [row])

    def _limits(self, board: Board) -> None:
        row = price_limit_row(board, self._connection.services.config.price_band)
        topic = f"priceLimit.{board.instrument.symbol}"
        if row is not None and self._tickers.get(topic) != row:
            self._tickers[topic] = row
            self._push({"topic": topic, "ts": self._at(), "data": row})

    def _snapshot(self, topic: str, rows: list[Row]) -> None:
        self._push({"topic": topic, "type": "snapshot", "ts": self._at(), "data": rows})

    def _push(self, message: Row) -> None:
        self._connection.put(msgspec.json.encode(message).decode())

    def _say(self, request: Row, operation: str, said: str, *, success: bool = True) -> None:
        message: Row = {
            "success": success,
            "ret_msg": said,
            "conn_id": self._connection.name,
            "req_id": request.get("req_id", ""),
            "op": operation,
        }
        if operation == "ping" and self._category is Category.SPOT:
            del message["req_id"]
        self._connection.acknowledge(message)

    def _at(self) -> int:
        return milliseconds(self._connection.services.now())


def _changes(before: Iterable[Level], after: Iterable[Level]) -> list[list[str]]:
    """Levels that came, changed, or went (size 0)."""
    old, new = dict(before), dict(after)
    gone = [[text(price), "0"] for price in old if price not in new]
    return gone + level_rows(level for level in new.items() if old.get(level[0]) != level[1])

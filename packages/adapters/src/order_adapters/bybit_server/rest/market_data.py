"""Market data: the endpoints that need no key."""

from datetime import datetime
from typing import Any, Final

import attrs

from order_adapters.bybit_server.failures import Refused, invalid
from order_adapters.bybit_server.market.board import INTERVALS, Board
from order_adapters.bybit_server.market.boards import Boards
from order_adapters.bybit_server.numbers import milliseconds, moment_of, stamp
from order_adapters.bybit_server.rest.paging import page
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Reply
from order_adapters.bybit_server.rows.instrument import instrument_row
from order_adapters.bybit_server.rows.market import (
    book_row,
    candle_row,
    price_limit_row,
    ticker_row,
    trade_row,
)
from order_adapters.simulator import refusals
from order_domain.model.enums import Category, InstrumentStatus

Row = dict[str, Any]
_NANOSECONDS: Final = 1_000_000
_DEPTHS: Final = {Category.SPOT: 1, Category.LINEAR: 25, Category.INVERSE: 25}


@attrs.frozen(slots=True)
class Desk:
    """What market endpoints read.

    Attributes:
        now: The exchange's time.
        band: Largest distance of a limit price from mark, as a ratio.
    """

    boards: Boards
    now: datetime
    band: Any


async def server_time(desk: Desk, params: Params) -> Reply:  # noqa: ARG001 -- nothing to say
    """Tell the exchange's time."""
    number = milliseconds(desk.now)
    return Reply({"timeSecond": str(number // 1000), "timeNano": str(number * _NANOSECONDS)})


async def instruments_info(desk: Desk, params: Params) -> Reply:
    """List trading rules; on spot in one page."""
    category = params.required("category")
    if category == "option":
        return Reply({"category": category, "list": [], "nextPageCursor": ""})
    wanted = {
        "status": params.text("status", InstrumentStatus.TRADING),
        "symbol": params.text("symbol"),
        "baseCoin": "" if category == Category.SPOT else params.text("baseCoin"),
    }
    boards = desk.boards.in_category(_category(params))
    rows = [instrument_row(board.instrument, i) for i, board in enumerate(boards, start=1)]
    rows = [row for row in rows if all(not v or row[name] == v for name, v in wanted.items())]
    if category == Category.SPOT:
        return Reply({"category": category, "list": rows})
    numbered = ((len(rows) - i, row) for i, row in enumerate(rows))
    shown, cursor = page(numbered, params, default=500, largest=1000)
    return Reply({"category": category, "list": shown, "nextPageCursor": cursor})


async def tickers(desk: Desk, params: Params) -> Reply:
    """Show what each symbol trades at."""
    category = _category(params)
    symbol = params.text("symbol")
    boards = [_board(desk, params)] if symbol else desk.boards.in_category(category)
    rows = [ticker_row(board) for board in boards if board.quote is not None]
    return Reply({"category": category, "list": rows})


async def orderbook(desk: Desk, params: Params) -> Reply:
    """Show bids and asks: the touch and the levels that a taker may walk."""
    board = _board(desk, params)
    depth = params.limit(_DEPTHS[board.instrument.category], 1000)
    at = milliseconds(desk.now)
    return Reply(book_row(board, depth) | {"ts": at, "cts": at})


async def recent_trade(desk: Desk, params: Params) -> Reply:
    """List the last public trades, newest first."""
    board = _board(desk, params)
    spot = board.instrument.category is Category.SPOT
    limit = params.limit(60, 60) if spot else params.limit(500, 1000)
    newest = list(reversed(board.trades))[:limit]
    rows = [trade_row(board, number, trade) for number, trade in newest]
    return Reply({"category": board.instrument.category, "list": rows})


async def kline(desk: Desk, params: Params) -> Reply:
    """List candles of what the market has done since the server started, newest first."""
    category = params.text("category", Category.LINEAR)
    board = _board(desk, params.with_value("category", category))
    minutes = INTERVALS.get(params.required("interval"))
    if minutes is None:
        raise invalid("params error: interval invalid")
    start, end = params.whole("start"), params.whole("end")
    candles = [
        candle
        for candle in board.candles_of(minutes)
        if (start is None or candle.start >= moment_of(start))
        and (end is None or candle.start <= moment_of(end))
    ]
    rows = [candle_row(each) for each in reversed(candles)][: params.limit(200, 1000)]
    return Reply({"category": category, "symbol": board.instrument.symbol, "list": rows})


async def price_limit(desk: Desk, params: Params) -> Reply:
    """Tell the highest bid and the lowest ask that are taken."""
    category = params.text("category", Category.LINEAR)
    board = _board(desk, params.with_value("category", category))
    row = price_limit_row(board, desk.band)
    if row is None:
        raise invalid("no price yet")
    return Reply(row | {"ts": stamp(desk.now)})


async def risk_limit(desk: Desk, params: Params) -> Reply:
    """Show the one risk limit of each symbol."""
    category = _category(params)
    boards = [_board(desk, params)] if params.text("symbol") else desk.boards.in_category(category)
    rows = [
        {
            "id": 1,
            "symbol": board.instrument.symbol,
            "riskLimitValue": "2000000",
            "maintenanceMargin": "0.005",
            "initialMargin": "0.01",
            "isLowestRisk": 1,
            "maxLeverage": "100.00",
            "mmDeduction": "",
        }
        for board in boards
    ]
    return Reply({"category": category, "list": rows, "nextPageCursor": ""})


async def system_status(desk: Desk, params: Params) -> Reply:  # noqa: ARG001 -- nothing to say
    """Say that no maintenance is planned."""
    return Reply({"list": []})


def _category(params: Params) -> Category:
    try:
        return Category(params.required("category"))
    except ValueError:
        raise invalid("params error: category invalid") from None


def _board(desk: Desk, params: Params) -> Board:
    category = _category(params)
    board = desk.boards.find(category, params.required("symbol"))
    if board is None:
        raise Refused(*refusals.UNKNOWN_SYMBOL)
    return board

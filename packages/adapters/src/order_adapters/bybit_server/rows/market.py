"""Market rows: tickers, books, trades and candles as REST and the public streams show them."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from order_adapters.bybit_server.market.board import Board, Candle, Level
from order_adapters.bybit_server.numbers import milliseconds, rounded, stamp, text
from order_adapters.simulator import MarketTrade
from order_domain.model.enums import Category, Side
from order_domain.model.execution import Execution
from order_domain.model.instrument import ONE, ZERO

Row = dict[str, Any]
_EIGHT_HOURS: Final = 8 * 3_600_000


def ticker_row(board: Board) -> Row:
    """Write the ticker as REST has it."""
    row = _common(board)
    quote = board.quote
    row["bid1Price"] = "" if quote is None else text(quote.bid)
    row["bid1Size"] = "" if quote is None else text(quote.bid_size)
    row["ask1Price"] = "" if quote is None else text(quote.ask)
    row["ask1Size"] = "" if quote is None else text(quote.ask_size)
    return row


def pushed_ticker_row(board: Board) -> Row:
    """Write the ticker as the public stream has it: on spot without bid and ask."""
    if board.instrument.category is Category.SPOT:
        return _common(board)
    row = ticker_row(board)
    row["tickDirection"] = board.tick
    return row


def _common(board: Board) -> Row:
    day = board.day()
    last = board.last or ZERO
    before = day.open if day is not None else last
    row: Row = {
        "symbol": board.instrument.symbol,
        "lastPrice": rounded(last),
        "prevPrice24h": rounded(before),
        "price24hPcnt": rounded(last / before - ONE) if before else "0",
        "highPrice24h": rounded(last if day is None else day.high),
        "lowPrice24h": rounded(last if day is None else day.low),
        "turnover24h": rounded(ZERO if day is None else day.turnover),
        "volume24h": rounded(ZERO if day is None else day.volume),
    }
    if board.instrument.category is Category.SPOT:
        row["usdIndexPrice"] = rounded(last)
        return row
    mark = rounded(board.mark or last)
    next_funding = 0
    if board.quote is not None:
        now = milliseconds(board.quote.at)
        next_funding = (now // _EIGHT_HOURS + 1) * _EIGHT_HOURS
    return row | {
        "indexPrice": mark,
        "markPrice": mark,
        "prevPrice1h": rounded(before),
        "openInterest": "0",
        "openInterestValue": "0",
        "fundingRate": "0",
        "nextFundingTime": str(next_funding),
        "fundingIntervalHour": "8",
        "fundingCap": "0.005",
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "basis": "",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    }


def book_row(board: Board, depth: int) -> Row:
    """Write bids and asks down to a depth."""
    return {
        "s": board.instrument.symbol,
        "b": level_rows(board.levels(True)[:depth]),
        "a": level_rows(board.levels(False)[:depth]),
        "u": board.update,
        "seq": board.sequence,
    }


def level_rows(levels: Iterable[Level]) -> list[list[str]]:
    """Write price and size of levels."""
    return [[text(price), text(size)] for price, size in levels]


def trade_row(board: Board, number: int, trade: MarketTrade) -> Row:
    """Write a public trade as REST has it."""
    return {
        "execId": trade_id(board, number),
        "symbol": board.instrument.symbol,
        "price": text(trade.price),
        "size": text(trade.size),
        "side": trade.taker_side,
        "time": stamp(trade.at),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(number),
    }


def trade_id(board: Board, number: int) -> str:
    """Name a public trade."""
    return f"{board.instrument.symbol}-{number}"


def price_limit_row(board: Board, band: Decimal) -> Row | None:
    """Write the highest bid and the lowest ask that are taken; None without a price."""
    mark, instrument = board.mark, board.instrument
    if mark is None:
        return None
    return {
        "symbol": instrument.symbol,
        "buyLmt": rounded(instrument.round_price_passive(mark * (1 + band), Side.BUY)),
        "sellLmt": rounded(instrument.round_price_passive(mark * (1 - band), Side.SELL)),
    }


def liquidation_row(board: Board, execution: Execution) -> Row:
    """Write a liquidation as its topic has it: the side is that of the position."""
    return {
        "T": milliseconds(execution.executed_at),
        "s": board.instrument.symbol,
        "S": execution.side.opposite,
        "v": text(execution.quantity),
        "p": text(execution.price),
    }


def pushed_candle_row(candle: Candle, interval: str, minutes: int, now: datetime) -> Row:
    """Write a candle that is still open as its topic has it."""
    start = milliseconds(candle.start)
    return {
        "start": start,
        "end": start + minutes * 60_000 - 1,
        "interval": interval,
        "open": rounded(candle.open),
        "close": rounded(candle.close),
        "high": rounded(candle.high),
        "low": rounded(candle.low),
        "volume": rounded(candle.volume),
        "turnover": rounded(candle.turnover),
        "confirm": False,
        "timestamp": milliseconds(now),
    }


def candle_row(candle: Candle) -> list[str]:
    """Write a candle as REST has it."""
    values: tuple[Decimal, ...] = (
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        candle.turnover,
    )
    return [stamp(candle.start), *(rounded(value) for value in values)]

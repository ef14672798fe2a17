"""Candles: what the candle topics of one public stream have shown, and what they show next."""

from datetime import datetime
from typing import Any, Final

from order_adapters.bybit_server.market.board import INTERVALS, Board
from order_adapters.bybit_server.numbers import milliseconds
from order_adapters.bybit_server.rows.market import pushed_candle_row

Row = dict[str, Any]
HEAD: Final = "kline."


class Candles:
    """Shows every change of a candle, and once more that it has closed.

    A candle is seen to have closed when something happens to its instrument afterwards.
    """

    def __init__(self) -> None:
        self._shown: dict[str, Row] = {}

    def forget(self, topic: str) -> None:
        """Begin anew."""
        self._shown.pop(topic, None)

    def rows(self, topic: str, interval: str, board: Board, now: datetime) -> list[Row]:
        """Return what to push for a topic."""
        minutes = INTERVALS[interval]
        candle = board.newest_candle(minutes)
        shown = self._shown.get(topic)
        rows: list[Row] = []
        if candle is None:
            return rows
        row = pushed_candle_row(candle, interval, minutes, now)
        if shown is not None and not shown["confirm"]:
            started = shown["start"] != row["start"]
            if started or row["end"] < milliseconds(now):
                closed = shown if started else row
                rows.append(closed | {"confirm": True, "timestamp": milliseconds(now)})
                self._shown[topic] = rows[-1]
        last = self._shown.get(topic)
        if last is None or (last["confirm"] and last["start"] != row["start"]) or _moved(last, row):
            rows.append(row)
            self._shown[topic] = row
        return rows


def _moved(shown: Row, row: Row) -> bool:
    """Tell whether an open candle has changed: its time alone is no news."""
    if shown["confirm"]:
        return False
    return any(shown[name] != row[name] for name in row if name != "timestamp")

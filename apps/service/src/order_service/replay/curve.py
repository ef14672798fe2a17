"""Curve: price and profit of a replay over time, for a picture."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from order_domain.model.enums import PositionSide
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ZERO
from order_domain.model.position import Position
from order_domain.model.quote import Quote
from order_service.replay.market import MarketFeed


@attrs.frozen(slots=True)
class Point:
    """One moment: prices by instrument, and realised plus unrealised PnL less fees."""

    at: datetime
    prices: dict[InstrumentId, Decimal]
    pnl: Decimal


def curve(feed: MarketFeed, ledger: Sequence[LedgerEntry], points: int) -> list[Point]:
    """Value the account at evenly spaced moments of the market.

    Args:
        feed: The market that was replayed.
        ledger: Executions in booking order.
        points: How many moments, the first and the last included; at least two.
    """
    step = (feed.last - feed.first) / (points - 1)
    moments = iter([feed.first + step * i for i in range(points - 1)] + [feed.last])
    entries, book = iter([*ledger]), _Book()
    found: list[Point] = []
    prices: dict[InstrumentId, Decimal] = {}
    moment, entry = next(moments, None), next(entries, None)
    for row in _quotes(feed):
        while moment is not None and row.at > moment:
            while entry is not None and entry.booked_at <= moment:
                book.book(entry)
                entry = next(entries, None)
            found.append(Point(moment, dict(prices), book.value(prices)))
            moment = next(moments, None)
        prices[row.instrument_id] = row.mark_price
    while entry is not None:
        book.book(entry)
        entry = next(entries, None)
    found.append(Point(feed.last, dict(prices), book.value(prices)))
    return found


def _quotes(feed: MarketFeed) -> Iterable[Quote]:
    return (row for row in feed if isinstance(row, Quote))


class _Book:
    """Positions of the whole account, folded as far as time has come."""

    def __init__(self) -> None:
        self._positions: dict[tuple[InstrumentId, PositionSide], Position] = {}

    def book(self, entry: LedgerEntry) -> None:
        execution = entry.execution
        key = (execution.instrument_id, execution.position_side)
        position = self._positions.get(key) or Position.flat(*key, entry.booked_at)
        self._positions[key], _ = position.booked(execution, entry.booked_at)

    def value(self, prices: dict[InstrumentId, Decimal]) -> Decimal:
        total = ZERO
        for (instrument, _), position in self._positions.items():
            mark = prices.get(instrument)
            total += position.realized_pnl - sum(position.fees.values(), ZERO)
            if mark is not None:
                total += position.unrealized_pnl(mark)
        return total

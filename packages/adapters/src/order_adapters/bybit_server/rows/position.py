"""Position rows: one position, also an empty one, as position/list and its topic show it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from order_adapters.bybit_server.numbers import milliseconds, rounded, stamp, text
from order_adapters.bybit_server.rows.order import POSITION_INDEX
from order_adapters.simulator.market import Market
from order_adapters.simulator.position import VenuePosition, worth
from order_adapters.simulator.stop import Stop, StopKind
from order_domain.model.instrument import ZERO

Row = dict[str, Any]
MAINTENANCE: Final = Decimal("0.005")
"""Maintenance margin per unit of value; nothing is liquidated by it, only by the admin."""

_FIXED: Final[Row] = {
    "riskId": 1,
    "riskLimitValue": "2000000",
    "tradeMode": 0,
    "positionStatus": "Normal",
    "autoAddMargin": 0,
    "breakEvenPrice": "",
    "positionBalance": "0",
    "liqPrice": "",
    "bustPrice": "",
    "tpslMode": "Full",
    "sessionAvgPrice": "",
    "isReduceOnly": False,
    "mmrSysUpdatedTime": "",
    "leverageSysUpdatedTime": "",
}
"""What is the same of every position here, as the exchange writes it."""


def position_row(
    position: VenuePosition,
    market: Market,
    *,
    leverage: Decimal,
    sequence: int,
    opened: datetime | None,
    guards: Mapping[StopKind, Stop],
) -> Row:
    """Write a position as REST has it, with the guards of the whole of it."""
    size = position.size
    mark = market.mark_price()
    average = position.average_price()
    open_gain = ZERO if mark is None else position.unrealized(mark)
    margin = position.cost * position.instrument.initial_margin_rate
    value = ZERO if mark is None else worth(position.instrument, mark, abs(size))
    realised = position.realized - position.fees - position.funding
    updated = "" if position.updated_at is None else stamp(position.updated_at)
    kept = rounded(value * MAINTENANCE)
    return _FIXED | {
        "positionIdx": POSITION_INDEX[position.side],
        "symbol": position.instrument.symbol,
        "side": "" if not size else "Buy" if size > 0 else "Sell",
        "size": text(abs(size)),
        "avgPrice": "0" if average is None else rounded(average),
        "positionValue": text(position.cost),
        "adlRankIndicator": 2 if size else 0,
        "leverage": text(leverage),
        "markPrice": "" if mark is None else rounded(mark),
        "positionMM": kept,
        "positionMMByMp": kept,
        "positionIM": rounded(margin),
        "positionIMByMp": rounded(margin),
        "unrealisedPnl": rounded(open_gain) if size else "0",
        "curRealisedPnl": text(realised),
        "cumRealisedPnl": text(realised),
        "createdTime": updated,
        "updatedTime": updated,
        "openTime": milliseconds(opened) if opened is not None and size else 0,
        "seq": sequence,
        "takeProfit": _price_of(guards.get(StopKind.TAKE_PROFIT)),
        "stopLoss": _price_of(guards.get(StopKind.STOP_LOSS)),
        "trailingStop": _distance_of(guards.get(StopKind.TRAILING)),
    }


def _price_of(stop: Stop | None) -> str:
    return "" if stop is None else text(stop.price)


def _distance_of(stop: Stop | None) -> str:
    return "0" if stop is None or stop.distance is None else text(stop.distance)


def pushed_position_row(row: Row, category: str) -> Row:
    """Write a position as its topic has it."""
    pushed = {("entryPrice" if name == "avgPrice" else name): row[name] for name in row}
    pushed["category"] = category
    return pushed

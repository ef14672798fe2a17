"""The neighbours' readers of our events, as they behave: what they drop, they drop here too.

Written from the description of their wire contracts. `ModelService` trains on fills, the two
readers of the position manager keep positions: `Deltas` the older one, `Linker` the newer one.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs


class Dropped(Exception):
    """The reader does not use the event; the text says why."""


def _time(text: str) -> datetime:
    """Naive, Z or +00:00; any other offset is not understood."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    if moment.utcoffset():
        raise Dropped(f"offset of {text}")
    return moment


def _number(value: Any, name: str) -> float:
    if value is None:
        raise Dropped(f"{name} is null")
    return float(value)


@attrs.frozen
class Fill:
    """What the model service learns of a fill."""

    signal_id: str
    strategy_id: str
    side: str
    price: float
    quantity: float
    fees: float
    signal_price: float
    spread: float
    volume_24h: float
    volatility: float


class ModelService:
    """Acts on `filled`; skips the rest."""

    def read(self, body: bytes) -> Fill | None:
        """Raises Dropped."""
        event = json.loads(body)
        if event["event_type"] != "filled":
            return None
        order = event.get("order") or event
        side = str(order["side"]).lower()
        if side not in ("buy", "sell"):
            raise Dropped(f"side {side}")
        price, quantity = (
            _number(order[name], name) for name in ("average_price", "filled_quantity")
        )
        fees = float(order.get("fees") or 0)
        if price <= 0 or quantity <= 0 or fees < 0:
            raise Dropped("price, quantity or fees")
        executed, created = _time(order["executed_at"]), _time(order["created_at"])
        if executed > datetime.now(UTC) or created > datetime.now(UTC):
            raise Dropped("of the future")
        conditions, signal = event["market_conditions"], event["signal"]
        if not {"spread", "volume_24h", "volatility"} <= conditions.keys():
            raise Dropped("would train on invented conditions")
        _time(signal["timestamp"])
        return Fill(
            signal_id=order["signal_id"],
            strategy_id=signal["strategy_id"],
            side=side,
            price=price,
            quantity=quantity,
            fees=fees,
            signal_price=_number(signal["price"], "signal.price"),
            spread=_number(conditions["spread"], "spread"),
            volume_24h=_number(conditions["volume_24h"], "volume_24h"),
            volatility=_number(conditions["volatility"], "volatility"),
        )


class Linker:
    """Keeps, per order, the cumulative quantity; the position is their sum."""

    _SKIPPED = frozenset({"cancelled", "rejected", "created", "modified"})
    _TAKEN = frozenset({"filled", "partially_filled"})

    def __init__(self) -> None:
        self.orders: dict[str, Decimal] = {}

    def read(self, body: bytes) -> None:
        """Raises Dropped."""
        event = json.loads(body)
        kind = event["event_type"]
        if kind in self._SKIPPED:
            return
        if kind not in self._TAKEN:
            raise Dropped(f"type {kind}")
        order = event["order"]
        if "+" in order["executed_at"]:
            raise Dropped("a time that is requeued for ever")
        quantity = Decimal(order["filled_quantity"])
        sign = -1 if str(order["side"]).lower() == "sell" else 1
        self.orders[order["order_id"]] = sign * quantity

    @property
    def position(self) -> Decimal:
        """Signed size by what was read."""
        return sum(self.orders.values(), Decimal(0))

"""Conditions: reads triggers, and take-profit and stop-loss, as clients write them."""

from decimal import Decimal
from typing import Final

from order_adapters.bybit_server.failures import invalid
from order_adapters.bybit_server.rest.params import Params
from order_adapters.simulator.market import Market
from order_adapters.simulator.stop import Bracket, Leg, Stop, StopKind, TriggerBy

_RISES: Final = {1: True, 2: False}
_SPOT_KINDS: Final = {"tpslOrder": StopKind.SPOT_TPSL, "StopOrder": StopKind.STOP}
BRACKET: Final = (
    "takeProfit",
    "stopLoss",
    "tpslMode",
    "tpTriggerBy",
    "slTriggerBy",
    "tpLimitPrice",
    "slLimitPrice",
)
"""Fields of an amend that change the guards to come."""


def stop_of(params: Params, market: Market) -> Stop | None:
    """Read what an order waits for; None for an order that does not wait."""
    price = params.amount("triggerPrice") or None
    if market.is_spot:
        return _spot_stop(params, market, price)
    if price is None:
        return None
    rises = _RISES.get(params.whole("triggerDirection", 0) or 0)
    if rises is None:
        raise invalid("params error: TriggerDirection invalid")
    return Stop(
        price,
        rises=rises,
        by=trigger_by(params, "triggerBy"),
        closes_on_trigger=params.flag("closeOnTrigger"),
    )


def _spot_stop(params: Params, market: Market, price: Decimal | None) -> Stop | None:
    """On spot the filter says the kind, and the market from which side the price comes."""
    word = params.text("orderFilter", "Order")
    if word == "Order":
        if price is not None:
            raise invalid("params error: orderFilter must be tpslOrder or StopOrder")
        return None
    kind = _SPOT_KINDS.get(word)
    if kind is None or price is None:
        raise invalid("params error: orderFilter or triggerPrice invalid")
    now = market.price_by(TriggerBy.LAST)
    return Stop(
        price,
        rises=now is not None and price > now,
        kind=kind,
        locks=kind is StopKind.SPOT_TPSL,
    )


def bracket_of(params: Params, market: Market, before: Bracket | None = None) -> Bracket | None:
    """Read the guards that an order is to bring; what is not named stays as it was.

    Raises:
        Refused: A limit price where a whole position is guarded, which is done at market.
    """
    mode = params.text("tpslMode", _mode_of(before))
    if mode not in ("Full", "Partial"):
        raise invalid("params error: tpslMode invalid")
    whole = mode == "Full" and not market.is_spot
    take = leg_of(params, "takeProfit", None if before is None else before.take, whole=whole)
    stop = leg_of(params, "stopLoss", None if before is None else before.stop, whole=whole)
    if take is None and stop is None:
        return None
    return Bracket(take, stop, whole)


def leg_of(
    params: Params, name: str, before: Leg | None, *, whole: bool, keeps_zero: bool = False
) -> Leg | None:
    """Read takeProfit or stopLoss; zero takes one away, and is told where that says something."""
    short = "tp" if name == "takeProfit" else "sl"
    price = params.amount(name)
    if price is None:
        if before is None:
            return None
        price = before.price
    if not price:
        return Leg(price) if keeps_zero else None
    limit = params.amount(f"{short}LimitPrice") or None
    kind = params.text(f"{short}OrderType", "Market" if limit is None else "Limit")
    if kind not in ("Market", "Limit"):
        raise invalid(f"params error: {short}OrderType invalid")
    if whole and kind == "Limit":
        raise invalid(f"params error: {short}OrderType must be Market in Full mode")
    if kind == "Limit" and limit is None:
        limit = None if before is None else before.limit
        if limit is None:
            raise invalid(f"params error: {short}LimitPrice is required")
    by = TriggerBy.LAST if before is None else before.by
    return Leg(
        price,
        trigger_by(params, f"{short}TriggerBy", by),
        limit if kind == "Limit" else None,
    )


def trigger_by(params: Params, name: str, default: TriggerBy = TriggerBy.LAST) -> TriggerBy:
    """Read the price that a condition looks at."""
    try:
        return TriggerBy(params.text(name, default))
    except ValueError:
        raise invalid(f"params error: {name} invalid") from None


def _mode_of(bracket: Bracket | None) -> str:
    return "Partial" if bracket is not None and not bracket.whole else "Full"

"""Stop rows: conditions and guards to come as plain rows, so that they survive their process."""

from decimal import Decimal
from typing import Any

from order_adapters.simulator.stop import Bracket, Leg, Stop, StopKind, TriggerBy
from order_domain.model.identifiers import ClientOrderId

Row = dict[str, Any]


def stop_row(stop: Stop | None) -> Row | None:
    """Write a condition down."""
    if stop is None:
        return None
    return {
        "price": str(stop.price),
        "rises": stop.rises,
        "by": stop.by.value,
        "kind": stop.kind.value,
        "closes_on_trigger": stop.closes_on_trigger,
        "locks": stop.locks,
        "takes": stop.takes,
        "parent": str(stop.parent),
        "pair": str(stop.pair),
        "distance": _text(stop.distance),
        "activation": _text(stop.activation),
    }


def bracket_row(bracket: Bracket | None) -> Row | None:
    """Write the guards to come down."""
    if bracket is None:
        return None
    return {
        "take": _leg_row(bracket.take),
        "stop": _leg_row(bracket.stop),
        "whole": bracket.whole,
        "covered": str(bracket.covered),
    }


def stop_of(row: Row | None) -> Stop | None:
    """Read a condition back."""
    if row is None:
        return None
    values = row | {
        "price": Decimal(row["price"]),
        "by": TriggerBy(row["by"]),
        "kind": StopKind(row["kind"]),
        "parent": ClientOrderId(row["parent"]),
        "distance": _amount(row["distance"]),
        "activation": _amount(row["activation"]),
    }
    return Stop(**values)


def bracket_of(row: Row | None) -> Bracket | None:
    """Read the guards to come back."""
    if row is None:
        return None
    return Bracket(
        _leg(row["take"]), _leg(row["stop"]), row["whole"], covered=Decimal(row["covered"])
    )


def _leg_row(leg: Leg | None) -> Row | None:
    if leg is None:
        return None
    return {"price": str(leg.price), "by": leg.by.value, "limit": _text(leg.limit)}


def _leg(row: Row | None) -> Leg | None:
    if row is None:
        return None
    return Leg(Decimal(row["price"]), TriggerBy(row["by"]), _amount(row["limit"]))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)

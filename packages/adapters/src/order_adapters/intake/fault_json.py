"""The fault file: what shall go wrong on the dry-run exchange, as JSON, times in ms."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from order_adapters.intake.invalid import InputInvalid
from order_adapters.simulator.faults import Fault, FaultKind, FaultRates, FaultScript
from order_domain.errors import InvalidValue
from order_domain.model.enums import Side

Reader = Callable[[str, object], object]


def load_faults(path: Path) -> FaultScript:
    """Read `{"faults": [{"kind": "lose_answer", "request": "create", "nth": 3}], "rates": {...}}`.

    Raises:
        InputInvalid: Names the field, the rule it breaks and its value.
        OSError: The file cannot be read.
    """
    try:
        document = json.loads(path.read_bytes(), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise InputInvalid("faults", "a file of valid JSON", str(error)) from None
    document = _object("faults", document, ("faults", "rates"))
    items = document.get("faults", [])
    if not isinstance(items, list):
        raise InputInvalid("faults", "an array of objects", items)
    faults = tuple(
        _made(Fault, f"faults[{i}]", item, _FAULT, required=("kind",))
        for i, item in enumerate(items)
    )
    rates = _made(FaultRates, "rates", document.get("rates", {}), _RATES)
    return FaultScript(faults=faults, rates=rates)


def _made(
    kind: Callable[..., Any],
    place: str,
    item: object,
    readers: Mapping[str, tuple[str, Reader]],
    required: tuple[str, ...] = (),
) -> Any:
    fields = _object(place, item, tuple(readers))
    for name in required:
        if name not in fields:
            raise InputInvalid(f"{place}.{name}", "present", None)
    values: dict[str, object] = {}
    for name, value in fields.items():
        field, read = readers[name]
        values[field] = read(f"{place}.{name}", value)
    try:
        return kind(**values)
    except InvalidValue as error:
        details = error.details
        field = f"{place}.{details['field']}"
        raise InputInvalid(field, str(details["rule"]), details["value"]) from None


def _object(place: str, item: object, known: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(item, dict):
        raise InputInvalid(place, "an object", item)
    for name in item:
        if name not in known:
            raise InputInvalid(f"{place}.{name}", f"one of {', '.join(known)}", item[name])
    return item


def _kind(place: str, value: Any) -> FaultKind:
    if value not in list(FaultKind):
        raise InputInvalid(place, f"one of {', '.join(FaultKind)}", value)
    return FaultKind(value)


def _side(place: str, value: Any) -> Side:
    if value not in list(Side):
        raise InputInvalid(place, "Buy or Sell", value)
    return Side(value)


def _text(place: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputInvalid(place, "text", value)
    return value


def _flag(place: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InputInvalid(place, "true or false", value)
    return value


def _count(place: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 10**9:
        raise InputInvalid(place, "a whole number", value)
    return value


def _milliseconds(place: str, value: object) -> timedelta:
    return timedelta(milliseconds=_count(place, value))


def _decimal(place: str, value: object) -> Decimal:
    try:
        number = Decimal(value) if isinstance(value, str | int | Decimal) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or isinstance(value, bool):
        raise InputInvalid(place, "a finite number", value)
    return number


_FAULT: Final[Mapping[str, tuple[str, Reader]]] = {
    "kind": ("kind", _kind),
    "request": ("request", _text),
    "report": ("report", _text),
    "prefix": ("prefix", _text),
    "symbol": ("symbol", _text),
    "nth": ("nth", _count),
    "count": ("count", _count),
    "after_ms": ("after", _milliseconds),
    "until_ms": ("until", _milliseconds),
    "by_ms": ("by", _milliseconds),
    "code": ("code", _count),
    "accepted": ("accepted", _flag),
    "reason": ("reason", _text),
    "side": ("side", _side),
    "quantity": ("quantity", _decimal),
    "price": ("price", _decimal),
}
_RATES: Final[Mapping[str, tuple[str, Reader]]] = {
    **{
        name: (name, _count)
        for name in (
            "lose_request",
            "delay_request",
            "lose_answer",
            "delay_answer",
            "busy",
            "internal_error",
            "lose_report",
            "delay_report",
            "duplicate_report",
        )
    },
    "longest_ms": ("longest", _milliseconds),
}

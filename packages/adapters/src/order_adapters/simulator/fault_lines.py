"""Fault lines: a fault script as JSON lines; docs/reference/simulator-faults.md explains them."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from order_adapters.simulator.faults import Fault, FaultKind, FaultRates, FaultScript
from order_domain.errors import InvalidValue
from order_domain.model.enums import Side

RATES = "rates"


def parse_faults(lines: Iterable[str]) -> FaultScript:
    """Read a script. Empty lines and lines that begin with # say nothing.

    Raises:
        InvalidValue: A line is no JSON object, or a field is unknown or out of range. Details name
            the `line`.
    """
    faults: list[Fault] = []
    rates = FaultRates()
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            values = _object(text)
            kind = values.pop("fault", None)
            if kind == RATES:
                rates = FaultRates(**dict(_fields(values, _RATE_FIELDS)))
            else:
                faults.append(Fault(kind=_kind(kind), **dict(_fields(values, _FAULT_FIELDS))))
        except InvalidValue as error:
            raise InvalidValue(**error.details, line=number) from None
    return FaultScript(faults=tuple(faults), rates=rates)


def _object(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise InvalidValue(field="line", rule=f"JSON: {error.msg}", value=text[:200]) from None
    if not isinstance(values, dict):
        raise InvalidValue(field="line", rule="a JSON object", value=text[:200])
    return values


def _kind(value: object) -> FaultKind:
    if value not in list(FaultKind):
        raise InvalidValue(field="fault", rule="a kind of fault, or rates", value=value)
    return FaultKind(str(value))


def _fields(
    values: Mapping[str, Any], known: Mapping[str, Callable[[str, Any], object]]
) -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if name not in known:
            raise InvalidValue(field=name, rule=f"one of {', '.join(known)}", value=value)
        yield name.removesuffix("_ms"), known[name](name, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue(field=name, rule="a string", value=value)
    return value


def _whole(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue(field=name, rule="a whole number", value=value)
    return value


def _milliseconds(name: str, value: object) -> timedelta:
    return timedelta(milliseconds=_whole(name, value))


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue(field=name, rule="true or false", value=value)
    return value


def _decimal(name: str, value: object) -> Decimal:
    try:
        return Decimal(_text(name, value))
    except InvalidOperation:
        raise InvalidValue(field=name, rule="a decimal in a string", value=value) from None


def _side(name: str, value: object) -> Side:
    if value not in list(Side):
        raise InvalidValue(field=name, rule="Buy or Sell", value=value)
    return Side(str(value))


_FAULT_FIELDS: Mapping[str, Callable[[str, Any], object]] = {
    "request": _text,
    "report": _text,
    "prefix": _text,
    "symbol": _text,
    "nth": _whole,
    "count": _whole,
    "after_ms": _milliseconds,
    "until_ms": _milliseconds,
    "by_ms": _milliseconds,
    "code": _whole,
    "accepted": _flag,
    "reason": _text,
    "side": _side,
    "quantity": _decimal,
    "price": _decimal,
}
_RATE_FIELDS: Mapping[str, Callable[[str, Any], object]] = {
    **{field.name: _whole for field in attrs.fields(FaultRates) if field.name != "longest"},
    "longest_ms": _milliseconds,
}

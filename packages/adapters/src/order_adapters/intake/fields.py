"""Typed fields of a JSON object: each reader returns the value or names field, rule and value."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from order_adapters.intake.invalid import SignalInvalid
from order_adapters.intake.strict_json import Json

_NUMBER_TEXT: Final = re.compile(r"-?[0-9]{1,32}(\.[0-9]{1,40})?")
_DIGITS_MAX: Final = 20
_DECIMALS_MAX: Final = 40
_NOTHING: Final[Mapping[str, Json]] = {}
_ZERO: Final = Decimal(0)


def text(
    source: Mapping[str, Json], key: str, *, longest: int, required: bool = True, name: str = ""
) -> str:
    """Read printable text of 1..longest characters; absent or null is empty if that may be."""
    value = _present(source, key, name or key, required=required)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SignalInvalid(name or key, "text", value)
    if not 1 <= len(value) <= longest or value.isspace():
        raise SignalInvalid(name or key, f"1 to {longest} characters", value)
    if not value.isprintable():
        raise SignalInvalid(name or key, "printable characters", value)
    return value


def boolean(source: Mapping[str, Json], key: str, *, name: str = "") -> bool:
    """Read true or false; absent or null is false."""
    value = source.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise SignalInvalid(name or key, "true or false", value)


def mapping(
    source: Mapping[str, Json], key: str, *, required: bool = True, name: str = ""
) -> Mapping[str, Json]:
    """Read an object; absent or null is empty where that is allowed."""
    value = _present(source, key, name or key, required=required)
    if value is None:
        return _NOTHING
    if not isinstance(value, dict):
        raise SignalInvalid(name or key, "an object", value)
    return value


def number(
    source: Mapping[str, Json],
    key: str,
    *,
    high: Decimal,
    low: Decimal = _ZERO,
    decimals: int = _DECIMALS_MAX,
    name: str = "",
) -> Decimal:
    """Read a number exactly, also as text; within low..high, 20 digits and so many decimals."""
    name = name or key
    value = _present(source, key, name, required=True)
    if isinstance(value, str) and _NUMBER_TEXT.fullmatch(value):
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise SignalInvalid(name, "a number", value)
    if not low <= value <= high:
        raise SignalInvalid(name, f"{low} to {high:f}", value)
    digits = value.as_tuple()
    if len(digits.digits) > _DIGITS_MAX or -int(digits.exponent) > decimals:
        raise SignalInvalid(name, f"at most {_DIGITS_MAX} digits and {decimals} decimals", value)
    return value


def _present(source: Mapping[str, Json], key: str, name: str, *, required: bool) -> Json:
    value = source.get(key)
    if value is None and required:
        raise SignalInvalid(name, "not null" if key in source else "present", value)
    return value

"""Values of settings: how the text of a variable becomes a value, and a value text again."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Annotated

import attrs
from pydantic import BeforeValidator, PlainValidator, SecretStr

from order_domain.config import NO_OVERRIDES
from order_domain.model.enums import Category

_MICROSECONDS = Decimal(1_000_000)
_LARGEST = Decimal("1e15")
NO_CATEGORIES: Mapping[str, Category] = {}


@attrs.frozen(slots=True)
class BySymbol:
    """A limit in base units, and the symbols that have another one."""

    default: Decimal
    overrides: Mapping[str, Decimal] = NO_OVERRIDES


def read_decimal(text: object) -> Decimal:
    """Read a number exactly as it is written.

    Raises:
        ValueError: It is no finite number. (`InvalidOperation` is no ValueError.)
    """
    try:
        number = Decimal(str(text).strip())
    except InvalidOperation:
        raise ValueError("a number") from None
    if not number.is_finite() or abs(number) > _LARGEST:
        raise ValueError(f"a finite number up to {_LARGEST:f}")
    return number


def read_seconds(value: object) -> timedelta:
    """Read seconds, to the microsecond."""
    if isinstance(value, timedelta):
        return value
    number = read_decimal(value)
    if number > _MICROSECONDS * 1000:
        raise ValueError("a number of seconds up to 1000000000")
    return timedelta(microseconds=int((number * _MICROSECONDS).to_integral_value()))


def read_names(value: object) -> object:
    """Read names separated by commas."""
    if not isinstance(value, str):
        return value
    return frozenset(part for part in _parts(value) if part)


def read_delays(value: object) -> object:
    """Read delays in seconds separated by commas."""
    if not isinstance(value, str):
        return value
    return tuple(read_seconds(part) for part in _parts(value))


def read_by_symbol(value: object) -> BySymbol:
    """Read `DEFAULT[,SYMBOL=VALUE...]`, every number > 0."""
    if isinstance(value, BySymbol):
        return value
    first, *rest = _parts(str(value))
    overrides: dict[str, Decimal] = {}
    for part in rest:
        symbol, equals, number = part.partition("=")
        symbol = symbol.strip()
        if not equals or not symbol.isalnum() or symbol != symbol.upper() or symbol in overrides:
            raise ValueError(f"DEFAULT,SYMBOL=VALUE,... with each symbol once, not {part!r}")
        overrides[symbol] = _positive(number)
    return BySymbol(_positive(first), overrides)


def read_categories(value: object) -> object:
    """Read `SYMBOL=CATEGORY,...`, each symbol once."""
    if not isinstance(value, str):
        return value
    found: dict[str, Category] = {}
    for part in filter(None, _parts(value)):
        symbol, _, name = (each.strip() for each in part.partition("="))
        known = name in Category.__members__.values()
        if not known or not symbol.isalnum() or symbol != symbol.upper() or symbol in found:
            raise ValueError(f"SYMBOL=CATEGORY,... with each symbol once, not {part!r}")
        found[symbol] = Category(name)
    return found


def write(value: object) -> str:
    """Write a value as it stands in the environment; the empty text means not set."""
    if value is None or isinstance(value, SecretStr):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        seconds = Decimal(value // timedelta(microseconds=1)) / _MICROSECONDS
        return f"{seconds.normalize():f}"
    if isinstance(value, BySymbol):
        others = (f"{symbol}={number}" for symbol, number in value.overrides.items())
        return ",".join((str(value.default), *others))
    if isinstance(value, Mapping):
        return ",".join(f"{name}={write(each)}" for name, each in value.items())
    if isinstance(value, frozenset | tuple):
        texts = [write(each) for each in value]
        return ",".join(sorted(texts) if isinstance(value, frozenset) else texts)
    return str(value.value if isinstance(value, Enum) else value)


def _positive(text: str) -> Decimal:
    number = read_decimal(text)
    if number <= 0:
        raise ValueError("numbers > 0")
    return number


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


Number = Annotated[Decimal, BeforeValidator(read_decimal)]
Seconds = Annotated[timedelta, BeforeValidator(read_seconds)]
Names = Annotated[frozenset[str], BeforeValidator(read_names)]
Delays = Annotated[tuple[timedelta, ...], BeforeValidator(read_delays)]
CategoryBySymbol = Annotated[Mapping[str, Category], BeforeValidator(read_categories)]
LimitBySymbol = Annotated[BySymbol, PlainValidator(read_by_symbol)]

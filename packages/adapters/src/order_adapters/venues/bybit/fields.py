"""Typed fields of a record: each reader returns the value or names field, rule and value.

Bybit writes "no value" as an absent key, null or an empty string, so all three are one here.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from order_adapters.venues.bybit.quarantine import Raw, RecordInvalid
from order_domain.model.instrument import ZERO

TEXT_MAX: Final = 200
MOMENT_MAX_MS: Final = 7_258_118_400_000
"""The year 2200: later times are broken, and adding an hour to them must not overflow."""
_NUMBER: Final = re.compile(r"-?[0-9]{1,24}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
_DIGITS: Final = 19
_DIGITS_MAX: Final = 24
_DECIMALS_MAX: Final = 40
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING: Final[Raw] = {}


def text(raw: Raw, key: str) -> str:
    """Read printable text that must be there."""
    value = text_or_empty(raw, key)
    if not value:
        raise RecordInvalid(key, "present", raw.get(key))
    return value


def text_or_empty(raw: Raw, key: str) -> str:
    """Read printable text of at most 200 characters; empty where there is none."""
    value = raw.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > TEXT_MAX or not value.isprintable():
        raise RecordInvalid(key, f"printable text of at most {TEXT_MAX} characters", value)
    return value


def number(raw: Raw, key: str) -> Decimal:
    """Read a number that must be there, exactly."""
    value = number_or_none(raw, key)
    if value is None:
        raise RecordInvalid(key, "a number", raw.get(key))
    return value


def number_or_none(raw: Raw, key: str) -> Decimal | None:
    """Read a number exactly; None where there is none."""
    value = raw.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise RecordInvalid(key, "a number", value)
        result = Decimal(value)
    elif isinstance(value, Decimal):
        result = value
    elif isinstance(value, int) and not isinstance(value, bool):
        result = Decimal(value)
    else:
        raise RecordInvalid(key, "a number", value)
    return _bounded(key, result)


def number_or_zero(raw: Raw, key: str) -> Decimal:
    """Read a number; 0 where there is none."""
    value = number_or_none(raw, key)
    return ZERO if value is None else value


def positive(raw: Raw, key: str) -> Decimal:
    """Read a number above 0."""
    value = number(raw, key)
    if value <= 0:
        raise RecordInvalid(key, "a number above 0", value)
    return value


def not_negative(raw: Raw, key: str) -> Decimal:
    """Read a number of at least 0 that must be there."""
    value = number(raw, key)
    if value < 0:
        raise RecordInvalid(key, "a number of at least 0", value)
    return value


def price_or_none(raw: Raw, key: str) -> Decimal | None:
    """Read a price; None where it is absent or 0, which is how Bybit also writes "none"."""
    value = number_or_none(raw, key)
    if value is not None and value < 0:
        raise RecordInvalid(key, "a number of at least 0", value)
    return value or None


def integer_or_none(raw: Raw, key: str) -> int | None:
    """Read a whole number of at least 0, as JSON number or text; None where there is none."""
    value = raw.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) <= _DIGITS and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value.adjusted() < _DIGITS_MAX:
        value = int(value) if value == value.to_integral_value() else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**19:
        return value
    raise RecordInvalid(key, "a whole number of at least 0", raw.get(key))


def flag(raw: Raw, key: str) -> bool:
    """Read true or false; absent is false."""
    value = raw.get(key)
    if value is None or value == "":
        return False
    if isinstance(value, bool):
        return value
    raise RecordInvalid(key, "true or false", value)


def moment(raw: Raw, key: str) -> datetime:
    """Read a time that must be there; UTC."""
    value = moment_or_none(raw, key)
    if value is None:
        raise RecordInvalid(key, "milliseconds since 1970", raw.get(key))
    return value


def moment_or_none(raw: Raw, key: str) -> datetime | None:
    """Read milliseconds since 1970, as JSON number or text; None where there are none or 0."""
    value = integer_or_none(raw, key)
    if not value:
        return None
    if value >= MOMENT_MAX_MS:
        raise RecordInvalid(key, "milliseconds since 1970", value)
    return _EPOCH + timedelta(milliseconds=value)


def mapping_or_empty(raw: Raw, key: str) -> Raw:
    """Read an object; empty where there is none."""
    value = raw.get(key)
    if value is None or value == "":
        return _NOTHING
    if isinstance(value, dict):
        return value
    raise RecordInvalid(key, "an object", value)


def array_or_empty(raw: Raw, key: str) -> list[object]:
    """Read an array; empty where there is none."""
    value = raw.get(key)
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return value
    raise RecordInvalid(key, "an array", value)


def _bounded(key: str, value: Decimal) -> Decimal:
    if not value.is_finite():
        raise RecordInvalid(key, "a finite number", value)
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 -- it is a letter only where a number is not finite
    if exponent < -_DECIMALS_MAX or len(digits) + exponent > _DIGITS_MAX or len(digits) > 64:
        rule = f"within {_DIGITS_MAX} digits and {_DECIMALS_MAX} decimals"
        raise RecordInvalid(key, rule, value)
    return value

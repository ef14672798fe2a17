"""Wire: decimals as strings, times as RFC 3339 in UTC with Z, identical everywhere."""

from datetime import UTC, datetime
from decimal import Decimal


def now() -> datetime:
    """Wall time."""
    return datetime.now(UTC)


def moment(value: datetime) -> str:
    """Write a time to the microsecond."""
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def optional_moment(value: datetime | None) -> str | None:
    """Write a time that may be missing."""
    return None if value is None else moment(value)


def number(value: Decimal) -> str:
    """Write a decimal without exponent and without zeros that say nothing."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def optional_number(value: Decimal | None) -> str | None:
    """Write a decimal that may be missing."""
    return None if value is None else number(value)

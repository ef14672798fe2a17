"""Plain values: decimals, times and words as every output writes them."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

_MICROSECOND = timedelta(microseconds=1)
Plain = str | int | bool | list["Plain"] | dict[str, "Plain"] | None
Row = dict[str, Plain]


def plain(value: object) -> Plain:
    """Turn a value of the domain into one of JSON: decimals, times and seconds become text.

    Raises:
        TypeError: There is no agreed text for this type.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return number(Decimal(value // _MICROSECOND).scaleb(-6))
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    raise TypeError(f"no plain form for {type(value).__name__}")


def number(value: Decimal) -> str:
    """Write a decimal without exponent and without zeros that say nothing."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def moment(value: datetime) -> str:
    """Write a UTC time to the microsecond, with Z; texts sort as the times do."""
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z")


def line(row: Mapping[str, Plain]) -> str:
    """Write one object on one line."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))

"""Plain values as JSON: the entries of traces, details and results come back as the type they were.

Text, true, false, null and integers are themselves; what JSON has no exact word for (a decimal, a
moment, a length of time) is an object of one tagged value.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

_MICROSECOND: Final = timedelta(microseconds=1)
_THEMSELVES: Final = frozenset((str, int, bool))
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


def to_json(value: object) -> str:
    """Write nested tuples of simple values.

    Raises TypeError for what would not come back as it was.
    """
    return "[]" if value == () else _encode(_tagged(value)).decode()


def from_json(text: str) -> object:
    """Read what `to_json` wrote."""
    return _untagged(_decode(text))


def _tagged(value: object) -> object:
    if isinstance(value, tuple):
        return [item if item.__class__ in _THEMSELVES else _tagged(item) for item in value]
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, timedelta):
        return {"microseconds": value // _MICROSECOND}
    if isinstance(value, datetime) and value.tzinfo is not None:
        return {"time": value.isoformat()}
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"not a plain value: {value!r}")


def _untagged(value: object) -> object:
    if isinstance(value, list):
        return tuple(_untagged(item) for item in value)
    if isinstance(value, dict):
        ((tag, text),) = value.items()
        return _READ[tag](text)
    return value


_READ: Final[Mapping[str, Callable[[Any], object]]] = {
    "decimal": Decimal,
    "microseconds": lambda number: number * _MICROSECOND,
    "time": datetime.fromisoformat,
}

"""Plain values as JSON: the entries of traces, details and results come back as the type they were.

Text, true, false, null and integers are themselves; a decimal, for which JSON has no exact word, is
an object of one tagged value.
"""

from decimal import Decimal
from typing import Final

import msgspec

_TAG: Final = "decimal"
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
        return {_TAG: str(value)}
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"not a plain value: {value!r}")


def _untagged(value: object) -> object:
    if isinstance(value, list):
        return tuple(_untagged(item) for item in value)
    if isinstance(value, dict):
        return Decimal(value[_TAG])
    return value

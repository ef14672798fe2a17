"""Strict JSON: exact decimals, no key twice, no NaN, bounded; and one canonical text per body."""

import json
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Final

import attrs

from order_adapters.intake.invalid import SignalInvalid, shown

Json = dict[str, "Json"] | list["Json"] | str | Decimal | bool | None

SIZE_MAX: Final = 64 * 1024
DEPTH_MAX: Final = 16
DIGITS_MAX: Final = 64
EXPONENT_MAX: Final = 308
"""Neighbours read the same bodies into doubles: what does not fit there is refused at our door."""


def load(raw: bytes | str) -> tuple[Json, str]:
    """Parse a body of at most 64 KiB; return its value and its canonical text.

    Every number is the Decimal of its own digits. The canonical text has sorted keys, no spaces,
    ASCII only, and numbers as they were given, so that a body sent again with other spacing or
    order of keys is the same body.

    Raises:
        SignalInvalid: Too large, not UTF-8, not JSON, or a number, key or depth out of bounds.
    """
    text = _text(raw)
    try:
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        near = text[max(0, error.pos - 20) : error.pos + 20]
        rule = f"valid JSON ({error.msg} at character {error.pos + 1})"
        raise SignalInvalid("body", rule, near) from None
    except RecursionError:
        raise SignalInvalid("body", _DEPTH_RULE, text) from None
    return value, _canonical(value, "", 0)


def readable(raw: bytes | str) -> str:
    """Keep a body that is no signal: at most 64 KiB of text that any store takes."""
    text = raw[:SIZE_MAX].decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\x00", "\\x00")[:SIZE_MAX]


@attrs.frozen(slots=True)
class _Unfit:
    """Stands for a number that no rule allows until the walk knows in which field it is."""

    text: str
    rule: str


def _canonical(value: Json | _Unfit, path: str, depth: int) -> str:
    if depth > DEPTH_MAX:
        raise SignalInvalid(path, _DEPTH_RULE, "")
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        pairs = [
            f"{encode_basestring_ascii(key)}:"
            + _canonical(value[key], f"{path}.{key}" if path else key, depth + 1)
            for key in sorted(value)
        ]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        items = [_canonical(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
        return "[" + ",".join(items) + "]"
    if isinstance(value, _Unfit):
        raise SignalInvalid(path or "body", value.rule, value.text)
    return _CONSTANTS[value]


_DEPTH_RULE: Final = f"at most {DEPTH_MAX} levels deep"
_CONSTANTS: Final = {None: "null", True: "true", False: "false"}


def _text(raw: bytes | str) -> str:
    size = len(raw) if isinstance(raw, bytes) else len(raw.encode("utf-8", "surrogatepass"))
    if size > SIZE_MAX:
        raise SignalInvalid("body", f"at most {SIZE_MAX} bytes", f"{size} bytes")
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        rule = f"UTF-8 ({error.reason} at byte {error.start + 1})"
        raise SignalInvalid("body", rule, raw[max(0, error.start - 20) : error.end + 20]) from None


def _number(text: str) -> Decimal | _Unfit:
    if len(text) > DIGITS_MAX:
        return _Unfit(text, f"a number of at most {DIGITS_MAX} characters")
    exponent = text.lower().partition("e")[2]
    if exponent and not -EXPONENT_MAX <= int(exponent) <= EXPONENT_MAX:
        return _Unfit(text, f"a number with an exponent up to {EXPONENT_MAX}")
    return Decimal(text)


def _constant(text: str) -> _Unfit:
    return _Unfit(text, "a finite number")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise SignalInvalid(shown(twice), "a key that stands once in its object", result[twice])
    return result


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_number, parse_constant=_constant
)

"""V32: every number of money in a row is a Decimal and finite."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import attrs

from order_domain.invariants.report import Findings

_Shape = tuple[str, ...] | Callable[[Any], Iterable[object]] | None


def check_values(findings: Findings, row: object, subject: str) -> None:
    """Look into every field of a row, and of the rows in it."""
    findings.checked += 1
    if _is_sound(row):
        return
    for path, value in _unsound(row, type(row).__name__):
        findings.holds("V32", subject, truth=False, text=f"{path} is finite", actual=value)


def _is_sound(value: object) -> bool:
    """Whether there is nothing to tell; most rows are, and a path costs more than a look."""
    if isinstance(value, Decimal):
        return value.is_finite()
    shape = _SHAPE(type(value))
    if shape is None:
        return not isinstance(value, float)
    if isinstance(shape, tuple):
        return all(map(_is_sound, [getattr(value, name) for name in shape]))
    return all(map(_is_sound, shape(value)))


def _shape(kind: type) -> _Shape:
    """What of a value must be looked into: its fields, its members, or nothing."""
    if attrs.has(kind):
        return _field_names(kind)
    if issubclass(kind, Mapping):
        return _members
    return iter if issubclass(kind, tuple) else None


def _members(value: Mapping[object, object]) -> Iterable[object]:
    return value.values()


def _unsound(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Decimal):
        if not value.is_finite():
            yield path, value
    elif isinstance(value, float):
        yield path, f"a binary float: {value!r}"
    elif attrs.has(type(value)):
        for name in _field_names(type(value)):
            yield from _unsound(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _unsound(each, f"{path}[{key}]")
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            yield from _unsound(each, f"{path}[{number}]")


def _field_names(row_type: type) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(row_type))


_SHAPE: Callable[[type], _Shape] = cache(_shape)

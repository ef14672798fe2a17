"""V32: every number of money in a row is a Decimal and finite."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache

import attrs

from order_domain.invariants.report import Findings


def check_values(findings: Findings, row: object, subject: str) -> None:
    """Look into every field of a row, and of the rows in it."""
    findings.checked += 1
    for path, value in _unsound(row, type(row).__name__):
        findings.holds("V32", subject, truth=False, text=f"{path} is finite", actual=value)


def _unsound(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Decimal):
        if not value.is_finite():
            yield path, value
    elif isinstance(value, float):
        yield path, f"a binary float: {value!r}"
    elif attrs.has(type(value)):
        for name in _NAMES(type(value)):
            yield from _unsound(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _unsound(each, f"{path}[{key}]")
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            yield from _unsound(each, f"{path}[{number}]")


def _field_names(row_type: type) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(row_type))


_NAMES: Callable[[type], tuple[str, ...]] = cache(_field_names)

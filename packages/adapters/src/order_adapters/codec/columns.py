"""Columns of a row class, derived from its fields: a new field is a new column."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs


class Kind(Enum):
    """What a column holds: PLAIN nested tuples of simple values, DOCUMENT one typed value."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    TIME = "time"
    ENUM = "enum"
    PLAIN = "plain"
    DOCUMENT = "document"


@attrs.frozen(slots=True)
class Column:
    """One field of a row, or of the part it is made of.

    Attributes:
        path: Attribute names from the row to the value: `("terms", "side")`.
        hint: The type without None.
        is_computed: The class makes the value itself, so it is written but not given back.
    """

    name: str
    path: tuple[str, ...]
    kind: Kind
    hint: Any
    is_optional: bool
    is_computed: bool


_SIMPLE = {
    str: Kind.TEXT,
    int: Kind.INTEGER,
    bool: Kind.BOOLEAN,
    Decimal: Kind.DECIMAL,
    datetime: Kind.TIME,
}


def columns_of(
    row_type: type, renamed: dict[str, str], above: tuple[str, ...] = ()
) -> Iterator[Column]:
    """Yield the columns of a row class.

    Parts that are always there are laid out flat, optional ones are documents.

    Args:
        renamed: Column names of fields whose own name is a word of SQL or says too little.
    """
    hints = get_type_hints(row_type)
    for field in attrs.fields(row_type):
        path = (*above, field.name)
        hint, is_optional = _without_none(hints[field.name])
        if attrs.has(hint) and not is_optional:
            yield from columns_of(hint, renamed, path)
            continue
        name = renamed.get(field.name, field.name)
        yield Column(name, path, _kind_of(hint), hint, is_optional, not field.init)


def _without_none(hint: Any) -> tuple[Any, bool]:
    """Split `X | None` into X and whether None was there; see through NewType."""
    is_optional = False
    if get_origin(hint) in (Union, UnionType):
        alternatives = [part for part in get_args(hint) if part is not NoneType]
        if len(alternatives) != 1:
            raise TypeError(f"a column holds one type or None, not {hint}")
        hint, is_optional = alternatives[0], True
    return getattr(hint, "__supertype__", hint), is_optional


def _kind_of(hint: Any) -> Kind:
    simple = _SIMPLE.get(hint)
    if simple is not None:
        return simple
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Kind.ENUM
    return Kind.PLAIN if _is_untyped(hint) else Kind.DOCUMENT


def _is_untyped(hint: Any) -> bool:
    """Whether some value inside is any `object`: JSON alone would not give its type back."""
    return hint is object or (
        get_origin(hint) is tuple and any(_is_untyped(part) for part in get_args(hint))
    )

"""Encoders and decoders: a row as a tuple of cells in column order, and back.

Compiled once per table and dialect. A dialect says how values of each kind look in a cell;
`TEXT_CELLS` is that of stores that know only text and whole numbers: exact decimals as text, times
as RFC 3339 with six digits and Z (text order is time order, and a person can read them), enums as
their values, booleans as 0 and 1.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final, TypeVar

import attrs
import msgspec

from order_adapters.codec import plain
from order_adapters.codec.columns import Column, Kind
from order_adapters.codec.tables import Table

Cells = tuple[Any, ...]
T = TypeVar("T")


@attrs.frozen(slots=True)
class Form:
    """How one kind of value is written and read: expressions over `{}`, `{type}` being its type."""

    write: str
    read: str


@lru_cache(maxsize=4096)
def time_text(moment: datetime) -> str:
    """Write a time: 2026-01-02T12:00:00.000000Z. Raises ValueError for one without a zone.

    Rows of one step share their times, so most are known already.
    """
    return in_utc(moment).isoformat(timespec="microseconds")[:26] + "Z"


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for one without a zone."""
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"a time without its zone: {moment}")
    return moment.astimezone(UTC)


def document_text(value: object) -> str:
    """Write one typed value as JSON."""
    return _encode(value).decode()


@cache
def document_reader(hint: Any) -> Callable[[str], Any]:
    """Make the reader of one type of document."""
    return msgspec.json.Decoder(hint).decode


_encode: Final = msgspec.json.Encoder().encode
_HELPERS: Final[Mapping[str, object]] = {
    "Decimal": Decimal,
    "UTC": UTC,
    "in_utc": in_utc,
    "document_text": document_text,
    "plain": plain,
    "time_of": datetime.fromisoformat,
    "time_text": time_text,
}
_AS_IT_IS: Final = Form("{}", "{}")
TEXT_CELLS: Final[Mapping[Kind, Form]] = {
    Kind.TEXT: _AS_IT_IS,
    Kind.INTEGER: _AS_IT_IS,
    Kind.BOOLEAN: Form("(1 if {} else 0)", "({} == 1)"),
    Kind.DECIMAL: Form("str({})", "Decimal({})"),
    Kind.TIME: Form("time_text({})", "time_of({})"),
    # as `value`, which is a function of Python's
    Kind.ENUM: Form("{}._value_", "{type}({})"),
    Kind.PLAIN: Form("plain.to_json({})", "plain.from_json({})"),
    Kind.DOCUMENT: Form("document_text({})", "{type}({})"),
}


def encoder(table: Table, dialect: Mapping[Kind, Form]) -> Callable[[Any], Cells]:
    """Make the function from a row to its cells: one tuple, built by straight attribute access."""
    cells = ", ".join(_written(column, dialect[column.kind].write) for column in table.columns)
    return _compiled(f"lambda row: ({cells},)", dict(_HELPERS))


def decoder(table: Table, dialect: Mapping[Kind, Form]) -> Callable[..., Any]:
    """Make the function from cells, given one by one, to the row they came from."""
    names = dict(_HELPERS)
    cells = ", ".join(column.name for column in table.columns)
    return _compiled(f"lambda {cells}: {_construction(table, dialect, names)}", names)


def _written(column: Column, form: str) -> str:
    value = ".".join(("row", *column.path))
    if not column.is_optional:
        return form.format(value)
    return f"(None if (value := {value}) is None else {form.format('value')})"


def _construction(table: Table, dialect: Mapping[Kind, Form], names: dict[str, object]) -> str:
    """Write the expression that builds the row from its parts; `names` takes the types it uses."""
    parts: dict[tuple[str, ...], list[str]] = {(): []}
    for column in table.columns:
        above = column.path[:-1]
        if above not in parts:
            parts[above] = []
        if not column.is_computed:
            type_name = f"type_of_{column.name}"
            names[type_name] = (
                document_reader(column.hint) if column.kind is Kind.DOCUMENT else column.hint
            )
            read = dialect[column.kind].read.format(column.name, type=type_name)
            if column.is_optional:
                read = f"(None if {column.name} is None else {read})"
            parts[above].append(f"{column.path[-1]}={read}")
    for above, arguments in parts.items():
        if above:
            (name,) = above
            part_type = attrs.fields_dict(table.row_type)[name].type
            names[f"part_{name}"] = part_type
            parts[()].append(f"{name}=part_{name}({', '.join(arguments)})")
    names["row_type"] = table.row_type
    return f"row_type({', '.join(parts[()])})"


def _compiled(source: str, names: dict[str, object]) -> Callable[..., Any]:
    """Compile as attrs does its constructors: the source is made of field names and forms only."""
    function: Callable[..., Any] = eval(source, names)  # noqa: S307 -- nothing foreign is in it
    return function

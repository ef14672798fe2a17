"""Strategies that draw rows of every class: any value its fields may hold."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from order_domain.model.instrument import Instrument
from tests.builders import an_instrument

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
COUNTS = st.integers(1, 2**63 - 1)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(fold=0))
PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        AMOUNTS,
        TEXTS,
        TIMES,
        st.timedeltas(),
    ),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)
_SIMPLE: Mapping[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    bool: st.booleans(),
    int: COUNTS,
    datetime: TIMES,
    object: PLAIN,
    NoneType: st.none(),
}
_RATES = st.decimals("-0.01", "1", places=5)


def rows(row_type: type, amounts: st.SearchStrategy[Decimal] = AMOUNTS) -> st.SearchStrategy[Any]:
    """Draw rows of one class; `amounts` are its decimals."""
    if row_type is Instrument:
        return st.builds(an_instrument, symbol=TEXTS, min_notional=_RATES, taker_fee_rate=_RATES)
    hints = get_type_hints(row_type)
    fields = {field.name: _values(hints[field.name], amounts) for field in attrs.fields(row_type)}
    return st.builds(row_type, **fields)


def _values(hint: Any, amounts: st.SearchStrategy[Decimal]) -> st.SearchStrategy[Any]:
    hint = getattr(hint, "__supertype__", hint)
    if get_origin(hint) is not None:
        return _containers(hint, amounts)
    if hint is Decimal:
        return amounts
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if issubclass(hint, StrEnum):
        return st.sampled_from(list(hint))
    return rows(hint, amounts)


def _containers(hint: Any, amounts: st.SearchStrategy[Decimal]) -> st.SearchStrategy[Any]:
    parts = [part for part in get_args(hint) if part is not Ellipsis]
    values = [_values(part, amounts) for part in parts]
    if get_origin(hint) in (Union, UnionType):
        return st.one_of(values)
    if get_origin(hint) is Mapping:
        return st.dictionaries(*values, max_size=3)
    if Ellipsis in get_args(hint):
        return st.lists(values[0], max_size=3).map(tuple)
    return st.tuples(*values)

"""The codec gives back every row as it was: value, type and every digit."""

import sqlite3
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_adapters.codec import plain
from order_adapters.codec.columns import columns_of
from order_adapters.codec.rows import TEXT_CELLS, decoder, encoder, time_text
from order_adapters.codec.tables import TABLE_OF
from order_adapters.stores.sqlite import creation
from order_adapters.stores.sqlite.audit import damage
from order_adapters.stores.sqlite.flush import Flush
from order_adapters.stores.sqlite.statements import STATEMENTS
from order_domain.model.events import Event
from order_domain.model.rows import ROW_TYPES
from tests.builders import NOW
from tests.property.row_strategies import PLAIN, TIMES, rows

POSITIVE = st.decimals(min_value=0, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("row_type", ROW_TYPES)
@given(data=st.data())
def test_a_row_comes_back_as_it_was(row_type: type, data: st.DataObject) -> None:
    row = data.draw(rows(row_type))
    table = TABLE_OF[row_type]

    cells = encoder(table, TEXT_CELLS)(row)
    back = decoder(table, TEXT_CELLS)(*cells)

    assert back == row
    assert repr(back) == repr(row)  # 1.0 and 1.00 are equal, True and 1 too
    assert {type(cell) for cell in cells} <= {str, int, type(None)}


@pytest.mark.parametrize("row_type", ROW_TYPES)
@settings(max_examples=20)
@given(data=st.data())
def test_a_row_comes_back_from_the_file_undamaged(row_type: type, data: st.DataObject) -> None:
    row = data.draw(rows(row_type, POSITIVE).filter(has_its_key))
    connection = sqlite3.connect(":memory:", isolation_level=None)
    creation.prepare(connection, "memory")

    Flush(epoch=0, number=1, expires_at=NOW, changes=[row]).run(connection)

    (found,) = STATEMENTS[row_type].rows(connection)
    back = found.event if row_type is Event else found
    assert repr(back) == repr(row)
    assert [one for one in damage(connection) if one.table == "head"] == []
    assert "a value was changed" not in {one.problem for one in damage(connection)}
    connection.close()


def has_its_key(row: object) -> bool:
    """Orders and executions without an id are refused."""
    key = getattr(row, "client_order_id", None)
    execution = getattr(row, "execution", None)
    return key != "" and (execution is None or execution.exec_id != "")


@given(PLAIN)
def test_plain_values_come_back_with_their_types(value: object) -> None:
    back = plain.from_json(plain.to_json((value,)))

    assert repr(back) == repr((value,))


@pytest.mark.parametrize("value", [1.5, b"x", {"a": 1}, [1], NOW.replace(tzinfo=None), {1}])
def test_what_would_come_back_as_something_else_is_not_written(value: object) -> None:
    with pytest.raises(TypeError, match="not a plain value"):
        plain.to_json((value,))


@given(TIMES, TIMES)
def test_times_sort_as_their_texts(one: datetime, other: datetime) -> None:
    assert (one < other) == (time_text(one) < time_text(other))
    assert len(time_text(one)) == 27


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-23, 23))  # noqa: DTZ001
def test_a_time_of_another_zone_is_written_in_utc(naive: datetime, hours: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(hours=hours)))

    assert datetime.fromisoformat(time_text(moment)) == moment


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="without its zone"):
        time_text(NOW.replace(tzinfo=None))


@attrs.define
class TwoTypes:
    value: Decimal | str


def test_a_field_of_two_types_has_no_column() -> None:
    with pytest.raises(TypeError, match="one type or None"):
        list(columns_of(TwoTypes, {}))

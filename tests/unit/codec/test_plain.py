"""Plain values come back as the type they were."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.codec.plain import from_json, to_json

MOMENTS = st.datetimes(timezones=st.just(UTC))
SIMPLE = (
    st.text()
    | st.integers()
    | st.booleans()
    | st.none()
    | st.decimals(allow_nan=False)
    | st.timedeltas()
    | MOMENTS
)


@given(st.recursive(SIMPLE, lambda inner: st.lists(inner, max_size=5).map(tuple), max_leaves=20))
def test_whatever_a_trace_may_hold_comes_back_as_it_was(value: object) -> None:
    back = from_json(to_json(value))

    assert back == value
    assert type(back) is type(value)


def test_a_trace_keeps_ages_and_moments_readable_for_a_person() -> None:
    age, moment = timedelta(seconds=1.5), datetime(2026, 1, 2, tzinfo=UTC)

    text = to_json((("AGE", Decimal("1.50"), age, True), (moment,)))

    assert text == (
        '[["AGE",{"decimal":"1.50"},{"microseconds":1500000},true],'
        '[{"time":"2026-01-02T00:00:00+00:00"}]]'
    )


@pytest.mark.parametrize("value", [1.5, {"a": 1}, datetime(2026, 1, 2), [1]])  # noqa: DTZ001
def test_what_would_not_come_back_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_json(value)

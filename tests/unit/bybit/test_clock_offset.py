"""How far the exchange's clock is from ours."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.venues.bybit.clock_offset import (
    ClockLimits,
    ClockMeter,
    ClockState,
    from_milliseconds,
    to_milliseconds,
)
from tests.builders import NOW

MS = timedelta(milliseconds=1)


def a_meter(**limits: timedelta) -> ClockMeter:
    return ClockMeter(ClockLimits(**limits))


def measure(meter: ClockMeter, offset: timedelta, round_trip: timedelta = 20 * MS) -> None:
    """The exchange reads its clock half-way."""
    meter.add(NOW, round_trip, NOW + round_trip / 2 + offset)


def test_nothing_is_known_before_the_first_measurement() -> None:
    meter = a_meter()

    assert meter.state is ClockState.UNMEASURED
    assert meter.exchange_time(NOW) == NOW


def test_the_uncertainty_is_half_of_the_round_trip_and_the_stamp_itself() -> None:
    meter = a_meter()
    measure(meter, 100 * MS, 40 * MS)

    assert meter.best.offset == 100 * MS
    assert meter.best.uncertainty == 21 * MS
    assert meter.exchange_time(NOW) == NOW + 100 * MS


def test_the_shortest_round_trip_is_believed() -> None:
    meter = a_meter()
    measure(meter, 110 * MS, 80 * MS)
    measure(meter, 100 * MS, 10 * MS)
    measure(meter, 120 * MS, 90 * MS)

    assert meter.best.offset == 100 * MS


def test_a_clock_that_was_set_is_noticed_at_once() -> None:
    meter = a_meter()
    measure(meter, 0 * MS, 2 * MS)
    measure(meter, 5000 * MS, 100 * MS)

    assert meter.best.offset == 5000 * MS


def test_old_measurements_are_forgotten() -> None:
    meter = a_meter()
    measure(meter, 0 * MS, 2 * MS)
    for _ in range(8):
        measure(meter, 1 * MS, 30 * MS)

    assert meter.best.uncertainty == 16 * MS


@pytest.mark.parametrize(
    ("offset", "round_trip", "state"),
    [
        (200 * MS, 20 * MS, ClockState.GOOD),
        (-200 * MS, 20 * MS, ClockState.GOOD),
        (300 * MS, 20 * MS, ClockState.ALARM),
        (-300 * MS, 20 * MS, ClockState.ALARM),
        (0 * MS, 1100 * MS, ClockState.STOP),
        (31_000 * MS, 20 * MS, ClockState.STOP),
        (-31_000 * MS, 20 * MS, ClockState.STOP),
    ],
)
def test_the_offset_is_judged(offset: timedelta, round_trip: timedelta, state: ClockState) -> None:
    meter = a_meter()
    measure(meter, offset, round_trip)

    assert meter.state is state


@given(
    asked=st.integers(0, 1000),
    back=st.integers(0, 1000),
    offset=st.integers(-100_000, 100_000),
)
def test_the_true_offset_lies_within_the_uncertainty(asked: int, back: int, offset: int) -> None:
    meter = a_meter()
    exchange_time = from_milliseconds(to_milliseconds(NOW + (asked + offset) * MS))
    meter.add(NOW, (asked + back) * MS, exchange_time)

    assert abs(meter.best.offset - offset * MS) <= meter.best.uncertainty


@given(st.integers(0, 4_000_000_000_000))
def test_stamps_go_both_ways_exactly(milliseconds: int) -> None:
    assert to_milliseconds(from_milliseconds(milliseconds)) == milliseconds


def test_a_stamp_is_rounded_down() -> None:
    assert to_milliseconds(datetime(1970, 1, 1, 0, 0, 1, 999, tzinfo=UTC)) == 1000

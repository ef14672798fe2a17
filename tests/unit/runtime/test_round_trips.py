"""margin = min(p99 round trip, recv_window / 2), 500 ms until measured."""

from datetime import timedelta

from order_service.runtime.round_trips import RoundTrips

WINDOW = timedelta(milliseconds=2500)


def measured(*seconds: float) -> RoundTrips:
    trips = RoundTrips()
    for each in seconds:
        trips.add(each)
    return trips


def test_the_margin_is_500_ms_until_twenty_are_measured() -> None:
    assert measured(*[0.01] * 19).margin(WINDOW) == timedelta(milliseconds=500)
    assert measured(*[0.01] * 20).margin(WINDOW) == timedelta(milliseconds=10)


def test_the_margin_is_the_99th_percentile() -> None:
    assert measured(*[0.01] * 98, 0.2, 0.3).margin(WINDOW) == timedelta(milliseconds=300)
    assert measured(*[0.01] * 198, 0.2, 0.3).margin(WINDOW) == timedelta(milliseconds=200)


def test_the_margin_is_never_more_than_half_the_window() -> None:
    assert measured(*[3.0] * 50).margin(WINDOW) == timedelta(milliseconds=1250)
    assert RoundTrips().margin(timedelta(milliseconds=600)) == timedelta(milliseconds=300)


def test_the_margin_is_that_of_the_last_200() -> None:
    assert measured(*[0.9] * 100, *[0.01] * 200).margin(WINDOW) == timedelta(milliseconds=10)

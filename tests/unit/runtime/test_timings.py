"""Timings: counted in buckets, each with all that are below."""

from math import inf

from order_service.runtime.timings import BOUNDS, Timings


def test_each_bucket_holds_what_took_at_most_its_bound() -> None:
    timings = Timings()
    for seconds in (0.0005, 0.001, 0.3, 60.0):
        timings.add(seconds)
    counts = dict(timings.buckets())

    assert counts[0.001] == 2
    assert counts[0.25] == 2
    assert counts[0.5] == 3
    assert counts[10.0] == 3
    assert counts[inf] == 4
    assert timings.seconds == 60.3015


def test_before_the_first_everything_is_zero() -> None:
    assert list(Timings().buckets()) == [(bound, 0) for bound in BOUNDS]

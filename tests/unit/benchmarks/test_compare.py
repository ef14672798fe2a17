"""A ratio that got worse is found and named; noise and news are not."""

from collections.abc import Mapping

import pytest

from benchmarks.compare import Measure, Ratio, compare, told

COMMITTED = {"order": Ratio(100.0), "tick": Ratio(2.5), "listing": Ratio(0.5, more_is_better=True)}


def measured(*runs: Mapping[str, Ratio]) -> tuple[Measure, list[frozenset[str]]]:
    """Gives these runs one after the other, and what was asked for."""
    asked: list[frozenset[str]] = []
    left = list(runs)

    def measure(names: frozenset[str]) -> Mapping[str, Ratio]:
        asked.append(names)
        run = left.pop(0)
        return {name: ratio for name, ratio in run.items() if not names or name in names}

    return measure, asked


def with_order(value: float) -> Mapping[str, Ratio]:
    return COMMITTED | {"order": Ratio(value)}


def failing(*runs: Mapping[str, Ratio]) -> list[str]:
    measure, _ = measured(*runs)
    return [each.name for each in compare(COMMITTED, measure) if each.fails()]


def test_what_is_as_it_was_fails_nothing_and_is_measured_once() -> None:
    measure, asked = measured(COMMITTED)

    outcomes = compare(COMMITTED, measure)

    assert [each.fails() for each in outcomes] == [False, False, False]
    assert asked == [frozenset()]


@pytest.mark.parametrize(("value", "fails"), [(109.0, False), (111.0, True), (50.0, False)])
def test_a_case_fails_beyond_ten_per_cent_of_its_committed_ratio(value: float, fails: bool) -> None:
    found = failing(with_order(value), with_order(value))

    assert found == (["order"] if fails else [])


@pytest.mark.parametrize(("value", "fails"), [(0.46, False), (0.45, True), (0.9, False)])
def test_where_more_is_better_less_is_worse(value: float, fails: bool) -> None:
    run = COMMITTED | {"listing": Ratio(value, more_is_better=True)}

    assert failing(run, run) == (["listing"] if fails else [])


def test_a_case_that_looks_worse_is_measured_once_more_and_no_other_is() -> None:
    measure, asked = measured(with_order(130.0), with_order(101.0))

    outcomes = compare(COMMITTED, measure)

    assert asked == [frozenset(), frozenset({"order"})]
    assert not any(each.fails() for each in outcomes)
    assert outcomes[0].found == (Ratio(130.0), Ratio(101.0))


def test_a_case_that_is_worse_both_times_fails_and_is_named() -> None:
    measure, _ = measured(with_order(130.0), with_order(120.0))

    outcomes = compare(COMMITTED, measure)

    assert told(outcomes).splitlines()[0] == (
        "FAILED order: 100.00 -> 130.00, then 120.00 (+20% worse)"
    )


def test_a_committed_case_that_nobody_measures_fails() -> None:
    run = {name: ratio for name, ratio in COMMITTED.items() if name != "tick"}
    measure, asked = measured(run)

    outcomes = compare(COMMITTED, measure)

    assert [each.name for each in outcomes if each.fails()] == ["tick"]
    assert asked == [frozenset()]
    assert "FAILED tick: 2.50 -> not measured" in told(outcomes)


def test_a_new_case_is_told_and_fails_nothing() -> None:
    measure, _ = measured(COMMITTED | {"news": Ratio(7.0)})

    outcomes = compare(COMMITTED, measure)

    assert not any(each.fails() for each in outcomes)
    assert "ok     news: new -> 7.00" in told(outcomes)

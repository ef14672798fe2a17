"""Each judgement of a soak is given something to find, and something sound."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from order_adapters import clock
from order_service.http import wire
from tests.replicas.fleet import Life, Use, too_many
from tests.replicas.growth import MIB, SETTLED_S, of_life, of_replicas, of_tables, settled
from tests.replicas.stepped import SetClock, install, step
from tests.replicas.watch import Look, between


def a_life(*, grows_by: float = 0.0, files: int = 0, acted_s: float | None = None) -> Life:
    """A quarter of an hour, of which the first two minutes do not count."""
    life = Life(pid=4711, acted_s=acted_s)
    for number in range(451):
        part = number / 450
        life.uses.append(
            Use(
                age_s=number * 2.0,
                # it acts in turns, and holds a book then
                resident=int((100 + grows_by * part + (number // 40 % 2) * 30) * MIB),
                files=20 + int(files * part),
                sockets=10,
                threads=4,
            )
        )
    return life


def test_a_process_that_uses_what_it_used_is_found_sound() -> None:
    judged = of_life("replica 1", a_life())

    assert judged is not None
    assert judged[1] == []
    assert judged[0].startswith(
        "replica 1, process 4711, 15 minutes old, settled for 13: files 20 +0.0, sockets 10 +0.0, "
        "threads 4 +0.0, resident at most 130 MiB, then 130 MiB; by the minute 100 130 130 100"
    )


def test_memory_that_grows_all_the_time_is_found() -> None:
    judged = of_life("replica 1", a_life(grows_by=100))

    assert judged is not None
    (grown,) = judged[1]
    assert grown.endswith("grows in 13 minutes: resident at most 183 MiB, then 230 MiB")


def test_files_that_stay_open_are_found() -> None:
    judged = of_life("replica 1", a_life(files=30))

    assert judged is not None
    assert [each.rpartition(": ")[2][:5] for each in judged[1]] == ["files"]


def test_an_owner_settles_from_when_it_acts_and_a_short_life_is_not_judged() -> None:
    assert settled(a_life(acted_s=100.0))[0].age_s == 100 + SETTLED_S
    assert of_life("replica 1", a_life(acted_s=700.0)) is None


def a_replica(*lives: Life) -> Any:
    return SimpleNamespace(name="replica 3", lives=list(lives))


def test_a_replica_that_nobody_ended_and_that_was_started_again_is_told() -> None:
    sound, restarted = a_replica(a_life()), a_replica(a_life(), a_life())

    assert of_replicas([sound], sound, 900.0)[1] == []
    assert of_replicas([restarted], restarted, 900.0)[1] == [
        "replica 3, which nobody ended, was started 2 times"
    ]


def test_a_long_soak_in_which_the_spared_replica_could_not_be_judged_is_not_sound() -> None:
    late = a_replica(a_life(acted_s=700.0))

    assert of_replicas([late], late, 600.0)[1] == []
    assert of_replicas([late], late, 1800.0)[1] == [
        "replica 3 acted too late to tell of its memory"
    ]


def rows(*counts: tuple[int, int, int]) -> list[tuple[float, int, Counter[str]]]:
    """Signals sent, events and positions, every ten seconds."""
    return [
        (10.0 * number, sent, Counter(signals=sent, events=events, positions=positions))
        for number, (sent, events, positions) in enumerate(counts)
    ]


def test_tables_that_grow_by_the_signal_alone_are_found_sound() -> None:
    told, broken = of_tables(rows(*((n * 40, n * 400, 2) for n in range(9))), 10)

    assert broken == []
    assert "signals 1.00" in told[0]
    assert "events 10.00" in told[0]


def test_a_table_that_grows_faster_than_signals_come_is_found() -> None:
    _, broken = of_tables(rows(*((n * 40, n * n * 40, 2) for n in range(9))), 10)

    assert broken == ["table events grew by 4.00 rows a signal, then by 12.00"]


def test_a_table_of_things_that_are_always_there_may_not_grow() -> None:
    _, broken = of_tables(rows(*((n * 40, n * 40, n * 3) for n in range(9))), 10)

    assert broken == ["table positions has 24 rows, more than 20"]


def test_requests_refused_as_too_many_are_forgiven_only_where_something_held_them_back() -> None:
    record = {"create/futures": {"limit": 10, "peak": 12, "refusedAt": [1_000_000, 1_009_000]}}

    assert too_many(record, [(999.0, 1010.0)]) == []
    assert too_many(record, [(999.0, 1005.0)]) == [
        "rate: 1 requests create/futures beyond 10 a second, at most 12, the first at 1009.000"
    ]


@pytest.mark.parametrize(
    ("asked_at", "answered_at", "is_found"),
    [(1.2, 1.3, True), (0.9, 1.3, False), (1.2, 2.1, False), (2.2, 2.3, False)],
)
def test_two_act_at_once_where_one_is_seen_between_two_looks_at_the_other(
    asked_at: float, answered_at: float, is_found: bool
) -> None:
    before, after = Look("replica 1", 0.9, 1.1), Look("replica 1", 2.0, 2.1)
    other = Look("replica 2", asked_at, answered_at)

    assert between([before, other, after], before, after) == (other if is_found else None)


def test_a_clock_is_off_by_what_its_file_says_now(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    found = SetClock(path)
    assert found.offset == timedelta(0)

    step(path, -3.5)
    assert found.offset == timedelta(seconds=-3.5)
    step(path, 7.25)
    assert found.offset == timedelta(seconds=7.25)


def test_the_service_asks_the_clock_that_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock.SystemClock, "now", clock.SystemClock.now)
    monkeypatch.setattr(wire, "datetime", datetime)
    step(tmp_path / "clock", 3600)
    install(tmp_path / "clock")

    monotonic = clock.SystemClock().monotonic()
    for now in (clock.SystemClock().now(), wire.now()):
        ahead = (now - datetime.now(UTC)).total_seconds()
        assert 3599 < ahead < 3601
    assert abs(monotonic - time.monotonic()) < 1

"""A matrix that was stopped goes on with what is left, and nothing it found is forgotten."""

from pathlib import Path

import attrs
import pytest

from tests.crash_matrix.__main__ import chapters
from tests.crash_matrix.record import Record
from tests.crash_matrix.world import Kill

THERE = Kill("signal.received", reached=True, start_s=1.5, ready_s=0.25, work_s=0.5, cpu_s=1.4)
ELSEWHERE = attrs.evolve(THERE, reached=False)


def a_record(path: Path, timers: str = "fast") -> Record:
    return Record.of(path, timers, seed=7)


def test_a_stopped_run_goes_on_with_the_kills_it_has_kept(tmp_path: Path) -> None:
    before = a_record(tmp_path / "matrix.json")
    before.add([THERE, ELSEWHERE], ["an order was doubled"], cpu_s=4.5)
    before.keep()

    after = a_record(tmp_path / "matrix.json")

    assert after == before
    assert "| `signal.received` | 1 | 1 |" in (tmp_path / "matrix.md").read_text()


def test_only_kills_at_their_point_count(tmp_path: Path) -> None:
    record = a_record(tmp_path / "matrix.json")
    record.add([THERE, ELSEWHERE, ELSEWHERE], [], cpu_s=4.5)

    planned = [point for _, plan in chapters(record, ["signal.received"], 3) for point in plan]

    assert planned == ["signal.received"] * 2


def test_no_chapter_has_the_seed_of_another(tmp_path: Path) -> None:
    record = a_record(tmp_path / "matrix.json")
    first = [seed for seed, _ in chapters(record, ["signal.received"], 40)]
    for _ in first:
        record.add([], [], cpu_s=1.0)

    second = [seed for seed, _ in chapters(record, ["signal.received"], 40)]

    assert len({*first, *second}) == len(first) + len(second)


def test_a_record_of_other_timers_is_not_added_to(tmp_path: Path) -> None:
    a_record(tmp_path / "matrix.json").keep()

    with pytest.raises(ValueError, match="choose another file"):
        a_record(tmp_path / "matrix.json", timers="production")

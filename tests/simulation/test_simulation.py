"""Worlds of faults break nothing, the same seed gives the same world, planted bugs are caught.

CI runs 500 seeds besides, and every planted bug: `make simulate`, `make planted-bugs`.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import pytest

from order_adapters.stores.memory.journal import MemoryJournal
from order_domain.book import Book
from order_domain.engine import answers, engine, lookups, reports, resume, ticks
from order_service.runtime.committer import Committer
from order_service.runtime.executors import Executors
from order_service.runtime.inbox import Inbox
from order_service.runtime.relay import Relay
from order_service.runtime.trading_state import TradingStates
from tests.simulation import runner, search
from tests.simulation.broker import NodePublisher
from tests.simulation.checker import Violation
from tests.simulation.corpus import CORPUS, Kept
from tests.simulation.plan import draw
from tests.simulation.planted import BUGS, planted
from tests.simulation.world import Outcome

PATCHED = (
    Book,
    Committer,
    Executors,
    Inbox,
    MemoryJournal,
    NodePublisher,
    Relay,
    TradingStates,
    lookups,
    reports,
    resume,
    ticks,
)
TABLES = (answers._COMMAND, answers._CREATE, engine._HANDLERS)
ROOT = Path(__file__).resolve().parents[2]
SEEDS = 25
TWICE = 5
CAUGHT = search.recorded()
REPLAYED = (
    "early-commands",
    "commit-failed",
    "stale-rows",
    "stale-lookup",
    "old-refusal",
    "replaced-early",
    "sent-twice",
    "no-epoch",
)
"""A few of the planted bugs; `make planted-bugs` has them all."""


def simulate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_worlds_of_faults_break_nothing_and_some_are_run_twice() -> None:
    done = simulate("--seeds", str(SEEDS), "--from", "100000", "--twice", str(TWICE))

    assert done.returncode == 0, done.stdout
    assert f"{SEEDS} seeds" in done.stdout
    assert f"{TWICE} seeds repeated" in done.stdout
    assert "crash" in done.stdout


@pytest.mark.parametrize("kept", CORPUS, ids=[str(kept.seed) for kept in CORPUS])
def test_a_seed_that_once_found_a_mistake_finds_none(kept: Kept) -> None:
    done = simulate("--seed", str(kept.seed), "--generation", str(kept.generation))

    assert done.returncode == 0, f"{kept.found}\n{done.stdout}"


def test_a_plan_of_an_older_generation_lacks_only_what_was_added_later() -> None:
    for seed in range(200):
        older, newer = draw(seed, 1), draw(seed)
        assert older.rates.items() <= newer.rates.items()
        assert older.every.items() <= newer.every.items()
        patience = newer.config.order_execution_timeout  # longer where answers lie somewhere
        assert attrs.evolve(older.config, order_execution_timeout=patience) == newer.config
        assert older.earlier == 0


def test_a_seed_is_the_same_world_in_another_process_with_other_hashes() -> None:
    one, other = (simulate("--seed", "7", PYTHONHASHSEED=seed) for seed in ("1", "2"))

    assert one.returncode == other.returncode == 0
    assert one.stdout == other.stdout != ""


@pytest.mark.parametrize("bug", REPLAYED)
def test_a_planted_bug_breaks_its_seed_and_without_it_nothing_does(bug: str) -> None:
    done = simulate("--plant", bug)

    assert done.returncode == 0, done.stdout
    assert done.stdout == f"{bug}\tseed {CAUGHT[bug].seed}: {CAUGHT[bug].code}\n"


def test_every_planted_bug_was_caught_within_1000_seeds_by_what_a_checker_says() -> None:
    assert CAUGHT.keys() == BUGS.keys()
    assert max(catch.tried for catch in CAUGHT.values()) <= 1000
    assert not [bug for bug, catch in CAUGHT.items() if catch.code == "RAISED"]


class Worlds:
    """Stands for many seeds: some break, with the bug or without."""

    def __init__(self, *, with_it: tuple[int, ...], without: tuple[int, ...] = ()) -> None:
        self._broken = {"": without, "sent-twice": with_it}

    def run(self, chunks: Sequence[Sequence[int]], _jobs: int, bug: str) -> Iterator[list[Outcome]]:
        for chunk in reversed(chunks):
            yield [self._outcome(seed, bug) for seed in chunk]

    def _outcome(self, seed: int, bug: str) -> Outcome:
        outcome = runner.failed(seed, "broken")
        broken = (Violation("V19", f"seed {seed}"),) if seed in self._broken[bug] else ()
        return attrs.evolve(outcome, violations=broken)


def test_a_seed_that_breaks_without_the_bug_is_no_catch(monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = Worlds(with_it=(3, 20), without=(3,))
    monkeypatch.setattr(search, "run_chunks", worlds.run)

    found = search.search("sent-twice", 0, 100, 2)

    assert found.unsound == (3,)
    assert found.catch == search.Catch(20, 21, "V19", "seed 20")


def test_the_first_seed_counts_whichever_process_is_done_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "run_chunks", Worlds(with_it=(5, 9)).run)

    found = search.search("sent-twice", 2, 100, 2)

    assert found.catch == search.Catch(5, 4, "V19", "seed 5")


def test_a_bug_that_breaks_none_of_so_many_seeds_is_not_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "run_chunks", Worlds(with_it=(40,)).run)

    assert search.search("sent-twice", 0, 40, 2) == search.Search(None, ())


@pytest.mark.parametrize(
    ("worlds", "why"),
    [
        (Worlds(with_it=(5,)), ""),
        (Worlds(with_it=()), "breaks nothing with the bug"),
        (Worlds(with_it=(5,), without=(5,)), "breaks V19 without the bug"),
    ],
)
def test_a_record_is_wrong_when_its_seed_is_not_red_with_the_bug_and_green_without(
    worlds: Worlds, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "run_chunks", worlds.run)

    assert search.replay("sent-twice", search.Catch(5, 6, "V19", "seed 5")) == why


def test_a_record_is_wrong_when_something_else_breaks_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "run_chunks", Worlds(with_it=(5,)).run)

    assert search.replay("sent-twice", search.Catch(5, 6, "V3", "")) == ("breaks V19 first, not V3")


def test_a_failing_seed_prints_its_number_and_its_last_events() -> None:
    seed = CAUGHT["sent-twice"].seed
    done = simulate("--seed", str(seed), "--bug", "sent-twice")

    assert done.returncode == 1
    assert f"make simulate SEED={seed}" in done.stdout
    assert "V19: create" in done.stdout
    assert "was sent twice" in done.stdout


def test_a_run_goes_on_where_the_range_file_ends(tmp_path: Path) -> None:
    state = tmp_path / "range.json"
    for _ in range(2):
        done = simulate("--seeds", "2", "--from", "70", "--state", str(state))
        assert done.returncode == 0

    kept = json.loads(state.read_text())
    assert (kept["next_seed"], kept["seeds"]) == (74, 4)
    assert "seeds a second" in done.stdout
    assert "crashes" in done.stdout


def test_a_seed_whose_process_dies_has_failed_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(seed: int, *_plan: int, **_how: object) -> Outcome:
        if seed == 1:
            os._exit(9)
        return runner.failed(seed, "came to its end")

    monkeypatch.setattr(runner, "simulate", die)
    outcomes = [each for chunk in runner.run_chunks([[0], [1], [2]], 2) for each in chunk]
    told = {each.seed: each.violations[0].text for each in outcomes}

    assert told == {0: "came to its end", 1: "its process died: 9", 2: "came to its end"}


def test_a_crash_at_a_moment_is_counted_once() -> None:
    totals = runner.Totals(faults=Counter({"crash": 5, "crash.at_send": 2, "store.late": 4}))

    told = totals.text()

    assert "5 crashes" in told
    assert "9 faults: crash 5, crash.at_send 2, store.late 4" in told


def test_a_seed_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def turn_for_ever(_seed: int, *_plan: int, **_how: object) -> Outcome:
        while True:
            pass

    monkeypatch.setattr(runner, "simulate", turn_for_ever)
    monkeypatch.setattr(runner, "CPU_SECONDS", 0.2)
    ((outcome,),) = runner.run_chunks([[5]], 1)

    assert outcome.seed == 5
    assert "no end after" in outcome.violations[0].text


def test_a_bug_is_gone_when_its_test_is_over() -> None:
    before = [(owner, dict(vars(owner))) for owner in PATCHED]
    tables = [dict(table) for table in TABLES]
    for bug in BUGS:
        with planted(bug):
            pass

    assert [(owner, dict(vars(owner))) for owner in PATCHED] == before
    assert [dict(table) for table in TABLES] == tables


def test_there_are_enough_bugs_and_each_says_what_it_is() -> None:
    assert len(BUGS) >= 50
    assert len({bug.text for bug in BUGS.values()}) == len(BUGS)
    assert {name: row["wrong"] for name, row in json.loads(search.RECORD.read_text()).items()} == {
        name: bug.text for name, bug in BUGS.items()
    }

"""What the nightly comparison compares is what the committed results hold of ours."""

from typing import Any

import pytest

from benchmarks import nightly, results
from benchmarks.compare import Outcome

IN_PROCESS = [
    {"name": "bare Python floor", "ratio": [1.0, 1.0, 1.0]},
    {"name": "market order, filled at once", "ratio": [50.0, 48.0, 52.0]},
    {"name": "ticks without orders", "ratio": [2.5, 2.4, 2.6]},
]


@pytest.mark.parametrize("name", nightly.GROUPS)
def test_committed_results_of_a_group_give_ratios_above_nothing(name: str) -> None:
    group = nightly.GROUPS[name]
    kept = results.load().get(group.section)
    if kept is None:
        pytest.fail(f"docs/benchmarks.json has no {group.section}: run its command")

    ratios = group.ratios(kept["found"])

    assert ratios
    assert min(ratio.value for ratio in ratios.values()) > 0


def measured(monkeypatch: pytest.MonkeyPatch, *runs: list[dict[str, Any]]) -> list[Outcome]:
    """Outcomes of a group of which these were committed (first) and measured."""
    committed, *found = runs
    monkeypatch.setattr(results, "load", lambda: {"ours": {"found": committed}})
    group = nightly.Group("ours", nightly.of_rows, lambda _rounds, _names: found.pop(0))
    return group.outcomes(3, 0.1)


def test_a_group_names_the_case_whose_ratio_got_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    slower = [
        row | {"ratio": [3.0, 2.9, 3.1]} if "ticks" in row["name"] else row for row in IN_PROCESS
    ]

    outcomes = measured(monkeypatch, IN_PROCESS, slower, slower)

    assert [each.name for each in outcomes if each.fails()] == ["ticks without orders"]


def test_the_floor_itself_is_no_case(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = measured(monkeypatch, IN_PROCESS, IN_PROCESS)

    assert [each.name for each in outcomes] == [row["name"] for row in IN_PROCESS[1:]]

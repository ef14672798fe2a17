"""Measuring one part leaves the figures of the others as they were."""

from pathlib import Path

from benchmarks import results


def test_a_section_replaces_itself_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    results.keep("peers", ["first"], path)
    results.keep("ours", [1], path)

    results.keep("ours", [2], path)

    found = {name: section["found"] for name, section in results.load(path).items()}
    assert found == {"peers": ["first"], "ours": [2]}


def test_a_section_says_when_and_on_what_it_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"

    results.keep("ours", [1], path)

    assert results.processor() in results.load(path)["ours"]["measured"]


def test_a_figure_is_the_median_and_both_ends_of_its_samples() -> None:
    assert results.figure([3.0, 1.00004, 2.0]) == [2.0, 1.0, 3.0]

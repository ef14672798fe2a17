"""Results: what was measured last, by section, so that the peers need not run every time."""

import json
from typing import Any

from benchmarks.measure import Series
from benchmarks.peers.runner import ENVIRONMENTS

FILE = ENVIRONMENTS / "results.json"


def load() -> dict[str, Any]:
    """Every section that was ever measured here."""
    if not FILE.exists():
        return {}
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def keep_value(section: str, value: object) -> None:
    """Put one section in the place of its older one."""
    found = load()
    found[section] = value
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(found, indent=1), encoding="utf-8")


def keep(section: str, series: list[Series]) -> None:
    """Keep series."""
    keep_value(
        section,
        [
            {"name": s.name, "unit": s.unit, "per_second": s.per_second, "floors": s.floors}
            for s in series
        ],
    )


def series_of(section: str) -> list[Series]:
    """Series of a section; none if it was never measured."""
    return [Series(**fields) for fields in load().get(section, [])]

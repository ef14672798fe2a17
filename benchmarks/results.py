"""Results: what was measured last, by section, in one file that is committed beside the page.

A section is replaced as a whole and no other is touched, so that a part can be measured alone. Each
says when and on what it was measured. Of many samples three are kept: see `Figure`.
"""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Series, middle
from benchmarks.peers.runner import ROOT

FILE: Final = ROOT / "docs" / "benchmarks.json"
Figure = list[float]
"""Median, lowest and highest of the samples of one figure."""


def figure(values: Sequence[float]) -> Figure:
    """Three of many samples, to four digits."""
    return [float(f"{each:.4g}") for each in (middle(values), min(values), max(values))]


def load(path: Path = FILE) -> dict[str, Any]:
    """Every section that was ever measured."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def keep(section: str, value: object, path: Path = FILE) -> None:
    """Put one section in the place of its older one."""
    found = load(path)
    found[section] = {"measured": stamp(), "found": value}
    text = json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def stamp() -> str:
    """When and on what this is measured, in words; the load says how much else went on."""
    today, load = datetime.now(UTC).date().isoformat(), os.getloadavg()[1]
    return (
        f"{today} on {processor()}, {os.cpu_count()} cores, Python {platform.python_version()};"
        f" load {load:.1f}"
    )


def processor() -> str:
    """What the machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "an unknown processor")


def rows_of(series: Sequence[Series]) -> list[dict[str, Any]]:
    """Series as they are kept."""
    return [
        {
            "name": each.name,
            "unit": each.unit,
            "per_second": figure(each.per_second),
            "ratio": figure(each.ratios),
        }
        for each in series
    ]

"""Record: what the kills of a matrix came to, kept in a file from which a stopped run goes on."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import attrs

from tests.crash_matrix.world import Kill

MADE_FOR = ("timers", "seed")
"""What a record must have in common with a run that adds to it."""


@attrs.define
class Record:
    """Kills, and what was broken, of all runs into one file.

    Attributes:
        path: Where it is kept, with a table beside it; None keeps it nowhere.
        world_cpu_s: What tests, service and exchange computed in all.
        seconds: From the first kill to the last of each run, added up.
    """

    timers: str
    seed: int
    path: Path | None = None
    kills: list[Kill] = attrs.field(factory=list)
    broken: list[str] = attrs.field(factory=list)
    seconds: float = 0.0
    world_cpu_s: float = 0.0
    chapters: int = 0

    @classmethod
    def of(cls, path: Path | None, timers: str, seed: int) -> "Record":
        """Go on with what the file holds. Raises ValueError if that was another matrix."""
        record = cls(timers, seed, path)
        if path is None or not path.exists():
            return record
        held: dict[str, Any] = json.loads(path.read_text())
        for name in MADE_FOR:
            if held[name] != getattr(record, name):
                raise ValueError(f"{path} was made with {name} {held[name]}: choose another file")
        held["kills"] = [Kill(**each) for each in held["kills"]]
        return cls(path=path, **held)

    def reached(self, point: str) -> int:
        """How often the service died at a point."""
        return sum(kill.reached for kill in self.kills if kill.point == point)

    def add(self, kills: Iterable[Kill], broken: Sequence[str], cpu_s: float) -> None:
        """Take what a chapter came to."""
        self.kills += kills
        self.broken += broken
        self.world_cpu_s += cpu_s
        self.chapters += 1

    def keep(self) -> None:
        """Write the file, and the table beside it."""
        if self.path is None:
            return
        held = {
            "timers": self.timers,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "world_cpu_s": round(self.world_cpu_s, 1),
            "chapters": self.chapters,
            "broken": self.broken,
            "kills": [attrs.asdict(kill) for kill in self.kills],
        }
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(held, indent=1))
        new.replace(self.path)
        self.path.with_suffix(".md").write_text(self.table() + "\n\n" + self.summary() + "\n")

    def table(self) -> str:
        """A row for each point, in Markdown; times are medians in seconds."""
        by_point: dict[str, list[Kill]] = defaultdict(list)
        for kill in self.kills:
            by_point[kill.point].append(kill)
        lines = [
            "| point | killed there | elsewhere | start | ready | until the kill | CPU |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        for point, kills in by_point.items():
            there = sum(kill.reached for kill in kills)
            times = [
                f"{median(getattr(kill, name) for kill in kills):.2f}"
                for name in ("start_s", "ready_s", "work_s", "cpu_s")
            ]
            lines.append(f"| `{point}` | {there} | {len(kills) - there} | {' | '.join(times)} |")
        return "\n".join(lines)

    def summary(self) -> str:
        """What it comes to."""
        there = sum(kill.reached for kill in self.kills)
        each = self.world_cpu_s / max(1, len(self.kills))
        told = (
            f"{there} kills at their point, {len(self.kills) - there} elsewhere, {self.timers} "
            f"timers, in {self.seconds:.0f} s; {each:.2f} s of CPU a kill, judging included."
        )
        holds = "Nothing lost, nothing doubled, books equal to the exchange's."
        return "\n".join([told, *(self.broken or [holds])])

"""Growth: what every process of a soak uses as it ages, and what is stored as time goes on.

A process is judged by itself, from when it was settled. Through files, sockets and threads a line
is fitted; of memory the highest of the second half is set beside that of the first, as an owner
holds a book that a standby does not. What grows by more than is allowed for makes the soak red.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import attrs

from tests.replicas.fleet import Life, Replica, Use

SETTLED_S: Final = 120.0
"""Life of a process, and of an owner, in which caches and retained orders still fill up."""
LEAST_S: Final = 180.0
"""A settled life shorter than this says nothing of growth."""
LEAST_OF_MEMORY_S: Final = 480.0
"""Nor of memory, whose halves must each have seen it act and stand by."""
MIB: Final = 2**20
LONG_S: Final = 900.0
"""A soak after which the spared replica must have been judged."""
_SPARING: Final = ("killed", "stopped")
_RETAINED: Final = "position_snapshots"


@attrs.frozen
class Bound:
    """How much more of something a process may use, by the fitted line."""

    name: str
    more: float

    def of(self, use: Use) -> float:
        return float(getattr(use, self.name))


BOUNDS: Final = (Bound("files", 8), Bound("sockets", 8), Bound("threads", 8))
MORE_MEMORY, MORE_BYTES = 0.15, 12 * MIB
FIXED: Final = {
    "instruments": 20,
    "positions": 20,
    "balances": 10,
    "trading_states": 20,
    "marks": 20,
}
"""Rows that do not become more with time: one for each thing that there is."""
PER_SIGNAL: Final = ("signals", "deliveries", "orders", "commands", "executions", "events")
MORE_PER_SIGNAL: Final = 1.5


def is_spared(spared: Replica, victim: Replica, deed: str) -> bool:
    """Whether a deed would end the one replica that no deed ends."""
    ends = any(word in deed for word in _SPARING) and "SQL" not in deed and "MQ" not in deed
    return victim is spared and ends


def settled(life: Life) -> Sequence[Use]:
    """What a process used since nothing of it filled up any more."""
    since = (life.acted_s or 0.0) + SETTLED_S
    return [each for each in life.uses if each.age_s >= since]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Growth a second of the line through points, by least squares."""
    number = len(points)
    mean_x = sum(x for x, _ in points) / number
    mean_y = sum(y for _, y in points) / number
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def of_life(name: str, life: Life) -> tuple[str, list[str]] | None:
    """What is seen of one process, and what of it is too much; None of a life too short."""
    uses = settled(life)
    if len(uses) < 9 or uses[-1].age_s - uses[0].age_s < LEAST_S:
        return None
    span = uses[-1].age_s - uses[0].age_s
    told, grown = [], []
    for bound in BOUNDS:
        points = [(each.age_s, bound.of(each)) for each in uses]
        growth = slope(points) * span
        text = f"{bound.name} {points[0][1]:.0f} {growth:+.1f}"
        told.append(text)
        if growth > bound.more:
            grown.append(text)
    half = len(uses) // 2
    before = max(each.resident for each in uses[:half])
    after = max(each.resident for each in uses[half:])
    told.append(f"resident at most {before / MIB:.0f} MiB, then {after / MIB:.0f} MiB")
    if span >= LEAST_OF_MEMORY_S and after > before * (1 + MORE_MEMORY) + MORE_BYTES:
        grown.append(told[-1])
    age = f"{name}, process {life.pid}, {uses[-1].age_s / 60:.0f} minutes old"
    return (
        f"{age}, settled for {span / 60:.0f}: {', '.join(told)}; by the minute {by_minute(life)}",
        [f"{age}, grows in {span / 60:.0f} minutes: {each}" for each in grown],
    )


def by_minute(life: Life) -> str:
    """The most resident MiB of every minute of a life."""
    minutes: dict[int, int] = {}
    for use in life.uses:
        minute = int(use.age_s // 60)
        minutes[minute] = max(minutes.get(minute, 0), use.resident)
    return " ".join(f"{size / MIB:.0f}" for size in minutes.values())


def of_replicas(
    replicas: Sequence[Replica], spared: Replica, seconds: float
) -> tuple[list[str], list[str]]:
    """Judge every process, and that the spared replica had only one.

    Args:
        seconds: How long it all went on: the spared one must have lived long enough to be judged,
            if there was time.
    """
    told: list[str] = []
    broken: list[str] = []
    for replica in replicas:
        longest = max(replica.lives, key=lambda life: life.uses[-1].age_s if life.uses else 0.0)
        for life in replica.lives:
            judged = of_life(replica.name, life)
            if judged is None:
                if life is longest and replica is spared:
                    text = f"{replica.name} acted too late to tell of its memory"
                    (broken if seconds > LONG_S else told).append(text)
                continue
            broken += judged[1]
            if life is longest:
                told.append(judged[0])
    if len(spared.lives) != 1:
        broken.append(f"{spared.name}, which nobody ended, was started {len(spared.lives)} times")
    return told, broken


Rows = tuple[float, int, Counter[str]]
"""Seconds since the beginning, signals sent by then, and the rows of every table."""


def of_tables(rows: Sequence[Rows], snapshots: int) -> tuple[list[str], list[str]]:
    """Judge what is stored: rows of things stay as many, those of signals as many for each.

    Args:
        rows: What was counted, in order of time.
        snapshots: The most snapshots of positions that so many intervals and owners can have made.
    """
    if len(rows) < 6:
        return [], ["the tables were not counted often enough"]
    last = rows[-1][2]
    most = FIXED | {_RETAINED: snapshots}
    broken = [
        f"table {name} has {last[name]} rows, more than {bound}"
        for name, bound in most.items()
        if last[name] > bound
    ]
    begin, middle, end = rows[0], rows[len(rows) // 2], rows[-1]
    told = []
    for name in PER_SIGNAL:
        early, late = _per_signal(name, begin, middle), _per_signal(name, middle, end)
        told.append(f"{name} {late:.2f}")
        if late > early * MORE_PER_SIGNAL + 1:
            broken.append(f"table {name} grew by {early:.2f} rows a signal, then by {late:.2f}")
    fixed = ", ".join(f"{name} {last[name]}" for name in most)
    return [f"rows a signal: {', '.join(told)}; rows: {fixed}"], broken


def _per_signal(name: str, since: Rows, until: Rows) -> float:
    return (until[2][name] - since[2][name]) / max(until[1] - since[1], 1)

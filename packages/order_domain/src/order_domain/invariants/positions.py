"""Positions: the ledger folded again, entry by entry, beside what was stored."""

from collections import deque
from collections.abc import Callable
from datetime import datetime

import attrs

from order_domain.invariants.reductions import Key, Reductions
from order_domain.invariants.report import Findings
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.instrument import ZERO
from order_domain.model.position import Position, PositionSnapshot

_MONEY = ("realized_pnl", "fees", "funding")
_REST = ("size", "entry_value", "updated_at", "version", "opened_at")


@attrs.define(slots=True)
class _Fold:
    """One position while the ledger is folded; `recent` holds its states at the newest moment."""

    position: Position
    at: datetime
    recent: list[Position]


class Positions:
    """Folds the ledger in booking order. Snapshots and rows come first, entries by number."""

    def __init__(self, findings: Findings, is_reduce_only: Callable[[str], bool]) -> None:
        self._findings = findings
        self._is_reduce_only = is_reduce_only
        self.ledger: dict[int, LedgerEntry] = {}
        self._last = 0
        self._keys: dict[tuple[str, str], int] = {}
        self._rows: dict[Key, Position] = {}
        self._folds: dict[Key, _Fold] = {}
        self._snapshots: dict[Key, deque[PositionSnapshot]] = {}
        self._told: dict[str, PositionSnapshot] = {}
        self._reductions = Reductions(findings)

    def take_position(self, row: Position) -> None:
        """Keep a stored position."""
        key = (row.instrument_id, row.position_side)
        self._findings.holds("V9", name_of(key), key not in self._rows, "one row per position")
        self._rows[key] = row

    def take_snapshot(self, row: PositionSnapshot) -> None:
        """Keep a stored snapshot; those of one position come by time."""
        key = (row.instrument_id, row.position_side)
        self._snapshots.setdefault(key, deque()).append(row)
        self._told[f"snapshot:{key[0]}:{key[1]}:{row.at.isoformat()}"] = row

    def take(self, entry: LedgerEntry) -> None:
        """Fold the next entry of the ledger."""
        execution, name = entry.execution, f"execution {entry.number}"
        self._findings.equal("V10", name, self._last + 1, entry.number, "the ledger has no gap")
        self._last = entry.number
        first = self._keys.setdefault((execution.instrument_id, execution.exec_id), entry.number)
        self._findings.equal("V7", name, entry.number, first, "an execution is booked once")
        self.ledger[entry.number] = entry
        key = (execution.instrument_id, execution.position_side)
        fold = self._folds.get(key)
        if fold is None:
            flat = Position.flat(*key, entry.booked_at)
            fold = self._folds[key] = _Fold(flat, entry.booked_at, [flat])
        self._judge_snapshots(key, fold, before=entry.booked_at)
        if entry.booked_at != fold.at:
            fold.at, fold.recent = entry.booked_at, [fold.position]
        fold.position, realized = fold.position.booked(execution, entry.booked_at)
        fold.recent.append(fold.position)
        self._findings.equal("V10", name, realized, entry.realized_pnl, "what it realised")
        self._reductions.take(entry)

    def finish(self, *, is_complete: bool) -> None:
        """Compare the folds with the stored rows.

        Args:
            is_complete: Nothing the exchange has executed is missing, so reductions can be judged.
        """
        for subject in self._told:
            self._findings.holds("V13", subject, truth=False, text="the snapshot was told")
        for key, fold in self._folds.items():
            self._judge_snapshots(key, fold, before=None)
            row = self._rows.get(key)
            if self._findings.holds("V9", name_of(key), row, "its row exists"):
                compare(self._findings, fold.position, row, name_of(key))
        for key in sorted(self._rows.keys() - self._folds.keys()):
            size = self._rows[key].size
            self._findings.equal("V9", name_of(key), ZERO, size, "without executions it is flat")
        for key in sorted(self._snapshots.keys() - self._folds.keys()):
            for snapshot in self._snapshots[key]:
                self._findings.equal(
                    "V9", name_of(key), ZERO, snapshot.size, "a snapshot of nothing"
                )
        if is_complete:
            ids = self._reductions.orders(None)
            self._reductions.judge(None, {each for each in ids if self._is_reduce_only(each)})

    def _judge_snapshots(self, key: Key, fold: _Fold, before: datetime | None) -> None:
        waiting = self._snapshots.get(key)
        while waiting and (before is None or waiting[0].at < before):
            snapshot = waiting.popleft()
            candidates = fold.recent if snapshot.at == fold.at else [fold.position]
            stored = (snapshot.size, snapshot.entry_value, snapshot.realized_pnl)
            states = [(each.size, each.entry_value, each.realized_pnl) for each in candidates]
            name = f"snapshot of {name_of(key)} at {snapshot.at.isoformat()}"
            self._findings.holds("V9", name, stored in states, "as the ledger stood", stored)
            worth = None
            if snapshot.mark is not None:
                held = Position(*key, *stored, {}, ZERO, snapshot.at, 0)
                worth = held.unrealized_pnl(snapshot.mark)
            self._findings.equal("V10", name, worth, snapshot.unrealized_pnl, "unrealised PnL")

    def take_event(self, event: Event) -> None:
        """Compare what was told of a snapshot with its row; rows of long ago may be gone."""
        snapshot = self._told.pop(event.subject, None)
        if snapshot is None:
            return
        told = (
            ("size", snapshot.size),
            ("mark", snapshot.mark),
            ("unrealized_pnl", snapshot.unrealized_pnl),
        )
        self._findings.equal("V13", event.subject, event.detail, told, "the snapshot was told so")


def compare(findings: Findings, fold: Position, row: object, name: str) -> None:
    """Compare a stored position with what its executions make of it, field by field."""
    for code, fields in (("V9", _REST), ("V10", _MONEY)):
        for field in fields:
            expected, actual = getattr(fold, field), getattr(row, field)
            findings.equal(code, name, expected, actual, f"{field} is the fold of the ledger")


def name_of(key: Key) -> str:
    """What a position is called in a report."""
    return f"position {key[0]} {key[1]}"

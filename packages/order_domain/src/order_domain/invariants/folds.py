"""Folds: positions folded from the ledger as it grows, beside the rows read meanwhile."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from order_domain.invariants.positions import compare, name_of
from order_domain.invariants.reductions import Key, Reductions
from order_domain.invariants.report import Findings, Report
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import is_ours
from order_domain.model.instrument import ZERO
from order_domain.model.order import Order
from order_domain.model.position import Position

SEEN: Final = 50_000
"""Executions that are looked for a second time, the newest. Beyond them the store has an index."""
LOOSE: Final = 5_000
"""Entries kept that name no order of ours: a stranger's order may become known after its fills."""


class Folds:
    """Takes the ledger by number, once; compares positions as often as somebody reads them.

    Rows and ledger of a store at work cannot be read at one moment. So the rows are read between
    two readings of the ledger, and each must be what it was at some entry between them.

    Args:
        findings: Get what the entries themselves say.

    Attributes:
        number: Of the newest entry taken.
        reductions: The same entries in the exchange's order, to be judged as far as they are known.
    """

    def __init__(self, findings: Findings) -> None:
        self.number = 0
        self._findings = findings
        self._states: dict[Key, list[Position]] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._loose: dict[int, LedgerEntry] = {}
        self._forgot_at: datetime | None = None
        self.reductions = Reductions(findings)

    def take(self, entry: LedgerEntry) -> None:
        """Fold the next entry."""
        findings, name = self._findings, f"execution {entry.number}"
        findings.equal("V10", name, self.number + 1, entry.number, "the ledger has no gap")
        self.number = entry.number
        execution = entry.execution
        first = self._seen.setdefault((execution.instrument_id, execution.exec_id), entry.number)
        findings.equal("V7", name, entry.number, first, "an execution is booked once")
        if len(self._seen) > SEEN:
            del self._seen[next(iter(self._seen))]
        self._keep(entry)
        self.reductions.take(entry)
        key = (execution.instrument_id, execution.position_side)
        states = self._states.get(key)
        if states is None:
            states = self._states[key] = [Position.flat(*key, entry.booked_at)]
        position, realized = states[-1].booked(execution, entry.booked_at)
        findings.equal("V10", name, realized, entry.realized_pnl, "what it realised")
        states.append(position)

    def of_stranger(self, order: Order, until: datetime) -> list[LedgerEntry] | None:
        """Entries of a stranger's order that were booked up to a moment, before it was known.

        None if some may have been forgotten.
        """
        if self._forgot_at is not None and until <= self._forgot_at:
            return None
        return [
            entry
            for entry in self._loose.values()
            if entry.execution.venue_order_id == order.venue_order_id and entry.booked_at <= until
        ]

    def _keep(self, entry: LedgerEntry) -> None:
        if is_ours(entry.execution.client_order_id or ""):
            return
        self._loose[entry.number] = entry
        if len(self._loose) > LOOSE:
            oldest = self._loose.pop(next(iter(self._loose)))
            self._forgot_at = oldest.booked_at

    def begin(self) -> None:
        """Rows are read from now on: what was before the newest entry is no candidate any more."""
        for states in self._states.values():
            del states[:-1]

    def compare(self, rows: Iterable[Position]) -> Report:
        """Compare all rows, as they were read since `begin`."""
        findings = Findings()
        stored = {(row.instrument_id, row.position_side): row for row in rows}
        for key, row in stored.items():
            states = self._states.get(key)
            if states is None:
                text = "without executions it is flat"
                findings.equal("V9", name_of(key), ZERO, row.size, text)
            elif row in states:
                findings.checked += 1
            else:
                compare(findings, states[-1], row, name_of(key))
        for key, states in self._states.items():
            is_new = states[0].version == 0
            findings.holds("V9", name_of(key), key in stored or is_new, "its row exists")
        return findings.report()

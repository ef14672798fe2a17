"""Folds: positions folded from the ledger as it grows, beside the rows read meanwhile."""

from collections.abc import Iterable

from order_domain.invariants.positions import Key, compare, name_of
from order_domain.invariants.report import Findings, Report
from order_domain.model.execution import LedgerEntry
from order_domain.model.instrument import ZERO
from order_domain.model.position import Position


class Folds:
    """Takes the ledger by number, once; compares positions as often as somebody reads them.

    Rows and ledger of a store at work cannot be read at one moment. So the rows are read between
    two readings of the ledger, and each must be what it was at some entry between them.

    Args:
        findings: Get what the entries themselves say.

    Attributes:
        number: Of the newest entry taken.
    """

    def __init__(self, findings: Findings) -> None:
        self.number = 0
        self._findings = findings
        self._states: dict[Key, list[Position]] = {}

    def take(self, entry: LedgerEntry) -> None:
        """Fold the next entry."""
        findings, name = self._findings, f"execution {entry.number}"
        findings.equal("V10", name, self.number + 1, entry.number, "the ledger has no gap")
        self.number = entry.number
        execution = entry.execution
        key = (execution.instrument_id, execution.position_side)
        states = self._states.get(key)
        if states is None:
            states = self._states[key] = [Position.flat(*key, entry.booked_at)]
        position, realized = states[-1].booked(execution, entry.booked_at)
        findings.equal("V10", name, realized, entry.realized_pnl, "what it realised")
        states.append(position)

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

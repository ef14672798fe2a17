"""States: V6, trading states beside what was told of them."""

from collections.abc import Iterable, Sequence
from typing import Final

from order_domain.invariants.report import Findings
from order_domain.model.enums import EventKind
from order_domain.model.events import Event
from order_domain.model.rows import TradingStateRow

OPERATOR: Final = "OPERATOR"
"""The cause of states that people set; they may do so without owning the account."""
_Key = tuple[str, str]


class States:
    """Takes state rows and events; events come by number, rows before or after them.

    What was told is kept by scope and cause, so that it stays small however long it goes on. A row
    may be newer than the newest event: who sets one beside the owner is told of by the owner, and
    what is set while nobody owns the account is loaded by the next one and never told.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._told: dict[_Key, Event] = {}

    def take_event(self, event: Event) -> None:
        """Take the next event, of whatever it tells."""
        if event.kind is EventKind.TRADING_STATE_CHANGED:
            scope = str(dict(event.detail).get("scope"))
            self._told[scope, event.code] = event

    def compare(self, rows: Sequence[TradingStateRow], findings: Findings) -> None:
        """Compare rows, read after the events that were taken, with what these told."""
        for row in rows:
            event = self._told.get((row.scope, row.cause))
            if event is not None:
                _compare(findings, row, event)

    def check_versions(self, rows: Iterable[TradingStateRow]) -> None:
        """No two changes share a version, once every event was taken.

        A person may set a state beside the owner at the same time, and so with its version.
        """
        by_version: dict[int, list[TradingStateRow]] = {}
        for row in rows:
            by_version.setdefault(row.version, []).append(row)
        for version, same in by_version.items():
            told = [row for row in same if self._has_told(row)]
            outside = [row for row in same if row not in told and row.cause == OPERATOR]
            is_fine = len(same) == 1 or (len(told) <= 1 and len(told) + len(outside) == len(same))
            for row in same:
                self._findings.holds(
                    "V6", name_of(row), is_fine, "every change has a version", version
                )

    def _has_told(self, row: TradingStateRow) -> bool:
        event = self._told.get((row.scope, row.cause))
        return event is not None and _version(event) == row.version


def name_of(row: TradingStateRow) -> str:
    """What a state is called in a report."""
    return f"trading state {row.scope} {row.cause}"


def _compare(findings: Findings, row: TradingStateRow, event: Event) -> None:
    name, version = name_of(row), _version(event)
    findings.holds("V6", name, row.version >= version, "no told change is taken back", row.version)
    if row.version == version:
        detail = dict(event.detail)
        told = tuple(detail.get(word) for word in ("state", "actor", "reason"))
        stored = (row.state.value, row.actor, row.reason)
        findings.equal("V6", name, told, stored, "the state is what was told")


def _version(event: Event) -> int:
    return int(event.subject.partition(":")[2])

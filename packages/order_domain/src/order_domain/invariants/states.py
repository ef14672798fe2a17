"""States: V6, trading states beside what was told of them, and what was claimed in their spite."""

from collections.abc import Iterable, Sequence
from typing import Final

from order_domain.invariants.report import Findings
from order_domain.model.enums import EventKind, Trading
from order_domain.model.events import Event
from order_domain.model.order import Order
from order_domain.model.rows import TradingStateRow

OPERATOR: Final = "OPERATOR"
"""The cause of states that people set; they may do so without owning the account."""
SUSPECTS: Final = 1_000
"""Claims that are kept until it shows whether they are broken; there are mostly none."""
_STATES: Final = {state.value: state for state in Trading}
_Key = tuple[str, str]


class States:
    """Takes state rows and events; events come by number, rows before or after them.

    What was told is kept by scope and cause, so that it stays small however long it goes on. A row
    may be newer than the newest event: who sets one beside the owner is told of by the owner, and
    what is set while nobody owns the account is loaded by the next one and never told. So a claim
    in spite of a state is broken only if the versions show that no change was left untold from that
    state up to the one after the claim: together they have no gap.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._told: dict[_Key, Event] = {}
        self._known: dict[_Key, Event] = {}
        self._newest = 0
        self._suspects: dict[str, list[str]] = {}

    def take_event(self, event: Event) -> None:
        """Take the next event, of whatever it tells."""
        if event.kind is EventKind.TRADING_STATE_CHANGED:
            version = _version(event)
            is_whole = version <= self._newest + 1
            self._settle(is_whole=is_whole)
            if not is_whole:
                self._known.clear()  # any of them may have been changed meanwhile
            self._newest = max(self._newest, version)
            scope = str(dict(event.detail).get("scope"))
            self._told[scope, event.code] = self._known[scope, event.code] = event
        elif event.kind is EventKind.ORDER_SUBMITTED and event.order is not None:
            self._claim(event, event.order)

    def compare(self, rows: Sequence[TradingStateRow], findings: Findings) -> None:
        """Compare rows, read after the events that were taken, with what these told.

        What is found of claims goes to the findings of all.
        """
        self._settle(is_whole=all(row.version <= self._newest for row in rows))
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

    def _claim(self, event: Event, order: Order) -> None:
        """An order that adds risk is not claimed in a state that was told before its moment."""
        terms = order.terms
        if terms.reduce_only:
            return
        scopes = ("account", f"strategy:{terms.strategy_id}", f"symbol:{terms.instrument_id}")
        against = [
            f"{scope} {cause}"
            for (scope, cause), told in self._known.items()
            if scope in scopes and _state(told) is not Trading.ACTIVE and told.at < event.at
        ]
        if not against:
            self._findings.checked += 1
        elif len(self._suspects) < SUSPECTS:
            self._suspects[f"order {event.subject}"] = against

    def _settle(self, *, is_whole: bool) -> None:
        """Tell of the suspects, if every change of a state up to now was told."""
        suspects, self._suspects = self._suspects, {}
        text = "nothing that adds risk is claimed while a state forbids it"
        for name, against in suspects.items():
            if is_whole:
                self._findings.equal("V6", name, [], against, text)


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


def _state(event: Event) -> Trading:
    """The state that an event told; one that cannot be read is found by the comparison."""
    return _STATES.get(str(dict(event.detail).get("state")), Trading.ACTIVE)


def _version(event: Event) -> int:
    return int(event.subject.partition(":")[2])

"""Which crash points a flush passes, told from the inputs and effects it holds."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from order_domain.model.enums import CommandKind
from order_domain.model.execution import Execution
from order_domain.model.inputs import Input, SignalDelivered
from order_domain.model.reports import Answer, LookupResult, OrderReport, SweepResult
from order_domain.model.rows import Mark
from order_domain.model.steps import SendCreate, Step
from order_service.runtime.crash import crash_point, is_armed

LATER_STEPS: Final = 3
"""Steps behind a flush under way that make it worth a crash."""
_BEFORE: Final[Mapping[type, str]] = {
    SignalDelivered: "intent.before_commit",
    OrderReport: "report.before_commit",
    Execution: "report.before_commit",
    LookupResult: "recon.before_commit",
    SweepResult: "recon.before_commit",
}
_AFTER: Final[Mapping[type, str]] = {
    SignalDelivered: "intent.after_commit",
    OrderReport: "report.after_commit",
    Execution: "report.after_commit",
}


class Committed(Protocol):
    """What is looked at here of a step in the tail."""

    @property
    def message(self) -> Input | None: ...
    @property
    def step(self) -> Step: ...


def before_commit(entries: Iterable[Committed], carried: Mapping[str, Mark]) -> None:
    """Pass the points right before the transaction; `carried` are the cursors it moves."""
    if not is_armed():
        return
    for entry in entries:
        crash_point(_BEFORE.get(type(entry.message), ""))
        if any(isinstance(effect, SendCreate) for effect in entry.step.effects):
            crash_point("submit.before_claim_commit")
    if carried:
        crash_point("cursor.before_move")


def after_commit(entries: Iterable[Committed]) -> None:
    """Pass the points right after the transaction, before anything has left."""
    if not is_armed():
        return
    for entry in entries:
        crash_point(_AFTER.get(type(entry.message), ""))
        if isinstance(entry.message, Answer) and entry.message.kind is CommandKind.CREATE:
            crash_point("submit.after_commit")
    crash_point("after_commit.before_release")


def during_commit(later: int) -> None:
    """Pass the point of a step that is taken while a flush is under way."""
    if later >= LATER_STEPS:
        crash_point("flush.in_flight")

"""Crash points: named places where a test has the process killed.

Off unless armed by the composition root.
"""

import os
import signal
from collections.abc import Mapping
from typing import Final

import attrs

from order_domain.errors import InvalidValue

POINTS: Final[Mapping[str, str]] = {
    "signal.received": "A delivery came in; nothing is decided.",
    "intent.before_commit": "A signal is decided in memory; its flush is about to begin.",
    "intent.after_commit": "A signal's verdict is durable; it is not acknowledged.",
    "signal.after_ack": "The source has forgotten the delivery.",
    "parked.after_ack": "A signal that waits is durable and acknowledged.",
    "submit.before_claim_commit": "A claim is decided in memory; its flush is about to begin.",
    "submit.after_claim": "The claim is durable; no byte has left.",
    "submit.mid_send": "Half of the bytes of a command have left (REST).",
    "submit.after_send": "All bytes of a command have left; no answer was read.",
    "submit.after_response": "The answer to a create or amend was read; nobody was told.",
    "submit.after_commit": "The answer to a create is durable.",
    "cancel.after_send": "The answer to a cancel was read; nobody was told.",
    "halt.mid_cancel_all": "The first of several cancels of one request is on its way.",
    "report.received": "The exchange has pushed something; it is not taken.",
    "report.before_commit": "A report or execution is taken in memory; its flush begins.",
    "report.after_commit": "A report or execution is durable.",
    "recon.after_query": "A look-up or sweep has its answer; it is not taken.",
    "recon.before_commit": "The result of a look-up or sweep is taken in memory.",
    "outbox.after_read": "Committed events were read for a publisher.",
    "outbox.after_publish": "An event has left for the broker; it is not confirmed.",
    "outbox.after_confirm": "An event is safe at the publisher; the cursor has not moved.",
    "cursor.before_move": "The flush that moves a publisher's cursor is about to begin.",
    "flush.in_flight": "A flush is under way, and three later steps are applied to the book.",
    "flush.answer_lost": "The store has answered a flush; the answer was not looked at.",
    "after_commit.before_release": "A flush is known to be durable; nothing of it has left.",
    "rebuild.between_two_inputs": "A rebuild has committed one kept input, and more are left.",
    "lease.after_acquire": "The account was taken over; nothing is loaded.",
    "shutdown.draining": "A graceful stop has begun.",
}
"""What has happened when a point is passed, in the order of an order's life."""


@attrs.define(slots=True)
class _Trap:
    name: str = ""
    passes: int = 0


_TRAP = _Trap()


def arm(spec: str) -> None:
    """Kill this process at the n-th pass of a point: `name:n`.

    Empty text disarms. Raises InvalidValue.
    """
    name, _, passes = spec.partition(":")
    if spec and not (name in POINTS and passes.isdecimal() and int(passes) > 0):
        rule = "name:n with a known name and n of at least 1"
        raise InvalidValue(field="crash_at", rule=rule, value=spec)
    _TRAP.name, _TRAP.passes = name, int(passes or 0)


def crash_point(name: str) -> None:
    """Die here without any clean-up, if this is the armed pass of the armed point."""
    if name != _TRAP.name:
        return
    _TRAP.passes -= 1
    if not _TRAP.passes:
        os.kill(os.getpid(), signal.SIGKILL)


def is_armed() -> bool:
    """Whether any point is armed, for callers who would have to find out which they pass."""
    return bool(_TRAP.name)

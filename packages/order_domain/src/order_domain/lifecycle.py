"""The order's life as one table.

What every (state, trigger) pair leads to, and who ended the order (protocol part 7).

Everything that decides a status is in this file. A state is a status, and for ended orders also who
ended it: what a report of the exchange ended absorbs everything; what an answer or we ended gives
way to a later report.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from order_domain.errors import IllegalTransition
from order_domain.model.enums import EndedBy, OrderStatus
from order_domain.model.members import direct


@direct
class Trigger(StrEnum):
    """What may happen to an order."""

    CLAIM = "claim"
    """We take a token, stamp the request and may send (us)."""
    WITHDRAW = "withdraw"
    """We drop an intent that was never sent, or provably never arrived (us)."""
    LAPSE = "lapse"
    """valid_until has passed and the exchange provably does not have it (us)."""
    ACK = "ack"
    """Answer: queued."""
    REFUSE = "refuse"
    """Answer: definitely refused, for the newest attempt."""
    NOT_ACCEPTED = "not_accepted"
    """Answer, or proven absence: this attempt never became an order; the next may follow."""
    LOSE = "lose"
    """No answer, or one that proves nothing."""
    SHOW = "show"
    """Report: it rests at the exchange."""
    FILL = "fill"
    """Execution booked; some quantity is left."""
    FILL_ALL = "fill_all"
    """Execution booked or report agreed with: nothing is left."""
    END_CANCELLED = "end_cancelled"
    """Report: cancelled, and the ledger agrees with its cumulative quantity."""
    END_REJECTED = "end_rejected"
    """Report: rejected after the acknowledgement."""


S, T, E = OrderStatus, Trigger, EndedBy
State = tuple[OrderStatus, EndedBy]
ABSORB: Final = None
"""The trigger is taken note of, the status stays."""

_ALIVE, _REPORT, _ANSWER, _US = E.NOBODY, E.REPORT, E.ANSWER, E.US
_FACTS: Final[Mapping[Trigger, State]] = {
    T.SHOW: (S.WORKING, _ALIVE),
    T.FILL: (S.PARTIALLY_FILLED, _ALIVE),
    T.FILL_ALL: (S.FILLED, _REPORT),
    T.END_CANCELLED: (S.CANCELLED, _REPORT),
    T.END_REJECTED: (S.REJECTED, _REPORT),
}
_ANSWERS: Final = (T.ACK, T.REFUSE, T.NOT_ACCEPTED, T.LOSE)
_IGNORE_ANSWERS: Final[Mapping[Trigger, State | None]] = dict.fromkeys(_ANSWERS, ABSORB)
_ABSORB_ALL: Final[Mapping[Trigger, State | None]] = dict.fromkeys((*_ANSWERS, *_FACTS), ABSORB)
# A fact beats our own word and any answer: the order is where the exchange says it is.
_GIVES_WAY: Final[Mapping[Trigger, State | None]] = {**_IGNORE_ANSWERS, **_FACTS}

OUTCOMES: Final[Mapping[State, Mapping[Trigger, State | None]]] = {
    (S.INTENT, _ALIVE): {
        **_FACTS,  # an earlier attempt lives after all
        T.CLAIM: (S.SUBMITTING, _ALIVE),
        T.WITHDRAW: (S.CANCELLED, _US),
        T.LAPSE: (S.EXPIRED, _US),
        T.ACK: (S.ACKED, _ALIVE),  # late answer of an earlier attempt
        T.REFUSE: (S.REJECTED, _ANSWER),
        T.NOT_ACCEPTED: ABSORB,
        T.LOSE: ABSORB,
    },
    (S.SUBMITTING, _ALIVE): {
        **_FACTS,  # reports outrun answers
        T.ACK: (S.ACKED, _ALIVE),
        T.REFUSE: (S.REJECTED, _ANSWER),
        T.NOT_ACCEPTED: (S.INTENT, _ALIVE),
        T.LOSE: (S.UNKNOWN, _ALIVE),
    },
    (S.UNKNOWN, _ALIVE): {
        **_FACTS,
        T.ACK: (S.ACKED, _ALIVE),
        T.REFUSE: (S.REJECTED, _ANSWER),
        T.NOT_ACCEPTED: (S.INTENT, _ALIVE),
        T.LOSE: ABSORB,
        T.LAPSE: (S.EXPIRED, _US),
    },
    # An acknowledgement means queued, so the engine of the exchange may still reject.
    (S.ACKED, _ALIVE): {**_IGNORE_ANSWERS, **_FACTS},
    (S.WORKING, _ALIVE): {**_IGNORE_ANSWERS, **_FACTS, T.SHOW: ABSORB},
    (S.PARTIALLY_FILLED, _ALIVE): {**_IGNORE_ANSWERS, **_FACTS, T.SHOW: ABSORB, T.FILL: ABSORB},
    (S.FILLED, _REPORT): _ABSORB_ALL,
    (S.CANCELLED, _REPORT): _ABSORB_ALL,  # late fills are booked without reopening
    (S.REJECTED, _REPORT): _ABSORB_ALL,
    (S.CANCELLED, _US): _GIVES_WAY,
    (S.EXPIRED, _US): _GIVES_WAY,
    (S.REJECTED, _ANSWER): _GIVES_WAY,
    (S.DENIED, _US): _GIVES_WAY,  # never sent by us; if the exchange shows it, it counts
}


def outcome(
    status: OrderStatus, ended_by: EndedBy, trigger: Trigger, subject: str = ""
) -> State | None:
    """Return the state a trigger leads to, or None when it is absorbed.

    Raises:
        IllegalTransition: The pair cannot happen unless our own code is wrong (only CLAIM, WITHDRAW
            and LAPSE can).
    """
    try:
        return OUTCOMES[status, ended_by][trigger]
    except KeyError:
        raise IllegalTransition(
            status=status, ended_by=ended_by, trigger=trigger, client_order_id=subject
        ) from None


_NEIGHBOURS: Final[Mapping[OrderStatus, str]] = {
    **dict.fromkeys((S.INTENT, S.SUBMITTING, S.UNKNOWN, S.ACKED, S.WORKING), "pending"),
    S.PARTIALLY_FILLED: "partially_filled",
    S.FILLED: "filled",
    S.CANCELLED: "cancelled",
    S.DENIED: "rejected",
    S.REJECTED: "rejected",
}


def status_for_neighbours(status: OrderStatus, *, has_fills: bool) -> str:
    """Map to the six words the neighbouring services know (protocol 7.2)."""
    if status is S.EXPIRED:
        return "cancelled" if has_fills else "rejected"
    return _NEIGHBOURS[status]


def to_mermaid() -> str:
    """Draw the table as a Mermaid state diagram.

    Parallel edges share a line, absorbed triggers are left out.
    """
    lines = ["stateDiagram-v2", "    [*] --> DENIED: deny", "    [*] --> INTENT: decide"]
    for source, edges in OUTCOMES.items():
        targets: dict[State, list[str]] = {}
        for trigger, target in edges.items():
            if target is not None:
                targets.setdefault(target, []).append(trigger.value)
        lines += [
            f"    {_name(source)} --> {_name(target)}: {', '.join(words)}"
            for target, words in targets.items()
        ]
    lines += [f"    {_name(state)} --> [*]" for state in OUTCOMES if state[1] is _REPORT]
    return "\n".join(lines) + "\n"


def _name(state: State) -> str:
    status, ended_by = state
    return (
        f"{status}_BY_{ended_by.upper()}"
        if ended_by in (_US, _ANSWER) and status is not S.DENIED
        else status.value
    )

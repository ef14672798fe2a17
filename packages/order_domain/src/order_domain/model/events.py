"""Event.

One thing that happened, numbered without gaps, complete enough to be published from its row alone.
"""

from datetime import datetime

import attrs

from order_domain.model.enums import EventKind
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order


@attrs.define(slots=True)
class Event:
    """What happened to one subject.

    The journal numbers events of the account in commit order; `sequence` counts those of one order
    (it equals the order's version), so that `event_id(subject, sequence)` is stable however often
    it is published.

    Attributes:
        subject: Client order id, else `signal:<id>`, `position:<instrument>:<side>`, `account`.
        sequence: 1..n per order; for other subjects the account-wide counter of the book.
        order: The order as it stands after the event, for order events.
        ledger: The booked execution, for events a fill caused.
        code, text: Machine reason and its detail.
        detail: Further facts as (name, value) pairs of plain values.
    """

    kind: EventKind
    at: datetime
    subject: str
    sequence: int
    order: Order | None = None
    ledger: LedgerEntry | None = None
    code: str = ""
    text: str = ""
    detail: tuple[tuple[str, object], ...] = ()

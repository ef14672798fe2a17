"""Command.

An amend or a cancel on its way. A create has no row of its own: its life is the order's status.
"""

from datetime import datetime
from decimal import Decimal

import attrs

from order_domain.model.enums import CommandKind, CommandStatus
from order_domain.model.identifiers import ClientOrderId


@attrs.define(slots=True, kw_only=True)
class Command:
    """One amend or cancel of one order; key is (client_order_id, kind, number).

    Attributes:
        number: 1..n per order and kind.
        status: PENDING until claimed, SENT until answered, then DONE, REFUSED or UNKNOWN.
        attempt, request_ts: The newest claim.
        not_before: Earliest next claim after a definite non-acceptance or an unanswered cancel.
        valid_until: Last moment of a claim; None for cancels, which are never too late.
        price, quantity: New absolute values of an amend.
        reason: Why: a code such as NEW_SIGNAL, STALE, OPERATOR, LATE_BIRTH.
        request_id: The person's request that asked for it, empty for policy.
    """

    client_order_id: ClientOrderId
    kind: CommandKind
    number: int
    status: CommandStatus
    reason: str
    created_at: datetime
    updated_at: datetime
    valid_until: datetime | None = None
    attempt: int = 0
    request_ts: datetime | None = None
    not_before: datetime | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    code: str = ""
    request_id: str = ""

    @property
    def is_open(self) -> bool:
        """Not settled: its effect may still come."""
        return self.status in (CommandStatus.PENDING, CommandStatus.SENT, CommandStatus.UNKNOWN)

"""Step: what one call of the engine asks for. Changes first commit; only then do effects leave."""

from datetime import datetime
from decimal import Decimal

import attrs

from order_domain.model.enums import Verdict
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.order import Order
from order_domain.model.rows import Change


@attrs.define(slots=True)
class SendCreate:
    """Send the create of this order; the order names attempt and request time."""

    order: Order


@attrs.define(slots=True)
class SendAmend:
    """Send new absolute values of a working order."""

    order: Order
    number: int
    attempt: int
    request_ts: datetime
    price: Decimal | None
    quantity: Decimal | None


@attrs.define(slots=True)
class SendCancel:
    """Ask to cancel an order."""

    order: Order
    number: int
    attempt: int
    request_ts: datetime


@attrs.define(slots=True)
class Acknowledge:
    """The delivery is settled or parked durably: the broker may forget it."""

    number: int
    verdict: Verdict
    code: str = ""


@attrs.define(slots=True)
class Reply:
    """Answer a person's request. `code` is OK or the reason of the refusal."""

    request_id: str
    code: str
    result: tuple[tuple[str, object], ...] = ()


@attrs.define(slots=True)
class LookUp:
    """Ask realtime, history and executions for one client order id.

    No row: may leave before any commit.

    Attributes:
        order: Its newest version, which knows the instrument, and the exchange's id of an order
            that has no client order id of its own.
    """

    client_order_id: ClientOrderId
    attempt: int
    order: Order | None = None


@attrs.define(slots=True)
class Sweep:
    """Read open orders, executions since `since`, positions and wallet completely. No row.

    Attributes:
        first: Nothing of the account is known yet: the executions of orders that are open and
            filled in part count too, since these orders were placed.
    """

    reason: str
    since: datetime | None
    first: bool = False


Effect = SendCreate | SendAmend | SendCancel | Acknowledge | Reply
Query = LookUp | Sweep


@attrs.define(slots=True)
class Step:
    """The outcome of one input.

    Attributes:
        number: 1..n per engine, in order; the committer commits and releases in this order.
        changes: Rows to write, already applied to the book, in order.
        effects: To be released once this step and all before it are committed.
        queries: May leave at once.
    """

    number: int
    changes: list[Change]
    effects: list[Effect]
    queries: list[Query]


@attrs.define(slots=True)
class Need:
    """The book lacks rows to decide this; nothing was changed. Bring them and step again.

    Attributes:
        signals: Signal ids to look up (all generations).
        orders: Client order ids to look up, with their ledger entries.
        venue_orders: Venue order ids whose client order id is not known.
        executions: (instrument id, exec id) pairs to look up in the ledger.
        requests: Request ids (idempotency keys) to look up.
    """

    signals: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    venue_orders: tuple[str, ...] = ()
    executions: tuple[tuple[str, str], ...] = ()
    requests: tuple[str, ...] = ()

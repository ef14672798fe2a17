"""Rows that are not things of their own.

What became of deliveries and signals, states, marks, requests.

Every row class of the book is listed in `ROW_TYPES`. A change is a new version of one row;
`Book.apply` puts it in place of the old one, and loading a store applies the same rows through the
same function.
"""

from datetime import datetime

import attrs

from order_domain.model.balance import Balance
from order_domain.model.command import Command
from order_domain.model.enums import Trading, Verdict
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position, PositionSnapshot
from order_domain.model.quote import Quote
from order_domain.model.signal import TradingSignal

Trace = tuple[tuple[str, object, object, bool], ...]
"""(code, limit, actual, passed) of each check, in the order they ran.

Text is made when it is read.
"""


@attrs.define(slots=True)
class SignalRow:
    """A signal and what became of it; key is (signal_id, generation).

    Attributes:
        delivery: Number of the delivery that brought it (a line number, or the intake counter).
        deadline: When a parked signal expires; None once it has its verdict.
        trace: How it was decided.
        quote: The quote the decision used.
        order_ids: Orders it made, parents and children.
    """

    signal: TradingSignal
    generation: int
    delivery: int
    received_at: datetime
    verdict: Verdict
    code: str
    decided_at: datetime | None = None
    deadline: datetime | None = None
    trace: Trace = ()
    quote: Quote | None = None
    order_ids: tuple[ClientOrderId, ...] = ()


@attrs.define(slots=True)
class DeliveryRow:
    """A delivery that brought nothing new.

    A duplicate, a conflict or an invalid body; key is `number`.

    Attributes:
        field, rule, value: What was wrong, for invalid ones; `value` is cut to 200 characters.
        body: The raw text (cut to 64 KiB), kept so that nothing is lost.
    """

    number: int
    at: datetime
    verdict: Verdict
    code: str
    signal_id: str = ""
    field: str = ""
    rule: str = ""
    value: str = ""
    body: str = ""


@attrs.define(slots=True)
class TradingStateRow:
    """One cause of restriction in one scope.

    Key is (scope, cause). ACTIVE means the cause is lifted.

    Attributes:
        scope: `account`, `strategy:<id>` or `symbol:<instrument id>`.
        cause: OPERATOR, STREAM, CLOCK, STORE, LOSS, MISMATCH, ...; each clears only itself.
        version: Rises with every change of this account's states.
    """

    scope: str
    cause: str
    state: Trading
    version: int
    reason: str
    actor: str
    at: datetime


@attrs.define(slots=True)
class Mark:
    """A named moment and number.

    Timers, watermarks, relay cursors, day baselines; key is `name`.
    """

    name: str
    at: datetime | None
    number: int = 0
    text: str = ""


@attrs.define(slots=True)
class RequestRow:
    """A person's command, its actor and its result; key is the idempotency key `request_id`."""

    request_id: str
    kind: str
    body_hash: str
    actor: str
    at: datetime
    code: str
    result: tuple[tuple[str, object], ...] = ()


Change = (
    Instrument
    | Order
    | Command
    | Event
    | LedgerEntry
    | Position
    | PositionSnapshot
    | Balance
    | SignalRow
    | DeliveryRow
    | TradingStateRow
    | Mark
    | RequestRow
)
ROW_TYPES: tuple[type, ...] = (
    Instrument,
    SignalRow,
    DeliveryRow,
    Order,
    Command,
    LedgerEntry,
    Position,
    PositionSnapshot,
    Balance,
    TradingStateRow,
    Mark,
    RequestRow,
    Event,
)

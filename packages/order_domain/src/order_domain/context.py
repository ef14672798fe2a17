"""Context.

All that a decision may know. Built from the book by the engine, or by hand in a test.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from order_domain.codes import Code
from order_domain.model.enums import Trading, Verdict
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.instrument import ZERO, Instrument
from order_domain.model.order import Order, OrderTerms
from order_domain.model.quote import Quote
from order_domain.model.rows import Trace


@attrs.define(slots=True, kw_only=True)
class Context:
    """One moment of one instrument (and position side), as risk sees it.

    Attributes:
        instrument: None when no trading rules are known.
        quote: Newest quote; None when none is known.
        trading, trading_cause: The strictest state over account, strategy and symbol, and
            `scope/cause` that set it.
        position: Signed base units at risk: booked size plus what reports are ahead of the ledger.
        buy_leaves, sell_leaves: Base units of all orders on their way or working, per side:
            intents, in flight, unknown and resting ones, of every origin. An order that waits for
            others to end counts only beyond what is left of those (protocol 7.3).
        orders: The live orders of this instrument and position side, oldest first.
        exposure_elsewhere: Quote units over all other instruments: the larger side of |position +
            orders| x mark. None when a price is missing there: opens fail closed.
        available: Settle-coin units free for new orders: wallet available less reservations the
            wallet cannot yet show. None when no wallet snapshot is known.
        daily_loss: Quote units lost since midnight UTC (negative: gained). None when it cannot be
            valued.
        like_decided_at: When the same strategy last got an order on this instrument and side; for
            the duplicate window.
        newest_timestamp: Newest signal timestamp decided for this strategy and instrument; for out-
            of-order signals.
    """

    now: datetime
    instrument: Instrument | None
    quote: Quote | None
    trading: Trading = Trading.ACTIVE
    trading_cause: str = ""
    position: Decimal = ZERO
    buy_leaves: Decimal = ZERO
    sell_leaves: Decimal = ZERO
    orders: Sequence[Order] = ()
    exposure_elsewhere: Decimal | None = ZERO
    available: Decimal | None = None
    daily_loss: Decimal | None = ZERO
    like_decided_at: datetime | None = None
    newest_timestamp: datetime | None = None


@attrs.define(slots=True)
class Draft:
    """An order as decided, not yet a row: its terms, and the price and quantity it starts with."""

    terms: OrderTerms
    price: Decimal | None
    quantity: Decimal


@attrs.define(slots=True)
class Decision:
    """What a signal or a person's order comes to.

    Attributes:
        verdict: ORDERED, DENIED, EXPIRED; the engine itself adds DUPLICATE, INVALID and PARKED.
        code: OK, or the first reason against it.
        trace: Every check that ran: (code, limit, actual, passed).
        drafts: Orders to make: children in sequence. On a denial one draft that became the DENIED
            row.
        cancels: Client order ids of orders to cancel first; each draft carries the same list as
            `replaces`.
    """

    verdict: Verdict
    code: Code
    trace: Trace
    drafts: tuple[Draft, ...] = ()
    cancels: tuple[ClientOrderId, ...] = ()


@attrs.define(slots=True)
class Assessment:
    """What the rules leave of one proposed order.

    The quantity they allow (0 when denied) and how they came to it.
    """

    code: Code
    quantity: Decimal
    trace: Trace

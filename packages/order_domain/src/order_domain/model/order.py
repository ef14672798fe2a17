"""Order.

What was intended, which never changes, and how far it has come, one version per change.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from order_domain.model.enums import (
    Category,
    EndedBy,
    OrderStatus,
    OrderType,
    Origin,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    SignalId,
    StrategyId,
    TraceId,
    VenueOrderId,
    category_of,
)
from order_domain.model.instrument import ZERO

TERMINAL = frozenset(
    (
        OrderStatus.DENIED,
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
    )
)
IN_FLIGHT = frozenset((OrderStatus.SUBMITTING, OrderStatus.UNKNOWN))
AT_VENUE = frozenset((OrderStatus.ACKED, OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED))
NO_FEES: Mapping[str, Decimal] = {}


@attrs.define(slots=True, kw_only=True)
class OrderTerms:
    """What one order is meant to do. Written once; shared by every version of the order.

    Attributes:
        signal_id: The deciding signal; for manual orders the uuid5 of the idempotency key; empty
            for external ones.
        leg, legs: Child number 1..N of a split decision; a re-quote has leg 100 + leg and
            `requote_of`.
        requested_quantity: Base units before any resize.
        replaces: Client order ids that must have ended before this order may be claimed (protocol
            7.3).
        follows: The child before this one; it must be answered before this one is claimed.
        valid_until: The last moment of a claim. Never ends a working order.
        decision_bid, decision_ask, decision_quote_at: The quote the decision used, if any.
        slippage: Largest accepted slippage of a market order as a ratio of price; None leaves it to
            the exchange.
    """

    client_order_id: ClientOrderId
    instrument_id: InstrumentId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    origin: Origin
    signal_id: SignalId
    strategy_id: StrategyId
    trace_id: TraceId
    requested_quantity: Decimal
    created_at: datetime
    valid_until: datetime
    position_side: PositionSide = PositionSide.BOTH
    reduce_only: bool = False
    leg: int = 1
    legs: int = 1
    generation: int = 0
    requote_of: ClientOrderId | None = None
    replaces: tuple[ClientOrderId, ...] = ()
    follows: ClientOrderId | None = None
    decision_bid: Decimal | None = None
    decision_ask: Decimal | None = None
    decision_quote_at: datetime | None = None
    slippage: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None


@attrs.define(slots=True)
class Order:
    """One version of an order.

    Never changed once it is in the book: `derive` makes the next version.

    Attributes:
        version: Sequence of the last event of this order, 1..n without a gap.
        price: Limit price, quote units; None for market orders.
        quantity: Base units as last known at the exchange (after resize or amend).
        cum_quantity, cum_value, fees: From booked executions only; value in settle-coin units, fees
            by coin.
        reported_cum: The largest cumulative quantity any report told; ahead of `cum_quantity` until
            the ledger follows.
        reported_status: A terminal word of the exchange that waits for the ledger to agree.
        attempt, request_ts: The newest claim; the stamp is never renewed for the same attempt.
        first_working_at: Exchange time of the first fact that showed it there; its balance
            reservation ends with a wallet snapshot at least as young.
        venue_updated_at: The exchange's time of the newest report merged.
        cancel_reason: Why we asked for a cancel, empty if we never did.
        code, text: Reason of a denial, refusal, cancel or expiry.
        not_before: Earliest next claim after a definite non-acceptance.
    """

    terms: OrderTerms
    status: OrderStatus
    quantity: Decimal
    price: Decimal | None
    updated_at: datetime
    ended_by: EndedBy = EndedBy.NOBODY
    version: int = 0
    cum_quantity: Decimal = ZERO
    cum_value: Decimal = ZERO
    fees: Mapping[str, Decimal] = NO_FEES
    reported_cum: Decimal = ZERO
    reported_status: VenueStatus | None = None
    venue_order_id: VenueOrderId = VenueOrderId("")
    attempt: int = 0
    request_ts: datetime | None = None
    first_working_at: datetime | None = None
    venue_updated_at: datetime | None = None
    cancel_reason: str = ""
    code: str = ""
    text: str = ""
    not_before: datetime | None = None
    executed_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def client_order_id(self) -> ClientOrderId:
        """FIX 11."""
        return self.terms.client_order_id

    @property
    def leaves_quantity(self) -> Decimal:
        """FIX 151.

        What may still execute. What a report is ahead of the ledger counts as executed already.
        """
        if self.status in TERMINAL:
            return ZERO
        done = self.cum_quantity if self.cum_quantity >= self.reported_cum else self.reported_cum
        return self.quantity - done if self.quantity > done else ZERO

    @property
    def unbooked_quantity(self) -> Decimal:
        """Executed by the exchange's word but not yet in the ledger; counts in risk as filled."""
        return (
            self.reported_cum - self.cum_quantity if self.reported_cum > self.cum_quantity else ZERO
        )

    @property
    def average_price(self) -> Decimal | None:
        """FIX 6, of booked executions.

        Exact to the context's precision. None before the first fill.
        """
        if not self.cum_quantity:
            return None
        if category_of(self.terms.instrument_id) == Category.INVERSE:
            return self.cum_quantity / self.cum_value
        return self.cum_value / self.cum_quantity

    @property
    def is_terminal(self) -> bool:
        """Nothing more is expected, though a late fill is still booked."""
        return self.status in TERMINAL

    def derive(self) -> "Order":
        """Copy every field into a fresh object, for the handler that makes the next version.

        `attrs.evolve` does the same at five times the cost; this runs four times an order.
        """
        new = _new(Order)
        new.terms = self.terms
        new.status = self.status
        new.quantity = self.quantity
        new.price = self.price
        new.updated_at = self.updated_at
        new.ended_by = self.ended_by
        new.version = self.version
        new.cum_quantity = self.cum_quantity
        new.cum_value = self.cum_value
        new.fees = self.fees
        new.reported_cum = self.reported_cum
        new.reported_status = self.reported_status
        new.venue_order_id = self.venue_order_id
        new.attempt = self.attempt
        new.request_ts = self.request_ts
        new.first_working_at = self.first_working_at
        new.venue_updated_at = self.venue_updated_at
        new.cancel_reason = self.cancel_reason
        new.code = self.code
        new.text = self.text
        new.not_before = self.not_before
        new.executed_at = self.executed_at
        new.closed_at = self.closed_at
        return new


_new = object.__new__

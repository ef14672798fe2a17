"""Facts.

What the exchange says, already in our words. Adapters make them, the engine steps on them.
"""

from datetime import datetime
from decimal import Decimal

import attrs

from order_domain.model.balance import Balance
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, InstrumentId, VenueOrderId


@attrs.define(slots=True)
class Answer:
    """The exchange's or the transport's answer to one attempt of one command.

    Attributes:
        number: 0 for the create, else the amend's or cancel's number.
        code, text: Bybit retCode and retMsg; 0 with an empty text when there was none.
        next_at: Exchange time before which it takes no more of these, by the answer's headers.
        limit: How many of these a second it takes from us, as far as the venue knows.
    """

    client_order_id: ClientOrderId
    kind: CommandKind
    number: int
    attempt: int
    outcome: AnswerOutcome
    code: int = 0
    text: str = ""
    venue_order_id: VenueOrderId = VenueOrderId("")
    next_at: datetime | None = None
    limit: int | None = None


@attrs.define(slots=True, kw_only=True)
class OrderReport:
    """An order as the exchange shows it.

    A push of the private stream or a record of a look-up or sweep.

    Attributes:
        client_order_id: Empty for orders that were placed without one.
        reject_reason, cancel_type: Bybit words, for example `EC_PostOnlyWillTakeLiquidity`,
            `CancelByUser`.
        updated_at: The exchange's time; decides which price and quantity is newer.
    """

    instrument_id: InstrumentId
    venue_order_id: VenueOrderId
    client_order_id: ClientOrderId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: Decimal | None
    quantity: Decimal
    status: VenueStatus
    cum_quantity: Decimal
    updated_at: datetime
    created_at: datetime
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.BOTH
    reject_reason: str = ""
    cancel_type: str = ""


@attrs.define(slots=True)
class PositionReport:
    """A position as the exchange shows it; size is signed."""

    instrument_id: InstrumentId
    position_side: PositionSide
    size: Decimal
    average_price: Decimal | None
    updated_at: datetime


@attrs.define(slots=True)
class WalletReport:
    """One wallet snapshot."""

    as_of: datetime
    balances: tuple[Balance, ...]


@attrs.define(slots=True, kw_only=True)
class LookupResult:
    """What realtime, history and executions said of one client order id.

    Attributes:
        attempt: The attempt it was made for; it proves absence for no other.
        sent_at: When its first request left (exchange time).
        complete: All three sources answered. Presence counts even when incomplete, absence never.
    """

    client_order_id: ClientOrderId
    attempt: int
    sent_at: datetime
    complete: bool
    order: OrderReport | None = None
    executions: tuple[Execution, ...] = ()


@attrs.define(slots=True, kw_only=True)
class SweepResult:
    """A complete (or failed) REST reading of the account.

    Attributes:
        began_at, ended_at: Exchange times of the first request and the last answer.
        complete: Every page of every part answered; an incomplete one proves presence only.
        reason: Why it was asked for: START, RECONNECT, PERIODIC, OPERATOR, MISMATCH, LEDGER.
    """

    began_at: datetime
    ended_at: datetime
    complete: bool
    reason: str
    orders: tuple[OrderReport, ...] = ()
    executions: tuple[Execution, ...] = ()
    positions: tuple[PositionReport, ...] = ()
    wallet: WalletReport | None = None

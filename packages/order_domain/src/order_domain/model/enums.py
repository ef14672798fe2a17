"""The closed vocabularies, in the words of FIX and Bybit.

All are strings, so rows and JSON need no mapping.
"""

from enum import StrEnum

from order_domain.model.members import direct


@direct
class Category(StrEnum):
    """Bybit product category; with the symbol it names an instrument."""

    LINEAR = "linear"
    INVERSE = "inverse"
    SPOT = "spot"


@direct
class Side(StrEnum):
    """FIX 54."""

    BUY = "Buy"
    SELL = "Sell"

    @property
    def opposite(self) -> "Side":
        """The side that closes what this side opens."""
        return Side.SELL if self is Side.BUY else Side.BUY


@direct
class OrderType(StrEnum):
    """FIX 40."""

    MARKET = "Market"
    LIMIT = "Limit"


@direct
class TimeInForce(StrEnum):
    """FIX 59, with Bybit's PostOnly."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PostOnly"


@direct
class PositionSide(StrEnum):
    """Which position an order works on: BOTH in one-way mode, LONG or SHORT in hedge mode."""

    BOTH = "Both"
    LONG = "Long"
    SHORT = "Short"


@direct
class InstrumentStatus(StrEnum):
    """Bybit instrument status; anything but TRADING refuses opening orders."""

    TRADING = "Trading"
    PRE_LAUNCH = "PreLaunch"
    DELIVERING = "Delivering"
    CLOSED = "Closed"


@direct
class OrderStatus(StrEnum):
    """Protocol part 7. DENIED and INTENT never left; UNKNOWN may or may not be at the exchange."""

    DENIED = "DENIED"
    INTENT = "INTENT"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    ACKED = "ACKED"
    WORKING = "WORKING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


@direct
class EndedBy(StrEnum):
    """Who ended an order; decides whether a later report may bring it back."""

    NOBODY = ""
    REPORT = "report"
    ANSWER = "answer"
    US = "us"


@direct
class VenueStatus(StrEnum):
    """Bybit orderStatus as reported on stream and REST."""

    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    PARTIALLY_FILLED_CANCELLED = "PartiallyFilledCanceled"
    REJECTED = "Rejected"
    UNTRIGGERED = "Untriggered"
    TRIGGERED = "Triggered"
    DEACTIVATED = "Deactivated"


@direct
class Origin(StrEnum):
    """Why an order exists."""

    SIGNAL = "signal"
    MANUAL = "manual"
    FLATTEN = "flatten"
    EXTERNAL = "external"


@direct
class ExecutionKind(StrEnum):
    """Bybit execType, reduced to what the ledger treats differently."""

    TRADE = "Trade"
    FUNDING = "Funding"
    ADL = "AdlTrade"
    LIQUIDATION = "BustTrade"
    SETTLEMENT = "Settle"
    OPENING = "Opening"


@direct
class CommandKind(StrEnum):
    """What is asked of the exchange."""

    CREATE = "create"
    AMEND = "amend"
    CANCEL = "cancel"


@direct
class CommandStatus(StrEnum):
    """Life of an amend or cancel. The create's own life is its order's status."""

    PENDING = "PENDING"
    SENT = "SENT"
    DONE = "DONE"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"


@direct
class AnswerOutcome(StrEnum):
    """What an answer proves about one attempt (protocol 5.7)."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_ACCEPTED = "not_accepted"
    NOT_SENT = "not_sent"
    CLOCK = "clock"
    EXISTS = "exists"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


@direct
class Verdict(StrEnum):
    """How a delivery ended. PARKED is not an end: it waits for a fact or its deadline."""

    ORDERED = "ordered"
    DENIED = "denied"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    EXPIRED = "expired"
    PARKED = "parked"


@direct
class Trading(StrEnum):
    """Trading state, strictest last."""

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    CANCEL_ONLY = "CANCEL_ONLY"
    HALTED = "HALTED"

    @property
    def severity(self) -> int:
        """0 for ACTIVE up to 3 for HALTED."""
        return _SEVERITY[self]


_SEVERITY = {state: rank for rank, state in enumerate(Trading)}


@direct
class EventKind(StrEnum):
    """What an event says. Order events carry the order as it stands after them."""

    ORDER_DENIED = "order_denied"
    ORDER_CREATED = "order_created"
    ORDER_SUBMITTED = "order_submitted"
    ORDER_ACCEPTED = "order_accepted"
    ORDER_WORKING = "order_working"
    ORDER_PARTIALLY_FILLED = "order_partially_filled"
    ORDER_FILLED = "order_filled"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_REJECTED = "order_rejected"
    ORDER_EXPIRED = "order_expired"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_RETRIED = "order_retried"
    ORDER_RESIZED = "order_resized"
    ORDER_AMENDED = "order_amended"
    ORDER_REVIVED = "order_revived"
    ORDER_ADOPTED = "order_adopted"
    ORDER_REPORTED = "order_reported"
    CANCEL_REQUESTED = "cancel_requested"
    CANCEL_REFUSED = "cancel_refused"
    AMEND_REQUESTED = "amend_requested"
    AMEND_REFUSED = "amend_refused"
    LATE_FILL = "late_fill"
    SIGNAL_INVALID = "signal_invalid"
    SIGNAL_CONFLICT = "signal_conflict"
    SIGNAL_PARKED = "signal_parked"
    SIGNAL_DENIED = "signal_denied"
    EXECUTION_BOOKED = "execution_booked"
    POSITION_SNAPSHOT = "position_snapshot"
    POSITION_VALIDATED = "position_validated"
    POSITION_MISMATCH = "position_mismatch"
    LOSS_WARNING = "loss_warning"
    TRADING_STATE_CHANGED = "trading_state_changed"
    ALARM = "alarm"

"""Reason codes.

Why a signal or order was denied, a delivery refused, an order cancelled. The docs table is
generated.
"""

from enum import StrEnum
from typing import Self

from order_domain.model.members import direct


@direct
class Code(StrEnum):
    """Stable machine reasons; the text beside each is what a person reads."""

    text: str

    def __new__(cls, value: str, text: str) -> Self:
        """Keep the explanation on the member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    OK = "OK", "Accepted."
    # intake
    BODY_INVALID = "BODY_INVALID", "The body breaks a rule of the signal format."
    ID_CONFLICT = "ID_CONFLICT", "The same signal id came with another body; the first one stays."
    DUPLICATE = "DUPLICATE", "The same signal came again; nothing new is done."
    SIGNAL_EXPIRED = "SIGNAL_EXPIRED", "The signal is older than the allowed signal age."
    SIGNAL_FROM_FUTURE = (
        "SIGNAL_FROM_FUTURE",
        "The signal's time is ahead of ours by more than the allowed skew.",
    )
    PARK_EXPIRED = "PARK_EXPIRED", "The signal waited for a fact until its age ran out."
    PARK_FULL = "PARK_FULL", "Too many signals wait for the same instrument."
    SUPERSEDED = (
        "SUPERSEDED",
        "A newer signal or a close of the same strategy and instrument came first.",
    )
    WAITING = "WAITING", "Parked: waits for a fact."
    ORDER_EXISTS = (
        "ORDER_EXISTS",
        "Its order is at the exchange already: the store has lost what it knew of it.",
    )
    # rules
    TRADING_STATE = "TRADING_STATE", "The trading state of this scope does not allow the order."
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT", "No trading rules are known for this instrument."
    INSTRUMENT_NOT_TRADING = (
        "INSTRUMENT_NOT_TRADING",
        "The exchange does not trade this instrument now.",
    )
    SYMBOL_NOT_ALLOWED = "SYMBOL_NOT_ALLOWED", "The symbol is not on the allow-list."
    STRATEGY_NOT_ALLOWED = "STRATEGY_NOT_ALLOWED", "The strategy is not on the allow-list."
    QUOTE_MISSING = "QUOTE_MISSING", "No price is known for the instrument."
    QUOTE_STALE = "QUOTE_STALE", "The newest quote is older than the allowed quote age."
    PRICE_COLLAR = "PRICE_COLLAR", "The price is too far from the mark price."
    PRICE_OFF_TICK = "PRICE_OFF_TICK", "The price is not a multiple of the tick size."
    QUANTITY_OFF_STEP = "QUANTITY_OFF_STEP", "The quantity is not a multiple of the quantity step."
    QUANTITY_BELOW_MIN = "QUANTITY_BELOW_MIN", "The quantity is below the exchange's minimum."
    QUANTITY_ABOVE_MAX = (
        "QUANTITY_ABOVE_MAX",
        "The quantity is above the exchange's or our maximum.",
    )
    NOTIONAL_BELOW_MIN = "NOTIONAL_BELOW_MIN", "The order value is below the exchange's minimum."
    ORDER_VALUE_ABOVE_MAX = (
        "ORDER_VALUE_ABOVE_MAX",
        "The order value is above the limit of a single order.",
    )
    MAX_POSITION = (
        "MAX_POSITION",
        "Position, working orders and this order together exceed the position limit.",
    )
    MAX_EXPOSURE = "MAX_EXPOSURE", "All positions and orders together exceed the exposure limit."
    MAX_OPEN_ORDERS = "MAX_OPEN_ORDERS", "Too many open orders on this instrument."
    MAX_ORDERS_PER_SIGNAL = (
        "MAX_ORDERS_PER_SIGNAL",
        "The signal would make more orders than allowed.",
    )
    DUPLICATE_WINDOW = "DUPLICATE_WINDOW", "A like order was decided within the duplicate window."
    INSUFFICIENT_BALANCE = (
        "INSUFFICIENT_BALANCE",
        "The available balance does not cover margin and fee.",
    )
    BALANCE_MISSING = "BALANCE_MISSING", "No wallet snapshot is known for the settle coin."
    MAX_DAILY_LOSS = "MAX_DAILY_LOSS", "Today's loss has reached its limit."
    NOTHING_TO_CLOSE = (
        "NOTHING_TO_CLOSE",
        "There is no position left to close beyond the closing orders on their way.",
    )
    FLIP_NOT_ALLOWED = "FLIP_NOT_ALLOWED", "The order would turn the position round."
    # ends of orders
    INTENT_EXPIRED = "INTENT_EXPIRED", "The order could not be sent before its last moment."
    UNANSWERED_EXPIRED = (
        "UNANSWERED_EXPIRED",
        "The exchange provably never got the order, and its last moment has passed.",
    )
    REPLACED_BLOCKED = "REPLACED_BLOCKED", "What it should replace did not end in time."
    SIBLING_REFUSED = "SIBLING_REFUSED", "A child before it was refused."
    RECHECK_FAILED = "RECHECK_FAILED", "Risk or trading state did not pass again at the claim."
    NOT_ACCEPTED = (
        "NOT_ACCEPTED",
        "The exchange took none of the allowed attempts (rate limit, busy, clock).",
    )
    VENUE_REFUSED = "VENUE_REFUSED", "The exchange refused the order."
    NEW_SIGNAL = "NEW_SIGNAL", "Cancelled because a newer signal took its place."
    STALE_ORDER = "STALE_ORDER", "Cancelled because it worked longer than allowed."
    LATE_BIRTH = (
        "LATE_BIRTH",
        "An order we had given up appeared at the exchange; cancelled by policy.",
    )
    OPERATOR = "OPERATOR", "A person asked for it."
    POST_ONLY_WOULD_TAKE = (
        "POST_ONLY_WOULD_TAKE",
        "The exchange cancelled a post-only order that would have taken.",
    )
    # requests of a person
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND", "No order has this id."
    ORDER_CLOSED = "ORDER_CLOSED", "The order has already ended."
    ORDER_UNSETTLED = "ORDER_UNSETTLED", "The order's create is not settled yet."
    COMMAND_OPEN = "COMMAND_OPEN", "A command of this kind is still on its way."
    NOTHING_TO_CHANGE = "NOTHING_TO_CHANGE", "The request changes nothing."
    SIGNAL_NOT_FOUND = "SIGNAL_NOT_FOUND", "No signal has this id."
    SIGNAL_NOT_RETRYABLE = (
        "SIGNAL_NOT_RETRYABLE",
        "Only a denied, expired or failed signal can be retried.",
    )
    VERSION_MISMATCH = "VERSION_MISMATCH", "The trading state changed since it was read."
    REQUEST_CONFLICT = "REQUEST_CONFLICT", "The same request id came with another request."
    VALUE_INVALID = "VALUE_INVALID", "A value of the request breaks a rule."

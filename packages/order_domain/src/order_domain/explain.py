"""Explain: the trace of a decision as sentences. Text is made when somebody reads, never before."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from order_domain.codes import Code
from order_domain.model.rows import Trace
from order_domain.notes import Note

_MILLISECOND: Final = timedelta(milliseconds=1)
_DIGITS: Final = 8

_CHECKS: Final[Mapping[str, str]] = {
    Code.TRADING_STATE: "trading state {limit} {actual}",
    Code.SYMBOL_NOT_ALLOWED: "symbol {actual}, allowed: {limit}",
    Code.STRATEGY_NOT_ALLOWED: "strategy {actual}, allowed: {limit}",
    Code.UNKNOWN_INSTRUMENT: "instrument {actual}",
    Code.INSTRUMENT_NOT_TRADING: "instrument status {actual}, needed: {limit}",
    Code.SIGNAL_EXPIRED: "signal age {actual}, at most {limit}",
    Code.SIGNAL_FROM_FUTURE: "signal ahead of our time by {actual}, at most {limit}",
    Code.SUPERSEDED: "signal of {actual}, newest decided {limit}",
    Code.QUOTE_MISSING: "no usable quote",
    Code.QUOTE_STALE: "quote age {actual}, at most {limit}",
    Code.MAX_ORDERS_PER_SIGNAL: "{actual} orders for this signal, at most {limit}",
    Code.DUPLICATE_WINDOW: "{actual} since a like order, at least {limit}",
    Code.NOTHING_TO_CLOSE: "quantity {actual}, closable {limit}",
    Code.FLIP_NOT_ALLOWED: "quantity {actual} against the position, closable {limit}",
    Code.ORDER_VALUE_ABOVE_MAX: "order value {actual}, at most {limit}",
    Code.QUANTITY_ABOVE_MAX: "order quantity {actual}, at most {limit}",
    Code.PRICE_COLLAR: "price {actual} % from mark, at most {limit} %",
    Code.MAX_POSITION: "position with all orders {actual}, at most {limit}",
    Code.MAX_EXPOSURE: "exposure with all orders {actual}, at most {limit}",
    Code.MAX_OPEN_ORDERS: "{actual} open orders, at most {limit}",
    Code.MAX_DAILY_LOSS: "loss of today {actual}, below {limit}",
    Code.INSUFFICIENT_BALANCE: "margin and fee {actual}, available {limit}",
    Code.BALANCE_MISSING: "no balance known",
    Code.PRICE_OFF_TICK: "price {actual}, tick {limit}",
    Code.QUANTITY_OFF_STEP: "quantity {actual}, step {limit}",
    Code.QUANTITY_BELOW_MIN: "quantity {actual}, at least {limit}",
    Code.NOTIONAL_BELOW_MIN: "order value {actual}, at least {limit}",
    Code.VALUE_INVALID: "value {actual}, rule: {limit}",
}
_NOTES: Final[Mapping[str, str]] = {
    Note.SPREAD: "spread {actual} %, read from: {limit}",
    Note.ORDER_TYPE: "{actual} order, because of: {limit}",
    Note.AMOUNT: "amount {actual} in {limit} units",
    Note.WARM_UP: "warm-up signal: amount x {limit} = {actual}",
    Note.RESIZED: "quantity {limit} resized to {actual}",
    Note.REPLACES: "replaces {limit} orders; closable without them {actual}",
    Note.SPLIT: "{actual} orders of at most {limit}",
    Note.REQUOTE: "re-quote of {limit} at {actual}",
}


def explain_trace(trace: Trace) -> tuple[str, ...]:
    """One sentence for each entry; a failed check also says what its code means."""
    return tuple([_sentence(*entry) for entry in trace])


def _sentence(code: str, limit: object, actual: object, passed: bool) -> str:
    note = _NOTES.get(code)
    if note is not None:
        return f"note  {code}: {note.format(limit=_text(limit), actual=_text(actual))}"
    check = _CHECKS.get(code, "{actual}, limit {limit}")
    text = check.format(limit=_text(limit), actual=_text(actual)).rstrip()
    if passed:
        return f"pass  {code}: {text}"
    meaning = f" - {Code[code].text}" if code in Code.__members__ else ""
    return f"FAIL  {code}: {text}{meaning}"


def _text(value: object) -> str:
    """A value as a person reads it: plain decimals, seconds, UTC times."""
    if value is None:
        return "none"
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, timedelta):
        return f"{_decimal(Decimal(value // _MILLISECOND) / 1000)} s"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def _decimal(value: Decimal) -> str:
    """Not more than eight decimals, no exponent, no trailing zeros."""
    text = f"{value:.{_DIGITS}f}" if value.is_finite() else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text

"""Kinds: which records there are, how one tells them apart, and which decoder reads each."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import attrs

from order_adapters.venues.bybit import records
from order_adapters.venues.bybit.fields import price_or_none, text, text_or_empty
from order_adapters.venues.bybit.order_records import instrument_in
from order_adapters.venues.bybit.quarantine import Raw, RecordInvalid
from order_adapters.venues.bybit.replies import Unreadable, envelope_of
from order_domain.model.enums import Category

REPLY: Final = "reply"
SOCKET_REPLY: Final = "socket-reply"
TICKER_CHANGE: Final = "ticker-change"


@attrs.frozen(slots=True)
class Around:
    """What a row leaves to its message: its category if it tells none, and its time."""

    category: Category
    at: datetime


@attrs.frozen(slots=True)
class Kind:
    """One kind of record.

    Attributes:
        sign: A key that its rows have and those of the kinds after it do not.
        decode: Returns a value of ours, or a mapping of fields by our names.
    """

    sign: str
    decode: Callable[[Raw, Around], object]


def _instrument(raw: Raw, around: Around) -> object:
    return records.decode_instrument(raw, around.category)


def _reply(raw: Raw, _around: Around) -> Mapping[str, object]:
    """Read an answer for what it says itself: the order it names, or why it refuses."""
    reply = envelope_of(raw)
    if isinstance(reply, Unreadable):
        raise RecordInvalid("retCode", "a whole number", raw.get("retCode"))
    return {
        "code": reply.code,
        "text": reply.text,
        "venue_order_id": text_or_empty(reply.result, "orderId"),
        "client_order_id": text_or_empty(reply.result, "orderLinkId"),
        "at": reply.time,
    }


def _socket_reply(raw: Raw, around: Around) -> Mapping[str, object]:
    """Read what a socket answers; private and public ones use other names than order entry."""
    fields = dict(_reply(raw, around)) if "retCode" in raw else {}
    success = raw.get("success")
    return fields | {
        "operation": text(raw, "op"),
        "success": success if isinstance(success, bool) else fields.get("code") == 0,
        "text": fields.get("text") or text_or_empty(raw, "ret_msg"),
        "request_id": text_or_empty(raw, "reqId") or text_or_empty(raw, "req_id"),
        "connection_id": text_or_empty(raw, "connId") or text_or_empty(raw, "conn_id"),
    }


def _ticker_change(raw: Raw, around: Around) -> Mapping[str, object]:
    """Read a delta: what it leaves out has not changed."""
    names = {
        "bid1Price": "bid",
        "bid1Size": "bid_size",
        "ask1Price": "ask",
        "ask1Size": "ask_size",
        "markPrice": "mark",
    }
    changed = {ours: price_or_none(raw, theirs) for theirs, ours in names.items() if theirs in raw}
    return {"instrument_id": instrument_in(raw, around.category), **changed, "at": around.at}


KINDS: Final[Mapping[str, Kind]] = {
    "execution": Kind("execType", lambda raw, at: records.decode_execution(raw, at.category)),
    "execution.fast": Kind(
        "execId", lambda raw, at: records.decode_fast_execution(raw, at.category)
    ),
    "order": Kind("orderStatus", lambda raw, at: records.decode_order(raw, at.category)),
    "instruments": Kind("lotSizeFilter", _instrument),
    "fee-rate": Kind("takerFeeRate", lambda raw, at: records.decode_fee_rate(raw, at.category)),
    "wallet": Kind("coin", lambda raw, at: records.decode_wallet(raw, at.at)),
    "tickers": Kind("bid1Price", lambda raw, at: records.decode_ticker(raw, at.category, at.at)),
    "api-key": Kind("permissions", lambda raw, _: records.decode_key_info(raw)),
    "account": Kind("marginMode", lambda raw, _: records.decode_account_info(raw)),
    "price-limit": Kind("buyLmt", lambda raw, at: records.decode_price_limit(raw, at.category)),
    "position": Kind("size", lambda raw, at: records.decode_position(raw, at.category)),
    "orderbook": Kind("data", lambda raw, at: records.decode_book(raw, at.category)),
}
"""What a person may say the rows of a file are."""
_ALL: Final[Mapping[str, Kind]] = {
    **KINDS,
    REPLY: Kind("retCode", _reply),
    SOCKET_REPLY: Kind("op", _socket_reply),
    TICKER_CHANGE: Kind("", _ticker_change),
}


def decode_as(kind: str, raw: Raw, around: Around) -> object:
    """Decode a record as what it is said to be.

    Raises:
        RecordInvalid: It is not that, or nothing we know.
    """
    if kind not in _ALL:
        raise RecordInvalid("record", f"one of {', '.join(KINDS)}", kind or raw)
    return _ALL[kind].decode(raw, around)


def kind_of_rows(rows: object) -> str:
    """Tell what rows are by the keys of the first; empty if by none."""
    first = rows[0] if isinstance(rows, list) and rows else None
    if not isinstance(first, dict):
        return ""
    return next((name for name, kind in KINDS.items() if kind.sign in first), "")


def kind_of_topic(topic: str) -> str:
    """Tell what a topic pushes: `orderbook.50.BTCUSDT`, `execution.fast.linear`, `order`."""
    return "execution.fast" if topic.startswith("execution.fast") else topic.partition(".")[0]

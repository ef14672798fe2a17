"""Recorded messages: what our decoders make of a file, one record at a time, for people."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Final

import attrs

from order_adapters.venues.bybit.account_records import NEVER
from order_adapters.venues.bybit.fields import moment_or_none
from order_adapters.venues.bybit.kinds import (
    KINDS,
    REPLY,
    SOCKET_REPLY,
    TICKER_CHANGE,
    Around,
    decode_as,
    kind_of_rows,
    kind_of_topic,
)
from order_adapters.venues.bybit.order_records import category_in
from order_adapters.venues.bybit.quarantine import Quarantined, RecordInvalid, decode_all
from order_adapters.venues.bybit.replies import parse_json
from order_adapters.venues.bybit.watched import Watched
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category

SIZE_MAX: Final = 16 * 1024 * 1024


@attrs.frozen(slots=True)
class Understood:
    """One record of a file.

    Attributes:
        kind: One of `KINDS`, or what else a message may be; empty where nobody can tell.
        fields: By our names; empty where it could not be read.
        quarantined: Why it could not be read.
        unread: Its keys that we do not read; `message.` before those of the message around it.
    """

    kind: str
    fields: Mapping[str, object]
    quarantined: Quarantined | None
    unread: tuple[str, ...]


@attrs.frozen(slots=True)
class _Sheet:
    """The rows of one message; the message, unless it is a row itself; and their path in it."""

    kind: str
    rows: list[object]
    around: Around
    message: Watched | None = None
    path: str = "data"


def decode_recorded(body: bytes, topic: str, category: Category) -> Iterator[Understood]:
    """Decode a file of one message, or of one message a line.

    Args:
        topic: What the rows are, one of `KINDS`; empty lets the message tell.
        category: Of rows whose message tells none.

    Raises:
        InvalidValue: It is no such file, or the topic is not one of ours.
    """
    if topic and topic not in KINDS:
        raise InvalidValue(field="topic", rule=f"one of {', '.join(KINDS)}", value=topic)
    if len(body) > SIZE_MAX:
        raise InvalidValue(field="file", rule=f"at most {SIZE_MAX} bytes", value=len(body))
    for message in _messages(body):
        yield from _understood(_sheet(message, topic, Around(category, NEVER)))


def _messages(body: bytes) -> list[object]:
    try:
        return [parse_json(body)]
    except ValueError as error:
        whole = str(error)
    lines = [(number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
    messages = []
    for number, line in lines if len(lines) > 1 else ():
        try:
            messages.append(parse_json(line))
        except ValueError as error:
            value = f"line {number}: {error}"
            raise InvalidValue(field="file", rule="JSON, whole or by line", value=value) from None
    if not messages:
        raise InvalidValue(field="file", rule="JSON", value=whole)
    return messages


def _sheet(message: object, topic: str, around: Around) -> _Sheet:
    if not isinstance(message, dict):
        rows = message if isinstance(message, list) else [message]
        return _Sheet(topic or kind_of_rows(rows), rows, around)
    watched = Watched(message)
    if isinstance(message.get("topic"), str):
        return _push(watched, topic, around)
    if "op" in message:
        return _Sheet(SOCKET_REPLY, [watched], around)
    if "retCode" in message:
        return _answer(watched, topic, around)
    return _Sheet(topic or kind_of_rows([watched]), [watched], around)


def _push(message: Watched, topic: str, around: Around) -> _Sheet:
    kind = topic or kind_of_topic(str(message.get("topic")))
    if kind == "orderbook":
        return _Sheet(kind, [message], around)
    if kind == "tickers" and message.get("type") == "delta":
        kind = TICKER_CHANGE
    at = _time(message, "creationTime") or _time(message, "ts") or NEVER
    data = message.get("data")
    rows = data if isinstance(data, list) else [data]
    return _Sheet(kind, rows, Around(around.category, at), message)


def _answer(message: Watched, topic: str, around: Around) -> _Sheet:
    """Take the rows of an answer of REST; one that refuses, or has no rows, is its own row."""
    result = message.get("result")
    rows = _rows(result)
    kind = topic or kind_of_rows(rows)
    if message.get("retCode") != 0 or not rows or not kind or not isinstance(result, Watched):
        return _Sheet(REPLY, [message], around)
    for key in ("retMsg", "retExtInfo"):
        message.get(key)
    result.get("nextPageCursor")
    named = decode_all(partial(category_in, given=around.category), [result]).good
    category = named[0] if named else around.category
    at = _time(message, "time") or NEVER
    path = "result.list" if "list" in result else "result."
    return _Sheet(kind, rows, Around(category, at), message, path)


def _rows(result: object) -> list[object]:
    if not isinstance(result, Watched):
        return []
    rows = result.get("list") if "list" in result else [result]
    return rows if isinstance(rows, list) else []


def _understood(sheet: _Sheet) -> Iterator[Understood]:
    decode = partial(decode_as, sheet.kind, around=sheet.around)
    for number, row in enumerate(sheet.rows):
        watched = Watched(row) if isinstance(row, dict) and not isinstance(row, Watched) else row
        batch = decode_all(decode, [watched])
        unread = list(watched.unread()) if isinstance(watched, Watched) else []
        if number == 0 and sheet.message is not None:
            # what is unread of the rows is told by the rows
            outside = (each for each in sheet.message.unread() if not each.startswith(sheet.path))
            unread += [f"message.{each}" for each in outside]
        yield Understood(
            sheet.kind,
            _fields(batch.good[0]) if batch.good else {},
            batch.quarantined[0] if batch.quarantined else None,
            tuple(unread),
        )


def _fields(value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    return attrs.asdict(value) if attrs.has(type(value)) else {}  # type: ignore[arg-type]


def _time(message: Watched, key: str) -> datetime | None:
    try:
        return moment_or_none(message, key)
    except RecordInvalid:
        return None

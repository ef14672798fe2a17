"""Paging: newest first, by cursors that are percent-encoded already, and windows of time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from order_adapters.bybit_server.failures import Refused, invalid
from order_adapters.bybit_server.numbers import moment_of
from order_adapters.bybit_server.rest.params import Params

WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
_SPAN_TOO_LONG: Final = (181010, "The time range between startTime and endTime exceeds 7 days.")
T = TypeVar("T")


def page(
    rows: Iterable[tuple[int, T]], params: Params, *, default: int, largest: int
) -> tuple[list[T], str]:
    """Cut one page out of numbered rows, highest number first; return it and the next cursor.

    Rows that come between two pages have higher numbers, so no page shows a row twice.
    """
    limit = params.limit(default, largest)
    before = _before(params)
    found: list[T] = []
    last = 0
    for number, row in rows:
        if before is not None and number >= before:
            continue
        if len(found) == limit:
            return found, quote(f"{last}:1,{last}:1", safe="")
        found.append(row)
        last = number
    return found, ""


def window(
    params: Params, now: datetime, *, default: timedelta = WEEK
) -> tuple[datetime, datetime]:
    """Read startTime and endTime; a missing one follows from the other.

    Raises:
        Refused: 181010 for more than seven days, 10001 for an end before the start.
    """
    start, end = params.whole("startTime"), params.whole("endTime")
    if start is None and end is None:
        return now - default, now + DAY
    if end is None:
        begins = moment_of(start or 0)
        return begins, begins + default
    ends = moment_of(end)
    if start is None:
        return ends - default, ends
    begins = moment_of(start)
    if ends < begins:
        raise invalid("params error: endTime is before startTime")
    if ends - begins > WEEK:
        raise Refused(*_SPAN_TOO_LONG)
    return begins, ends


def _before(params: Params) -> int | None:
    """Clients send the token as it came or encode it once more: both are the same page."""
    token = unquote(params.text("cursor"))
    if not token:
        return None
    head = token.partition(":")[0]
    if not head.isascii() or not head.isdigit():
        raise invalid("params error: cursor invalid")
    return int(head)

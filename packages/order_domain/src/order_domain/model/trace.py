"""Trace: what came along with a request or a message, by which its caller follows it."""

import re
from hashlib import sha256
from typing import Final, Self

import attrs

_SOUND: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")
_PARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-.{2,}"
)

_HEX: Final = frozenset("0123456789abcdef")


def trace_id_of(text: str) -> int:
    """The id of a trace: 32 hex digits, a UUID too, are it already; of anything else the hash."""
    digits = text.replace("-", "").lower()
    if len(digits) == 32 and set(digits) <= _HEX and digits.strip("0"):
        return int(digits, 16)
    return int.from_bytes(sha256(text.encode()).digest()[:16])


def span_id_of(event_id: str) -> int:
    """The id of the span in which an event is published, made of the event's own id, a UUID."""
    return int(event_id.replace("-", "")[16:], 16)


def traceparent_of(text: str, event_id: str) -> str:
    """The W3C `traceparent` that a published event carries, for whoever goes on with it.

    Args:
        text: What names the trace, as `trace_id_of` takes it.
        event_id: Of the event, a UUID.
    """
    return f"00-{trace_id_of(text):032x}-{span_id_of(event_id):016x}-01"


@attrs.frozen(slots=True)
class Trace:
    """Who called.

    Attributes:
        id: Our trace id, as the caller gave it; else the id of his W3C trace; else empty.
        parent: His W3C `traceparent`, or empty.
    """

    id: str = ""
    parent: str = ""

    @classmethod
    def of(cls, given: object, parent: object) -> Self:
        """Take what came in headers; what does not belong into a log is left out."""
        id_ = given if isinstance(given, str) and _SOUND.fullmatch(given) else ""
        found = _PARENT.fullmatch(parent) if isinstance(parent, str) and len(parent) < 100 else None
        if found is None:
            return cls(id_)
        return cls(id_ or found[1], found[0])


NO_TRACE: Final = Trace()

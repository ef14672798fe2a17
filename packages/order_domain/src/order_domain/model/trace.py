"""Trace: what came along with a request or a message, by which its caller follows it."""

import re
from typing import Final, Self

import attrs

_SOUND: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")
_PARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-.{2,}"
)


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

"""Signatures: HMAC-SHA256 over the exact bytes, and the window in which a stamp is taken."""

import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from order_adapters.bybit_server.failures import Refused
from order_adapters.bybit_server.numbers import milliseconds

RECV_WINDOW: Final = 5000
AHEAD: Final = 1000
"""A client's clock may be less than a second fast, milliseconds."""
_CORE_WINDOW: Final = timedelta(milliseconds=RECV_WINDOW)


def signature(secret: str, text: bytes) -> str:
    """Sign: lower-case hex."""
    return hmac.new(secret.encode(), text, sha256).hexdigest()


def is_signed(secret: str, text: bytes, given: str) -> bool:
    """Tell whether this is the signature of this text."""
    return hmac.compare_digest(signature(secret, text).encode(), given.encode())


def check_window(stamped: int, window: int, now: datetime) -> None:
    """See that a stamp (milliseconds) is neither too old nor ahead.

    Raises:
        Refused: 10002.
    """
    server = milliseconds(now)
    if not server - window <= stamped < server + AHEAD:
        raise Refused(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{stamped}],server_timestamp[{server}],recv_window[{window}]",
        )


def core_stamp(stamped: datetime, window: int, now: datetime) -> datetime:
    """Shift a stamp so that the core's own window refuses it when the client's would."""
    return min(stamped + timedelta(milliseconds=window) - _CORE_WINDOW, max(now, stamped))

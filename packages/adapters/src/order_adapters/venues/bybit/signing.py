"""Signing: HMAC-SHA256 over the exact bytes that leave, for REST and for the auth of a socket."""

import hmac
from typing import Final

import attrs

from order_domain.errors import InvalidValue

KEY_HEADER: Final = "X-BAPI-API-KEY"
SIGN_HEADER: Final = "X-BAPI-SIGN"
TIMESTAMP_HEADER: Final = "X-BAPI-TIMESTAMP"
WINDOW_HEADER: Final = "X-BAPI-RECV-WINDOW"
_REALTIME: Final = "GET/realtime"


@attrs.frozen(slots=True)
class Credentials:
    """An API key and its secret. The secret shows in no repr.

    Raises:
        InvalidValue: One of them is empty or holds what no header takes; the value is not told.
    """

    key: str
    secret: str = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        for name, value in (("api_key", self.key), ("api_secret", self.secret)):
            if not value or not value.isascii() or not value.isprintable() or " " in value:
                rule = "printable ASCII without spaces"
                raise InvalidValue(field=name, rule=rule, value="(hidden)")


def sign(secret: str, text: bytes) -> str:
    """Sign a text: lower-case hex of its HMAC-SHA256."""
    return hmac.digest(secret.encode(), text, "sha256").hex()


def rest_text(key: str, timestamp_ms: int, recv_window_ms: int, payload: bytes) -> bytes:
    """Build what a REST request signs; the payload is its raw query string or its raw body."""
    return f"{timestamp_ms}{key}{recv_window_ms}".encode() + payload


def rest_headers(
    credentials: Credentials, timestamp_ms: int, recv_window_ms: int, payload: bytes
) -> dict[str, str]:
    """Make the headers of one attempt; another attempt needs a signature of its own.

    Args:
        timestamp_ms: The exchange's time as we know it, not ours.
        recv_window_ms: How long after it the exchange may still take the request.
        payload: GET: the query string as it goes on the wire, without `?`. POST: the body's bytes.
    """
    text = rest_text(credentials.key, timestamp_ms, recv_window_ms, payload)
    return {
        KEY_HEADER: credentials.key,
        TIMESTAMP_HEADER: str(timestamp_ms),
        WINDOW_HEADER: str(recv_window_ms),
        SIGN_HEADER: sign(credentials.secret, text),
    }


def socket_auth(credentials: Credentials, expires_ms: int) -> list[str | int]:
    """Make the `args` of a socket's auth request: key, expiry, signature."""
    text = f"{_REALTIME}{expires_ms}".encode()
    return [credentials.key, expires_ms, sign(credentials.secret, text)]

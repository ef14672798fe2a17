"""Request: one HTTP request with its exact bytes, and who sent it."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.failures import INVALID_KEY, Refused
from order_adapters.bybit_server.numbers import whole
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.signatures import RECV_WINDOW, check_window, is_signed

_UNSIGNED: Final = "empty value: apiTimestamp[] apiKey[] apiSignature[] openapi sign params error!"


@attrs.define(slots=True)
class Request:
    """What came, unchanged. Header names are lower case."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes
    address: str

    @property
    def params(self) -> Params:
        """The fields of the query or of the body."""
        return Params.of_query(self.query) if self.method == "GET" else Params.of_body(self.body)


@attrs.frozen(slots=True)
class Caller:
    """An account whose key signed a request.

    Attributes:
        stamped: When, by its own clock, milliseconds since 1970.
        window: How long the request is good, milliseconds.
    """

    account: ServerAccount
    stamped: int
    window: int


@attrs.frozen(slots=True)
class Reply:
    """What a handler says; `extra` is the retExtInfo of batches."""

    result: Any
    extra: Any = None
    text: str = "OK"


def authenticate(request: Request, accounts: Mapping[str, ServerAccount]) -> Caller:
    """Say who signed a request.

    Raises:
        Refused: 401 without signature headers, 10003 for an unknown key, 10004 for a bad signature,
            10002 outside the window.
    """
    headers = request.headers
    key, sign = headers.get("x-bapi-api-key", ""), headers.get("x-bapi-sign", "")
    stamp = headers.get("x-bapi-timestamp", "")
    window_text = headers.get("x-bapi-recv-window", "")
    if not key or not sign or not stamp:
        raise Refused(10001, _UNSIGNED, status=401)
    account = accounts.get(key)
    if account is None:
        raise Refused(*INVALID_KEY)
    payload = request.query if request.method == "GET" else request.body
    text = f"{stamp}{key}{window_text}".encode() + payload
    if not is_signed(account.config.secret, text, sign):
        origin = text.decode("utf-8", "replace")
        raise Refused(10004, f"error sign! origin_string[{origin}]")
    stamped, window = whole(stamp), whole(window_text) if window_text else RECV_WINDOW
    if stamped is None or window is None:
        raise Refused(10001, "params error: timestamp or recv_window invalid")
    check_window(stamped, window, account.exchange_now())
    return Caller(account, stamped, window)

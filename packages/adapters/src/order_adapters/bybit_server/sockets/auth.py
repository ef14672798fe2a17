"""Auth: who opened a socket, by the signature of `GET/realtime` and an expiry."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.failures import INVALID_KEY, Refused
from order_adapters.bybit_server.numbers import milliseconds, whole
from order_adapters.bybit_server.signatures import is_signed


def account_of(args: Any, accounts: Mapping[str, ServerAccount], now: datetime) -> ServerAccount:
    """Say whose socket it is; the expiry may come as a number or as digits.

    Raises:
        Refused: 10001 for arguments that are none, 10003 for an unknown key, 10004 for a bad
            signature, 10002 for an expiry that has passed.
    """
    if not isinstance(args, Sequence) or isinstance(args, str) or len(args) != 3:
        raise Refused(10001, "Params Error")
    key, expires, sign = args
    at = whole(expires)
    if not isinstance(key, str) or not isinstance(sign, str) or at is None:
        raise Refused(10001, "Params Error")
    account = accounts.get(key)
    if account is None:
        raise Refused(*INVALID_KEY)
    if not is_signed(account.config.secret, f"GET/realtime{expires}".encode(), sign):
        raise Refused(10004, "Error sign, please check your signature generation algorithm.")
    if at <= milliseconds(now):
        raise Refused(10002, "Request expired.")
    return account

"""Authentication: X-API-Key in the header, once; what the key may do stands at each route."""

from collections.abc import Callable
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from order_service.http.keys import Key, KeyRing, Scope
from order_service.http.limits import RateLimits
from order_service.http.problems import Refused

_HEADER: Final = b"x-api-key"
SCOPE: Final = "scope"
"""Name of the option of a route that says which scope it needs; without it: read."""
KEY: Final = "key"
_STILL: Final = "still_let_in"


def guard_of(keys: KeyRing, limits: RateLimits) -> Guard:
    """Make the guard of all routes that need a key."""

    async def guard(  # a plain function would be run in a thread, at every request
        connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        address = connection.client.host if connection.client is not None else ""
        given = [value for name, value in connection.scope["headers"] if name == _HEADER]
        key = keys.find(given[0]) if len(given) == 1 else None
        if key is None:
            # a right key passes whoever else guesses from the same address
            if not limits.may_guess(address):
                raise Refused(429, "Too many wrong keys from this address.")
            raise NotAuthorizedException
        if not limits.may_ask(key.id):
            raise Refused(429, "Too many requests with this key.")
        needed = Scope(handler.opt.get(SCOPE, Scope.READ))
        if needed not in key.scopes:
            raise Refused(403, f"This key lacks the scope {needed.value}.", code="SCOPE_MISSING")
        connection.scope["state"][KEY] = key
        connection.scope["state"][_STILL] = lambda: keys.find(given[0]) is not None

    return guard


def actor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Who asks, as rows and logs name him."""
    key = connection.scope["state"][KEY]
    if not isinstance(key, Key):
        raise TypeError("asked before the guard")
    return f"key:{key.id}"


def still_let_in(connection: ASGIConnection[Any, Any, Any, Any]) -> Callable[[], bool]:
    """Ask at any time whether the key of a connection still holds: it may expire or be revoked."""
    still: Callable[[], bool] = connection.scope["state"][_STILL]
    return still

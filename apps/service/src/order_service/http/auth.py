"""Authentication: X-API-Key in the header, once; what the key may do stands at each route."""

from collections.abc import Callable
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as ConnectionScope

from order_service.http.keys import Key, KeyRing, Scope
from order_service.http.limits import RateLimits
from order_service.http.problems import Refused

_HEADER: Final = b"x-api-key"
SCOPE: Final = "scope"
"""Name of the option of a route that says which scope it needs; without it: read."""
KEY: Final = "key"
_STILL: Final = "still_let_in"


def guard_of(keys: KeyRing, limits: RateLimits) -> Callable[[ASGIApp], ASGIApp]:
    """Make what stands before all routes that need a key.

    It is a middleware: for a guard the framework copies the whole handler at every request.
    """

    def guard(app: ASGIApp) -> ASGIApp:
        async def guarded(scope: ConnectionScope, receive: Receive, send: Send) -> None:
            given = [value for name, value in scope["headers"] if name == _HEADER]
            key = keys.find(given[0]) if len(given) == 1 else None
            if key is None:
                # a right key passes whoever else guesses from the same address
                if not limits.may_guess(_address(scope)):
                    raise Refused(429, "Too many wrong keys from this address.")
                raise NotAuthorizedException
            if not limits.may_ask(key.id):
                raise Refused(429, "Too many requests with this key.")
            needed = Scope(scope["route_handler"].opt.get(SCOPE, Scope.READ))
            if needed not in key.scopes:
                detail = f"This key lacks the scope {needed.value}."
                raise Refused(403, detail, code="SCOPE_MISSING")
            state = scope["state"]
            state[KEY] = key
            state[_STILL] = lambda: keys.find(given[0]) is not None
            await app(scope, receive, send)

        return guarded

    return guard


def _address(scope: ConnectionScope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


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

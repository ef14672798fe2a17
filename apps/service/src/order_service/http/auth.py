"""Authentication: X-API-Key in the header, compared as bytes in constant time."""

import secrets
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

_HEADER: Final = b"x-api-key"


def guard_of(key: str) -> Guard:
    """Make the guard of all routes that need the key."""
    expected = key.encode()

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        given = [value for name, value in connection.scope["headers"] if name == _HEADER]
        # Every byte string can be compared; a str with foreign characters cannot.
        if len(given) != 1 or not secrets.compare_digest(given[0], expected):
            raise NotAuthorizedException

    return guard

"""App: routes, lifespan and error shapes of one service, put together."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.types import ASGIApp

from order_service.http.auth import guard_of
from order_service.http.commands import ClosingCommands, OrderCommands
from order_service.http.events import EventController
from order_service.http.exports import ExportController
from order_service.http.health import HealthController
from order_service.http.keys import KeyRing
from order_service.http.limits import RateLimits, hurry
from order_service.http.listings import Listings, shortcut_of
from order_service.http.methods import options
from order_service.http.metrics import metrics
from order_service.http.openapi import complete, openapi
from order_service.http.orders import OrderController
from order_service.http.positions import PositionController
from order_service.http.problems import HANDLERS
from order_service.http.reads import LedgerController, OrderStory, SignalReads
from order_service.http.signals import SignalController
from order_service.http.states import StateController
from order_service.http.syncs import SyncController
from order_service.http.tracing import trace
from order_service.http.wire import now
from order_service.lifespan import lifespan_of
from order_service.page.routes import favicon, page, part
from order_service.service import Service

BODY_LIMIT: Final = 64 * 1024
LONGEST_ANSWER: Final = 40.0
"""Seconds; a sync may take 30."""
ROUTES: Final = (
    OrderController,
    OrderStory,
    OrderCommands,
    PositionController,
    ClosingCommands,
    LedgerController,
    SignalController,
    SignalReads,
    StateController,
    EventController,
    ExportController,
    SyncController,
)


def create_app(
    service: Service,
    *,
    api_key: str,
    service_name: str,
    keys_file: Path | None = None,
    rate: float = 50.0,
) -> ASGIApp:
    """Make the application.

    Args:
        api_key: A key that may do everything.
        keys_file: Further keys with their scopes.
        rate: Requests a second of one key.

    Raises:
        KeysInvalid: The file of keys cannot be used.
    """

    def the_service() -> Service:
        return service

    def the_name() -> str:
        return service_name

    keys = KeyRing(api_key, keys_file, now=now, monotonic=time.monotonic)
    guard = guard_of(keys, RateLimits(rate, time.monotonic))
    app = Litestar(
        route_handlers=[HealthController, metrics, page, part, favicon, _api(service, guard)],
        dependencies={
            "service": Provide(the_service, sync_to_thread=False),
            "service_name": Provide(the_name, sync_to_thread=False),
        },
        lifespan=[lifespan_of(service)],
        exception_handlers=HANDLERS,
        request_max_body_size=BODY_LIMIT,
        openapi_config=openapi(),
        logging_config=None,
        debug=False,
    )
    complete(app.openapi_schema)
    # around everything: also what no route takes has its trace id
    return trace(hurry(options(app), LONGEST_ANSWER))


def _api(service: Service, guard: Callable[[ASGIApp], ASGIApp]) -> Router:
    """Everything that needs a key, behind the guard."""
    listings = Listings(service.views, service.choices.is_dry)

    def the_listings() -> Listings:
        return listings

    return Router(
        "/api/v1",
        route_handlers=list(ROUTES),
        middleware=[guard, shortcut_of(listings)],
        dependencies={"listings": Provide(the_listings, sync_to_thread=False)},
    )

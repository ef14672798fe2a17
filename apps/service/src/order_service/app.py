"""App: routes, lifespan and error shapes of one service, put together."""

from typing import Final

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.types import ASGIApp

from order_service.http.auth import guard_of
from order_service.http.health import HealthController
from order_service.http.orders import OrderController
from order_service.http.positions import PositionController
from order_service.http.problems import HANDLERS
from order_service.http.signals import SignalController
from order_service.http.tracing import trace
from order_service.lifespan import lifespan_of
from order_service.service import Service

BODY_LIMIT: Final = 64 * 1024


def create_app(service: Service, *, api_key: str, service_name: str) -> ASGIApp:
    """Make the application.

    Args:
        api_key: What every request below `/api` must bring.
    """

    def the_service() -> Service:
        return service

    def the_name() -> str:
        return service_name

    api = Router(
        "/api/v1",
        route_handlers=[OrderController, PositionController, SignalController],
        guards=[guard_of(api_key)],
    )
    app = Litestar(
        route_handlers=[HealthController, api],
        dependencies={
            "service": Provide(the_service, sync_to_thread=False),
            "service_name": Provide(the_name, sync_to_thread=False),
        },
        lifespan=[lifespan_of(service)],
        exception_handlers=HANDLERS,
        request_max_body_size=BODY_LIMIT,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return trace(app)  # around everything, so that also what no route takes has its id

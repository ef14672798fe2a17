"""Health: whether the service lives, is ready, and what it stands on. Open to everybody."""

from collections import Counter
from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from order_service.http.wire import moment, now
from order_service.service import Service

_UNAVAILABLE = 503


def _status(*, good: bool) -> int:
    return 200 if good else _UNAVAILABLE


def _word(*, good: bool) -> str:
    return "available" if good else "unavailable"


def _broken(service: Service) -> dict[str, int]:
    """How many claims of each invariant do not hold; what they are stands in the log."""
    return dict(sorted(Counter(each.code for each in service.broken).items()))


class HealthController(Controller):
    """Reads memory only, so that it answers while a database does not."""

    security = [{}]  # noqa: RUF012 -- litestar's own attribute

    @get("/health", sync_to_thread=False)
    def health(
        self, service: NamedDependency[Service], service_name: NamedDependency[str]
    ) -> Response[dict[str, Any]]:
        """Everything at a glance."""
        health, choices = service.health, service.choices
        body = {
            "status": "healthy" if health.is_ready else "unhealthy",
            "service": service_name,
            "database_connected": health.store,
            "queue_connected": health.bus,
            "ready": health.is_ready,
            "mode": choices.mode,
            "account": choices.account,
            "store": choices.shown_store,
            "bus": choices.bus,
            "venue": choices.venue,
            "standing_by_for": health.owner or None,
            "invariants_broken": _broken(service),
            "counts": service.metrics,
            "timestamp": moment(now()),
        }
        return Response(body, status_code=_status(good=health.is_ready))

    @get("/live", sync_to_thread=False)
    def live(self, service: NamedDependency[Service]) -> Response[dict[str, Any]]:
        """Whether a restart would help: 503 once the runtime has ended."""
        is_alive = service.health.is_alive
        body = {"status": "healthy" if is_alive else "unhealthy", "timestamp": moment(now())}
        return Response(body, status_code=_status(good=is_alive))

    @get("/ready", sync_to_thread=False)
    def ready(self, service: NamedDependency[Service]) -> Response[dict[str, Any]]:
        """Whether signals are taken now."""
        health = service.health
        body = {
            "status": "ready" if health.is_ready else "not_ready",
            "dependencies": {
                "database": _word(good=health.store),
                "queue": _word(good=health.bus),
                "venue": _word(good=health.is_ready),
            },
            "timestamp": moment(now()),
        }
        return Response(body, status_code=_status(good=health.is_ready))

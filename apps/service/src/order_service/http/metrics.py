"""Metrics: what Prometheus reads. Counters of the runtime, and gauges of committed rows."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from order_domain.model.enums import OrderStatus
from order_domain.ports.journal import StoreUnavailable
from order_domain.ports.views import OrderQuery
from order_service.service import Service

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_COUNTED: Final = (
    OrderStatus.INTENT,
    OrderStatus.SUBMITTING,
    OrderStatus.UNKNOWN,
    OrderStatus.ACKED,
    OrderStatus.WORKING,
    OrderStatus.PARTIALLY_FILLED,
)
_HELP: Final = "Of the runtime since it started."


class Collected:
    """One reading, as a collector of the client library."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Give what was read."""
        yield from self._families


@get("/metrics", media_type="text/plain", include_in_schema=False)
async def metrics(service: NamedDependency[Service]) -> Response[bytes]:
    """Everything that is counted; open to whoever reaches this address, as health is."""
    families = [*_counters(service), *_gauges(service)]
    with suppress(StoreUnavailable):  # then the gauges of rows are missing, which an alert sees
        families += await _rows(service)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collected(families))
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE})


def _counters(service: Service) -> Iterator[Metric]:
    for name, value in service.metrics.items():
        yield CounterMetricFamily(f"order_manager_{name}", _HELP, value=value)


def _gauges(service: Service) -> Iterator[Metric]:
    health = service.health
    up = GaugeMetricFamily("order_manager_up", "1 while it works: alive, ready, ...", labels=["of"])
    for name, holds in (
        ("alive", health.is_alive),
        ("ready", health.is_ready),
        ("store", health.store),
        ("bus", health.bus),
        ("owner", not health.owner and health.is_alive),
    ):
        up.add_metric([name], float(holds))
    yield up
    for name, text, value in (
        ("flush_seconds", "How long the last commit took.", service.flush_seconds),
        ("loop_lag_seconds", "How late the event loop was.", service.loop_lag_seconds),
        ("uncommitted_steps", "Steps not yet durable.", float(service.uncommitted)),
        ("unpublished_events", "Committed events not yet published.", float(service.unpublished)),
    ):
        yield GaugeMetricFamily(f"order_manager_{name}", text, value=value)


async def _rows(service: Service) -> list[Metric]:
    orders = GaugeMetricFamily("order_manager_open_orders", "By status.", labels=["status"])
    for status in _COUNTED:
        _, total = await service.views.orders(OrderQuery(statuses=(status,), limit=1))
        orders.add_metric([status.value.lower()], total)
    sizes = GaugeMetricFamily(
        "order_manager_position_size", "Base units, signed.", labels=["instrument", "side"]
    )
    realized = GaugeMetricFamily(
        "order_manager_realized_pnl", "Settle-coin units.", labels=["instrument", "side"]
    )
    for position in await service.views.positions():
        labels = [str(position.instrument_id), position.position_side.value]
        sizes.add_metric(labels, float(position.size))
        realized.add_metric(labels, float(position.realized_pnl))
    halted = GaugeMetricFamily(
        "order_manager_restriction",
        "Severity of a trading state, 0 is none.",
        labels=["scope", "cause"],
    )
    for state in await service.views.trading_states():
        halted.add_metric([state.scope, state.cause], state.state.severity)
    return [orders, sizes, realized, halted]

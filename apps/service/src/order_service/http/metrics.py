"""Metrics: what Prometheus reads. Counters of the runtime, and gauges of committed rows."""

from collections.abc import Iterator
from contextlib import suppress
from math import inf
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from order_domain.model.enums import OrderStatus
from order_domain.ports.journal import StoreUnavailable
from order_domain.ports.venue import Rates
from order_domain.ports.views import OrderQuery
from order_service.http.exposure import exposure_of
from order_service.http.wire import now
from order_service.runtime.timings import Timings
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
    families = [*_counters(service), *_latencies(service), *_gauges(service)]
    if service.rates is not None:
        families += _rates(service.rates)
    with suppress(StoreUnavailable):  # then the gauges of rows are missing, which an alert sees
        families += await _rows(service)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collected(families))
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE})


def _counters(service: Service) -> Iterator[Metric]:
    for name, value in service.metrics.items():
        yield CounterMetricFamily(f"order_manager_{name}", _HELP, value=value)

    verdicts = CounterMetricFamily(
        "order_manager_verdicts_total", "Signals by verdict and code.", labels=["verdict", "code"]
    )
    for labels, count in service.desk.verdicts.items():
        verdicts.add_metric(labels, count)
    yield verdicts
    yield CounterMetricFamily(
        "order_manager_repairs_total",
        "Differences that readings of the account repaired.",
        value=service.syncs.repaired,
    )


def _latencies(service: Service) -> Iterator[Metric]:
    yield _histogram(
        "order_manager_decision_seconds",
        "From a signal's arrival to its first committed verdict.",
        service.desk.decisions,
    )
    yield _histogram(
        "order_manager_submit_seconds",
        "From a command's bytes to the exchange's answer.",
        service.submits,
    )


def _histogram(name: str, text: str, timings: Timings) -> Metric:
    buckets = [
        ("+Inf" if bound == inf else str(bound), count) for bound, count in timings.buckets()
    ]
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=timings.seconds)


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
    last = service.syncs.last
    if last is not None:
        age = max(0.0, (now() - last.ended_at).total_seconds())
        yield GaugeMetricFamily(
            "order_manager_account_read_age_seconds", "Since the last reading.", value=age
        )
    for name, text, value in (
        ("flush_seconds", "How long the last commit took.", service.flush_seconds),
        ("loop_lag_seconds", "How late the event loop was.", service.loop_lag_seconds),
        ("uncommitted_steps", "Steps not yet durable.", float(service.uncommitted)),
        ("invariants_broken", "Claims that the auditor found broken.", float(len(service.broken))),
        ("unpublished_events", "Committed events not yet published.", float(service.unpublished)),
    ):
        yield GaugeMetricFamily(f"order_manager_{name}", text, value=value)


def _rates(rates: Rates) -> Iterator[Metric]:
    left = GaugeMetricFamily(
        "order_manager_rate_left",
        "Requests that may leave now, of our share of the exchange's limit.",
        labels=["limit", "priority"],
    )
    limits = GaugeMetricFamily(
        "order_manager_rate_limit", "Our share of a limit, for one window.", labels=["limit"]
    )
    for allowance in rates.allowances:
        limits.add_metric([allowance.name], allowance.limit)
        for priority, number in allowance.left.items():
            left.add_metric([allowance.name, priority], number)
    waiting = GaugeMetricFamily(
        "order_manager_rate_waiting", "Requests that wait for a turn.", labels=["priority"]
    )
    for priority, number in rates.waiting.items():
        waiting.add_metric([priority], number)
    yield from (left, limits, waiting)
    yield GaugeMetricFamily(
        "order_manager_http_stopped_seconds",
        "For so long nothing leaves by HTTP: the exchange banned us.",
        value=rates.stopped_s,
    )


async def _rows(service: Service) -> list[Metric]:
    orders = GaugeMetricFamily("order_manager_open_orders", "By status.", labels=["status"])
    for status in _COUNTED:
        _, total = await service.views.orders(OrderQuery(statuses=(status,), limit=1))
        orders.add_metric([status.value.lower()], total)
    return [orders, *await _positions(service), *await _limits(service), await _states(service)]


async def _positions(service: Service) -> list[Metric]:
    labels = ["instrument", "side"]
    sizes = GaugeMetricFamily("order_manager_position_size", "Base units, signed.", labels=labels)
    realized = GaugeMetricFamily("order_manager_realized_pnl", "Settle-coin units.", labels=labels)
    unrealized = GaugeMetricFamily(
        "order_manager_unrealized_pnl", "Settle-coin units, by mark price.", labels=labels
    )
    for position in await service.views.positions():
        values = [str(position.instrument_id), position.position_side.value]
        sizes.add_metric(values, float(position.size))
        realized.add_metric(values, float(position.realized_pnl))
        quote = service.quote(position.instrument_id)
        if quote is not None:
            unrealized.add_metric(values, float(position.unrealized_pnl(quote.mark_price)))
    return [sizes, realized, unrealized]


async def _limits(service: Service) -> list[Metric]:
    found = await exposure_of(service)
    exposure = GaugeMetricFamily("order_manager_exposure", "Quote units.", labels=["of"])
    exposure.add_metric(["positions"], float(found.positions))
    exposure.add_metric(["orders"], float(found.orders))
    used = GaugeMetricFamily(
        "order_manager_exposure_used_ratio",
        "Of the limit; 1 is all of it.",
        value=float(found.used),
    )
    return [exposure, used]


async def _states(service: Service) -> Metric:
    halted = GaugeMetricFamily(
        "order_manager_restriction",
        "Severity of a trading state, 0 is none.",
        labels=["scope", "cause"],
    )
    for state in await service.views.trading_states():
        halted.add_metric([state.scope, state.cause], state.state.severity)
    return halted

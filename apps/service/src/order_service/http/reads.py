"""Reads: signals, executions, balances, exposure, denials, and the whole story of one order."""

from collections import Counter
from typing import Annotated, Any, Final

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from order_domain.model.enums import OrderStatus
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import symbol_of
from order_domain.model.order import Order
from order_domain.model.position import PositionSnapshot
from order_domain.model.rows import SignalRow
from order_service import rows
from order_service.explanation import explain_order, trace_rows
from order_service.http.exposure import exposure_of
from order_service.http.finding import find_order
from order_service.http.problems import Refused
from order_service.http.routes import read
from order_service.http.wire import number
from order_service.service import Service

Limit = Annotated[int, QueryParameter(ge=1, le=500)]
MOST: Final = 1000


class OrderStory(Controller):
    """Of one order, by the exchange's id or ours."""

    path = "/orders/{order_id:str}"

    @read("/events")
    async def events(
        self, order_id: FromPath[str], service: NamedDependency[Service]
    ) -> dict[str, Any]:
        """Everything that happened to it, by sequence."""
        order = await _order(service, order_id)
        found = await service.views.order_events(order.client_order_id)
        return {"events": [rows.event_row(each) for each in found]}

    @read("/executions")
    async def executions(
        self, order_id: FromPath[str], service: NamedDependency[Service]
    ) -> dict[str, Any]:
        """Every booked execution of it."""
        order = await _order(service, order_id)
        found = await service.views.order_ledger(order.client_order_id)
        return {"executions": [rows.execution_row(each) for each in found]}

    @read("/explanation")
    async def explanation(
        self, order_id: FromPath[str], service: NamedDependency[Service]
    ) -> dict[str, Any]:
        """The whole decision and life of it: signal, checks, events, executions."""
        told = await explain_order(service.views, await _order(service, order_id))
        return dict(told.row())


class LedgerController(Controller):
    """What was booked, what is held, and how much of the limits is used."""

    @read("/executions")
    async def executions(
        self, service: NamedDependency[Service], limit: Limit = 50
    ) -> dict[str, Any]:
        """The newest executions."""
        found = await service.views.newest(LedgerEntry, limit)
        return {"executions": [rows.execution_row(each) for each in found]}

    @read("/snapshots")
    async def snapshots(
        self,
        service: NamedDependency[Service],
        asset: Annotated[str | None, QueryParameter(max_length=100)] = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        """The newest snapshots of positions."""
        found = await service.views.newest(PositionSnapshot, MOST)
        wanted = [each for each in found if asset in (None, symbol_of(each.instrument_id))]
        return {"snapshots": [rows.snapshot_row(each) for each in wanted[:limit]]}

    @read("/balances")
    async def balances(self, service: NamedDependency[Service]) -> dict[str, Any]:
        """The newest wallet snapshot of each coin, with its age."""
        found = await service.views.balances()
        return {"balances": [rows.balance_row(each) for each in found]}

    @read("/exposure")
    async def exposure(self, service: NamedDependency[Service]) -> dict[str, Any]:
        """What is held and what may still fill, in quote units by mark price, beside the limits."""
        found = await exposure_of(service)
        return {
            "positions": number(found.positions),
            "orders": number(found.orders),
            "total": number(found.total),
            "max_exposure": number(found.limit),
            "used_percent": number(round(found.used * 100, 2)),
            "open_orders": found.open_orders,
            "without_price": list(found.without_price),
        }

    @read("/denials")
    async def denials(self, service: NamedDependency[Service]) -> dict[str, Any]:
        """Why orders were denied: the newest thousand orders, counted by code."""
        found = await service.views.newest(Order, MOST)
        codes = Counter(each.code for each in found if each.status is OrderStatus.DENIED)
        return {"denials": dict(codes.most_common()), "of_orders": len(found)}


class SignalReads(Controller):
    """Signals and their verdicts."""

    path = "/signals"

    @read()
    async def newest(self, service: NamedDependency[Service], limit: Limit = 50) -> dict[str, Any]:
        """The newest signals."""
        found = await service.views.newest(SignalRow, limit)
        return {"signals": [rows.signal_row(each) for each in found]}

    @read("/{signal_id:str}")
    async def show(
        self, signal_id: FromPath[str], service: NamedDependency[Service]
    ) -> dict[str, Any]:
        """One signal: every generation, with the whole decision."""
        found = await service.views.signal(signal_id.lower()[:100])
        if not found:
            detail = f"No signal has the id {signal_id[:100]}."
            raise Refused(404, detail, code="SIGNAL_NOT_FOUND")
        return {
            "generations": [
                {**rows.signal_row(each), "decision": list(trace_rows(each.trace))}
                for each in found
            ]
        }


async def _order(service: Service, order_id: str) -> Order:
    order = await find_order(service.views, order_id)
    if order is None:
        raise Refused(404, f"No order has the id {order_id[:100]}.", code="ORDER_NOT_FOUND")
    return order

"""An exchange for property tests: it knows the truth; the test decides what of it is heard."""

from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from order_domain.model.enums import PositionSide, Side, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId
from order_domain.model.order import Order
from order_domain.model.reports import LookupResult, OrderReport, PositionReport, SweepResult
from tests.builders import D, an_execution

ZERO = D(0)


@attrs.define
class VenueOrder:
    """An order as the exchange has it; its queries show it only from `visible_at` on."""

    ours: Order
    quantity: Decimal
    status: VenueStatus = VenueStatus.NEW
    cum: Decimal = ZERO
    updated_at: datetime | None = None
    visible_at: datetime | None = None
    executions: list[Execution] = attrs.Factory(list)

    @property
    def is_open(self) -> bool:
        return self.status in (VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED)

    def is_visible(self, now: datetime) -> bool:
        return self.visible_at is not None and now >= self.visible_at

    @property
    def leaves(self) -> Decimal:
        return self.quantity - self.cum if self.is_open else ZERO


class Exchange:
    """Orders and executions as they truly are."""

    def __init__(self) -> None:
        self.orders: dict[ClientOrderId, VenueOrder] = {}
        self.executions: list[Execution] = []

    def place(self, order: Order, now: datetime, hidden: timedelta = timedelta(0)) -> bool:
        """Take an order; False when the id is taken, as the real one says."""
        if order.client_order_id in self.orders:
            return False
        placed = VenueOrder(order, order.quantity, updated_at=now, visible_at=now + hidden)
        if order.terms.reduce_only:
            opposite = -self.position() if order.terms.side is Side.BUY else self.position()
            if opposite <= 0:
                placed.status = VenueStatus.REJECTED
            placed.quantity = min(order.quantity, opposite) if opposite > 0 else order.quantity
        self.orders[order.client_order_id] = placed
        return True

    def fill(self, placed: VenueOrder, quantity: Decimal, now: datetime) -> Execution:
        terms = placed.ours.terms
        execution = an_execution(
            exec_id=ExecutionId(f"x{len(self.executions) + 1}"),
            client_order_id=terms.client_order_id,
            venue_order_id=venue_id(placed),
            instrument_id=terms.instrument_id,
            side=terms.side,
            price=placed.ours.price or D(50000),
            quantity=quantity,
            position_side=terms.position_side,
            fee=D("0.01"),
            executed_at=now,
        )
        placed.cum += quantity
        placed.updated_at = now
        full = placed.cum == placed.quantity
        placed.status = VenueStatus.FILLED if full else VenueStatus.PARTIALLY_FILLED
        placed.executions.append(execution)
        self.executions.append(execution)
        self._shrink_reduce_only(now)
        return execution

    def cancel(self, placed: VenueOrder, now: datetime) -> None:
        partly = VenueStatus.PARTIALLY_FILLED_CANCELLED
        placed.status = partly if placed.cum else VenueStatus.CANCELLED
        placed.updated_at = now

    def _shrink_reduce_only(self, now: datetime) -> None:
        """Reduce-only orders that have nothing left to reduce are cancelled by the exchange."""
        for placed in self.orders.values():
            terms = placed.ours.terms
            if placed.is_open and terms.reduce_only:
                left = -self.position() if terms.side is Side.BUY else self.position()
                if left < placed.leaves:
                    self.cancel(placed, now)

    def position(self) -> Decimal:
        return sum(
            (one.quantity if one.side is Side.BUY else -one.quantity for one in self.executions),
            ZERO,
        )

    def leaves(self, side: Side) -> Decimal:
        return sum(
            (one.leaves for one in self.orders.values() if one.ours.terms.side is side), ZERO
        )

    def report(self, placed: VenueOrder) -> OrderReport:
        terms = placed.ours.terms
        assert placed.updated_at is not None
        return OrderReport(
            instrument_id=terms.instrument_id,
            venue_order_id=venue_id(placed),
            client_order_id=terms.client_order_id,
            side=terms.side,
            order_type=terms.order_type,
            time_in_force=terms.time_in_force,
            price=placed.ours.price,
            quantity=placed.quantity,
            status=placed.status,
            cum_quantity=placed.cum,
            updated_at=placed.updated_at,
            created_at=terms.created_at,
            reduce_only=terms.reduce_only,
            position_side=terms.position_side,
        )

    def look_up(
        self, order_id: ClientOrderId, attempt: int, now: datetime, *, complete: bool
    ) -> LookupResult:
        placed = self.orders.get(order_id)
        found = placed is not None and complete and placed.is_visible(now)
        return LookupResult(
            client_order_id=order_id,
            attempt=attempt,
            sent_at=now,
            complete=complete,
            order=self.report(placed) if placed is not None and found else None,
            executions=tuple(placed.executions) if placed is not None and found else (),
        )

    def sweep(self, reason: str, now: datetime, *, complete: bool) -> SweepResult:
        symbol = {one.instrument_id for one in self.executions}
        return SweepResult(
            began_at=now,
            ended_at=now,
            complete=complete,
            reason=reason,
            orders=tuple(
                self.report(one)
                for one in self.orders.values()
                if one.is_open and one.is_visible(now)
            ),
            executions=tuple(self.executions) if complete else tuple(self.executions[:1]),
            positions=tuple(
                PositionReport(name, PositionSide.BOTH, self.position(), D(50000), now)
                for name in symbol
            ),
        )


def venue_id(placed: VenueOrder) -> VenueOrderId:
    return VenueOrderId(f"v-{placed.ours.client_order_id}")

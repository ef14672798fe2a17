"""VenueOrder: an order as the exchange keeps it; reports are copies of it."""

from datetime import datetime
from decimal import Decimal

import attrs

from order_adapters.simulator.market import Market
from order_adapters.simulator.position import VenuePosition
from order_adapters.simulator.stop import Bracket, Stop
from order_domain.model.enums import OrderType, PositionSide, Side, TimeInForce, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId
from order_domain.model.instrument import ZERO
from order_domain.model.reports import OrderReport

# Compared by identity: hashing a member of an enumeration costs more than both comparisons.
_NEW, _PARTIALLY_FILLED = VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED
_UNTRIGGERED = VenueStatus.UNTRIGGERED


@attrs.define(slots=True, eq=False)
class VenueOrder:
    """One order and where it stands.

    Attributes:
        number: 1..n per account; older orders at one price are served first.
        cap: Worst price a market order may have; None leaves it to what is displayed.
        queue: Others' quantity before it at its price; None while that price is not displayed.
        crossed: It took all that was displayed and rests at or through the touch.
        opening: The part that enlarges the position, base units; it is thought to fill last.
        held: What it keeps from the balance, in the coin it pays with.
        stop: What it waits for or has waited for.
        bracket: The guards that its fills begin.
        newest: Its last version.
        older: The versions before that, oldest first, if somebody may still be shown them.
    """

    number: int
    market: Market
    position: VenuePosition | None
    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: Decimal | None
    quantity: Decimal
    reduce_only: bool
    position_side: PositionSide
    created_at: datetime
    buys: bool
    cap: Decimal | None = None
    cum: Decimal = ZERO
    status: VenueStatus = VenueStatus.NEW
    updated_at: datetime | None = None
    queue: Decimal | None = None
    crossed: bool = False
    opening: Decimal = ZERO
    held: Decimal = ZERO
    stop: Stop | None = None
    bracket: Bracket | None = None
    executions: tuple[Execution, ...] = ()
    newest: OrderReport | None = None
    older: list[OrderReport] | None = None

    @property
    def leaves(self) -> Decimal:
        """What may still execute, base units; zero once it is closed."""
        return self.quantity - self.cum if self.is_open else ZERO

    @property
    def is_open(self) -> bool:
        """Neither filled, cancelled nor rejected."""
        status = self.status
        return status is _NEW or status is _PARTIALLY_FILLED or status is _UNTRIGGERED

    @property
    def waits(self) -> bool:
        """Not yet matched: its price has not come."""
        return self.status is _UNTRIGGERED

    @property
    def resting_price(self) -> Decimal:
        """The price it rests at; zero for a market order, which never rests."""
        return self.price if self.price is not None else ZERO

    @property
    def closes(self) -> bool:
        """Whether its side shrinks its position as that stands now."""
        position = self.position
        return position is not None and bool(position.size) and (position.size > 0) is not self.buys

    def report(self, at: datetime, reject_reason: str = "", cancel_type: str = "") -> OrderReport:
        """Write the next version down and return it."""
        self.updated_at = at
        report = report_of(self, at, reject_reason, cancel_type)
        if self.older is not None and self.newest is not None:
            self.older.append(self.newest)
        self.newest = report
        return report


def report_of(order: VenueOrder, at: datetime, reject_reason: str, cancel_type: str) -> OrderReport:
    """Show an order as it stands.

    A call with sixteen keywords costs four times what sixteen assignments cost; this and
    `execution_of` run for every order.
    """
    report = _new(OrderReport)
    report.instrument_id = order.market.id
    report.venue_order_id = order.venue_order_id
    report.client_order_id = order.client_order_id
    report.side = order.side
    report.order_type = order.order_type
    report.time_in_force = order.time_in_force
    report.price = order.price
    report.quantity = order.quantity
    report.status = order.status
    report.cum_quantity = order.cum
    report.updated_at = at
    report.created_at = order.created_at
    report.reduce_only = order.reduce_only
    report.position_side = order.position_side
    report.reject_reason = reject_reason
    report.cancel_type = cancel_type
    return report


def execution_of(
    order: VenueOrder, exec_id: ExecutionId, price: Decimal, quantity: Decimal, at: datetime
) -> Execution:
    """Begin the execution of a part of an order; fee, kind, role and sequence are the caller's."""
    execution = _new(Execution)
    execution.exec_id = exec_id
    execution.instrument_id = order.market.id
    execution.client_order_id = order.client_order_id
    execution.venue_order_id = order.venue_order_id
    execution.side = order.side
    execution.price = price
    execution.quantity = quantity
    execution.executed_at = at
    execution.position_side = order.position_side
    return execution


_new = object.__new__

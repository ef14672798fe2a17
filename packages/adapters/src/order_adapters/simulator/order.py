"""VenueOrder: an order as the exchange keeps it; reports are copies of it."""

from datetime import datetime
from decimal import Decimal

import attrs

from order_adapters.simulator.market import Market
from order_adapters.simulator.position import VenuePosition
from order_domain.model.enums import OrderType, PositionSide, Side, TimeInForce, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, VenueOrderId
from order_domain.model.instrument import ZERO
from order_domain.model.reports import OrderReport

OPEN = frozenset((VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED))


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
    executions: tuple[Execution, ...] = ()
    newest: OrderReport | None = None
    older: list[OrderReport] | None = None

    @property
    def leaves(self) -> Decimal:
        """What may still execute, base units; zero once it is closed."""
        return self.quantity - self.cum if self.status in OPEN else ZERO

    @property
    def is_open(self) -> bool:
        """Neither filled, cancelled nor rejected."""
        return self.status in OPEN

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
        report = OrderReport(
            instrument_id=self.market.id,
            venue_order_id=self.venue_order_id,
            client_order_id=self.client_order_id,
            side=self.side,
            order_type=self.order_type,
            time_in_force=self.time_in_force,
            price=self.price,
            quantity=self.quantity,
            status=self.status,
            cum_quantity=self.cum,
            updated_at=at,
            created_at=self.created_at,
            reduce_only=self.reduce_only,
            position_side=self.position_side,
            reject_reason=reject_reason,
            cancel_type=cancel_type,
        )
        if self.older is not None and self.newest is not None:
            self.older.append(self.newest)
        self.newest = report
        return report

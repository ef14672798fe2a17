"""Exposure: what is held and what may still fill, by mark price, beside the limit."""

from decimal import Decimal
from typing import Final

import attrs

from order_domain.model.enums import Category, OrderStatus
from order_domain.model.identifiers import InstrumentId, category_of, symbol_of
from order_domain.model.instrument import ZERO
from order_domain.model.order import TERMINAL
from order_domain.ports.views import OrderQuery
from order_service.service import Service

MOST: Final = 1000
"""Open orders that are looked at."""
OPEN: Final = tuple(status for status in OrderStatus if status not in TERMINAL)


@attrs.frozen(slots=True, kw_only=True)
class Exposure:
    """Quote units.

    Attributes:
        without_price: Symbols that count as nothing here, for they have no quote.
        open_orders: How many.
    """

    positions: Decimal
    orders: Decimal
    limit: Decimal
    without_price: tuple[str, ...]
    open_orders: int

    @property
    def total(self) -> Decimal:
        """Of positions and orders."""
        return self.positions + self.orders

    @property
    def used(self) -> Decimal:
        """The part of the limit, 1 being all of it."""
        return self.total / self.limit if self.limit else ZERO


async def exposure_of(service: Service) -> Exposure:
    """Add up what is committed. Raises StoreUnavailable."""
    held, pending, unpriced = ZERO, ZERO, set[str]()
    for position in await service.views.positions():
        value = _value(service, position.instrument_id, abs(position.size))
        if value is None:
            unpriced.add(symbol_of(position.instrument_id))
        held += value or ZERO
    orders, total = await service.views.orders(OrderQuery(statuses=OPEN, limit=MOST))
    for order in orders:
        value = _value(service, order.terms.instrument_id, order.leaves_quantity)
        if value is None:
            unpriced.add(symbol_of(order.terms.instrument_id))
        pending += value or ZERO
    return Exposure(
        positions=held,
        orders=pending,
        limit=service.limits.max_exposure,
        without_price=tuple(sorted(unpriced)),
        open_orders=total,
    )


def _value(service: Service, instrument: InstrumentId, quantity: Decimal) -> Decimal | None:
    if not quantity:
        return ZERO
    if category_of(instrument) == Category.INVERSE:
        return quantity  # contracts of one unit of the quote currency
    quote = service.quote(instrument)
    return None if quote is None else quantity * quote.mark_price

"""Finding: an order by any id that anybody was ever told."""

from typing import Final
from uuid import UUID

from order_domain.model.identifiers import event_id, symbol_of
from order_domain.model.order import Order
from order_domain.ports.views import OrderQuery, Views

LONGEST_ID: Final = 100
LOOKED_THROUGH: Final = 1000
"""Newest orders that are looked through for the id of a row, which no store has an index of."""
_MADE_OF_A_NAME: Final = 5


async def find_order(views: Views, any_id: str) -> Order | None:
    """Find an order by client order id, exchange's id, or the `id` that is shown of its row.

    The last one is found among the newest 1,000 orders.
    """
    name = any_id[:LONGEST_ID]
    found = await views.order(name)
    if found is not None:
        return found
    try:
        row_id = UUID(name)
    except ValueError:
        return None
    if row_id.version != _MADE_OF_A_NAME:
        return None
    newest = await views.newest(Order, LOOKED_THROUGH)
    return next((one for one in newest if event_id(one.client_order_id, 0) == row_id), None)


def matches(order: Order, query: OrderQuery) -> bool:
    """Whether an order found by its id is also what a listing asks for."""
    terms = order.terms
    return (
        query.symbol in (None, symbol_of(terms.instrument_id))
        and (not query.statuses or order.status in query.statuses)
        and query.signal_id in (None, terms.signal_id)
        and query.strategy_id in (None, terms.strategy_id)
        and query.side in (None, terms.side)
        and (query.created_from is None or terms.created_at >= query.created_from)
        and (query.created_to is None or terms.created_at < query.created_to)
    )

"""Finding: an order by any id that anybody was ever told."""

from typing import Final
from uuid import UUID

from order_domain.model.identifiers import symbol_of
from order_domain.model.order import Order
from order_domain.ports.views import OrderQuery, Views

LONGEST_ID: Final = 100


async def find_order(views: Views, any_id: str) -> Order | None:
    """Find an order by client order id, exchange's id, or the `id` that is shown of its row."""
    name = any_id[:LONGEST_ID]
    found = await views.order(name)
    canonical = _canonical(name)
    if found is None and canonical != name:
        found = await views.order(canonical)
    return found


def _canonical(name: str) -> str:
    """The one text of a UUID, of which there are several; any other name as it is."""
    try:
        return str(UUID(name))
    except ValueError:
        return name


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

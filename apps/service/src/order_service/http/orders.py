"""Orders: committed rows, filtered, sorted and paged in either style."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from litestar import Controller, Request
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from order_domain.model.enums import OrderStatus, Side
from order_domain.model.order import Order
from order_domain.ports.views import OrderQuery
from order_service.http.finding import find_order, matches
from order_service.http.listings import Listings, listing
from order_service.http.order_view import STATUSES, OrderView, order_view
from order_service.http.problems import Refused
from order_service.http.routes import read
from order_service.service import Service

DEFAULT_PAGE: Final = 20
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
Text = Annotated[str | None, QueryParameter(max_length=100)]
Status = Annotated[
    str | None,
    QueryParameter(
        max_length=40, description="A neighbour's word (pending, filled, ...) or a state of ours."
    ),
]
States = Annotated[
    str | None,
    QueryParameter(max_length=200, description="States of ours, by commas; instead of `status`."),
]
AnySide = Annotated[
    str | None,
    QueryParameter(pattern="^([Bb][Uu][Yy]|[Ss][Ee][Ll][Ll])$", description="In any case."),
]
Moment = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(Z|[+ -][0-9]{2}:[0-9]{2})$",
        description="RFC 3339, with its zone.",
    ),
]
Count = Annotated[int | None, QueryParameter(ge=1, le=100)]
Start = Annotated[int | None, QueryParameter(ge=0, le=10_000_000)]
Page = Annotated[int | None, QueryParameter(ge=1, le=1_000_000)]
SortBy = Annotated[Literal["created_at", "updated_at", "executed_at"], QueryParameter()]
SortOrder = Annotated[Literal["asc", "desc"], QueryParameter()]


class OrderController(Controller):
    """Read only."""

    path = "/orders"

    @read()
    async def list_orders(  # noqa: PLR0913 -- the filters of a listing
        self,
        request: Request[Any, Any, Any],
        service: NamedDependency[Service],
        listings: NamedDependency[Listings],
        *,
        asset: Text = None,
        status: Status = None,
        states: States = None,
        signal_id: Text = None,
        order_id: Text = None,
        strategy_id: Text = None,
        side: AnySide = None,
        date_from: Moment = None,
        date_to: Moment = None,
        limit: Count = None,
        offset: Start = None,
        page: Page = None,
        page_size: Count = None,
        sort_by: SortBy = "created_at",
        sort_order: SortOrder = "desc",
    ) -> dict[str, Any]:
        """List orders, by limit and offset or by page and page_size."""
        size, start = _window(limit, offset, page, page_size)
        query = OrderQuery(
            symbol=asset,
            statuses=_statuses(status, states),
            signal_id=signal_id,
            strategy_id=strategy_id,
            side=_side(side),
            created_from=_aware("date_from", date_from),
            created_to=_aware("date_to", date_to),
            sort_by=sort_by,
            descending=sort_order == "desc",
            limit=size,
            offset=start,
        )
        if order_id is None:
            listings.keep_words(request.scope["query_string"], query)
            return await listings.page(query)
        found = await find_order(service.views, order_id)
        kept = [] if found is None or not matches(found, query) else [found]
        return listing(_shown(service, kept[start:]), len(kept), query)

    @read("/{order_id:str}")
    async def show_order(
        self, order_id: FromPath[str], service: NamedDependency[Service]
    ) -> OrderView:
        """Show one order, by the exchange's id, the client order id, or the id of its row."""
        order = await find_order(service.views, order_id)
        if order is None:
            raise Refused(404, f"No order has the id {order_id[:100]}.", code="ORDER_NOT_FOUND")
        return _shown(service, [order])[0]


def _shown(service: Service, orders: Sequence[Order]) -> list[OrderView]:
    return [order_view(order, is_dry_run=service.choices.is_dry) for order in orders]


def _window(
    limit: int | None, offset: int | None, page: int | None, page_size: int | None
) -> tuple[int, int]:
    by_page = page is not None or page_size is not None
    if by_page and (limit is not None or offset is not None):
        raise Refused(400, "Use limit and offset, or page and page_size, not both.")
    size = limit or page_size or DEFAULT_PAGE
    return size, (page - 1) * size if page is not None else offset or 0


def _statuses(status: str | None, states: str | None) -> tuple[OrderStatus, ...]:
    if states is not None:
        if status is not None:
            raise Refused(400, "Use status or states, not both.")
        return tuple(_state(word) for word in states.split(","))
    if status is None:
        return ()
    found = STATUSES.get(status.lower())
    if found is None:
        raise _unknown("status", sorted(STATUSES), status)
    return found


def _state(word: str) -> OrderStatus:
    try:
        return OrderStatus(word.upper())
    except ValueError:
        raise _unknown("states", [each.value for each in OrderStatus], word) from None


def _side(side: str | None) -> Side | None:
    if side is None:
        return None
    found = _SIDES.get(side.lower())
    if found is None:
        raise _unknown("side", list(_SIDES), side)
    return found


def _aware(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.replace(" ", "+"))  # what an unquoted + has become
    except ValueError:
        raise _unknown(name, ["a moment of the calendar"], text) from None


def _unknown(field: str, allowed: list[str], value: str) -> Refused:
    rule = f"one of {', '.join(allowed)}"
    return Refused(
        400, f"{field} must be {rule}.", errors=[{"field": field, "rule": rule, "value": value}]
    )

"""OrderView: an order as the neighbours know it, with what only we know beside it."""

from collections.abc import Mapping
from typing import Final

import msgspec

from order_domain.lifecycle import status_for_neighbours
from order_domain.model.enums import OrderStatus
from order_domain.model.identifiers import order_row_id, symbol_of
from order_domain.model.order import Order
from order_service.http.wire import moment, number, optional_moment, optional_number

_S = OrderStatus
STATUSES: Final[Mapping[str, tuple[OrderStatus, ...]]] = {
    "pending": (_S.INTENT, _S.SUBMITTING, _S.UNKNOWN, _S.ACKED, _S.WORKING),
    "partially_filled": (_S.PARTIALLY_FILLED,),
    "filled": (_S.FILLED,),
    "cancelled": (_S.CANCELLED,),
    "rejected": (_S.DENIED, _S.REJECTED, _S.EXPIRED),
    **{
        status.value.lower(): (status,)
        for status in _S
        if status not in (_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED)
    },
}
"""The six words of the neighbours and our own, in lower case."""


class OrderView(msgspec.Struct, kw_only=True):
    """One order.

    Attributes:
        id: Stable id of the row.
        order_id: The exchange's id; ours until it told one.
        status: One of the six words of the neighbours; `state` is ours.
        fees: Sum in the only coin that fees were paid in; `fees_by_coin` is always complete.
        sequence: Rises by one with every change.
    """

    id: str
    order_id: str
    client_order_id: str
    signal_id: str
    strategy_id: str
    asset: str
    side: str
    order_type: str
    time_in_force: str
    reduce_only: bool
    quantity: str
    price: str | None
    status: str
    state: str
    filled_quantity: str
    average_price: str | None
    fees: str | None
    fees_by_coin: dict[str, str]
    rejection_reason: str | None
    code: str
    text: str
    created_at: str
    updated_at: str
    executed_at: str | None
    trace_id: str
    is_dry_run: bool
    sequence: int


def order_view(order: Order, *, is_dry_run: bool) -> OrderView:
    """Show one order."""
    terms, fees = order.terms, order.fees
    status = status_for_neighbours(order.status, has_fills=bool(order.cum_quantity))
    only_fee = next(iter(fees.values())) if len(fees) == 1 else None
    reason = f"{order.code} {order.text}".strip() if status == "rejected" else None
    return OrderView(
        id=order_row_id(order.client_order_id),
        order_id=order.venue_order_id or order.client_order_id,
        client_order_id=order.client_order_id,
        signal_id=terms.signal_id,
        strategy_id=terms.strategy_id,
        asset=symbol_of(terms.instrument_id),
        side=terms.side.value,
        order_type=terms.order_type.value,
        time_in_force=terms.time_in_force.value,
        reduce_only=terms.reduce_only,
        quantity=number(order.quantity),
        price=optional_number(order.price),
        status=status,
        state=order.status.value,
        filled_quantity=number(order.cum_quantity),
        average_price=optional_number(order.average_price),
        fees=optional_number(only_fee),
        fees_by_coin={coin: number(fee) for coin, fee in fees.items()},
        rejection_reason=reason,
        code=order.code,
        text=order.text,
        created_at=moment(terms.created_at),
        updated_at=moment(order.updated_at),
        executed_at=optional_moment(order.executed_at),
        trace_id=terms.trace_id,
        is_dry_run=is_dry_run,
        sequence=order.version,
    )

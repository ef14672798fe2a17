"""Leaves per side, each waiting order only beyond what it waits for (protocol 7.3)."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from order_domain.model.enums import Side
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.instrument import ZERO
from order_domain.model.order import Order

Measure = Callable[[Order], Decimal]


def _leaves(order: Order) -> Decimal:
    return order.leaves_quantity


def freed_leaves(orders: Sequence[Order], leaving: Sequence[Order], side: Side) -> Decimal:
    """Base units by which the side's leaves shrink when these orders end."""
    return freed(orders, leaving, side, _leaves)


def freed(
    orders: Sequence[Order], leaving: Sequence[Order], side: Side, measure: Measure
) -> Decimal:
    """By how much the side's total of a measure shrinks when `leaving` end."""
    ends = {order.terms.client_order_id for order in leaving}
    staying = [order for order in orders if order.terms.client_order_id not in ends]
    return _total(orders, side, measure) - _total(staying, side, measure)


def _total(orders: Sequence[Order], side: Side, measure: Measure) -> Decimal:
    on_side = {order.terms.client_order_id: order for order in orders if order.terms.side is side}
    total = ZERO
    taken: dict[ClientOrderId, Decimal] = {}
    for order in on_side.values():
        amount = measure(order)
        for replaced in order.terms.replaces:
            if replaced in on_side:
                before = taken.get(replaced, ZERO)
                room = min(measure(on_side[replaced]) - before, amount)
                taken[replaced] = before + room
                amount -= room
        total += amount
    return total

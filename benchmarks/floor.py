"""The floor: what bare Python costs for one order that holds two Decimals and is filled.

A loop with one slotted object, two Decimals parsed from text, one dict insert and one transition.
Every other figure is given as a multiple of it, because a machine's speed is its own.
"""

import gc
import sys
import time
from decimal import Decimal


class BareOrder:
    """The least an order can be."""

    __slots__ = ("filled", "id", "price", "quantity", "side", "status")

    def __init__(self, order_id: int, side: str, quantity: Decimal, price: Decimal) -> None:
        self.id = order_id
        self.side = side
        self.quantity = quantity
        self.price = price
        self.filled: Decimal | None = None
        self.status = "NEW"


def run(count: int) -> None:
    """Make and fill this many bare orders."""
    orders = {}
    for number in range(count):
        order = BareOrder(number, "Buy", Decimal("0.020"), Decimal("50000.0"))
        orders[number] = order
        order.filled = order.quantity
        order.status = "FILLED"
    if len(orders) != count or orders[count - 1].status != "FILLED":
        raise AssertionError("the floor lost an order")


def speed(count: int, runs: int = 5) -> float:
    """Bare orders a second of CPU, the median of some runs, each from a clean heap."""
    found = []
    for _ in range(runs):
        gc.collect()
        began = time.process_time()
        run(count)
        found.append(count / (time.process_time() - began))
    return sorted(found)[runs // 2]


if __name__ == "__main__":
    # as `order_service.heap` sets it, in an interpreter that need not have our packages
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    print(speed(int(sys.argv[1])))

"""NaiveMarket: the matching rules spelt out unit by unit, slow and obvious; an oracle.

Prices are whole ticks, quantities whole units. A level of our side is a list of single units in the
order in which they will trade: OTHERS, the number of one of our orders, or UNKNOWN for as many
others as may have come while the level was not displayed.
"""

from collections import Counter

import attrs

from order_domain.model.enums import Side

OTHERS = -1
UNKNOWN = -2
Fill = tuple[int, int, int, bool]
"""Order, price, quantity, maker."""


@attrs.define
class Resting:
    price: int
    buys: bool
    leaves: int
    crossed: bool


class NaiveMarket:
    def __init__(self) -> None:
        self.bid = self.ask = self.bid_size = self.ask_size = 0
        self.left = {True: 0, False: 0}
        self.orders: dict[int, Resting] = {}
        self.levels: dict[tuple[bool, int], list[int]] = {}

    def quote(self, bid: int, bid_size: int, ask: int, ask_size: int) -> list[Fill]:
        for buys, old, new, old_size, size in (
            (True, self.ask, ask, self.ask_size, ask_size),
            (False, self.bid, bid, self.bid_size, bid_size),
        ):
            raised = max(0, size - old_size)
            self.left[buys] = min(size, self.left[buys] + raised) if old == new else size
        self.bid, self.bid_size, self.ask, self.ask_size = bid, bid_size, ask, ask_size
        fills = [fill for buys in (True, False) for fill in self._reached(buys)]
        for (buys, price), level in self.levels.items():
            shown = self._shown(buys, price)
            if shown is not None:
                self.levels[buys, price] = _with_others(level, shown)
        return fills

    def trade(self, price: int, size: int, taker: Side) -> list[Fill]:
        buys = taker is Side.SELL
        fills: Counter[int] = Counter()
        for better in self._prices(buys):
            if better == price or (better < price) is buys:
                continue
            level = self.levels[buys, better] = self._ours(buys, better)
            while size and level:
                fills[level.pop(0)] += 1
                size -= 1
        level = self.levels.get((buys, price), [])
        while size and level and level[0] != UNKNOWN:
            unit = level.pop(0)
            size -= 1
            if unit != OTHERS:
                fills[unit] += 1
        return [self._fill(number, quantity) for number, quantity in fills.items()]

    def place(self, number: int, side: Side, price: int | None, quantity: int) -> list[Fill]:
        buys = side is Side.BUY
        touch = self.ask if buys else self.bid
        crosses = price is None or (price >= touch if buys else price <= touch)
        fills: list[Fill] = []
        if crosses:
            taken = min(quantity, self.left[buys])
            self.left[buys] -= taken
            quantity -= taken
            fills += [(number, touch, taken, False)] if taken else []
        if price is not None and quantity:
            level = self.levels.setdefault((buys, price), [])
            shown = self._shown(buys, price)
            if shown is None:
                level.append(UNKNOWN)
            else:
                level += [OTHERS] * (shown - level.count(OTHERS))
            level += [number] * quantity
            self.orders[number] = Resting(price, buys, quantity, crosses)
        return fills

    def cancel(self, number: int) -> None:
        order = self.orders.pop(number, None)
        if order is None:
            return
        level = self.levels[order.buys, order.price]
        level[:] = [unit for unit in level if unit != number]
        self._tidy(order)

    def _reached(self, buys: bool) -> list[Fill]:
        touch = self.ask if buys else self.bid
        fills = []
        for price in self._prices(buys):
            for number, order in sorted(self.orders.items()):
                if (order.buys, order.price) != (buys, price):
                    continue
                if price < touch if buys else price > touch:
                    order.crossed = False
                    continue
                quantity = min(order.leaves, self.left[buys]) if order.crossed else order.leaves
                if order.crossed:
                    self.left[buys] -= quantity
                if quantity:
                    self._remove(order, number, quantity)
                    fills.append(self._fill(number, quantity))
        return fills

    def _remove(self, order: Resting, number: int, quantity: int) -> None:
        for _ in range(quantity):
            self.levels[order.buys, order.price].remove(number)

    def _fill(self, number: int, quantity: int) -> Fill:
        order = self.orders[number]
        order.leaves -= quantity
        if not order.leaves:
            del self.orders[number]
            self._tidy(order)
        return number, order.price, quantity, True

    def _tidy(self, order: Resting) -> None:
        """A level without an order of ours is not watched."""
        if not self._ours(order.buys, order.price):
            self.levels.pop((order.buys, order.price), None)

    def _prices(self, buys: bool) -> list[int]:
        return sorted({o.price for o in self.orders.values() if o.buys is buys}, reverse=buys)

    def _ours(self, buys: bool, price: int) -> list[int]:
        """Our units at a price, oldest order first."""
        return [
            number
            for number, order in sorted(self.orders.items())
            if (order.buys, order.price) == (buys, price)
            for _ in range(order.leaves)
        ]

    def _shown(self, buys: bool, price: int) -> int | None:
        best, size = (self.bid, self.bid_size) if buys else (self.ask, self.ask_size)
        if price == best:
            return size
        return 0 if (price > best) is buys else None


def _with_others(level: list[int], shown: int) -> list[int]:
    """No more others than are shown; where they were unknown, all that are shown may be."""
    kept: list[int] = []
    for unit in level:
        if unit == UNKNOWN:
            kept += [OTHERS] * (shown - kept.count(OTHERS))
        elif unit != OTHERS or kept.count(OTHERS) < shown:
            kept.append(unit)
    return kept

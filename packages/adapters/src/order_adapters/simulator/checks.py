"""Checks: what the exchange looks at before it takes a request, in its order, with its codes."""

from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from order_adapters.simulator import refusals as no
from order_adapters.simulator.account import Account, opening_part
from order_adapters.simulator.config import SimulatorConfig
from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.records import Records
from order_adapters.simulator.refusals import Refusal
from order_domain.model.enums import (
    Category,
    CommandKind,
    InstrumentStatus,
    OrderType,
    PositionSide,
    TimeInForce,
)

_AHEAD: Final = timedelta(seconds=1)
_SECOND: Final = timedelta(seconds=1)
_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_BOTH, _LONG = PositionSide.BOTH, PositionSide.LONG
_TRADING, _DELIVERING = InstrumentStatus.TRADING, InstrumentStatus.DELIVERING
_POST_ONLY = TimeInForce.POST_ONLY
_INVERSE = Category.INVERSE


class Gate:
    """The door: how many requests a second, and how old one may be."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._limit = config.rate_limit
        self._window = config.recv_window
        self._recent: dict[tuple[CommandKind, bool], deque[datetime]] = {}

    def refuse(
        self, kind: CommandKind, spot: bool, stamped: datetime | None, at: datetime
    ) -> Refusal | None:
        """Say why a request that arrives at this exchange time is not even read."""
        if self._limit is not None and self._is_flooded(kind, spot, at, self._limit):
            return no.TOO_MANY_VISITS
        if stamped is not None and not at - self._window <= stamped < at + _AHEAD:
            return no.CLOCK
        return None

    def _is_flooded(self, kind: CommandKind, spot: bool, at: datetime, limit: int) -> bool:
        recent = self._recent.get((kind, spot))
        if recent is None:
            recent = self._recent[kind, spot] = deque()
        while recent and recent[0] <= at - _SECOND:
            recent.popleft()
        if len(recent) >= limit:
            return True
        recent.append(at)
        return False


class Checks:
    """Everything that can be wrong with an order."""

    def __init__(self, config: SimulatorConfig, account: Account, records: Records) -> None:
        self._band = config.price_band
        self._max_open = config.max_open_orders
        self._account = account
        self._records = records

    def create(self, draft: VenueOrder) -> Refusal | None:
        """Say why an order is not taken. Shrinks a reduce-only one to its position."""
        refusal = (
            self._identity(draft) or self._terms(draft) or self._quantity(draft, draft.quantity)
        )
        if refusal is None and draft.price is not None:
            refusal = self._price(draft, draft.price)
        if refusal is None and (draft.reduce_only or draft.position_side is not _BOTH):
            refusal = self._reduction(draft)
        return refusal or self._money(draft, draft.price, draft.quantity)

    def amend(self, order: VenueOrder, price: Decimal, quantity: Decimal) -> Refusal | None:
        """Say why new absolute values of a resting order are not taken."""
        spot = order.market.is_spot
        if price == order.price and quantity == order.quantity:
            return no.NOT_MODIFIED
        if quantity < order.cum or (quantity == order.cum and not spot):
            return no.SPOT_AMENDED_BELOW_FILLED if spot else no.AMENDED_BELOW_FILLED
        refusal = self._quantity(order, quantity) or self._price(order, price)
        position = order.position
        if refusal is None and order.reduce_only and position is not None:
            refusal = no.REDUCE_ONLY if quantity - order.cum > abs(position.size) else None
        return refusal or self._money(order, price, quantity)

    def missing(self, order: VenueOrder | None, spot: bool) -> Refusal | None:
        """Say why there is nothing to amend or cancel."""
        if order is None:
            return no.SPOT_NOT_FOUND if spot else no.ORDER_NOT_FOUND
        if order.is_open:
            return None
        if spot:
            return no.SPOT_NOT_FOUND
        return no.COMPLETED if order.cum == order.quantity else no.CANCELLED

    def _identity(self, draft: VenueOrder) -> Refusal | None:
        name = draft.client_order_id
        if name:
            word = name.replace("-", "").replace("_", "")
            if len(name) > 36 or not word.isascii() or not (word.isalnum() or not word):
                return no.BAD_LINK_ID
            if self._records.knows(name):
                return no.SPOT_DUPLICATE if draft.market.is_spot else no.DUPLICATE
        status = draft.market.instrument.status
        if status is _TRADING or (status is _DELIVERING and draft.reduce_only):
            return None
        return no.ONLY_CLOSING if status is _DELIVERING else no.NOT_LIVE

    def _terms(self, draft: VenueOrder) -> Refusal | None:
        market = draft.market
        if market.hedged is (draft.position_side is _BOTH):
            return no.POSITION_INDEX
        if draft.order_type is _MARKET and draft.time_in_force is _POST_ONLY:
            return no.MARKET_POST_ONLY
        if draft.order_type is _LIMIT and draft.price is None:
            return no.PRICE_INVALID
        if market.is_spot:
            if draft.reduce_only:
                return no.SPOT_REDUCE_ONLY
            return no.SPOT_TOO_MANY_ORDERS if self._is_full(market) else None
        return no.TOO_MANY_ORDERS if self._is_full(market) else None

    def _is_full(self, market: Market) -> bool:
        if not market.is_spot:
            return len(market.buys) + len(market.sells) >= self._max_open
        resting = sum(order.market.is_spot for order in self._records.open.values())
        return resting >= self._max_open

    def _quantity(self, draft: VenueOrder, quantity: Decimal) -> Refusal | None:
        instrument = draft.market.instrument
        spot = draft.market.is_spot
        if not quantity.is_finite():
            return no.QUANTITY_INVALID
        if quantity % instrument.quantity_step:
            return no.SPOT_STEP if spot else no.QUANTITY_INVALID
        if quantity < instrument.min_quantity:
            if quantity <= 0:
                return no.QUANTITY_INVALID
            return no.SPOT_QUANTITY_TOO_SMALL if spot else no.QUANTITY_TOO_SMALL
        if quantity > instrument.max_order_quantity(draft.order_type):
            return no.SPOT_QUANTITY_TOO_LARGE if spot else no.QUANTITY_TOO_LARGE
        return None

    def _price(
        self, draft: VenueOrder, price: Decimal, base: Decimal | None = None
    ) -> Refusal | None:
        """Measure a limit price from the price the order will meet: mark, or its trigger price."""
        instrument, spot, buys = draft.market.instrument, draft.market.is_spot, draft.buys
        if not price.is_finite() or price <= 0:
            return no.PRICE_INVALID
        if price % instrument.tick_size:
            return no.SPOT_TICK if spot else no.PRICE_INVALID
        mark = draft.market.mark_price() if base is None else base
        outside = price > instrument.max_price
        if mark is not None:
            outside |= price > mark * (1 + self._band) if buys else price < mark * (1 - self._band)
        if not outside:
            return None
        if spot:
            return no.SPOT_BUY_OUT_OF_RANGE if buys else no.SPOT_SELL_OUT_OF_RANGE
        return no.PRICE_OUT_OF_RANGE

    def _reduction(self, draft: VenueOrder) -> Refusal | None:
        """A hedged position is never turned around either: its closing side only reduces."""
        position = draft.position
        closing = draft.position_side is not _BOTH and (
            draft.buys is not (draft.position_side is _LONG)
        )
        if not draft.reduce_only and not closing:
            return None
        if position is None or not draft.closes:
            return no.REDUCE_ONLY
        room = abs(position.size)
        draft.quantity = min(draft.quantity, room)
        draft.reduce_only = True
        return None

    def _money(self, draft: VenueOrder, price: Decimal | None, quantity: Decimal) -> Refusal | None:
        """The value of what is asked for, and whether the account can carry it."""
        if draft.reduce_only:
            return None
        market = draft.market
        if price is None:
            touch = market.touch(draft.buys)
            if touch is None:
                return None
            price = touch[0]
        least = market.instrument.min_notional
        if least and self._notional(market, price, quantity) < least:
            return no.SPOT_BELOW_MIN_NOTIONAL if market.is_spot else no.BELOW_MIN_NOTIONAL
        before = draft.opening
        leaves = quantity - draft.cum if draft.cum else quantity
        draft.opening = opening_part(draft, leaves)
        if self._account.affords(draft, price, leaves):
            return None
        draft.opening = before
        return no.SPOT_NO_BALANCE if market.is_spot else no.NO_BALANCE

    def _notional(self, market: Market, price: Decimal, quantity: Decimal) -> Decimal:
        """Value in quote coin; a contract of an inverse symbol is worth one."""
        return quantity if market.instrument.category is _INVERSE else price * quantity

"""StopChecks: what the exchange looks at in conditional orders, and in guards of a position."""

from decimal import Decimal
from typing import Final

from order_adapters.simulator import refusals as no
from order_adapters.simulator.checks import Checks
from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import VenuePosition
from order_adapters.simulator.refusals import Refusal
from order_adapters.simulator.stop import (
    PARTS,
    WHOLE,
    Bracket,
    Leg,
    Stop,
    StopKind,
    TradingStop,
    TriggerBy,
)
from order_domain.model.enums import InstrumentStatus, OrderType, PositionSide

MAX_STOPS: Final = 10
"""Conditional orders of a derivative that may wait at once; its guards are not among them."""
MAX_SPOT_STOPS: Final = 30
"""Of each kind, conditional and TP/SL, that may wait at once for a spot symbol."""
MAX_PARTS: Final = 20
"""Partial take-profits, and partial stop-losses, of a position. The number is not documented."""
_BOTH = PositionSide.BOTH
_LIMIT = OrderType.LIMIT
_DELIVERING, _TRADING = InstrumentStatus.DELIVERING, InstrumentStatus.TRADING


class StopChecks(Checks):
    """Everything that can be wrong with what waits for a price."""

    def wait(self, draft: VenueOrder, stop: Stop) -> Refusal | None:
        """Say why a conditional order is not taken."""
        market = draft.market
        refusal = (
            self._identity(draft)
            or self._shape(draft)
            or self._quantity(draft, draft.quantity)
            or self._condition(market, stop.price, stop.by, rises=stop.rises)
        )
        if refusal is None and draft.price is not None:
            refusal = self._price(draft, draft.price, stop.price)
        refusal = refusal or self._room(market, stop.kind)
        if refusal is not None or draft.reduce_only:
            return refusal
        price = draft.price or stop.price
        if self._is_too_little(market, price, draft.quantity):
            return no.SPOT_BELOW_MIN_NOTIONAL if market.is_spot else no.BELOW_MIN_NOTIONAL
        if stop.locks and not self._account.affords(draft, price, draft.quantity):
            return no.SPOT_NO_BALANCE
        return None

    def triggered(self, order: VenueOrder) -> Refusal | None:
        """Say why an order whose price has come is not matched after all. Shrinks reducers."""
        status = order.market.instrument.status
        if status is not _TRADING and not (status is _DELIVERING and order.reduce_only):
            return no.ONLY_CLOSING if status is _DELIVERING else no.NOT_LIVE
        if order.reduce_only or order.position_side is not _BOTH:
            refusal = self._reduction(order)
            if refusal is not None:
                return refusal
        return self._money(order, order.price, order.quantity)

    def change(
        self,
        order: VenueOrder,
        stop: Stop,
        price: Decimal | None,
        quantity: Decimal,
        trigger: tuple[Decimal, TriggerBy],
    ) -> Refusal | None:
        """Say why new absolute values of a waiting order are not taken."""
        if (price, quantity, trigger) == (order.price, order.quantity, (stop.price, stop.by)):
            return no.NOT_MODIFIED
        if stop.kind in WHOLE and quantity != order.quantity:
            return no.GUARD_QUANTITY
        refusal = self._quantity(order, quantity)
        if trigger != (stop.price, stop.by):
            rises = None if order.market.is_spot else stop.rises
            refusal = refusal or self._condition(order.market, *trigger, rises=rises)
        if refusal is None and price is not None:
            refusal = self._price(order, price, trigger[0])
        if refusal is not None or not stop.locks:
            return refusal
        locked = self._account.affords(order, price or trigger[0], quantity)
        return None if locked else no.SPOT_NO_BALANCE

    def bracket(self, draft: VenueOrder, bracket: Bracket) -> Refusal | None:
        """Say why an order may not bring these guards."""
        market, stop = draft.market, draft.stop
        if draft.reduce_only:
            return no.BRACKET_REDUCE_ONLY
        if market.is_spot and draft.order_type is not _LIMIT:
            return no.SPOT_BRACKET
        price = draft.price
        if price is None and stop is not None:
            price = stop.price
        refusal = self._leg(market, draft.buys, bracket.take, takes=True, base=price)
        refusal = refusal or self._leg(market, draft.buys, bracket.stop, takes=False, base=price)
        if refusal is None and not bracket.whole and not market.is_spot:
            refusal = self._parts(market, draft.position)
        return refusal

    def trading_stop(self, market: Market, wanted: TradingStop) -> Refusal | None:
        """Say why a position may not have these guards."""
        position = self._account.positions.get((market.id, wanted.position_side))
        if market.hedged is (wanted.position_side is _BOTH):
            return no.POSITION_INDEX
        if position is None or not position.size:
            return no.FLAT
        long = position.size > 0
        refusal = self._leg(market, long, wanted.take, takes=True)
        refusal = refusal or self._leg(market, long, wanted.stop, takes=False)
        if refusal is None and wanted.trailing:
            refusal = self._trailing(market, wanted.trailing, wanted.activation, long=long)
        if refusal is not None or wanted.whole:
            return refusal
        size = abs(position.size) if wanted.size is None else wanted.size
        if size > abs(position.size):
            return no.PART_TOO_LARGE
        if size <= 0 or size % market.instrument.quantity_step:
            return no.QUANTITY_INVALID
        return self._parts(market, position)

    def _shape(self, draft: VenueOrder) -> Refusal | None:
        if draft.market.hedged is (draft.position_side is _BOTH):
            return no.POSITION_INDEX
        if draft.order_type is _LIMIT and draft.price is None:
            return no.PRICE_INVALID
        return None

    def _condition(
        self, market: Market, price: Decimal, by: TriggerBy, *, rises: bool | None
    ) -> Refusal | None:
        """A price that is reached already is no condition; without a direction either side is."""
        if not price.is_finite() or price <= 0 or price % market.instrument.tick_size:
            return no.TRIGGER_PRICE_INVALID
        now = market.price_by(by)
        if now is None or price == now:
            crossed = True
        else:
            crossed = rises is not None and (price > now) is not rises
        if not crossed:
            return None
        if market.is_spot or now is None:
            return no.TRIGGER_PRICE_INVALID
        return no.RISING_CROSSED if rises else no.FALLING_CROSSED

    def _room(self, market: Market, kind: StopKind) -> Refusal | None:
        waiting = sum(each.stop is not None and each.stop.kind is kind for each in market.waiting)
        if market.is_spot:
            full = waiting >= MAX_SPOT_STOPS or self._is_full(market)
            return no.SPOT_TOO_MANY_ORDERS if full else None
        return no.TOO_MANY_STOPS if waiting >= MAX_STOPS else None

    def _parts(self, market: Market, position: VenuePosition | None) -> Refusal | None:
        for kind in PARTS:
            waiting = sum(
                each.stop is not None and each.stop.kind is kind and each.position is position
                for each in market.waiting
            )
            if waiting >= MAX_PARTS:
                return no.TOO_MANY_PARTS
        return None

    def _leg(
        self,
        market: Market,
        buys: bool,
        leg: Leg | None,
        *,
        takes: bool,
        base: Decimal | None = None,
    ) -> Refusal | None:
        """A long takes profit above and stops below; a leg of price zero takes one away."""
        if leg is None or not leg.price:
            return None
        tick = market.instrument.tick_size
        for price in (leg.price, leg.limit):
            if price is not None and (price <= 0 or price % tick):
                return no.PRICE_INVALID
        if base is None:
            base = market.price_by(leg.by)
        if base is None or leg.price == base or (leg.price > base) is not (buys is takes):
            return no.TAKE_PROFIT_SIDE if takes else no.STOP_LOSS_SIDE
        return None

    def _trailing(
        self, market: Market, distance: Decimal, activation: Decimal | None, *, long: bool
    ) -> Refusal | None:
        tick, now = market.instrument.tick_size, market.price_by(TriggerBy.LAST)
        if distance < 0 or distance % tick or now is None:
            return no.TRAILING_INVALID
        start = now if activation is None else activation
        if start % tick and activation is not None:
            return no.TRAILING_INVALID
        if activation is not None and (activation > now) is not long:
            return no.TRAILING_INVALID
        return no.TRAILING_INVALID if long and start <= distance else None

    def _is_too_little(self, market: Market, price: Decimal, quantity: Decimal) -> bool:
        least = market.instrument.min_notional
        return bool(least) and self._notional(market, price, quantity) < least

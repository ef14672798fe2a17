"""Guards: take-profits, stop-losses and trailing stops; they end with what they guard."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from order_adapters.simulator.account import Account
from order_adapters.simulator.endings import BY_USER, POSITION_CLOSED
from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import VenuePosition
from order_adapters.simulator.records import Records
from order_adapters.simulator.refusals import NOT_GUARDED, Refusal
from order_adapters.simulator.stop import WHOLE, Bracket, Leg, Stop, StopKind, TradingStop
from order_adapters.simulator.triggers import Triggers
from order_domain.model.enums import OrderType, PositionSide, Side, TimeInForce, VenueStatus
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.instrument import ZERO

if TYPE_CHECKING:
    from order_adapters.simulator.matching import Matching

_NOBODY: Final = ClientOrderId("")
_WHOLE_KINDS: Final = (StopKind.STOP_LOSS, StopKind.TAKE_PROFIT)
_PART_KINDS: Final = (StopKind.PARTIAL_STOP_LOSS, StopKind.PARTIAL_TAKE_PROFIT)


@attrs.frozen(slots=True)
class Guarded:
    """What a guard is for: a position, or coins on spot.

    Attributes:
        long: What the guard sells.
    """

    market: Market
    position: VenuePosition | None
    position_side: PositionSide
    long: bool


class Guards:
    """Makes, changes and ends the guards of one account."""

    def __init__(
        self, account: Account, records: Records, matching: "Matching", triggers: Triggers
    ) -> None:
        self._account = account
        self._records = records
        self._matching = matching
        self._triggers = triggers

    def cover(self, order: VenueOrder, bracket: Bracket, at: datetime) -> None:
        """Begin the guards of what an order has filled since this was last done."""
        position = order.position
        filled = order.cum - bracket.covered
        guarded = Guarded(order.market, position, order.position_side, order.buys)
        if position is None:
            self._cover_coins(order, bracket, guarded, at)
            return
        bracket.covered = order.cum
        if filled <= 0 or not position.size or (position.size > 0) is not order.buys:
            return
        legs = (bracket.take, bracket.stop)
        if bracket.whole:
            self._set_whole(guarded, legs, order.client_order_id, at)
            return
        size = min(filled, abs(position.size))
        for kind, leg in _legs(legs, _PART_KINDS):
            stop = _stop(guarded, kind, leg, order.client_order_id, order.venue_order_id)
            self._add(guarded, stop, leg.limit, size, at)

    def follow(self, market: Market, position: VenuePosition, at: datetime) -> None:
        """Keep the guards of a position as large as it is; end them when it has closed."""
        for order in tuple(market.waiting):
            stop = order.stop
            if stop is None or order.position is not position or not stop.is_guard:
                continue
            if not order.closes:
                self._end(order, at, POSITION_CLOSED)
            elif stop.kind in WHOLE and order.quantity != abs(position.size):
                order.quantity = abs(position.size)
                self._matching.show(order, at)

    def set(self, market: Market, wanted: TradingStop, at: datetime) -> Refusal | None:
        """Change the guards of a position that is not flat; say so if nothing changes."""
        position = self._account.positions[market.id, wanted.position_side]
        guarded = Guarded(market, position, wanted.position_side, position.size > 0)
        legs = (wanted.take, wanted.stop)
        if wanted.whole:
            changed = self._set_whole(guarded, legs, _NOBODY, at)
            changed |= self._set_trailing(guarded, wanted, at)
            return None if changed else NOT_GUARDED
        size = abs(position.size) if wanted.size is None else wanted.size
        added = [
            (_stop(guarded, kind, leg, _NOBODY), leg.limit)
            for kind, leg in _legs(legs, _PART_KINDS)
        ]
        pair = self._records.order_id(self._records.last_order + 1) if len(added) > 1 else ""
        for stop, limit in added:
            stop.pair = pair
            self._add(guarded, stop, limit, size, at)
        return None if added else NOT_GUARDED

    def of(self, market: Market, position: VenuePosition) -> Iterator[tuple[StopKind, Stop]]:
        """Yield the guards that wait for a position."""
        for order in market.waiting:
            if order.position is position and order.stop is not None and order.stop.is_guard:
                yield order.stop.kind, order.stop

    def _cover_coins(
        self, order: VenueOrder, bracket: Bracket, guarded: Guarded, at: datetime
    ) -> None:
        """On spot they begin when the order has filled; of two, either ends the other."""
        market = order.market
        if order.cum != order.quantity or bracket.covered:
            return
        bracket.covered = order.cum
        size = order.cum
        for execution in order.executions:
            if execution.fee_coin == market.instrument.base_coin:
                size -= execution.fee
        size = market.instrument.floor_quantity(size)
        kind = StopKind.OCO if bracket.take and bracket.stop else StopKind.SPOT_TPSL
        both = _legs((bracket.take, bracket.stop), (kind, kind))
        pair = order.venue_order_id if kind is StopKind.OCO else ""
        for number, (_, leg) in enumerate(both):
            stop = _stop(guarded, kind, leg, order.client_order_id, pair)
            stop.takes = leg is bracket.take
            stop.rises = stop.takes is guarded.long
            stop.locks = not number
            if size:
                self._add(guarded, stop, leg.limit, size, at)

    def _set_whole(
        self,
        guarded: Guarded,
        legs: tuple[Leg | None, Leg | None],
        parent: ClientOrderId,
        at: datetime,
    ) -> bool:
        changed = False
        for kind, leg in _legs(legs, _WHOLE_KINDS):
            there = self._find(guarded, kind)
            if not leg.price:
                changed |= there is not None
                if there is not None:
                    self._end(there, at, BY_USER)
            elif there is None or there.stop is None:
                changed = True
                self._add(guarded, _stop(guarded, kind, leg, parent), leg.limit, None, at)
            elif (there.stop.price, there.stop.by) != (leg.price, leg.by):
                changed = True
                there.stop.price, there.stop.by = leg.price, leg.by
                self._matching.show(there, at)
        return changed

    def _set_trailing(self, guarded: Guarded, wanted: TradingStop, at: datetime) -> bool:
        distance = wanted.trailing
        if distance is None:
            return False
        there = self._find(guarded, StopKind.TRAILING)
        if there is not None:
            stop = there.stop
            if stop is not None and stop.distance == distance and wanted.activation is None:
                return False
            self._end(there, at, BY_USER)
        if not distance:
            return there is not None
        start = wanted.activation or guarded.market.last or ZERO
        stop = Stop(
            start - distance if guarded.long else start + distance,
            rises=not guarded.long,
            kind=StopKind.TRAILING,
            closes_on_trigger=True,
            distance=distance,
            activation=wanted.activation,
        )
        self._add(guarded, stop, None, None, at)
        return True

    def _find(self, guarded: Guarded, kind: StopKind) -> VenueOrder | None:
        for order in guarded.market.waiting:
            stop = order.stop
            if stop is not None and stop.kind is kind and order.position is guarded.position:
                return order
        return None

    def _add(
        self,
        guarded: Guarded,
        stop: Stop,
        limit: Decimal | None,
        size: Decimal | None,
        at: datetime,
    ) -> None:
        """Let a guard wait; without a size it is as large as the position. One that grows grows."""
        market, position = guarded.market, guarded.position
        if size is None:
            size = ZERO if position is None else abs(position.size)
        for order in market.waiting:
            there = order.stop
            if (
                there is not None
                and stop.pair
                and (there.pair, there.takes)
                == (
                    stop.pair,
                    stop.takes,
                )
            ):
                order.quantity += size
                self._matching.show(order, at)
                return
        number = self._records.next_order()
        order = VenueOrder(
            number,
            market,
            position,
            _NOBODY,
            self._records.order_id(number),
            Side.SELL if guarded.long else Side.BUY,
            OrderType.MARKET if limit is None else OrderType.LIMIT,
            TimeInForce.IOC if limit is None else TimeInForce.GTC,
            limit,
            size,
            position is not None,
            guarded.position_side,
            at,
            not guarded.long,
            stop=stop,
        )
        self._records.add(order)
        self._triggers.wait(order, at)

    def _end(self, order: VenueOrder, at: datetime, cancel_type: str) -> None:
        self._matching.end(order, VenueStatus.DEACTIVATED, at, cancel_type=cancel_type)


def _legs(
    legs: tuple[Leg | None, Leg | None], kinds: tuple[StopKind, StopKind]
) -> list[tuple[StopKind, Leg]]:
    """The legs there are, the stop-loss first: it is what must not come too late."""
    take, stop = legs
    return [(kind, leg) for kind, leg in zip(kinds, (stop, take), strict=True) if leg is not None]


def _stop(
    guarded: Guarded, kind: StopKind, leg: Leg, parent: ClientOrderId, pair: str = ""
) -> Stop:
    takes = kind in (StopKind.TAKE_PROFIT, StopKind.PARTIAL_TAKE_PROFIT)
    return Stop(
        leg.price,
        rises=takes is guarded.long,
        by=leg.by,
        kind=kind,
        closes_on_trigger=guarded.position is not None,
        takes=takes,
        parent=parent,
        pair=pair,
    )

"""Intervention: what others do to the account. Foreign orders, liquidation, funding."""

from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from order_adapters.simulator.account import Account
from order_adapters.simulator.desk import Desk
from order_adapters.simulator.endings import BEFORE_LIQUIDATION, BY_USER
from order_adapters.simulator.faults import Fault, FaultKind
from order_adapters.simulator.mailbox import Mailbox
from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import VenuePosition, worth
from order_adapters.simulator.records import Records
from order_domain.errors import InvalidValue
from order_domain.model.enums import (
    ExecutionKind,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
)
from order_domain.model.execution import Execution
from order_domain.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    VenueOrderId,
    symbol_of,
)
from order_domain.model.instrument import ZERO

_NOBODY = ClientOrderId("")


class Intervention:
    """Acts at once and without latency; what it causes is reported like everything else."""

    def __init__(self, desk: Desk, account: Account, records: Records, mailbox: Mailbox) -> None:
        self._desk = desk
        self._account = account
        self._records = records
        self._mailbox = mailbox

    def place(  # noqa: PLR0913 -- an order is what all of these say
        self,
        instrument_id: InstrumentId,
        side: Side,
        quantity: Decimal,
        at: datetime,
        *,
        price: Decimal | None = None,
        time_in_force: TimeInForce = TimeInForce.GTC,
        client_order_id: ClientOrderId = _NOBODY,
        reduce_only: bool = False,
        position_side: PositionSide = PositionSide.BOTH,
    ) -> VenueOrderId:
        """Place an order by somebody else's hand; no price is a market order.

        Raises:
            InvalidValue: The exchange refuses it; the rule is its retCode and retMsg.
        """
        self._records.begin(at)
        market = self._account.markets[instrument_id]
        number = self._records.next_order()
        order = VenueOrder(
            number,
            market,
            self._account.position(market, position_side),
            client_order_id,
            self._records.order_id(number),
            side,
            OrderType.MARKET if price is None else OrderType.LIMIT,
            TimeInForce.IOC if price is None else time_in_force,
            price,
            quantity,
            reduce_only,
            position_side,
            at,
            side is Side.BUY,
        )
        refusal = self._desk.checks.create(order)
        if refusal is not None:
            raise InvalidValue(
                field="order", rule=f"{refusal[0]} {refusal[1]}", value=instrument_id
            )
        self._records.add(order)
        self._desk.matching.enter(order, at)
        return order.venue_order_id

    def cancel(
        self, venue_order_id: VenueOrderId, at: datetime, cancel_type: str = BY_USER
    ) -> bool:
        """Cancel an open order by somebody else's hand; tell whether there was one."""
        order = self._records.open.get(venue_order_id)
        if order is None:
            return False
        self._desk.matching.cancel(order, at, cancel_type)
        return True

    def liquidate(
        self,
        instrument_id: InstrumentId,
        at: datetime,
        *,
        position_side: PositionSide = PositionSide.BOTH,
        kind: ExecutionKind = ExecutionKind.LIQUIDATION,
    ) -> None:
        """Cancel the orders of an instrument and close its position at mark.

        A deleveraging (kind ADL) leaves the orders alone. Nothing happens to a flat position.
        """
        market, position = self._open_position(instrument_id, position_side)
        if position is None:
            return
        if kind is ExecutionKind.LIQUIDATION:
            for order in (*market.buys, *market.sells, *market.waiting):
                self._desk.matching.cancel(order, at, BEFORE_LIQUIDATION)
        self._close(market, position, at, kind)
        self._mailbox.wallet_changed(at)

    def fund(self, instrument_id: InstrumentId, rate: Decimal, at: datetime) -> None:
        """Settle funding: longs pay the rate on the value at mark, shorts receive it."""
        market = self._account.markets[instrument_id]
        for side in PositionSide:
            position = self._account.positions.get((instrument_id, side))
            if position is None or not position.size:
                continue
            mark = self._mark(market)
            paid = worth(market.instrument, mark, abs(position.size)) * rate
            if position.size < 0:
                paid = -paid
            coin = market.instrument.settle_coin
            self._account.wallet(coin).total -= paid
            position.funding += paid
            execution = Execution(
                exec_id=self._records.next_execution(),
                instrument_id=market.id,
                client_order_id=_NOBODY,
                venue_order_id=VenueOrderId(""),
                side=Side.BUY if position.size > 0 else Side.SELL,
                price=mark,
                quantity=ZERO,
                fee=paid,
                fee_coin=coin,
                executed_at=at,
                kind=ExecutionKind.FUNDING,
                position_side=side,
                sequence=self._records.last_execution,
            )
            self._records.book(execution)
            self._mailbox.report(execution, at)
            self._mailbox.wallet_changed(at)

    def act(self, fault: Fault, at: datetime) -> None:
        """Carry out a scheduled fault; a foreign order that is refused is nobody's news."""
        for market in self._account.markets.values():
            if symbol_of(market.id) != fault.symbol:
                continue
            if fault.kind is FaultKind.LIQUIDATION:
                for side in PositionSide:
                    self.liquidate(market.id, at, position_side=side)
            elif fault.quantity is not None:
                with suppress(InvalidValue):
                    self.place(market.id, fault.side, fault.quantity, at, price=fault.price)

    def _open_position(
        self, instrument_id: InstrumentId, side: PositionSide
    ) -> tuple[Market, VenuePosition | None]:
        market = self._account.markets[instrument_id]
        position = self._account.positions.get((instrument_id, side))
        return market, position if position is not None and position.size else None

    def _mark(self, market: Market) -> Decimal:
        mark = market.mark_price()
        if mark is None:
            raise InvalidValue(field="quote", rule="known before this", value=market.id)
        return mark

    def _close(
        self, market: Market, position: VenuePosition, at: datetime, kind: ExecutionKind
    ) -> None:
        """Close a position by an order that only the exchange knows."""
        number = self._records.next_order()
        side = Side.SELL if position.size > 0 else Side.BUY
        order = VenueOrder(
            number,
            market,
            position,
            _NOBODY,
            self._records.order_id(number),
            side,
            OrderType.MARKET,
            TimeInForce.IOC,
            None,
            abs(position.size),
            True,
            position.side,
            at,
            side is Side.BUY,
        )
        self._desk.matching.fill(order, self._mark(market), order.quantity, False, at, kind)
        self._desk.matching.shrink_reducers(market, position, at)

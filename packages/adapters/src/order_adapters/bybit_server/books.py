"""Books: what executions closed and moved, for the records that the core does not write."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import attrs

from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import VenuePosition, worth
from order_domain.model.enums import ExecutionKind, PositionSide, Side
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ExecutionId, InstrumentId, VenueOrderId
from order_domain.model.instrument import ZERO

KEPT: Final = 100_000
"""Entries of each kind; older ones are forgotten."""


@attrs.frozen(slots=True)
class Booked:
    """Facts about one execution at its time.

    Attributes:
        leaves: What its order still wanted after it, base units.
        closed: What it took off a position.
        gain: What that realised before fees, settle coin.
    """

    order_quantity: Decimal
    order_price: Decimal | None
    leaves: Decimal
    closed: Decimal
    gain: Decimal
    mark: Decimal | None


@attrs.define(slots=True)
class Closing:
    """What one order closed of a position. Values and fees in settle coin."""

    number: int
    order: VenueOrder | None
    execution: Execution
    closed: Decimal = ZERO
    entry_value: Decimal = ZERO
    exit_value: Decimal = ZERO
    open_fee: Decimal = ZERO
    close_fee: Decimal = ZERO
    gain: Decimal = ZERO
    count: int = 0

    @property
    def pnl(self) -> Decimal:
        """After the fees of both ends."""
        return self.gain - self.open_fee - self.close_fee


@attrs.frozen(slots=True, kw_only=True)
class LogEntry:
    """One movement of one coin."""

    number: int
    execution: Execution
    coin: str
    quantity: Decimal
    size: Decimal
    cash_flow: Decimal
    funding: Decimal
    fee: Decimal
    balance: Decimal
    fee_rate: Decimal

    @property
    def change(self) -> Decimal:
        """What the wallet gained."""
        return self.cash_flow + self.funding - self.fee


@attrs.define(slots=True)
class _Shadow:
    position: VenuePosition
    fees: Decimal = ZERO


class Books:
    """Follows the executions of one account in the order they happen."""

    def __init__(self, balances: Mapping[str, Decimal], markets: Mapping[InstrumentId, Market]):
        self.booked: dict[ExecutionId, Booked] = {}
        self.closings: dict[tuple[VenueOrderId, PositionSide], Closing] = {}
        self.log: deque[LogEntry] = deque(maxlen=KEPT)
        self.sequences: dict[tuple[InstrumentId, PositionSide], int] = {}
        self.opened: dict[tuple[InstrumentId, PositionSide], datetime] = {}
        self._markets = markets
        self._balances = dict(balances)
        self._shadows: dict[tuple[InstrumentId, PositionSide], _Shadow] = {}
        self._entries = 0

    def take(self, execution: Execution, order: VenueOrder | None) -> None:
        """Book one execution."""
        market = self._markets[execution.instrument_id]
        key = (execution.instrument_id, execution.position_side)
        self.sequences[key] = execution.sequence
        closed = gain = ZERO
        if execution.kind is ExecutionKind.FUNDING:
            self._enter(execution, execution.fee_coin, funding=-execution.fee)
        elif market.is_spot:
            self._swap(execution, market)
        else:
            closed, gain = self._move(execution, order, market)
        self.booked[execution.exec_id] = Booked(
            execution.quantity if order is None else order.quantity,
            None if order is None else order.price,
            ZERO if order is None else _leaves(order, execution),
            closed,
            gain,
            market.mark_price(),
        )
        if len(self.booked) > KEPT:
            del self.booked[next(iter(self.booked))]

    def _move(
        self, execution: Execution, order: VenueOrder | None, market: Market
    ) -> tuple[Decimal, Decimal]:
        """Move the shadow of a position; return what was closed and gained."""
        key = (execution.instrument_id, execution.position_side)
        shadow = self._shadows.get(key)
        if shadow is None:
            position = VenuePosition(market.instrument, execution.position_side)
            shadow = self._shadows[key] = _Shadow(position)
        position = shadow.position
        buys, quantity = execution.side is Side.BUY, execution.quantity
        held, cost = position.size, position.cost
        closed = min(abs(held), quantity) if held and (held > 0) is not buys else ZERO
        value = worth(market.instrument, execution.price, quantity)
        gain = position.trade(buys, execution.price, quantity, value)
        share = quantity / quantity if closed == quantity else closed / quantity
        if closed:
            part = ZERO if closed == abs(held) else position.cost
            entry_fee = shadow.fees if not part else shadow.fees * closed / abs(held)
            closing = self._closing(execution, order)
            closing.closed += closed
            closing.entry_value += cost - part
            closing.exit_value += worth(market.instrument, execution.price, closed)
            closing.open_fee += entry_fee
            closing.close_fee += execution.fee * share
            closing.gain += gain
            closing.count += 1
            shadow.fees -= entry_fee
        if closed != quantity:
            shadow.fees += execution.fee * (1 - share)
            if closed or not held:
                self.opened[key] = execution.executed_at
        self._enter(
            execution, execution.fee_coin, cash_flow=gain, fee=execution.fee, size=position.size
        )
        return closed, gain

    def _closing(self, execution: Execution, order: VenueOrder | None) -> Closing:
        key = (execution.venue_order_id, execution.position_side)
        closing = self.closings.get(key)
        if closing is None:
            self._entries += 1
            closing = self.closings[key] = Closing(self._entries, order, execution)
            if len(self.closings) > KEPT:
                del self.closings[next(iter(self.closings))]
        return closing

    def _swap(self, execution: Execution, market: Market) -> None:
        """Log both coins of a spot trade."""
        instrument = market.instrument
        sign = 1 if execution.side is Side.BUY else -1
        for coin, flow in (
            (instrument.base_coin, sign * execution.quantity),
            (instrument.quote_coin, -sign * execution.quantity * execution.price),
        ):
            fee = execution.fee if coin == execution.fee_coin else ZERO
            self._enter(execution, coin, cash_flow=flow, fee=fee, quantity=flow)

    def _enter(
        self,
        execution: Execution,
        coin: str,
        *,
        cash_flow: Decimal = ZERO,
        funding: Decimal = ZERO,
        fee: Decimal = ZERO,
        quantity: Decimal | None = None,
        size: Decimal = ZERO,
    ) -> None:
        self._entries += 1
        balance = self._balances.get(coin, ZERO) + cash_flow + funding - fee
        self._balances[coin] = balance
        instrument = self._markets[execution.instrument_id].instrument
        maker = execution.is_maker
        self.log.append(
            LogEntry(
                number=self._entries,
                execution=execution,
                coin=coin,
                quantity=execution.quantity if quantity is None else quantity,
                size=size,
                cash_flow=cash_flow,
                funding=funding,
                fee=fee,
                balance=balance,
                fee_rate=instrument.maker_fee_rate if maker else instrument.taker_fee_rate,
            )
        )


def _leaves(order: VenueOrder, execution: Execution) -> Decimal:
    done = ZERO
    for each in order.executions:
        done += each.quantity
        if each.exec_id == execution.exec_id:
            break
    return order.quantity - done

"""Matching: how orders enter, meet the displayed market, wait, fill and end.

The recorded market does not know of us. A taker has what is displayed at the touch, once. A resting
order fills after the queue before it has traded at its price, when a trade goes through its price,
or in full when the touch itself does, because then nobody can have stayed at its price.
"""

from datetime import datetime
from decimal import Decimal

from order_adapters.simulator.account import Account
from order_adapters.simulator.config import SimulatorConfig
from order_adapters.simulator.endings import (
    BY_REDUCE_ONLY,
    BY_USER,
    NO_FULL_FILL,
    NO_IMMEDIATE,
    NO_SUCH_ORDER,
    WOULD_TAKE,
)
from order_adapters.simulator.guards import Guards
from order_adapters.simulator.mailbox import Mailbox
from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder, execution_of
from order_adapters.simulator.position import VenuePosition
from order_adapters.simulator.records import Records
from order_adapters.simulator.stop_checks import StopChecks
from order_adapters.simulator.trade import MarketTrade
from order_adapters.simulator.triggers import Triggers
from order_domain.model.enums import (
    ExecutionKind,
    OrderType,
    Side,
    TimeInForce,
    VenueStatus,
)
from order_domain.model.instrument import ZERO
from order_domain.model.quote import Quote

_MARKET = OrderType.MARKET
_IOC, _FOK, _POST_ONLY = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.POST_ONLY
_NEW, _PARTIAL = VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED
_FILLED, _CANCELLED = VenueStatus.FILLED, VenueStatus.CANCELLED
_SPOT_CANCELLED = VenueStatus.PARTIALLY_FILLED_CANCELLED
_DEACTIVATED = VenueStatus.DEACTIVATED
_TRADE = ExecutionKind.TRADE
_SELL = Side.SELL


class Matching:
    """The matching of one account against the displayed markets. All times are exchange times.

    Attributes:
        triggers: Orders that wait for their price.
        guards: What ends with the position it guards.
    """

    def __init__(
        self,
        config: SimulatorConfig,
        account: Account,
        records: Records,
        mailbox: Mailbox,
        checks: StopChecks,
    ) -> None:
        self._walk = config.walk_levels
        self._queues = config.queue_model
        self._account = account
        self._records = records
        self._mailbox = mailbox
        self.triggers = Triggers(account, records, mailbox, self, checks)
        self.guards = Guards(account, records, self, self.triggers)

    def enter(self, order: VenueOrder, at: datetime) -> None:
        """Match a new order that passed every check."""
        if order.order_type is _MARKET or order.time_in_force is _IOC:
            self._take(order, at)
            self._end_immediate(order, at)
        elif order.time_in_force is _FOK:
            if self._reachable(order) >= order.quantity:
                self._take(order, at)
                self._end_immediate(order, at)
            else:
                self.end(order, _CANCELLED, at, NO_FULL_FILL)
        else:
            self._take_and_rest(order, at)
        self._mailbox.wallet_changed(at)

    def reject(self, order: VenueOrder, reason: str, at: datetime) -> None:
        """End an accepted order before it was ever matched."""
        self.end(order, VenueStatus.REJECTED, at, reason)

    def cancel(self, order: VenueOrder, at: datetime, cancel_type: str = BY_USER) -> None:
        """End a resting or waiting order, and on spot the other one of its pair."""
        waited = order.waits
        self.end(order, self._cancelled(order), at, cancel_type=cancel_type)
        if waited and order.market.is_spot:
            self.triggers.end_partner(order, at, cancel_type)
        self._mailbox.wallet_changed(at)

    def report_lost_cancel(self, order: VenueOrder, at: datetime) -> None:
        """Push the second Filled message of a cancel that lost to a fill."""
        self.show(order, at, NO_SUCH_ORDER, BY_USER)

    def amend(self, order: VenueOrder, price: Decimal, quantity: Decimal, at: datetime) -> None:
        """Give a resting order new values. Only a smaller quantity keeps its place in the queue."""
        keeps = price == order.price and quantity <= order.quantity
        order.quantity = quantity
        if quantity == order.cum:
            self.end(order, _FILLED, at)
        elif keeps:
            self._account.hold(order)
            self.show(order, at)
        else:
            order.market.leave(order)
            order.price = price
            order.number = self._records.next_order()
            self._take_and_rest(order, at)
        self._mailbox.wallet_changed(at)

    def on_quote(self, market: Market, quote: Quote, at: datetime) -> None:
        """Fill what the new touch reaches, and correct the queues it shows."""
        for order in tuple(market.buys):
            if order.resting_price < quote.bid and not order.crossed:
                break
            self._meet(order, order.resting_price >= quote.ask, at)
        for order in tuple(market.sells):
            if order.resting_price > quote.ask and not order.crossed:
                break
            self._meet(order, order.resting_price <= quote.bid, at)

    def on_trade(self, market: Market, trade: MarketTrade, at: datetime) -> None:
        """Give a trade's volume once, to the queues and our orders it reaches, best first."""
        buys = trade.taker_side is _SELL
        volume, passed = trade.size, ZERO
        for order in tuple(market.buys if buys else market.sells):
            price = order.resting_price
            if price < trade.price if buys else price > trade.price:
                break
            if not order.is_open:
                continue
            if price == trade.price:
                volume, passed = self._pass_queue(order, volume, passed)
            else:
                # It went through this price: the others who waited here are gone.
                order.queue = ZERO
            if volume > 0 and not order.queue:
                leaves = order.leaves
                filled = leaves if leaves < volume else volume
                volume -= filled
                self._fill_resting(order, filled, at)

    def fill(
        self,
        order: VenueOrder,
        price: Decimal,
        quantity: Decimal,
        maker: bool,
        at: datetime,
        kind: ExecutionKind = _TRADE,
    ) -> None:
        """Execute a quantity of an order at a price."""
        fee, coin = self._account.fill(order, price, quantity, maker, at)
        records = self._records
        execution = execution_of(order, records.next_execution(), price, quantity, at)
        execution.fee = fee
        execution.fee_coin = coin
        execution.kind = kind
        execution.is_maker = maker
        execution.sequence = records.last_execution
        order.cum += quantity
        order.executions += (execution,)
        records.book(execution)
        self._mailbox.report(execution, at)

    def shrink_reducers(self, market: Market, position: VenuePosition | None, at: datetime) -> None:
        """Keep reduce-only orders within their position: shrink them, end them when it is flat.

        The guards of the position follow it, also where it grows.
        """
        if position is None or not market.reducers:
            return
        for order in (*market.buys, *market.sells):
            if not order.reduce_only or order.position is not position:
                continue
            room = abs(position.size) if order.closes else ZERO
            if not room:
                self.end(order, self._cancelled(order), at, cancel_type=BY_REDUCE_ONLY)
            elif order.leaves > room:
                order.quantity = order.cum + room
                self.show(order, at)
        if market.waiting:
            self.guards.follow(market, position, at)

    def _take_and_rest(self, order: VenueOrder, at: datetime) -> None:
        market, price = order.market, order.resting_price
        takes = market.would_take(order.buys, price)
        if takes and order.time_in_force is _POST_ONLY:
            self.end(order, self._cancelled(order), at, WOULD_TAKE)
            return
        if takes:
            self._take(order, at)
        if order.cum == order.quantity:
            self.end(order, _FILLED, at)
        else:
            order.status = _PARTIAL if order.cum else _NEW
            order.crossed = takes
            order.queue = market.displayed(order.buys, price) if self._queues else ZERO
            market.rest(order)
            self._records.open[order.venue_order_id] = order
            self._account.hold(order)
            self.show(order, at)
        if takes:
            self.shrink_reducers(market, order.position, at)
            if order.bracket is not None:
                self.guards.cover(order, order.bracket, at)

    def _end_immediate(self, order: VenueOrder, at: datetime) -> None:
        if order.cum == order.quantity:
            self.end(order, _FILLED, at)
        else:
            self.end(order, self._cancelled(order), at, NO_IMMEDIATE)
        if order.cum and order.market.reducers:
            self.shrink_reducers(order.market, order.position, at)
        if order.bracket is not None:
            self.guards.cover(order, order.bracket, at)

    def _take(self, order: VenueOrder, at: datetime) -> None:
        """Take what is left of the touch, and of the levels assumed behind it."""
        market, buys = order.market, order.buys
        touch = market.touch(buys)
        if touch is None:
            return
        price, left = touch
        limit = order.price if order.price is not None else order.cap
        wanted = order.quantity - order.cum
        if limit is not None and (price > limit if buys else price < limit):
            return
        if left > 0:
            taken = wanted if wanted < left else left
            market.consume(buys, left - taken)
            self.fill(order, price, taken, False, at)
            wanted -= taken
        if wanted and self._walk:
            self._take_deep(order, wanted, limit, at)

    def _take_deep(
        self, order: VenueOrder, wanted: Decimal, limit: Decimal | None, at: datetime
    ) -> None:
        market, buys = order.market, order.buys
        for level, price, left in tuple(market.levels(buys, self._walk)):
            if not wanted or (limit is not None and (price > limit if buys else price < limit)):
                return
            taken = wanted if wanted < left else left
            if taken > 0:
                market.deep[buys, level] = market.deep.get((buys, level), ZERO) + taken
                self.fill(order, price, taken, False, at)
                wanted -= taken

    def _reachable(self, order: VenueOrder) -> Decimal:
        market, buys, limit = order.market, order.buys, order.price
        touch = market.touch(buys)
        if touch is None:
            return ZERO
        reached = ((touch[0], touch[1]), *((p, s) for _, p, s in market.levels(buys, self._walk)))
        return sum(
            (
                size
                for price, size in reached
                if limit is None or (price <= limit if buys else price >= limit)
            ),
            ZERO,
        )

    def _meet(self, order: VenueOrder, reached: bool, at: datetime) -> None:
        """One resting order and a new touch."""
        if not order.is_open:
            return
        if not reached:
            order.crossed = False
            self._see_queue(order)
            return
        if not order.crossed:
            self._fill_resting(order, order.leaves, at)
            return
        touch = order.market.touch(order.buys)
        if touch is None or touch[1] <= 0:
            return
        left = touch[1]
        filled = order.leaves if order.leaves < left else left
        order.market.consume(order.buys, left - filled)
        self._fill_resting(order, filled, at)

    def _see_queue(self, order: VenueOrder) -> None:
        """No more wait before us than are displayed; at a newly displayed price, all of them."""
        shown = order.market.displayed(order.buys, order.resting_price)
        if shown is not None and (order.queue is None or shown < order.queue) and self._queues:
            order.queue = shown

    def _pass_queue(
        self, order: VenueOrder, volume: Decimal, passed: Decimal
    ) -> tuple[Decimal, Decimal]:
        """Let a trade go through the others before an order; return volume left, others passed."""
        queue = order.queue
        if queue is None:
            # Its price was not displayed: how many wait before it is not known, so all is theirs.
            return ZERO, passed + volume
        ahead = queue - passed
        if ahead > 0:
            walked = ahead if ahead < volume else volume
            volume -= walked
            passed += walked
        order.queue = queue - passed if queue > passed else ZERO
        return volume, passed

    def _fill_resting(self, order: VenueOrder, quantity: Decimal, at: datetime) -> None:
        self.fill(order, order.resting_price, quantity, True, at)
        if order.cum == order.quantity:
            self.end(order, _FILLED, at)
        else:
            order.status = _PARTIAL
            self._account.hold(order)
            self.show(order, at)
        self.shrink_reducers(order.market, order.position, at)
        if order.bracket is not None:
            self.guards.cover(order, order.bracket, at)
        self._mailbox.wallet_changed(at)

    def end(
        self,
        order: VenueOrder,
        status: VenueStatus,
        at: datetime,
        reject_reason: str = "",
        cancel_type: str = "",
    ) -> None:
        """End an order, wherever it is, and report it."""
        order.status = status
        if order.held:
            self._account.hold(order)
        order.market.leave(order)
        self.show(order, at, reject_reason, cancel_type)
        self._records.close(order, at)

    def show(
        self, order: VenueOrder, at: datetime, reject_reason: str = "", cancel_type: str = ""
    ) -> None:
        """Report an order as it stands."""
        self._records.note(order)
        self._mailbox.report(order.report(at, reject_reason, cancel_type), at)

    def _cancelled(self, order: VenueOrder) -> VenueStatus:
        if order.waits:
            return _DEACTIVATED
        return _SPOT_CANCELLED if order.cum and order.market.is_spot else _CANCELLED

"""Account: wallets, margins and positions. Every amount that a fill moves is moved here."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import VenuePosition, worth
from order_domain.model.balance import Balance
from order_domain.model.enums import PositionSide, VenueStatus
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ZERO
from order_domain.model.reports import WalletReport

_BOTH = PositionSide.BOTH
_UNTRIGGERED = VenueStatus.UNTRIGGERED


@attrs.define(slots=True, eq=False)
class Wallet:
    """One coin.

    Attributes:
        total: The coin owned, open profit not counted.
        held: What resting orders keep back.
        positions: Those that settle in this coin, with their markets.
    """

    total: Decimal
    held: Decimal = ZERO
    positions: list[tuple[VenuePosition, Market]] = attrs.Factory(list)

    def available(self) -> Decimal:
        """What a new order may use."""
        return self.equity_and_available()[1]

    def equity_and_available(self) -> tuple[Decimal, Decimal]:
        """Total with open profit, and what a new order may use of it (never below zero)."""
        equity = self.total
        margin = self.held
        for position, market in self.positions:
            if position.size:
                mark = market.mark_price()
                if mark is not None:
                    equity += position.unrealized(mark)
                margin += position.cost * position.instrument.initial_margin_rate
        available = equity - margin
        return equity, available if available > 0 else ZERO


class Account:
    """The money of one account."""

    def __init__(self, balances: Mapping[str, Decimal], markets: Iterable[Market]) -> None:
        self.wallets = {coin: Wallet(amount) for coin, amount in balances.items()}
        self.positions: dict[tuple[InstrumentId, PositionSide], VenuePosition] = {}
        self.markets = {market.id: market for market in markets}

    def wallet(self, coin: str) -> Wallet:
        """Return the wallet of a coin, an empty one where there was none."""
        found = self.wallets.get(coin)
        if found is None:
            found = self.wallets[coin] = Wallet(ZERO)
        return found

    def position(self, market: Market, side: PositionSide) -> VenuePosition | None:
        """Return the position an order works on; spot has none."""
        if market.is_spot:
            return None
        if side is _BOTH and market.one_way is not None:
            return market.one_way
        found = self.positions.get((market.id, side))
        if found is None:
            found = VenuePosition(market.instrument, side)
            self.positions[market.id, side] = found
            if side is _BOTH:
                market.one_way = found
            self.wallet(market.instrument.settle_coin).positions.append((found, market))
        return found

    def fill(
        self, order: VenueOrder, price: Decimal, quantity: Decimal, maker: bool, at: datetime
    ) -> tuple[Decimal, str]:
        """Move what one fill moves; return fee and fee coin. The order itself is not touched."""
        instrument = order.market.instrument
        rate = instrument.maker_fee_rate if maker else instrument.taker_fee_rate
        position = order.position
        if position is None:
            return self._swap(order, price, quantity, rate)
        value = worth(instrument, price, quantity)
        fee = value * rate
        coin = instrument.settle_coin
        self.wallets[coin].total += position.trade(order.buys, price, quantity, value) - fee
        position.fees += fee
        position.updated_at = at
        return fee, coin

    def _swap(
        self, order: VenueOrder, price: Decimal, quantity: Decimal, rate: Decimal
    ) -> tuple[Decimal, str]:
        """Swap coins for a spot fill; a fee is paid in the coin received, a rebate in the other."""
        instrument = order.market.instrument
        base, quote = self.wallet(instrument.base_coin), self.wallet(instrument.quote_coin)
        value = price * quantity
        base.total += quantity if order.buys else -quantity
        quote.total += -value if order.buys else value
        in_base = order.buys is (rate >= 0)
        fee = (quantity if in_base else value) * rate
        (base if in_base else quote).total -= fee
        return fee, instrument.base_coin if in_base else instrument.quote_coin

    def pays_with(self, market: Market, buys: bool) -> str:
        """Coin an order needs."""
        instrument = market.instrument
        if not market.is_spot:
            return instrument.settle_coin
        return instrument.quote_coin if buys else instrument.base_coin

    def affords(self, order: VenueOrder, price: Decimal, leaves: Decimal) -> bool:
        """Tell whether an order may keep back what it needs, beyond what it keeps already."""
        need = self.need(order, price, leaves)
        if order.held:
            need -= order.held
        if need <= 0:
            return True
        return need <= self.wallet(self.pays_with(order.market, order.buys)).available()

    def need(self, order: VenueOrder, price: Decimal, leaves: Decimal) -> Decimal:
        """What an order has to keep back for a part of it, in the coin it pays with."""
        market = order.market
        if market.is_spot:
            return price * leaves if order.buys else leaves
        part = order.opening if order.opening < leaves else leaves
        return worth(market.instrument, price, part) * market.open_rate if part else ZERO

    def hold(self, order: VenueOrder) -> None:
        """Keep back what the order as it stands may still need, or free it when it has ended."""
        leaves = order.leaves
        if order.status is _UNTRIGGERED:
            need = self._locked(order)
        else:
            need = self.need(order, order.resting_price, leaves) if leaves else ZERO
        if need != order.held:
            wallet = self.wallet(self.pays_with(order.market, order.buys))
            wallet.held += need - order.held
            order.held = need

    def _locked(self, order: VenueOrder) -> Decimal:
        """What a waiting order keeps back already: nothing, but for spot orders that lock funds."""
        stop = order.stop
        if stop is None or not stop.locks:
            return ZERO
        return self.need(order, order.resting_price or stop.price, order.leaves)

    def report(self, at: datetime) -> WalletReport:
        """Show every coin as it stands."""
        balances = []
        for coin, wallet in self.wallets.items():
            equity, available = wallet.equity_and_available()
            balances.append(Balance(coin, wallet.total, available, equity, at))
        return WalletReport(at, tuple(balances))


def opening_part(order: VenueOrder, leaves: Decimal) -> Decimal:
    """The part of an order that enlarges its position, once its side's resting orders closed it."""
    position = order.position
    if position is None or order.reduce_only:
        return ZERO
    if not order.closes:
        return leaves
    side = order.market.buys if order.buys else order.market.sells
    before = sum(
        (each.leaves for each in side if each.position is position and each is not order), ZERO
    )
    closable = abs(position.size) - before
    if closable <= 0:
        return leaves
    return leaves - closable if leaves > closable else ZERO

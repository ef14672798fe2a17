"""Triggers: orders that wait for a price, from their acceptance to the price or to their end."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from order_adapters.simulator import refusals as no
from order_adapters.simulator.account import Account
from order_adapters.simulator.endings import (
    BY_REDUCE_ONLY,
    NOT_TRADING,
    OTHERS,
    STOP_LOSS_TRIGGERED,
    TAKE_PROFIT_TRIGGERED,
    UNAFFORDABLE,
)
from order_adapters.simulator.mailbox import Mailbox
from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.records import Records
from order_adapters.simulator.refusals import Refusal
from order_adapters.simulator.stop import Stop, TriggerBy
from order_adapters.simulator.stop_checks import StopChecks
from order_domain.model.enums import VenueStatus

if TYPE_CHECKING:
    from order_adapters.simulator.matching import Matching

_UNTRIGGERED, _TRIGGERED = VenueStatus.UNTRIGGERED, VenueStatus.TRIGGERED
_ENDINGS: Final[dict[Refusal, tuple[VenueStatus, str, str]]] = {
    no.REDUCE_ONLY: (VenueStatus.CANCELLED, "", BY_REDUCE_ONLY),
    no.NO_BALANCE: (VenueStatus.CANCELLED, "", UNAFFORDABLE),
    no.SPOT_NO_BALANCE: (VenueStatus.CANCELLED, "", UNAFFORDABLE),
    no.NOT_LIVE: (VenueStatus.REJECTED, NOT_TRADING, ""),
    no.ONLY_CLOSING: (VenueStatus.REJECTED, NOT_TRADING, ""),
}
"""How an order ends that its market does not take when its price has come."""


class Triggers:
    """The waiting orders of one account."""

    def __init__(
        self,
        account: Account,
        records: Records,
        mailbox: Mailbox,
        matching: "Matching",
        checks: StopChecks,
    ) -> None:
        self._account = account
        self._records = records
        self._mailbox = mailbox
        self._matching = matching
        self._checks = checks

    def wait(self, order: VenueOrder, at: datetime) -> None:
        """Let a new order wait for its price."""
        order.status = _UNTRIGGERED
        order.market.wait(order)
        self._records.open[order.venue_order_id] = order
        self._account.hold(order)
        self._matching.show(order, at)
        if order.held:
            self._mailbox.wallet_changed(at)

    def on_price(self, market: Market, at: datetime) -> None:
        """Trigger what the prices of now reach, oldest first."""
        for order in tuple(market.waiting):
            stop = order.stop
            # One that triggered before it in this loop may have ended it.
            if stop is None or order.status is not _UNTRIGGERED:
                continue
            price = market.price_by(stop.by)
            if price is None:
                continue
            if stop.trail(price):
                self._records.note(order)
            if stop.is_met(price):
                self._fire(order, stop, at)

    def change(
        self,
        order: VenueOrder,
        stop: Stop,
        price: Decimal | None,
        quantity: Decimal,
        trigger: tuple[Decimal, TriggerBy],
        at: datetime,
    ) -> None:
        """Give a waiting order new values."""
        order.price, order.quantity = price, quantity
        stop.price, stop.by = trigger
        if order.market.is_spot:
            now = order.market.price_by(stop.by)
            stop.rises = now is not None and stop.price > now
        self._account.hold(order)
        self._matching.show(order, at)
        if order.market.is_spot:
            self._mailbox.wallet_changed(at)

    def end_partner(self, order: VenueOrder, at: datetime, cancel_type: str) -> None:
        """End the other of two orders of which only one may trigger."""
        stop = order.stop
        if stop is None or not stop.pair:
            return
        for other in tuple(order.market.waiting):
            if other is not order and other.stop is not None and other.stop.pair == stop.pair:
                self._matching.end(other, VenueStatus.DEACTIVATED, at, cancel_type=cancel_type)

    def _fire(self, order: VenueOrder, stop: Stop, at: datetime) -> None:
        order.market.leave(order)
        order.status = _TRIGGERED
        # Those that came to their price before it are not overtaken.
        order.number = self._records.next_order()
        self._matching.show(order, at)
        word = TAKE_PROFIT_TRIGGERED if stop.takes else STOP_LOSS_TRIGGERED
        self.end_partner(order, at, word)
        refusal = self._checks.triggered(order)
        if refusal is None:
            self._matching.enter(order, at)
            return
        status, reason, cancel_type = _ENDINGS.get(refusal, (VenueStatus.REJECTED, OTHERS, ""))
        self._matching.end(order, status, at, reason, cancel_type)
        self._mailbox.wallet_changed(at)

"""OrderIndex: orders by the ids that clients know, and what the core does not keep of a request."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import attrs

from order_adapters.bybit_server.ids import ANONYMOUS, display_id
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.records import Records
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, VenueOrderId

_SPARE: Final = 2_000


@attrs.frozen(slots=True, kw_only=True)
class Wish:
    """What a client asked beyond what the core keeps; it is shown again in every record.

    Attributes:
        market_unit: `baseCoin`, `quoteCoin` or nothing.
        asked: The amount in quote coin, where that was asked.
        shown_price: Worst price of a market order, as its record shows it.
        last_price: Of the market when the order came.
    """

    market_unit: str = ""
    asked: Decimal | None = None
    smp_type: str = "None"
    slippage_type: str = "UNKNOWN"
    slippage: str = ""
    close_on_trigger: bool = False
    is_leverage: bool = False
    shown_price: str = "0"
    last_price: str = ""


NO_WISH: Final = Wish()


class OrderIndex:
    """Finds the orders of one account."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._orders: dict[str, VenueOrder] = {}
        self._names: dict[VenueOrderId, str] = {}
        self._wishes: dict[str, Wish] = {}
        self._unnamed = 0

    def next_anonymous(self) -> ClientOrderId:
        """Name an order that came without a client order id."""
        self._unnamed += 1
        return ClientOrderId(f"{ANONYMOUS}{self._unnamed}")

    def expect(self, client_order_id: ClientOrderId, wish: Wish) -> None:
        """Keep the wish of an order about to be created; a duplicate changes nothing."""
        if not self._records.knows(client_order_id):
            self._wishes[client_order_id] = wish

    def note(self, orders: Iterable[VenueOrder]) -> None:
        """Take orders that changed."""
        for order in orders:
            if order.venue_order_id not in self._names:
                self._add(order)

    def find(self, order_id: str, link: str) -> VenueOrder | None:
        """Return an order by its id, else by its client order id; the id wins where both come."""
        if order_id:
            return self._orders.get(order_id)
        return self._records.orders.get(link)

    def id_of(self, order: VenueOrder) -> str:
        """Return the id an order is known by."""
        return self._names.get(order.venue_order_id) or self._add(order)

    def id_of_core(self, venue_order_id: VenueOrderId) -> str:
        """Return the id of an order named by the core; empty for one that is not known."""
        return self._names.get(venue_order_id, "")

    def id_of_execution(self, execution: Execution, *, is_spot: bool) -> str:
        """Return the id of the order of an execution, also of one that the exchange made."""
        name = execution.venue_order_id
        if not name:
            return ""
        known = self._names.get(name)
        return known or display_id(name, is_spot=is_spot, at=execution.executed_at)

    def wish_of(self, order: VenueOrder) -> Wish:
        """Return what its client asked; an order of somebody else's hand has no wish."""
        return self._wishes.get(order.client_order_id, NO_WISH)

    def _add(self, order: VenueOrder) -> str:
        name = display_id(order.venue_order_id, is_spot=order.market.is_spot, at=order.created_at)
        self._names[order.venue_order_id] = name
        self._orders[name] = order
        if len(self._names) > 2 * len(self._records.orders) + _SPARE:
            self._prune()
        return name

    def _prune(self) -> None:
        """Forget what the records have forgotten."""
        kept = {order.venue_order_id for order in self._records.orders.values()}
        self._names = {core: name for core, name in self._names.items() if core in kept}
        names = set(self._names.values())
        self._orders = {name: order for name, order in self._orders.items() if name in names}
        self._wishes = {
            link: wish for link, wish in self._wishes.items() if link in self._records.orders
        }


def execution_id(execution: Execution, *, is_spot: bool) -> str:
    """Return the id an execution is known by."""
    return display_id(execution.exec_id, is_spot=is_spot, at=execution.executed_at)

"""Filters: which orders an orderFilter means."""

from typing import Final

from order_adapters.bybit_server.rest.params import Params
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.stop import StopKind
from order_domain.model.enums import VenueStatus

ORDER: Final = "Order"
STOP: Final = "StopOrder"
_ACTIVE: Final = (ORDER, "OpenOrder")
_NEVER_ACTIVE: Final = (VenueStatus.UNTRIGGERED, VenueStatus.DEACTIVATED)
_SPOT_NAMES: Final = (StopKind.SPOT_TPSL, StopKind.OCO)


def filters_of(order: VenueOrder) -> tuple[str, ...]:
    """The filters that find an order: an active one, one that waits or waited, or both by turns."""
    stop = order.stop
    if stop is None:
        return _ACTIVE
    name = stop.kind if stop.kind in _SPOT_NAMES else STOP
    if order.status in _NEVER_ACTIVE:
        return (name,)
    return (*_ACTIVE, name)


def is_wanted(order: VenueOrder, params: Params, default: str = "") -> bool:
    """Tell whether orderFilter and stopOrderType choose an order; no filter chooses all."""
    wanted = params.text("orderFilter", default)
    if wanted and wanted not in filters_of(order):
        return False
    kind = params.text("stopOrderType")
    return not kind or (order.stop is not None and order.stop.kind == kind)

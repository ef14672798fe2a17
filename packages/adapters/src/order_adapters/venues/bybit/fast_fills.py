"""FastFills: what `execution.fast` tells before anybody else, as more filled of an order we know.

It tells no fee, names no maker's order by our id, and may be repeated or missing: so it makes no
entry of the ledger. The entry is made by the slow topic; until then the order is known to be filled
by so much, and counts so.
"""

from decimal import Decimal
from typing import Final

import attrs

from order_adapters.venues.bybit.order_records import ENDED
from order_adapters.venues.bybit.records import FastExecution
from order_domain.model.enums import VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ExecutionId, VenueOrderId
from order_domain.model.instrument import ZERO
from order_domain.model.reports import OrderReport

KEPT: Final = 10_000
"""Orders that are remembered: more are never open at once."""


@attrs.define(slots=True)
class _Seen:
    """One order: its last row, if one came, and each of its fills once, whoever told it."""

    report: OrderReport | None = None
    fills: dict[ExecutionId, Decimal] = attrs.field(factory=dict)

    @property
    def filled(self) -> Decimal:
        """What the fills add up to: at most what was filled, for some may never have been told."""
        return sum(self.fills.values(), ZERO)


class FastFills:
    """Of one connection: a new one has seen nothing."""

    def __init__(self) -> None:
        self._orders: dict[VenueOrderId, _Seen] = {}

    def tell(self, fill: FastExecution) -> OrderReport | None:
        """Take an early fill; return its order with it, if that is known and it is news."""
        seen = self._seen(fill.venue_order_id)
        seen.fills.setdefault(fill.exec_id, fill.quantity)
        if seen.report is None or seen.filled <= seen.report.cum_quantity:
            return None
        seen.report = _raised(seen.report, seen.filled)
        return seen.report

    def show(self, report: OrderReport) -> OrderReport:
        """Take an order's row; return it with the fills it may not hold yet."""
        seen = self._seen(report.venue_order_id)
        if seen.filled > report.cum_quantity:
            report = _raised(report, seen.filled)
        seen.report = report
        if report.status in ENDED:
            del self._orders[report.venue_order_id]
        return report

    def book(self, execution: Execution) -> None:
        """Take a fill of the slow topic, which may be the first to tell it."""
        seen = self._orders.get(execution.venue_order_id)
        if seen is not None:
            seen.fills.setdefault(execution.exec_id, execution.quantity)

    def _seen(self, order_id: VenueOrderId) -> _Seen:
        seen = self._orders.get(order_id)
        if seen is None:
            seen = self._orders[order_id] = _Seen()
            if len(self._orders) > KEPT:
                del self._orders[next(iter(self._orders))]
        return seen


def _raised(report: OrderReport, filled: Decimal) -> OrderReport:
    is_new = report.status is VenueStatus.NEW
    status = VenueStatus.PARTIALLY_FILLED if is_new else report.status
    return attrs.evolve(report, cum_quantity=filled, status=status)

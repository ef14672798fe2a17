"""Queries: what REST shows of the account, late by its visibility lag."""

from datetime import datetime, timedelta

from order_adapters.simulator.account import Account
from order_adapters.simulator.fault_state import Faults
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.records import Records
from order_domain.model.enums import VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.reports import LookupResult, OrderReport, PositionReport, SweepResult
from order_domain.model.steps import LookUp, Sweep

_DAY = timedelta(days=1)
_OPEN = frozenset((VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED, VenueStatus.UNTRIGGERED))


class Queries:
    """Reads, never changes. Times are exchange times."""

    def __init__(
        self, account: Account, records: Records, faults: Faults | None, visibility: timedelta
    ) -> None:
        self._account = account
        self._records = records
        self._faults = faults
        self._visibility = visibility

    def look_up(self, query: LookUp, sent_at: datetime, at: datetime) -> LookupResult:
        """Show one order with its executions, as realtime, history and executions do together."""
        order = self._records.orders.get(query.client_order_id)
        return LookupResult(
            client_order_id=query.client_order_id,
            attempt=query.attempt,
            sent_at=sent_at,
            complete=True,
            order=None if order is None else self.seen(order, at),
            executions=() if order is None else tuple(self.executions_of(order, at)),
        )

    def sweep(
        self, query: Sweep, began_at: datetime, at: datetime, ended_at: datetime
    ) -> SweepResult:
        """Show the whole account."""
        orders = self._open_orders(at)
        since = query.since
        if query.first and since is not None:
            since = min([since, *(each.created_at for each in orders if each.cum_quantity)])
        return SweepResult(
            began_at=began_at,
            ended_at=ended_at,
            complete=True,
            reason=query.reason,
            orders=tuple(orders),
            executions=tuple(self.executions(since, at)),
            positions=tuple(self.positions(at)),
            wallet=self._account.report(at),
        )

    def positions(self, at: datetime) -> list[PositionReport]:
        """Every position that is not flat."""
        return [
            PositionReport(
                position.instrument.id,
                position.side,
                position.size,
                position.average_price(),
                position.updated_at or at,
            )
            for position in self._account.positions.values()
            if position.size
        ]

    def _horizon(self, order: VenueOrder, at: datetime) -> datetime:
        lag = self._visibility
        if self._faults is not None:
            lag += self._faults.lag(order.client_order_id, order.market.id, at)
        return at - lag if lag else at

    def seen(self, order: VenueOrder, at: datetime) -> OrderReport | None:
        """The newest version that shows by now. What ended unfilled a day ago shows no more."""
        if (
            not order.is_open
            and not order.cum
            and order.updated_at
            and order.updated_at < at - _DAY
        ):
            return None
        newest, horizon = order.newest, self._horizon(order, at)
        if newest is None or newest.updated_at <= horizon:
            return newest
        return next((r for r in reversed(order.older or ()) if r.updated_at <= horizon), None)

    def executions_of(self, order: VenueOrder, at: datetime) -> list[Execution]:
        """The executions of an order that show by now, oldest first."""
        horizon = self._horizon(order, at)
        return [each for each in order.executions if each.executed_at <= horizon]

    def _open_orders(self, at: datetime) -> list[OrderReport]:
        # With a lag, an order that has just ended still shows as open.
        lags = bool(self._visibility) or self._faults is not None
        candidates = self._records.orders if lags else self._records.open
        seen = (self.seen(order, at) for order in candidates.values())
        return [report for report in seen if report is not None and report.status in _OPEN]

    def executions(self, since: datetime | None, at: datetime) -> list[Execution]:
        """Every execution since a moment that shows by now, oldest first."""
        found: list[Execution] = []
        for execution in reversed(self._records.executions):
            if since is not None and execution.executed_at < since:
                break
            order = self._records.orders.get(execution.client_order_id or execution.venue_order_id)
            if order is None or execution.executed_at <= self._horizon(order, at):
                found.append(execution)
        found.reverse()
        return found

"""Records: every order and execution the exchange remembers, and the ids it gives out."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b

from order_adapters.simulator.order import VenueOrder
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, ExecutionId, VenueOrderId


class Records:
    """Orders by id, executions by age; bounded if the account has a history limit.

    Attributes:
        open: Orders that rest, in the order they came, by venue order id.
        orders: Every order not yet forgotten, by client order id, or by venue order id without one.
        executions: Every execution not yet forgotten, oldest first.
        prefix: Start of every id this account gives out; empty until its first input.
        last_order, last_execution: Numbers of the newest ids.
        changed: Orders that changed and executions that came since somebody last asked, while
            somebody does ask.
    """

    def __init__(self, seed: str, history_limit: timedelta | None) -> None:
        self.open: dict[VenueOrderId, VenueOrder] = {}
        self.orders: dict[str, VenueOrder] = {}
        self.executions: deque[Execution] = deque()
        self.prefix = ""
        self.last_order = 0
        self.last_execution = 0
        self.changed: tuple[dict[str, VenueOrder], list[Execution]] | None = None
        self._seed = seed
        self._limit = history_limit
        self._closed: deque[VenueOrder] = deque()

    def begin(self, now: datetime) -> None:
        """Choose the prefix of ids: the same for the same seed and start, else another."""
        if not self.prefix:
            text = f"{self._seed} {now.isoformat()}"
            self.prefix = blake2b(text.encode(), digest_size=5).hexdigest()

    def next_order(self) -> int:
        """Number the next order."""
        self.last_order += 1
        return self.last_order

    def order_id(self, number: int) -> VenueOrderId:
        """Venue order id of the n-th order."""
        return VenueOrderId(f"{self.prefix}-o{number}")

    def next_execution(self) -> ExecutionId:
        """Id of the next execution."""
        self.last_execution += 1
        return ExecutionId(f"{self.prefix}-e{self.last_execution}")

    def knows(self, client_order_id: ClientOrderId) -> bool:
        """Tell whether a client order id is used up."""
        return client_order_id in self.orders

    def add(self, order: VenueOrder) -> None:
        """Remember an accepted order."""
        self.orders[order.client_order_id or order.venue_order_id] = order

    def find(
        self, client_order_id: ClientOrderId, venue_order_id: VenueOrderId
    ) -> VenueOrder | None:
        """Return an order by its client order id, or by its venue order id if that fails."""
        order = self.orders.get(client_order_id)
        if order is None and venue_order_id:
            order = self.open.get(venue_order_id) or self.orders.get(venue_order_id)
        return order

    def note(self, order: VenueOrder) -> None:
        """Remember that an order changed."""
        if self.changed is not None:
            self.changed[0][order.venue_order_id] = order

    def book(self, execution: Execution) -> None:
        """Remember an execution."""
        self.executions.append(execution)
        if self.changed is not None:
            self.changed[1].append(execution)

    def close(self, order: VenueOrder, at: datetime) -> None:
        """Remember that an order ended, and forget what ended too long ago."""
        if self.open:
            self.open.pop(order.venue_order_id, None)
        if self._limit is None:
            return
        self._closed.append(order)
        self._forget(at - self._limit)

    def take_changes(self) -> tuple[dict[str, VenueOrder], list[Execution]] | None:
        """Return what changed since the last call, None if nothing did; the first starts it."""
        changed, self.changed = self.changed, ({}, [])
        return changed if changed is not None and (changed[0] or changed[1]) else None

    def restored(self, orders: Iterable[VenueOrder]) -> None:
        """Take back what was stored, oldest first."""
        for order in orders:
            self.add(order)
            if order.is_open:
                self.open[order.venue_order_id] = order
            else:
                self._closed.append(order)

    def _forget(self, before: datetime) -> None:
        closed = self._closed
        while closed and (closed[0].updated_at or before) < before:
            order = closed.popleft()
            self.orders.pop(order.client_order_id or order.venue_order_id, None)
        executions = self.executions
        while executions and executions[0].executed_at < before:
            executions.popleft()

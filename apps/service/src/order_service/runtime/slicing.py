"""Slicing: some orders read with everything that belongs to them, in one snapshot."""

from collections.abc import Iterable, Sequence
from typing import Final

from order_domain.invariants import Slice
from order_domain.model.command import Command
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.order import Order
from order_domain.model.rows import Change, SignalRow
from order_domain.model.steps import Need
from order_domain.ports.journal import Journal
from order_domain.ports.views import Views

ROUNDS: Final = 6
"""How often what was read may name further orders; re-quotes and retries end far sooner."""


async def read_slice(journal: Journal, views: Views, orders: Iterable[str]) -> Slice:
    """Read orders, and whatever they name. Raises StoreUnavailable."""
    order_ids, signal_ids = dict.fromkeys(orders), dict[str, None]()
    rows: Sequence[Change] = ()
    for _ in range(ROUNDS):
        need = Need(signals=tuple(signal_ids), orders=tuple(map(ClientOrderId, order_ids)))
        rows = await journal.read(need)
        known = len(order_ids) + len(signal_ids)
        for row in rows:
            if isinstance(row, SignalRow):
                order_ids.update(dict.fromkeys(map(str, row.order_ids)))
            elif isinstance(row, Order):
                signal_ids[str(row.terms.signal_id)] = None
                if row.terms.requote_of is not None:
                    order_ids[str(row.terms.requote_of)] = None
        if len(order_ids) + len(signal_ids) == known:
            break
    events: list[Event] = []
    for order_id in order_ids:
        events += [each.event for each in await views.order_events(order_id)]
    return Slice(
        signals=[row for row in rows if isinstance(row, SignalRow)],
        orders=[row for row in rows if isinstance(row, Order)],
        commands=[row for row in rows if isinstance(row, Command)],
        ledger=[row for row in rows if isinstance(row, LedgerEntry)],
        events=events,
    )

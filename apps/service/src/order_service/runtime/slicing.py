"""Slicing: some orders read with everything that belongs to them, in one snapshot."""

from collections.abc import Iterable, Sequence
from typing import Final

from order_domain.invariants import OVERFILL, Folds, Slice
from order_domain.model.command import Command
from order_domain.model.enums import EventKind, Origin
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.order import Order
from order_domain.model.rows import Change, SignalRow
from order_domain.model.steps import Need
from order_domain.ports.journal import Journal
from order_domain.ports.outbox import NumberedEvent, Outbox
from order_domain.ports.views import Views

ROUNDS: Final = 6
"""How often what was read may name further orders; re-quotes and retries end far sooner."""
NEAR: Final = 20
"""Events of one step behind each other: a fill, and the alarm that it is too much."""


async def read_slice(
    journal: Journal, views: Views, outbox: Outbox, folds: Folds, orders: Iterable[str]
) -> Slice:
    """Read orders, and whatever they name.

    Args:
        folds: Knows what was booked of strangers' orders before they were known.

    Raises:
        StoreUnavailable.
    """
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
    overfilled: list[str] = []
    for order_id in order_ids:
        numbered = await views.order_events(order_id)
        events += [each.event for each in numbered]
        if await _is_told_overfilled(outbox, order_id, numbered):
            overfilled.append(order_id)
    found = [row for row in rows if isinstance(row, Order)]
    return Slice(
        signals=[row for row in rows if isinstance(row, SignalRow)],
        orders=found,
        commands=[row for row in rows if isinstance(row, Command)],
        ledger=[row for row in rows if isinstance(row, LedgerEntry)],
        events=events,
        strangers=_strangers(found, events, folds),
        overfilled=frozenset(overfilled),
    )


def _strangers(
    orders: Iterable[Order], events: Sequence[Event], folds: Folds
) -> dict[str, Sequence[LedgerEntry]]:
    """What was booked of each stranger's order before it was known, where that can be said."""
    told = {event.ledger.number for event in events if event.ledger is not None}
    births = {event.subject: event.at for event in events if event.sequence == 1}
    found: dict[str, Sequence[LedgerEntry]] = {}
    for order in orders:
        order_id = str(order.client_order_id)
        if order.terms.origin is not Origin.EXTERNAL or order_id not in births:
            continue
        entries = folds.of_stranger(order, births[order_id])
        if entries is not None:
            found[order_id] = [entry for entry in entries if entry.number not in told]
    return found


async def _is_told_overfilled(
    outbox: Outbox, order_id: str, numbered: Sequence[NumberedEvent]
) -> bool:
    """Whether the first fill beyond an order's quantity came with its alarm, in the same step."""
    for each in numbered:
        order = each.event.order
        if order is not None and order.cum_quantity > order.quantity:
            after = await outbox.events_after(each.number, NEAR)
            return any(
                (other.event.kind, other.event.code, other.event.text)
                == (EventKind.ALARM, OVERFILL, order_id)
                for other in after
            )
    return False

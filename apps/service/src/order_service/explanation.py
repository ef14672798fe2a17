"""Explanation: the whole decision and life of one order, out of committed rows."""

import attrs

from order_domain.explain import explain_trace
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.rows import SignalRow, Trace
from order_domain.ports.outbox import NumberedEvent
from order_domain.ports.views import Views
from order_service import rows
from order_service.plain import Plain, Row, moment, plain


@attrs.frozen(slots=True)
class Explanation:
    """An order, the signal behind it as it was decided, and what happened since."""

    order: Order
    decided: SignalRow | None
    events: tuple[NumberedEvent, ...]
    ledger: tuple[LedgerEntry, ...]

    def row(self) -> Row:
        """As one object."""
        decided = self.decided
        return {
            "order": rows.order_row(self.order),
            "signal": rows.signal_row(decided) if decided else None,
            "decision": list(trace_rows(decided.trace)) if decided else [],
            "quote": self.quote,
            "events": [rows.event_row(event) for event in self.events],
            "executions": [rows.execution_row(entry) for entry in self.ledger],
        }

    @property
    def quote(self) -> Plain:
        """The quote that was decided on."""
        if self.decided is None or self.decided.quote is None:
            return None
        quote = self.decided.quote
        return {"bid": plain(quote.bid), "ask": plain(quote.ask), "at": moment(quote.at)}


async def explain_order(views: Views, order: Order) -> Explanation:
    """Gather what there is to tell. Raises StoreUnavailable."""
    generations = await views.signal(order.terms.signal_id)
    decided = next((row for row in generations if row.generation == order.terms.generation), None)
    events = await views.order_events(order.client_order_id)
    ledger = await views.order_ledger(order.client_order_id)
    return Explanation(order, decided, tuple(events), tuple(ledger))


def trace_rows(trace: Trace) -> list[Row]:
    """Make one object for each check or remark, with its sentence."""
    return [
        {
            "code": str(code),
            "limit": plain(limit),
            "actual": plain(actual),
            "passed": passed,
            "text": text,
        }
        for (code, limit, actual, passed), text in zip(trace, explain_trace(trace), strict=True)
    ]

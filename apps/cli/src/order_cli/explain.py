"""`explain`: why an order exists, what was checked, and everything that happened to it."""

from collections.abc import Sequence

from order_cli import output
from order_cli.listing import find_order
from order_cli.options import DEFAULT_STORE, Json, StoreUrl
from order_cli.wiring import reading
from order_domain.explain import explain_trace
from order_domain.model.order import Order
from order_domain.model.rows import SignalRow, Trace
from order_service import rows
from order_service.plain import Plain, Row, moment, plain
from order_service.stores import Store


async def explain(order_id: str, /, *, store: StoreUrl = DEFAULT_STORE, json: Json = False) -> None:
    """Tell the whole decision and life of an order: signal, checks, events, executions.

    Args:
        order_id: Client order id, or the exchange's order id.
    """
    async with reading(store) as access:
        order = await find_order(access, order_id)
        decided = await _decision(access, order)
        events = await access.views.order_events(order.client_order_id)
        ledger = await access.views.order_ledger(order.client_order_id)
    life = [rows.event_row(event) for event in events]
    fills = [rows.execution_row(entry) for entry in ledger]
    if json:
        output.show_json(
            {
                "order": rows.order_row(order),
                "signal": rows.signal_row(decided) if decided else None,
                "decision": list(trace_rows(decided.trace)) if decided else [],
                "quote": _quote(decided),
                "events": list(life),
                "executions": list(fills),
            }
        )
        return
    _tell(order, decided, life, fills)


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


def show_trace(trace: Trace) -> None:
    """Print a trace, a sentence a line; what failed stands out."""
    output.say("Decision", "bold")
    for (_, _, _, passed), text in zip(trace, explain_trace(trace), strict=True):
        output.say(f"  {text}", "" if passed else "red")
    output.say("")


async def _decision(access: Store, order: Order) -> SignalRow | None:
    generations = await access.views.signal(order.terms.signal_id)
    return next((row for row in generations if row.generation == order.terms.generation), None)


def _quote(decided: SignalRow | None) -> Plain:
    if decided is None or decided.quote is None:
        return None
    quote = decided.quote
    return {
        "bid": plain(quote.bid),
        "ask": plain(quote.ask),
        "at": moment(quote.at),
    }


def _tell(
    order: Order, decided: SignalRow | None, life: Sequence[Row], fills: Sequence[Row]
) -> None:
    output.show_fields("Order", rows.order_row(order))
    if decided is not None:
        output.show_fields("Signal", rows.signal_row(decided))
        quote = decided.quote
        if quote is not None:
            output.say(f"Decided on bid {quote.bid}, ask {quote.ask} of {moment(quote.at)}.")
        show_trace(decided.trace)
    output.show_table(
        "Life",
        (">#", "at", "event", "status", ">filled", "code", "text"),
        [
            [e[n] for n in ("sequence", "at", "kind", "status", "filled_quantity", "code", "text")]
            for e in life
        ],
    )
    if fills:
        output.show_table(
            "Executions",
            ("at", ">quantity", ">price", ">fee", ">realised PnL", "maker"),
            [
                [
                    f[n]
                    for n in ("executed_at", "quantity", "price", "fee", "realized_pnl", "is_maker")
                ]
                for f in fills
            ],
        )

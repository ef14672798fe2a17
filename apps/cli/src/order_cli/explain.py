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
from order_service.explanation import explain_order, trace_rows
from order_service.plain import Row, moment

__all__ = ["explain", "show_trace", "trace_rows"]


async def explain(order_id: str, /, *, store: StoreUrl = DEFAULT_STORE, json: Json = False) -> None:
    """Tell the whole decision and life of an order: signal, checks, events, executions.

    Args:
        order_id: Client order id, or the exchange's order id.
    """
    async with reading(store) as access:
        order = await find_order(access, order_id)
        told = await explain_order(access.views, order)
    if json:
        output.show_json(told.row())
        return
    life = [rows.event_row(event) for event in told.events]
    fills = [rows.execution_row(entry) for entry in told.ledger]
    _tell(order, told.decided, life, fills)


def show_trace(trace: Trace) -> None:
    """Print a trace, a sentence a line; what failed stands out."""
    output.say("Decision", "bold")
    for (_, _, _, passed), text in zip(trace, explain_trace(trace), strict=True):
        output.say(f"  {text}", "" if passed else "red")
    output.say("")


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

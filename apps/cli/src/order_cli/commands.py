"""COMMANDS: every command and where it stands. A module is imported when its command runs."""

from typing import Final

import attrs


@attrs.frozen(slots=True)
class Entry:
    """One command, or one group of commands where `target` is empty."""

    name: str
    target: str
    help: str


TRY: Final = "Try it"
TRADE: Final = "Trade"
LOOK: Final = "Look"
RUN: Final = "Run"

COMMANDS: Final[dict[str, tuple[Entry, ...]]] = {
    TRY: (
        Entry("demo", "order_cli.demo:demo", "A seeded market and its signals, end to end."),
        Entry("replay", "order_cli.replay:replay", "Run signals against a recorded market."),
    ),
    TRADE: (
        Entry("order show", "order_cli.listing:show_order", "Show one order."),
        Entry("order list", "order_cli.listing:list_orders", "List orders, newest first."),
        Entry("position list", "order_cli.listing:list_positions", "List positions."),
        Entry("position show", "order_cli.listing:show_position", "Show one position."),
    ),
    LOOK: (
        Entry("explain", "order_cli.explain:explain", "The whole decision and life of an order."),
        Entry("export", "order_cli.export:export", "Write committed rows, one JSON object a line."),
        Entry(
            "verify", "order_cli.verify:verify", "Rebuild the books from the ledger and compare."
        ),
        Entry("diagram", "order_cli.diagram:diagram", "Draw the life of an order (Mermaid)."),
        Entry("bybit decode", "order_cli.bybit:decode", "Read a recorded message of Bybit."),
    ),
    RUN: (Entry("serve", "order_cli.serve:serve", "Run the service."),),
}
GROUPS: Final = {
    "order": "Orders of a person.",
    "position": "Positions.",
    "bybit": "Messages of the exchange.",
}

"""COMMANDS: every command and where it stands. A module is imported when its command runs."""

from typing import Final

import attrs


@attrs.frozen(slots=True)
class Entry:
    """One command.

    Attributes:
        target: What it does on a local store.
    """

    name: str
    target: str
    help: str


TRY: Final = "Try it"
TRADE: Final = "Trade"
LOOK: Final = "Look"
SAFETY: Final = "Safety"
RUN: Final = "Run"

COMMANDS: Final[dict[str, tuple[Entry, ...]]] = {
    TRY: (
        Entry("demo", "order_cli.demo:demo", "A seeded market and its signals, end to end."),
        Entry("replay", "order_cli.replay:replay", "Run signals against a recorded market."),
    ),
    TRADE: (
        Entry("order place", "order_cli.orders:place", "Place an order."),
        Entry("order amend", "order_cli.orders:amend", "Change price or quantity of an order."),
        Entry("order cancel", "order_cli.orders:cancel", "Cancel one order."),
        Entry("order cancel-all", "order_cli.orders:cancel_all", "Cancel every order."),
        Entry("order show", "order_cli.listing:show_order", "Show one order."),
        Entry("order list", "order_cli.listing:list_orders", "List orders, newest first."),
        Entry("position list", "order_cli.listing:list_positions", "List positions."),
        Entry("position show", "order_cli.listing:show_position", "Show one position."),
        Entry("position close", "order_cli.closing:close", "Close a position, or a part of it."),
        Entry("signal send", "order_cli.signals:send", "Send one signal through the pipeline."),
        Entry("signal decide", "order_cli.signals:decide", "Say what a signal would do, and why."),
        Entry("signal retry", "order_cli.signals:retry", "Decide a denied signal again."),
    ),
    LOOK: (
        Entry("explain", "order_cli.explain:explain", "The whole decision and life of an order."),
        Entry("export", "order_cli.export:export", "Write committed rows, one JSON object a line."),
        Entry(
            "verify", "order_cli.verify:verify", "Rebuild the books from the ledger and compare."
        ),
        Entry("status", "order_cli.remote_reads:status", "How a running service is."),
        Entry("watch", "order_cli.watch:watch", "A running service, live."),
        Entry("diagram", "order_cli.diagram:diagram", "Draw the life of an order (Mermaid)."),
        Entry("bybit decode", "order_cli.bybit:decode", "Read a recorded message of Bybit."),
    ),
    SAFETY: (
        Entry("halt", "order_cli.trading_state:halt", "Open nothing more until resume."),
        Entry("resume", "order_cli.trading_state:resume", "Lift a restriction."),
        Entry("flatten", "order_cli.closing:flatten", "Cancel everything, close every position."),
        Entry("cancel-all", "order_cli.direct:cancel_all", "Cancel all by the exchange alone."),
        Entry("sync", "order_cli.remote:sync", "Read the account now, repair."),
        Entry("trading-state show", "order_cli.trading_state:show", "Show every restriction."),
        Entry("trading-state set", "order_cli.trading_state:set_state", "Restrict a scope."),
    ),
    RUN: (
        Entry("serve", "order_cli.serve:serve", "Run the service."),
        Entry("doctor", "order_cli.doctor:doctor", "Say in plain words what is wrong."),
        Entry("config check", "order_cli.config:check", "Say whether a start would take these."),
        Entry("config show", "order_cli.config:show", "Show every setting and its source."),
        Entry("key make", "order_cli.keys:make", "Make a further key of the API."),
        Entry("completion", "order_cli.completion:completion", "Let a shell complete commands."),
        Entry("guardian", "order_cli.guardian:guardian", "Cancel all when the service is gone."),
        Entry("db migrate", "order_cli.db:migrate", "Bring the schema up to date."),
        Entry("db status", "order_cli.db:status", "Say which migrations are applied."),
        Entry("db rollback", "order_cli.db:rollback", "Take the newest migrations back."),
        Entry("db export", "order_cli.db:export", "Print all migrations as one script."),
        Entry("dlq list", "order_cli.dlq:list_letters", "List refused signals."),
        Entry("dlq show", "order_cli.dlq:show", "Print one refused signal."),
        Entry("dlq replay", "order_cli.dlq:replay", "Send refused signals again."),
        Entry("dlq drop", "order_cli.dlq:drop", "Throw refused signals away."),
        Entry("simulator serve", "order_cli.simulator:serve", "Run a local Bybit."),
    ),
}
GROUPS: Final = {
    "config": "Settings of the service.",
    "db": "The schema of a PostgreSQL store.",
    "dlq": "Signals that were refused.",
    "key": "Keys of the API.",
    "order": "Orders of a person.",
    "position": "Positions.",
    "bybit": "Messages of the exchange.",
    "signal": "Signals by hand.",
    "simulator": "A local Bybit for tests.",
    "trading-state": "What may be traded now.",
}
REMOTE: Final = {
    "order place": "order_cli.remote:place",
    "order amend": "order_cli.remote:amend",
    "order cancel": "order_cli.remote:cancel",
    "order cancel-all": "order_cli.remote:cancel_all",
    "order show": "order_cli.remote_reads:show_order",
    "order list": "order_cli.remote_reads:list_orders",
    "position list": "order_cli.remote_reads:list_positions",
    "position show": "order_cli.remote_reads:show_position",
    "position close": "order_cli.remote:close",
    "signal send": "order_cli.remote_signals:send",
    "signal decide": "order_cli.remote_signals:decide",
    "signal retry": "order_cli.remote_signals:retry",
    "explain": "order_cli.remote_reads:explain",
    "export": "order_cli.remote_reads:export",
    "halt": "order_cli.remote:halt",
    "resume": "order_cli.remote:resume",
    "flatten": "order_cli.remote:flatten",
    "sync": "order_cli.remote:sync",
    "status": "order_cli.remote_reads:status",
    "watch": "order_cli.watch:watch",
    "trading-state show": "order_cli.remote:show_states",
    "trading-state set": "order_cli.remote:set_state",
}
"""What a command does on a running service."""
ONLY_THERE: Final = ("status", "sync", "watch")
"""Commands about a service that runs: without `--url` or `--profile` there is none."""
_A_SERVER: Final = "it speaks to the server itself, whether or not a service runs"
_ITS_OWN: Final = "it is a process of its own"
_NO_STORE: Final = "it reads no store"
LOCAL: Final = {
    "demo": "it makes a market and a store of its own",
    "replay": "it makes a store of its own, in virtual time",
    "verify": "it reads every row at once, which the process that trades must not; it runs beside"
    " the owner of a store",
    "diagram": _NO_STORE,
    "bybit decode": _NO_STORE,
    "cancel-all": "it works by the exchange alone, for when there is no service to ask",
    "serve": "it is the service",
    "doctor": "it looks at this machine's settings and at what they lead to",
    "config check": "it reads this machine's settings",
    "config show": "it reads this machine's settings",
    "key make": "a key is added to a file beside the service, never through its API",
    "completion": _NO_STORE,
    "guardian": _ITS_OWN,
    "db migrate": _A_SERVER,
    "db status": _A_SERVER,
    "db rollback": _A_SERVER,
    "db export": _NO_STORE,
    "dlq list": _A_SERVER,
    "dlq show": _A_SERVER,
    "dlq replay": _A_SERVER,
    "dlq drop": _A_SERVER,
    "simulator serve": _ITS_OWN,
}
"""Why a command does not work on a running service."""

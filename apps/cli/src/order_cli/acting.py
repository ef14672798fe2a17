"""Acting: what commands that change something share: the session, the outcome, the exit code."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from order_cli import output
from order_cli.exit_codes import ExitCode
from order_cli.explain import show_trace, trace_rows
from order_cli.listing import OPEN
from order_domain.codes import Code
from order_domain.model.enums import Category, OrderStatus, Trading
from order_domain.model.identifiers import InstrumentId, instrument_id
from order_domain.model.order import IN_FLIGHT, Order
from order_domain.model.steps import Reply
from order_domain.ports.views import OrderQuery, Views
from order_service import rows
from order_service.plain import Plain, plain

if TYPE_CHECKING:
    from order_service.session import Session
    from order_service.settings import Settings

ACTOR: Final = "cli"
LIVE_MAX: Final = 10_000
SYMBOLS: Final = "BTCUSDT,ETHUSDT,SOLUSDT"
_NOT_FOUND: Final = (Code.ORDER_NOT_FOUND, Code.SIGNAL_NOT_FOUND)
_UNSETTLED: Final = (*IN_FLIGHT, OrderStatus.INTENT, OrderStatus.ACKED)
_FAILED: Final = (OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.EXPIRED)


@asynccontextmanager
async def acting(store: str) -> AsyncIterator["Session"]:
    """Take the dry-run account of a store over for one command. Raises what a session raises."""
    from order_service.session import open_session  # noqa: PLC0415 -- only who acts needs it

    async with open_session(dry_run_settings(store)) as session:
        yield session


def dry_run_settings(store: str) -> "Settings":
    """Read the settings of a dry run on a store. Raises SettingsError."""
    from order_service.settings import Settings  # noqa: PLC0415 -- pydantic is slow to import

    environment = {"ORDERMANAGER_DRY_RUN_SYMBOLS": SYMBOLS} | dict(os.environ)
    environment |= {"ORDERMANAGER_ENABLE_DRY_RUN": "true", "ORDERMANAGER_STORE_URL": store}
    return Settings.from_environment(environment)


def instrument_of(symbol: str) -> InstrumentId:
    """Name the instrument of a symbol as a person types it."""
    return instrument_id(Category.LINEAR, symbol.upper())


def ids_of(reply: Reply) -> list[str]:
    """Client order ids of the orders that a request made."""
    ids = dict(reply.result).get("client_order_ids", ())
    return [str(each) for each in ids] if isinstance(ids, tuple) else []


async def live_ids(views: Views, symbol: str | None) -> list[str]:
    """Client order ids of all orders that have not ended, of one symbol or of all."""
    orders, _ = await views.orders(OrderQuery(symbol=symbol, statuses=OPEN, limit=LIVE_MAX))
    return [str(order.client_order_id) for order in orders]


def is_settled(order: Order) -> bool:
    """Whether the order rests at the exchange or has ended."""
    return order.status not in _UNSETTLED


async def finish(
    views: Views, reply: Reply, orders: Sequence[Order], *, json: bool, more: Mapping[str, object]
) -> int:
    """Show what came of a request and return the exit code."""
    result = dict(reply.result)
    trace = result.get("trace", ())
    code = await exit_code(views, reply.code, orders)
    if json:
        shown: dict[str, Plain] = {
            "code": reply.code,
            **{name: plain(value) for name, value in more.items()},
            "orders": [rows.order_row(order) for order in orders],
        }
        if trace:
            shown["decision"] = list(trace_rows(trace))  # type: ignore[arg-type]  # engine's own
        output.show_json(shown)
        return code
    if reply.code != Code.OK:
        text = Code.__members__[reply.code].text if reply.code in Code.__members__ else ""
        output.say(f"{reply.code}: {text}", "red")
        if trace:
            show_trace(trace)  # type: ignore[arg-type]  # the engine's own words
    for name, value in more.items():
        output.say(f"{name}: {plain(value)}")
    show_orders(orders)
    return code


def show_orders(orders: Sequence[Order]) -> None:
    """Print orders, a line each."""
    if not orders:
        return
    columns = (
        ("client order id", "client_order_id"),
        ("symbol", "symbol"),
        ("side", "side"),
        ("type", "order_type"),
        (">price", "price"),
        (">quantity", "quantity"),
        (">filled", "filled_quantity"),
        (">average", "average_price"),
        ("status", "status"),
        ("code", "code"),
    )
    output.show_table(
        "Orders",
        [title for title, _ in columns],
        [[rows.order_row(order)[name] for _, name in columns] for order in orders],
    )


async def exit_code(views: Views, code: str, orders: Sequence[Order]) -> ExitCode:
    """Say in an exit code what a reply and its orders came to."""
    if code in _NOT_FOUND:
        return ExitCode.NOT_FOUND
    if code == Code.TRADING_STATE and await _is_halted(views):
        return ExitCode.HALTED
    if code != Code.OK:
        return ExitCode.REFUSED
    if any(order.status in _UNSETTLED for order in orders):
        return ExitCode.UNKNOWN
    if any(order.status in _FAILED for order in orders):
        return ExitCode.REFUSED
    return ExitCode.DONE


async def _is_halted(views: Views) -> bool:
    return any(row.state is Trading.HALTED for row in await views.trading_states())

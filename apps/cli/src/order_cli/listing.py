"""`order list|show`, `position list|show`: what the store holds, read beside its owner."""

from typing import Annotated, Final

from cyclopts import Parameter

from order_cli import output
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import DEFAULT_STORE, Json, StoreUrl
from order_cli.wiring import reading
from order_domain.model.enums import OrderStatus, Side
from order_domain.model.order import TERMINAL, Order
from order_domain.ports.views import OrderQuery
from order_service import rows
from order_service.plain import Row
from order_service.stores import Store

OPEN: Final = tuple(status for status in OrderStatus if status not in TERMINAL)
_ORDER_COLUMNS: Final = (
    ("created", "created_at"),
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
_POSITION_COLUMNS: Final = (
    ("symbol", "symbol"),
    ("side", "position_side"),
    (">size", "size"),
    (">average", "average_price"),
    (">realised PnL", "realized_pnl"),
    ("fees", "fees"),
    ("updated", "updated_at"),
)


async def list_orders(  # noqa: PLR0913 -- the filters of a listing
    *,
    store: StoreUrl = DEFAULT_STORE,
    symbol: str | None = None,
    status: tuple[OrderStatus, ...] = (),
    open_: Annotated[bool, Parameter(name="--open", help="Only orders that still live.")] = False,
    strategy: str | None = None,
    side: Side | None = None,
    limit: int = 50,
    offset: int = 0,
    json: Json = False,
) -> None:
    """List orders, newest first.

    Args:
        symbol: Only this symbol.
        status: Only this status; may be given more than once.
        strategy: Only this strategy.
        side: Only this side.
        limit: At most so many.
        offset: Skip so many.
    """
    query = OrderQuery(
        symbol=symbol,
        statuses=OPEN if open_ else status,
        strategy_id=strategy,
        side=side,
        limit=limit,
        offset=offset,
    )
    async with reading(store) as access:
        orders, total = await access.views.orders(query)
    found = [rows.order_row(order) for order in orders]
    if json:
        output.show_json({"total": total, "orders": list(found)})
        return
    _table(f"{len(found)} of {total} orders", _ORDER_COLUMNS, found)


async def show_order(
    order_id: str, /, *, store: StoreUrl = DEFAULT_STORE, json: Json = False
) -> None:
    """Show one order and its executions.

    Args:
        order_id: Client order id, or the exchange's order id.
    """
    async with reading(store) as access:
        order = await find_order(access, order_id)
        ledger = await access.views.order_ledger(order.client_order_id)
    row, executions = rows.order_row(order), [rows.execution_row(entry) for entry in ledger]
    if json:
        output.show_json({**row, "executions": list(executions)})
        return
    output.show_fields("Order", row)
    output.show_table(
        "Executions",
        ("at", "exec id", ">quantity", ">price", ">fee", "coin", "maker"),
        [
            [
                each[name]
                for name in (
                    "executed_at",
                    "exec_id",
                    "quantity",
                    "price",
                    "fee",
                    "fee_coin",
                    "is_maker",
                )
            ]
            for each in executions
        ],
    )


async def list_positions(
    *,
    store: StoreUrl = DEFAULT_STORE,
    symbol: str | None = None,
    all_: Annotated[bool, Parameter(name="--all", help="Flat ones too.")] = False,
    json: Json = False,
) -> None:
    """List positions.

    Args:
        symbol: Only this symbol.
    """
    async with reading(store) as access:
        positions = await access.views.positions(symbol)
    found = [rows.position_row(each) for each in positions if all_ or each.size]
    if json:
        output.show_json({"positions": list(found)})
        return
    _table("Positions", _POSITION_COLUMNS, found)


async def show_position(
    symbol: str, /, *, store: StoreUrl = DEFAULT_STORE, json: Json = False
) -> None:
    """Show the position of one symbol, both sides in hedge mode.

    Args:
        symbol: For example BTCUSDT.
    """
    async with reading(store) as access:
        positions = await access.views.positions(symbol)
    if not positions:
        raise CommandError(ExitCode.NOT_FOUND, f"no position was ever held in {symbol}")
    found = [rows.position_row(each) for each in positions]
    if json:
        output.show_json({"positions": list(found)})
        return
    for row in found:
        output.show_fields(f"Position {symbol}", row)


async def find_order(access: Store, order_id: str) -> Order:
    """Find an order by either id. Raises CommandError when there is none."""
    order = await access.views.order(order_id)
    if order is None:
        raise CommandError(ExitCode.NOT_FOUND, f"no order has the id {order_id}")
    return order


def _table(title: str, columns: tuple[tuple[str, str], ...], found: list[Row]) -> None:
    output.show_table(
        title,
        [heading for heading, _ in columns],
        [[row[name] for _, name in columns] for row in found],
    )

"""`position close`, `flatten`: the way out."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

from cyclopts import Parameter

from order_cli import output
from order_cli.acting import (
    ACTOR,
    acting,
    finish,
    ids_of,
    instrument_of,
    is_settled,
    live_ids,
    show_orders,
)
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import DEFAULT_STORE, Json, RequestId, StoreUrl, Wait, request
from order_cli.wiring import reading
from order_domain.model.enums import PositionSide
from order_domain.model.identifiers import symbol_of
from order_domain.model.inputs import ClosePosition, Flatten
from order_domain.model.steps import Reply
from order_service import rows
from order_service.plain import number


async def close(
    symbol: str,
    /,
    *,
    part: Annotated[str, Parameter(help="How much of it: 50% or 0.5.")] = "100%",
    position_side: PositionSide = PositionSide.BOTH,
    store: StoreUrl = DEFAULT_STORE,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Close a position, or a part of it, by a reduce-only market order.

    Args:
        symbol: For example BTCUSDT.
        position_side: In hedge mode, which one.
    """
    wish = ClosePosition(
        request_id=request(request_id),
        actor=ACTOR,
        instrument_id=instrument_of(symbol),
        position_side=position_side,
        part=part_of(part),
    )
    async with acting(store) as session:
        reply = await session.ask(wish)
        orders = await session.follow(ids_of(reply), wait, is_settled)
        return await finish(session.views, reply, orders, json=json, more={})


async def flatten(
    symbol: str | None = None,
    /,
    *,
    preview: Annotated[bool, Parameter(help="Only say what would be ended.")] = False,
    store: StoreUrl = DEFAULT_STORE,
    wait: Wait = 20.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Cancel everything, then close every position. Works also while trading is halted.

    Args:
        symbol: Only this symbol.
    """
    if preview:
        return await _preview(symbol, store, json=json)
    wish = Flatten(
        request_id=request(request_id),
        actor=ACTOR,
        instrument_id=None if symbol is None else instrument_of(symbol),
    )
    async with acting(store) as session:
        live = await live_ids(session.views, symbol)
        reply = await session.ask(wish)
        orders = await session.follow(
            [*live, *_closing(reply)], wait, lambda order: order.is_terminal
        )
        left = [p for p in await session.views.positions(symbol) if p.size]
        more = {"positions left": len(left)}
        code = await finish(session.views, reply, orders, json=json, more=more)
        if any(not order.is_terminal for order in orders):
            return ExitCode.UNKNOWN
        return ExitCode.REFUSED if left else code


async def _preview(symbol: str | None, store: str, *, json: bool) -> int:
    """Show the orders that flatten would cancel and the positions it would close."""
    async with reading(store) as access:
        ids = await live_ids(access.views, symbol)
        orders = [order for each in ids if (order := await access.views.order(each)) is not None]
        positions = [each for each in await access.views.positions(symbol) if each.size]
    closing = {symbol_of(each.instrument_id): number(each.size) for each in positions}
    if json:
        cancelled = [rows.order_row(order) for order in orders]
        output.show_json({"cancel": list(cancelled), "close": dict(closing)})
    else:
        show_orders(orders)
        output.show_table("Positions", ("symbol", ">size"), closing.items())
    return ExitCode.DONE


def _closing(reply: Reply) -> list[str]:
    """Orders that a flatten made, of all positions."""
    closing = dict(reply.result).get("closing", ())
    made = closing if isinstance(closing, tuple) else ()
    return [str(order_id) for _, _, ids in made for order_id in ids]


def part_of(text: str) -> Decimal:
    """Read a share of a position. Raises CommandError."""
    number = text.removesuffix("%")
    try:
        part = Decimal(number)
    except InvalidOperation:
        part = Decimal(0)
    part = part / 100 if text.endswith("%") else part
    if not part.is_finite() or not 0 < part <= 1:
        raise CommandError(ExitCode.USAGE, f"--part: must be above 0 % up to 100 %, got {text}")
    return part

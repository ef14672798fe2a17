"""`order place|amend|cancel|cancel-all`: a person's orders."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from order_cli.acting import ACTOR, acting, finish, ids_of, instrument_of, is_settled, live_ids
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import (
    DEFAULT_STORE,
    Json,
    Number,
    RequestId,
    StoreUrl,
    Wait,
    end_of_amend,
    request,
)
from order_domain.codes import Code
from order_domain.model.enums import (
    EventKind,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
)
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.inputs import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    PlaceOrder,
)

if TYPE_CHECKING:
    from order_service.session import Session

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
LOOK_S: Final = 0.05


async def place(  # noqa: PLR0913 -- one parameter per field of an order
    side: Literal["buy", "sell"],
    symbol: str,
    quantity: Number,
    /,
    *,
    price: Number | None = None,
    tif: Annotated[TimeInForce | None, Parameter(help="GTC, IOC, FOK or PostOnly.")] = None,
    reduce_only: bool = False,
    position_side: PositionSide = PositionSide.BOTH,
    take: Annotated[Number | None, Parameter(help="Take profit at this price.")] = None,
    stop: Annotated[Number | None, Parameter(help="Stop loss at this price.")] = None,
    store: StoreUrl = DEFAULT_STORE,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Place an order; without a price it is a market order.

    The same rules hold as for signals. The order is followed until it rests or has ended.

    Args:
        side: buy or sell.
        symbol: For example BTCUSDT.
        quantity: Base units.
        price: Limit price, quote units.
        reduce_only: Only close, never open.
        position_side: In hedge mode, the position it works on.
    """
    order = PlaceOrder(
        request_id=request(request_id),
        actor=ACTOR,
        instrument_id=instrument_of(symbol),
        side=SIDES[side],
        quantity=quantity,
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        price=price,
        time_in_force=tif,
        reduce_only=reduce_only,
        position_side=position_side,
        take_profit=take,
        stop_loss=stop,
    )
    async with acting(store) as session:
        reply = await session.ask(order)
        orders = await session.follow(ids_of(reply), wait, is_settled)
        return await finish(session.views, reply, orders, json=json, more={})


async def amend(
    order_id: str,
    /,
    *,
    price: Number | None = None,
    quantity: Number | None = None,
    store: StoreUrl = DEFAULT_STORE,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Change price or quantity of a working order, to new absolute values.

    Args:
        order_id: Client order id, or the exchange's order id.
        price: New limit price.
        quantity: New quantity, what has filled included.
    """
    if price is None and quantity is None:
        raise CommandError(ExitCode.USAGE, "give --price, --quantity or both")
    async with acting(store) as session:
        found = await session.views.order(order_id)
        name = ClientOrderId(order_id) if found is None else found.client_order_id
        change = AmendOrder(
            request_id=request(request_id),
            actor=ACTOR,
            client_order_id=name,
            price=price,
            quantity=quantity,
        )
        reply = await session.ask(change)
        if reply.code != Code.OK:
            orders = await session.orders([name])
            return await finish(session.views, reply, orders, json=json, more={})
        end = await _end_of_amend(session, name, int(str(dict(reply.result)["number"])), wait)
        orders = await session.orders([name])
        code = await finish(session.views, reply, orders, json=json, more={})
        if not end:
            return ExitCode.UNKNOWN
        return ExitCode.REFUSED if end == EventKind.AMEND_REFUSED else code


async def _end_of_amend(session: "Session", name: str, number: int, wait: float) -> str:
    """Follow an order until one of its amends has ended, or for so many seconds."""
    looks = max(1, int(wait / LOOK_S))
    while True:
        events = await session.views.order_events(name)
        end = end_of_amend((each.event.kind for each in events), number)
        looks -= 1
        if end or not looks:
            return end
        await asyncio.sleep(LOOK_S)


async def cancel(
    order_id: str,
    /,
    *,
    store: StoreUrl = DEFAULT_STORE,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Cancel one order, and wait until the exchange says that it has ended.

    Args:
        order_id: Client order id, or the exchange's order id.
    """
    async with acting(store) as session:
        found = await session.views.order(order_id)
        name = ClientOrderId(order_id) if found is None else found.client_order_id
        wish = CancelOrder(request_id=request(request_id), actor=ACTOR, client_order_id=name)
        reply = await session.ask(wish)
        asked = reply.code in (Code.OK, Code.COMMAND_OPEN)
        orders = await session.follow([name], wait, lambda order: order.is_terminal or not asked)
        code = await finish(session.views, reply, orders, json=json, more={})
        return ExitCode.UNKNOWN if asked and not all(o.is_terminal for o in orders) else code


async def cancel_all(
    symbol: str | None = None,
    /,
    *,
    store: StoreUrl = DEFAULT_STORE,
    wait: Wait = 10.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Cancel every order, foreign ones too, and wait until all have ended.

    Args:
        symbol: Only orders of this symbol.
    """
    async with acting(store) as session:
        ids = await live_ids(session.views, symbol)
        wish = CancelAll(
            request_id=request(request_id),
            actor=ACTOR,
            instrument_id=None if symbol is None else instrument_of(symbol),
        )
        reply = await session.ask(wish)
        orders = await session.follow(ids, wait, lambda order: order.is_terminal)
        more = {"cancelled": sum(order.is_terminal for order in orders)}
        code = await finish(session.views, reply, orders, json=json, more=more)
        return code if all(order.is_terminal for order in orders) else ExitCode.UNKNOWN

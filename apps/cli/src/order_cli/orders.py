"""`order place|amend|cancel|cancel-all`, `position close`, `flatten`: a person at work."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from order_cli.acting import ACTOR, RequestId, Wait, acting, finish, is_settled, request
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import DEFAULT_STORE, Json, Number, StoreUrl
from order_domain.codes import Code
from order_domain.model.enums import (
    Category,
    EventKind,
    OrderStatus,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
)
from order_domain.model.identifiers import ClientOrderId, InstrumentId, instrument_id
from order_domain.model.inputs import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    ClosePosition,
    Flatten,
    PlaceOrder,
)
from order_domain.model.order import TERMINAL
from order_domain.model.steps import Reply
from order_domain.ports.views import OrderQuery, Views

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
OPEN: Final = tuple(status for status in OrderStatus if status not in TERMINAL)
LIVE_MAX: Final = 10_000
_AMENDED: Final = (EventKind.ORDER_AMENDED, EventKind.AMEND_REFUSED)


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
        instrument_id=_instrument(symbol),
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
        orders = await session.follow(_ids(reply), wait, is_settled)
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
        before = 0 if found is None else found.version
        orders = await session.follow(
            [name], wait, lambda order: order.version > before + 1 or reply.code != Code.OK
        )
        events = [e.event for e in await session.views.order_events(name)]
        ends = [e.kind for e in events if e.kind in _AMENDED and e.sequence > before]
        code = await finish(session.views, reply, orders, json=json, more={})
        if reply.code == Code.OK and not ends:
            return ExitCode.UNKNOWN
        return ExitCode.REFUSED if EventKind.AMEND_REFUSED in ends else code


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
        ids = await _live(session.views, symbol)
        wish = CancelAll(
            request_id=request(request_id),
            actor=ACTOR,
            instrument_id=None if symbol is None else _instrument(symbol),
        )
        reply = await session.ask(wish)
        orders = await session.follow(ids, wait, lambda order: order.is_terminal)
        more = {"cancelled": sum(order.is_terminal for order in orders)}
        code = await finish(session.views, reply, orders, json=json, more=more)
        return code if all(order.is_terminal for order in orders) else ExitCode.UNKNOWN


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
        instrument_id=_instrument(symbol),
        position_side=position_side,
        part=_part(part),
    )
    async with acting(store) as session:
        reply = await session.ask(wish)
        orders = await session.follow(_ids(reply), wait, is_settled)
        return await finish(session.views, reply, orders, json=json, more={})


async def flatten(
    symbol: str | None = None,
    /,
    *,
    store: StoreUrl = DEFAULT_STORE,
    wait: Wait = 20.0,
    request_id: RequestId = "",
    json: Json = False,
) -> int:
    """Cancel everything, then close every position. Works also while trading is halted.

    Args:
        symbol: Only this symbol.
    """
    wish = Flatten(
        request_id=request(request_id),
        actor=ACTOR,
        instrument_id=None if symbol is None else _instrument(symbol),
    )
    async with acting(store) as session:
        live = await _live(session.views, symbol)
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


async def _live(views: Views, symbol: str | None) -> list[str]:
    orders, _ = await views.orders(OrderQuery(symbol=symbol, statuses=OPEN, limit=LIVE_MAX))
    return [str(order.client_order_id) for order in orders]


def _ids(reply: Reply) -> list[str]:
    ids = dict(reply.result).get("client_order_ids", ())
    return [str(each) for each in ids] if isinstance(ids, tuple) else []


def _closing(reply: Reply) -> list[str]:
    """Orders that a flatten made, of all positions."""
    closing = dict(reply.result).get("closing", ())
    made = closing if isinstance(closing, tuple) else ()
    return [str(order_id) for _, _, ids in made for order_id in ids]


def _instrument(symbol: str) -> InstrumentId:
    return instrument_id(Category.LINEAR, symbol.upper())


def _part(text: str) -> Decimal:
    number = text.removesuffix("%")
    try:
        part = Decimal(number)
    except InvalidOperation:
        part = Decimal(0)
    part = part / 100 if text.endswith("%") else part
    if not part.is_finite() or not 0 < part <= 1:
        raise CommandError(ExitCode.USAGE, f"--part: must be above 0 % up to 100 %, got {text}")
    return part

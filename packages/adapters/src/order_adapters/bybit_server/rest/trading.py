"""Trading: create, amend and cancel, singly and in batches; the same over HTTP and the socket."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from order_adapters.bybit_server.failures import TOO_MANY_VISITS, Refused, invalid
from order_adapters.bybit_server.limits import Allowance
from order_adapters.bybit_server.numbers import stamp
from order_adapters.bybit_server.rest.commands import (
    amend_command,
    cancel_command,
    category_of,
    create_command,
)
from order_adapters.bybit_server.rest.filters import ORDER, filters_of, is_wanted
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Caller, Reply
from order_adapters.simulator.order import VenueOrder
from order_domain.model.enums import Category

Single = Callable[[Caller, Params], Awaitable[dict[str, Any]]]
BATCH_SIZES: Final = {Category.LINEAR: 20, Category.INVERSE: 20, Category.SPOT: 10}
CANCELLED_AT_ONCE: Final = 500


async def create(caller: Caller, params: Params) -> dict[str, Any]:
    """Place one order; the answer says only that it was accepted."""
    command, link = create_command(caller, params)
    answer = await caller.account.send(command)
    order_id = caller.account.index.id_of_core(answer.venue_order_id)
    return {"orderId": order_id, "orderLinkId": link}


async def amend(caller: Caller, params: Params) -> dict[str, Any]:
    """Give an order new values."""
    command, order_id, link = amend_command(caller, params)
    await caller.account.send(command)
    return {"orderId": order_id, "orderLinkId": link}


async def cancel(caller: Caller, params: Params) -> dict[str, Any]:
    """Cancel one order."""
    command, order_id, link = cancel_command(caller, params)
    await caller.account.send(command)
    return {"orderId": order_id, "orderLinkId": link}


SINGLES: Final[dict[str, Single]] = {"create": create, "amend": amend, "cancel": cancel}


async def _amend_active(caller: Caller, params: Params) -> dict[str, Any]:
    """Amend as a batch does: not what waits for its price."""
    order = caller.account.index.find(params.text("orderId"), params.text("orderLinkId"))
    if order is not None and order.waits:
        raise invalid("params error: conditional orders cannot be amended in a batch")
    return await amend(caller, params)


def batch_size(params: Params) -> int:
    """How many orders a batch asks for.

    Raises:
        Refused: None, or more than its category allows.
    """
    number = len(params.objects("request"))
    largest = BATCH_SIZES[category_of(params)]
    if not 1 <= number <= largest:
        raise invalid(f"params error: request must have 1 to {largest} orders")
    return number


async def batch(kind: str, caller: Caller, params: Params, allowance: Allowance) -> Reply:
    """Carry out every order of a batch by itself; what is beyond the limit fails by itself."""
    category = category_of(params)
    items = [each.with_value("category", category) for each in params.objects("request")]
    single = _amend_active if kind == "amend" else SINGLES[kind]
    ends = await asyncio.gather(
        *(_ended(single(caller, item)) for item in items[: allowance.granted])
    )
    ends.extend([Refused(*TOO_MANY_VISITS)] * (len(items) - len(ends)))
    rows, codes = [], []
    for item, end in zip(items, ends, strict=True):
        row: dict[str, Any] = {"category": category, "symbol": item.text("symbol")}
        if isinstance(end, Refused):
            row |= {"orderId": "", "orderLinkId": item.text("orderLinkId")}
            codes.append({"code": end.code, "msg": end.text})
        else:
            row |= end
            codes.append({"code": 0, "msg": "OK"})
        if kind == "create":
            accepted = not isinstance(end, Refused)
            row["createAt"] = stamp(caller.account.exchange_now()) if accepted else ""
        rows.append(row)
    return Reply({"list": rows}, {"list": codes})


async def cancel_all(caller: Caller, params: Params) -> Reply:
    """Cancel what matches, at most 500 of derivatives at once.

    Raises:
        Refused: A derivative's category without symbol, baseCoin or settleCoin.
    """
    category = category_of(params)
    if category is not Category.SPOT and not _names_something(params):
        raise invalid("params error: symbol, baseCoin or settleCoin is required")
    default = ORDER if category is Category.SPOT else ""
    chosen = [
        order
        for order in caller.account.exchange.records.open.values()
        if order.market.instrument.category is category
        and matches(order, params)
        and is_wanted(order, params, default)
    ]
    if category is not Category.SPOT:
        del chosen[CANCELLED_AT_ONCE:]
    ids = [caller.account.index.id_of(order) for order in chosen]
    ends = await asyncio.gather(
        *(
            _ended(
                cancel(
                    caller,
                    Params(
                        {
                            "category": category,
                            "symbol": order.market.instrument.symbol,
                            "orderId": order_id,
                            "orderFilter": filters_of(order)[0],
                        }
                    ),
                )
            )
            for order, order_id in zip(chosen, ids, strict=True)
        )
    )
    done = [end for end in ends if not isinstance(end, Refused)]
    return Reply({"list": done, "success": "1"})


def matches(order: VenueOrder, params: Params) -> bool:
    """Tell whether symbol, else baseCoin, else settleCoin choose an order."""
    instrument = order.market.instrument
    for name, value in (
        ("symbol", instrument.symbol),
        ("baseCoin", instrument.base_coin),
        ("settleCoin", instrument.settle_coin),
    ):
        wanted = params.text(name)
        if wanted:
            return wanted == value
    return True


def _names_something(params: Params) -> bool:
    return any(params.text(name) for name in ("symbol", "baseCoin", "settleCoin"))


async def _ended(awaited: Awaitable[dict[str, Any]]) -> "dict[str, Any] | Refused":
    """Await one order of several: its refusal is its own; a lost answer loses them all."""
    try:
        return await awaited
    except Refused as refused:
        if refused.status != 200:
            raise
        return refused

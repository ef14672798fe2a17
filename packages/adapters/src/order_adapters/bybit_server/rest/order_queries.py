"""Order queries: realtime, history and executions, late by what the faults say."""

from collections.abc import Iterator
from typing import Any, Final

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.failures import Refused, invalid
from order_adapters.bybit_server.ids import core_number
from order_adapters.bybit_server.rest.commands import category_of
from order_adapters.bybit_server.rest.filters import is_wanted
from order_adapters.bybit_server.rest.paging import page, window
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Caller, Reply
from order_adapters.bybit_server.rest.trading import matches
from order_adapters.bybit_server.rows.execution import execution_row
from order_adapters.bybit_server.rows.order import order_row
from order_adapters.simulator.order import VenueOrder
from order_domain.model.enums import Category, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.reports import OrderReport

Row = dict[str, Any]
OPEN: Final = (VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED, VenueStatus.UNTRIGGERED)
RECENT: Final = 500
"""Closed orders that realtime still shows, per category."""


async def realtime(caller: Caller, params: Params) -> Reply:
    """Open orders; by id or with openOnly=1 also the last closed ones."""
    category = category_of(params)
    named = bool(params.text("orderId") or params.text("orderLinkId"))
    if category is Category.LINEAR and not (named or _has_any(params)):
        raise invalid("params error: symbol, settleCoin or baseCoin is required")
    only_open = not named and params.whole("openOnly", 0) == 0
    found = await _seen(caller, category, params, only_open=only_open)
    shown = [each for each in found if each[1].status in OPEN] if only_open else _capped(found)
    return _orders(caller, category, params, shown)


async def history(caller: Caller, params: Params) -> Reply:
    """Closed orders of the last days; cancelled ones without a fill only of the last one."""
    category = category_of(params)
    wanted = params.text("orderStatus")
    if wanted and wanted in OPEN:
        raise Refused(181017, "OrderStatus must be final status.")
    begin, end = window(params, caller.account.exchange_now())
    found = [
        (order, report)
        for order, report in await _seen(caller, category, params)
        if report.status not in OPEN
        and begin <= report.created_at <= end
        and (not wanted or report.status == wanted)
    ]
    return _orders(caller, category, params, found)


async def executions(caller: Caller, params: Params) -> Reply:
    """Executions, newest first; an order's id makes every other filter void."""
    category = category_of(params)
    account = caller.account
    order_id, link = params.text("orderId"), params.text("orderLinkId")
    begin, end = window(params, account.exchange_now())
    plan = await account.arrive("look_up" if order_id or link else "sweep", link)
    at = account.exchange_now()
    if order_id or link:
        order = account.index.find(order_id, link)
        found = [] if order is None else account.exchange.queries.executions_of(order, at)
    else:
        found = [
            each
            for each in account.exchange.queries.executions(begin, at)
            if each.executed_at <= end and _wants(account, each, category, params)
        ]
    numbered = ((core_number(each.exec_id), each) for each in reversed(found))
    rows, cursor = page(numbered, params, default=50, largest=100)
    await account.leave(plan)
    shown = [_execution(account, each) for each in rows]
    return Reply({"category": category, "list": shown, "nextPageCursor": cursor})


async def _seen(
    caller: Caller, category: Category, params: Params, *, only_open: bool = False
) -> list[tuple[VenueOrder, OrderReport]]:
    """The versions that show by now of the orders that match, newest order first."""
    account = caller.account
    order_id, link = params.text("orderId"), params.text("orderLinkId")
    plan = await account.arrive("look_up" if order_id or link else "sweep", link)
    at = account.exchange_now()
    found = []
    for order in _candidates(account, order_id, link, only_open=only_open):
        if order.market.instrument.category is not category or not (
            order_id or link or matches(order, params)
        ):
            continue
        report = account.exchange.queries.seen(order, at)
        if report is not None:
            found.append((order, report))
    await account.leave(plan)
    return found


def _candidates(
    account: ServerAccount, order_id: str, link: str, *, only_open: bool
) -> Iterator[VenueOrder]:
    if order_id or link:
        order = account.index.find(order_id, link)
        if order is not None:
            yield order
        return
    records = account.exchange.records
    # Where readings lag, an order that has just ended still shows as open.
    orders = records.open if only_open and not account.lags else records.orders
    yield from reversed(orders.values())


def _orders(
    caller: Caller,
    category: Category,
    params: Params,
    found: list[tuple[VenueOrder, OrderReport]],
) -> Reply:
    found = [each for each in found if is_wanted(each[0], params)]
    numbered = ((core_number(order.venue_order_id), (order, report)) for order, report in found)
    rows, cursor = page(numbered, params, default=20, largest=50)
    shown: list[Row] = [order_row(order, report, caller.account.index) for order, report in rows]
    return Reply({"category": category, "list": shown, "nextPageCursor": cursor})


def _execution(account: ServerAccount, execution: Execution) -> Row:
    return execution_row(
        execution,
        account.books.booked.get(execution.exec_id),
        account.order_of(execution.client_order_id, execution.venue_order_id),
        account.markets[execution.instrument_id],
        account.index,
    )


def _wants(
    account: ServerAccount, execution: Execution, category: Category, params: Params
) -> bool:
    instrument = account.markets[execution.instrument_id].instrument
    kind = params.text("execType")
    if instrument.category is not category or (kind and kind != execution.kind):
        return False
    for name, value in (
        ("symbol", instrument.symbol),
        ("baseCoin", instrument.base_coin),
        ("settleCoin", instrument.settle_coin),
    ):
        wanted = params.text(name)
        if wanted:
            return wanted == value
    return True


def _capped(
    found: list[tuple[VenueOrder, OrderReport]],
) -> list[tuple[VenueOrder, OrderReport]]:
    """Open orders and the newest closed ones."""
    closed = sorted(
        (each for each in found if each[1].status not in OPEN),
        key=lambda each: each[1].updated_at,
    )
    gone = {id(each[0]) for each in closed[:-RECENT]}
    return [each for each in found if id(each[0]) not in gone]


def _has_any(params: Params) -> bool:
    return any(params.text(name) for name in ("symbol", "settleCoin", "baseCoin"))

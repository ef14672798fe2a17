"""Pre-check: what an order would bind of the account, without placing it."""

from decimal import Decimal
from typing import Any, Final

from order_adapters.bybit_server.failures import Refused, invalid
from order_adapters.bybit_server.ids import display_id
from order_adapters.bybit_server.numbers import amount
from order_adapters.bybit_server.rest.commands import create_command
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Caller, Reply
from order_adapters.bybit_server.rows.position import MAINTENANCE
from order_adapters.bybit_server.rows.wallet import price_of, wallet_row
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import worth
from order_adapters.simulator.stop import CreateWith
from order_domain.model.enums import Category
from order_domain.model.instrument import ZERO

_PARTS: Final = Decimal(10_000)


async def pre_check(caller: Caller, params: Params) -> Reply:
    """Tell the margin rates of the account before and after an order.

    Raises:
        Refused: What a create would be refused with; 10001 where there is no such check.
    """
    account = caller.account
    command, link = create_command(caller, params)
    if command.order.terms.instrument_id.partition(":")[0] != Category.LINEAR:
        raise invalid("pre-check is for linear contracts in cross margin")
    if isinstance(command, CreateWith) and command.stop is not None:
        raise invalid("pre-check does not support conditional orders")
    draft, refusal = account.exchange.pre_check(command.order, account.now())
    if refusal is not None or draft is None:
        raise Refused(*(refusal or (10001, "Not supported symbols")))
    core = account.exchange.account
    balances = core.report(account.exchange_now()).balances
    row = wallet_row(core, balances, account.exchange.records.open.values())
    bound, kept = _added(caller, draft)
    equity = _figure(row, "totalEquity")
    return Reply(
        {
            "orderId": display_id(draft.venue_order_id, is_spot=False, at=draft.created_at),
            "orderLinkId": link,
            "preImrE4": _rate(_figure(row, "totalInitialMargin"), equity),
            "preMmrE4": _rate(_figure(row, "totalMaintenanceMargin"), equity),
            "postImrE4": _rate(_figure(row, "totalInitialMargin") + bound, equity),
            "postMmrE4": _rate(_figure(row, "totalMaintenanceMargin") + kept, equity),
        }
    )


def _added(caller: Caller, draft: VenueOrder) -> tuple[Decimal, Decimal]:
    """Initial and maintenance margin that an order would add, in US dollars."""
    core = caller.account.exchange.account
    touch = draft.market.touch(draft.buys)
    price = draft.price if draft.price is not None else ZERO if touch is None else touch[0]
    usd = price_of(core, draft.market.instrument.settle_coin)
    part = min(draft.opening, draft.quantity)
    kept = worth(draft.market.instrument, price, part) * MAINTENANCE
    return core.need(draft, price, draft.quantity) * usd, kept * usd


def _figure(row: dict[str, Any], name: str) -> Decimal:
    return amount(row[name]) or ZERO


def _rate(margin: Decimal, equity: Decimal) -> int:
    return int(margin * _PARTS / equity) if equity else 0

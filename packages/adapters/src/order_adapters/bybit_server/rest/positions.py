"""Positions: list, closed profit, leverage and mode."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from order_adapters.bybit_server.account import LEVERAGE, ServerAccount, may_hedge
from order_adapters.bybit_server.books import Closing
from order_adapters.bybit_server.failures import Refused, invalid
from order_adapters.bybit_server.numbers import rounded, stamp, text
from order_adapters.bybit_server.publisher import current_position_row
from order_adapters.bybit_server.rest.commands import category_of, market_of, position_side_of
from order_adapters.bybit_server.rest.conditions import leg_of
from order_adapters.bybit_server.rest.paging import page, window
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Caller, Reply
from order_adapters.bybit_server.rows.order import POSITION_INDEX
from order_adapters.simulator.market import Market
from order_adapters.simulator.stop import TradingStop
from order_domain.model.enums import Category, ExecutionKind
from order_domain.model.instrument import ONE, ZERO

Row = dict[str, Any]
MAX_LEVERAGE: Final = Decimal(100)
ONE_WAY, HEDGED = 0, 3


async def positions(caller: Caller, params: Params) -> Reply:
    """List positions: of a symbol also empty ones, of a coin only open ones."""
    category = _contracts(params)
    account = caller.account
    symbol, coin = params.text("symbol"), params.text("settleCoin")
    if category is Category.LINEAR and not symbol and not coin:
        raise invalid("params error: symbol or settleCoin is required")
    plan = await account.arrive("sweep", "")
    if symbol:
        rows = list(_rows(account, [market_of(account, params)], empty=True))
    else:
        chosen = (
            market
            for market in account.markets.values()
            if market.instrument.category is category
            and coin in ("", market.instrument.settle_coin)
        )
        rows = list(_rows(account, chosen, empty=False))
    numbered = ((len(rows) - i, row) for i, row in enumerate(rows))
    shown, cursor = page(numbered, params, default=20, largest=200)
    await account.leave(plan)
    return Reply({"category": category, "list": shown, "nextPageCursor": cursor})


async def closed_pnl(caller: Caller, params: Params) -> Reply:
    """List what orders closed, newest first."""
    category = _contracts(params)
    account = caller.account
    begin, end = window(params, account.exchange_now())
    plan = await account.arrive("sweep", "")
    symbol = params.text("symbol")
    rows = (
        (closing.number, _closed_row(account, closing))
        for closing in reversed(account.books.closings.values())
        if begin <= closing.execution.executed_at <= end
        and account.markets[closing.execution.instrument_id].instrument.category is category
        and symbol in ("", account.markets[closing.execution.instrument_id].instrument.symbol)
    )
    shown, cursor = page(rows, params, default=50, largest=100)
    await account.leave(plan)
    return Reply({"category": category, "list": shown, "nextPageCursor": cursor})


async def set_leverage(caller: Caller, params: Params) -> Reply:
    """Change the leverage of a symbol.

    Raises:
        Refused: 110043 when it is this already, 10001 out of range or for unequal sides.
    """
    _contracts(params)
    market = market_of(caller.account, params)
    buys, sells = params.amount("buyLeverage"), params.amount("sellLeverage")
    if buys is None or sells is None or buys != sells:
        raise invalid("buyLeverage must be equal to sellLeverage")
    if not ONE <= buys <= MAX_LEVERAGE:
        raise invalid("leverage invalid")
    if buys == caller.account.leverage_of(market.id):
        raise Refused(110043, "Set leverage has not been modified.")
    caller.account.set_leverage(market, buys)
    return Reply({})


async def switch_mode(caller: Caller, params: Params) -> Reply:
    """Switch one symbol or every free symbol of a coin between one-way and hedge mode.

    Raises:
        Refused: 110024 and 110028 while there are positions or orders, 110025 when nothing changes,
            110029 where hedging is not possible.
    """
    category = _contracts(params)
    mode = params.whole("mode")
    if mode not in (ONE_WAY, HEDGED):
        raise invalid("params error: mode invalid")
    hedged = mode == HEDGED
    account = caller.account
    if params.text("symbol"):
        market = market_of(account, params)
        _see_switchable(account, market, hedged=hedged)
        account.exchange.set_hedged(market.id, hedged)
        return Reply({})
    coin = params.required("coin")
    for market in account.markets.values():
        instrument = market.instrument
        chosen = instrument.category is category and instrument.settle_coin == coin
        if chosen and may_hedge(market) and not _why_busy(account, market):
            account.exchange.set_hedged(market.id, hedged)
    return Reply({})


async def symbol_info(caller: Caller, params: Params) -> Reply:
    """Tell the leverage of symbols, also of those without a position."""
    category = _contracts(params)
    account = caller.account
    if params.text("symbol"):
        chosen = [market_of(account, params)]
    else:
        chosen = [m for m in account.markets.values() if m.instrument.category is category]
    rows = [
        {
            "symbol": market.instrument.symbol,
            "riskId": 1,
            "riskLimitValue": "2000000",
            "leverage": text(account.leverage_of(market.id)),
            "autoAddMargin": 0,
            "positionIdx": POSITION_INDEX[side],
        }
        for market in chosen
        for side in account.sides(market)
    ]
    return Reply({"category": category, "list": rows})


async def confirm_pending_mmr(caller: Caller, params: Params) -> Reply:
    """Confirm a risk limit, which is never pending here."""
    _contracts(params)
    market_of(caller.account, params)
    return Reply({})


async def trading_stop(caller: Caller, params: Params) -> Reply:
    """Set, change or take away take-profit, stop-loss and trailing stop of a position.

    Raises:
        Refused: 10001 for a flat position or a price on the wrong side, 34040 if nothing changes.
    """
    _contracts(params)
    account = caller.account
    market = market_of(account, params)
    # Documented as required, but known clients leave it out for a trailing stop.
    mode = params.text("tpslMode", "Full")
    if mode not in ("Full", "Partial"):
        raise invalid("params error: tpslMode invalid")
    whole = mode == "Full"
    sizes = {params.amount("tpSize"), params.amount("slSize")} - {None}
    if len(sizes) > 1:
        raise invalid("params error: tpSize and slSize must be equal")
    wanted = TradingStop(
        instrument_id=market.id,
        position_side=position_side_of(params, market),
        whole=whole,
        take=leg_of(params, "takeProfit", None, whole=whole, keeps_zero=whole),
        stop=leg_of(params, "stopLoss", None, whole=whole, keeps_zero=whole),
        trailing=params.amount("trailingStop"),
        activation=params.amount("activePrice") or None,
        size=next(iter(sizes), None),
    )
    refusal = account.exchange.trading_stop(wanted, account.now())
    account.pump()
    if refusal is not None:
        raise Refused(*refusal)
    return Reply({})


def _rows(account: ServerAccount, markets: Iterable[Market], *, empty: bool) -> Iterator[Row]:
    for market in markets:
        for side in account.sides(market):
            if empty or account.position(market, side).size:
                yield current_position_row(account, market, side)


def _contracts(params: Params) -> Category:
    category = category_of(params)
    if category is Category.SPOT:
        raise invalid("params error: category must be linear or inverse")
    return category


def _see_switchable(account: ServerAccount, market: Market, *, hedged: bool) -> None:
    if not may_hedge(market):
        raise Refused(110029, "The symbol does not support hedge mode.")
    if market.hedged is hedged:
        raise Refused(110025, "Position mode is not modified.")
    busy = _why_busy(account, market)
    if busy:
        raise Refused(*busy)


def _why_busy(account: ServerAccount, market: Market) -> tuple[int, str] | None:
    if any(account.position(market, side).size for side in account.sides(market)):
        return 110024, "You have an existing position, so the position mode cannot be switched."
    if market.buys or market.sells or market.waiting:
        return 110028, "There are open orders, so you cannot switch the position mode."
    return None


def _closed_row(account: ServerAccount, closing: Closing) -> Row:
    execution, order = closing.execution, closing.order
    instrument = account.markets[execution.instrument_id].instrument
    inverse = instrument.category is Category.INVERSE
    moment = stamp(execution.executed_at)
    return {
        "symbol": instrument.symbol,
        "orderId": account.index.id_of_execution(execution, is_spot=False),
        "side": execution.side,
        "qty": text(closing.closed if order is None else order.quantity),
        "orderPrice": text(execution.price if order is None else order.resting_price),
        "orderType": "Market" if order is None else order.order_type,
        "execType": "BustTrade" if execution.kind is ExecutionKind.LIQUIDATION else "Trade",
        "closedSize": text(closing.closed),
        "cumEntryValue": text(closing.entry_value),
        "avgEntryPrice": _average(closing.entry_value, closing.closed, inverse=inverse),
        "cumExitValue": text(closing.exit_value),
        "avgExitPrice": _average(closing.exit_value, closing.closed, inverse=inverse),
        "closedPnl": rounded(closing.pnl),
        "fillCount": str(closing.count),
        "leverage": text(account.leverage.get(instrument.id, LEVERAGE)),
        "openFee": rounded(closing.open_fee),
        "closeFee": rounded(closing.close_fee),
        "createdTime": moment,
        "updatedTime": moment,
    }


def _average(value: Decimal, quantity: Decimal, *, inverse: bool) -> str:
    if not value or not quantity:
        return text(ZERO)
    return rounded(quantity / value if inverse else value / quantity)

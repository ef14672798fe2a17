"""Account queries: wallet, fees, log, key, and what an account is."""

from typing import Any, Final

from order_adapters.bybit_server.books import LogEntry
from order_adapters.bybit_server.failures import NO_PERMISSION, Refused, invalid
from order_adapters.bybit_server.ids import link_id
from order_adapters.bybit_server.numbers import rounded, stamp, text
from order_adapters.bybit_server.orders import execution_id
from order_adapters.bybit_server.rest.commands import category_of
from order_adapters.bybit_server.rest.paging import DAY, page, window
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Caller, Reply
from order_adapters.bybit_server.rows.instrument import instrument_row
from order_adapters.bybit_server.rows.wallet import wallet_row
from order_domain.model.balance import Balance
from order_domain.model.enums import Category, ExecutionKind
from order_domain.model.instrument import ZERO

Row = dict[str, Any]
_RPI: Final = {"isPublicRpi": False, "myRpiPermission": False}
_TYPES: Final = {
    ExecutionKind.FUNDING: "SETTLEMENT",
    ExecutionKind.LIQUIDATION: "LIQUIDATION",
    ExecutionKind.ADL: "ADL",
}


async def wallet_balance(caller: Caller, params: Params) -> Reply:
    """Read the wallet: the coins asked for, else those that are not zero."""
    if params.text("accountType", "UNIFIED") != "UNIFIED":
        raise invalid("accountType only support UNIFIED.")
    account = caller.account
    plan = await account.arrive("sweep", "")
    core = account.exchange.account
    balances = core.report(account.exchange_now()).balances
    wanted = [coin for coin in params.text("coin").upper().split(",") if coin]
    if wanted:
        known = {each.coin: each for each in balances}
        now = account.exchange_now()
        balances = tuple(known.get(coin) or Balance(coin, ZERO, ZERO, ZERO, now) for coin in wanted)
    else:
        balances = tuple(each for each in balances if each.wallet or each.equity)
    row = wallet_row(core, balances, account.exchange.records.open.values())
    await account.leave(plan)
    return Reply({"list": [row]})


async def info(caller: Caller, params: Params) -> Reply:  # noqa: ARG001 -- nothing to say
    """Say what kind of account it is."""
    return Reply(
        {
            "unifiedMarginStatus": 5,
            "marginMode": "REGULAR_MARGIN",
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
            "updatedTime": stamp(caller.account.exchange_now()),
            "dcpStatus": "OFF",
            "timeWindow": 0,
            "smpGroup": 0,
        }
    )


async def fee_rate(caller: Caller, params: Params) -> Reply:
    """Read the fees of a category."""
    category, symbol = category_of(params), params.text("symbol")
    rows = [
        {
            "symbol": instrument.symbol,
            "takerFeeRate": text(instrument.taker_fee_rate),
            "makerFeeRate": text(instrument.maker_fee_rate),
        }
        for instrument in caller.account.exchange.instruments
        if instrument.category is category and symbol in ("", instrument.symbol)
    ]
    result: Row = {"list": rows}
    if category is Category.SPOT:
        result["category"] = category
    return Reply(result)


async def transaction_log(caller: Caller, params: Params) -> Reply:
    """Read what moved the wallet, newest first; of the last day if nothing else is asked."""
    account = caller.account
    begin, end = window(params, account.exchange_now(), default=DAY)
    plan = await account.arrive("sweep", "")
    rows = (
        (entry.number, entry)
        for entry in reversed(account.books.log)
        if begin <= entry.execution.executed_at <= end and _wants(caller, entry, params)
    )
    found, cursor = page(rows, params, default=20, largest=50)
    await account.leave(plan)
    shown = [_log_row(caller, entry) for entry in found]
    return Reply({"list": shown, "nextPageCursor": cursor})


async def query_api(caller: Caller, params: Params) -> Reply:  # noqa: ARG001 -- nothing to say
    """Say what the key may do."""
    config = caller.account.config
    spot = ["SpotTrade"] if Category.SPOT in config.categories else []
    contracts = ["Order", "Position"] if set(config.categories) - {Category.SPOT} else []
    return Reply(
        {
            "id": str(config.user_id),
            "note": "simulator",
            "apiKey": config.api_key,
            "readOnly": int(config.read_only),
            "secret": "",
            "permissions": {
                "ContractTrade": contracts,
                "Spot": spot,
                "Wallet": ["Withdraw"] if config.may_withdraw else [],
                "Options": [],
                "Derivatives": ["DerivativesTrade"] if contracts else [],
                "Exchange": [],
                "Earn": [],
            },
            "ips": ["*"],
            "type": 1,
            "deadlineDay": 90,
            "expiredAt": "2099-01-01T00:00:00Z",
            "createdAt": "2024-01-01T00:00:00Z",
            "unified": 0,
            "uta": 1,
            "userID": config.user_id,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "isMaster": True,
            "parentUid": "0",
        }
    )


async def coins(caller: Caller, params: Params) -> Reply:
    """List the coins, without any chain to withdraw by."""
    names = sorted(
        {
            coin
            for each in caller.account.exchange.instruments
            for coin in (each.base_coin, each.quote_coin, each.settle_coin)
        }
    )
    wanted = params.text("coin")
    return Reply(
        {
            "rows": [
                {"name": name, "coin": name, "remainAmount": "0", "chains": []}
                for name in names
                if wanted in ("", name)
            ]
        }
    )


async def transferable(caller: Caller, params: Params) -> Reply:
    """Tell what of each coin is free."""
    names = [coin for coin in params.required("coinName").upper().split(",") if coin]
    if not names:
        raise invalid("params error: coinName is required")
    core = caller.account.exchange.account
    free = {name: rounded(core.wallets[name].available()) for name in names if name in core.wallets}
    amounts = {name: free.get(name, "0") for name in names}
    return Reply({"availableWithdrawal": amounts[names[0]], "availableWithdrawalMap": amounts})


async def instruments_info(caller: Caller, params: Params) -> Reply:
    """List the trading rules that hold for this account."""
    category, symbol = category_of(params), params.text("symbol")
    if category not in caller.account.config.categories:
        raise Refused(*NO_PERMISSION)
    mine = sorted(
        (each for each in caller.account.exchange.instruments if each.category is category),
        key=lambda each: each.symbol,
    )
    numbered = [
        (len(mine) - i, instrument_row(each, i + 1) | _RPI)
        for i, each in enumerate(mine)
        if symbol in ("", each.symbol)
    ]
    rows, cursor = page(numbered, params, default=200, largest=200)
    return Reply({"category": category, "list": rows, "nextPageCursor": cursor})


async def smp_group(caller: Caller, params: Params) -> Reply:  # noqa: ARG001 -- nothing to say
    """Say that the account is in no group."""
    return Reply({"smpGroup": 0})


async def dcp_info(caller: Caller, params: Params) -> Reply:  # noqa: ARG001 -- nothing to say
    """Say which products are protected from disconnection; nothing if none ever was."""
    return Reply(
        {
            "dcpInfos": [
                {"product": product, "dcpStatus": "ON", "timeWindow": str(seconds)}
                for product, seconds in caller.account.protection.windows.items()
            ]
        }
    )


def _wants(caller: Caller, entry: LogEntry, params: Params) -> bool:
    instrument = caller.account.markets[entry.execution.instrument_id].instrument
    wanted = (
        ("category", instrument.category),
        ("currency", entry.coin),
        ("baseCoin", instrument.base_coin),
        ("type", _TYPES.get(entry.execution.kind, "TRADE")),
    )
    return all(params.text(name) in ("", value) for name, value in wanted)


def _log_row(caller: Caller, entry: LogEntry) -> Row:
    execution = entry.execution
    account = caller.account
    market = account.markets[execution.instrument_id]
    return {
        "id": f"{account.config.user_id}_{entry.number}",
        "symbol": market.instrument.symbol,
        "category": market.instrument.category,
        "side": execution.side,
        "transactionTime": stamp(execution.executed_at),
        "type": _TYPES.get(execution.kind, "TRADE"),
        "transSubType": "",
        "qty": text(entry.quantity),
        "size": text(entry.size),
        "currency": entry.coin,
        "tradePrice": text(execution.price),
        "funding": text(entry.funding) if entry.funding else "",
        "fee": text(entry.fee),
        "cashFlow": text(entry.cash_flow),
        "change": text(entry.change),
        "cashBalance": text(entry.balance),
        "feeRate": text(entry.fee_rate),
        "bonusChange": "",
        "tradeId": execution_id(execution, is_spot=market.is_spot),
        "orderId": account.index.id_of_execution(execution, is_spot=market.is_spot),
        "orderLinkId": link_id(execution.client_order_id),
        "extraFees": "",
    }

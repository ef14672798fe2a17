"""Routes: which path is served by what, and which limit it counts against."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import attrs

from order_adapters.bybit_server.rest import (
    account_queries,
    account_settings,
    market_data,
    order_queries,
    positions,
)
from order_adapters.bybit_server.rest.market_data import Desk
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.pre_check import pre_check
from order_adapters.bybit_server.rest.request import Caller, Reply
from order_adapters.bybit_server.rest.trading import SINGLES, cancel_all

PrivateHandler = Callable[[Caller, Params], Awaitable[Reply]]
PublicHandler = Callable[[Desk, Params], Awaitable[Reply]]


@attrs.frozen(slots=True)
class Route:
    """One private endpoint.

    Attributes:
        bucket: Of the rate limits; with `by_product` one for spot and one for the rest.
        batch: The kind of single request a batch is made of; empty for what is no batch.
    """

    bucket: str
    handler: PrivateHandler | None = None
    writes: bool = False
    by_product: bool = False
    batch: str = ""


def _single(kind: str) -> PrivateHandler:
    async def handler(caller: Caller, params: Params) -> Reply:
        result: dict[str, Any] = await SINGLES[kind](caller, params)
        return Reply(result)

    return handler


def _trade(kind: str) -> Route:
    return Route(kind, _single(kind), writes=True, by_product=True)


def _batch(kind: str) -> Route:
    return Route(f"{kind}-batch", writes=True, by_product=True, batch=kind)


POSTS: Final[dict[str, Route]] = {
    "/v5/order/create": _trade("create"),
    "/v5/order/amend": _trade("amend"),
    "/v5/order/cancel": _trade("cancel"),
    "/v5/order/cancel-all": Route("cancel-all", cancel_all, writes=True, by_product=True),
    "/v5/order/create-batch": _batch("create"),
    "/v5/order/amend-batch": _batch("amend"),
    "/v5/order/cancel-batch": _batch("cancel"),
    "/v5/position/set-leverage": Route("set-leverage", positions.set_leverage, writes=True),
    "/v5/position/switch-mode": Route("switch-mode", positions.switch_mode, writes=True),
    "/v5/order/disconnected-cancel-all": Route("dcp", account_settings.set_protection, writes=True),
    "/v5/account/set-margin-mode": Route(
        "set-margin-mode", account_settings.set_margin_mode, writes=True
    ),
    "/v5/position/set-auto-add-margin": Route(
        "switch-mode", account_settings.isolated_only, writes=True
    ),
    "/v5/position/add-margin": Route("set-leverage", account_settings.isolated_only, writes=True),
    "/v5/position/trading-stop": Route("trading-stop", positions.trading_stop, writes=True),
    "/v5/order/pre-check": Route("pre-check", pre_check, by_product=True),
    "/v5/account/set-limit-px-action": Route(
        "limit-px-action", account_settings.set_limit_price_action, writes=True
    ),
    "/v5/position/confirm-pending-mmr": Route(
        "set-leverage", positions.confirm_pending_mmr, writes=True
    ),
    "/v5/spot-margin-trade/switch-mode": Route(
        "account", account_settings.switch_spot_margin, writes=True
    ),
    **{
        f"/v5/position/{name}": Route("switch-mode", account_settings.abandoned, writes=True)
        for name in ("switch-isolated", "set-tpsl-mode", "set-risk-limit")
    },
}
GETS: Final[dict[str, Route]] = {
    "/v5/order/realtime": Route("realtime", order_queries.realtime),
    "/v5/order/history": Route("history", order_queries.history),
    "/v5/execution/list": Route("executions", order_queries.executions),
    "/v5/position/list": Route("positions", positions.positions),
    "/v5/position/closed-pnl": Route("closed-pnl", positions.closed_pnl),
    "/v5/account/wallet-balance": Route("wallet", account_queries.wallet_balance),
    "/v5/account/info": Route("info", account_queries.info),
    "/v5/account/fee-rate": Route("fee-rate", account_queries.fee_rate),
    "/v5/account/transaction-log": Route("transaction-log", account_queries.transaction_log),
    "/v5/account/instruments-info": Route("instruments", account_queries.instruments_info),
    "/v5/account/withdrawal": Route("account", account_queries.transferable),
    "/v5/position/symbol-info": Route("positions", positions.symbol_info),
    "/v5/spot-margin-trade/state": Route("account", account_settings.spot_margin),
    "/v5/account/smp-group": Route("account", account_queries.smp_group),
    "/v5/account/query-dcp-info": Route("account", account_queries.dcp_info),
    "/v5/account/user-setting-config": Route("account", account_settings.user_setting_config),
    "/v5/order/spot-borrow-check": Route("realtime", account_settings.spot_borrow_check),
    "/v5/user/query-api": Route("query-api", account_queries.query_api),
    "/v5/asset/coin/query-info": Route("coins", account_queries.coins),
}
PUBLIC: Final[dict[str, PublicHandler]] = {
    "/v5/market/time": market_data.server_time,
    "/v5/market/instruments-info": market_data.instruments_info,
    "/v5/market/tickers": market_data.tickers,
    "/v5/market/orderbook": market_data.orderbook,
    "/v5/market/recent-trade": market_data.recent_trade,
    "/v5/market/kline": market_data.kline,
    "/v5/market/price-limit": market_data.price_limit,
    "/v5/market/risk-limit": market_data.risk_limit,
    "/v5/system/status": market_data.system_status,
}

"""Account settings: margin mode, price limits, protection, and what spot may spend."""

from decimal import Decimal
from typing import Any, Final

from order_adapters.bybit_server.failures import NO_PERMISSION, Refused, invalid, not_simulated
from order_adapters.bybit_server.numbers import rounded
from order_adapters.bybit_server.protection import TOPICS, WINDOW
from order_adapters.bybit_server.rest.commands import market_of
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Caller, Reply
from order_domain.model.enums import Category, Side

Row = dict[str, Any]
_MODES: Final = ("ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN")


async def set_margin_mode(caller: Caller, params: Params) -> Reply:  # noqa: ARG001 -- all have one
    """Keep the one margin mode there is.

    Raises:
        Refused: 3400045 for the others.
    """
    mode = params.required("setMarginMode")
    if mode not in _MODES:
        raise invalid("params error: setMarginMode invalid")
    if mode != "REGULAR_MARGIN":
        reason = {"reasonCode": "3400000", "reasonMsg": f"{mode} is not simulated"}
        raise Refused(3400045, "Set margin mode failed", result={"reasons": [reason]})
    return Reply({"reasons": []})


async def user_setting_config(caller: Caller, params: Params) -> Reply:  # noqa: ARG001 -- as above
    """Say what becomes of a limit price outside its band; the two flags say it inversely."""
    adjusts = caller.account.adjusts
    return Reply(
        {
            "lpaSpot": adjusts[True],
            "lpaPerp": not adjusts[False],
            "deltaEnable": False,
            "smsef": False,
            "fmsef": False,
        }
    )


async def set_limit_price_action(caller: Caller, params: Params) -> Reply:
    """Let limit prices outside their band be cut to it, or be refused."""
    word = params.required("category")
    if word not in (Category.SPOT, Category.LINEAR, Category.INVERSE):
        raise invalid("params error: category invalid")
    enable = params.raw("modifyEnable")
    if enable not in (True, False, "true", "false"):
        raise invalid("params error: modifyEnable invalid")
    caller.account.adjusts[word == Category.SPOT] = params.flag("modifyEnable")
    return Reply({})


async def spot_margin(caller: Caller, params: Params) -> Reply:  # noqa: ARG001 -- all have one
    """Say that spot lends nothing."""
    return Reply({"spotLeverage": "", "spotMarginMode": "0", "effectiveLeverage": ""})


async def switch_spot_margin(caller: Caller, params: Params) -> Reply:  # noqa: ARG001 -- as above
    """Keep spot without margin, which is the only mode there is."""
    mode = params.required("spotMarginMode")
    if mode not in ("0", "1"):
        raise invalid("params error: spotMarginMode invalid")
    if mode == "1":
        raise not_simulated("spot margin")
    return Reply({"spotMarginMode": "0"})


async def abandoned(caller: Caller, params: Params) -> Reply:  # noqa: ARG001 -- nothing matters
    """Refuse what unified accounts do not have any more."""
    raise Refused(100028, "unified account is forbidden")


async def set_protection(caller: Caller, params: Params) -> Reply:
    """Set after how many seconds without a stream the orders of a product are cancelled.

    Raises:
        Refused: 10005 if the account has no such protection.
    """
    if not caller.account.config.has_protection:
        raise Refused(*NO_PERMISSION)
    product, seconds = params.text("product", "OPTIONS"), params.whole("timeWindow")
    if product not in TOPICS:
        raise invalid(f"product must be one of {', '.join(TOPICS)}")
    if seconds is None or not WINDOW[0] <= seconds <= WINDOW[1]:
        raise invalid("timeWindow must be 3 to 300")
    caller.account.protection.arm(product, seconds)
    return Reply({})


async def isolated_only(caller: Caller, params: Params) -> Reply:
    """Refuse what only isolated margin has."""
    market_of(caller.account, params)
    raise Refused(110076, "Only available in isolated mode")


async def spot_borrow_check(caller: Caller, params: Params) -> Reply:
    """Tell what spot may spend: its own funds, since nothing is lent."""
    account = caller.account
    market = market_of(account, params)
    if market.instrument.category is not Category.SPOT:
        raise invalid("params error: category must be spot")
    buys = params.required("side") == Side.BUY
    coin = account.exchange.account.pays_with(market, buys)
    available = account.exchange.account.wallet(coin).available()
    mark = market.mark_price() or Decimal(1)
    quantity, amount = (available / mark, available) if buys else (available, available * mark)
    row: Row = {"symbol": market.instrument.symbol, "side": params.text("side")}
    row |= {"maxTradeQty": rounded(quantity), "maxTradeAmount": rounded(amount)}
    row |= {"spotMaxTradeQty": rounded(quantity), "spotMaxTradeAmount": rounded(amount)}
    return Reply(row | {"borrowCoin": coin})

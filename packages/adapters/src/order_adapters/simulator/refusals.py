"""Refusals: retCode and retMsg of every no of the exchange. Source: bybit docs v5/error."""

from typing import Final

Refusal = tuple[int, str]

OK: Final = (0, "OK")
PARAMETER: Final = 10001
CLOCK: Final = (10002, "invalid request, please check your server timestamp or recv_window param")
TOO_MANY_VISITS: Final = (10006, "Too many visits!")
UNKNOWN_SYMBOL: Final = (PARAMETER, "Not supported symbols")
BAD_LINK_ID: Final = (PARAMETER, "orderLinkId: at most 36 of A-Za-z0-9_-")
POSITION_INDEX: Final = (PARAMETER, "position idx not match position mode")
QUANTITY_INVALID: Final = (PARAMETER, "Qty invalid")
QUANTITY_TOO_LARGE: Final = (
    PARAMETER,
    "The number of contracts exceeds maximum limit allowed: too large",
)
QUANTITY_TOO_SMALL: Final = (PARAMETER, "The number of contracts is below the minimum allowed")
PRICE_INVALID: Final = (PARAMETER, "Price invalid")
MARKET_POST_ONLY: Final = (PARAMETER, "Market order does not support this timeInForce")
NOT_MODIFIED: Final = (PARAMETER, "The order remains unchanged as the parameters entered match")
SPOT_REDUCE_ONLY: Final = (PARAMETER, "reduceOnly is not valid for spot")
TRIGGER_PRICE_INVALID: Final = (PARAMETER, "TriggerPrice invalid")
TAKE_PROFIT_SIDE: Final = (PARAMETER, "TakeProfit is on the wrong side of base_price")
STOP_LOSS_SIDE: Final = (PARAMETER, "StopLoss is on the wrong side of base_price")
TRAILING_INVALID: Final = (PARAMETER, "trailingStop or activePrice invalid")
BRACKET_REDUCE_ONLY: Final = (PARAMETER, "reduceOnly cannot have takeProfit or stopLoss")
SPOT_BRACKET: Final = (PARAMETER, "takeProfit and stopLoss are for limit orders on spot")
FLAT: Final = (PARAMETER, "can not set tp/sl/ts for zero position")
PART_TOO_LARGE: Final = (PARAMETER, "tpSize or slSize exceeds the position")
GUARD_QUANTITY: Final = (PARAMETER, "The quantity of a position's TP/SL is that of the position")
NOT_GUARDED: Final = (34040, "not modified")

ORDER_NOT_FOUND: Final = (110001, "order not exists or too late to cancel/replace")
PRICE_OUT_OF_RANGE: Final = (110003, "Order price exceeds the allowable range.")
NO_BALANCE: Final = (110007, "ab not enough for new order")
COMPLETED: Final = (110008, "The order has been completed or cancelled.")
TOO_MANY_STOPS: Final = (110009, "You have reached the limit of conditional orders.")
CANCELLED: Final = (110010, "The order has been cancelled")
REDUCE_ONLY: Final = (110017, "Reduce-only rule not satisfied")
TOO_MANY_ORDERS: Final = (110020, "You can't have more than 500 active orders.")
ONLY_CLOSING: Final = (110023, "Currently you can only reduce your positions on this contract.")
BRACKET_IN_FORCE: Final = (110059, "TP/SL of a partially filled order cannot be changed.")
TOO_MANY_PARTS: Final = (110061, "You have reached the limit of partial TP/SL orders.")
AMENDED_BELOW_FILLED: Final = (110064, "The quantity to be modified must exceed the filled one.")
DUPLICATE: Final = (110072, "OrderLinkedID is duplicate")
NOT_LIVE: Final = (110074, "This contract is not live")
RISING_CROSSED: Final = (110092, "expect Rising, but the trigger price is not above the price")
FALLING_CROSSED: Final = (110093, "expect Falling, but the trigger price is not below the price")
BELOW_MIN_NOTIONAL: Final = (110094, "Order notional value below the lower limit")

SPOT_QUANTITY_TOO_LARGE: Final = (170124, "Order amount too large.")
SPOT_NO_BALANCE: Final = (170131, "Insufficient balance.")
SPOT_TICK: Final = (170134, "Order price has too many decimals.")
SPOT_QUANTITY_TOO_SMALL: Final = (170136, "Order quantity exceeded lower limit.")
SPOT_STEP: Final = (170137, "Order volume decimal too long.")
SPOT_BELOW_MIN_NOTIONAL: Final = (170140, "Order value exceeded lower limit.")
SPOT_DUPLICATE: Final = (170141, "Duplicate clientOrderId")
SPOT_BUY_OUT_OF_RANGE: Final = (170193, "Buy order price cannot be higher than the limit.")
SPOT_SELL_OUT_OF_RANGE: Final = (170194, "Sell order price cannot be lower than the limit.")
SPOT_NOT_FOUND: Final = (170213, "Order does not exist.")
SPOT_AMENDED_BELOW_FILLED: Final = (170313, "The amended quantity is below the filled one.")
SPOT_TOO_MANY_ORDERS: Final = (170810, "Cannot exceed maximum of 500 open orders.")

TEXTS: Final = {
    403: "access too frequent",
    10000: "Server Timeout",
    10006: TOO_MANY_VISITS[1],
    10016: "Server error.",
    10019: "Service is restarting.",
}
"""retMsg of codes that only faults bring."""

"""Endings: why an order ended, in the exchange's words."""

from typing import Final

WOULD_TAKE: Final = "EC_PostOnlyWillTakeLiquidity"
NO_IMMEDIATE: Final = "EC_NoImmediateQtyToFill"
NO_FULL_FILL: Final = "EC_CancelForNoFullFill"
NO_SUCH_ORDER: Final = "EC_OrigClOrdIDDoesNotExist"
NOT_TRADING: Final = "EC_InvalidSymbolStatus"
OTHERS: Final = "EC_Others"
BY_USER: Final = "CancelByUser"
BY_REDUCE_ONLY: Final = "CancelByReduceOnly"
BEFORE_LIQUIDATION: Final = "CancelAllBeforeLiq"
POSITION_CLOSED: Final = "CancelByTpSlTsClear"
UNAFFORDABLE: Final = "CancelByCannotAffordOrderCost"
"""Documented for options; which word a derivative or spot order gets here is not."""
STOP_LOSS_TRIGGERED: Final = "CancelByOCOTpCanceledBySlTriggered"
TAKE_PROFIT_TRIGGERED: Final = "CancelByOCOSlCanceledByTpTriggered"

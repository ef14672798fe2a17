"""Records: every decoder in one place. Each raises RecordInvalid and nothing else.

`decode_all` runs one over the rows of a message and raises nothing.
"""

from order_adapters.venues.bybit.account_records import (
    AccountInfo,
    FeeRate,
    KeyInfo,
    Leverage,
    decode_account_info,
    decode_fee_rate,
    decode_key_info,
    decode_leverage,
    decode_position,
    decode_wallet,
)
from order_adapters.venues.bybit.execution_records import (
    FastExecution,
    Known,
    decode_execution,
    decode_fast_execution,
)
from order_adapters.venues.bybit.market_records import (
    BookChange,
    PriceLimit,
    decode_book,
    decode_instrument,
    decode_price_limit,
    decode_ticker,
)
from order_adapters.venues.bybit.order_records import decode_order
from order_adapters.venues.bybit.quarantine import (
    Batch,
    Quarantined,
    Raw,
    RecordInvalid,
    UnknownWord,
    decode_all,
)

__all__ = [
    "AccountInfo",
    "Batch",
    "BookChange",
    "FastExecution",
    "FeeRate",
    "KeyInfo",
    "Known",
    "Leverage",
    "PriceLimit",
    "Quarantined",
    "Raw",
    "RecordInvalid",
    "UnknownWord",
    "decode_account_info",
    "decode_all",
    "decode_book",
    "decode_execution",
    "decode_fast_execution",
    "decode_fee_rate",
    "decode_instrument",
    "decode_key_info",
    "decode_leverage",
    "decode_order",
    "decode_position",
    "decode_price_limit",
    "decode_ticker",
    "decode_wallet",
]

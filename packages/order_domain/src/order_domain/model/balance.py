"""Balance: what the exchange's wallet said of one coin."""

from datetime import datetime
from decimal import Decimal

import attrs


@attrs.define(slots=True)
class Balance:
    """One coin of the account as of one wallet snapshot. Amounts in the coin itself.

    Attributes:
        available: What a new order may use, by the exchange's word.
        as_of: The exchange's time of the snapshot.
    """

    coin: str
    wallet: Decimal
    available: Decimal
    equity: Decimal
    as_of: datetime

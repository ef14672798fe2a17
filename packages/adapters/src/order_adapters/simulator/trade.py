"""MarketTrade: one public trade, the only thing that moves a queue."""

from datetime import datetime
from decimal import Decimal

import attrs

from order_domain.model.enums import Side
from order_domain.model.identifiers import InstrumentId


@attrs.define(slots=True)
class MarketTrade:
    """A trade of others. Price in quote units, size in base units; `taker_side` hit the book."""

    instrument_id: InstrumentId
    price: Decimal
    size: Decimal
    taker_side: Side
    at: datetime

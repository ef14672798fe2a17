"""Execution.

One entry of the ledger, the only source of filled quantity, fees, positions and PnL.
"""

from datetime import datetime
from decimal import Decimal

import attrs

from order_domain.model.enums import ExecutionKind, PositionSide, Side
from order_domain.model.identifiers import (
    ClientOrderId,
    ExecutionId,
    InstrumentId,
    StrategyId,
    VenueOrderId,
)
from order_domain.model.instrument import ZERO


@attrs.define(slots=True, kw_only=True)
class Execution:
    """One execution as the exchange told it; unique by (account, instrument, exec_id).

    Attributes:
        quantity: Base units, positive; the side gives the sign. Zero for funding.
        price: Quote units.
        fee: Paid, in `fee_coin`; negative is a rebate. For funding: what was paid (negative:
            received).
        sequence: The exchange's own order of executions where it has one, else 0.
        executed_at: The exchange's time.
    """

    exec_id: ExecutionId
    instrument_id: InstrumentId
    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_coin: str
    executed_at: datetime
    kind: ExecutionKind = ExecutionKind.TRADE
    is_maker: bool = False
    position_side: PositionSide = PositionSide.BOTH
    sequence: int = 0


@attrs.define(slots=True)
class LedgerEntry:
    """An execution as we booked it: in which order, for whom, and what it realised.

    Attributes:
        number: 1..n per account without a gap, in booking order.
        strategy_id: Strategy of the order, or EXTERNAL.
        realized_pnl: Settle-coin units, before fees, that this execution realised on its position.
    """

    number: int
    execution: Execution
    strategy_id: StrategyId
    realized_pnl: Decimal
    booked_at: datetime


EXTERNAL = StrategyId("EXTERNAL")
NO_REALIZED = ZERO

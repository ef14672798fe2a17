"""Position: size, entry value and realised PnL of one instrument side, folded from executions."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import attrs

from order_domain.model.enums import Category, ExecutionKind, PositionSide, Side
from order_domain.model.execution import Execution
from order_domain.model.identifiers import InstrumentId, category_of
from order_domain.model.instrument import ZERO, notional_of

_FUNDING: Final = ExecutionKind.FUNDING
_BUY: Final = Side.BUY
_INVERSE: Final = Category.INVERSE
_COST_STEP = Decimal("1e-12")


@attrs.define(slots=True)
class Position:
    """One version of a position; `booked` makes the next one.

    Attributes:
        size: Base units, negative when short.
        entry_value: Value at entry of the open size, always >= 0, settle-coin units. The average
            price is derived, so that no division is stored and closing to zero leaves nothing
            behind.
        realized_pnl: Settle-coin units, before fees and funding.
        fees: Trading fees paid, by coin (negative: rebates).
        funding: Funding paid, settle coin (negative: received).
    """

    instrument_id: InstrumentId
    position_side: PositionSide
    size: Decimal
    entry_value: Decimal
    realized_pnl: Decimal
    fees: Mapping[str, Decimal]
    funding: Decimal
    updated_at: datetime
    version: int
    opened_at: datetime | None = None

    @classmethod
    def flat(
        cls, instrument_id: InstrumentId, position_side: PositionSide, now: datetime
    ) -> "Position":
        """The position before its first execution."""
        return cls(instrument_id, position_side, ZERO, ZERO, ZERO, {}, ZERO, now, 0)

    @property
    def average_price(self) -> Decimal | None:
        """Average entry price in quote units; None when flat."""
        if not self.size:
            return None
        if category_of(self.instrument_id) == _INVERSE:
            return abs(self.size) / self.entry_value
        return self.entry_value / abs(self.size)

    def unrealized_pnl(self, mark: Decimal) -> Decimal:
        """PnL of the open size at a mark price, settle-coin units."""
        if not self.size:
            return ZERO
        category = category_of(self.instrument_id)
        now_worth = notional_of(category, mark, abs(self.size))
        gain = now_worth - self.entry_value
        if category == _INVERSE:
            gain = -gain
        return gain if self.size > 0 else -gain

    def booked(self, execution: Execution, now: datetime) -> "tuple[Position, Decimal]":
        """Fold one execution in; return the next version and what it realised (settle-coin units).

        Average cost. A reduction takes its share of the entry value; what crosses zero opens the
        other way at the execution's price. Closing to exactly zero takes all that is left, so
        rounding never accumulates.
        """
        if execution.kind is _FUNDING:
            return self._with_funding(execution, now), ZERO
        category = category_of(self.instrument_id)
        traded = execution.quantity
        signed = traded if execution.side is _BUY else -traded
        size, entry, realized, opened_at = self.size, self.entry_value, ZERO, self.opened_at
        new_size = size + signed
        if not size or (size > 0) == (signed > 0):
            entry += notional_of(category, execution.price, traded)
            if not size:
                opened_at = now
        else:
            open_size = abs(size)
            closed = traded if traded < open_size else open_size
            share = entry if closed == open_size else _share(entry, closed, open_size)
            proceeds = notional_of(category, execution.price, closed)
            realized = (
                proceeds - share if (size > 0) != (category == _INVERSE) else share - proceeds
            )
            entry -= share
            if not new_size:
                opened_at = None
            elif traded > closed:
                entry = notional_of(category, execution.price, traded - closed)
                opened_at = now
        position = Position(
            self.instrument_id,
            self.position_side,
            new_size,
            entry,
            self.realized_pnl + realized,
            self._fees_with(execution),
            self.funding,
            now,
            self.version + 1,
            opened_at,
        )
        return position, realized

    def _fees_with(self, execution: Execution) -> Mapping[str, Decimal]:
        if not execution.fee:
            return self.fees
        fees = dict(self.fees)
        fees[execution.fee_coin] = fees.get(execution.fee_coin, ZERO) + execution.fee
        return fees

    def _with_funding(self, execution: Execution, now: datetime) -> "Position":
        return attrs.evolve(
            self, funding=self.funding + execution.fee, updated_at=now, version=self.version + 1
        )


def _share(entry: Decimal, closed: Decimal, size: Decimal) -> Decimal:
    return (entry * closed / size).quantize(_COST_STEP, ROUND_HALF_EVEN)


@attrs.define(slots=True)
class PositionSnapshot:
    """A position at one moment, kept for history.

    Attributes:
        mark: The price it was valued at, quote units; None when no price was fresh, and then no
            unrealised PnL.
    """

    instrument_id: InstrumentId
    position_side: PositionSide
    at: datetime
    size: Decimal
    entry_value: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal | None
    mark: Decimal | None

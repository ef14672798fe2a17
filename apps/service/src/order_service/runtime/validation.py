"""Validation: positions as stored against the fold of their executions, by the hour.

Against the exchange they are compared by every sweep (protocol 8.2).
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import attrs

from order_domain.model.enums import PositionSide, Trading
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import InstrumentId
from order_domain.model.inputs import SetTradingState
from order_domain.model.position import Position
from order_domain.ports.clock import Clock
from order_domain.ports.journal import StoreUnavailable
from order_domain.ports.views import Views
from order_service.runtime.metrics import Metrics

CAUSE: Final = "LEDGER"
ENTRIES_AT_ONCE: Final = 500
"""Entries folded before other tasks get their turn."""
_FIELDS: Final = ("size", "entry_value", "realized_pnl", "fees", "funding")
Key = tuple[InstrumentId, PositionSide]


@attrs.frozen(slots=True)
class Difference:
    """A position that is not what its executions make of it.

    Attributes:
        fields: Names of what differs.
        stored, folded: Its size by the row and by the executions, base units.
    """

    instrument_id: InstrumentId
    position_side: PositionSide
    fields: tuple[str, ...]
    stored: str
    folded: str


class Validator:
    """Reads committed rows only. What differs is reported and restricts the account.

    Nothing is repaired by itself: a row that is no fold of the ledger was written by somebody else,
    and which of the two is right only a person can tell, who then lifts the cause.

    Attributes:
        differences: What the last validation found.
    """

    def __init__(
        self,
        views: Views,
        clock: Clock,
        metrics: Metrics,
        interval: timedelta,
        restrict: Callable[[SetTradingState], Awaitable[None]],
    ) -> None:
        self._views = views
        self._clock = clock
        self._metrics = metrics
        self._interval = interval
        self._restrict = restrict
        self.differences: tuple[Difference, ...] = ()

    async def run(self) -> None:
        """Validate at the interval; one that the store does not answer is left out."""
        while True:
            await self._clock.sleep_until(self._clock.now() + self._interval)
            try:
                self.differences = await self.validate()
            except StoreUnavailable:
                continue
            self._metrics.validations += 1
            if self.differences:
                await self._restrict(self._restriction())

    async def validate(self) -> tuple[Difference, ...]:
        """Compare every position with the fold of its executions. Raises StoreUnavailable."""
        rows = {
            (row.instrument_id, row.position_side): row for row in await self._views.positions()
        }
        folds = {key: Position.flat(*key, row.updated_at) for key, row in rows.items()}
        count = 0
        async for entry in self._views.stream(LedgerEntry):
            count += 1
            if count % ENTRIES_AT_ONCE == 0:
                await asyncio.sleep(0)
            key = (entry.execution.instrument_id, entry.execution.position_side)
            # rows were read before: what was booked since is not in them
            if key in rows and folds[key].version < rows[key].version:
                folds[key] = folds[key].booked(entry.execution, entry.booked_at)[0]
        return tuple(
            _difference(row, folds[key], fields)
            for key, row in rows.items()
            if (fields := _differing(row, folds[key]))
        )

    def _restriction(self) -> SetTradingState:
        at = self._clock.now().isoformat()
        named = [
            f"{each.instrument_id} {each.position_side}: {each.stored} stored, {each.folded} by"
            f" executions ({', '.join(each.fields)})"
            for each in self.differences
        ]
        return SetTradingState(
            request_id=f"validation:{at}",
            actor="order-manager",
            scope="account",
            state=Trading.REDUCE_ONLY,
            reason="; ".join(named)[:2000],
            cause=CAUSE,
        )


def _differing(row: Position, fold: Position) -> tuple[str, ...]:
    names = [name for name in _FIELDS if getattr(row, name) != getattr(fold, name)]
    return tuple([*names, "version"] if row.version != fold.version else names)


def _difference(row: Position, fold: Position, fields: tuple[str, ...]) -> Difference:
    return Difference(row.instrument_id, row.position_side, fields, str(row.size), str(fold.size))

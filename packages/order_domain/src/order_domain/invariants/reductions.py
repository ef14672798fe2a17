"""Reductions: V22, the fills of each position in the exchange's order, once all are known."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Final

import attrs

from order_domain.invariants.report import Findings
from order_domain.model.enums import ExecutionKind, PositionSide, Side
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ZERO

Key = tuple[InstrumentId, PositionSide]
_FUNDING: Final = ExecutionKind.FUNDING


@attrs.frozen(slots=True, order=True)
class _Move:
    at: datetime
    sequence: int
    number: int
    signed: Decimal
    order_id: str = attrs.field(order=False)


@attrs.define(slots=True)
class _Track:
    """One position: its size at the horizon, and what was executed after it."""

    size: Decimal = ZERO
    waiting: list[_Move] = attrs.Factory(list)


class Reductions:
    """Takes ledger entries in any order, and judges them up to a moment before which all are known.

    A reduction is judged at the exchange when it happens. An entry of before that moment that comes
    only later is added to the size, and not judged any more.

    Attributes:
        horizon: Up to here everything is judged; None before the first time.
    """

    def __init__(self, findings: Findings) -> None:
        self.horizon: datetime | None = None
        self._findings = findings
        self._tracks: dict[Key, _Track] = {}

    def take(self, entry: LedgerEntry) -> None:
        """Take one entry of the ledger."""
        execution = entry.execution
        if execution.kind is _FUNDING:
            return
        signed = execution.quantity if execution.side is Side.BUY else -execution.quantity
        key = (execution.instrument_id, execution.position_side)
        track = self._tracks.setdefault(key, _Track())
        if self.horizon is not None and execution.executed_at <= self.horizon:
            track.size += signed
            return
        order_id = str(execution.client_order_id or "")
        move = _Move(execution.executed_at, execution.sequence, entry.number, signed, order_id)
        track.waiting.append(move)

    def orders(self, until: datetime | None) -> list[str]:
        """Orders whose terms decide over what is judged up to a moment; None is all."""
        ids = [
            move.order_id
            for track in self._tracks.values()
            for move in track.waiting
            if move.order_id and (until is None or move.at <= until)
        ]
        return list(dict.fromkeys(ids))

    def skip(self, until: datetime) -> None:
        """Only add up what was executed up to a moment; it is not judged."""
        self._settle(until, None)

    def judge(self, until: datetime | None, reduce_only: Collection[str]) -> None:
        """Judge what was executed up to a moment; None is all.

        Args:
            until: Nothing that was executed before it is still to come.
            reduce_only: Those of the orders that may only reduce.
        """
        self._settle(until, reduce_only)

    def _settle(self, until: datetime | None, reduce_only: Collection[str] | None) -> None:
        if until is not None and self.horizon is not None and until <= self.horizon:
            return
        for key, track in self._tracks.items():
            due = sorted(move for move in track.waiting if until is None or move.at <= until)
            track.waiting = [
                move for move in track.waiting if until is not None and move.at > until
            ]
            for move in due:
                after = track.size + move.signed
                if reduce_only is not None and move.order_id in reduce_only:
                    self._reduces(key, move.number, track.size, after)
                track.size = after
        self.horizon = until

    def _reduces(self, key: Key, number: int, size: Decimal, after: Decimal) -> None:
        smaller = abs(after) <= abs(size) and after * size >= 0
        text = f"a reduce-only fill makes position {key[0]} {key[1]} smaller"
        self._findings.holds("V22", f"execution {number}", smaller, text, after)

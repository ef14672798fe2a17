"""Totals: what a store holds in the end, counted from its committed rows."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

import attrs

from order_domain.model.enums import PositionSide, Verdict
from order_domain.model.events import Event
from order_domain.model.execution import LedgerEntry
from order_domain.model.identifiers import InstrumentId, StrategyId
from order_domain.model.instrument import ZERO
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.notes import Note
from order_domain.ports.views import Views

Book = dict[tuple[StrategyId, InstrumentId, PositionSide], Position]


@attrs.define(slots=True)
class Totals:
    """Counts and sums over one store. Money in settle-coin units.

    Attributes:
        verdicts: Lines by reason code; `outcomes` are the same lines by verdict.
        denials: Denied signals by reason code.
        resized: Signals whose quantity was cut to a limit or to what is there to close.
        orders: By status; `legs` counts children of split decisions, `requotes` the re-quoted.
        events: By kind.
        strategies: A book per strategy, instrument and position side, folded from its own
            executions; its realised and unrealised PnL and fees add up to the account's.
    """

    verdicts: Counter[str] = attrs.Factory(Counter)
    outcomes: Counter[str] = attrs.Factory(Counter)
    denials: Counter[str] = attrs.Factory(Counter)
    orders: Counter[str] = attrs.Factory(Counter)
    order_types: Counter[str] = attrs.Factory(Counter)
    resized: int = 0
    legs: int = 0
    requotes: int = 0
    executions: int = 0
    events: Counter[str] = attrs.Factory(Counter)
    positions: list[Position] = attrs.Factory(list)
    strategies: Book = attrs.Factory(dict)

    @property
    def deliveries(self) -> int:
        """Lines that have a verdict."""
        return sum(self.outcomes.values())

    @property
    def realized_pnl(self) -> Decimal:
        """Of all positions, before fees."""
        return sum((position.realized_pnl for position in self.positions), ZERO)

    @property
    def fees(self) -> Decimal:
        """Trading fees paid, rebates taken off."""
        return sum((fee for each in self.positions for fee in each.fees.values()), ZERO)

    def unrealized_pnl(self, marks: Mapping[InstrumentId, Decimal]) -> Decimal:
        """Of all open positions that have a mark."""
        return sum(
            (
                each.unrealized_pnl(marks[each.instrument_id])
                for each in self.positions
                if each.instrument_id in marks
            ),
            ZERO,
        )


async def count(views: Views) -> Totals:
    """Read every row of a store once."""
    totals = Totals()
    async for signal in views.stream(SignalRow):
        _count_signal(totals, signal)
    async for delivery in views.stream(DeliveryRow):
        _count_line(totals, delivery.verdict, delivery.code)
    async for order in views.stream(Order):
        _count_order(totals, order)
    async for entry in views.stream(LedgerEntry):
        totals.executions += 1
        _fold(totals.strategies, entry)
    async for event in views.stream(Event):
        totals.events[event.kind.value] += 1
    totals.positions = [position async for position in views.stream(Position)]
    return totals


def _count_signal(totals: Totals, row: SignalRow) -> None:
    if row.generation:
        return  # a person's retry: the line has its verdict from the first generation
    _count_line(totals, row.verdict, row.code)
    totals.resized += any(entry[0] == Note.RESIZED for entry in row.trace)
    if row.verdict is Verdict.DENIED:
        totals.denials[str(row.code)] += 1


def _count_line(totals: Totals, verdict: Verdict, code: str) -> None:
    totals.verdicts[str(code)] += 1
    totals.outcomes[verdict.value] += 1


def _count_order(totals: Totals, order: Order) -> None:
    totals.orders[order.status.value] += 1
    totals.order_types[order.terms.order_type.value] += 1
    totals.legs += order.terms.legs > 1
    totals.requotes += order.terms.requote_of is not None


def _fold(book: Book, entry: LedgerEntry) -> None:
    execution = entry.execution
    key = (entry.strategy_id, execution.instrument_id, execution.position_side)
    position = book.get(key) or Position.flat(key[1], key[2], entry.booked_at)
    book[key], _ = position.booked(execution, entry.booked_at)

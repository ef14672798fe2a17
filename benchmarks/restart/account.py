"""The account that is restarted: what its store and its exchange hold.

Everything in it was decided by the engine and taken by the simulated exchange. Only the number of
closed orders is made otherwise: a few of them are multiplied inside the database.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import attrs

from benchmarks.loop import CALM, INSTRUMENT, PACE, WIDE, Loop, Moment, quote
from order_adapters.simulator import AccountState
from order_domain.config import EngineConfig
from order_domain.model.enums import OrderStatus, Side
from order_domain.model.identifiers import InstrumentId, SignalId, StrategyId
from order_domain.model.inputs import SignalDelivered
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote
from order_domain.model.rows import Change
from order_domain.model.signal import TradingSignal
from order_domain.model.steps import Step

SYMBOLS: Final = tuple(f"S{number:02d}USDT" for number in range(64))
STRATEGIES: Final = 157
"""No two open orders have the same strategy and instrument: one would replace the other."""
ACTING: Final = "ACTUSDT"
"""Nothing is open here: the order after the restart."""
AGE: Final = timedelta(days=30)
"""How long ago the closed orders were."""
CONFIG: Final = EngineConfig(
    cancel_same_strategy_only=True,
    cancel_stale_order_timeout=timedelta(0),
    max_open_orders=500,
    max_exposure=Decimal(10**12),
    max_position_size=Decimal(10**6),
)


def instruments() -> tuple[Instrument, ...]:
    """Trading rules of all symbols."""
    return tuple(attrs.evolve(INSTRUMENT, symbol=symbol) for symbol in (*SYMBOLS, ACTING))


def at(shown: Quote, instrument: InstrumentId) -> Quote:
    """The same touch on another instrument."""
    return attrs.evolve(shown, instrument_id=instrument)


class Account(Loop):
    """Engine and exchange over all symbols; keeps every change, as a store would get it."""

    def __init__(self) -> None:
        super().__init__(CONFIG, instruments=instruments())
        self.changes: list[Change] = []
        self.delivered = 0

    def close_orders(self, now: datetime) -> int:
        """Buy and sell the same on every instrument; return how many orders that were."""
        moments = self._signals(now, 2 * len(SYMBOLS), confidence="0.95", rests=False)
        self.run(moments)
        return 2 * len(SYMBOLS)

    def open_orders(self, now: datetime, count: int) -> None:
        """Let so many limit orders rest."""
        self.run(self._signals(now, count, confidence="0.5", rests=True))
        live = [order for order in self.engine.book.orders.values() if not order.is_terminal]
        resting = [order for order in live if order.status is OrderStatus.WORKING]
        if len(resting) != count or len(self.exchange.open_orders) != count:
            raise AssertionError(f"{len(resting)} of {count} orders rest")

    def state(self) -> AccountState:
        """What the exchange holds, its history aside."""
        state = self.exchange.state()
        return attrs.evolve(
            state,
            orders=tuple(row for row in state.orders if row["status"] == "New"),
            executions=(),
        )

    def take_changes(self) -> list[Change]:
        """Give what is new for a store."""
        changes, self.changes = self.changes, []
        return changes

    def _release(self, step: Step, now: datetime) -> None:
        self.changes += step.changes
        super()._release(step, now)

    def _signals(
        self, start: datetime, count: int, *, confidence: str, rests: bool
    ) -> Iterator[Moment]:
        """One signal a PACE; all instruments have their turn, then the next strategy's."""
        for number in range(count):
            self.delivered += 1
            now = start + PACE * (number + 1)
            turn, place = divmod(number, len(SYMBOLS))
            instrument = InstrumentId(f"linear:{SYMBOLS[place]}")
            signal = TradingSignal(
                signal_id=SignalId(f"00000000-0000-4000-8000-{self.delivered:012d}"),
                strategy_id=StrategyId(f"s{0 if not rests else turn}"),
                instrument_id=instrument,
                side=Side.SELL if turn % 2 and not rests else Side.BUY,
                amount=Decimal(1010),
                confidence=Decimal(confidence),
                timestamp=now,
                body_hash=f"{self.delivered:064x}",
            )
            shown = at(quote(WIDE if rests else CALM[turn % 7], now), instrument)
            yield now, shown, SignalDelivered(self.delivered, signal)


def now() -> datetime:
    """The time by which a restarted service will judge ages."""
    return datetime.now(UTC)

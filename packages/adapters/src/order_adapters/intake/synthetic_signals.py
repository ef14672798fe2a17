"""Seeded signals over a synthetic market: several strategies, and all that may be wrong."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

import attrs

from order_adapters.intake.synthetic import SyntheticMarket
from order_domain.model.identifiers import symbol_of
from order_domain.model.quote import Quote

_MS: Final = timedelta(milliseconds=1)


@attrs.frozen(slots=True, kw_only=True)
class Habit:
    """How one strategy behaves.

    Attributes:
        gap_ms: Shortest and longest time between two signals.
        amount: Smallest and largest amount, whole quote units.
        confidence: Smallest and largest confidence, in percent.
        closes: One signal in so many closes the position, of which it asks for `close_amount`
            base units.
    """

    strategy: str
    symbol: str
    gap_ms: tuple[int, int]
    amount: tuple[int, int]
    confidence: tuple[int, int]
    closes: int
    close_amount: str


HABITS: Final = (
    Habit(
        strategy="momentum_v1",
        symbol="BTCUSDT",
        gap_ms=(3_000, 14_000),
        amount=(300, 4_000),
        confidence=(55, 94),
        closes=6,
        close_amount="0.05",
    ),
    Habit(
        strategy="mean_reversion_v2",
        symbol="ETHUSDT",
        gap_ms=(4_000, 15_000),
        amount=(200, 3_500),
        confidence=(50, 92),
        closes=7,
        close_amount="1.2",
    ),
    Habit(
        strategy="breakout_v1",
        symbol="SOLUSDT",
        gap_ms=(5_000, 18_000),
        amount=(1_000, 4_500),
        confidence=(52, 91),
        closes=8,
        close_amount="25",
    ),
)


@attrs.frozen(slots=True, kw_only=True)
class Special:
    """One signal that no seed decides. Fields are JSON text: they may be wrong on purpose."""

    at_ms: int
    symbol: str
    side: str = "buy"
    amount: str = "1000"
    confidence: str = "0.7"
    strategy: str = "research_v0"
    metadata: str = "{}"
    stamped_ms: int | None = None


class SyntheticSignals:
    """Lines of a signal file, each with its time, in order; the same for the same seed."""

    def __init__(
        self,
        seed: int,
        market: SyntheticMarket,
        specials: tuple[Special, ...] = (),
        broken: Mapping[int, str] | None = None,
    ) -> None:
        """Wire up.

        Args:
            specials: Signals put among those of the strategies.
            broken: Lines that are no signals, by milliseconds after the start.
        """
        self._random = Random(f"{seed}/signals")  # noqa: S311 -- repeatable on purpose
        self._market = market
        self._specials = specials
        self._broken = broken or {}
        self._mids = _mids(market)

    def lines(self) -> list[str]:
        """Make all lines; after every twentieth an earlier one comes a second time."""
        timed: list[tuple[int, str]] = []
        for habit in HABITS:
            timed.extend(self._of(habit))
        timed.extend((special.at_ms, self._special(special)) for special in self._specials)
        timed.extend(self._broken.items())
        timed.sort(key=lambda pair: pair[0])
        lines: list[str] = []
        for number, (_, line) in enumerate(timed, 1):
            lines.append(line)
            if number % 20 == 0:
                lines.append(lines[self._random.randrange(len(lines))])
        return lines

    def _of(self, habit: Habit) -> Iterator[tuple[int, str]]:
        random = self._random
        at_ms = random.randint(*habit.gap_ms)
        last = (self._market.end - self._market.start) // _MS - 10_000
        while at_ms < last:
            closes = random.randrange(habit.closes) == 0
            amount = str(random.randint(*habit.amount))
            yield (
                at_ms,
                self._line(
                    at_ms,
                    symbol=habit.symbol,
                    side=random.choice(("buy", "sell")),
                    amount=habit.close_amount if closes else amount,
                    confidence=f"0.{random.randint(*habit.confidence)}",
                    strategy=habit.strategy,
                    metadata='{"exit_strategy": true}' if closes else '{"reasoning": "seeded"}',
                ),
            )
            at_ms += random.randint(*habit.gap_ms)

    def _special(self, special: Special) -> str:
        stamped = special.at_ms if special.stamped_ms is None else special.stamped_ms
        return self._line(
            stamped,
            symbol=special.symbol,
            side=special.side,
            amount=special.amount,
            confidence=special.confidence,
            strategy=special.strategy,
            metadata=special.metadata,
        )

    def _line(
        self,
        at_ms: int,
        *,
        symbol: str,
        side: str,
        amount: str,
        confidence: str,
        strategy: str,
        metadata: str,
    ) -> str:
        signal_id = UUID(int=self._random.getrandbits(128), version=4)
        at = self._market.start + at_ms * _MS
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return (
            f'{{"signal_id": "{signal_id}", "signal_type": "{side}", "asset": "{symbol}", '
            f'"amount": {amount}, "confidence": {confidence}, "timestamp": "{stamp}", '
            f'"strategy_id": "{strategy}", "model_version": "v1", "is_warmup": false, '
            f'"market_data_snapshot": {{"price": {self._mid(symbol, at)}}}, '
            f'"metadata": {metadata}, "trace_id": "demo-{signal_id.hex[:12]}"}}'
        )

    def _mid(self, symbol: str, at: datetime) -> str:
        times, mids = self._mids.get(symbol, ([], []))
        if not times:
            return "1"
        return mids[max(0, bisect_right(times, at) - 1)]


def _mids(market: SyntheticMarket) -> dict[str, tuple[list[datetime], list[str]]]:
    found: dict[str, tuple[list[datetime], list[str]]] = {}
    for row in market:
        if isinstance(row, Quote):
            times, mids = found.setdefault(symbol_of(row.instrument_id), ([], []))
            times.append(row.at)
            mids.append(f"{row.mid:f}")
    return found

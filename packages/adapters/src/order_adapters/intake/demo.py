"""The demo's script: market, signals and faults that show all that can happen to an order."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import attrs

from order_adapters.intake.market_csv import HEADER, csv_row
from order_adapters.intake.synthetic import NATURES, Nature, SyntheticMarket
from order_adapters.intake.synthetic_signals import Special, SyntheticSignals

LENGTH: Final = timedelta(minutes=6)
_REQUOTED: Final = (60_000, 150_000, 240_000)
"""Moments of a limit order whose market jumps through its price before it arrives."""
_JUMPS: Final = ((60_004, -700), (150_004, 700), (240_004, -700))
_SPECIALS: Final = (
    *(
        Special(at_ms=at, symbol="ETHUSDT", side=side, amount="900", strategy="mean_reversion_v2")
        for at, side in zip(_REQUOTED, ("buy", "sell", "buy"), strict=True)
    ),
    # Splitting: more than one order may hold.
    Special(at_ms=40_000, symbol="BTCUSDT", amount="14000", strategy="momentum_v1"),
    Special(at_ms=200_000, symbol="ETHUSDT", side="sell", amount="12000", confidence="0.95"),
    # Resizing: more than the exposure limit leaves.
    Special(at_ms=110_000, symbol="SOLUSDT", amount="60000", strategy="breakout_v1"),
    Special(at_ms=300_000, symbol="BTCUSDT", side="sell", amount="200000", strategy="momentum_v1"),
    # Denied: too small, unknown, from the future; expired: from before the market began.
    Special(at_ms=20_000, symbol="BTCUSDT", amount="1"),
    Special(at_ms=25_000, symbol="NOSUCHUSDT"),
    Special(at_ms=85_000, symbol="ETHUSDT", amount="0.5"),
    Special(at_ms=90_000, symbol="SOLUSDT", stamped_ms=3_600_000),
    Special(at_ms=95_000, symbol="BTCUSDT", stamped_ms=-600_000),
    # Urgent, and a close of what is open.
    Special(at_ms=130_000, symbol="BTCUSDT", metadata='{"urgency": true}', strategy="momentum_v1"),
    Special(
        at_ms=350_000,
        symbol="SOLUSDT",
        side="sell",
        amount="120",
        strategy="breakout_v1",
        metadata='{"exit_strategy": true, "rule_triggered": "time_based"}',
    ),
    # Broken values in a well-formed line.
    Special(at_ms=70_000, symbol="BTCUSDT", amount="-250"),
    Special(at_ms=75_000, symbol="BTCUSDT", amount="NaN"),
    Special(at_ms=77_000, symbol="BTCUSDT", confidence="1.5"),
)
_BROKEN: Final[Mapping[int, str]] = {
    72_000: '{"signal_id": "32c32444-a48c-4d5c-a1fe-b6249df2025f", "signal_type": "bu',
    73_000: '{"signal_id": "test-001", "signal_type": "buy"}',
}
FAULTS: Final = """\
# Carried out, but nobody answers while the stream is silent: unknown, then found.
{"fault": "silent_stream", "after_ms": 30000, "until_ms": 38000}
{"fault": "lose_answer", "request": "create", "after_ms": 30000, "until_ms": 38000}
# Carried out, and only the answer is lost: the stream tells.
{"fault": "lose_answer", "request": "create", "nth": 31}
# Never arrives: unknown, proven absent, sent again under the same id.
{"fault": "lose_request", "request": "create", "nth": 17}
# Definitely not accepted: the next attempt.
{"fault": "answer_code", "request": "create", "nth": 23, "code": 10006}
# The stream misbehaves.
{"fault": "duplicate_report", "report": "execution", "nth": 6, "count": 3}
{"fault": "delay_report", "report": "order", "nth": 40, "by_ms": 800}
{"fault": "lose_report", "report": "execution", "nth": 20}
# A cancel that is carried out without an answer.
{"fault": "lose_answer", "request": "cancel", "nth": 5}
"""


@attrs.frozen(slots=True)
class Demo:
    """Everything a replay of the demo needs, as the text of its files."""

    markets: Mapping[str, str]
    signals: str
    faults: str


def make_demo(seed: int) -> Demo:
    """Make market, signals and faults from a seed."""
    natures = tuple(_with_jumps(nature) for nature in NATURES)
    market = SyntheticMarket(seed, LENGTH, natures)
    markets = {
        each.symbol: "\n".join((HEADER, *map(csv_row, market.of(each.symbol)))) + "\n"
        for each in natures
    }
    lines = SyntheticSignals(seed, market, _SPECIALS, _BROKEN).lines()
    return Demo(markets, "\n".join(lines) + "\n", FAULTS)


def _with_jumps(nature: Nature) -> Nature:
    return attrs.evolve(nature, jumps=_JUMPS) if nature.symbol == "ETHUSDT" else nature

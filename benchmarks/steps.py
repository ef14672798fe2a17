"""What a step costs by kind of input, from the clock around every call of one loop.

The clock is the wall's, because the CPU clock costs as much as a small step. So these are shares,
not figures to compare: the median over the rounds, less the clock itself.
"""

from collections.abc import Callable
from time import perf_counter_ns

import attrs

from benchmarks import loop
from benchmarks.loop import Loop
from benchmarks.measure import middle


@attrs.frozen
class Share:
    """What one kind of call takes of an order. Microseconds."""

    name: str
    calls: float
    each: float
    order: float


def shares(count: int, rounds: int) -> list[Share]:
    """Measure a loop of market orders, dearest first."""
    runs = [_run(count) for _ in range(rounds)]
    names = {name for run in runs for name in run}
    found = []
    for name in names:
        spent = middle([run.get(name, (0, 0.0))[1] for run in runs])
        calls = runs[0].get(name, (0, 0.0))[0]
        found.append(Share(name, calls / count, spent / max(calls, 1), spent / count))
    return sorted(found, key=lambda share: -share.order)


def _run(count: int) -> dict[str, tuple[int, float]]:
    account = Loop()
    moments = list(loop.market_orders(count))
    totals: dict[str, tuple[int, float]] = {}
    account.open()
    account.engine = _Timed(account.engine, {"step": "engine: "}, totals)  # type: ignore[assignment]
    account.exchange = _Timed(  # type: ignore[assignment]
        account.exchange,
        {name: f"simulator: {name}" for name in ("on_quote", "submit", "poll", "sweep")},
        totals,
    )
    account.run(moments)
    return totals


class _Timed:
    """An object some of whose methods are timed; a name that ends in a space gets the input's."""

    def __init__(
        self, wrapped: object, names: dict[str, str], totals: dict[str, tuple[int, float]]
    ) -> None:
        self._wrapped = wrapped
        for name, label in names.items():
            setattr(self, name, _timed(getattr(wrapped, name), label, totals))

    def __getattr__(self, name: str) -> object:
        return getattr(self._wrapped, name)


def _timed(
    call: Callable[..., object], label: str, totals: dict[str, tuple[int, float]]
) -> Callable[..., object]:
    overhead = _clock_cost()

    def timed(*values: object) -> object:
        began = perf_counter_ns()
        result = call(*values)
        spent = (perf_counter_ns() - began - overhead) / 1000
        name = label + type(values[0]).__name__ if label.endswith(" ") else label
        calls, before = totals.get(name, (0, 0.0))
        totals[name] = calls + 1, before + spent
        return result

    return timed


def _clock_cost() -> int:
    costs = []
    for _ in range(1000):
        began = perf_counter_ns()
        costs.append(perf_counter_ns() - began)
    return min(costs)

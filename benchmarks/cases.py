"""What is measured of ours: whole orders, ticks, one decision, and each kind of step."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from benchmarks import least, loop
from benchmarks.loop import CheckedLoop, Loop, Moment
from benchmarks.measure import Case
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.decide import decide
from order_domain.model.enums import EventKind

EVENTS = {
    "market": [
        EventKind.ORDER_CREATED,
        EventKind.ORDER_SUBMITTED,
        EventKind.ORDER_ACCEPTED,
        EventKind.ORDER_FILLED,
    ],
    "limit": [
        EventKind.ORDER_CREATED,
        EventKind.ORDER_SUBMITTED,
        EventKind.ORDER_ACCEPTED,
        EventKind.ORDER_WORKING,
        EventKind.ORDER_FILLED,
    ],
}


class OrderCase:
    """A loop of orders, each of which must end filled."""

    def __init__(self, make: Callable[[int], Iterable[Moment]], count: int) -> None:
        self._make = make
        self._count = count
        self._loop: Loop | None = None

    def prepare(self) -> Callable[[], object]:
        """A fresh account before its first signal, and the moments to drive it through."""
        moments = list(self._make(self._count))
        account = self._loop = Loop()
        account.open()
        return lambda: account.run(moments)

    def check(self) -> None:
        """Look at what is left in the book."""
        if self._loop is None:
            raise AssertionError("checked before it ran")
        loop.check(self._loop, self._count)
        self._loop = None


def prove(make: Callable[[int], Iterable[Moment]], expected: list[EventKind]) -> None:
    """Run a few orders with every event looked at: each order has exactly these."""
    account = CheckedLoop()
    account.open()
    account.run(make(100))
    loop.check(account, 100)
    if account.verdicts != {"ordered": 100}:
        raise AssertionError(f"verdicts {account.verdicts}")
    wrong = [kinds for kinds in account.events_of.values() if kinds != expected]
    if wrong or len(account.events_of) != 100:
        raise AssertionError(f"{len(account.events_of)} orders, events such as {wrong[:1]}")


def orders(count: int) -> list[Case]:
    """Whole orders and bare ticks."""
    prove(loop.market_orders, EVENTS["market"])
    prove(loop.limit_orders, EVENTS["limit"])
    market = OrderCase(loop.market_orders, count)
    limit = OrderCase(loop.limit_orders, count)
    return [
        Case("market order, filled at once", "orders", count, market.prepare, market.check),
        Case("limit order, rests and fills", "orders", count, limit.prepare, limit.check),
        Case("ticks without orders", "ticks", count, lambda: _ticks(count)),
        Case("decide() with its trace", "decisions", count, lambda: _decisions(count)),
        least.case(count),
    ]


def _ticks(count: int) -> Callable[[], object]:
    moments = list(loop.ticks(count))
    account = Loop()
    account.open()
    return lambda: account.run(moments)


def _decisions(count: int) -> Callable[[], object]:
    """The same signal decided again and again, from a short position that it turns round."""
    (signal,) = loop.signals(1, first=2)
    config = EngineConfig()
    context = Context(
        now=signal.timestamp,
        instrument=loop.INSTRUMENT,
        quote=loop.quote(loop.CALM[0], signal.timestamp),
        position=-loop.QUANTITY,
        available=Decimal(100_000),
    )

    def run() -> None:
        decision = decide(signal, context, config)
        for _ in range(count - 1):
            decision = decide(signal, context, config)
        if len(decision.drafts) != 1 or len(decision.trace) < 15:
            raise AssertionError(f"decided otherwise: {decision.code}")

    return run

"""The least an order can cost here: the objects that its life leaves, made without any logic.

No rule is asked, nothing is matched, hashed, looked up or added up; every value is ready. What the
rest of an order may cost under a bar is the bar less this.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from benchmarks import loop
from benchmarks.loop import Loop
from benchmarks.measure import Case
from order_domain.model.inputs import Input, SignalDelivered
from order_domain.model.quote import Quote
from order_domain.model.signal import TradingSignal
from order_domain.model.steps import Step

Part = tuple[Callable[..., object], Sequence[object], dict[str, object]]

_GIVEN = (Quote, SignalDelivered, TradingSignal)
"""What comes from outside, and so is no part of what an order costs."""


class _Recorder(Loop):
    """The loop that is measured, which also keeps everything that is said in it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[object] = []

    def _take(self, message: Input, now: Any) -> None:
        self.said.append(message)
        super()._take(message, now)

    def _release(self, step: Step, now: Any) -> None:
        self.said += [*step.changes, *step.effects]
        super()._release(step, now)


def parts() -> list[Part]:
    """Every object of one market order in the middle of a run, with the values it is made of."""
    moments = list(loop.market_orders(12))
    account = _Recorder()
    account.open()
    account.run(moments[:10])
    account.said.clear()
    account.run(moments[10:11])
    met: dict[int, object] = {}
    for each in account.said:
        _collect(each, met)
    return [part for each in met.values() for part in _parts(each)]


def _collect(each: object, met: dict[int, object]) -> None:
    """Add an object and those it holds, each once."""
    if id(each) in met or isinstance(each, _GIVEN) or not attrs.has(type(each)):
        return
    for field in attrs.fields(type(each)):
        value = getattr(each, field.name)
        for inner in value if isinstance(value, tuple) else (value,):
            _collect(inner, met)
    met[id(each)] = each


def _parts(each: Any) -> Iterator[Part]:
    fields = [field for field in attrs.fields(type(each)) if field.init]
    placed = [getattr(each, field.name) for field in fields if not field.kw_only]
    named = {field.alias: getattr(each, field.name) for field in fields if field.kw_only}
    yield type(each), placed, named
    for fact in getattr(each, "trace", ()):
        yield _fact, fact, {}


# A call each, as a rule is one.
def _fact(code: object, limit: object, actual: object, passed: object) -> tuple[object, ...]:
    return code, limit, actual, passed


def case(count: int) -> Case:
    """Make these objects again and again."""
    made = parts()
    if len([make for make, _, _ in made if make is _fact]) < 15:
        raise AssertionError("the decision's trace is not among them")

    def run() -> None:
        for _ in range(count):
            for make, placed, named in made:
                make(*placed, **named)

    return Case("its objects made, and nothing decided", "orders", count, lambda: run)

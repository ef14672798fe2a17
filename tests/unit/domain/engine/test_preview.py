"""Preview: the decision of a signal that is not delivered; the book stays as it is."""

import copy

import pytest

from order_domain.codes import Code
from order_domain.engine import Engine
from order_domain.model.enums import Trading, Verdict
from order_domain.model.rows import SignalRow, TradingStateRow
from tests.builders import D, a_config, a_quote, a_signal, an_instrument
from tests.engine_driver import World, a_world, of_type


def halted(world: World) -> None:
    row = TradingStateRow("account", "OPERATOR", Trading.HALTED, 1, "a test", "me", world.now)
    world.feed(row)


@pytest.mark.parametrize("changes", [{}, {"amount": D("1e9")}, {"confidence": D("0.99")}])
def test_it_says_what_delivering_the_signal_then_does(changes: dict[str, object]) -> None:
    world = a_world()
    told = world.engine.preview(a_signal(timestamp=world.now, **changes), world.now)
    world.signal(**changes)
    row = of_type(world.last.changes, SignalRow)[-1]

    assert (told.verdict, told.code, tuple(told.trace)) == (row.verdict, row.code, tuple(row.trace))
    assert len(told.drafts) == len(row.order_ids)


def test_the_book_and_the_next_step_know_nothing_of_it() -> None:
    world, untouched = a_world(), a_world()
    before = copy.deepcopy(world.book.orders)
    world.engine.preview(a_signal(timestamp=world.now), world.now)

    assert world.book.orders == before
    assert world.book.signals == untouched.book.signals
    assert world.signal() == untouched.signal()


def test_a_halt_denies_it() -> None:
    world = a_world()
    halted(world)
    told = world.engine.preview(a_signal(timestamp=world.now), world.now)

    assert (told.verdict, told.code) == (Verdict.DENIED, Code.TRADING_STATE)


def test_an_engine_that_has_read_no_account_yet_answers_all_the_same() -> None:
    world = a_world()
    fresh = Engine(a_config())
    fresh.load([an_instrument(), *world.book.balances.values()], world.now)
    without = fresh.preview(a_signal(timestamp=world.now), world.now)
    fresh.step(a_quote(at=world.now), world.now)
    told = fresh.preview(a_signal(timestamp=world.now), world.now)

    assert without.code is Code.QUOTE_MISSING
    assert told.verdict is Verdict.ORDERED

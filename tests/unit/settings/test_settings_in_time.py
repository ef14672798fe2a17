"""A variable that is set changes what the engine does as time passes, from its text on.

Each row tells a small story twice, without the variable and with it, and what came of both.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import pytest

from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    EventKind,
    OrderStatus,
    Side,
    VenueStatus,
)
from order_domain.model.order import Order
from order_domain.model.reports import PositionReport, WalletReport
from order_service.settings import Settings
from tests.builders import BTC, NOW, D, a_balance, an_instrument
from tests.engine_driver import World, a_world, creates, events, lookups, sweeps

SPREAD: Final = "MARKET_ORDER_SPREAD_THRESHOLD"
WOULD_TAKE: Final = {"reject_reason": "EC_PostOnlyWillTakeLiquidity"}


def config_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """Every field of the engine's config, as the environment makes it."""
    # no threshold of the spread, so that a signal becomes a limit order; and long lives
    usual = {SPREAD: "0", "ORDER_EXECUTION_TIMEOUT": "600", "SIGNAL_MAX_AGE": "900"}
    given = {f"ORDERMANAGER_{name}": text for name, text in (usual | dict(environment)).items()}
    config = Settings.from_environment(given).engine_config(
        account="dry:default", environment="dry"
    )
    return {field.name: getattr(config, field.name) for field in attrs.fields(type(config))}


def open_for_business(environment: Mapping[str, str]) -> World:
    return a_world(**config_of(environment))


def ordered(environment: Mapping[str, str], **signal: Any) -> tuple[World, Order]:
    world = open_for_business(environment)
    world.signal(**signal)
    return world, world.the_order()


def working(environment: Mapping[str, str]) -> tuple[World, Order]:
    world, order = ordered(environment)
    world.answer(order)
    world.report(order)
    return world, world.order(order)


def since(world: World, began: Any) -> float:
    return round((world.now - began).total_seconds(), 2)


def until(
    world: World, holds: Callable[[], Any], *, step: float = 0.05, limit: float = 5000
) -> float:
    """Seconds until something holds."""
    began = world.now
    while not holds():
        assert since(world, began) < limit, "it never held"
        world.pass_(step)
    return since(world, began)


# -- the stories


def first_retry(environment: Mapping[str, str]) -> float:
    """When an order nobody has ever seen is tried again: absence is proven only then."""
    world, order = ordered(environment)
    world.answer(order, AnswerOutcome.UNKNOWN)
    began, answered = world.now, len(world.steps)
    while world.order(order).attempt == 1:
        world.pass_(0.05)
        news, answered = world.steps[answered:], len(world.steps)
        if any(lookups(step) for step in news):
            world.lookup(order)
        assert since(world, began) < 100
    return round(since(world, began))


def look_ups(environment: Mapping[str, str]) -> list[float]:
    """When an unanswered order is looked up in its first three seconds."""
    world, order = ordered(environment)
    began = world.now
    step = world.answer(order, AnswerOutcome.UNKNOWN)
    found, seen = [0.0] if lookups(step) else [], len(world.steps)
    while since(world, began) < 3:
        world.pass_(0.05)
        news, seen = world.steps[seen:], len(world.steps)
        if any(lookups(step) for step in news):
            found.append(round(2 * since(world, began)) / 2)
            world.lookup(order, complete=False)
            seen = len(world.steps)
    return found


def looked_up_though_acknowledged(environment: Mapping[str, str]) -> float:
    world, order = ordered(environment)
    world.answer(order)
    return until(world, lambda: lookups(world.last), limit=20)


def next_sweep(environment: Mapping[str, str]) -> float:
    world = open_for_business(environment)
    return until(world, lambda: sweeps(world.last), step=0.5)


def read_back_to(environment: Mapping[str, str]) -> float:
    """How far before its last complete reading the next one begins."""
    world = open_for_business(environment)
    until(world, lambda: sweeps(world.last), step=0.5)
    (query,) = sweeps(world.last)
    assert query.since is not None
    return (NOW - query.since).total_seconds()


def waits_between_attempts(environment: Mapping[str, str]) -> list[int]:
    """Seconds between attempts that the exchange never accepts; its end ends the list."""
    world, order = ordered(environment)
    waits = []
    while True:
        attempt = world.order(order).attempt
        world.answer(order, AnswerOutcome.NOT_ACCEPTED, code=20003)
        if world.status(order) is not OrderStatus.INTENT:
            return waits
        waits.append(round(until(world, lambda a=attempt: world.order(order).attempt > a)))


def parked(environment: Mapping[str, str]) -> int:
    world = World(**config_of(environment))
    world.feed(an_instrument())
    for _ in range(3):
        world.signal()
    return sum(len(queue) for queue in world.book.parked.values())


def kept_after(environment: Mapping[str, str]) -> int:
    """Orders in memory five minutes after three of them ended."""
    world = open_for_business(environment)
    for _ in range(3):
        world.signal()
        order = world.newest_order()
        world.answer(order, AnswerOutcome.REFUSED, code=110007)
    world.pass_(300)
    return len(world.orders())


def re_quoted(environment: Mapping[str, str]) -> int:
    world, order = working(environment)
    step = world.report(order, VenueStatus.CANCELLED, **WOULD_TAKE)
    return len(creates(step))


def adopted(environment: Mapping[str, str]) -> list[Any]:
    """Positions after a first start on an account that holds one."""
    world = World(**config_of(environment))
    world.feed(an_instrument())
    world.transport(up=True)
    world.stream(healthy=True)
    held = PositionReport(BTC, "Both", D("0.5"), D(40000), world.now)
    wallet = WalletReport(world.now, (a_balance(),))
    for _ in range(2):
        world.sweep("START", positions=[held], wallet=wallet)
        world.after(11)
    return [position.size for position in world.book.positions.values()]


def sent_at_once(environment: Mapping[str, str]) -> int:
    world = open_for_business(environment | {"CANCEL_OPPOSITE_ORDERS_ONLY": "true"})
    for _ in range(12):
        world.signal(amount=D(100))
    return [order.status for order in world.orders()].count(OrderStatus.SUBMITTING)


def snapshots(environment: Mapping[str, str]) -> float:
    world, order = working(environment)
    world.fill(order)
    return until(world, lambda: events(world.last, EventKind.POSITION_SNAPSHOT), step=1)


def validations(environment: Mapping[str, str]) -> float:
    world = open_for_business(environment)
    asked = lambda: [each for each in sweeps(world.last) if each.reason == "VALIDATION"]  # noqa: E731
    began = world.now
    while not asked():
        if sweeps(world.last):
            world.sweep()
        world.pass_(1)
    return round(since(world, began), -1)


def cancelled_as_stale(environment: Mapping[str, str]) -> float:
    world, order = working(environment)
    reason = until(world, lambda: world.order(order).cancel_reason, step=1)
    assert world.command(order, CommandKind.CANCEL)
    return reason


def warned(environment: Mapping[str, str]) -> int:
    """Warnings of a position that has lost five per cent."""
    world, order = working(environment)
    world.fill(order)
    world.after(5).quote(bid=D(47490), ask=D(47500))
    world.tick()
    return sum(len(events(step, EventKind.LOSS_WARNING)) for step in world.steps)


def expired_unsent(environment: Mapping[str, str]) -> float:
    """How long an order waits for a way out."""
    world = open_for_business(environment)
    world.transport(up=False)
    world.signal()
    order = world.the_order()
    return until(world, lambda: world.status(order) is OrderStatus.EXPIRED, step=0.5)


def size_after_an_opposite_signal(environment: Mapping[str, str]) -> list[Any]:
    """What a sell of 0.04 beside a long position of 0.02 comes to."""
    world, order = working(environment)
    world.fill(order)
    world.signal(side=Side.SELL, amount=D(2000))
    return [each.quantity for each in world.orders() if each.terms.side is Side.SELL]


STORIES: tuple[tuple[str, str, Callable[[Mapping[str, str]], Any], Any, Any], ...] = (
    # variable without its prefix, its text, the story, what comes of it without and with it
    ("RECV_WINDOW", "7.5", first_retry, 15, 20),
    ("CLOCK_SKEW", "2.25", first_retry, 15, 17),
    ("VISIBILITY", "1", first_retry, 15, 6),
    ("ABSENCE_GAP", "5", first_retry, 15, 18),
    ("LOOKUP_DELAYS", "0,2", look_ups, [0.0, 0.5, 1.5], [0.0, 2.0]),
    ("ACKED_SILENCE", "2", looked_up_though_acknowledged, 5.0, 2.0),
    ("SWEEP_INTERVAL", "10", next_sweep, 30.0, 10.0),
    ("WATERMARK_OVERLAP", "60", read_back_to, 120.0, 60.0),
    ("BYBIT_API_RETRY_MAX_ATTEMPTS", "5", waits_between_attempts, [1, 2], [1, 2, 4, 8]),
    ("BYBIT_API_RETRY_BASE_DELAY", "3", waits_between_attempts, [1, 2], [3, 6]),
    ("BYBIT_API_RETRY_MULTIPLIER", "5", waits_between_attempts, [1, 2], [1, 5]),
    ("BYBIT_API_RETRY_MAX_DELAY", "1", waits_between_attempts, [1, 2], [1, 1]),
    ("MAX_PARKED", "2", parked, 3, 2),
    ("RETENTION", "200", kept_after, 3, 0),
    ("RETENTION_ORDERS", "1", kept_after, 3, 1),
    ("REQUOTE_POST_ONLY", "false", re_quoted, 1, 0),
    ("ADOPT_EXISTING", "true", adopted, [], [D("0.5")]),
    ("MAX_ORDERS_PER_SECOND", "3", sent_at_once, 8, 3),
    ("POSITION_SNAPSHOT_INTERVAL", "20", snapshots, 300.0, 20.0),
    ("POSITION_VALIDATION_INTERVAL", "100", validations, 3600, 100),
    ("CANCEL_STALE_ORDER_TIMEOUT", "60", cancelled_as_stale, 3600.0, 60.0),
    ("UNREALIZED_LOSS_WARNING_THRESHOLD", "3", warned, 0, 1),
    ("ORDER_EXECUTION_TIMEOUT", "7", expired_unsent, 600.5, 7.5),
    ("ALLOW_FLIP", "false", size_after_an_opposite_signal, [D("0.040")], [D("0.020")]),
)


@pytest.mark.parametrize(
    ("name", "text", "story", "without", "with_it"), STORIES, ids=[row[0] for row in STORIES]
)
def test_a_variable_changes_what_happens(
    name: str, text: str, story: Callable[[Mapping[str, str]], Any], without: Any, with_it: Any
) -> None:
    assert story({}) == without
    assert story({name: text}) == with_it
    assert without != with_it

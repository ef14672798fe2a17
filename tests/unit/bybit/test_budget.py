"""Who may ask the exchange now, and who waits."""

import asyncio
from datetime import timedelta
from random import Random

import pytest

from order_adapters.clock import VirtualClock
from order_adapters.venues.bybit.budget import Priority, RateBudget, endpoint_of
from order_adapters.venues.bybit.replies import RateState
from tests.builders import NOW, seconds

CREATE = "/v5/order/create"
CANCEL = "/v5/order/cancel"
REALTIME = "/v5/order/realtime"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def budget(clock: VirtualClock) -> RateBudget:
    return RateBudget(clock)


async def burst(budget: RateBudget, endpoint: str, priority: Priority, **more: bool) -> int:
    """How many leave at one moment."""
    count = 0
    while await budget.take(endpoint, priority, 0.0, **more):
        count += 1
    return count


def move(clock: VirtualClock, seconds: float) -> None:
    clock.advance_to(clock.now() + timedelta(seconds=seconds))


async def test_an_account_uses_its_limit_once_in_five_fourths_of_a_second(
    clock: VirtualClock, budget: RateBudget
) -> None:
    assert await burst(budget, CANCEL, Priority.URGENT) == 10
    move(clock, 1.24)
    assert await burst(budget, CANCEL, Priority.URGENT) == 0
    move(clock, 0.02)
    assert await burst(budget, CANCEL, Priority.URGENT) == 10


async def test_what_a_line_pushes_together_by_a_quarter_of_a_second_is_not_too_much(
    clock: VirtualClock, budget: RateBudget
) -> None:
    """The exchange counts arrivals: the first of two bursts may have come late."""
    random, began_at, arrived = Random(7), clock.monotonic(), list[float]()
    while clock.monotonic() < began_at + 60:
        for _ in range(await burst(budget, CREATE, Priority.URGENT)):
            arrived.append(clock.monotonic() + random.choice((0.0, 0.12, 0.249)))
        move(clock, random.choice((0.01, 0.03, 0.4)))
    arrived.sort()
    most = max(sum(at - 1 < other <= at for other in arrived) for at in arrived)

    assert most <= 10
    assert len(arrived) > 60 * 7


async def test_every_priority_leaves_room_for_those_before_it(budget: RateBudget) -> None:
    counts = [await burst(budget, REALTIME, priority) for priority in reversed(Priority)]

    assert counts == [30, 10, 5, 5]
    assert sum(counts) == 50


async def test_polls_never_hold_a_cancel_up(budget: RateBudget) -> None:
    """The address's limit is one for all: polls use it up, and a cancel still goes at once."""
    polls = await burst(budget, "/v5/market/tickers", Priority.POLL)

    assert polls == 288
    assert not await budget.take("/v5/market/time", Priority.POLL, 0.0)
    assert await budget.take(CANCEL, Priority.URGENT, 0.0)


async def test_an_address_stays_below_the_limit_that_brings_a_ban(
    clock: VirtualClock, budget: RateBudget
) -> None:
    sent = 0
    for _ in range(500):
        sent += await burst(budget, "/v5/market/tickers", Priority.URGENT)
        move(clock, 0.0099)

    assert sent <= 480


async def test_spot_and_derivatives_do_not_share_a_limit(budget: RateBudget) -> None:
    await burst(budget, endpoint_of(CREATE, "linear"), Priority.OPEN)

    assert not await budget.take(endpoint_of(CREATE, "inverse"), Priority.OPEN, 0.0)
    assert await budget.take(endpoint_of(CREATE, "spot"), Priority.OPEN, 0.0)


async def test_those_of_one_priority_are_served_in_the_order_they_came(
    clock: VirtualClock, budget: RateBudget
) -> None:
    served: list[int] = []

    async def one(number: int) -> None:
        assert await budget.take(CREATE, Priority.OPEN, 60.0)
        served.append(number)

    tasks = [asyncio.create_task(one(number)) for number in range(20)]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        if (due := clock.next_deadline) is not None:
            clock.advance_to(due)
    await asyncio.gather(*tasks)

    assert served == list(range(20))


async def test_who_would_wait_too_long_is_told_at_once(budget: RateBudget) -> None:
    await burst(budget, CREATE, Priority.OPEN)

    assert not await budget.take(CREATE, Priority.OPEN, 0.5)


async def test_a_cancelled_waiter_leaves_its_place_to_the_next(
    clock: VirtualClock, budget: RateBudget
) -> None:
    await burst(budget, CREATE, Priority.OPEN)
    first = asyncio.create_task(budget.take(CREATE, Priority.OPEN, 5.0))
    second = asyncio.create_task(budget.take(CREATE, Priority.OPEN, 5.0))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    move(clock, 1.3)

    assert await second


async def test_the_exchanges_own_limit_takes_the_place_of_ours(
    clock: VirtualClock, budget: RateBudget
) -> None:
    budget.learn(CREATE, RateState(20, 20, None), NOW)

    assert await burst(budget, CREATE, Priority.URGENT) == 20


async def test_what_others_of_the_account_sent_counts(budget: RateBudget) -> None:
    budget.learn(CREATE, RateState(10, 5, None), NOW)

    assert await burst(budget, CREATE, Priority.URGENT) == 5


async def test_nothing_leaves_before_the_moment_the_exchange_named(
    clock: VirtualClock, budget: RateBudget
) -> None:
    budget.learn(CREATE, RateState(10, 0, NOW + seconds(0.7)), NOW)
    move(clock, 0.69)
    early = await budget.take(CREATE, Priority.URGENT, 0.0)
    move(clock, 0.57)

    assert not early
    assert await budget.take(CREATE, Priority.URGENT, 0.0)


async def test_an_answer_without_limits_changes_nothing(budget: RateBudget) -> None:
    budget.learn(CREATE, None, NOW)

    assert await burst(budget, CREATE, Priority.URGENT) == 10


async def test_x7_too_many_visits_stops_that_endpoint_for_a_second(
    clock: VirtualClock, budget: RateBudget
) -> None:
    budget.refused(CREATE)

    assert not await budget.take(CREATE, Priority.URGENT, 0.0)
    assert await budget.take(CANCEL, Priority.URGENT, 0.0)
    move(clock, 1.01)
    assert await budget.take(CREATE, Priority.URGENT, 0.0)


async def test_x7_a_ban_stops_all_http_and_no_socket(
    clock: VirtualClock, budget: RateBudget
) -> None:
    budget.stop_http(600.0)

    assert not await budget.take(CANCEL, Priority.URGENT, 0.0)
    assert not await budget.take("/v5/market/time", Priority.POLL, 500.0)
    assert await budget.take(CANCEL, Priority.URGENT, 0.0, http=False)
    move(clock, 601)
    assert await budget.take(CANCEL, Priority.URGENT, 0.0)
    assert not budget.is_http_stopped


async def test_what_is_left_is_told_for_each_limit_and_priority(budget: RateBudget) -> None:
    for _ in range(3):
        await budget.take(CREATE, Priority.OPEN, 0.0)
    address, create = budget.rates().allowances

    assert (address.name, address.limit, address.left["urgent"]) == ("address", 480, 477)
    assert (create.name, create.limit) == (CREATE, 10)
    assert create.left == {"urgent": 7, "open": 6, "look_up": 5, "poll": 3}


@pytest.mark.parametrize("priority", Priority)
async def test_as_many_may_leave_as_are_told_to_be_left(
    budget: RateBudget, priority: Priority
) -> None:
    await budget.take(REALTIME, Priority.POLL, 0.0)
    _, realtime = budget.rates().allowances

    assert await burst(budget, REALTIME, priority) == realtime.left[priority.name.lower()]
    assert budget.rates().allowances[1].left[priority.name.lower()] == 0


async def test_what_the_exchange_refused_leaves_nothing(budget: RateBudget) -> None:
    budget.refused(CREATE)

    assert budget.rates().allowances[1].left["urgent"] == 0


async def test_those_who_wait_are_told_until_they_go_or_leave(
    clock: VirtualClock, budget: RateBudget
) -> None:
    await burst(budget, CREATE, Priority.OPEN)
    before = dict(budget.rates().waiting)
    waiting = [asyncio.create_task(budget.take(CREATE, Priority.OPEN, 5.0)) for _ in range(3)]
    await asyncio.sleep(0)
    during = budget.rates().waiting["open"]
    waiting.pop().cancel()
    await asyncio.sleep(0)
    fewer = budget.rates().waiting["open"]
    move(clock, 1.3)
    await asyncio.gather(*waiting)

    assert before == {"urgent": 0, "open": 0, "look_up": 0, "poll": 0}
    assert (during, fewer, budget.rates().waiting["open"]) == (3, 2, 0)


async def test_a_ban_is_told_with_the_time_that_is_left_of_it(
    clock: VirtualClock, budget: RateBudget
) -> None:
    budget.stop_http(600.0)
    move(clock, 100.0)
    during = budget.rates().stopped_s
    move(clock, 600.0)

    assert (during, budget.rates().stopped_s) == (pytest.approx(500.0), 0.0)

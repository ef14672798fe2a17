"""How often an account and an address may call."""

from datetime import UTC, datetime, timedelta

from order_adapters.bybit_server.limits import LIMITS, AddressLimits, RateLimits

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
STAMP = 1_767_614_400_000


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_a_limit_is_of_one_account_one_bucket_and_one_second() -> None:
    limits = RateLimits(enforced=True)
    for _ in range(LIMITS["fee-rate"]):
        assert limits.take(1, "fee-rate", NOW).granted == 1

    full = limits.take(1, "fee-rate", NOW)
    assert (full.limit, full.remaining, full.granted) == (5, 0, 0)
    assert limits.take(2, "fee-rate", NOW).granted == 1
    assert limits.take(1, "info", NOW).granted == 1
    assert limits.take(1, "fee-rate", NOW + seconds(0.999)).granted == 0
    assert limits.take(1, "fee-rate", NOW + seconds(1)).granted == 1


def test_a_batch_gets_what_is_left_and_its_rest_costs_nothing() -> None:
    limits = RateLimits(enforced=True)
    limits.take(1, "create-batch/futures", NOW, 7)
    second = limits.take(1, "create-batch/futures", NOW, 5)

    assert (second.granted, second.remaining) == (3, 0)


def test_what_was_refused_as_too_many_is_counted_by_bucket() -> None:
    limits = RateLimits(enforced=True)
    limits.take(1, "create-batch/futures", NOW, 12)
    limits.take(2, "fee-rate", NOW, 6)

    assert limits.refused(1) == {"create-batch/futures": 2}
    assert limits.refused(3) == {}


def test_the_most_that_was_asked_for_within_a_second_is_recorded_with_every_refusal() -> None:
    limits = RateLimits(enforced=True)
    for number in range(12):
        limits.take(1, "create/futures", NOW + seconds(number / 20))
    limits.take(1, "create/futures", NOW + seconds(2))
    limits.take(1, "info", NOW)
    limits.take(2, "fee-rate", NOW, 6)

    assert limits.record(1) == {
        "create/futures": {"limit": 10, "peak": 12, "refusedAt": [STAMP + 500, STAMP + 550]},
        "info": {"limit": 50, "peak": 1, "refusedAt": []},
    }
    assert limits.record(3) == {}


def test_a_reset_is_told_in_the_future_even_when_it_is_near() -> None:
    limits = RateLimits(enforced=True)
    limits.take(1, "fee-rate", NOW, 5)

    assert limits.take(1, "fee-rate", NOW).resets_at == STAMP + 1000
    assert limits.take(1, "fee-rate", NOW + seconds(0.99)).resets_at == STAMP + 990 + 300


def test_without_enforcement_everything_is_granted_and_told_to_be_far_from_its_limit() -> None:
    limits = RateLimits(enforced=False)

    taken = [limits.take(1, "fee-rate", NOW) for _ in range(7)]

    assert {(each.limit, each.remaining, each.granted) for each in taken} == {(1000, 1000, 1)}
    assert limits.take(1, "fee-rate", NOW, 20).granted == 20
    assert limits.record(1) == {}


def test_a_ban_takes_ten_minutes_and_hits_one_address() -> None:
    limits = AddressLimits(2)
    assert [limits.admits("a", NOW) for _ in range(3)] == [True, True, False]

    assert limits.admits("b", NOW)
    assert not limits.admits("a", NOW + seconds(599))
    assert limits.admits("a", NOW + seconds(600))
    limits.ban("b", NOW)
    assert not limits.admits("b", NOW)


def test_a_trade_socket_takes_three_thousand_frames_a_second_of_one_address() -> None:
    limits = AddressLimits(600)

    assert all(limits.admits_frame("a", NOW) for _ in range(3000))
    assert not limits.admits_frame("a", NOW)
    assert limits.admits_frame("a", NOW + seconds(1))


def test_without_a_limit_nobody_is_counted() -> None:
    limits = AddressLimits(None)

    assert all(limits.admits("a", NOW) and limits.admits_frame("a", NOW) for _ in range(5000))

"""When each line is delivered, and what happens at one instant."""

from datetime import datetime, timedelta

from order_adapters.schedule import Due, Schedule, timed
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from tests.builders import NOW, a_quote, a_signal, seconds

FIRST, LAST = NOW, NOW + seconds(100)


def a_line(number: int, at: int) -> SignalDelivered:
    return SignalDelivered(number, a_signal(timestamp=NOW + seconds(at)))


def moments(*lines: SignalDelivered | DeliveryInvalid) -> list[timedelta]:
    return [due.at - NOW for due in timed(lines, FIRST, LAST)]


def test_a_line_inside_the_market_is_delivered_at_its_timestamp() -> None:
    assert moments(a_line(1, 5), a_line(2, 9)) == [seconds(5), seconds(9)]


def test_a_line_is_never_delivered_before_the_line_in_front_of_it() -> None:
    assert moments(a_line(1, 9), a_line(2, 5)) == [seconds(9), seconds(9)]


def test_a_line_outside_the_market_comes_right_after_the_line_in_front_of_it() -> None:
    lines = (a_line(1, -5), a_line(2, 7), a_line(3, 101), a_line(4, 100))

    assert moments(*lines) == [seconds(0), seconds(7), seconds(7), seconds(100)]


def test_a_line_without_a_timestamp_comes_right_after_the_line_in_front_of_it() -> None:
    broken = DeliveryInvalid(2, "BODY_INVALID", "body", "is JSON", "", "")

    assert moments(a_line(1, 3), broken, a_line(3, 4)) == [seconds(3), seconds(3), seconds(4)]


def test_a_schedule_gives_what_is_due_in_order_and_keeps_the_rest() -> None:
    rows = [a_quote(at=NOW + seconds(n)) for n in (1, 1, 2)]
    dues = [Due(NOW + seconds(2), a_line(1, 2)), Due(NOW + seconds(3), a_line(2, 3))]
    schedule = Schedule(rows, dues)

    assert schedule.next_moment(None, deliveries=True) == NOW + seconds(1)
    assert list(schedule.market(NOW + seconds(1))) == rows[:2]
    assert list(schedule.deliveries(NOW + seconds(1))) == []
    assert list(schedule.market(NOW + seconds(2))) == rows[2:]
    assert schedule.is_market_over
    assert not schedule.is_over
    assert list(schedule.deliveries(NOW + seconds(2))) == [dues[0].delivery]
    assert schedule.next_moment(NOW + seconds(9), deliveries=True) == NOW + seconds(3)
    assert schedule.next_moment(NOW + seconds(9), deliveries=False) == NOW + seconds(9)
    assert list(schedule.deliveries(NOW + seconds(3))) == [dues[1].delivery]
    assert schedule.is_over


def test_with_nothing_left_nothing_is_due() -> None:
    nothing: datetime | None = Schedule([], []).next_moment(None, deliveries=True)

    assert nothing is None

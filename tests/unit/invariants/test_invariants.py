"""Every claim, broken by hand in the rows of a story that holds, is told by its code."""

from hashlib import sha256

import attrs
import pytest

from order_domain.errors import InvalidValue
from order_domain.invariants import NAMES, Broken, Report, check
from order_domain.model.enums import (
    EventKind,
    ExecutionKind,
    OrderType,
)
from order_domain.model.execution import ExecutionId, LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import Position, PositionSnapshot
from order_domain.model.rows import DeliveryRow, SignalRow, TradingStateRow
from order_domain.model.signal import TradingSignal
from order_domain.ports.outbox import NumberedEvent
from scripts.invariant_places import VERIFY_READS
from tests.builders import D
from tests.unit.invariants.falsify import Lie, duplicate, filled, gone, one, ordered
from tests.unit.invariants.lies import LIES
from tests.unit.invariants.story import (
    a_story,
    changed,
    first,
    judged,
    the_event,
)


def codes(report: Report) -> set[str]:
    return {each.code for each in report.broken}


def test_a_story_in_which_everything_happens_breaks_nothing() -> None:
    report = judged(a_story())

    assert report.broken == ()
    assert report.checked > 1000


def test_nothing_at_all_breaks_nothing() -> None:
    assert judged([]).is_sound


@pytest.mark.parametrize(("code", "lie"), LIES.values(), ids=LIES)
def test_a_lie_is_told_by_its_code(code: str, lie: Lie) -> None:
    report = judged(lie(a_story()))

    assert code in codes(report)
    assert not report.is_sound


def test_every_code_that_rows_can_break_is_broken_here() -> None:
    assert {code for code, _ in LIES.values()} == VERIFY_READS
    assert set(NAMES) == {f"V{number}" for number in range(1, 37)}


def test_what_is_broken_says_what_should_be_and_what_is() -> None:
    rows = a_story()
    order = first(rows, Order, filled)
    report = judged(changed(rows, order, executed_at=None))

    assert report.broken == (
        Broken(
            "V12",
            f"order {order.client_order_id}",
            str(order.executed_at),
            "None",
            "executed_at is as its last event said",
        ),
    )


def test_values_of_several_parts_are_written_out() -> None:
    report = judged(one(Position, fees={"USDT": D(1), "BTC": D(2)})(a_story()))
    (broken,) = (each for each in report.broken if "fees" in each.text)

    assert broken.actual == "BTC=2, USDT=1"


def test_a_stranger_s_order_begins_with_what_was_executed_before_it_was_known() -> None:
    rows = a_story()
    adopted = the_event(rows, EventKind.ORDER_ADOPTED, lambda event: "v-late" in event.subject)
    order = adopted.event.order
    assert order is not None
    assert order.cum_quantity == D("0.002")
    more = attrs.evolve(adopted.event, order=attrs.evolve(order, cum_quantity=D("0.003")))

    assert "V8" in codes(judged(changed(rows, adopted, event=more)))
    assert "V8" in codes(judged(gone(LedgerEntry, lambda row: _venue_id(row) == "v-late")(rows)))


def _venue_id(entry: LedgerEntry) -> str:
    return entry.execution.venue_order_id


def test_a_reduction_is_not_judged_while_executions_may_be_missing() -> None:
    lies = [lie for code, lie in LIES.values() if code == "V22"]

    assert lies
    for lie in lies:
        assert "V22" not in codes(judged(lie(a_story()), is_complete=False))


def test_a_person_beside_the_owner_may_set_a_state_of_the_same_version() -> None:
    rows = a_story()
    row = first(rows, TradingStateRow)
    beside = attrs.evolve(row, scope="strategy:another", actor="bob")

    assert judged([*rows, beside]).is_sound
    assert codes(judged([*rows, beside, attrs.evolve(beside, cause="STREAM")])) == {"V6"}


def test_deliveries_need_not_be_numbered_like_lines() -> None:
    rows = gone(DeliveryRow, duplicate)(a_story())

    assert check(rows, account="dry:default", environment="dry").is_sound


def test_an_alarmed_overfill_is_no_second_fault() -> None:
    rows = one(Order, filled, quantity=D("0.001"))(a_story())
    order = first(rows, Order, filled)
    alarm = the_event(rows, EventKind.TRADING_STATE_CHANGED).event
    told_of = attrs.evolve(
        alarm,
        kind=EventKind.ALARM,
        subject="account",
        sequence=2,
        code="OVERFILL",
        text=order.client_order_id,
    )
    report = judged([*rows, NumberedEvent(999, told_of)])

    assert "V4" not in codes(report)


def test_the_body_is_read_again_and_compared() -> None:
    rows = a_story()
    row = first(rows, SignalRow, ordered)
    body = '{"any":"body"}'
    digest = sha256(body.encode()).hexdigest()
    hashed = attrs.evolve(row.signal, body=body, body_hash=digest)
    honest = changed(rows, row, signal=hashed)

    assert judged(honest, read_body=lambda _: hashed).is_sound
    other: TradingSignal = attrs.evolve(hashed, amount=D(7))
    assert codes(judged(honest, read_body=lambda _: other)) == {"V24"}


def test_a_body_that_cannot_be_read_is_told() -> None:
    rows = a_story()
    row = first(rows, SignalRow, ordered)
    body = "no signal"
    hashed = attrs.evolve(row.signal, body=body, body_hash=sha256(body.encode()).hexdigest())

    def refuse(_: str) -> TradingSignal:
        raise InvalidValue(field="body", rule="a JSON object", value=body)

    assert codes(judged(changed(rows, row, signal=hashed), read_body=refuse)) == {"V24"}


def test_two_reports_are_one() -> None:
    sound, lies = judged(a_story()), judged(gone(Position)(a_story()))

    assert (sound + lies).checked == sound.checked + lies.checked
    assert (sound + lies).broken == lies.broken


def test_an_account_of_another_name_fits_no_order_id() -> None:
    report = check(a_story(), account="dry:other", environment="dry")

    assert codes(report) == {"V33"}


def test_snapshots_of_long_ago_may_be_gone() -> None:
    assert judged(gone(PositionSnapshot)(a_story())).is_sound


def test_a_trading_state_set_without_the_lease_has_no_event() -> None:
    rows = a_story()
    row = first(rows, TradingStateRow)

    assert judged(changed(rows, row, version=77)).is_sound


def test_market_orders_have_no_price_to_check() -> None:
    rows = a_story()

    assert (
        first(rows, Order, lambda order: order.terms.order_type is OrderType.MARKET).price is None
    )
    assert ExecutionKind.FUNDING in {
        row.execution.kind for row in rows if isinstance(row, LedgerEntry)
    }
    assert ExecutionId("f1") in {
        row.execution.exec_id for row in rows if isinstance(row, LedgerEntry)
    }

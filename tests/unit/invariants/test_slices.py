"""What an auditor finds in slices of a store and in its ledger, of all that can be wrong."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from order_domain.invariants import Findings, Folds, Pace, Report, Slice, check_slice
from order_domain.model.command import Command
from order_domain.model.enums import OrderStatus, Origin
from order_domain.model.execution import LedgerEntry
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import SignalRow
from order_domain.ports.outbox import NumberedEvent
from scripts.invariant_places import AUDITOR_READS
from tests.builders import NOW, D, seconds
from tests.unit.invariants.lies import LIES
from tests.unit.invariants.story import Rows, a_story, changed, first

ACCOUNT, ENVIRONMENT = "dry:default", "dry"


def of(rows: Iterable[Any], row_type: type) -> list[Any]:
    return [row for row in rows if isinstance(row, row_type)]


def sliced(rows: Rows) -> Slice:
    """Everything at once, as if all orders had been asked for."""
    events = [each.event for each in of(rows, NumberedEvent)]
    return Slice(
        signals=of(rows, SignalRow),
        orders=of(rows, Order),
        commands=of(rows, Command),
        ledger=[each for each in of(rows, LedgerEntry) if each.execution.client_order_id],
        events=sorted(events, key=lambda event: event.sequence),
    )


def audited(rows: Rows) -> Report:
    """What the slices and the ledger say."""
    return check_slice(sliced(rows), account=ACCOUNT, environment=ENVIRONMENT) + folded(rows)


def folded(rows: Rows) -> Report:
    findings = Findings()
    folds = Folds(findings)
    folds.begin()
    for entry in sorted(of(rows, LedgerEntry), key=lambda entry: entry.number):
        folds.take(entry)
    folds.begin()
    return folds.compare(of(rows, Position)) + findings.report()


def codes(report: Report) -> set[str]:
    return {each.code for each in report.broken}


def test_a_story_in_which_everything_happens_breaks_nothing() -> None:
    report = audited(a_story())

    assert report.broken == ()
    assert report.checked > 500


def test_what_the_page_says_an_auditor_reads_is_what_it_finds_of_all_lies() -> None:
    found = {code for code, lie in LIES.values() if code in codes(audited(lie(a_story())))}

    assert found | {"V20"} == AUDITOR_READS


def test_a_slice_of_nothing_breaks_nothing() -> None:
    assert check_slice(sliced([]), account=ACCOUNT, environment=ENVIRONMENT).is_sound


def test_an_order_whose_row_is_gone_is_told_by_its_events() -> None:
    rows = a_story()
    order = first(rows, Order, lambda order: order.status is OrderStatus.FILLED)
    report = audited([row for row in rows if row is not order])

    assert (f"order {order.client_order_id}", "its row exists") in {
        (each.subject, each.text) for each in report.broken
    }


def test_events_that_came_after_the_rows_were_read_say_nothing_of_them() -> None:
    rows = sliced(a_story())
    order = next(each for each in rows.orders if each.version > 2)
    event = next(
        each
        for each in rows.events
        if each.subject == order.client_order_id and each.sequence == order.version
    )
    later = attrs.evolve(
        event, sequence=order.version + 1, order=attrs.evolve(order, version=order.version + 1)
    )
    report = check_slice(
        attrs.evolve(rows, events=[*rows.events, later]), account=ACCOUNT, environment=ENVIRONMENT
    )

    assert report.is_sound


def test_a_fill_that_names_no_order_is_taken_from_the_event_that_booked_it() -> None:
    rows = sliced(a_story())
    booked = next(each for each in rows.events if each.ledger is not None)
    assert booked.ledger is not None
    nameless = attrs.evolve(
        booked.ledger, execution=attrs.evolve(booked.ledger.execution, client_order_id=None)
    )
    events = [
        attrs.evolve(each, ledger=nameless) if each is booked else each for each in rows.events
    ]
    ledger = [each for each in rows.ledger if each.number != nameless.number]
    report = check_slice(
        attrs.evolve(rows, events=events, ledger=ledger), account=ACCOUNT, environment=ENVIRONMENT
    )

    assert report.is_sound


def test_strangers_orders_are_left_to_the_audit_of_the_whole() -> None:
    rows = a_story()
    stranger = first(rows, Order, lambda order: order.terms.origin is Origin.EXTERNAL)

    assert audited(changed(rows, stranger, cum_quantity=D(9))).is_sound


# -- folds


def test_a_row_read_while_the_ledger_grows_may_be_as_it_was_at_any_entry_meanwhile() -> None:
    rows = a_story()
    entries = sorted(of(rows, LedgerEntry), key=lambda entry: entry.number)
    folds = Folds(Findings())
    folds.take(entries[0])
    folds.begin()
    for entry in entries[1:]:
        folds.take(entry)
    key = (entries[0].execution.instrument_id, entries[0].execution.position_side)
    states = folds._states[key]
    others = [row for row in of(rows, Position) if (row.instrument_id, row.position_side) != key]

    assert len(states) > 2
    assert all(folds.compare([state, *others]).is_sound for state in states)
    folds.begin()
    assert not folds.compare([states[-1], *others]).broken
    assert folds.compare([attrs.evolve(states[-1], version=1), *others]).broken


def test_a_position_first_booked_after_the_rows_were_read_has_no_row_yet() -> None:
    entry = first(a_story(), LedgerEntry, lambda entry: entry.number == 1)
    folds = Folds(Findings())
    folds.begin()
    folds.take(entry)

    assert folds.compare([]).is_sound
    folds.begin()
    assert codes(folds.compare([])) == {"V9"}


def test_a_position_without_executions_is_flat() -> None:
    position = first(a_story(), Position, lambda row: bool(row.size))

    assert codes(Folds(Findings()).compare([position])) == {"V9"}
    assert Folds(Findings()).compare([attrs.evolve(position, size=D(0))]).is_sound


def test_a_gap_in_the_ledger_and_a_wrong_result_of_an_entry_are_told() -> None:
    rows = a_story()
    entry = first(rows, LedgerEntry, lambda entry: entry.number == 2)
    wrong = changed(rows, entry, realized_pnl=D(7))

    assert codes(folded([row for row in rows if row is not entry])) >= {"V10"}
    assert codes(folded(wrong)) == {"V10"}


# -- pace


@pytest.mark.parametrize(
    ("rate", "most"), [(D(8), 16), (D(1), 2), (D("0.5"), 1), (D("0.01"), 1), (D("2.2"), 5)]
)
def test_twice_the_rate_within_a_second_is_the_most(rate: Any, most: int) -> None:
    pace, findings = Pace(rate), Findings()
    for _ in range(most):
        pace.take(findings, NOW, "claim")
    assert not findings.broken
    pace.take(findings, NOW + timedelta(milliseconds=999), "claim")

    assert [(each.code, each.actual) for each in findings.broken] == [("V20", str(most + 1))]


def test_claims_a_second_apart_do_not_add_up() -> None:
    pace, findings = Pace(D(1)), Findings()
    for number in range(6):
        pace.take(findings, NOW + seconds(number * 0.5), "claim")

    assert not findings.broken
    assert findings.checked == 6

"""What an auditor finds in slices of a store and in its ledger, of all that can be wrong."""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any

import attrs
import pytest

from order_domain.invariants import (
    OVERFILL,
    Findings,
    Folds,
    Pace,
    Report,
    Slice,
    States,
    check_refusal,
    check_rules,
    check_slice,
)
from order_domain.invariants.folds import LOOSE, SEEN
from order_domain.invariants.reductions import Reductions
from order_domain.invariants.states import SUSPECTS
from order_domain.model.command import Command
from order_domain.model.enums import EventKind, OrderStatus, Origin, Side, Trading
from order_domain.model.execution import LedgerEntry
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.position import Position
from order_domain.model.rows import DeliveryRow, SignalRow, TradingStateRow
from order_domain.ports.outbox import NumberedEvent
from order_service.runtime.auditor import REFUSED
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
    told = {event.ledger.number for event in events if event.ledger is not None}
    strangers = {}
    for order in of(rows, Order):
        births = [e.at for e in events if e.subject == order.client_order_id and e.sequence == 1]
        if order.terms.origin is Origin.EXTERNAL and births:
            before = folds_of(rows, Findings()).of_stranger(order, births[0])
            assert before is not None
            strangers[str(order.client_order_id)] = [e for e in before if e.number not in told]
    return Slice(
        signals=of(rows, SignalRow),
        orders=of(rows, Order),
        commands=of(rows, Command),
        ledger=[each for each in of(rows, LedgerEntry) if each.execution.client_order_id],
        events=sorted(events, key=lambda event: event.sequence),
        strangers=strangers,
        overfilled=frozenset(event.text for event in events if event.code == OVERFILL),
    )


def audited(rows: Rows) -> Report:
    """What the slices, the ledger and the events in their order say."""
    report = check_slice(sliced(rows), account=ACCOUNT, environment=ENVIRONMENT)
    return report + folded(rows) + followed(rows)


def folds_of(rows: Rows, findings: Findings) -> Folds:
    folds = Folds(findings)
    folds.begin()
    for entry in sorted(of(rows, LedgerEntry), key=lambda entry: entry.number):
        folds.take(entry)
    return folds


def folded(rows: Rows) -> Report:
    findings = Findings()
    folds = folds_of(rows, findings)
    reduce_only = {o.client_order_id for o in of(rows, Order) if o.terms.reduce_only}
    folds.reductions.judge(None, reduce_only)
    folds.begin()
    return folds.compare(of(rows, Position)) + findings.report()


def followed(rows: Rows) -> Report:
    findings = Findings()
    states = States(findings)
    deliveries = {row.number: row for row in of(rows, DeliveryRow)}
    for each in sorted(of(rows, NumberedEvent), key=lambda each: each.number):
        states.take_event(each.event)
        if each.event.kind in REFUSED:
            number = int(each.event.subject.partition(":")[2])
            check_refusal(findings, deliveries.get(number), each.event)
    states.compare(of(rows, TradingStateRow), findings)
    rules = {row.id: row for row in of(rows, Instrument)}
    for order in of(rows, Order):
        check_rules(findings, order, rules.get(order.terms.instrument_id))
    return findings.report()


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


def test_a_strangers_order_is_checked_as_ours_are() -> None:
    rows = a_story()
    stranger = first(rows, Order, lambda order: order.terms.origin is Origin.EXTERNAL)

    assert codes(audited(changed(rows, stranger, cum_quantity=D("0.5")))) >= {"V8", "V12"}
    assert codes(audited(changed(rows, stranger, version=9))) >= {"V12"}


def test_a_strangers_order_of_which_something_may_be_forgotten_is_left_out() -> None:
    rows = a_story()
    stranger = first(rows, Order, lambda order: order.terms.origin is Origin.EXTERNAL)
    command = attrs.evolve(first(rows, Command), client_order_id=stranger.client_order_id, number=7)
    falsified = sliced([*changed(rows, stranger, cum_quantity=D(9)), command])
    unknown = attrs.evolve(falsified, strangers={})

    assert check_slice(unknown, account=ACCOUNT, environment=ENVIRONMENT).is_sound


def test_more_than_an_orders_quantity_is_told_unless_an_alarm_told_it() -> None:
    rows = sliced(a_story())
    order = next(each for each in rows.orders if each.status is OrderStatus.FILLED)
    fewer = [
        attrs.evolve(each, quantity=D("0.001")) if each is order else each for each in rows.orders
    ]
    said = check_slice(attrs.evolve(rows, orders=fewer), account=ACCOUNT, environment=ENVIRONMENT)
    alarmed = attrs.evolve(rows, orders=fewer, overfilled=frozenset([order.client_order_id]))
    silent = check_slice(alarmed, account=ACCOUNT, environment=ENVIRONMENT)

    assert "V4" in codes(said)
    assert "V4" not in codes(silent)


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


def test_an_execution_booked_twice_is_told_as_long_as_it_is_remembered() -> None:
    entry = first(a_story(), LedgerEntry, lambda entry: entry.number == 1)
    findings = Findings()
    folds = Folds(findings)
    for number in range(1, SEEN + 3):
        exec_id = "first" if number in (1, SEEN + 2) else f"e{number}"
        execution = attrs.evolve(entry.execution, exec_id=exec_id)
        folds.take(attrs.evolve(entry, number=number, execution=execution))
        folds.begin()
    assert "V7" not in {each.code for each in findings.broken}

    again = attrs.evolve(entry.execution, exec_id=f"e{SEEN}")
    folds.take(attrs.evolve(entry, number=SEEN + 3, execution=again))
    assert "V7" in {each.code for each in findings.broken}


def test_what_was_booked_of_strangers_orders_is_kept_for_so_many_and_no_more() -> None:
    rows = a_story()
    entry = first(rows, LedgerEntry, lambda entry: entry.number == 1)
    stranger = first(rows, Order, lambda order: order.terms.origin is Origin.EXTERNAL)
    stranger = attrs.evolve(stranger, venue_order_id="v-1")
    folds = Folds(Findings())
    for number in range(1, LOOSE + 2):
        nobodys = attrs.evolve(
            entry.execution, exec_id=f"e{number}", client_order_id="", venue_order_id=f"v-{number}"
        )
        booked_at = NOW + seconds(number)
        folds.take(attrs.evolve(entry, number=number, execution=nobodys, booked_at=booked_at))
        if number == 1:
            known = folds.of_stranger(stranger, NOW + seconds(1))
            earlier = folds.of_stranger(stranger, NOW)

    assert ([each.number for each in known or ()], earlier) == ([1], [])
    assert folds.of_stranger(stranger, NOW + seconds(1)) is None
    assert folds.of_stranger(stranger, NOW + seconds(2)) == []


# -- reductions


def moved(number: int, at: int, side: Side, quantity: str, order_id: str = "o") -> LedgerEntry:
    entry = first(a_story(), LedgerEntry, lambda entry: entry.number == 1)
    execution = attrs.evolve(
        entry.execution,
        exec_id=f"e{number}",
        executed_at=NOW + seconds(at),
        side=side,
        quantity=D(quantity),
        client_order_id=order_id,
    )
    return attrs.evolve(entry, number=number, execution=execution)


def test_a_reduction_is_judged_in_the_exchanges_order_and_not_in_that_of_the_ledger() -> None:
    findings = Findings()
    reductions = Reductions(findings)
    reductions.take(moved(1, 5, Side.SELL, "1", "closes"))
    reductions.take(moved(2, 3, Side.BUY, "1", "opens"))
    reductions.judge(NOW + seconds(9), {"closes"})

    assert (findings.checked, findings.broken) == (1, [])


def test_a_reduction_waits_until_everything_before_it_is_known() -> None:
    findings = Findings()
    reductions = Reductions(findings)
    reductions.take(moved(1, 5, Side.SELL, "1", "closes"))
    reductions.judge(NOW + seconds(4), {"closes"})
    assert reductions.orders(NOW + seconds(4)) == []
    assert reductions.orders(NOW + seconds(6)) == ["closes"]
    assert findings.checked == 0

    reductions.judge(NOW + seconds(6), {"closes"})
    assert [each.code for each in findings.broken] == ["V22"]
    reductions.judge(NOW + seconds(6), {"closes"})
    assert findings.checked == 1


def test_what_comes_late_counts_in_the_size_and_is_not_judged() -> None:
    findings = Findings()
    reductions = Reductions(findings)
    reductions.skip(NOW + seconds(4))
    reductions.take(moved(1, 3, Side.BUY, "1", "closes"))
    reductions.take(moved(2, 5, Side.SELL, "1", "closes"))
    reductions.judge(NOW + seconds(6), {"closes"})

    assert (findings.checked, findings.broken) == (1, [])


def test_what_was_executed_before_the_first_moment_is_only_added_up() -> None:
    findings = Findings()
    reductions = Reductions(findings)
    reductions.take(moved(1, 1, Side.SELL, "1", "closes"))
    reductions.skip(NOW + seconds(4))
    reductions.take(moved(2, 5, Side.SELL, "1", "closes"))
    reductions.judge(NOW + seconds(6), {"closes"})

    assert [each.subject for each in findings.broken] == ["execution 2"]


# -- states


def a_state(number: int, state: Trading, scope: str = "account", **values: Any) -> NumberedEvent:
    event = first(
        a_story(),
        NumberedEvent,
        lambda each: each.event.kind is EventKind.TRADING_STATE_CHANGED,
    ).event
    detail = (("scope", scope), ("state", state.value), ("actor", "ada"), ("reason", ""))
    values = {"at": NOW, "detail": detail, "code": "LOSS", "subject": f"state:{number}"} | values
    return NumberedEvent(number, attrs.evolve(event, **values))


@cache
def the_story() -> Rows:
    return a_story()


def claimed(at: int, **terms: Any) -> Any:
    claim = first(
        the_story(),
        NumberedEvent,
        lambda each: each.event.kind is EventKind.ORDER_SUBMITTED,
    ).event
    assert claim.order is not None
    order = attrs.evolve(claim.order, terms=attrs.evolve(claim.order.terms, **terms))
    return attrs.evolve(claim, order=order, at=NOW + seconds(at))


@pytest.mark.parametrize(
    ("scope", "terms", "at", "is_broken"),
    [
        ("account", {}, 1, True),
        ("account", {}, 0, False),
        ("account", {"reduce_only": True}, 1, False),
        ("strategy:trend", {"strategy_id": "trend"}, 1, True),
        ("strategy:other", {"strategy_id": "trend"}, 1, False),
        ("symbol:linear:BTCUSDT", {}, 1, True),
    ],
)
def test_nothing_that_adds_risk_is_claimed_after_a_state_forbids_it(
    scope: str, terms: dict[str, Any], at: int, is_broken: bool
) -> None:
    findings = Findings()
    states = States(findings)
    states.take_event(a_state(1, Trading.REDUCE_ONLY, scope).event)
    states.take_event(claimed(at, **terms))
    assert findings.broken == []
    states.take_event(a_state(2, Trading.ACTIVE, scope, at=NOW + seconds(9)).event)

    assert ({each.code for each in findings.broken} == {"V6"}) == is_broken


def test_a_claim_is_not_judged_where_a_change_of_states_was_left_untold() -> None:
    """Set while nobody owned the account: the next owner loads it, and tells nobody."""
    findings = Findings()
    states = States(findings)
    states.take_event(a_state(1, Trading.REDUCE_ONLY).event)
    states.take_event(claimed(1))
    states.take_event(a_state(3, Trading.HALTED, at=NOW + seconds(9)).event)
    states.take_event(claimed(10))
    row = TradingStateRow("account", "LOSS", Trading.ACTIVE, 4, "", "ada", NOW)
    states.compare([row], findings)

    assert findings.broken == []


def test_what_was_known_before_an_untold_change_says_nothing_of_later_claims() -> None:
    findings = Findings()
    states = States(findings)
    states.take_event(a_state(1, Trading.REDUCE_ONLY).event)
    other = a_state(3, Trading.ACTIVE, "symbol:linear:ETHUSDT", at=NOW + seconds(1)).event
    states.take_event(other)
    states.take_event(claimed(2))
    row = TradingStateRow("symbol:linear:ETHUSDT", "LOSS", Trading.ACTIVE, 3, "", "ada", NOW)
    states.compare([row], findings)

    assert findings.broken == []


def test_rows_show_that_every_change_was_told() -> None:
    findings = Findings()
    states = States(findings)
    states.take_event(a_state(1, Trading.REDUCE_ONLY).event)
    states.take_event(claimed(1))
    row = TradingStateRow("account", "LOSS", Trading.REDUCE_ONLY, 1, "", "ada", NOW)
    states.compare([row], findings)

    assert [each.code for each in findings.broken] == ["V6"]


def test_so_many_suspects_are_kept_and_no_more() -> None:
    findings = Findings()
    states = States(findings)
    states.take_event(a_state(1, Trading.REDUCE_ONLY).event)
    for number in range(SUSPECTS + 5):
        states.take_event(attrs.evolve(claimed(1), subject=f"o{number}"))
    states.take_event(a_state(2, Trading.ACTIVE, at=NOW + seconds(9)).event)

    assert len(findings.broken) == SUSPECTS


def test_a_claim_after_the_state_was_lifted_is_fine() -> None:
    findings = Findings()
    states = States(findings)
    states.take_event(a_state(1, Trading.HALTED).event)
    states.take_event(a_state(2, Trading.ACTIVE, at=NOW + seconds(1)).event)
    states.take_event(claimed(2))

    assert findings.broken == []


@pytest.mark.parametrize(("version", "is_broken"), [(1, True), (2, False), (3, False)])
def test_a_state_row_may_be_newer_than_what_was_told_and_never_older(
    version: int, is_broken: bool
) -> None:
    findings = Findings()
    states = States(findings)
    states.take_event(a_state(2, Trading.HALTED).event)
    row = TradingStateRow("account", "LOSS", Trading.HALTED, version, "", "ada", NOW)
    states.compare([row], findings)

    assert bool(findings.broken) == is_broken


# -- refusals


def test_a_refusal_without_its_row_is_told() -> None:
    rows = a_story()
    event = first(rows, NumberedEvent, lambda each: each.event.kind in REFUSED).event
    findings = Findings()
    check_refusal(findings, None, event)

    assert [(each.code, each.text) for each in findings.broken] == [
        ("V25", "its reason is recorded")
    ]


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

"""The order's life: every pair of state and trigger, and what each edge is for."""

import pytest

from order_domain.errors import IllegalTransition
from order_domain.lifecycle import (
    OUTCOMES,
    Trigger,
    outcome,
    status_for_neighbours,
    to_mermaid,
)
from order_domain.model.enums import EndedBy, OrderStatus
from order_domain.model.order import TERMINAL

S, T, E = OrderStatus, Trigger, EndedBy
ALIVE, BY_REPORT, BY_ANSWER, BY_US = E.NOBODY, E.REPORT, E.ANSWER, E.US

FACTS = {
    T.SHOW: (S.WORKING, ALIVE),
    T.FILL: (S.PARTIALLY_FILLED, ALIVE),
    T.FILL_ALL: (S.FILLED, BY_REPORT),
    T.END_CANCELLED: (S.CANCELLED, BY_REPORT),
    T.END_REJECTED: (S.REJECTED, BY_REPORT),
}
ANSWERS = (T.ACK, T.REFUSE, T.NOT_ACCEPTED, T.LOSE)
OURS = (T.CLAIM, T.WITHDRAW, T.LAPSE)
STATES = tuple(OUTCOMES)
OVERRULED = [
    (S.CANCELLED, BY_US),
    (S.EXPIRED, BY_US),
    (S.REJECTED, BY_ANSWER),
    (S.DENIED, BY_US),
]
BY_THE_EXCHANGE = [(S.FILLED, BY_REPORT), (S.CANCELLED, BY_REPORT), (S.REJECTED, BY_REPORT)]
LIVE = [state for state in STATES if state[1] is ALIVE]


def test_every_status_has_its_state() -> None:
    assert {status for status, _ in STATES} == set(OrderStatus)


def test_live_states_are_ended_by_nobody_and_ended_ones_by_somebody() -> None:
    assert all((status in TERMINAL) == (ended_by is not ALIVE) for status, ended_by in STATES)


@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("trigger", [*FACTS, *ANSWERS], ids=str)
def test_whatever_the_exchange_says_is_decided_in_every_state(
    state: tuple[OrderStatus, EndedBy], trigger: Trigger
) -> None:
    target = outcome(*state, trigger)

    assert target is None or target in OUTCOMES


@pytest.mark.parametrize("state", STATES, ids=str)
@pytest.mark.parametrize("trigger", OURS, ids=str)
def test_our_own_moves_are_an_error_except_where_the_table_has_them(
    state: tuple[OrderStatus, EndedBy], trigger: Trigger
) -> None:
    allowed = {
        ((S.INTENT, ALIVE), T.CLAIM): (S.SUBMITTING, ALIVE),
        ((S.INTENT, ALIVE), T.WITHDRAW): (S.CANCELLED, BY_US),
        ((S.INTENT, ALIVE), T.LAPSE): (S.EXPIRED, BY_US),
        ((S.UNKNOWN, ALIVE), T.LAPSE): (S.EXPIRED, BY_US),
    }
    if (state, trigger) in allowed:
        assert outcome(*state, trigger) == allowed[(state, trigger)]
        return

    with pytest.raises(IllegalTransition) as error:
        outcome(*state, trigger, "om1d-1")

    assert error.value.details == {
        "status": state[0],
        "ended_by": state[1],
        "trigger": trigger,
        "client_order_id": "om1d-1",
    }


@pytest.mark.parametrize("state", LIVE, ids=str)
@pytest.mark.parametrize("trigger", list(FACTS), ids=str)
def test_a_fact_puts_a_live_order_where_the_exchange_says_it_is(
    state: tuple[OrderStatus, EndedBy], trigger: Trigger
) -> None:
    target = outcome(*state, trigger)

    no_news = (trigger is T.SHOW and state[0] in (S.WORKING, S.PARTIALLY_FILLED)) or (
        trigger is T.FILL and state[0] is S.PARTIALLY_FILLED
    )
    assert target == (None if no_news else FACTS[trigger])


def test_no_edge_leads_back_to_where_it_began() -> None:
    assert all(source not in targets.values() for source, targets in OUTCOMES.items())


@pytest.mark.parametrize("state", OVERRULED, ids=str)
@pytest.mark.parametrize("trigger", list(FACTS), ids=str)
def test_a_fact_overrules_an_end_that_an_answer_or_we_had_put(
    state: tuple[OrderStatus, EndedBy], trigger: Trigger
) -> None:
    assert outcome(*state, trigger) == FACTS[trigger]


@pytest.mark.parametrize("state", BY_THE_EXCHANGE, ids=str)
@pytest.mark.parametrize("trigger", [*FACTS, *ANSWERS], ids=str)
def test_an_end_that_the_exchange_reported_absorbs_everything(
    state: tuple[OrderStatus, EndedBy], trigger: Trigger
) -> None:
    assert outcome(*state, trigger) is None


@pytest.mark.parametrize("state", OVERRULED, ids=str)
@pytest.mark.parametrize("trigger", ANSWERS, ids=str)
def test_an_answer_never_brings_an_ended_order_back(
    state: tuple[OrderStatus, EndedBy], trigger: Trigger
) -> None:
    assert outcome(*state, trigger) is None


@pytest.mark.parametrize("status", [S.INTENT, S.SUBMITTING, S.UNKNOWN])
def test_an_acknowledgement_means_queued_until_a_report_shows_it(status: OrderStatus) -> None:
    assert outcome(status, ALIVE, T.ACK) == (S.ACKED, ALIVE)


@pytest.mark.parametrize("status", [S.INTENT, S.SUBMITTING, S.UNKNOWN])
def test_a_refusal_ends_an_order_that_is_not_yet_at_the_exchange(status: OrderStatus) -> None:
    assert outcome(status, ALIVE, T.REFUSE) == (S.REJECTED, BY_ANSWER)


@pytest.mark.parametrize("status", [S.SUBMITTING, S.UNKNOWN])
def test_what_was_not_accepted_is_an_intent_again(status: OrderStatus) -> None:
    assert outcome(status, ALIVE, T.NOT_ACCEPTED) == (S.INTENT, ALIVE)


def test_an_unanswered_order_is_unknown() -> None:
    assert outcome(S.SUBMITTING, ALIVE, T.LOSE) == (S.UNKNOWN, ALIVE)


@pytest.mark.parametrize("status", [S.INTENT, S.UNKNOWN])
def test_losing_an_answer_twice_tells_nothing_new(status: OrderStatus) -> None:
    assert outcome(status, ALIVE, T.LOSE) is None


@pytest.mark.parametrize("status", [S.ACKED, S.WORKING, S.PARTIALLY_FILLED])
@pytest.mark.parametrize("trigger", ANSWERS, ids=str)
def test_reports_outrun_answers(status: OrderStatus, trigger: Trigger) -> None:
    assert outcome(status, ALIVE, trigger) is None


def test_the_exchange_may_reject_what_it_had_acknowledged() -> None:
    assert outcome(S.ACKED, ALIVE, T.END_REJECTED) == (S.REJECTED, BY_REPORT)


@pytest.mark.parametrize(
    ("status", "has_fills", "word"),
    [
        (S.INTENT, False, "pending"),
        (S.SUBMITTING, False, "pending"),
        (S.UNKNOWN, False, "pending"),
        (S.ACKED, False, "pending"),
        (S.WORKING, False, "pending"),
        (S.PARTIALLY_FILLED, True, "partially_filled"),
        (S.FILLED, True, "filled"),
        (S.DENIED, False, "rejected"),
        (S.REJECTED, False, "rejected"),
        (S.EXPIRED, False, "rejected"),
        (S.EXPIRED, True, "cancelled"),
        (S.CANCELLED, False, "cancelled"),
        (S.CANCELLED, True, "cancelled"),
    ],
)
def test_the_neighbours_hear_one_of_six_words(
    status: OrderStatus, has_fills: bool, word: str
) -> None:
    assert status_for_neighbours(status, has_fills=has_fills) == word


def test_the_diagram_draws_every_edge_and_leaves_out_what_is_absorbed() -> None:
    drawn = to_mermaid()

    assert drawn.startswith("stateDiagram-v2\n")
    assert "    INTENT --> SUBMITTING: claim\n" in drawn
    assert "    REJECTED_BY_ANSWER --> WORKING: show\n" in drawn
    assert "    UNKNOWN --> EXPIRED_BY_US: lapse\n" in drawn
    assert "    FILLED --> [*]\n" in drawn
    assert "    DENIED --> WORKING: show\n" in drawn
    assert "WORKING --> WORKING" not in drawn
    words = [
        word
        for line in drawn.splitlines()
        if ": " in line
        for word in line.split(": ")[1].split(", ")
    ]
    edges = [
        target for targets in OUTCOMES.values() for target in targets.values() if target is not None
    ]
    assert len(words) == len(edges) + len(("deny", "decide"))

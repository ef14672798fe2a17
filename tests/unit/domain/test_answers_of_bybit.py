"""What a retCode proves: closed lists, and everything else is unknown (protocol 5.7)."""

import pytest

from order_domain.model.answers import OUTCOMES, outcome_of
from order_domain.model.enums import AnswerOutcome, CommandKind

KINDS = list(CommandKind)
CLOSED_LIST = """
10001 10003 10004 10005 10010 33004
110003 110004 110006 110007 110009 110012 110013 110014 110017 110020 110021 110022 110023 110025
110026 110028 110032 110043 110044 110045 110051 110052 110053 110066 110074 110092 110093 110094
110095 30208 30209 30228
170124 170131 170132 170133 170134 170136 170137 170140 170193 170194 170217 170218
"""
"""Written a second time, digit for digit: one that is wrong would end an order that lives."""


@pytest.mark.parametrize("kind", KINDS)
def test_zero_means_queued(kind: CommandKind) -> None:
    assert outcome_of(0, kind) is AnswerOutcome.ACCEPTED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", [10006, 10019, 10403, 20003])
def test_busy_answers_prove_the_attempt_was_not_accepted(code: int, kind: CommandKind) -> None:
    assert outcome_of(code, kind) is AnswerOutcome.NOT_ACCEPTED


@pytest.mark.parametrize("kind", KINDS)
def test_outside_the_time_window_is_not_accepted_and_a_matter_of_clocks(kind: CommandKind) -> None:
    assert outcome_of(10002, kind) is AnswerOutcome.CLOCK


@pytest.mark.parametrize("code", [110072, 170141])
def test_a_duplicate_id_proves_that_the_create_exists(code: int) -> None:
    assert outcome_of(code, CommandKind.CREATE) is AnswerOutcome.EXISTS


@pytest.mark.parametrize("kind", [CommandKind.AMEND, CommandKind.CANCEL])
@pytest.mark.parametrize("code", [110072, 170141])
def test_a_duplicate_id_says_nothing_of_an_amend_or_cancel(code: int, kind: CommandKind) -> None:
    assert outcome_of(code, kind) is AnswerOutcome.UNKNOWN


@pytest.mark.parametrize("kind", [CommandKind.AMEND, CommandKind.CANCEL])
@pytest.mark.parametrize("code", [110001, 110008, 110010, 170213])
def test_not_found_answers_an_amend_or_cancel(code: int, kind: CommandKind) -> None:
    assert outcome_of(code, kind) is AnswerOutcome.NOT_FOUND


@pytest.mark.parametrize("code", [110001, 110008, 170213])
def test_not_found_says_nothing_of_a_create(code: int) -> None:
    assert outcome_of(code, CommandKind.CREATE) is AnswerOutcome.UNKNOWN


def test_a_refusal_is_definite_on_the_closed_list_and_nowhere_else() -> None:
    refusals = {code for code, outcome in OUTCOMES.items() if outcome is AnswerOutcome.REFUSED}

    assert refusals == {int(code) for code in CLOSED_LIST.split()}
    assert outcome_of(110007, CommandKind.CREATE) is AnswerOutcome.REFUSED


def test_a_retired_code_that_once_meant_duplicate_id_is_not_taken_for_a_refusal() -> None:
    assert outcome_of(110030, CommandKind.CREATE) is AnswerOutcome.UNKNOWN


@pytest.mark.parametrize("code", [10000, 10016, 429, 999_999, -1])
def test_an_unlisted_code_proves_nothing(code: int) -> None:
    assert code not in OUTCOMES
    assert outcome_of(code, CommandKind.CREATE) is AnswerOutcome.UNKNOWN

"""Where each invariant is checked; `tests/docs/test_invariants.py` asks the checkers."""

from collections.abc import Mapping
from typing import Final


def _at(file: str, name: str) -> str:
    return f"{file}::{name}"


EXCHANGE_COMPARES: Final = frozenset({"V2", "V3", "V4", "V7", "V8", "V9", "V15", "V16"})
"""Of a quiet account: books beside the exchange's own word."""
VERIFY_READS: Final = frozenset(
    f"V{number}"
    for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 19, 22, 23, 24, 25, 32, 33, 35)
)
"""Every row of a store beside every other."""
AUDITOR_READS: Final = frozenset(
    f"V{number}"
    for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 19, 20, 22, 23, 24, 25, 32, 33, 35)
)
"""Beside a live service, from committed rows alone."""
AUDITOR_CANNOT: Final[Mapping[str, str]] = {
    "V14": "what was published is not in the store",
    "V15": "no rows say it: every reading of the account does",
    "V16": "no rows say it: every reading of the account does",
    "V17": "no rows say whether the exchange could be reached",
    "V18": "what was refused leaves no row",
    "V21": "quotes and open orders of that moment are not stored",
    "V26": "the watchdog's, beside it",
    "V27": "the watchdog's, beside it",
    "V28": "only a second run can say it",
    "V29": "a service at work is never at rest",
    "V30": "logs and answers are not in the store",
    "V31": "answers are not in the store",
    "V34": "by the checksums of SQLite, with the service stopped",
    "V36": "only the exchange can say it",
}
"""Why not beside a live service."""
SIMULATION_WATCHES: Final = frozenset(
    f"V{number}" for number in (2, 3, 5, 6, 7, 10, 11, 13, 14, 18, 19, 20, 21, 24, 28, 29, 31, 36)
)
"""At every moment of a run and at its end; `verify` and the comparison come on top."""
MATRIX_WATCHES: Final = frozenset({"V1", "V2", "V3", "V7", "V9", "V11", "V13", "V14", "V16", "V24"})
"""After a kill: real tables, real queues, the exchange; `verify` comes on top."""
ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "V4": (
        _at(
            "tests/unit/domain/engine/test_executions.py",
            "test_more_than_was_ordered_is_booked_and_alarmed_about",
        ),
    ),
    "V14": (
        _at(
            "tests/unit/runtime/test_relay.py",
            "test_events_of_different_orders_go_out_together_and_those_of_one_in_turn",
        ),
    ),
    "V16": ("every reading of the account; the alarm says what was adopted or repaired",),
    "V17": ("alert OrderUnknown", "V29 of the simulation"),
    "V18": (
        "tests/contract/test_journal.py::test_after_a_take_over_the_old_owner_writes_nothing_more",
    ),
    "V20": (
        "tests/unit/invariants/test_slices.py::test_twice_the_rate_within_a_second_is_the_most",
    ),
    "V21": ("tests/property/test_engine.py::limits_hold_in_our_books_and_at_the_exchange",),
    "V26": (
        _at(
            "tests/unit/runtime/test_watchdog.py",
            "test_a_commit_that_takes_more_than_5_s_is_told_until_it_lands",
        ),
    ),
    "V27": (
        _at(
            "tests/unit/runtime/test_watchdog.py",
            "test_a_relay_that_publishes_nothing_for_30_s_is_told_with_its_failure",
        ),
        "alerts EventsWait and NoReading",
    ),
    "V28": (
        _at(
            "tests/simulation/test_simulation.py",
            "test_a_seed_is_the_same_world_in_another_process_with_other_hashes",
        ),
    ),
    "V30": (
        _at(
            "tests/integration/test_http_security.py",
            "test_k12_no_secret_is_in_a_log_an_answer_or_a_table",
        ),
    ),
    "V31": (
        _at(
            "tests/unit/domain/engine/test_operators.py",
            "test_a_request_has_a_row_with_its_actor_and_result_and_a_reply",
        ),
        "tests/integration/test_api.py::test_a_route_lets_in_the_keys_of_its_scope_alone",
    ),
    "V34": (
        "tests/contract/test_journal.py::test_a_store_that_lost_commits_says_so",
        _at(
            "tests/integration/test_verify_corruptions.py",
            "test_a_falsified_row_is_found_by_its_checksum",
        ),
    ),
    "V36": (
        _at(
            "tests/integration/test_guardian.py",
            "test_only_the_guardian_lives_and_0_orders_are_open_in_10_s_and_after_the_quarantine",
        ),
    ),
}
"""What else holds it: tests by name, alerts, construction."""


def places(code: str) -> str:
    """The places as a row of a table."""
    auditor = "yes" if code in AUDITOR_READS else AUDITOR_CANNOT.get(code, "")
    columns = (
        code in SIMULATION_WATCHES | VERIFY_READS | EXCHANGE_COMPARES,
        code in MATRIX_WATCHES | VERIFY_READS,
        code in VERIFY_READS,
    )
    also = "; ".join(
        f"`{each}`" if each.startswith("tests/") else each for each in ALSO.get(code, ())
    )
    return " | ".join([*("yes" if each else "" for each in columns), auditor, also])

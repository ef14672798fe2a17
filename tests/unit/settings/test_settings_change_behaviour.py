"""Every variable has a test in which it changes something; a new one comes with its own."""

import ast
from functools import cache
from typing import Final

import pytest

from order_service.settings import variables
from order_service.settings.model import _RENAMED
from scripts.generate_docs import ROOT
from tests.integration.test_settings_of_the_service import OBSERVED
from tests.unit.service.test_wiring import ROWS
from tests.unit.settings.test_settings_in_decisions import DENIALS
from tests.unit.settings.test_settings_in_time import STORIES

PREFIX: Final = "ORDERMANAGER_"
ENGINES: Final = {ours: engines for engines, ours in _RENAMED.items()}
IN_TABLES: Final = {
    *(PREFIX + row[0] for row in STORIES),
    *(PREFIX + name for row in DENIALS for name in row[0]),
    *(row[0] for row in ROWS),
    *OBSERVED,
}
"""Set by a row of a table: without it the one comes of a story, with it the other."""
BY_NAME: Final = (
    (
        "integration/test_auditor.py",
        "the_interval_is_that_of_the_configuration",
        "ORDERMANAGER_AUDIT_INTERVAL",
    ),
    (
        "integration/test_traces.py",
        "a_service_that_is_told_where_exports_its_traces",
        "ORDERMANAGER_OTLP_ENDPOINT",
    ),
    # a test, and the variables with which something else comes of it
    (
        "docs/test_pages.py",
        "every_command_of_a_page_works_as_it_is_written",
        "ORDERMANAGER_PORT",
    ),
    (
        "integration/rabbitmq/test_publisher.py",
        "partial_fills_are_told_if_set",
        "ORDERMANAGER_PUBLISH_PARTIAL_FILLS",
    ),
    (
        "integration/test_api.py",
        "the_keys_of_a_file_count_as_soon_as_it_changes",
        "ORDERMANAGER_API_KEYS_FILE",
    ),
    (
        "integration/test_bybit_venue.py",
        "a_key_that_may_withdraw_is_taken_on_consent",
        "BYBIT_ALLOW_WITHDRAWAL",
    ),
    (
        "integration/test_bybit_venue_upkeep.py",
        "w8_with_early_fills_each_fill_is_still_booked_once_with_its_fee",
        "BYBIT_FAST_EXECUTIONS",
    ),
    (
        "integration/test_bybit_venue_upkeep.py",
        "w15_where_an_account_has_it_the_exchange_cancels_what_a_lost_stream_leaves",
        "BYBIT_DISCONNECT_WINDOW",
    ),
    (
        "integration/test_bybit_venue_upkeep.py",
        "x7_an_account_banned_from_http_without_a_socket_is_told_to_be_out_of_reach",
        "BYBIT_TRADE_BY_SOCKET",
    ),
    (
        "integration/test_bybit_venue_upkeep.py",
        "w8_with_early_fills_each_fill_is_still_booked_once_with_its_fee",
        "BYBIT_FAST_EXECUTIONS",
    ),
    (
        "integration/test_bybit_venue_upkeep.py",
        "w15_where_an_account_has_it_the_exchange_cancels_what_a_lost_stream_leaves",
        "BYBIT_DISCONNECT_WINDOW",
    ),
    (
        "integration/test_doctor_command.py",
        "what_is_wrong_is_said_and_what_to_do_about_it",
        (
            "BYBIT_API_KEY BYBIT_API_SECRET BYBIT_REST_URL BYBIT_SYMBOLS BYBIT_HEDGE_MODE "
            "BYBIT_USER_ID RABBITMQ_HOST RABBITMQ_PORT RABBITMQ_USER"
        ),
    ),
    (
        "integration/test_guardian.py",
        "a_guardian_that_is_told_to_acts_after_a_stop_too",
        "GUARDIAN_ACTS_AFTER_STOP",
    ),
    (
        "integration/test_guardian.py",
        "a_guardian_without_a_key_of_its_own_does_not_start",
        "GUARDIAN_API_KEY GUARDIAN_API_SECRET",
    ),
    (
        "integration/test_guardian.py",
        "only_the_guardian_lives_and_0_orders_are_open_in_10_s_and_after_the_quarantine",
        "GUARDIAN_STALE_AFTER",
    ),
    (
        "integration/test_http_security.py",
        "k7_a_header_names_no_address_and_guessing_slows_nobody_else",
        "ORDERMANAGER_API_RATE",
    ),
    (
        "integration/test_live_broker.py",
        "signals_of_the_broker_become_orders_and_their_fills_reach_every_neighbour",
        "ORDERMANAGER_SIGNAL_QUEUE ORDERMANAGER_EVENT_QUEUE ORDERMANAGER_EVENT_EXCHANGE",
    ),
    (
        "integration/test_live_broker.py",
        "the_neighbours_tables_show_what_was_traded",
        "ORDERMANAGER_SHARED_SCHEMA",
    ),
    (
        "integration/test_live_broker.py",
        "what_is_no_signal_ends_in_the_dead_letter_queue_with_its_reason",
        "ORDERMANAGER_DEAD_LETTER_QUEUE",
    ),
    (
        "integration/test_runtime_life.py",
        "a_stop_that_cannot_finish_ends_at_its_limit",
        "ORDERMANAGER_SHUTDOWN_TIMEOUT",
    ),
    (
        "integration/test_service.py",
        "a_live_service_says_what_it_lacks",
        "BYBIT_API_KEY BYBIT_API_SECRET",
    ),
    (
        "integration/test_service.py",
        "without_the_right_key_nothing_is_read",
        "ORDERMANAGER_API_KEY",
    ),
    (
        "integration/test_shared_tables.py",
        "positions_of_another_owner_are_left_alone",
        "ORDERMANAGER_OWNS_POSITIONS",
    ),
    (
        "integration/test_two_services.py",
        "an_owner_that_was_frozen_past_its_lease_stands_by_when_it_wakes",
        "ORDERMANAGER_LEASE_TTL",
    ),
    (
        "unit/bybit/test_bodies.py",
        "self_matches_are_told_only_where_chosen",
        "BYBIT_SMP_TYPE",
    ),
    (
        "unit/docker/test_hardening.py",
        "without_settings_the_stack_trades_on_the_simulated_exchange",
        "ORDERMANAGER_ENABLE_DRY_RUN",
    ),
    (
        "unit/guardian/test_guardian.py",
        "it_asks_where_the_database_says_the_owner_is",
        "GUARDIAN_URL",
    ),
    (
        "unit/service/test_bybit_account.py",
        "a_dry_run_needs_no_key_and_has_an_account_of_its_own",
        "ORDERMANAGER_ENABLE_DRY_RUN",
    ),
    (
        "unit/service/test_bybit_account.py",
        "a_live_service_on_the_bus_inside_the_process_must_be_asked_for",
        "ORDERMANAGER_BUS",
    ),
    (
        "unit/service/test_bybit_account.py",
        "every_setting_of_the_account_reaches_the_venue",
        (
            "ORDERMANAGER_INSTRUMENT_INFO_REFRESH_INTERVAL BYBIT_REST_URL BYBIT_STREAM_URL "
            "BYBIT_SETTLE_COINS BYBIT_ALLOW_WITHDRAWAL BYBIT_TRADE_BY_SOCKET BYBIT_SMP_TYPE "
            "BYBIT_FAST_EXECUTIONS BYBIT_DISCONNECT_WINDOW"
        ),
    ),
    (
        "unit/service/test_bybit_account.py",
        "every_setting_of_the_broker_reaches_it",
        (
            "ORDERMANAGER_SIGNAL_QUEUE ORDERMANAGER_EVENT_QUEUE ORDERMANAGER_EVENT_EXCHANGE "
            "ORDERMANAGER_DEAD_LETTER_QUEUE ORDERMANAGER_PUBLISH_PARTIAL_FILLS RABBITMQ_HOST "
            "RABBITMQ_PORT RABBITMQ_USER RABBITMQ_PASSWORD RABBITMQ_VHOST "
            "RABBITMQ_HEARTBEAT"
        ),
    ),
    (
        "unit/service/test_bybit_account.py",
        "the_site_is_part_of_the_account_so_that_no_store_mixes_two",
        "BYBIT_ENVIRONMENT",
    ),
    (
        "unit/service/test_bybit_account.py",
        "without_a_store_url_a_postgres_user_chooses_that_server",
        "POSTGRES_HOST POSTGRES_PORT POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD",
    ),
    (
        "unit/service/test_event_source.py",
        "the_gateway_is_asked_where_and_as_the_settings_say",
        (
            "ORDERMANAGER_EVENT_SOURCE WS_GATEWAY_HOST WS_GATEWAY_API_KEY WS_GATEWAY_ORDER_QUEUE "
            "WS_GATEWAY_CHECK_EVERY"
        ),
    ),
    (
        "unit/service/test_refreshing.py",
        "rules_that_changed_come_after_the_interval",
        "ORDERMANAGER_INSTRUMENT_INFO_REFRESH_INTERVAL",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "a_large_order_is_resized_split_or_denied",
        (
            "ORDERMANAGER_MAX_SINGLE_ORDER_SIZE ORDERMANAGER_ENABLE_ORDER_SPLITTING "
            "ORDERMANAGER_ENABLE_ORDER_SIZE_REDUCTION"
        ),
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "a_new_signal_cancels_what_the_settings_say",
        "ORDERMANAGER_CANCEL_OPPOSITE_ORDERS_ONLY ORDERMANAGER_CANCEL_SAME_STRATEGY_ONLY",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "an_order_of_ours_may_be_smaller_than_the_exchanges_largest",
        "ORDERMANAGER_MAX_ORDER_QUANTITY",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "confidence_decides_the_order_type",
        "ORDERMANAGER_MARKET_ORDER_CONFIDENCE_THRESHOLD",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "limit_orders_may_take",
        "ORDERMANAGER_LIMIT_TIME_IN_FORCE",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "market_orders_may_slip_only_so_far",
        "ORDERMANAGER_MARKET_SLIPPAGE",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "one_child_is_at_most_a_part_of_the_exposure",
        "ORDERMANAGER_MAX_ORDER_SIZE_RATIO",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "one_signal_makes_only_so_many_orders",
        "ORDERMANAGER_MAX_ORDERS_PER_SIGNAL",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "partially_filled_orders_are_cancelled_only_if_set",
        "ORDERMANAGER_CANCEL_PARTIALLY_FILLED",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "spread_decides_the_order_type",
        "ORDERMANAGER_MARKET_ORDER_SPREAD_THRESHOLD",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "the_amount_of_a_close_is_base_or_quote_units",
        "ORDERMANAGER_CLOSE_AMOUNT_IS_BASE",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "the_balance_need_not_be_checked",
        "ORDERMANAGER_ENABLE_BALANCE_CHECK",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "the_offset_decides_the_limit_price",
        "ORDERMANAGER_LIMIT_ORDER_PRICE_OFFSET_RATIO",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "the_part_may_be_of_the_balance",
        "ORDERMANAGER_ORDER_SIZE_RATIO_OF_BALANCE",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "the_spread_of_a_signal_is_percent_or_quote_units",
        "ORDERMANAGER_SNAPSHOT_SPREAD_IS_PERCENT",
    ),
    (
        "unit/settings/test_settings_in_decisions.py",
        "warm_up_signals_are_smaller",
        "ORDERMANAGER_WARMUP_SIZE_FACTOR",
    ),
)
TESTS: Final[dict[str, list[tuple[str, str]]]] = {}
for _path, _function, _names in BY_NAME:
    for _name in _names.split():
        TESTS.setdefault(_name, []).append((f"tests/{_path}", f"test_{_function}"))


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def spellings(variable: str) -> set[str]:
    """How a test may name what it sets: the variable, or the field of a part that it becomes."""
    _, field = variables()[variable]
    ours = variable.removeprefix(PREFIX)
    return {variable, f'"{ours}"', f"{ENGINES.get(field, field)}=", f'"{field}"', f".{field}"}


def test_every_variable_has_a_test_that_it_changes_behaviour() -> None:
    assert sorted(IN_TABLES | set(TESTS)) == sorted(variables())


@pytest.mark.parametrize("variable", sorted(TESTS))
def test_the_tests_of_a_variable_are_there_and_one_of_them_sets_it(variable: str) -> None:
    missing = [(path, name) for path, name in TESTS[variable] if name not in functions(path)]
    texts = [(ROOT / path).read_text() for path, _ in TESTS[variable]]

    assert missing == []
    assert variable in IN_TABLES or any(
        each in text for text in texts for each in spellings(variable)
    )

"""The environment is read once, exactly, and what is wrong with it is said by variable."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from order_domain.config import EngineConfig
from order_domain.model.enums import TimeInForce
from order_service.settings import Settings, SettingsError, retired, variables

D = Decimal
ENGINE = (
    # variable without its prefix, text, field of EngineConfig, what the engine then gets
    ("MAX_SINGLE_ORDER_SIZE", "500.5", "max_single_order_size", D("500.5")),
    ("ENABLE_ORDER_SPLITTING", "true", "enable_order_splitting", True),
    ("ORDER_EXECUTION_TIMEOUT", "7", "order_execution_timeout", timedelta(seconds=7)),
    ("LIMIT_TIME_IN_FORCE", "GTC", "limit_time_in_force", TimeInForce.GTC),
    ("REQUOTE_POST_ONLY", "false", "requote_post_only", False),
    ("MARKET_SLIPPAGE", "0.01", "market_slippage", D("0.01")),
    ("CLOSE_AMOUNT_IS_BASE", "false", "close_amount_is_base", False),
    ("SNAPSHOT_SPREAD_IS_PERCENT", "false", "snapshot_spread_is_percent", False),
    ("WARMUP_SIZE_FACTOR", "0.25", "warmup_size_factor", D("0.25")),
    ("ADOPT_EXISTING", "true", "adopt_existing", True),
    ("MAX_POSITION_SIZE", "2.5", "max_position_size", D("2.5")),
    ("MAX_EXPOSURE", "10000", "max_exposure", D(10000)),
    ("MAX_ORDER_SIZE_RATIO", "1", "max_order_size_ratio", D(1)),
    ("ORDER_SIZE_RATIO_OF_BALANCE", "true", "order_size_ratio_of_balance", True),
    ("MAX_ORDER_QUANTITY", "3", "max_order_quantity", D(3)),
    ("ENABLE_ORDER_SIZE_REDUCTION", "false", "enable_order_size_reduction", False),
    ("ENABLE_BALANCE_CHECK", "false", "enable_balance_check", False),
    ("PRICE_COLLAR_PERCENT", "1.5", "price_collar_percent", D("1.5")),
    ("MAX_OPEN_ORDERS", "7", "max_open_orders", 7),
    ("MAX_ORDERS_PER_SIGNAL", "3", "max_orders_per_signal", 3),
    ("MAX_ORDERS_PER_SECOND", "0.5", "max_orders_per_second", D("0.5")),
    ("MAX_DAILY_LOSS", "250", "max_daily_loss", D(250)),
    ("DUPLICATE_WINDOW", "1.5", "duplicate_window", timedelta(seconds=1, milliseconds=500)),
    ("SIGNAL_MAX_AGE", "60", "signal_max_age", timedelta(seconds=60)),
    ("SIGNAL_FUTURE_SKEW", "0", "signal_future_skew", timedelta(0)),
    ("QUOTE_MAX_AGE", "1", "quote_max_age", timedelta(seconds=1)),
    (
        "SYMBOL_ALLOW_LIST",
        "BTCUSDT, ETHUSDT",
        "symbol_allow_list",
        frozenset({"BTCUSDT", "ETHUSDT"}),
    ),
    ("STRATEGY_ALLOW_LIST", "trend", "strategy_allow_list", frozenset({"trend"})),
    ("ALLOW_FLIP", "false", "allow_flip", False),
    ("SUPERSEDE_OUT_OF_ORDER", "true", "supersede_out_of_order", True),
    ("BYBIT_API_RETRY_MAX_ATTEMPTS", "5", "retry_max_attempts", 5),
    ("BYBIT_API_RETRY_BASE_DELAY", "0.1", "retry_base_delay", timedelta(milliseconds=100)),
    ("BYBIT_API_RETRY_MAX_DELAY", "10", "retry_max_delay", timedelta(seconds=10)),
    ("BYBIT_API_RETRY_MULTIPLIER", "1.5", "retry_multiplier", D("1.5")),
    ("MARKET_ORDER_CONFIDENCE_THRESHOLD", "0.8", "market_order_confidence_threshold", D("0.8")),
    ("MARKET_ORDER_SPREAD_THRESHOLD", "0", "market_order_spread_threshold", D(0)),
    ("LIMIT_ORDER_PRICE_OFFSET_RATIO", "1", "limit_order_price_offset_ratio", D(1)),
    ("POSITION_SNAPSHOT_INTERVAL", "10", "position_snapshot_interval", timedelta(seconds=10)),
    ("POSITION_VALIDATION_INTERVAL", "20", "position_validation_interval", timedelta(seconds=20)),
    ("CANCEL_OPPOSITE_ORDERS_ONLY", "true", "cancel_opposite_orders_only", True),
    ("CANCEL_STALE_ORDER_TIMEOUT", "0", "cancel_stale_order_timeout", timedelta(0)),
    ("CANCEL_SAME_STRATEGY_ONLY", "true", "cancel_same_strategy_only", True),
    ("CANCEL_PARTIALLY_FILLED", "true", "cancel_partially_filled", True),
    ("UNREALIZED_LOSS_WARNING_THRESHOLD", "3", "unrealized_loss_warning_threshold", D(3)),
    ("RECV_WINDOW", "5", "recv_window", timedelta(seconds=5)),
    ("CLOCK_SKEW", "0.1", "clock_skew", timedelta(milliseconds=100)),
    ("VISIBILITY", "1", "visibility", timedelta(seconds=1)),
    ("LOOKUP_DELAYS", "0,0.25", "lookup_delays", (timedelta(0), timedelta(milliseconds=250))),
    ("ABSENCE_GAP", "1", "absence_gap", timedelta(seconds=1)),
    ("ACKED_SILENCE", "2", "acked_silence", timedelta(seconds=2)),
    ("SWEEP_INTERVAL", "10", "sweep_interval", timedelta(seconds=10)),
    ("WATERMARK_OVERLAP", "60", "watermark_overlap", timedelta(seconds=60)),
    ("MAX_PARKED", "10", "max_parked", 10),
    ("RETENTION", "1200", "retention", timedelta(seconds=1200)),
    ("RETENTION_ORDERS", "100", "retention_orders", 100),
)
OF_THE_SERVICE = {
    # what the container does with them is tested with the service
    "PORT",
    "API_KEY",
    "LOG_LEVEL",
    "OTLP_ENDPOINT",
    "SERVICE_NAME",
    "HOST",
    "EVENT_LOOP",
    "ACCOUNT",
    "STORE_URL",
    "SHUTDOWN_TIMEOUT",
    "LEASE_TTL",
    "AUDIT_INTERVAL",
    "INSTRUMENT_INFO_REFRESH_INTERVAL",
    "API_KEYS_FILE",
    "API_RATE",
    "BUS",
    "DEAD_LETTER_QUEUE",
    "EVENT_EXCHANGE",
    "OWNS_POSITIONS",
    "SHARED_SCHEMA",
    "EVENT_QUEUE",
    "PUBLISH_PARTIAL_FILLS",
    "SIGNAL_QUEUE",
    "ENABLE_DRY_RUN",
    "EVENT_SOURCE",
    "DRY_RUN_SYMBOLS",
    "DRY_RUN_BALANCE",
}


def read(**ours: str) -> Settings:
    return Settings.from_environment({f"ORDERMANAGER_{name}": text for name, text in ours.items()})


def engine(settings: Settings) -> EngineConfig:
    return settings.engine_config(account="dry:default", environment="dry")


def told(**ours: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**ours)
    return str(caught.value)


@pytest.mark.parametrize(("name", "text", "field", "value"), ENGINE, ids=[row[0] for row in ENGINE])
def test_every_variable_of_the_engine_reaches_it(
    name: str, text: str, field: str, value: object
) -> None:
    config = engine(read(**{name: text}))

    assert getattr(config, field) == value
    assert getattr(config, field) != getattr(engine(read()), field)


def test_no_variable_of_ours_is_without_effect() -> None:
    ours = {name.removeprefix("ORDERMANAGER_") for name in variables() if name.startswith("ORDER")}

    assert ours == {row[0] for row in ENGINE} | OF_THE_SERVICE


def test_without_any_variable_the_engine_gets_its_own_defaults() -> None:
    assert engine(Settings.from_environment({})) == EngineConfig()


def test_the_account_and_its_environment_reach_the_engine() -> None:
    config = read().engine_config(account="bybit:7", environment="testnet")

    assert (config.account, config.environment) == ("bybit:7", "testnet")


def test_a_symbol_may_have_a_position_limit_of_its_own() -> None:
    config = engine(read(MAX_POSITION_SIZE="1.0,ETHUSDT=20, SOLUSDT=300.5"))

    assert config.position_limit("BTCUSDT") == D("1.0")
    assert config.position_limit("ETHUSDT") == D(20)
    assert config.position_limit("SOLUSDT") == D("300.5")


def test_numbers_are_read_exactly() -> None:
    assert read(MAX_EXPOSURE="12345678901234.123456789").ordermanager.max_exposure == D(
        "12345678901234.123456789"
    )


def test_each_prefix_is_a_group() -> None:
    settings = Settings.from_environment(
        {
            "WS_GATEWAY_HOST": "gateway",
            "WS_GATEWAY_API_KEY": "k1",
            "BYBIT_API_SECRET": "s1",
            "BYBIT_MARKET_CATEGORY": "inverse",
            "POSTGRES_USER": "u1",
            "POSTGRES_PASSWORD": "p1",
            "RABBITMQ_PORT": "5673",
        }
    )

    assert settings.ws_gateway.host == "gateway"
    assert settings.bybit.market_category == "inverse"
    assert settings.postgres.user == "u1"
    assert settings.rabbitmq.port == 5673
    assert settings.bybit.api_secret is not None
    assert settings.bybit.api_secret.get_secret_value() == "s1"


def test_an_empty_value_means_not_set() -> None:
    settings = read(API_KEY="", MAX_DAILY_LOSS="  ", PORT="")

    assert settings.ordermanager.api_key is None
    assert settings.ordermanager.max_daily_loss is None
    assert settings.ordermanager.port == 4600


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("ORDERMANAGER_PORT=1\nORDERMANAGER_MAX_EXPOSURE=7 # seven\n", encoding="utf-8")
    settings = Settings.from_environment({"ORDERMANAGER_PORT": "2"}, file)

    assert settings.ordermanager.port == 2
    assert settings.ordermanager.max_exposure == 7


def test_a_missing_file_is_no_fault(tmp_path: Path) -> None:
    assert Settings.from_environment({}, tmp_path / ".env").ordermanager.port == 4600


def test_variables_of_others_are_left_alone() -> None:
    settings = Settings.from_environment(
        {"PATH": "/bin", "POSTGRES_INITDB_ARGS": "x", "RABBITMQ_NODENAME": "n", "POSTGRES": "{}"}
    )

    assert settings == Settings.from_environment({})


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("PORT", "http", "must be a valid integer"),
        ("PORT", "70000", "must be less than or equal to 65535"),
        ("MAX_EXPOSURE", "NaN", "must be a finite number"),
        ("MAX_EXPOSURE", "Infinity", "must be a finite number"),
        ("MAX_EXPOSURE", "1e400", "must be a finite number"),
        ("MAX_EXPOSURE", "0", "must be greater than 0"),
        ("MAX_EXPOSURE", "-1", "must be greater than 0"),
        ("MAX_EXPOSURE", "ten", "must be a number"),
        ("RECV_WINDOW", "soon", "must be a number"),
        ("SIGNAL_MAX_AGE", "1e12", "must be a number of seconds up to"),
        ("CLOCK_SKEW", "61", "must be less than or equal to 1 minute"),
        ("LOG_LEVEL", "LOUD", "must be 'DEBUG', 'INFO'"),
        ("ENABLE_DRY_RUN", "maybe", "must be a valid boolean"),
        ("LIMIT_TIME_IN_FORCE", "FOK", "must be"),
        ("ACCOUNT", "a b", "must match pattern"),
        ("MAX_POSITION_SIZE", "1,ETHUSDT", "must be DEFAULT,SYMBOL=VALUE"),
        ("MAX_POSITION_SIZE", "1,ethusdt=2", "must be DEFAULT,SYMBOL=VALUE"),
        ("MAX_POSITION_SIZE", "1,A=2,A=3", "must be DEFAULT,SYMBOL=VALUE"),
        ("MAX_POSITION_SIZE", "1,A=0", "must be numbers > 0"),
        ("LOOKUP_DELAYS", "0,x", "must be a number"),
    ],
)
def test_a_wrong_value_is_told_by_variable_rule_and_value(name: str, text: str, rule: str) -> None:
    message = told(**{name: text})

    assert message.startswith(f"ORDERMANAGER_{name}: {rule}")
    assert message.endswith(f"got {text!r}")


def test_every_fault_is_told_at_once() -> None:
    message = told(PORT="x", MAX_EXPOSURE="y", PROT="1")

    assert [line.partition(":")[0] for line in message.splitlines()] == [
        "ORDERMANAGER_PROT",
        "ORDERMANAGER_PORT",
        "ORDERMANAGER_MAX_EXPOSURE",
    ]


@pytest.mark.parametrize(
    ("ours", "line"),
    [
        (
            {"CLOCK_SKEW": "3"},
            "ORDERMANAGER_CLOCK_SKEW: must be below RECV_WINDOW",
        ),
        (
            {"SWEEP_INTERVAL": "120"},
            "ORDERMANAGER_SWEEP_INTERVAL: must be below WATERMARK_OVERLAP",
        ),
        (
            {"BYBIT_API_RETRY_BASE_DELAY": "31"},
            "ORDERMANAGER_BYBIT_API_RETRY_BASE_DELAY: must be at most BYBIT_API_RETRY_MAX_DELAY",
        ),
        (
            {"DUPLICATE_WINDOW": "901"},
            "ORDERMANAGER_DUPLICATE_WINDOW: must be at most RETENTION",
        ),
        (
            {"RETENTION": "12"},
            "ORDERMANAGER_RETENTION: must be above RECV_WINDOW + CLOCK_SKEW + VISIBILITY",
        ),
        (
            {"DRY_RUN_SYMBOLS": ","},
            "ORDERMANAGER_DRY_RUN_SYMBOLS: must name at least one symbol",
        ),
    ],
)
def test_what_must_hold_between_two_settings_is_checked(ours: dict[str, str], line: str) -> None:
    assert told(**ours) == line


def test_what_only_the_engine_refuses_is_told_by_variable_too() -> None:
    settings = read(MAX_POSITION_SIZE="0.0000000000000001")

    with pytest.raises(SettingsError, match="ORDERMANAGER_MAX_POSITION_SIZE: must be"):
        engine(settings)


def test_a_misspelt_name_is_refused_with_what_was_probably_meant() -> None:
    assert told(MAX_EXPOSURES="1") == (
        "ORDERMANAGER_MAX_EXPOSURES: unknown; did you mean ORDERMANAGER_MAX_EXPOSURE?"
    )


def test_a_lower_case_name_is_refused_rather_than_ignored() -> None:
    with pytest.raises(SettingsError, match="did you mean ORDERMANAGER_PORT"):
        Settings.from_environment({"ordermanager_port": "1"})


def test_a_name_like_nothing_is_refused_without_a_guess() -> None:
    assert told(ZZZ="1") == "ORDERMANAGER_ZZZ: unknown"


def test_retired_names_are_accepted_and_told() -> None:
    environment = {"REDIS_HOST": "r", "ORDERMANAGER_PENDING_ORDER_TIMEOUT_MINUTES": "5", "HOME": ""}

    assert Settings.from_environment(environment) == Settings.from_environment({})
    assert retired(environment) == ("ORDERMANAGER_PENDING_ORDER_TIMEOUT_MINUTES", "REDIS_HOST")


def test_a_secret_never_shows() -> None:
    settings = Settings.from_environment(
        {"ORDERMANAGER_API_KEY": "hidden-1", "BYBIT_API_SECRET": "hidden-2"}
    )

    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings.model_dump())


def test_a_secret_is_hidden_as_addresses_and_json_write_it_too() -> None:
    hidden = Settings.from_environment(
        {
            "POSTGRES_USER": "om",
            "POSTGRES_PASSWORD": 'a"b/c\\d',
            "RABBITMQ_USER": "guest",
            "RABBITMQ_PASSWORD": "guest",
            "ORDERMANAGER_STORE_URL": "postgresql://om:p%40ss@db/orders",
        }
    ).secret_values

    assert {'a"b/c\\d', "a%22b%2Fc%5Cd", 'a\\"b/c\\\\d'} <= set(hidden)
    assert {"p@ss", "p%40ss"} <= set(hidden)
    assert "guest" not in hidden
    assert "" not in hidden


def test_a_dry_run_waits_four_seconds_for_an_answer_and_never_longer_than_the_order_lives() -> None:
    assert read().http_timeout == timedelta(seconds=4)
    assert read(ORDER_EXECUTION_TIMEOUT="3").http_timeout == timedelta(seconds=3)


def test_settings_cannot_be_changed_once_read() -> None:
    settings = read()

    with pytest.raises(ValueError, match="frozen"):
        settings.ordermanager.port = 1  # type: ignore[misc]

"""How settings become a store, a bus and a venue."""

from datetime import timedelta
from pathlib import Path

import pytest

from order_domain.model.enums import Category
from order_service.broker import broker_config
from order_service.bybit_account import bybit_config
from order_service.choices import choose
from order_service.settings import Settings, SettingsError

LIVE = {"BYBIT_API_KEY": "k", "BYBIT_API_SECRET": "s", "ORDERMANAGER_BUS": "in-process"}
CUSTOM = LIVE | {
    "BYBIT_ENVIRONMENT": "custom",
    "BYBIT_REST_URL": "https://bybit.example",
    "BYBIT_STREAM_URL": "wss://bybit.example",
}


def read(environment: dict[str, str]) -> Settings:
    return Settings.from_environment(environment)


def refused(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        bybit_config(read(environment))
    return str(caught.value)


def test_without_a_store_url_a_postgres_user_chooses_that_server() -> None:
    postgres = {
        "POSTGRES_USER": "om",
        "POSTGRES_PASSWORD": "p@ss/word",
        "POSTGRES_HOST": "db",
        "POSTGRES_PORT": "5433",
        "POSTGRES_DB": "trading",
    }
    choices = choose(read(LIVE | postgres))

    assert choices.store == "postgresql://om:p%40ss%2Fword@db:5433/trading"
    assert choices.shown_store == "postgresql://db:5433/trading"
    assert "word" not in repr(choices)


def test_a_store_url_beats_the_postgres_user() -> None:
    given = {"POSTGRES_USER": "om", "ORDERMANAGER_STORE_URL": "sqlite:///x.sqlite"}

    assert choose(read(LIVE | given)).store == "sqlite:///x.sqlite"


@pytest.mark.parametrize("environment", ["testnet", "mainnet", "demo"])
def test_the_site_is_part_of_the_account_so_that_no_store_mixes_two(environment: str) -> None:
    choices = choose(read(LIVE | {"BYBIT_ENVIRONMENT": environment}))

    assert choices.account == f"{environment}:default"
    assert choices.environment == environment
    assert (choices.venue, choices.mode) == ("bybit", "live")


def test_a_dry_run_needs_no_key_and_has_an_account_of_its_own() -> None:
    choices = choose(read({"ORDERMANAGER_ENABLE_DRY_RUN": "true"}))

    assert choices.account == "dry:default"
    assert (choices.venue, choices.bus, choices.mode) == ("simulated", "in-process", "dry-run")


def test_a_live_service_on_the_bus_inside_the_process_must_be_asked_for() -> None:
    with pytest.raises(SettingsError, match="ORDERMANAGER_BUS=in-process"):
        choose(read({"BYBIT_API_KEY": "k", "BYBIT_API_SECRET": "s"}))


def test_every_setting_of_the_account_reaches_the_venue() -> None:
    config = bybit_config(
        read(
            CUSTOM
            | {
                "BYBIT_MARKET_CATEGORY": "linear",
                "BYBIT_ASSET_CATEGORIES": "ETHUSDT=spot,BTCUSD=inverse",
                "BYBIT_SYMBOLS": "BTCUSDT,ETHUSDT,BTCUSD",
                "BYBIT_SETTLE_COINS": "USDC",
                "BYBIT_HEDGE_MODE": "true",
                "BYBIT_USER_ID": "7",
                "BYBIT_ALLOW_WITHDRAWAL": "true",
                "BYBIT_TRADE_BY_SOCKET": "false",
                "BYBIT_FAST_EXECUTIONS": "true",
                "BYBIT_DISCONNECT_WINDOW": "10",
                "BYBIT_SMP_TYPE": "CancelMaker",
                "ORDERMANAGER_RECV_WINDOW": "1.5",
                "ORDERMANAGER_ORDER_EXECUTION_TIMEOUT": "3",
                "ORDERMANAGER_BYBIT_API_RETRY_MAX_ATTEMPTS": "5",
                "ORDERMANAGER_BYBIT_API_RETRY_BASE_DELAY": "0.5",
                "ORDERMANAGER_BYBIT_API_RETRY_MAX_DELAY": "9",
                "ORDERMANAGER_BYBIT_API_RETRY_MULTIPLIER": "3",
                "ORDERMANAGER_INSTRUMENT_INFO_REFRESH_INTERVAL": "60",
            }
        )
    )

    assert config.hosts.rest == "https://bybit.example"
    assert config.hosts.private == "wss://bybit.example/v5/private"
    assert config.categories == (Category.INVERSE, Category.LINEAR, Category.SPOT)
    assert config.instruments == ("inverse:BTCUSD", "linear:BTCUSDT", "spot:ETHUSDT")
    assert config.settle_coins == ("USDC",)
    assert (config.hedge_mode, config.user_id) == (True, 7)
    assert (config.allow_withdrawal, config.trades_by_socket) == (True, False)
    assert config.fast_executions
    assert config.disconnect_window == timedelta(seconds=10)
    assert config.smp_type == "CancelMaker"
    assert config.recv_window == timedelta(seconds=1.5)
    assert (config.http.whole, config.answer_within) == (3.0, 3.0)
    assert (config.retry.attempts, config.retry.first, config.retry.longest) == (5, 0.5, 9.0)
    assert config.retry.factor == 3
    assert config.refresh_interval == 60.0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"BYBIT_API_KEY": ""}, "BYBIT_API_KEY: is needed"),
        ({"BYBIT_API_SECRET": "two words"}, "BYBIT_API_SECRET: must be printable ASCII"),
        ({"BYBIT_API_SECRET": "-----BEGIN X-----"}, "BYBIT_API_SECRET: must be a private RSA key"),
        ({"BYBIT_DISCONNECT_WINDOW": "2"}, "BYBIT_DISCONNECT_WINDOW: must be 3 to 300"),
        ({"BYBIT_REST_URL": "http://bybit.example"}, "BYBIT_REST_URL: must be https"),
        ({"BYBIT_STREAM_URL": "ws://bybit.example"}, "BYBIT_STREAM_URL: must be https or wss"),
        ({"BYBIT_REST_URL": "https://user@bybit.example"}, "BYBIT_REST_URL: must be"),
        (
            {"ORDERMANAGER_ORDER_EXECUTION_TIMEOUT": "2"},
            "ORDERMANAGER_ORDER_EXECUTION_TIMEOUT: must be above recv_window",
        ),
    ],
)
def test_what_the_venue_cannot_use_is_refused_by_the_name_of_its_variable(
    changes: dict[str, str], told: str
) -> None:
    assert told in refused(CUSTOM | changes)


def test_every_setting_of_the_broker_reaches_it() -> None:
    settings = read(
        LIVE
        | {
            "ORDERMANAGER_BUS": "",
            "RABBITMQ_HOST": "mq",
            "RABBITMQ_PORT": "5673",
            "RABBITMQ_USER": "om",
            "RABBITMQ_PASSWORD": "p@ss",
            "RABBITMQ_VHOST": "trading",
            "RABBITMQ_HEARTBEAT": "7",
            "ORDERMANAGER_SERVICE_NAME": "om-1",
            "ORDERMANAGER_SIGNAL_QUEUE": "a",
            "ORDERMANAGER_EVENT_QUEUE": "b",
            "ORDERMANAGER_EVENT_EXCHANGE": "c",
            "ORDERMANAGER_DEAD_LETTER_QUEUE": "d",
            "ORDERMANAGER_PUBLISH_PARTIAL_FILLS": "false",
        }
    )
    config = broker_config(settings)

    assert choose(settings).bus == "rabbitmq"
    assert config.url == "amqp://om:p%40ss@mq:5673/trading"
    assert (config.signals, config.events, config.exchange, config.dead) == ("a", "b", "c", "d")
    assert (config.name, config.partial_fills) == ("om-1", False)
    assert config.heartbeat == timedelta(seconds=7)
    assert "p@ss" not in repr(config)


def test_a_refusal_shows_no_secret() -> None:
    assert "two words" not in refused(CUSTOM | {"BYBIT_API_SECRET": "two words"})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"BYBIT_ENVIRONMENT": "custom"}, "custom needs BYBIT_REST_URL and BYBIT_STREAM_URL"),
        ({"BYBIT_REST_URL": "https://x.example"}, "must be custom where a URL is given"),
        ({"BYBIT_ASSET_CATEGORIES": "ETHUSDT=futures"}, "SYMBOL=CATEGORY"),
        ({"BYBIT_ASSET_CATEGORIES": "ETHUSDT=spot,ETHUSDT=linear"}, "each symbol once"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    changes: dict[str, str], told: str
) -> None:
    with pytest.raises(SettingsError, match=told):
        read(changes)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("of a file\n")
    secret = read({"BYBIT_API_SECRET_FILE": str(file)}).bybit.api_secret

    assert secret is not None
    assert secret.get_secret_value() == "of a file"


def test_a_secret_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "long").write_text("x" * 5000)
    for name in ("missing", "empty", "long"):
        with pytest.raises(SettingsError, match="BYBIT_API_SECRET_FILE: must name a readable file"):
            read({"BYBIT_API_SECRET_FILE": str(tmp_path / name)})


def test_a_secret_is_given_once(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a")
    with pytest.raises(SettingsError, match="must not be set beside BYBIT_API_SECRET"):
        read({"BYBIT_API_SECRET": "b", "BYBIT_API_SECRET_FILE": str(file)})

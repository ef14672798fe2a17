"""What every test may use: hypothesis profiles and the recorded market data."""

import os
import socket
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import settings

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from tests.faults.servers import are_installed
from tests.postgres_server import DEFAULT_DSN, PostgresServer
from tests.rabbitmq_server import BROKER, a_broker

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ORDER_MANAGER_SHARED") or ROOT.parent / "shared").resolve()
MISSING = (
    f"recorded market data: none at {SHARED}, so the tests that replay it are left out; "
    "set ORDER_MANAGER_SHARED to its folder"
)

DSN = os.environ.get("TEST_POSTGRES_DSN", DEFAULT_DSN)
NO_SERVER = (
    f"PostgreSQL: no server at {urlsplit(DSN).netloc}, so its tests are left out; "
    "set TEST_POSTGRES_DSN to one on which databases may be made"
)

NO_BROKER = (
    f"RabbitMQ: no broker at {urlsplit(BROKER).hostname}, so its tests are left out; "
    "set TEST_AMQP_URL to one"
)

NO_PROGRAMS = (
    "RabbitMQ and PostgreSQL: their programs are not here, so the tests that start servers of "
    "their own with passwords are left out (Debian: postgresql, rabbitmq-server)"
)

# No deadline: how busy the machine is says nothing about the code.
settings.register_profile("default", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with `market-data/` and `signals/`; without it the test is left out."""
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server for tests; its database is made when a test first asks for it."""
    server = PostgresServer()
    yield server
    server.drop()


@pytest.fixture
async def emptied_postgres(postgres: PostgresServer) -> str:
    """URL of a store without a row and without an owner; without a server the test is left out."""
    return await postgres.emptied()


@pytest.fixture
async def rabbit() -> AsyncIterator[RabbitConfig]:
    """A broker with queues of this test's own; without a server the test is left out."""
    async with a_broker() as config:
        yield config


def has_shared_data() -> bool:
    return (SHARED / "market-data").is_dir() and (SHARED / "signals").is_dir()


@cache
def listens(url: str) -> bool:
    """Whether a server listens. CI must have one, so there the tests run and fail without it."""
    if os.environ.get("CI"):
        return True
    place = urlsplit(url)
    try:
        with socket.create_connection((place.hostname or "127.0.0.1", place.port or 0), 1):
            return True
    except OSError:
        return False


def has_postgres() -> bool:
    return listens(DSN)


def has_programs() -> bool:
    """Whether servers can be started; CI must have them, so there the tests fail without."""
    return bool(os.environ.get("CI")) or are_installed()


def is_left_out(item: pytest.Item) -> bool:
    if not has_shared_data() and "shared_data" in getattr(item, "fixturenames", ()):
        return True
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if "own_rabbitmq" in getattr(item, "fixturenames", ()) and not has_programs():
        return True
    asks = "emptied_postgres" in getattr(item, "fixturenames", ())
    if "rabbit" in getattr(item, "fixturenames", ()) and not listens(BROKER):
        return True
    return (asks or parameters.get("backend") == "postgres") and not has_postgres()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    needy = [item for item in items if is_left_out(item)]
    if needy:
        config.hook.pytest_deselected(items=needy)
        items[:] = [item for item in items if item not in needy]


def what_is_missing() -> list[str]:
    missing = [] if has_shared_data() else [MISSING]
    missing += [] if has_postgres() else [NO_SERVER]
    missing += [] if has_programs() else [NO_PROGRAMS]
    return missing if listens(BROKER) else [*missing, NO_BROKER]


def pytest_report_header() -> list[str]:
    return what_is_missing()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in what_is_missing():
        terminalreporter.write_line(line, yellow=True)

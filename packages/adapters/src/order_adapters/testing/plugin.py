"""Fixtures for other people's tests: a dry-run exchange, and a Bybit to trade on.

A test module or the top `conftest.py` asks for them by naming this module in `pytest_plugins`;
whoever wants another exchange overrides the fixture that holds its settings.
"""

from collections.abc import Iterator

import pytest

from order_adapters.bybit_server import ServerConfig
from order_adapters.bybit_server.catalogue import INSTRUMENTS
from order_adapters.clock import SystemClock
from order_adapters.simulator import FaultScript, SimulatedExchange, SimulatorConfig
from order_adapters.testing.local_bybit import LocalBybit
from order_adapters.venues.simulated import SimulatedVenue


@pytest.fixture
def bybit_config() -> ServerConfig:
    """Settings of `bybit_server`; override it for other accounts, instruments or faults."""
    return ServerConfig(admin=True, ip_limit=None)


@pytest.fixture
def bybit_server(bybit_config: ServerConfig) -> Iterator[LocalBybit]:
    """Give a Bybit whose market stands still until it is moved; gone when the test is over."""
    local = LocalBybit(bybit_config)
    local.start()
    yield local
    local.stop()


@pytest.fixture
def dry_run_config() -> SimulatorConfig:
    """Settings of `dry_run_exchange`; override it for other balances, latency or position mode."""
    return SimulatorConfig()


@pytest.fixture
def dry_run_exchange(dry_run_config: SimulatorConfig) -> SimulatedExchange:
    """Give an account without clock and I/O: whoever tests brings the time. Takes faults."""
    return SimulatedExchange(instruments=INSTRUMENTS, config=dry_run_config, faults=FaultScript())


@pytest.fixture
def dry_run_venue(dry_run_exchange: SimulatedExchange) -> SimulatedVenue:
    """Give the same account behind the Venue port, in real time; the test opens and closes it."""
    return SimulatedVenue(dry_run_exchange, SystemClock())

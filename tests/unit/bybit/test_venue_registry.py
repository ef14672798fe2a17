"""Every venue is made by its name."""

from order_adapters.clock import SystemClock
from order_adapters.registry import VENUES
from order_adapters.simulator import SimulatedExchange, SimulatorConfig
from order_adapters.venues.bybit.config import BybitConfig
from order_adapters.venues.bybit.hosts import HOSTS
from order_adapters.venues.bybit.venue import BybitVenue
from order_adapters.venues.simulated import SimulatedVenue
from order_domain.ports.venue import Venue
from tests.builders import an_instrument
from tests.unit.bybit.sockets import KEY


async def test_a_bybit_account_is_made_of_its_settings() -> None:
    venue: Venue = VENUES["bybit"](BybitConfig(hosts=HOSTS["demo"], credentials=KEY), SystemClock())

    assert isinstance(venue, BybitVenue)
    assert not venue.health.trades_by_socket
    await venue.close()


def test_a_simulated_account_is_made_of_its_exchange() -> None:
    exchange = SimulatedExchange(instruments=[an_instrument()], config=SimulatorConfig())

    assert isinstance(VENUES["simulated"](exchange, SystemClock()), SimulatedVenue)

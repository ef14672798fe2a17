"""Signals through a whole runtime: their order, and what makes them wait."""

from collections import Counter, defaultdict
from datetime import timedelta

from order_domain.config import EngineConfig
from order_domain.model.enums import OrderStatus
from order_domain.model.identifiers import InstrumentId
from order_domain.model.inputs import TransportState
from order_domain.model.reports import Answer
from order_domain.model.steps import SendAmend, SendCancel, SendCreate
from tests.builders import BTC, D, a_signal_id
from tests.integration.runtime_world import WatchedVenue, World

ETH = InstrumentId("linear:ETHUSDT")
BOTH = (BTC, ETH)


class CountingVenue(WatchedVenue):
    """Notes which instruments have commands on their way at once."""

    flights: Counter[InstrumentId]
    together: set[frozenset[InstrumentId]]

    async def send(self, command: SendCreate | SendAmend | SendCancel) -> Answer:
        instrument = command.order.terms.instrument_id
        self.flights[instrument] += 1
        self.together.add(frozenset(+self.flights))
        try:
            return await super().send(command)
        finally:
            self.flights[instrument] -= 1


async def test_50_signals_over_2_assets_keep_their_order_per_asset_and_fly_together() -> None:
    config = EngineConfig(
        market_order_spread_threshold=D(0),
        max_orders_per_second=D(1000),
        max_position_size=D(1000),
        max_exposure=D(10**9),
    )
    world = World(config=config, symbols=("BTCUSDT", "ETHUSDT"), rate_limit=None)
    world.venue.__class__ = CountingVenue
    assert isinstance(world.venue, CountingVenue)
    world.venue.flights, world.venue.together = Counter(), set()
    await world.start()
    for number in range(1, 51):
        await world.signal(number, instrument_id=BOTH[number % 2], amount=D(100 + number))
    await world.until(lambda: len(world.signals) == 50 and world.is_at_rest)
    await world.stop()

    sent = defaultdict(list)
    for create in world.creates:
        terms = create.command.order.terms
        sent[terms.instrument_id].append(terms.signal_id)
    for place, instrument in enumerate(BOTH):
        assert sent[instrument] == [a_signal_id(n) for n in range(1, 51) if n % 2 == place]
    assert frozenset(BOTH) in world.venue.together
    assert {order.status for order in world.orders} == {OrderStatus.FILLED}


async def test_while_the_exchange_cannot_be_reached_an_order_waits_and_is_not_tried() -> None:
    world = World()
    await world.start()
    world.venue._facts.put(TransportState(up=False))
    await world.turns()
    await world.signal(1)
    await world.pass_time(timedelta(seconds=2))
    waiting, tries = [order.status for order in world.orders], len(world.creates)
    world.venue._facts.put(TransportState(up=True))
    await world.until(lambda: world.is_at_rest and bool(world.orders))
    await world.stop()

    assert (waiting, tries) == ([OrderStatus.INTENT], 0)
    assert [order.status for order in world.orders] == [OrderStatus.FILLED]
    assert len(world.creates) == 1

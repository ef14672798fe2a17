"""What if: the decision of a signal on the rows of a store; nothing is written, nothing is sent."""

from collections.abc import Iterator
from datetime import datetime

import attrs
from dependency_injector import providers

from order_adapters.intake.signal_json import read_delivery
from order_adapters.simulator import SimulatedExchange
from order_adapters.venues.simulated import StateFile
from order_domain.engine import Engine
from order_domain.errors import BrokenInvariant
from order_domain.model.inputs import Input, StreamState, TransportState
from order_domain.model.order import Order
from order_domain.model.quote import Quote
from order_domain.model.reports import SweepResult
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.model.steps import Need, Step
from order_domain.ports.journal import Journal
from order_service.container import Container
from order_service.market import SyntheticFeed
from order_service.settings import Settings
from order_service.stores import MEMORY, Store, account_file, file_of, open_store


@attrs.frozen(slots=True)
class WhatIf:
    """What a signal would come to, and the orders it would make, in sequence."""

    row: SignalRow | DeliveryRow
    orders: tuple[Order, ...] = ()


async def what_if(settings: Settings, raw: bytes) -> WhatIf:
    """Decide one signal now, on the committed rows, whoever owns the account meanwhile.

    The price is one of the dry run's own market.

    Raises:
        StoreUnavailable, WrongSchema: The store cannot be read.
        SettingsError: The settings ask for what a dry run does not have.
    """
    container = Container(settings=providers.Object(settings))
    choices, now = container.choices(), container.clock().now()
    config = settings.engine_config(account=choices.account, environment=choices.environment)
    store = _existing(choices.store, container)
    await store.open()
    try:
        engine = Engine(config)
        engine.load(await store.journal.load(now - config.retention), now)
        engine.resume(now)
        exchange = _as_kept(container.exchange(), choices.store)
        for message in _surroundings(container.feed(), exchange, now):
            await _step(engine, message, now, store.journal)
        number = await store.views.last_delivery() + 1
        delivery = read_delivery(number, raw, settings.bybit.market_category)
        return _told(await _step(engine, delivery, now, store.journal))
    finally:
        await store.close()


def _existing(url: str, container: Container) -> Store:
    """The store, or an empty one: asking makes no file."""
    path = file_of(url)
    is_there = path is None or path.is_file()
    return open_store(url if is_there else MEMORY, container.clock())


def _as_kept(exchange: SimulatedExchange, url: str) -> SimulatedExchange:
    path = account_file(url)
    if path is not None and path.is_file():
        keeper = StateFile(path)
        try:
            kept = keeper.load()
        finally:
            keeper.close()
        if kept is not None:
            exchange.restore(kept)
    return exchange


def _surroundings(
    feed: SyntheticFeed, exchange: SimulatedExchange, now: datetime
) -> Iterator[Input]:
    """What an engine hears before its first signal."""
    yield from feed.instruments
    yield TransportState(up=True)
    yield StreamState(healthy=True)
    yield from _prices(feed, now)
    yield SweepResult(
        began_at=now,
        ended_at=now,
        complete=True,
        reason="START",
        orders=tuple(exchange.open_orders),
        positions=tuple(exchange.positions(now)),
        wallet=exchange.wallet(now),
    )


def _prices(feed: SyntheticFeed, now: datetime) -> Iterator[Quote]:
    """The first quote of every symbol of a market that begins now."""
    waiting = {instrument.id for instrument in feed.instruments}
    for row in feed.market(now):
        if isinstance(row, Quote) and row.instrument_id in waiting:
            waiting.discard(row.instrument_id)
            yield row
        if not waiting:
            return


async def _step(engine: Engine, message: Input, now: datetime, journal: Journal) -> Step:
    outcome = engine.step(message, now)
    if isinstance(outcome, Need):
        outcome = engine.step(message, now, await journal.read(outcome))
    if isinstance(outcome, Need):
        raise BrokenInvariant(input=type(message).__name__, asks_again_for=str(outcome))
    return outcome


def _told(step: Step) -> WhatIf:
    rows = [row for row in step.changes if isinstance(row, SignalRow | DeliveryRow)]
    orders = {row.client_order_id: row for row in step.changes if isinstance(row, Order)}
    return WhatIf(rows[-1], tuple(orders.values()))

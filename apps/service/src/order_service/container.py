"""Container: the composition root of the service, the only place that chooses its adapters."""

import os
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from dependency_injector import containers, providers

from order_adapters.clock import SystemClock
from order_adapters.intake.signal_json import read_delivery
from order_adapters.messaging.memory import MemoryPublisher, MemorySignalSource
from order_adapters.registry import Store
from order_adapters.simulator import SimulatedExchange, SimulatorConfig
from order_adapters.stores.postgres.shared import SharedTables
from order_adapters.venues.simulated import SimulatedVenue, StateFile
from order_domain.config import EngineConfig
from order_domain.engine import Engine
from order_domain.ports.clock import Clock
from order_domain.ports.venue import Venue
from order_service.broker import RabbitIntake, RabbitPublisher, make_intake, make_publisher
from order_service.bybit_account import BybitVenue, bybit_venue
from order_service.choices import Choices, choose
from order_service.desk import Desk
from order_service.event_log import EventLog
from order_service.market import SyntheticFeed
from order_service.refreshing import RefreshedVenue
from order_service.runtime.config import RuntimeConfig
from order_service.runtime.parts import Ports
from order_service.runtime.publishers import Publisher
from order_service.runtime.runtime import Runtime
from order_service.runtime.spans import Spans
from order_service.service import Service
from order_service.settings import Settings
from order_service.stores import account_file, is_shared, open_store
from order_service.traces import make_spans

if TYPE_CHECKING:
    from order_adapters.tracing.otel import OtelSpans

BUS: Final = "bus"
SHARED: Final = "shared-tables"


def _exchange(settings: Settings, choices: Choices, feed: SyntheticFeed) -> SimulatedExchange:
    config = SimulatorConfig(
        environment=choices.environment,
        balances={"USDT": settings.ordermanager.dry_run_balance},
        recv_window=settings.ordermanager.recv_window,
    )
    return SimulatedExchange(instruments=feed.instruments, config=config)


def _simulated(exchange: SimulatedExchange, clock: Clock, choices: Choices) -> SimulatedVenue:
    path = account_file(choices.store)
    keeper = None if path is None else StateFile(path)
    return SimulatedVenue(exchange, clock, keeper=keeper)


def _refreshed(settings: Settings, venue: SimulatedVenue, clock: Clock) -> RefreshedVenue:
    return RefreshedVenue(venue, clock, settings.ordermanager.instrument_info_refresh_interval)


def _desk(settings: Settings, intake: RabbitIntake | None, spans: Spans | None) -> Desk:
    bybit = settings.bybit
    read = partial(read_delivery, category=bybit.market_category, exceptions=bybit.asset_categories)
    return Desk(MemorySignalSource, read, intake, spans)


def _shared(settings: Settings, choices: Choices, store: Store) -> SharedTables | None:
    if not is_shared(choices.store):
        return None
    ours = settings.ordermanager
    return SharedTables(
        choices.store,
        store.views,
        schema=ours.shared_schema,
        is_dry=choices.is_dry,
        owns_positions=ours.owns_positions,
    )


def _publishers(
    publisher: RabbitPublisher | None, shared: SharedTables | None
) -> Mapping[str, Publisher]:
    found: dict[str, Publisher] = {BUS: EventLog(publisher or MemoryPublisher())}
    if shared is not None:
        found[SHARED] = shared
    return found


def _limits(settings: Settings, choices: Choices) -> EngineConfig:
    return settings.engine_config(account=choices.account, environment=choices.environment)


def _ports(
    clock: Clock,
    store: Store,
    venue: Venue,
    desk: Desk,
    publishers: Mapping[str, Publisher],
    spans: Spans | None,
) -> Ports:
    return Ports(
        journal=store.journal,
        outbox=store.outbox,
        venue=venue,
        source=desk,
        publishers=publishers,
        clock=clock,
        views=store.views,
        prune=store.prune,
        spans=spans,
        rates=venue.rates if isinstance(venue, BybitVenue) else None,
    )


def _runtime(settings: Settings, choices: Choices, url: str, ports: Ports) -> Runtime:
    engine_config = _limits(settings, choices)
    name = settings.ordermanager.service_name
    return Runtime(
        RuntimeConfig(
            owner=f"{name}@{socket.gethostname()}:{os.getpid()}",
            url=url,
            ttl=settings.ordermanager.lease_ttl,
            drain=settings.ordermanager.shutdown_timeout,
            audit_interval=settings.ordermanager.audit_interval,
        ),
        engine_config,
        lambda: Engine(engine_config),
        ports,
    )


def _dry_service(  # noqa: PLR0913, PLR0917 -- the parts it holds together
    settings: Settings,
    choices: Choices,
    store: Store,
    runtime: Callable[[], Runtime],
    desk: Desk,
    feed: SyntheticFeed,
    venue: SimulatedVenue,
    publisher: RabbitPublisher | None,
    spans: "OtelSpans | None",
) -> Service:
    return Service(
        choices=choices,
        limits=_limits(settings, choices),
        category_of=settings.bybit.category_of,
        store=store,
        runtime=runtime,
        desk=desk,
        market=partial(feed.play, venue),
        priced=feed.begun,
        events=publisher,
        closing=() if spans is None else (spans,),
    )


def _live_service(
    settings: Settings,
    choices: Choices,
    store: Store,
    runtime: Callable[[], Runtime],
    desk: Desk,
    publisher: RabbitPublisher | None,
    shared: SharedTables | None,
    spans: "OtelSpans | None",
) -> Service:
    return Service(
        choices=choices,
        limits=_limits(settings, choices),
        category_of=settings.bybit.category_of,
        store=store,
        runtime=runtime,
        desk=desk,
        stands_by=is_shared(choices.store),
        closing=[each for each in (shared, spans) if each is not None],
        events=publisher,
    )


class Container(containers.DeclarativeContainer):
    """Objects are made here without being opened; the lifespan opens them in order."""

    settings = providers.Dependency(instance_of=Settings)
    url = providers.Object("")

    clock: providers.Provider[Clock] = providers.Singleton(SystemClock)
    choices: providers.Provider[Choices] = providers.Singleton(choose, settings)
    store: providers.Provider[Store] = providers.Singleton(
        open_store, choices.provided.store, clock
    )
    intake: providers.Provider[RabbitIntake | None] = providers.Singleton(
        make_intake, settings, choices
    )
    publisher: providers.Provider[RabbitPublisher | None] = providers.Singleton(
        make_publisher, settings, choices, store
    )
    shared: providers.Provider[SharedTables | None] = providers.Singleton(
        _shared, settings, choices, store
    )
    publishers: providers.Provider[Mapping[str, Publisher]] = providers.Singleton(
        _publishers, publisher, shared
    )
    spans: providers.Provider["OtelSpans | None"] = providers.Singleton(
        make_spans, settings, choices
    )
    desk: providers.Provider[Desk] = providers.Singleton(_desk, settings, intake, spans)

    # a dry run's own market and exchange
    feed: providers.Provider[SyntheticFeed] = providers.Singleton(
        SyntheticFeed, settings.provided.ordermanager.dry_run_symbols, clock
    )
    exchange: providers.Provider[SimulatedExchange] = providers.Singleton(
        _exchange, settings, choices, feed
    )
    simulated: providers.Provider[SimulatedVenue] = providers.Singleton(
        _simulated, exchange, clock, choices
    )

    venue: providers.Provider[Venue] = providers.Selector(
        choices.provided.venue,
        simulated=providers.Singleton(_refreshed, settings, simulated, clock),
        # each owner connects anew: a runtime closes its venue when it ends
        bybit=providers.Factory(bybit_venue, settings, clock),
    )
    ports: providers.Provider[Ports] = providers.Factory(
        _ports, clock, store, venue, desk, publishers, spans
    )
    runtime: providers.Provider[Runtime] = providers.Factory(
        _runtime, settings, choices, url, ports
    )
    service: providers.Provider[Service] = providers.Selector(
        choices.provided.venue,
        simulated=providers.Singleton(
            _dry_service,
            settings,
            choices,
            store,
            runtime.provider,
            desk,
            feed,
            simulated,
            publisher,
            spans,
        ),
        bybit=providers.Singleton(
            _live_service,
            settings,
            choices,
            store,
            runtime.provider,
            desk,
            publisher,
            shared,
            spans,
        ),
    )

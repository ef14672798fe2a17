"""Session: the dry run of one command: an account taken over, a market playing, then given back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
from dependency_injector import providers

from order_domain.config import EngineConfig
from order_domain.model.enums import Verdict
from order_domain.model.inputs import DeliveryInvalid, Operator, SignalDelivered
from order_domain.model.order import Order
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.model.steps import Acknowledge, Reply
from order_domain.ports.views import Views
from order_service.container import Container
from order_service.desk import Desk
from order_service.logging import log_warnings
from order_service.runtime.outcome import RuntimeEnded
from order_service.runtime.runtime import Runtime
from order_service.settings import Settings

LOOK_SECONDS: Final = 0.05
FIRST_QUOTE_SECONDS: Final = 5.0
VERDICT_SECONDS: Final = 10.0
Delivery = SignalDelivered | DeliveryInvalid


@attrs.frozen(slots=True)
class Session:
    """A running account that one command works with."""

    views: Views
    config: EngineConfig
    _runtime: Runtime
    _desk: Desk

    async def ask(self, request: Operator) -> Reply:
        """Have a person's request decided. Raises RuntimeEnded."""
        return await self._runtime.ask(request)

    async def hand_in(self, raw: bytes) -> tuple[Delivery, Acknowledge]:
        """Bring one signal; return how it was read and its verdict. Raises Undecided."""
        return await self._desk.hand_in(raw, VERDICT_SECONDS)

    async def orders(self, ids: Sequence[str]) -> list[Order]:
        """Read orders as they are committed now."""
        found = [await self.views.order(each) for each in ids]
        return [order for order in found if order is not None]

    async def follow(
        self, ids: Sequence[str], seconds: float, is_done: Callable[[Order], bool]
    ) -> list[Order]:
        """Read orders until all are done or the time is over; return them as they are then."""
        looks = max(1, int(seconds / LOOK_SECONDS))
        orders = await self.orders(ids)
        while looks and not all(is_done(order) for order in orders):
            await asyncio.sleep(LOOK_SECONDS)
            orders = await self.orders(ids)
            looks -= 1
        return orders

    async def decided(self, signal_id: str, seconds: float) -> SignalRow:
        """Read the newest row of a signal; one that is parked is waited for."""
        looks = max(1, int(seconds / LOOK_SECONDS))
        row = (await self.views.signal(signal_id))[-1]
        while row.verdict is Verdict.PARKED and looks:
            await asyncio.sleep(LOOK_SECONDS)
            row = (await self.views.signal(signal_id))[-1]
            looks -= 1
        return row

    async def delivery(self, number: int) -> DeliveryRow:
        """Read what was kept of a delivery that brought nothing new. Raises LookupError."""
        async for row in self.views.stream(DeliveryRow):
            if row.number == number:
                return row
        raise LookupError(number)


@asynccontextmanager
async def open_session(settings: Settings) -> AsyncIterator[Session]:
    """Take the account of the settings' store over; a dry run has a market played into it.

    Raises:
        LeaseHeld: A service or another command owns the account.
        WrongMode: The store belongs to another account or mode.
        SettingsError: The settings ask for what a dry run does not have.
        StoreUnavailable, RuntimeEnded: As the runtime raises them.
    """
    log_warnings()
    container = Container(settings=providers.Object(settings))
    choices, store = container.choices(), container.store()
    await store.open()
    try:
        async with _running(container) as runtime:
            desk = container.desk()
            desk.open(await store.views.last_delivery())
            config = settings.engine_config(
                account=choices.account, environment=choices.environment
            )
            try:
                yield Session(store.views, config, runtime, desk)
            finally:
                desk.close()
    finally:
        await store.close()


@asynccontextmanager
async def _running(container: Container) -> AsyncIterator[Runtime]:
    runtime = container.runtime()
    try:
        await runtime.start()
    except BaseException:
        if container.choices().is_dry:
            await container.venue().close()  # the runtime closes it only once it has begun
        raise
    try:
        async with _market(container, runtime):
            yield runtime
    finally:
        await runtime.stop()


@asynccontextmanager
async def _market(container: Container, runtime: Runtime) -> AsyncIterator[None]:
    """Where the exchange is simulated, play its market; elsewhere wait for the first quotes."""
    if not container.choices().is_dry:
        await _quoted(runtime, len(container.settings().bybit.symbols))
        yield
        return
    feed = container.feed()
    market = asyncio.create_task(feed.play(container.simulated()), name="market")
    try:
        await _priced(runtime, market, len(feed.instruments))
        yield
    finally:
        market.cancel()
        await asyncio.gather(market, return_exceptions=True)


async def _quoted(runtime: Runtime, symbols: int) -> None:
    """Return once the engine has quotes of the symbols that were asked for, or none come."""
    looks = int(FIRST_QUOTE_SECONDS / LOOK_SECONDS)
    while runtime.metrics.quotes < symbols and looks and runtime.ended is None:
        await asyncio.sleep(LOOK_SECONDS)
        looks -= 1


async def _priced(runtime: Runtime, market: asyncio.Task[None], symbols: int) -> None:
    """Return once the engine has seen a price of every symbol."""
    while runtime.metrics.quotes < symbols:
        if market.done() or runtime.ended is not None:
            raise RuntimeEnded(reason="the market of the dry run never began")
        await asyncio.sleep(LOOK_SECONDS)

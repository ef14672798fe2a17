"""AccountReader: one order, or the whole account; what it calls complete is complete."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

import attrs

from order_adapters.venues.bybit import queries
from order_adapters.venues.bybit.bodies import is_foreign
from order_adapters.venues.bybit.client import ReadFailed
from order_adapters.venues.bybit.config import BybitConfig
from order_adapters.venues.bybit.knowledge import Knowledge
from order_adapters.venues.bybit.records import Batch
from order_adapters.venues.bybit.rest import BybitRest
from order_domain.model.enums import Category
from order_domain.model.execution import Execution
from order_domain.model.identifiers import InstrumentId, VenueOrderId, category_of, symbol_of
from order_domain.model.instrument import Instrument
from order_domain.model.order import Order
from order_domain.model.reports import (
    LookupResult,
    OrderReport,
    PositionReport,
    SweepResult,
    WalletReport,
)
from order_domain.model.steps import LookUp, Sweep

ROUNDS: Final = 3
"""How often positions are read again because something was traded meanwhile."""
_OLD: Final = timedelta(days=6)
"""An order older than this is looked for in history from its own day on."""
_MINUTE: Final = timedelta(minutes=1)
Decoded = TypeVar("Decoded")
log: Final = logging.getLogger(__name__)


@attrs.frozen(slots=True)
class _Found:
    order: OrderReport | None
    executions: tuple[Execution, ...]
    complete: bool = attrs.field(kw_only=True)


class _Reading:
    """What one look-up or sweep has read so far, and whether anything of it is missing."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self.complete = True

    async def rows(self, read: Awaitable[Batch[Decoded]]) -> tuple[Decoded, ...]:
        """Wait for a list. One that failed, or holds what cannot be read, is incomplete."""
        try:
            batch = await read
        except ReadFailed as error:
            log.warning("reading the account: %s", error)
            self.complete = False
            return ()
        if batch.quarantined:
            self._knowledge.put_aside(batch.quarantined)
            self.complete = False
        return batch.good

    async def wallet(self, read: Awaitable[WalletReport]) -> WalletReport | None:
        """Wait for the wallet."""
        try:
            return await read
        except ReadFailed as error:
            log.warning("reading the account: %s", error)
            self.complete = False
            return None


class AccountReader:
    """Reads by REST. Raises nothing for what network and exchange do."""

    def __init__(self, rest: BybitRest, config: BybitConfig, knowledge: Knowledge) -> None:
        self._rest = rest
        self._config = config
        self._knowledge = knowledge

    async def look_up(self, query: LookUp) -> LookupResult:
        """Ask realtime and executions, then history if realtime knows nothing.

        An order that leaves realtime meanwhile is found in history, which is asked after it.
        """
        sent_at = self._rest.client.exchange_now()
        if query.order is None:
            found = _Found(None, (), complete=False)
        else:
            found = await self._find(query.order, sent_at)
        return LookupResult(
            client_order_id=query.client_order_id,
            attempt=query.attempt,
            sent_at=sent_at,
            complete=found.complete,
            order=found.order,
            executions=found.executions,
        )

    async def _find(self, order: Order, now: datetime) -> "_Found":
        reading, rest, terms = _Reading(self._knowledge), self._rest, order.terms
        name, instrument = terms.client_order_id, terms.instrument_id
        category = Category(category_of(instrument))
        order_id = order.venue_order_id if is_foreign(order) else None
        since = terms.created_at - _MINUTE if now - terms.created_at > _OLD else None
        shown, executions = await asyncio.gather(
            reading.rows(
                rest.orders_of(queries.realtime_order(instrument, name, order_id), category)
            ),
            reading.rows(
                rest.executions_of(
                    queries.executions_of(instrument, name, order_id),
                    category,
                    self._knowledge.known,
                )
            ),
        )
        if not shown:
            past = queries.past_order(instrument, name, order_id, since)
            shown = await reading.rows(rest.orders_of(past, category))
        mine = [report for report in shown if _is_of(report, order, order_id)]
        fills = tuple(each for each in executions if _is_of(each, order, order_id))
        for report in mine:
            self._knowledge.learn_order(report)
        # rows of other orders: the question was not understood, so nothing is proven by silence
        understood = len(mine) == len(shown) and len(fills) == len(executions)
        shown_order = mine[0] if mine else None
        return _Found(shown_order, fills, complete=reading.complete and understood)

    async def sweep(self, query: Sweep) -> SweepResult:
        """Read open orders, executions, positions, wallet; stop at the first that fails.

        Positions are read between two readings of executions, and again while something was traded
        in between: what a position holds is then in the executions too.
        """
        began_at = self._rest.client.exchange_now()
        reading = _Reading(self._knowledge)
        orders = await self._open_orders(reading)
        since = self._begin(query, orders, began_at)
        found: dict[tuple[str, str], Execution] = {}
        positions: tuple[PositionReport, ...] = ()
        await self._executions(reading, since, found)
        for _ in range(ROUNDS):
            positions = await self._positions(reading)
            known = len(found)
            await self._executions(reading, max(since, began_at - _MINUTE), found)
            if len(found) == known or not reading.complete:
                break
        else:
            # the first start books the difference between the two for good
            reading.complete = reading.complete and not query.first
        wallet = await reading.wallet(self._rest.wallet()) if reading.complete else None
        return SweepResult(
            began_at=began_at,
            ended_at=self._rest.client.exchange_now(),
            complete=reading.complete,
            reason=query.reason,
            orders=orders,
            executions=tuple(
                sorted(found.values(), key=lambda each: (each.executed_at, each.sequence))
            ),
            positions=positions,
            wallet=wallet,
        )

    async def instruments(self) -> tuple[Instrument, ...]:
        """Read trading rules, with this account's fees and leverage. Raises ReadFailed."""
        found: list[Instrument] = []
        for category in self._config.categories:
            fees = {}
            try:
                rates = await self._rest.fee_rates(category)
                fees = {rate.instrument_id: rate for rate in rates.good}
            except ReadFailed as error:  # demo accounts have no such endpoint
                log.warning("fee rates unknown, a retail account's are assumed: %s", error)
            leverages = await self._leverages(category)
            batch = await self._rest.instruments(category, fees=fees, leverages=leverages)
            self._knowledge.put_aside(batch.quarantined)
            found.extend(batch.good)
        self._knowledge.instruments.update({each.id: each for each in found})
        return tuple(found)

    async def modes(self) -> dict[InstrumentId, bool]:
        """Tell which of the configured contracts are in hedge mode. Raises ReadFailed."""
        modes: dict[InstrumentId, bool] = {}
        for instrument in self._config.instruments:
            category = Category(category_of(instrument))
            if category is Category.SPOT:
                continue
            batch = await self._rest.positions(category, symbol_of(instrument))
            for report in batch.good:
                self._knowledge.learn_position(report)
            modes[instrument] = instrument in self._knowledge.hedged
        return modes

    async def _leverages(self, category: Category) -> dict[InstrumentId, Decimal]:
        """The smallest leverage of each configured contract: it needs the most margin."""
        found: dict[InstrumentId, Decimal] = {}
        for instrument in self._config.instruments:
            if category is Category.SPOT or category_of(instrument) != category:
                continue
            batch = await self._rest.leverages(category, symbol_of(instrument))
            values = [each.leverage for each in batch.good if each is not None]
            if values:
                found[instrument] = min(values)
        return found

    async def _open_orders(self, reading: _Reading) -> tuple[OrderReport, ...]:
        orders: list[OrderReport] = []
        for category, coin in self._parts():
            if reading.complete:
                orders += await reading.rows(self._rest.open_orders(category, settle_coin=coin))
        for report in orders:
            self._knowledge.learn_order(report)
        unique = {(each.instrument_id, each.venue_order_id): each for each in orders}
        return tuple(unique.values())

    async def _positions(self, reading: _Reading) -> tuple[PositionReport, ...]:
        positions: list[PositionReport] = []
        for category, coin in self._parts():
            if reading.complete and category is not Category.SPOT:
                positions += await reading.rows(self._rest.positions(category, settle_coin=coin))
        for report in positions:
            self._knowledge.learn_position(report)
        return tuple(positions)

    async def _executions(
        self, reading: _Reading, since: datetime, found: dict[tuple[str, str], Execution]
    ) -> None:
        known = self._knowledge.known
        for category in self._config.categories:
            if reading.complete:
                for each in await reading.rows(self._rest.executions(category, since, known)):
                    found[each.instrument_id, each.exec_id] = each

    def _begin(self, query: Sweep, orders: tuple[OrderReport, ...], began_at: datetime) -> datetime:
        """Since when executions count; at a first start those of orders still open count too."""
        begins = [query.since or began_at]
        if query.first:
            begins += [each.created_at for each in orders if each.cum_quantity]
        return min(begins)

    def _parts(self) -> list[tuple[Category, str]]:
        """Linear contracts are read by settle coin; the others as a whole."""
        return [
            (category, coin)
            for category in self._config.categories
            for coin in (self._config.settle_coins if category is Category.LINEAR else ("",))
        ]


def _is_of(row: OrderReport | Execution, order: Order, order_id: VenueOrderId | None) -> bool:
    if order_id is not None:
        return row.venue_order_id == order_id
    return row.client_order_id == order.terms.client_order_id

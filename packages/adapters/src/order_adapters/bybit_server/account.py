"""ServerAccount: one account of the server; its core, its books, and who waits for it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal
from itertools import count
from typing import Final

import attrs

from order_adapters.bybit_server.alarm import Alarm
from order_adapters.bybit_server.books import Books
from order_adapters.bybit_server.config import AccountConfig, ServerConfig
from order_adapters.bybit_server.failures import NoAnswer, Refused
from order_adapters.bybit_server.orders import OrderIndex
from order_adapters.bybit_server.protection import Protection
from order_adapters.bybit_server.publisher import Publisher
from order_adapters.bybit_server.signatures import RECV_WINDOW
from order_adapters.simulator import MarketTrade, SimulatedExchange
from order_adapters.simulator.fault_state import Plan
from order_adapters.simulator.market import Market
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import VenuePosition
from order_domain.model.enums import AnswerOutcome, Category, ExecutionKind, PositionSide, Side
from order_domain.model.execution import Execution
from order_domain.model.identifiers import InstrumentId
from order_domain.model.inputs import StreamState
from order_domain.model.instrument import ONE
from order_domain.model.quote import Quote
from order_domain.model.reports import Answer, OrderReport, WalletReport
from order_domain.model.steps import SendAmend, SendCancel, SendCreate
from order_domain.ports.clock import Clock

Command = SendCreate | SendAmend | SendCancel
LEVERAGE: Final = Decimal(10)
_MARGIN_QUANTUM: Final = Decimal("1e-10")


class ServerAccount:
    """Carries requests into the core at their time, and what comes of them to whoever waits.

    Attributes:
        exchange: The matching core; read it, and change it by the methods here.
        adjusts: Whether a limit price outside its band is cut to it rather than refused, by
            whether it is one of spot.
        on_liquidation: Called with every execution of a liquidation.
        on_disconnect: Called when a fault tears the private streams down.
    """

    def __init__(self, config: AccountConfig, server: ServerConfig, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.truncates = server.truncates
        self._has_faults = server.script is not None
        instruments = [each for each in server.instruments if each.category in config.categories]
        self.exchange = SimulatedExchange(
            instruments=instruments,
            config=server.simulator(config, timedelta(milliseconds=RECV_WINDOW)),
            faults=server.script,
        )
        self.exchange.records.take_changes()
        self.markets = self.exchange.account.markets
        if config.hedged:
            for market in self.markets.values():
                self.exchange.set_hedged(market.id, may_hedge(market))
        self.index = OrderIndex(self.exchange.records)
        self.books = Books(config.balances, self.markets)
        self.publisher = Publisher(self)
        self.protection = Protection(self)
        self.adjusts = {False: False, True: False}
        self._band = server.price_band
        self.leverage: dict[InstrumentId, Decimal] = {}
        self.on_disconnect: Callable[[], object] = lambda: None
        self.on_liquidation: Callable[[Execution], object] = lambda execution: execution
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._numbers = count(1)
        self._alarm = Alarm(clock, self.pump)
        self._latest = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """The clock, but never back: a wall clock may be set, an exchange's time only goes on."""
        self._latest = max(self._latest, self.clock.now())
        return self._latest

    def exchange_now(self) -> datetime:
        """What the exchange's own clock shows; a fault may have set it wrong."""
        return self.exchange.exchange_time(self.now())

    def next_number(self) -> int:
        """Number the next command; its answer carries the number as its attempt."""
        return next(self._numbers)

    async def send(self, command: Command) -> Answer:
        """Carry one command out.

        Raises:
            Refused: The exchange said no; the code of a fault may be one of HTTP.
            NoAnswer: A fault has eaten the answer.
        """
        number = command.order.attempt if isinstance(command, SendCreate) else command.attempt
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self.exchange.submit(command, self.now())
        self.pump()
        answer = await future
        if answer.code:
            raise Refused(answer.code, answer.text)
        if answer.outcome is not AnswerOutcome.ACCEPTED:
            raise NoAnswer
        return answer

    async def arrive(self, kind: str, link: str) -> Plan:
        """Let a reading arrive at the exchange; return what faults do to its answer.

        Raises:
            Refused, NoAnswer: A fault says so.
        """
        now = self.now()
        plan = self.exchange.reading(kind, link, now)
        if plan.lost or plan.answer_lost:
            await self.clock.sleep_until(now + self.exchange.config.answer_timeout)
            raise NoAnswer
        if plan.request_delay:
            await self.clock.sleep_until(now + plan.request_delay)
        if plan.code is not None:
            raise Refused(plan.code, "Server error.")
        self.pump()
        return plan

    async def leave(self, plan: Plan) -> None:
        """Let the answer to a reading come back."""
        if plan.answer_delay:
            await self.clock.sleep_until(self.now() + plan.answer_delay)

    def feed(self, news: Quote | MarketTrade) -> None:
        """Take what the market did just now."""
        if isinstance(news, Quote):
            self.exchange.on_quote(news, self.now())
        else:
            self.exchange.on_trade(news, self.now())
        self.pump()

    def pump(self) -> None:
        """Deliver everything that is due."""
        messages = self.exchange.poll(self.now())
        changed = self.exchange.records.take_changes()
        if changed is not None:
            self.index.note(changed[0].values())
            for execution in changed[1]:
                self.books.take(
                    execution, self.order_of(execution.client_order_id, execution.venue_order_id)
                )
        for message in messages:
            if isinstance(message, Answer):
                self._resolve(message)
            elif isinstance(message, StreamState):
                if not message.healthy:
                    self.on_disconnect()
            elif isinstance(message, OrderReport | Execution | WalletReport):
                self.publisher.publish(message)
                if isinstance(message, Execution) and message.kind is ExecutionKind.LIQUIDATION:
                    self.on_liquidation(message)
        self._alarm.set(self.exchange.next_due)

    def order_of(self, client_order_id: str, venue_order_id: str) -> VenueOrder | None:
        """Return the order that a report or an execution is about."""
        return self.exchange.records.orders.get(client_order_id or venue_order_id)

    def position(self, market: Market, side: PositionSide) -> VenuePosition:
        """Return a position; an empty one where there was none, without opening it."""
        found = self.exchange.account.positions.get((market.id, side))
        return VenuePosition(market.instrument, side) if found is None else found

    def sides(self, market: Market) -> tuple[PositionSide, ...]:
        """The positions an instrument has in its mode."""
        if market.hedged:
            return PositionSide.LONG, PositionSide.SHORT
        return (PositionSide.BOTH,)

    @property
    def lags(self) -> bool:
        """Whether readings may show an older state than there is."""
        return bool(self.exchange.config.visibility) or self._has_faults

    def leverage_of(self, instrument_id: InstrumentId) -> Decimal:
        """Leverage of an instrument, for both sides."""
        return self.leverage.get(instrument_id, LEVERAGE)

    def set_leverage(self, market: Market, leverage: Decimal) -> None:
        """Change what new orders and open positions bind as margin."""
        self.leverage[market.id] = leverage
        rate = (ONE / leverage).quantize(_MARGIN_QUANTUM, ROUND_UP)
        self.exchange.set_instrument(attrs.evolve(market.instrument, initial_margin_rate=rate))

    def priced(self, market: Market, side: Side, price: Decimal) -> Decimal:
        """A limit price as it is taken: cut to the band where the account wants that."""
        mark = market.mark_price()
        if mark is None or not self.adjusts[market.is_spot]:
            return price
        band, instrument = self._band, market.instrument
        if side is Side.BUY:
            return min(price, instrument.round_price_passive(mark * (1 + band), side))
        return max(price, instrument.round_price_passive(mark * (1 - band), side))

    def close(self) -> None:
        """Stop; whoever still waits for an answer does not get one."""
        self._alarm.close()
        self.protection.close()
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    def _resolve(self, answer: Answer) -> None:
        future = self._waiting.pop(answer.attempt, None)
        if future is not None and not future.done():
            future.set_result(answer)


def may_hedge(market: Market) -> bool:
    """Tell whether an instrument may have two positions: only USDT perpetuals do."""
    instrument = market.instrument
    return instrument.category is Category.LINEAR and instrument.settle_coin == "USDT"

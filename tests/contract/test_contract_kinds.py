"""What every venue must keep for each kind of contract: its coins, its units, what it is worth.

Perpetuals in USDT and USDC are bought by the coin and paid in quote; inverse ones are bought by the
dollar and paid in the coin.
"""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from order_adapters.bybit_server.catalogue import INSTRUMENTS
from order_domain.model.enums import AnswerOutcome, PositionSide, Side, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import Instrument
from order_domain.model.position import Position
from order_domain.model.quote import Quote
from order_domain.model.reports import OrderReport, SweepResult
from order_domain.model.steps import SendCreate, Sweep
from tests.builders import NOW, D, seconds
from tests.contract.venues import VENUES, Bench, look_up

QUANTITIES = {"linear:BTCUSDT": "0.02", "linear:BTCPERP": "0.02", "inverse:BTCUSD": "900"}
"""About the same value of each."""
KINDS = [each for each in INSTRUMENTS if each.id in QUANTITIES]
EXACT = D("1e-9")
"""Divisions of inverse contracts end somewhere; both sides round."""


@attrs.frozen
class Desk:
    """One kind of contract at one venue."""

    bench: Bench
    instrument: Instrument
    began_at: Any

    @property
    def name(self) -> InstrumentId:
        return self.instrument.id

    @property
    def quantity(self) -> Decimal:
        return D(QUANTITIES[self.name])

    def limit(self, name: str, **changes: Any) -> SendCreate:
        values = {"instrument_id": self.name, "quantity": self.quantity} | changes
        return self.bench.a_create(name, **values)

    async def take(self, name: str, side: Side, **changes: Any) -> Execution:
        """Trade at the market; returns the fill."""
        count = len(self.bench.of(Execution))
        market = self.bench.a_market(name).order.terms
        kind = {
            "order_type": market.order_type,
            "time_in_force": market.time_in_force,
            "price": None,
        }
        answer = await self.bench.venue.send(self.limit(name, side=side, **kind, **changes))
        assert answer.outcome is AnswerOutcome.ACCEPTED, answer
        fills: list[Execution] = await self.bench.told(Execution, count + 1)
        return fills[-1]

    async def sweep(self) -> SweepResult:
        found = await self.bench.venue.sweep(Sweep("PERIODIC", self.began_at))
        assert found.complete
        return found

    async def cash(self) -> Decimal:
        """What the wallet holds of the coin the contract is settled in."""
        wallet = (await self.sweep()).wallet
        assert wallet is not None
        (coin,) = [each for each in wallet.balances if each.coin == self.instrument.settle_coin]
        return coin.wallet


@pytest.fixture(params=KINDS, ids=lambda instrument: instrument.symbol)
def instrument(request: pytest.FixtureRequest) -> Instrument:
    found: Instrument = request.param
    return found


@pytest.fixture(params=VENUES)
async def desk(request: pytest.FixtureRequest, instrument: Instrument) -> AsyncIterator[Desk]:
    async with VENUES[request.param](instrument) as bench:
        yield Desk(bench, instrument, bench.exchange_now() - seconds(5))


async def test_its_trading_rules_and_quotes_are_told(desk: Desk) -> None:
    told = {each.id: each for each in await desk.bench.venue.instruments()}
    await desk.bench.until(lambda: desk.name in {q.instrument_id for q in desk.bench.of(Quote)})
    rules, quote = told[desk.name], desk.bench.of(Quote)[-1]

    assert attrs.evolve(rules, initial_margin_rate=desk.instrument.initial_margin_rate) == (
        attrs.evolve(desk.instrument, max_price=rules.max_price)
    )
    assert rules.is_on_tick(quote.bid)
    assert quote.bid < quote.ask


async def test_an_order_of_it_lives_and_ends(desk: Desk) -> None:
    create = desk.limit("a")
    made = await desk.bench.venue.send(create)
    more = desk.quantity + desk.instrument.quantity_step
    amend = desk.bench.an_amend(create.order, price=D(45900), quantity=more)
    amended = await desk.bench.venue.send(amend)
    found = await desk.bench.venue.look_up(look_up(create))
    sweep = await desk.sweep()
    cancelled = await desk.bench.venue.send(desk.bench.a_cancel(create.order))
    await desk.bench.until(lambda: desk.bench.of(OrderReport)[-1].status is VenueStatus.CANCELLED)

    assert {each.outcome for each in (made, amended, cancelled)} == {AnswerOutcome.ACCEPTED}
    assert found.order is not None
    assert [(o.instrument_id, o.price, o.quantity) for o in (found.order, *sweep.orders)] == [
        (desk.name, D(45900), more)
    ] * 2


@pytest.mark.parametrize("side", Side)
async def test_a_fill_pays_its_fee_in_the_settle_coin_and_makes_the_position_the_ledger_makes(
    desk: Desk, side: Side
) -> None:
    fill = await desk.take("a", side)
    sweep = await desk.sweep()
    ledger, _ = Position.flat(desk.name, PositionSide.BOTH, NOW).booked(fill, NOW)
    (position,) = sweep.positions
    rate = desk.instrument.taker_fee_rate
    expected = desk.instrument.notional(fill.price, fill.quantity) * rate

    assert (fill.instrument_id, fill.quantity) == (desk.name, desk.quantity)
    assert fill.fee_coin == desk.instrument.settle_coin
    assert abs(fill.fee - expected) < EXACT
    assert [each.exec_id for each in sweep.executions] == [fill.exec_id]
    assert (position.instrument_id, position.size) == (desk.name, ledger.size)
    assert position.average_price is not None
    assert ledger.average_price is not None
    assert abs(position.average_price / ledger.average_price - 1) < EXACT


@pytest.mark.parametrize(("opens", "closes"), [(Side.BUY, Side.SELL), (Side.SELL, Side.BUY)])
async def test_what_a_round_trip_gains_is_what_the_ledger_says_it_gains(
    desk: Desk, opens: Side, closes: Side
) -> None:
    before = await desk.cash()
    fills = [
        await desk.take("open", opens),
        await desk.take("more", opens),
        await desk.take("less", closes, reduce_only=True),
        await desk.take("rest", closes, reduce_only=True),
    ]
    after = await desk.cash()
    ledger = Position.flat(desk.name, PositionSide.BOTH, NOW)
    for fill in fills:
        ledger, _ = ledger.booked(fill, NOW)
    fees = ledger.fees[desk.instrument.settle_coin]

    assert ledger.size == 0
    assert ledger.realized_pnl < 0 < fees
    assert abs((after - before) - (ledger.realized_pnl - fees)) < EXACT
    assert (await desk.sweep()).positions == ()


async def test_a_reduction_beyond_the_position_is_refused(desk: Desk) -> None:
    answer = await desk.bench.venue.send(desk.limit("a", side=Side.SELL, reduce_only=True))

    assert (answer.outcome, answer.code) == (AnswerOutcome.REFUSED, 110017)

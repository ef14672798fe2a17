"""What a venue looks after by itself while it trades: clock, key, trading rules, position mode."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from order_adapters.bybit_server import AccountConfig
from order_adapters.simulator import Fault, FaultKind
from order_adapters.venues.bybit.checks import AccountRefused, check_account, check_key
from order_adapters.venues.bybit.client import ReadFailed
from order_adapters.venues.bybit.clock_offset import ClockState
from order_adapters.venues.bybit.config import BybitConfig
from order_adapters.venues.bybit.hosts import HOSTS
from order_adapters.venues.bybit.records import AccountInfo, KeyInfo
from order_adapters.venues.bybit.signing import Credentials
from order_domain.model.enums import AnswerOutcome, Category, PositionSide, Side
from order_domain.model.execution import Execution
from order_domain.model.identifiers import InstrumentId
from order_domain.model.inputs import ClockOffset, StreamState, TransportState
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote
from order_domain.model.reports import OrderReport
from order_domain.model.steps import Sweep
from tests.builders import BTC, NOW, D, seconds
from tests.integration.bybit_world import World, a_world

LINEAR = Category.LINEAR


def skewed(world: World, by: float) -> None:
    """Set the exchange's clock."""
    account = world.account
    fault = Fault(kind=FaultKind.CLOCK_SKEW, by=seconds(by), after=timedelta(0))
    account.exchange.inject(fault, account.now())


def tells(world: World, reason: str) -> bool:
    """Whether the account is restricted for this reason; a slow machine may add others."""
    return any(reason in state.reason for state in world.of(StreamState) if not state.healthy)


async def test_the_clock_is_measured_again_and_again() -> None:
    async with a_world(clock_interval=0.05) as world:
        await world.until(lambda: len(world.of(ClockOffset)) > 5)
        state = world.venue.health.clock

    assert state is ClockState.GOOD


async def test_a_clock_beyond_correction_stops_what_adds_risk_and_nothing_else() -> None:
    async with a_world(clock_interval=0.05) as world:
        resting = world.a_create("resting")
        await world.venue.send(resting)
        skewed(world, 40)
        await world.until(lambda: world.venue.health.clock is ClockState.STOP)
        await world.until(lambda: tells(world, "our clock is off"))
        opening = await world.venue.send(world.a_create("opening"))
        cancel = await world.venue.send(world.a_cancel(resting.order))

    assert opening.outcome is AnswerOutcome.NOT_SENT
    assert cancel.outcome is AnswerOutcome.ACCEPTED


def ban(world: World) -> None:
    """Answer the next create by 403, after which no HTTP request leaves for ten minutes."""
    fault = Fault(kind=FaultKind.BAN, request="create", accepted=False)
    world.account.exchange.inject(fault, world.account.now())


def can_leave(world: World) -> list[bool]:
    return [fact.up for fact in world.of(TransportState)]


async def test_x7_an_account_banned_from_http_without_a_socket_is_told_to_be_out_of_reach() -> None:
    async with a_world(Fault(kind=FaultKind.SILENT_STREAM, count=0), trades_by_socket=False) as w:
        ban(w)
        await w.venue.send(w.a_create("a"))
        await w.until(lambda: can_leave(w) == [False])
        banned = w.venue.health.http_banned
        w.venue._client.budget.http_stopped_until = 0.0
        await w.until(lambda: can_leave(w) == [False, True])

    assert banned


async def test_x7_while_the_order_entry_socket_is_up_a_ban_of_http_is_no_obstacle() -> None:
    async with a_world(Fault(kind=FaultKind.SILENT_STREAM, count=0)) as world:
        world.venue._client.budget.stop_http(600)
        answer = await world.venue.send(world.a_create("a"))
        assert world.venue._trade is not None
        world.venue._trade.down("a test")
        await world.until(lambda: can_leave(world) == [False])

    assert answer.outcome is AnswerOutcome.ACCEPTED


async def test_x22_trading_rules_are_read_again_when_an_orders_form_is_refused() -> None:
    async with a_world() as world:
        stale = world.venue._knowledge.instruments
        stale[BTC] = attrs.evolve(stale[BTC], tick_size=D("0.01"))
        answer = await world.venue.send(world.a_create("a", price=D("46000.05")))
        await world.until(lambda: world.of(Instrument))

    assert (answer.outcome, answer.code) == (AnswerOutcome.REFUSED, 10001)
    assert [(each.id, each.tick_size) for each in world.of(Instrument)] == [(BTC, D("0.1"))]


async def test_x23_a_key_that_became_dangerous_restricts_until_it_is_put_right() -> None:
    async with a_world(refresh_interval=0.05) as world:
        good = world.account.config
        world.account.config = attrs.evolve(good, may_withdraw=True)
        await world.until(lambda: tells(world, "may withdraw"))
        restricted = world.states()
        world.account.config = good
        await world.until(lambda: world.states()[-1])

    assert restricted[-1] is False


@pytest.mark.parametrize("days", [0, 13])
def test_x23_a_key_about_to_expire_is_warned_of(
    days: int, caplog: pytest.LogCaptureFixture
) -> None:
    key = KeyInfo(1, False, ("ContractTrade.Order",), (), NOW + timedelta(days=days))
    check_key(key, _settings(), NOW)

    assert "the API key expires at" in caplog.text


def test_a_key_with_time_left_is_passed_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    key = KeyInfo(1, False, ("ContractTrade.Order",), (), NOW + timedelta(days=15))
    check_key(key, _settings(), NOW)

    assert caplog.text == ""


def test_an_account_of_the_old_kind_is_refused() -> None:
    with pytest.raises(AccountRefused, match="unified"):
        check_account(AccountInfo(is_supported=False, margin_mode="REGULAR_MARGIN"))


async def test_an_account_in_hedge_mode_keeps_its_two_positions_apart() -> None:
    server = {"accounts": (AccountConfig(hedged=True),)}
    async with a_world(server=server, hedge_mode=True) as world:
        began_at = world.exchange_now() - seconds(5)
        long = world.a_market("long", position_side=PositionSide.LONG)
        short = world.a_market("short", side=Side.SELL, position_side=PositionSide.SHORT)
        answers = [await world.venue.send(each) for each in (long, short)]
        await world.until(lambda: len(world.of(Execution)) == 2 and len(world.of(OrderReport)) > 1)
        sweep = await world.venue.sweep(Sweep("PERIODIC", began_at))

    assert {answer.outcome for answer in answers} == {AnswerOutcome.ACCEPTED}
    sides = {e.client_order_id: e.position_side for e in world.of(Execution)}
    assert sides == {"long": PositionSide.LONG, "short": PositionSide.SHORT}
    assert {e.client_order_id: e.position_side for e in sweep.executions} == sides
    assert {p.position_side: p.size for p in sweep.positions} == {
        PositionSide.LONG: D("0.02"),
        PositionSide.SHORT: D("-0.02"),
    }


@pytest.mark.parametrize(
    ("instrument", "quantity"), [("inverse:BTCUSD", "100"), ("linear:BTCPERP", "0.02")]
)
async def test_in_hedge_mode_every_other_contract_stays_in_one_way_mode(
    instrument: str, quantity: str
) -> None:
    name = InstrumentId(instrument)
    server = {"accounts": (AccountConfig(hedged=True),)}
    config = {"categories": (Category.LINEAR, Category.INVERSE), "instruments": (BTC, name)}
    async with a_world(server=server, hedge_mode=True, **config) as world:
        create = world.a_market("a", instrument_id=name, quantity=D(quantity))
        answer = await world.venue.send(create)
        await world.until(lambda: world.of(Execution))
        fill = world.of(Execution)[-1]

    assert answer.outcome is AnswerOutcome.ACCEPTED
    assert (fill.instrument_id, fill.position_side) == (name, PositionSide.BOTH)


async def test_w8_with_early_fills_each_fill_is_still_booked_once_with_its_fee() -> None:
    async with a_world(fast_executions=True) as world:
        await world.venue.send(world.a_market("a"))
        await world.venue.send(world.a_market("b"))
        await world.until(lambda: len(world.of(Execution)) == 2)
        await world.until(lambda: len(world.of(OrderReport)) >= 2)

    fills = world.of(Execution)
    assert [(each.client_order_id, each.quantity) for each in fills] == [
        ("a", D("0.02")),
        ("b", D("0.02")),
    ]
    assert all(each.fee > 0 for each in fills)
    assert {each.cum_quantity for each in world.of(OrderReport)} == {D("0.02")}


async def test_w15_where_an_account_has_it_the_exchange_cancels_what_a_lost_stream_leaves() -> None:
    server = {"accounts": (AccountConfig(has_protection=True),)}
    async with a_world(server=server, disconnect_window=timedelta(seconds=3)) as world:
        is_protected = world.venue.health.protected
        await world.venue.send(world.a_create("a"))
        await world.until(lambda: world.of(OrderReport))
        await world.venue.close()
        await world.until(lambda: not world.account.exchange.records.open)
        (order,) = world.account.exchange.records.orders.values()

    assert is_protected
    assert order.client_order_id == "a"


async def test_w15_an_account_without_protection_trades_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_world(disconnect_window=timedelta(seconds=3)) as world:
        answer = await world.venue.send(world.a_create("a"))
        is_protected = world.venue.health.protected

    assert not is_protected
    assert answer.outcome is AnswerOutcome.ACCEPTED
    assert "will not cancel our orders when we are gone: " in caplog.text


async def test_the_other_endpoints_answer() -> None:
    async with a_world() as world:
        rest = world.venue.rest
        began_at = world.exchange_now() - seconds(5)
        await world.venue.send(world.a_market("a"))
        await world.until(lambda: world.of(Execution))
        tickers = await rest.tickers(LINEAR, "BTCUSDT")
        limit = await rest.price_limit(BTC)
        ended = await rest.orders_since(LINEAR, began_at)
        fees = await rest.fee_rates(LINEAR, "BTCUSDT")
        await world.venue.watch(BTC)

    assert [(type(each), each.bid) for each in tickers.good] == [(Quote, D(50000))]
    assert limit.highest_bid > 50000 > limit.lowest_ask
    assert [order.client_order_id for order in ended.good] == ["a"]
    assert [fee.instrument_id for fee in fees.good] == [BTC]


async def test_a_symbol_that_is_not_listed_is_no_answer() -> None:
    async with a_world() as world:
        with pytest.raises(ReadFailed):
            await world.venue.rest.price_limit(BTC.replace("BTCUSDT", "NOSUCH"))


async def test_opening_waits_for_an_exchange_that_is_not_there_yet() -> None:
    async with a_world(opens=False) as world:
        target, world.wire.target = world.wire.target, 1  # where nobody listens
        opening = asyncio.create_task(world.venue.open())
        await world.until(lambda: world.wire.refused > 2)
        is_waiting = not opening.done()
        world.wire.target = target
        await opening
        await world.connected()
        await world.venue.close()

    assert is_waiting


def _settings() -> BybitConfig:
    return BybitConfig(hosts=HOSTS["testnet"], credentials=Credentials("k", "s"))

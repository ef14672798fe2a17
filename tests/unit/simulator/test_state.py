"""An account as rows: what comes back goes on as if nothing had happened."""

import json

import attrs
import pytest

from order_adapters.simulator import AccountState, SimulatedExchange
from order_adapters.simulator.stop import Bracket, Leg, Stop, StopKind, TriggerBy
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category, Side
from order_domain.model.identifiers import InstrumentId
from tests.builders import BTC, D, an_instrument
from tests.unit.simulator.bench import Bench, ms

SPOT = InstrumentId("spot:BTCUSDT")


def a_busy_bench() -> Bench:
    """Orders of every kind, a position, spot coins, a closed order."""
    bench = Bench(an_instrument(), an_instrument(category=Category.SPOT), history_limit=ms(1000))
    bench.quote(instrument_id=SPOT)
    bench.cancel(bench.buy("0.02", 49990))
    bench.now += ms(2000)
    bench.buy(1)
    bench.cancel(bench.buy("0.02", 49990))
    bench.buy("0.5", instrument_id=SPOT)
    bench.buy("0.2", 49990, instrument_id=SPOT)
    bench.buy("0.2", 49990)
    bench.trade(49990, "2.5", Side.SELL)
    bench.sell("0.3", 50010, reduce_only=True)
    bench.wait(Stop(D(50500), rises=True), Bracket(Leg(D(51500)), None), price=D(50400))
    bench.wait(Stop(D(48500), rises=False, kind=StopKind.SPOT_TPSL, locks=True), instrument_id=SPOT)
    bench.create_with(
        bracket=Bracket(Leg(D(51000), limit=D(51010)), Leg(D(49000)), whole=False),
        price=D(49985),
        quantity=D("0.2"),
    )
    bench.guard(trailing=D(300), activation=D(51000), stop=Leg(D(48000), TriggerBy.MARK))
    bench.exchange.admin.fund(BTC, D("0.0001"), bench.now)
    bench.read()
    return bench


def come_back(bench: Bench, state: AccountState) -> Bench:
    """Another process: the state went through text."""
    text = json.dumps(attrs.asdict(state))
    values = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in json.loads(text).items()
    }
    exchange = SimulatedExchange(
        instruments=bench.exchange.instruments, config=bench.exchange.config
    )
    exchange.restore(AccountState(**values))
    other = Bench(*bench.exchange.instruments)
    other.exchange, other.now = exchange, bench.now
    other.clear()
    other._numbers = iter(range(100, 200))
    for instrument in bench.exchange.instruments:
        other.quote(instrument_id=instrument.id)
    return other


def go_on(bench: Bench) -> Bench:
    bench.clear()
    bench._numbers = iter(range(100, 200))
    bench.trade(49990, "0.6", Side.SELL)
    bench.trade(49984, "1", Side.SELL)
    bench.trade(50500, 1, Side.BUY)
    bench.sweep()
    bench.sell("0.9")
    bench.buy("0.2", client_order_id="order-1")
    bench.buy("0.2", client_order_id="order-2")
    bench.sell("0.4", instrument_id=SPOT)
    bench.look_up("order-3")
    return bench


def test_what_comes_back_goes_on_as_if_nothing_had_happened() -> None:
    bench = a_busy_bench()
    other = come_back(bench, bench.exchange.state())

    assert other.exchange.state() == bench.exchange.state()
    assert other.exchange.wallet(bench.now) == bench.exchange.wallet(bench.now)
    assert go_on(other).got == go_on(bench).got
    assert other.exchange.state() == bench.exchange.state()


def test_changes_put_together_are_the_state() -> None:
    bench = a_busy_bench()
    orders, executions = {}, {}
    assert bench.exchange.changes() is None

    def take(state: AccountState | None) -> None:
        assert state is not None
        orders.update({row["venue_order_id"]: row for row in state.orders})
        executions.update({row["exec_id"]: row for row in state.executions})

    take(bench.exchange.state())
    bench.buy("0.1")
    take(bench.exchange.changes())
    bench.cancel(bench.buy("0.1", 49980))
    bench.trade(49990, "0.55", Side.SELL)
    take(bench.exchange.changes())

    state = bench.exchange.state()
    assert bench.exchange.changes() is None
    assert {row["venue_order_id"]: row for row in state.orders} == orders
    assert {row["exec_id"]: row for row in state.executions} == executions


def test_an_account_is_brought_back_only_before_it_starts() -> None:
    bench = a_busy_bench()

    with pytest.raises(InvalidValue):
        bench.exchange.restore(bench.exchange.state())


def test_rows_of_an_unknown_instrument_are_refused() -> None:
    state = a_busy_bench().exchange.state()

    for part in (state, attrs.evolve(state, positions=())):
        exchange = SimulatedExchange(instruments=[])
        with pytest.raises(InvalidValue, match="instrument_id"):
            exchange.restore(part)

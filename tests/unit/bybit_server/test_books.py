"""What closings and the log say of random trading, against the core's own account."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from order_adapters.bybit_server import AccountConfig, BybitServer, ServerConfig
from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.market.feed import still_market
from order_adapters.clock import VirtualClock
from order_domain.model.enums import Side
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ZERO
from tests.builders import NOW

D = Decimal
LINEAR = InstrumentId("linear:BTCUSDT")
INVERSE = InstrumentId("inverse:BTCUSD")
SPOT = InstrumentId("spot:BTCUSDT")
STEPS = {LINEAR: D("0.001"), INVERSE: D(1), SPOT: D("0.000001")}
TRADES = st.lists(
    st.tuples(
        st.sampled_from((LINEAR, INVERSE, SPOT)),
        st.sampled_from(tuple(Side)),
        st.integers(20, 900),
        st.integers(-500, 500),
    ),
    max_size=25,
)


def an_account() -> tuple[BybitServer, ServerAccount, VirtualClock]:
    clock = VirtualClock(NOW)
    balances = {"USDT": D(10_000_000), "BTC": D(1_000)}
    config = ServerConfig(
        accounts=(AccountConfig(balances=balances),), latency=timedelta(0), admin=False
    )
    server = BybitServer(config, clock)
    for quote in still_market(config.instruments, NOW):
        server.feed(quote)
    return server, server.account(), clock


@given(TRADES)
def test_the_log_explains_every_balance_and_the_closings_every_profit(
    trades: list[tuple[InstrumentId, Side, int, int]],
) -> None:
    server, account, clock = an_account()
    for instrument, side, steps, move in trades:
        clock.advance_to(clock.now() + timedelta(milliseconds=1))
        bid = D(50_000 + move)
        server.move(instrument, bid, bid + D("0.5"), D(1_000_000))
        quantity = steps * STEPS[instrument] * (1000 if instrument is SPOT else 1)
        account.exchange.admin.place(instrument, side, quantity, account.now())
        account.pump()

    core, books = account.exchange.account, account.books
    for coin, wallet in core.wallets.items():
        changes = sum((entry.change for entry in books.log if entry.coin == coin), ZERO)
        assert wallet.total == account.config.balances.get(coin, ZERO) + changes
    for (name, side), position in core.positions.items():
        closings = [each for key, each in books.closings.items() if key[1] is side]
        mine = [each for each in closings if each.execution.instrument_id == name]
        assert sum((each.gain for each in mine), ZERO) == position.realized
        if not position.size:
            fees = sum((each.open_fee + each.close_fee for each in mine), ZERO)
            assert abs(fees - position.fees) < D("1e-12")


def test_a_reversal_closes_the_old_position_and_opens_the_new_one() -> None:
    _, account, clock = an_account()
    account.exchange.admin.place(LINEAR, Side.BUY, D("0.010"), account.now())
    clock.advance_to(clock.now() + timedelta(seconds=1))
    account.exchange.admin.place(LINEAR, Side.SELL, D("0.030"), account.now())
    account.pump()

    (closing,) = account.books.closings.values()
    bought, sold = account.exchange.records.executions
    assert closing.closed == D("0.010")
    assert closing.open_fee == bought.fee
    assert closing.close_fee == sold.fee / 3
    opened = next(iter(account.books.opened.values()))
    assert opened == clock.now()

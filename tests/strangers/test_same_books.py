"""One flow by pybit, by ccxt and by our own adapter, on three accounts: the same books."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import attrs
import ccxt
import pytest

from order_adapters.bybit_server import AccountConfig, ServerConfig
from order_adapters.clock import SystemClock
from order_adapters.testing import LocalBybit
from order_adapters.venues.bybit.config import BybitConfig
from order_adapters.venues.bybit.hosts import custom_hosts
from order_adapters.venues.bybit.signing import Credentials
from order_adapters.venues.bybit.venue import BybitVenue
from order_domain.model.enums import (
    AnswerOutcome,
    Category,
    OrderStatus,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
)
from order_domain.model.identifiers import InstrumentId
from order_domain.model.steps import SendAmend, SendCancel, SendCreate
from tests.builders import D, an_order
from tests.strangers.conftest import a_session
from tests.strangers.test_ccxt import point
from tests.strangers.waiting import until

LINEAR, SPOT = InstrumentId("linear:BTCUSDT"), InstrumentId("spot:BTCUSDT")
CATEGORIES = ("linear", "spot")
Books = tuple[Any, ...]


@attrs.frozen
class Step:
    """An order at the market."""

    market: InstrumentId
    is_buy: bool
    quantity: str
    closes: bool = False
    index: int = 0


ONE_WAY_STEPS = (
    Step(LINEAR, True, "0.01"),
    Step(LINEAR, False, "0.004", closes=True),
    Step(SPOT, True, "0.02"),
    Step(SPOT, False, "0.005"),
)
HEDGE_STEPS = (
    Step(LINEAR, True, "0.01", index=1),
    Step(LINEAR, False, "0.02", index=2),
    Step(LINEAR, True, "0.02", closes=True, index=2),
)
ACCOUNTS = tuple(
    AccountConfig(
        api_key=f"BOOKS{number}", secret=f"SECRETOFBOOKS{number}", user_id=number, hedged=number > 3
    )
    for number in range(1, 7)
)


@pytest.fixture
def books_bybit() -> Iterator[LocalBybit]:
    latency = timedelta(milliseconds=20)
    local = LocalBybit(ServerConfig(accounts=ACCOUNTS, latency=latency, ip_limit=None))
    local.start()
    yield local
    local.stop()


def by_pybit(bybit: LocalBybit, account: AccountConfig, steps: tuple[Step, ...]) -> None:
    session = a_session(bybit, account)
    where = {"category": "linear", "symbol": "BTCUSDT"}
    resting = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "49000"}
    index = 1 if account.hedged else 0
    session.place_order(orderLinkId="rests", positionIdx=index, **resting, **where)
    session.amend_order(orderLinkId="rests", qty="0.02", price="49100", **where)
    session.cancel_order(orderLinkId="rests", **where)
    for step in steps:
        more = {"marketUnit": "baseCoin"} if step.market == SPOT else {"positionIdx": step.index}
        session.place_order(
            category=step.market.partition(":")[0],
            symbol="BTCUSDT",
            side="Buy" if step.is_buy else "Sell",
            orderType="Market",
            qty=step.quantity,
            **more | ({"reduceOnly": True} if step.closes else {}),
        )
    session.client.close()


def by_ccxt(bybit: LocalBybit, account: AccountConfig, steps: tuple[Step, ...]) -> None:
    exchange = ccxt.bybit({"apiKey": account.api_key, "secret": account.secret})
    point(exchange, bybit)
    swap = "BTC/USDT:USDT"
    index = {"positionIdx": 1} if account.hedged else {}
    made = exchange.create_order(swap, "limit", "buy", 0.01, 49000, index)
    exchange.edit_order(made["id"], swap, "limit", "buy", 0.02, 49100)
    exchange.cancel_order(made["id"], swap)
    for step in steps:
        symbol = "BTC/USDT" if step.market == SPOT else swap
        more: dict[str, Any] = {"positionIdx": step.index} if step.index else {}
        more |= {"reduceOnly": True} if step.closes else {}
        side = "buy" if step.is_buy else "sell"
        exchange.create_order(symbol, "market", side, float(step.quantity), None, more)
    exchange.session.close()


def by_ours(bybit: LocalBybit, account: AccountConfig, steps: tuple[Step, ...]) -> None:
    asyncio.run(our_flow(bybit, account, steps))


def ours(step: Step, number: int, at: Any) -> SendCreate:
    sides = (PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT)
    return SendCreate(
        an_order(
            client_order_id=f"ours-{number}",
            instrument_id=step.market,
            side=Side.BUY if step.is_buy else Side.SELL,
            order_type=OrderType.MARKET,
            position_side=sides[step.index],
            reduce_only=step.closes,
            quantity=D(step.quantity),
            status=OrderStatus.SUBMITTING,
            attempt=1,
            request_ts=at,
        )
    )


async def our_flow(bybit: LocalBybit, account: AccountConfig, steps: tuple[Step, ...]) -> None:
    clock = SystemClock()
    config = BybitConfig(
        hosts=custom_hosts(bybit.rest_url, bybit.ws_url),
        credentials=Credentials(account.api_key, account.secret),
        categories=(Category.LINEAR, Category.SPOT),
        hedge_mode=account.hedged,
    )
    venue = BybitVenue(config, clock)
    await venue.open()
    while not venue.health.trades_by_socket:  # noqa: ASYNC110 -- it rings no bell
        await asyncio.sleep(0.01)
    now = clock.now
    rests = an_order(
        client_order_id="ours-rests",
        position_side=PositionSide.LONG if account.hedged else PositionSide.BOTH,
        quantity=D("0.01"),
        price=D(49000),
        time_in_force=TimeInForce.GTC,
        status=OrderStatus.SUBMITTING,
        attempt=1,
        request_ts=now(),
    )
    commands: list[Callable[[], Any]] = [
        lambda: SendCreate(rests),
        lambda: SendAmend(rests, 1, 1, now(), D(49100), D("0.02")),
        lambda: SendCancel(rests, 1, 1, now()),
    ]
    commands += [lambda s=step, n=n: ours(s, n, now()) for n, step in enumerate(steps)]
    for make in commands:
        answer = await venue.send(make())
        assert answer.outcome is AnswerOutcome.ACCEPTED, answer
    await venue.close()


def books(bybit: LocalBybit, account: AccountConfig, fills: int) -> Books:
    """What the exchange says of an account, without ids and times."""
    session = a_session(bybit, account)

    def executions() -> list[tuple[Any, ...]]:
        rows = [
            row | {"category": category}
            for category in CATEGORIES
            for row in session.get_executions(category=category)["result"]["list"]
        ]
        names = ("category", "side", "execPrice", "execQty", "execFee", "isMaker")
        return sorted(tuple(row[name] for name in names) for row in rows)

    until(lambda: len(executions()) == fills)
    held = session.get_positions(category="linear", symbol="BTCUSDT")["result"]["list"]
    positions = [
        (row["positionIdx"], row["side"], row["size"], row["avgPrice"], row["cumRealisedPnl"])
        for row in held
    ]
    wallet = session.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]["coin"]
    coins = sorted((row["coin"], row["walletBalance"]) for row in wallet)
    history = session.get_order_history(category="linear", symbol="BTCUSDT")["result"]["list"]
    orders = sorted((row["orderStatus"], row["qty"], row["cumExecQty"]) for row in history)
    resting = session.get_open_orders(category="linear", symbol="BTCUSDT")["result"]["list"]
    found = executions()
    session.client.close()
    return found, sorted(positions), coins, orders, len(resting)


@pytest.mark.parametrize(
    ("steps", "accounts"),
    [(ONE_WAY_STEPS, ACCOUNTS[:3]), (HEDGE_STEPS, ACCOUNTS[3:])],
    ids=["one-way, linear and spot", "hedged"],
)
def test_one_flow_leaves_the_same_books_whoever_sends_it(
    books_bybit: LocalBybit, steps: tuple[Step, ...], accounts: tuple[AccountConfig, ...]
) -> None:
    for send, account in zip((by_pybit, by_ccxt, by_ours), accounts, strict=True):
        send(books_bybit, account, steps)
    theirs, others, mine = (books(books_bybit, account, len(steps)) for account in accounts)
    cancelled = [D(quantity) for status, quantity, _ in mine[3] if status == "Cancelled"]
    assert cancelled == [D("0.02")]
    assert mine == theirs
    assert mine == others

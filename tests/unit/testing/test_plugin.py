"""The fixtures for other people's tests, asked for as they would ask."""

import httpx
import pytest

from order_adapters.bybit_server import AccountConfig, ServerConfig
from order_adapters.simulator import Fault, FaultKind, SimulatedExchange, SimulatorConfig
from order_adapters.testing import LocalBybit
from order_adapters.venues.simulated import SimulatedVenue
from order_domain.model.enums import AnswerOutcome, OrderStatus
from order_domain.model.inputs import StreamState
from order_domain.model.reports import Answer
from order_domain.model.steps import SendCreate
from tests.builders import NOW, D, a_quote, an_order, seconds

pytest_plugins = ["order_adapters.testing.plugin"]


def a_create() -> SendCreate:
    return SendCreate(an_order(status=OrderStatus.SUBMITTING, attempt=1, request_ts=NOW))


class TestOtherSettings:
    @pytest.fixture
    def bybit_config(self) -> ServerConfig:
        return ServerConfig(accounts=(AccountConfig(api_key="KEYOFATEST", balances={}),))

    @pytest.fixture
    def dry_run_config(self) -> SimulatorConfig:
        return SimulatorConfig(balances={"USDT": D(7)})

    def test_a_test_may_give_the_server_other_accounts(self, bybit_server: LocalBybit) -> None:
        assert bybit_server.account.api_key == "KEYOFATEST"

    def test_a_test_may_give_the_dry_run_another_wallet(
        self, dry_run_exchange: SimulatedExchange
    ) -> None:
        assert dry_run_exchange.account.wallet("USDT").total == D(7)


def test_the_server_answers_a_client_that_blocks_its_thread(bybit_server: LocalBybit) -> None:
    bybit_server.move("linear:BTCUSDT", "60000", "60000.1")
    where = f"{bybit_server.rest_url}/v5/market/tickers?category=linear&symbol=BTCUSDT"
    row = httpx.get(where, verify=False).json()["result"]["list"][0]
    assert (row["bid1Price"], row["ask1Price"]) == ("60000", "60000.1")


def test_the_trades_of_others_move_the_last_price(bybit_server: LocalBybit) -> None:
    bybit_server.trade("linear:BTCUSDT", "50123", "0.5", "Sell")
    bybit_server.liquidate("linear:BTCUSDT")  # nothing is held, so nothing happens
    market = f"{bybit_server.rest_url}/v5/market"
    where = "category=linear&symbol=BTCUSDT"
    ticker = httpx.get(f"{market}/tickers?{where}", verify=False).json()["result"]["list"][0]
    trade = httpx.get(f"{market}/recent-trade?{where}", verify=False).json()["result"]["list"][0]
    assert ticker["lastPrice"] == "50123"
    assert (trade["price"], trade["size"], trade["side"]) == ("50123", "0.5", "Sell")


def test_each_test_has_a_server_of_its_own_that_is_gone_afterwards() -> None:
    first, second = LocalBybit(ServerConfig()), LocalBybit(ServerConfig())
    first.start()
    second.start()
    assert first.rest_url != second.rest_url
    first.stop()
    second.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{first.rest_url}/v5/market/time", verify=False)


def test_a_server_that_cannot_listen_leaves_no_thread(bybit_server: LocalBybit) -> None:
    taken = int(bybit_server.rest_url.rpartition(":")[2])
    late = LocalBybit(ServerConfig(port=taken))
    with pytest.raises(OSError, match="in use"):
        late.start()
    assert not late._thread.is_alive()


def test_the_dry_run_takes_faults_and_the_time_of_the_test(
    dry_run_exchange: SimulatedExchange,
) -> None:
    dry_run_exchange.on_quote(a_quote(), NOW)
    dry_run_exchange.inject(Fault(kind=FaultKind.ANSWER_CODE, code=110007), NOW)
    dry_run_exchange.submit(a_create(), NOW)
    told = dry_run_exchange.poll(NOW + seconds(1))
    answers = [each for each in told if isinstance(each, Answer)]
    assert [each.outcome for each in answers] == [AnswerOutcome.REFUSED]


async def test_the_dry_run_behind_the_port_tells_that_it_is_healthy(
    dry_run_venue: SimulatedVenue,
) -> None:
    await dry_run_venue.open()
    await dry_run_venue.close()
    facts = [fact async for fact in dry_run_venue.facts()]
    assert isinstance(facts[0], StreamState)
    assert facts[0].healthy

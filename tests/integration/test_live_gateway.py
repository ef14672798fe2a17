"""The live pipeline where the ws-gateway tells of our orders: RabbitMQ, PostgreSQL, a local Bybit.

Nothing but the gateway's word can settle an order in these tests: the account is read on demand or
after a gap alone, and an order that nothing is heard of is looked up after a minute.
"""

import json
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.venues.bybit.signing import Credentials
from tests.integration.live_service import (
    KEY,
    SECRET,
    LiveService,
    LocalBybit,
    local_bybit,
    until,
)
from tests.integration.test_live_broker import collect, encoded, on
from tests.neighbours import Linker, ModelService
from tests.rabbitmq_server import channel_to, send, waiting
from tests.ws_gateway import WsGateway

BY_ITS_WORD_ALONE = {
    "ORDERMANAGER_SWEEP_INTERVAL": "110",
    "ORDERMANAGER_ACKED_SILENCE": "60",
    "ORDERMANAGER_CANCEL_SAME_STRATEGY_ONLY": "true",
    "WS_GATEWAY_CHECK_EVERY": "0.1",
}


@pytest.fixture
def bybit(tmp_path: Path) -> Iterator[LocalBybit]:
    with local_bybit(tmp_path) as server:
        yield server


@pytest.fixture
async def gateway(bybit: LocalBybit, rabbit: RabbitConfig) -> AsyncIterator[WsGateway]:
    queue = rabbit.signals.replace("signals", "gateway")
    with WsGateway(
        rabbit, queue, bybit.url.replace("http", "ws"), Credentials(KEY, SECRET)
    ) as made:
        yield made
    async with channel_to(rabbit) as channel:
        await channel.queue_delete(queue)


@pytest.fixture
def service(
    tmp_path: Path,
    bybit: LocalBybit,
    emptied_postgres: str,
    rabbit: RabbitConfig,
    gateway: WsGateway,
) -> Iterator[LiveService]:
    own = on(rabbit) | gateway.settings | BY_ITS_WORD_ALONE
    with LiveService(tmp_path, bybit, emptied_postgres, **own) as running:
        yield running.ready()


def held(bybit: LocalBybit) -> Decimal:
    return sum((Decimal(each["size"]) for each in bybit.state()["positions"]), Decimal(0))


def placed(service: LiveService, **form: Any) -> str:
    """A person's order; its id."""
    body = {"asset": "BTCUSDT", "side": "buy", "quantity": "0.01"} | form
    key = {"Idempotency-Key": str(uuid4())}
    answer = service.http.post("/api/v1/orders", params={"wait": 5}, json=body, headers=key)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["orders"][0]["client_order_id"])


def causes(service: LiveService) -> set[str]:
    """What restricts the account now."""
    states = service.get("/trading-state")["states"]
    return {each["cause"] for each in states if each["state"] != "ACTIVE"}


def events_of(service: LiveService, kind: str) -> list[dict[str, Any]]:
    found = service.get("/events", after=0, limit=1000)["events"]
    return [each for each in found if each["kind"] == kind]


async def test_a_signal_in_its_fill_by_the_gateway_its_event_out(
    service: LiveService, bybit: LocalBybit, rabbit: RabbitConfig, gateway: WsGateway
) -> None:
    for number in range(1, 4):
        await send(rabbit, encoded(number, strategy_id=f"s{number}"))
    events = await collect(rabbit, 3)
    until(lambda: service.position() == held(bybit))
    position = service.position()
    booked = service.get("/executions", limit=100)["executions"]
    assert service.stop() == 0
    model, linker = ModelService(), Linker()
    fills = [fill for each in events if (fill := model.read(json.dumps(each).encode()))]
    for each in events:
        linker.read(json.dumps(each).encode())

    assert gateway.relayed >= 2 * 3  # each update is told twice
    assert {fill.strategy_id for fill in fills} == {"s1", "s2", "s3"}
    assert len(fills) == 3
    assert linker.position == position == held(bybit) > 0
    assert len({each["exec_id"] for each in booked}) == len(booked)
    assert await waiting(rabbit, rabbit.signals) == 0


async def test_a_gateway_that_comes_back_is_asked_again_and_what_it_missed_is_booked_once(
    service: LiveService, bybit: LocalBybit, gateway: WsGateway
) -> None:
    placed(service)
    until(lambda: service.position() == held(bybit) > 0)
    price = Decimal(service.get("/positions/BTCUSDT")["current_price"])
    rest = round(price * Decimal("0.97"))
    name = placed(service, price=str(rest))
    before = service.position()
    gateway.stop()
    until(lambda: "STREAM" in causes(service))
    low = {"bid": str(rest - 50), "ask": str(rest - 49)}
    bybit.post("market", running=False)
    bybit.post("quote", category="linear", symbol="BTCUSDT", **low)
    until(lambda: held(bybit) > before)
    missed = service.position()
    gateway.start()
    until(lambda: not causes(service))
    until(lambda: service.position() == held(bybit))
    executions = service.get(f"/orders/{name}/executions")["executions"]
    relayed = gateway.relayed
    placed(service, side="sell", quantity="0.005")
    until(lambda: gateway.relayed > relayed)
    until(lambda: service.position() == held(bybit))

    assert gateway.lives == 2
    assert gateway.is_asked
    assert missed == before
    assert sum(Decimal(each["quantity"]) for each in executions) == Decimal("0.01")
    assert service.get(f"/orders/{name}")["state"] == "FILLED"
    assert len(events_of(service, "order_filled")) == 3


async def test_a_signal_that_comes_while_the_gateway_is_away_waits_for_it(
    service: LiveService, bybit: LocalBybit, rabbit: RabbitConfig, gateway: WsGateway
) -> None:
    gateway.stop()
    until(lambda: "STREAM" in causes(service))
    await send(rabbit, encoded(1))
    until(lambda: bool(service.get("/signals")["signals"]))
    (waiting_one,) = service.get("/signals")["signals"]
    before = len(bybit.state()["orders"])
    gateway.start()
    await collect(rabbit, 1)
    (signal,) = service.get("/signals")["signals"]

    assert (waiting_one["verdict"], before) == ("parked", 0)
    assert signal["verdict"] == "ordered"
    assert len(bybit.state()["orders"]) == 1

"""kill -9 of the live service where events leave for the broker and where bytes leave for Bybit.

Restarted, it drains: one order a signal, the same books on both sides, every fill told.
"""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from tests.integration.live_service import LiveService, LocalBybit, local_bybit, until
from tests.integration.service_process import a_body
from tests.integration.test_live_broker import on
from tests.rabbitmq_server import channel_to, drain, send

SIGNALS = 6
FAST = {
    "ORDERMANAGER_LEASE_TTL": "1",
    "ORDERMANAGER_RECV_WINDOW": "1",
    "ORDERMANAGER_VISIBILITY": "0.2",
    "ORDERMANAGER_ABSENCE_GAP": "0.2",
    "ORDERMANAGER_SWEEP_INTERVAL": "1",
    "ORDERMANAGER_CANCEL_SAME_STRATEGY_ONLY": "true",
    "BYBIT_TRADE_BY_SOCKET": "false",
}


@pytest.fixture
def bybit(tmp_path: Path) -> Iterator[LocalBybit]:
    with local_bybit(tmp_path) as server:
        yield server


@pytest.mark.parametrize(
    "point",
    [
        "outbox.after_confirm:5",
        "cursor.before_move:2",
        "submit.mid_send:2",
    ],
)
async def test_a_kill_where_something_leaves_loses_and_doubles_nothing(
    tmp_path: Path, bybit: LocalBybit, emptied_postgres: str, rabbit: RabbitConfig, point: str
) -> None:
    bodies = [a_body(n, strategy_id=f"s{n}") for n in range(1, SIGNALS + 1)]
    settings = on(rabbit) | FAST
    dying = {"ORDER_MANAGER_CRASH_AT": point}
    async with channel_to(rabbit) as channel:  # as the model service does, long before us
        await channel.declare_queue(rabbit.signals, durable=True)
    await send(rabbit, *(json.dumps(body).encode() for body in bodies))
    with LiveService(tmp_path, bybit, emptied_postgres, **settings, **dying) as service:
        service.read_rest()
    with LiveService(tmp_path, bybit, emptied_postgres, **settings) as again:
        again.ready()
        until(lambda: ended(again) == SIGNALS, seconds=40)
        orders = again.get("/orders", limit=100)["orders"]
        assert again.stop() == 0
        held = bybit.state()
    events = [json.loads(each.body) for each in await drain(rabbit, rabbit.events)]

    assert service.process.returncode == -signal.SIGKILL
    placed = [each["client_order_id"] for each in held["orders"]]
    assert len(placed) == len(set(placed))
    filled = {each["client_order_id"] for each in orders if each["status"] == "filled"}
    assert filled <= set(placed)
    told = {each["signal"]["signal_id"] for each in events if each["event_type"] == "filled"}
    assert told == {each["signal_id"] for each in orders if each["status"] == "filled"}


def ended(service: LiveService) -> int:
    orders = service.get("/orders", limit=100)["orders"]
    return sum(each["status"] in ("filled", "rejected", "cancelled") for each in orders)

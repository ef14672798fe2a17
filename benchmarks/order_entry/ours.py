"""Our venue adapter as the runtime uses it: `send` of a claimed create, by socket or by REST."""

import asyncio
import sys
from datetime import UTC, datetime
from decimal import Decimal

import attrs

from benchmarks.order_entry.timing import measure, place
from order_adapters.clock import SystemClock
from order_adapters.venues.bybit.config import BybitConfig
from order_adapters.venues.bybit.hosts import custom_hosts
from order_adapters.venues.bybit.relayed import RelayedStream
from order_adapters.venues.bybit.signing import Credentials
from order_adapters.venues.bybit.venue import BybitVenue
from order_domain.model.enums import AnswerOutcome, OrderStatus, TimeInForce
from order_domain.model.order import Order, OrderTerms
from order_domain.model.steps import SendCreate
from order_service.heap import look_for_cycles_rarely
from tests.builders import some_terms

PRICE = Decimal(46000)
TERMS = some_terms(time_in_force=TimeInForce.IOC)
VALUES = {field.name: getattr(TERMS, field.name) for field in attrs.fields(OrderTerms)}


def a_create(name: str) -> SendCreate:
    """What the engine hands over; making it is the engine's part, so it is made plainly."""
    now = datetime.now(UTC)
    terms = OrderTerms(**VALUES | {"client_order_id": name})
    return SendCreate(
        Order(
            terms,
            OrderStatus.SUBMITTING,
            terms.requested_quantity,
            PRICE,
            now,
            attempt=1,
            request_ts=now,
        )
    )


class NoStream:
    """Stands for the private stream: nobody else's client reads one while it sends orders."""

    def __init__(self, _: RelayedStream) -> None:
        pass

    def open(self) -> None:
        pass

    async def close(self) -> None:
        pass


async def drain(venue: BybitVenue) -> None:
    async for _ in venue.facts():
        pass


async def main() -> None:
    look_for_cycles_rarely()
    where = place()
    by_socket = sys.argv[1] == "socket"
    config = BybitConfig(
        hosts=custom_hosts(where["rest"], where["ws"]),
        credentials=Credentials(where["key"], where["secret"]),
        trades_by_socket=by_socket,
    )
    venue = BybitVenue(config, SystemClock(), NoStream)
    # The bench asks for more orders a second than the account's share: nobody waits for a turn.
    venue._client.turn = no_wait  # type: ignore[method-assign]  # noqa: SLF001
    reader = asyncio.create_task(drain(venue))
    await venue.open()
    while venue.health.trades_by_socket is not by_socket:  # noqa: ASYNC110 -- rings no bell
        await asyncio.sleep(0.01)

    async def send(name: str) -> None:
        answer = await venue.send(a_create(name))
        if answer.outcome is not AnswerOutcome.ACCEPTED:
            raise RuntimeError(f"not taken: {answer}")

    await measure(send)
    await venue.close()
    await reader


async def no_wait(*_: object, **__: object) -> str:
    return ""


if __name__ == "__main__":
    asyncio.run(main())

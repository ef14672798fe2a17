"""Link: one connection to the broker for one purpose, made again whenever it is gone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError

from order_adapters.messaging.rabbitmq.config import RabbitConfig
from order_adapters.messaging.rabbitmq.incoming import CutConnection

log: Final = logging.getLogger(__name__)
# What a broker, a network or their absence may raise; anything else is a defect and is told as one.
TROUBLE: Final = (AMQPError, OSError, TimeoutError, aio_pika.exceptions.ChannelInvalidStateError)
HELD: Final = "in exclusive use"
"""What RabbitMQ says of a queue that another consumer has: it answers, and there is no reason to
come back ever later."""
GOODBYE_S: Final = 1.0
CANCEL_AGAIN_S: Final = 1.5
"""Longer than the goodbye, which a second cancellation would cut short."""
Use = Callable[[AbstractConnection], Awaitable[None]]


class Link:
    """Connects, lets the connection be used, and begins again when it ends.

    aio-pika's own reconnecting connection is not used: it brings consumers back by itself, and here
    a delivery must know whether the channel it came by is dead.

    Attributes:
        is_up: The connection is there and set up for its purpose.
        reason: Why it is not.
    """

    def __init__(self, config: RabbitConfig, purpose: str, use: Use, random: Random) -> None:
        self._config = config
        self._purpose = purpose
        self._use = use
        self._random = random
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_held = False
        self.is_up = False
        self.reason = "not connected yet"

    def open(self) -> None:
        """Begin to connect."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"rabbitmq {self._purpose}")

    async def close(self) -> None:
        """Disconnect, and stay away."""
        task, self._task = self._task, None
        while task is not None and not task.done():
            # the client swallows a cancellation that meets it in the middle of a call
            task.cancel()
            await asyncio.wait({task}, timeout=CANCEL_AGAIN_S)

    def up(self) -> None:
        """The user of the connection is ready."""
        if not self.is_up:
            log.info("%s: connected to %s", self._purpose, self._config.shown)
        self.is_up, self.reason = True, ""
        self._changed.set()

    def down(self, reason: str) -> None:
        """It is gone, or must not be used."""
        if self.is_up or reason != self.reason:
            log.warning("%s: %s", self._purpose, reason)
        self.is_up, self.reason = False, reason
        self._changed.clear()

    async def until_up(self) -> None:
        """Return once it is up."""
        await self._changed.wait()

    async def _run(self) -> None:
        """Keep a connection, for ever: nobody else would notice that this ended."""
        failures = 0
        while True:
            self._is_held = False
            was_up = await self._once()
            if is_cancelled():  # and what it met made another error of it
                return
            failures = 1 if was_up or self._is_held else failures + 1
            await asyncio.sleep(self._wait(failures))

    async def _once(self) -> bool:
        """Use one connection until it ends; return whether it was of use."""
        connection: AbstractConnection | None = None
        was_up = False
        try:
            async with asyncio.timeout(self._config.answer_within.total_seconds()):
                connection = await aio_pika.connect(
                    self._config.url,
                    client_properties={
                        "connection_name": f"{self._config.name} {self._purpose}",
                    },
                    heartbeat=round(self._config.heartbeat.total_seconds()),
                    connection_class=CutConnection,
                )
            await self._use(connection)
            self.down("the connection ended")
        except TROUBLE as error:
            was_up = self.is_up
            self._is_held = HELD in str(error)
            self.down(f"{type(error).__name__}: {error}"[:300])
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            # the client cancels what waits on a connection that it gives up
            was_up = self.is_up
            self.down("the client gave the connection up")
        except Exception as error:
            was_up = self.is_up
            self.down(f"defect: {type(error).__name__}: {error}"[:300])
            log.exception("%s: the use of a connection failed", self._purpose)
        finally:
            self.is_up = False
            self._changed.clear()
            if connection is not None:
                await self._close(connection)
        return was_up

    async def _close(self, connection: AbstractConnection) -> None:
        """Give it back; a broker that does not answer is not waited for."""
        try:
            async with asyncio.timeout(GOODBYE_S):
                await connection.close()
        except asyncio.CancelledError:
            if is_cancelled():
                raise
        except Exception as error:  # noqa: BLE001 -- it is given up in any case
            log.info("%s: closing: %s: %s", self._purpose, type(error).__name__, error)

    def _wait(self, failures: int) -> float:
        first = self._config.first_wait.total_seconds()
        longest = self._config.longest_wait.total_seconds()
        wait: float = min(longest, first * 2.0 ** min(failures - 1, 20))
        if self._is_held:
            wait = self._config.held_wait.total_seconds()
        return wait * self._random.uniform(0.5, 1.0)


def is_cancelled() -> bool:
    """Whether somebody wants this task to end.

    The client cancels what waits on a connection that it gives up: whoever awaits the client and
    catches a cancellation asks here whether it was meant for him.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

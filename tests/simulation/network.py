"""Link: the way from one node to a server and back. Everything on it may be late or lost."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any, Final, TypeVar

from tests.simulation.loop import NOBODY, Process, SimulationLoop
from tests.simulation.plan import Plan
from tests.simulation.trace import Trace

T = TypeVar("T")
LATEST: Final = 20.0
"""A request that hangs in a socket or a proxy leaves it at the latest after so many seconds."""


class Lost(Exception):
    """No answer in time: whether the request was served is not known."""


class Refused(Exception):
    """There was no connection: nothing has left."""


class Silence(Exception):
    """Served, and nothing is said about it."""


class Wires:
    """What all links share: the loop, chance, and who is cut off from what."""

    def __init__(self, loop: SimulationLoop, plan: Plan, trace: Trace) -> None:
        self.loop = loop
        self.trace = trace
        self.rates = dict(plan.rates)
        self.random = Random(f"{plan.seed}:network")
        self.cut: set[tuple[str, str]] = set()
        self.down: set[str] = set()
        self.deaf: set[tuple[str, str]] = set()
        self.moment: Callable[[str, Process], None] = lambda _kind, _process: None

    def strikes(self, kind: str) -> bool:
        rate = self.rates.get(kind)
        return rate is not None and self.random.random() < rate

    def is_deaf(self, server: str, process_name: str) -> bool:
        return (server, process_name.partition("#")[0]) in self.deaf

    def is_cut(self, server: str, node: str) -> bool:
        return server in self.down or (server, node) in self.cut


class Link:
    """One node's way to one server.

    Args:
        server: `store`, `exchange` or `broker`; names its faults.
        delay: Seconds one way, shortest and longest.
        timeout: Seconds after which an answer is no longer waited for.
    """

    def __init__(
        self,
        wires: Wires,
        server: str,
        process: Process,
        *,
        delay: tuple[float, float],
        timeout: float,
    ) -> None:
        self._wires = wires
        self._server = server
        self._process = process
        self._delay = delay
        self._timeout = timeout

    @property
    def is_cut(self) -> bool:
        return self._wires.is_cut(self._server, self._process.name.partition("#")[0])

    def moment(self, kind: str) -> None:
        """Tell the world of a moment at which it may let this node crash or freeze."""
        self._wires.moment(kind, self._process)

    def strikes(self, how: str, what: str) -> bool:
        """Whether chance wants this fault of the server now."""
        kind = f"{self._server}.{how}"
        if not self._wires.strikes(kind):
            return False
        self._wires.trace.fault(self._process.name, kind, what)
        return True

    async def ask(self, what: str, serve: Callable[[], T]) -> T:
        """Have something served over there. Raises Lost, Refused, and what `serve` raises."""
        wires, server, loop = self._wires, self._server, self._wires.loop
        if wires.strikes(f"{server}.refuse_connection"):
            wires.trace.fault(self._process.name, f"{server}.refuse_connection", what)
            await asyncio.sleep(self.one_way())
            raise Refused(what)
        answered: asyncio.Future[tuple[bool, Any]] = loop.create_future()
        if self._is_lost("lose_request", what):
            await self._silence(what)
        delay = self.one_way(what)
        loop.call_in(NOBODY, delay, self._arrive, what, serve, answered)
        try:
            async with asyncio.timeout(self._timeout):
                succeeded, value = await answered
        except TimeoutError:
            raise Lost(what) from None
        if not succeeded:
            raise value
        result: T = value
        return result

    def one_way(self, what: str = "") -> float:
        """Draw how long a message takes."""
        wires, random = self._wires, self._wires.random
        delay = random.uniform(*self._delay)
        if not what:
            return delay
        if wires.strikes(f"{self._server}.slow"):
            wires.trace.fault(self._process.name, f"{self._server}.slow", what)
            return delay + random.uniform(0, self._timeout / 2)
        if wires.strikes(f"{self._server}.late"):
            wires.trace.fault(self._process.name, f"{self._server}.late", what)
            return delay + random.uniform(0, LATEST)
        return delay

    async def _silence(self, what: str) -> None:
        await asyncio.sleep(self._timeout)
        raise Lost(what)

    def _is_lost(self, how: str, what: str) -> bool:
        wires = self._wires
        if self.is_cut:
            wires.trace.fault(self._process.name, f"{self._server}.while_cut", what)
            return True
        if wires.strikes(f"{self._server}.{how}"):
            wires.trace.fault(self._process.name, f"{self._server}.{how}", what)
            return True
        return False

    def _is_deaf(self, what: str) -> bool:
        """Requests get through, and nothing comes back."""
        wires, name = self._wires, self._process.name
        if not wires.is_deaf(self._server, name):
            return False
        wires.trace.fault(name, f"{self._server}.while_deaf", what)
        return True

    def _arrive(
        self, what: str, serve: Callable[[], T], answered: asyncio.Future[tuple[bool, Any]]
    ) -> None:
        outcome: tuple[bool, Any]
        if self._server in self._wires.down:
            return
        try:
            outcome = (True, serve())
        except Silence:
            return
        except Exception as error:  # noqa: BLE001 -- it travels back to whoever asked
            outcome = (False, error)
        if self._is_lost("lose_answer", what) or self._is_deaf(what):
            return
        self._wires.loop.call_in(NOBODY, self.one_way(what), _deliver, answered, outcome)


def _deliver(answered: asyncio.Future[tuple[bool, Any]], outcome: tuple[bool, Any]) -> None:
    if not answered.done():
        answered.set_result(outcome)

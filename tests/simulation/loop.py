"""SimulationLoop: asyncio without machine and clock. Time jumps, chance picks who runs next.

Every callback belongs to the node in whose context it was made. A node can be frozen (what is due
waits, time goes on) or crashed (nothing of it ever runs again, not even a `finally`).
"""

import asyncio
import gc
from asyncio.events import Handle, TimerHandle
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from heapq import heappop
from random import Random
from typing import Any

import attrs

GRAVEYARD: list[object] = []
"""Tasks of crashed nodes: collected as garbage they would run their `finally` after all."""


@attrs.define(slots=True, eq=False)
class Process:
    """One life of one node, as far as the loop knows it."""

    name: str
    is_dead: bool = False
    is_frozen: bool = False
    waiting: list[Handle] = attrs.field(factory=list, repr=False)
    tasks: list[object] = attrs.field(factory=list, repr=False)


NOBODY = Process("world")
PROCESS: ContextVar[Process] = ContextVar("process", default=NOBODY)


class _Numbered:
    """Sets of tasks and futures are walked in an order that no memory address decides."""

    _count = 0

    @classmethod
    def next_number(cls) -> int:
        _Numbered._count += 1
        return _Numbered._count


class SimulatedFuture(asyncio.Future):  # type: ignore[type-arg]
    def __init__(self, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._number = _Numbered.next_number()

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class SimulatedTask(asyncio.Task):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **keywords: Any) -> None:
        # before the task is made: that registers it in a set
        self._number = _Numbered.next_number()
        super().__init__(*args, **keywords)
        self._log_destroy_pending = False

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class Over(Exception):
    """Nobody wants to know how it goes on."""


class NothingLeft(RuntimeError):
    """Nothing is ready and nothing is planned: everybody waits for ever."""


class SimulationLoop(asyncio.BaseEventLoop):
    """Runs one of the ready callbacks, by chance; when none is ready, time jumps to the next timer.

    Attributes:
        callbacks: How many were run.
        failures: What nobody caught.
    """

    def __init__(self, random: Random) -> None:
        super().__init__()
        _Numbered._count = 0
        self._random = random.random
        self._moment = 0.0
        self._is_over = False
        self.callbacks = 0
        self.failures: list[str] = []
        self.set_task_factory(_make_task)
        self.set_exception_handler(self._failed)

    def time(self) -> float:
        return self._moment

    def create_future(self) -> asyncio.Future[Any]:
        return SimulatedFuture(loop=self)

    def _write_to_self(self) -> None:
        """There is no other thread to be woken by."""

    def _process_events(self, event_list: object) -> None:
        """There are no sockets."""

    def call_in(
        self, process: Process, delay: float, call: Callable[..., object], *args: object
    ) -> TimerHandle:
        """Plan a call on behalf of a node."""
        return self.call_later(delay, call, *args, context=context_of(process))

    def freeze(self, process: Process) -> None:
        process.is_frozen = True

    def thaw(self, process: Process) -> None:
        process.is_frozen = False
        self._ready.extend(process.waiting)  # type: ignore[attr-defined]
        process.waiting.clear()

    def crash(self, process: Process) -> None:
        process.is_dead = True
        process.waiting.clear()
        GRAVEYARD.append(process.tasks)

    def end(self) -> None:
        """Run nothing more: the run ends with Over."""
        self._is_over = True

    def _run_once(self) -> None:
        if self._is_over:
            raise Over
        ready = self._ready  # type: ignore[attr-defined]
        while not ready:
            self._jump()
        count = len(ready)
        if count > 1:
            chosen = int(self._random() * count)
            if chosen:
                ready.rotate(-chosen)
        handle = ready.popleft()
        if handle._cancelled:
            return
        process = handle._context.get(PROCESS, NOBODY)
        if process.is_dead:
            GRAVEYARD.append(handle)
        elif process.is_frozen:
            process.waiting.append(handle)
        else:
            self.callbacks += 1
            handle._run()

    def _jump(self) -> None:
        scheduled = self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heappop(scheduled)._scheduled = False
        if not scheduled:
            raise NothingLeft
        moment = self._moment = max(self._moment, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= moment:
            handle = heappop(scheduled)
            handle._scheduled = False
            self._ready.append(handle)  # type: ignore[attr-defined]

    def _failed(self, _loop: object, context: dict[str, Any]) -> None:
        self.failures.append(f"{context.get('message')}: {context.get('exception')!r}")


def _make_task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **keywords: Any
) -> SimulatedTask:
    task = SimulatedTask(coroutine, loop=loop, **keywords)
    context = keywords.get("context")
    process = PROCESS.get() if context is None else context.get(PROCESS, NOBODY)
    if process is not NOBODY:
        process.tasks.append(task)
    return task


def context_of(process: Process) -> Context:
    """Make a context in which everything belongs to this node."""
    context = copy_context()
    context.run(PROCESS.set, process)
    return context


def run(main: Callable[[SimulationLoop], Coroutine[Any, Any, Any]], random: Random) -> Any:
    """Run to the end of `main`. What is left over is kept, never run: nothing closes in order."""
    loop = SimulationLoop(random)
    was_collecting = gc.isenabled()
    gc.disable()  # a collection would run finalizers at a moment no seed decides
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main(loop))
    finally:
        asyncio.set_event_loop(None)
        GRAVEYARD.append((loop, list(loop._ready), list(loop._scheduled)))  # type: ignore[attr-defined]
        if was_collecting:
            gc.enable()

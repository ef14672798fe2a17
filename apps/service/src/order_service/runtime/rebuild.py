"""Rebuild: a new epoch and a new book when the old one is wrong, no input lost (protocol 2.6)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar, get_args

from order_domain.errors import BrokenInvariant
from order_domain.model.enums import Trading
from order_domain.model.inputs import (
    DeliveryInvalid,
    Input,
    Operator,
    SetTradingState,
    SignalDelivered,
    Tick,
)
from order_domain.model.quote import Quote
from order_domain.model.rows import Change
from order_domain.model.steps import Need, Reply
from order_domain.ports.clock import Clock
from order_domain.ports.journal import Head, LeaseHeld, StoreUnavailable
from order_service.runtime.backoff import Backoff
from order_service.runtime.committer import Committer, Entry
from order_service.runtime.crash import crash_point
from order_service.runtime.metrics import Metrics
from order_service.runtime.outcome import End, EndReason
from order_service.runtime.reads import Reads, merge
from order_service.runtime.stepper import PLUMBING, Stepper

STEP_FAILED: Final = "STEP_FAILED"
CAUSE: Final = "PARKED_FACT"
_TEXT_MAX: Final = 2_000
_OPERATOR: Final = get_args(Operator)
T = TypeVar("T")


class Rebuild:
    """Takes the account over from itself: acquire, load, resume, the kept inputs one per flush.

    The input that fails alone too is parked with its reason: a signal as a dead letter, a fact as a
    state that halts the account; a person is told. Time itself cannot be parked: an engine that
    fails at a Tick ends the runtime.
    """

    def __init__(
        self,
        clock: Clock,
        committer: Committer,
        reads: Reads,
        stepper: Stepper,
        metrics: Metrics,
        *,
        acquire: Callable[[], Awaitable[Head]],
        load: Callable[[], Awaitable[Sequence[Change]]],
        reply: Callable[[Reply], None],
    ) -> None:
        self._clock = clock
        self._committer = committer
        self._reads = reads
        self._stepper = stepper
        self._metrics = metrics
        self._acquire = acquire
        self._load = load
        self._reply = reply
        self._backoff = Backoff(clock)
        self._replacement: Input | None = None
        self.cause: Exception | None = None

    def note(self, error: Exception) -> None:
        """Remember what broke the engine."""
        self.cause = error

    @property
    def is_waiting(self) -> bool:
        """Whether the store is away and nothing can be done before a retry is due."""
        return self._backoff.is_waiting or self._reads.is_waiting or self._committer.is_waiting

    @property
    def retry_at(self) -> datetime | None:
        """When the store is asked again."""
        return self._backoff.until

    async def run(self, unstepped: Sequence[Input]) -> None:
        """Rebuild until every kept input is committed or parked. Raises End."""
        await self._committer.settled()
        self._committer.pause()
        inputs: list[Input] | None = None
        while inputs is None or inputs:
            self._metrics.rebuilds += 1
            self.cause = self._committer.refused or self.cause
            began_at = self._clock.monotonic()
            head = await self._until_store_answers(self._take_over)
            kept = self._committer.take_tail(head)
            inputs = _stored([*kept, *unstepped]) if inputs is None else inputs
            self._committer.begin(head, began_at)
            await self._begin_anew(await self._until_store_answers(self._load))
            error = await self._step_each_alone(inputs)
            if error is None:
                break
            self._park(inputs, error)
        self._committer.resume()

    async def _take_over(self) -> Head:
        try:
            return await self._acquire()
        except LeaseHeld as held:
            raise End(EndReason.LEASE_LOST, held) from held

    async def _begin_anew(self, rows: Sequence[Change]) -> None:
        try:
            version = self._committer.head.states_version
            await self._committer.flush_alone(self._stepper.load(rows, version))
            self._stepper.retell()
            self._stepper.feed_quotes()
        except End:
            raise
        except Exception as error:
            raise End(EndReason.ENGINE_FAILED, error) from error

    async def _step_each_alone(self, inputs: list[Input]) -> Exception | None:
        """Step and commit the inputs one by one until none is left; return what stopped it."""
        while inputs:
            try:
                await self._committer.flush_alone(await self._stepped(inputs[0]))
            except End:
                raise
            except Exception as error:  # noqa: BLE001 -- an exception or a refused row: it is parked
                return error
            del inputs[0]
            if inputs:
                crash_point("rebuild.between_two_inputs")
        return None

    async def _stepped(self, message: Input) -> Entry:
        outcome = self._stepper.prepare(message, None)
        asked = Need()
        while isinstance(outcome, Need):
            need = merge((asked, outcome))
            if need == asked:
                raise BrokenInvariant(input=type(message).__name__, asks_again_for=str(need))
            asked = need
            outcome = self._stepper.prepare(message, await self._reads.fetch(need))
        return outcome

    def _park(self, inputs: list[Input], error: Exception) -> None:
        """Put in the place of the first input what is kept of it."""
        poison = inputs[0]
        if poison is self._replacement or isinstance(poison, Tick):
            raise End(EndReason.ENGINE_FAILED, error) from error
        self._metrics.parked += 1
        if isinstance(poison, _OPERATOR):
            del inputs[0]
            self._reply(Reply(poison.request_id, STEP_FAILED, (("error", _text(error)),)))
            return
        self._replacement = inputs[0] = _parked(poison, error)

    async def _until_store_answers(self, call: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                answer = await call()
            except StoreUnavailable:
                await self._backoff.wait()
                continue
            self._backoff.reset()
            return answer


def _stored(inputs: Sequence[Input]) -> list[Input]:
    """What a new engine must be given again; quotes and plumbing it is told anyway."""
    return [one for one in inputs if not isinstance(one, (*PLUMBING, Quote))]


def _parked(message: Input, error: Exception) -> Input:
    if isinstance(message, SignalDelivered):
        signal = message.signal
        return DeliveryInvalid(
            number=message.number,
            code=STEP_FAILED,
            field="signal",
            rule="can be decided",
            value=_text(error),
            body=signal.body,
            signal_id=signal.signal_id,
        )
    return SetTradingState(
        request_id=f"parked:{type(message).__name__}:{_text(message)}"[:200],
        actor="order-manager",
        scope="account",
        state=Trading.HALTED,
        reason=f"{_text(error)}: {_text(message)}"[:_TEXT_MAX],
        cause=CAUSE,
    )


def _text(value: object) -> str:
    shown = f"{type(value).__name__}: {value}" if isinstance(value, Exception) else repr(value)
    return shown[:_TEXT_MAX]

"""Executors: carry committed commands to the exchange and bring one answer back for each."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from order_domain.model.enums import AnswerOutcome, CommandKind
from order_domain.model.reports import Answer
from order_domain.model.steps import SendAmend, SendCancel, SendCreate
from order_domain.ports.clock import Clock
from order_domain.ports.venue import Venue
from order_service.runtime.crash import crash_point
from order_service.runtime.lease import Lease
from order_service.runtime.metrics import Metrics
from order_service.runtime.pulse import Pulse
from order_service.runtime.round_trips import RoundTrips
from order_service.runtime.spans import Spans
from order_service.runtime.trading_state import TradingStates

Send = SendCreate | SendAmend | SendCancel


class Executors:
    """One task per attempt, begun in the order of release.

    The tasks of one order begin in order too, but none waits for the answer of another: the engine
    lets only a cancel overtake, and a cancel behind an amend that hangs would be no cancel at all.
    """

    def __init__(  # noqa: PLR0913 -- who is called from here
        self,
        venue: Venue,
        clock: Clock,
        lease: Lease,
        states: TradingStates,
        metrics: Metrics,
        pulse: Pulse,
        *,
        recv_window: timedelta,
        answer: Callable[[Answer], None],
        spans: Spans | None = None,
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._lease = lease
        self._states = states
        self._metrics = metrics
        self._pulse = pulse
        self._recv_window = recv_window
        self._answer = answer
        self._spans = spans
        self._queue: asyncio.Queue[Send] = asyncio.Queue()
        self._round_trips = RoundTrips()
        self._unsent = 0
        self.offset = timedelta(0)
        self.in_flight = 0

    def send(self, command: Send) -> None:
        """Take a committed command."""
        self._unsent += 1
        self._queue.put_nowait(command)

    def hold_back(self, command: Send, reason: str) -> None:
        """Answer for a command that was never handed to the exchange."""
        self._metrics.not_sent += 1
        self._answer(_answer_to(command, AnswerOutcome.NOT_SENT, reason))

    @property
    def is_idle(self) -> bool:
        """Whether every command released was handed to the exchange; answers may still be out."""
        return not self._unsent

    async def run(self) -> None:
        """Begin one task per command; all of them end with this one."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                command = await self._queue.get()
                attempts.create_task(self._attempt(command))

    async def _attempt(self, command: Send) -> None:
        kind, request_ts = _kind(command), _request_ts(command)
        crash_point("submit.after_claim")
        self._unsent -= 1
        self._pulse.beat()
        reason = self._obstacle(command, kind, request_ts)
        if reason:
            self.hold_back(command, reason)
            return
        began_at = self._clock.monotonic()
        self.in_flight += 1
        self._metrics.sent += 1
        try:
            answer = await self._venue.send(command)
        except Exception as error:  # noqa: BLE001 -- whatever broke, the bytes may be out: unknown
            answer = _answer_to(command, AnswerOutcome.UNKNOWN, f"{type(error).__name__}: {error}")
        finally:
            self.in_flight -= 1
            self._pulse.beat()
        if self._spans is not None:
            self._spans.answered(command, answer, self._clock.monotonic() - began_at)
        crash_point("cancel.after_send" if kind is CommandKind.CANCEL else "submit.after_response")
        if answer.outcome is AnswerOutcome.UNKNOWN:
            self._metrics.unanswered += 1
        else:
            took = self._clock.monotonic() - began_at
            self._round_trips.add(took)
            self._metrics.submits.add(took)
        self._answer(answer)

    def _obstacle(self, command: Send, kind: CommandKind, request_ts: datetime | None) -> str:
        """Why the bytes may not leave now; empty when they may."""
        if self._clock.monotonic() >= self._lease.until:
            return "lease not proven for its last 2 s"
        if request_ts is None:
            return "no request time"
        margin = self._round_trips.margin(self._recv_window)
        if self._clock.now() + self.offset >= request_ts + self._recv_window - margin:
            return "request window over"
        return self._states.forbids(command.order, kind)


def _kind(command: Send) -> CommandKind:
    if isinstance(command, SendCreate):
        return CommandKind.CREATE
    return CommandKind.AMEND if isinstance(command, SendAmend) else CommandKind.CANCEL


def _request_ts(command: Send) -> datetime | None:
    return command.order.request_ts if isinstance(command, SendCreate) else command.request_ts


def _answer_to(command: Send, outcome: AnswerOutcome, text: str) -> Answer:
    order = command.order
    if isinstance(command, SendCreate):
        number, attempt = 0, order.attempt
    else:
        number, attempt = command.number, command.attempt
    return Answer(order.client_order_id, _kind(command), number, attempt, outcome, text=text)

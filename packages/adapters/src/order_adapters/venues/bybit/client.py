"""BybitClient: one attempt of a command, or a question asked until it is answered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from random import Random
from typing import Final

from order_adapters.venues.bybit.bodies import (
    AMEND_BATCH_PATH,
    CANCEL_BATCH_PATH,
    CREATE_BATCH_PATH,
    Body,
    Command,
    batch,
    body_of,
    path_of,
    to_bytes,
)
from order_adapters.venues.bybit.budget import Priority, RateBudget, endpoint_of
from order_adapters.venues.bybit.clock_offset import ClockMeter, to_milliseconds
from order_adapters.venues.bybit.config import BybitConfig, Retry
from order_adapters.venues.bybit.queries import Query
from order_adapters.venues.bybit.replies import (
    Envelope,
    Reply,
    Unreadable,
    answer_of,
    answers_of,
    kind_of,
    not_sent,
    rate_of,
    read_reply,
    unanswered,
)
from order_adapters.venues.bybit.transport import (
    FORBIDDEN,
    HttpAnswer,
    HttpTransport,
    NoAnswer,
    NotSent,
)
from order_domain.model.enums import CommandKind
from order_domain.model.identifiers import category_of
from order_domain.model.reports import Answer
from order_domain.model.steps import SendCreate
from order_domain.ports.clock import Clock

TOO_MANY: Final = 10006
CLOCK: Final = frozenset((10002, -1))
NOT_ACCEPTED: Final = frozenset((TOO_MANY, 10018, 10019, 10403, 20003))
"""Refused before anything was done."""
TRANSIENT: Final = NOT_ACCEPTED | {429, 10000, 10016, 10429, 170001, 170007, 170032, 170146}
"""A question may be asked again; a command that got one of these is unknown."""
AUTH: Final = frozenset((401, 10003, 10004, 10005, 10007, 10008, 10009, 10010, 33004, -2015))
BATCH_PATHS: Final = {
    CommandKind.CREATE: CREATE_BATCH_PATH,
    CommandKind.AMEND: AMEND_BATCH_PATH,
    CommandKind.CANCEL: CANCEL_BATCH_PATH,
}
_POLL_WAIT: Final = 10.0


class ReadFailed(Exception):
    """A question got no answer that can be used; `code` is the exchange's, 0 where it gave none."""

    def __init__(self, path: str, text: str, code: int = 0) -> None:
        super().__init__(f"{path}: {text}")
        self.code = code

    @property
    def is_auth(self) -> bool:
        """Whether the key is the reason: asking again is of no use."""
        return self.code in AUTH


ONCE: Final = Retry(attempts=1)


class BybitClient:
    """Signs by the exchange's time, keeps to the rate budget, and learns from every answer.

    Attributes:
        measure: Measures the clock anew; called when the exchange refuses a stamp.
    """

    def __init__(
        self,
        config: BybitConfig,
        transport: HttpTransport,
        budget: RateBudget,
        meter: ClockMeter,
        clock: Clock,
        random: Random,
    ) -> None:
        self._transport = transport
        self.budget = budget
        self._meter = meter
        self._clock = clock
        self._random = random
        self._recv_window = config.recv_window
        self._retry = config.retry
        self._penalty = config.penalty
        self._smp_type = config.smp_type
        self.measure: Callable[[], Awaitable[None]] | None = None

    def exchange_now(self) -> datetime:
        """The exchange's time, as well as we know it."""
        return self._meter.exchange_time(self._clock.now())

    def exchange_ms(self) -> int:
        """The same as a stamp."""
        return to_milliseconds(self.exchange_now())

    # -- commands: one attempt, stamped with its claim ---------------------------------------------

    async def command(self, command: Command) -> Answer:
        """Make one attempt by REST. Raises nothing."""
        reason = await self.turn(command, path_of(command))
        if reason:
            return not_sent(command, reason)
        body = to_bytes(body_of(command, self._smp_type))
        try:
            got = await self._post(path_of(command), body, stamp_of(command), _category(command))
        except NotSent as error:
            return not_sent(command, str(error))
        except NoAnswer as error:
            return unanswered(command, str(error))
        status, reply = got
        await self.heed(command, reply)
        return answer_of(command, reply, status)

    async def commands(self, batched: Sequence[Command]) -> tuple[Answer, ...]:
        """Make one attempt of each of several commands of one kind and category, in one request.

        Raises:
            InvalidValue: They do not go into one batch.
        """
        body = to_bytes(batch(batched, self._smp_type))
        first = batched[0]
        path = BATCH_PATHS[kind_of(first)]
        # the exchange counts every order of a batch; it serves the first ones and refuses the rest
        for command in batched:
            reason = await self.turn(command, path)
            if reason:
                return tuple(not_sent(each, reason) for each in batched)
        try:
            stamp = min(stamp_of(command) for command in batched)
            got = await self._post(path, body, stamp, _category(first))
        except NotSent as error:
            return tuple(not_sent(each, str(error)) for each in batched)
        except NoAnswer as error:
            return tuple(unanswered(each, str(error)) for each in batched)
        status, reply = got
        await self.heed(first, reply)
        return answers_of(batched, reply, status)

    async def turn(self, command: Command, path: str, *, http: bool = True) -> str:
        """Wait for a turn while the stamp is good; say why there is none, or nothing."""
        ends_at = _request_ts(command) + self._recv_window / 2
        within = max(0.0, (ends_at - self.exchange_now()).total_seconds())
        endpoint = endpoint_of(path, _category(command))
        if await self.budget.take(endpoint, priority_of(command), within, http=http):
            return ""
        return "HTTP is stopped: banned" if self.budget.is_http_stopped and http else "rate limit"

    def limit_of(self, command: Command) -> int:
        """Commands of this kind that may leave a second, as far as is known."""
        return self.budget.limit_of(endpoint_of(path_of(command), _category(command)))

    async def heed(self, command: Command, reply: Reply) -> None:
        """Learn from a reply to a command what is not about the command."""
        if not isinstance(reply, Envelope):
            return
        endpoint = endpoint_of(path_of(command), _category(command))
        self.budget.learn(endpoint, reply.rate, self.exchange_now())
        if reply.code == TOO_MANY:
            self.budget.refused(endpoint)
        elif reply.code in CLOCK and self.measure is not None:
            await self.measure()

    # -- questions ---------------------------------------------------------------------------------

    async def read(
        self, query: Query, priority: Priority = Priority.POLL, retry: Retry | None = None
    ) -> Envelope:
        """Ask until answered. Raises ReadFailed when it is refused, or every attempt failed."""
        policy = self._retry if retry is None else retry
        failures = 0
        while True:
            try:
                return await self._ask(query, priority)
            except ReadFailed as error:
                failures += 1
                again = error.code in TRANSIENT or error.code in CLOCK or not error.code
                if not again or failures >= policy.attempts or self.budget.is_http_stopped:
                    raise
                if error.code in CLOCK and self.measure is not None:
                    await self.measure()
            await asyncio.sleep(policy.wait(failures, self._random))

    async def write(self, path: str, body: Body, priority: Priority) -> Envelope:
        """Send a command that is none of an order's; again only if it was definitely not taken.

        Raises:
            ReadFailed: Refused, or nobody knows whether it was done.
        """
        failures = 0
        category = str(body.get("category", ""))
        while True:
            try:
                return await self._tell(path, to_bytes(body), category, priority)
            except NotSent as error:
                failed = ReadFailed(path, str(error))
            except ReadFailed as error:
                if error.code not in NOT_ACCEPTED | CLOCK:
                    raise
                failed = error
                if error.code in CLOCK and self.measure is not None:
                    await self.measure()
            failures += 1
            if failures >= self._retry.attempts or self.budget.is_http_stopped:
                raise failed
            await asyncio.sleep(self._retry.wait(failures, self._random))

    async def _ask(self, query: Query, priority: Priority) -> Envelope:
        category = "spot" if "category=spot" in query.query else ""
        endpoint = endpoint_of(query.path, category)
        if not await self.budget.take(endpoint, priority, _POLL_WAIT):
            raise ReadFailed(query.path, "no turn: rate limit or ban")
        stamp = self.exchange_ms() if query.is_signed else None
        try:
            answer = await self._transport.get(query.path, query.query, stamp)
        except (NotSent, NoAnswer) as error:
            raise ReadFailed(query.path, str(error)) from error
        return _used(query.path, answer.status, self._read(endpoint, answer))

    async def _tell(self, path: str, body: bytes, category: str, priority: Priority) -> Envelope:
        if not await self.budget.take(endpoint_of(path, category), priority, _POLL_WAIT):
            raise NotSent("rate limit or ban")
        try:
            status, reply = await self._post(path, body, self.exchange_ms(), category)
        except NoAnswer as error:
            raise ReadFailed(path, f"unknown: {error}") from error
        return _used(path, status, reply)

    async def _post(self, path: str, body: bytes, stamp: int, category: str) -> tuple[int, Reply]:
        answer = await self._transport.post(path, body, stamp)
        return answer.status, self._read(endpoint_of(path, category), answer)

    def _read(self, endpoint: str, answer: HttpAnswer) -> Reply:
        if answer.status == FORBIDDEN:
            self.budget.stop_http(self._penalty)  # each request would lengthen the ban
        reply = read_reply(answer.body)
        rate = rate_of(answer.headers)
        self.budget.learn(endpoint, rate, self.exchange_now())
        if not isinstance(reply, Envelope):
            return reply
        if reply.code == TOO_MANY:
            self.budget.refused(endpoint)
        reply.rate = rate
        return reply


def priority_of(command: Command) -> Priority:
    """Whatever takes risk away goes first."""
    if isinstance(command, SendCreate):
        return Priority.URGENT if command.order.terms.reduce_only else Priority.OPEN
    return Priority.URGENT if kind_of(command) is CommandKind.CANCEL else Priority.OPEN


def stamp_of(command: Command) -> int:
    """The stamp of the claim; it is never renewed for the same attempt."""
    return to_milliseconds(_request_ts(command))


def _request_ts(command: Command) -> datetime:
    at = command.order.request_ts if isinstance(command, SendCreate) else command.request_ts
    if at is None:
        raise ValueError(f"never claimed: {command.order.client_order_id}")
    return at


def _category(command: Command) -> str:
    return category_of(command.order.terms.instrument_id)


def _used(path: str, status: int, reply: Reply) -> Envelope:
    """Return a reply that says yes. Raises ReadFailed for every other."""
    if isinstance(reply, Unreadable):
        raise ReadFailed(path, f"HTTP {status}: {reply.text}", 401 if status == 401 else 0)
    if reply.code:
        raise ReadFailed(path, f"{reply.code} {reply.text}", reply.code)
    if status != 200:
        raise ReadFailed(path, f"HTTP {status}")
    return reply

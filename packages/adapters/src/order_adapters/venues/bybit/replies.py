"""Replies: what bytes from Bybit say, and what that proves of the attempt they answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import attrs
import msgspec

from order_adapters.intake.invalid import shown
from order_adapters.venues.bybit.bodies import Command, is_foreign
from order_adapters.venues.bybit.fields import (
    array_or_empty,
    integer_or_none,
    moment_or_none,
    text_or_empty,
)
from order_adapters.venues.bybit.quarantine import Raw, RecordInvalid
from order_domain.model.answers import outcome_of
from order_domain.model.enums import AnswerOutcome, CommandKind
from order_domain.model.identifiers import VenueOrderId
from order_domain.model.reports import Answer
from order_domain.model.steps import SendAmend, SendCreate

_OK: Final = 200
_CLIENT_ERRORS: Final = range(400, 500)
_NOTHING: Final[Raw] = {}
_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)


@attrs.define(slots=True)
class RateState:
    """How far an endpoint's rate limit is used up.

    Attributes:
        limit, remaining: Requests in the current window.
        reset_at: When the window ends, once it is used up; else None.
    """

    limit: int
    remaining: int
    reset_at: datetime | None


@attrs.define(slots=True)
class Envelope:
    """A reply of the exchange, of REST or of the order entry socket.

    Not frozen, for it is made once an order: that would cost more than reading it.

    Attributes:
        code, text: retCode and retMsg; the text is for people and never tested.
        result: `result` or `data`; empty where it is none.
        extra: retExtInfo.
        rate: Of the socket's replies; REST tells it in its headers.
    """

    code: int
    text: str
    result: Raw
    extra: Raw
    time: datetime | None
    request_id: str = ""
    rate: RateState | None = None


@attrs.frozen(slots=True)
class Unreadable:
    """Bytes that are no reply of the exchange: cut, HTML, another charset. Proves nothing."""

    text: str


Reply = Envelope | Unreadable


def parse_json(body: bytes | str) -> object:
    """Parse JSON whose fractions stay exact.

    Raises:
        ValueError: No JSON, cut, not UTF-8, nested or numbered beyond reason.
    """
    try:
        return _decoder.decode(body)
    except (ArithmeticError, RecursionError) as error:
        raise ValueError(f"beyond reason: {type(error).__name__}") from None


def read_reply(body: bytes) -> Reply:
    """Read a reply of REST, whatever the bytes are."""
    try:
        message = parse_json(body)
    except ValueError:  # also msgspec's own errors, and those of the charset
        return Unreadable(shown(body))
    return envelope_of(message)


def envelope_of(message: object) -> Reply:
    """Read a reply that is parsed already."""
    if not isinstance(message, dict):
        return Unreadable("no object")
    code = message.get("retCode")
    if not isinstance(code, int) or isinstance(code, bool):
        return Unreadable("no retCode")
    header = _object(message, "header")
    request_id = message.get("reqId")
    return Envelope(
        code=code,
        text=_text(message.get("retMsg")),
        result=_object(message, "result") or _object(message, "data"),
        extra=_object(message, "retExtInfo"),
        time=_time(message),
        request_id=request_id if isinstance(request_id, str) else "",
        rate=rate_of(header) if header else None,
    )


def rate_of(headers: Mapping[str, object]) -> RateState | None:
    """Read the rate limit of a reply; None where its headers do not tell it.

    Args:
        headers: Of REST (a mapping that finds names in any case), or `header` of the socket.
    """
    try:
        limit = integer_or_none(headers, "X-Bapi-Limit")
        remaining = integer_or_none(headers, "X-Bapi-Limit-Status")
        if not limit or remaining is None:
            return None
        is_used_up = remaining <= 0
        reset_at = moment_or_none(headers, "X-Bapi-Limit-Reset-Timestamp") if is_used_up else None
    except RecordInvalid:
        return None
    return RateState(limit, min(remaining, limit), reset_at)


def answer_of(command: Command, reply: Reply, status: int = _OK) -> Answer:
    """Tell what a reply proves of the attempt it answers; what it does not prove is UNKNOWN.

    Args:
        status: HTTP status; 200 for the order entry socket.
    """
    if isinstance(reply, Unreadable):
        return unanswered(command, f"HTTP {status}: {reply.text}")
    answer = _answer(command, reply.code, reply.text, reply.result, status)
    if reply.rate is not None and reply.rate.remaining <= 0:
        answer.next_at = reply.rate.reset_at
    return answer


def answers_of(commands: Sequence[Command], reply: Reply, status: int = _OK) -> tuple[Answer, ...]:
    """Tell what the reply to a batch proves of each of its commands, in their order.

    The reply as a whole is 0 even if every command failed; each has a code of its own.
    """
    if isinstance(reply, Unreadable) or reply.code:
        return tuple(answer_of(command, reply, status) for command in commands)
    try:
        results = array_or_empty(reply.result, "list")
        codes = array_or_empty(reply.extra, "list")
    except RecordInvalid as error:
        return tuple(unanswered(command, str(error)) for command in commands)
    if not len(results) == len(codes) == len(commands):
        text = f"{len(results)} results and {len(codes)} codes for {len(commands)} commands"
        return tuple(unanswered(command, text) for command in commands)
    return tuple(
        _item_answer(command, result, code, status)
        for command, result, code in zip(commands, results, codes, strict=True)
    )


def not_sent(command: Command, text: str) -> Answer:
    """Tell of an attempt whose first byte never left."""
    return _of(command, AnswerOutcome.NOT_SENT, 0, text)


def unanswered(command: Command, text: str) -> Answer:
    """Tell of an attempt that nothing is known of."""
    return _of(command, AnswerOutcome.UNKNOWN, 0, text)


def kind_of(command: Command) -> CommandKind:
    """What a command asks for."""
    if isinstance(command, SendCreate):
        return CommandKind.CREATE
    return CommandKind.AMEND if isinstance(command, SendAmend) else CommandKind.CANCEL


def _item_answer(command: Command, result: object, item: object, status: int) -> Answer:
    code = item.get("code") if isinstance(item, dict) else None
    if not isinstance(code, int) or isinstance(code, bool) or not isinstance(item, dict):
        return unanswered(command, "no code of its own in the reply")
    fields = result if isinstance(result, dict) else _NOTHING
    return _answer(command, code, _text(item.get("msg")), fields, status)


def _answer(command: Command, code: int, text: str, result: Raw, status: int) -> Answer:
    outcome = outcome_of(code, kind_of(command))
    accepted = outcome is AnswerOutcome.ACCEPTED
    # a refusal may come as 4xx; beyond that nobody knows who answers for whom
    if status != _OK and (accepted or status not in _CLIENT_ERRORS):
        return _of(command, AnswerOutcome.UNKNOWN, code, f"HTTP {status}: {text}")
    if not accepted:
        return _of(command, outcome, code, text)
    order_id = _order_id(result)
    if not order_id or not _echoes(command, result):
        named = f"{shown(result.get('orderLinkId'))}, {shown(result.get('orderId'))}"
        return _of(command, AnswerOutcome.UNKNOWN, code, f"the reply names another order: {named}")
    return _of(command, outcome, code, text, order_id)


def _order_id(result: Raw) -> VenueOrderId:
    try:
        return VenueOrderId(text_or_empty(result, "orderId"))
    except RecordInvalid:
        return VenueOrderId("")


def _echoes(command: Command, result: Raw) -> bool:
    """Whether a reply names the order that was asked about, by each id that we know of it."""
    order = command.order
    known = order.venue_order_id
    if known and not isinstance(command, SendCreate) and result.get("orderId") != known:
        return False
    return is_foreign(order) or result.get("orderLinkId") == order.client_order_id


def _of(
    command: Command,
    outcome: AnswerOutcome,
    code: int,
    text: str,
    order_id: VenueOrderId = VenueOrderId(""),
) -> Answer:
    order = command.order
    return Answer(
        order.client_order_id,
        kind_of(command),
        0 if isinstance(command, SendCreate) else command.number,
        order.attempt if isinstance(command, SendCreate) else command.attempt,
        outcome,
        code,
        text,
        order_id,
    )


def _object(message: Raw, key: str) -> Raw:
    value = message.get(key)
    return value if isinstance(value, dict) else _NOTHING


def _time(message: Raw) -> datetime | None:
    try:
        return moment_or_none(message, "time")
    except RecordInvalid:
        return None


def _text(value: object) -> str:
    return "" if value is None else shown(value)

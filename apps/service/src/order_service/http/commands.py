"""Commands: what a person asks for, carried out exactly once per Idempotency-Key."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Request
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from order_domain.codes import Code
from order_domain.errors import InvalidValue
from order_domain.model.enums import OrderStatus, OrderType, Side
from order_domain.model.identifiers import ClientOrderId, InstrumentId, SignalId, instrument_id
from order_domain.model.inputs import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    ClosePosition,
    Flatten,
    Operator,
    PlaceOrder,
    RetrySignal,
)
from order_domain.model.order import IN_FLIGHT, Order
from order_domain.model.steps import Reply
from order_service import rows
from order_service.explanation import trace_rows
from order_service.http.auth import SCOPE, actor_of
from order_service.http.finding import find_order
from order_service.http.forms import AmendForm, CloseForm, PlaceForm, ScopedForm, number_of
from order_service.http.keys import Scope
from order_service.http.problems import Refused
from order_service.http.routes import command
from order_service.plain import plain
from order_service.service import Service

IdempotencyKey = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=100,
        pattern=r"^[!-~]+$",
        description="The same key with the same body does nothing new and answers the same.",
    ),
]
Wait = Annotated[
    float, QueryParameter(ge=0, le=20, description="Seconds to follow the orders for.")
]
SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
LOOK_SECONDS: Final = 0.05
_UNSETTLED: Final = (*IN_FLIGHT, OrderStatus.INTENT, OrderStatus.ACKED)
_STATUSES: Final[Mapping[str, int]] = {
    Code.OK: 200,
    Code.ORDER_NOT_FOUND: 404,
    Code.SIGNAL_NOT_FOUND: 404,
    Code.REQUEST_CONFLICT: 409,
    Code.ORDER_CLOSED: 409,
    Code.ORDER_UNSETTLED: 409,
    Code.COMMAND_OPEN: 409,
}
AnyRequest = Request[Any, Any, Any]


class Outcome(msgspec.Struct, kw_only=True):
    """What came of a command, committed.

    Attributes:
        code, text: OK, or why it was refused.
        decision: Every rule that was asked, with its limit and the actual figure.
        orders: As they stand now, in the fields of `export orders`.
    """

    request_id: str
    code: str
    text: str
    decision: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    result: dict[str, Any]


class OrderCommands(Controller):
    """Orders of a person; the rules of signals hold for them too."""

    path = "/orders"

    @command(status_code=200, opt={SCOPE: Scope.TRADE})
    async def place(
        self,
        request: AnyRequest,
        data: JSONBody[PlaceForm],
        service: NamedDependency[Service],
        idempotency_key: IdempotencyKey,
        wait: Wait = 0,
    ) -> Outcome:
        """Place an order."""
        price = number_of(data.price, "price")
        wish = PlaceOrder(
            request_id=idempotency_key,
            actor=actor_of(request),
            instrument_id=_instrument(service, data.asset),
            side=SIDES[data.side],
            quantity=number_of(data.quantity, "quantity") or Decimal(0),
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            price=price,
            time_in_force=data.time_in_force,
            reduce_only=data.reduce_only,
            position_side=data.position_side,
            take_profit=number_of(data.take_profit, "take_profit"),
            stop_loss=number_of(data.stop_loss, "stop_loss"),
        )
        return await carry_out(service, wish, wait)

    @command("/{order_id:str}/amend", status_code=200, opt={SCOPE: Scope.TRADE})
    async def amend(
        self,
        request: AnyRequest,
        order_id: FromPath[str],
        data: JSONBody[AmendForm],
        service: NamedDependency[Service],
        idempotency_key: IdempotencyKey,
    ) -> Outcome:
        """Change price or quantity of a working order."""
        price, quantity = number_of(data.price, "price"), number_of(data.quantity, "quantity")
        if price is None and quantity is None:
            raise InvalidValue(field="price", rule="given, or quantity", value="nothing")
        wish = AmendOrder(
            request_id=idempotency_key,
            actor=actor_of(request),
            client_order_id=await _client_id(service, order_id),
            price=price,
            quantity=quantity,
        )
        return await carry_out(service, wish, 0)

    @command("/{order_id:str}/cancel", status_code=200, opt={SCOPE: Scope.CANCEL})
    async def cancel(
        self,
        request: AnyRequest,
        order_id: FromPath[str],
        service: NamedDependency[Service],
        idempotency_key: IdempotencyKey,
        wait: Wait = 0,
    ) -> Outcome:
        """Cancel one order."""
        name = await _client_id(service, order_id)
        wish = CancelOrder(
            request_id=idempotency_key, actor=actor_of(request), client_order_id=name
        )
        return await carry_out(service, wish, wait, (name,), until_ended=True)

    @command("/cancel-all", status_code=200, opt={SCOPE: Scope.CANCEL})
    async def cancel_all(
        self,
        request: AnyRequest,
        data: JSONBody[ScopedForm],
        service: NamedDependency[Service],
        idempotency_key: IdempotencyKey,
    ) -> Outcome:
        """Cancel every order of a symbol or of the account, foreign ones too."""
        wish = CancelAll(
            request_id=idempotency_key,
            actor=actor_of(request),
            instrument_id=_optional_instrument(service, data.asset),
        )
        return await carry_out(service, wish, 0)


class ClosingCommands(Controller):
    """The way out."""

    @command("/positions/{asset:str}/close", status_code=200, opt={SCOPE: Scope.TRADE})
    async def close(
        self,
        request: AnyRequest,
        asset: FromPath[str],
        data: JSONBody[CloseForm],
        service: NamedDependency[Service],
        idempotency_key: IdempotencyKey,
        wait: Wait = 0,
    ) -> Outcome:
        """Close a position, or a part of it, by a reduce-only market order."""
        part = number_of(data.part, "part") or Decimal(0)
        if part > 1:
            raise InvalidValue(field="part", rule="at most 1", value=data.part)
        wish = ClosePosition(
            request_id=idempotency_key,
            actor=actor_of(request),
            instrument_id=_instrument(service, asset),
            position_side=data.position_side,
            part=part,
        )
        return await carry_out(service, wish, wait)

    @command("/flatten", status_code=200, opt={SCOPE: Scope.HALT})
    async def flatten(
        self,
        request: AnyRequest,
        data: JSONBody[ScopedForm],
        service: NamedDependency[Service],
        idempotency_key: IdempotencyKey,
    ) -> Outcome:
        """Cancel everything, then close every position; also while trading is halted."""
        wish = Flatten(
            request_id=idempotency_key,
            actor=actor_of(request),
            instrument_id=_optional_instrument(service, data.asset),
        )
        return await carry_out(service, wish, 0)

    @command("/signals/{signal_id:str}/retry", status_code=200, opt={SCOPE: Scope.TRADE})
    async def retry(
        self,
        request: AnyRequest,
        signal_id: FromPath[str],
        service: NamedDependency[Service],
        idempotency_key: IdempotencyKey,
        wait: Wait = 0,
    ) -> Outcome:
        """Decide a denied or failed signal again, as its next generation."""
        wish = RetrySignal(
            request_id=idempotency_key,
            actor=actor_of(request),
            signal_id=SignalId(signal_id.lower()[:100]),
        )
        return await carry_out(service, wish, wait)


async def carry_out(
    service: Service,
    wish: Operator,
    wait: float,
    names: Sequence[str] = (),
    *,
    until_ended: bool = False,
) -> Outcome:
    """Let a request be decided, follow its orders, and tell what came of it.

    Raises:
        Refused: It was refused; the problem names the code and shows the decision.
        NotTaking: This service does not own the account now.
    """
    reply = await service.ask(wish)
    result = dict(reply.result)
    trace = result.pop("trace", ())
    orders = await _follow(service, [*names, *_ids(reply)], wait, until_ended=until_ended)
    code = Code.__members__.get(reply.code)
    outcome = Outcome(
        request_id=reply.request_id,
        code=reply.code,
        text=code.text if code is not None else "",
        decision=[*map(dict, trace_rows(trace if isinstance(trace, tuple) else ()))],
        orders=[dict(rows.order_row(order)) for order in orders],
        result={name: plain(value) for name, value in result.items()},
    )
    status = _STATUSES.get(reply.code, 422)
    if status != 200:
        raise Refused(status, outcome.text, code=reply.code, outcome=msgspec.to_builtins(outcome))
    return outcome


def _ids(reply: Reply) -> list[str]:
    ids = dict(reply.result).get("client_order_ids", ())
    return [str(each) for each in ids] if isinstance(ids, tuple) else []


async def _follow(
    service: Service, names: Sequence[str], seconds: float, *, until_ended: bool
) -> list[Order]:
    looks = int(seconds / LOOK_SECONDS)
    while True:
        found = [each for name in names if (each := await service.views.order(name)) is not None]
        if not looks or all(_is_done(order, until_ended=until_ended) for order in found):
            return found
        looks -= 1
        await asyncio.sleep(LOOK_SECONDS)


def _is_done(order: Order, *, until_ended: bool) -> bool:
    return order.is_terminal or not (until_ended or order.status in _UNSETTLED)


async def _client_id(service: Service, any_id: str) -> ClientOrderId:
    found = await find_order(service.views, any_id)
    return ClientOrderId(any_id[:100]) if found is None else found.client_order_id


def _instrument(service: Service, symbol: str) -> InstrumentId:
    return instrument_id(service.category_of(symbol), symbol)


def _optional_instrument(service: Service, symbol: str | None) -> InstrumentId | None:
    return None if symbol is None else _instrument(service, symbol)

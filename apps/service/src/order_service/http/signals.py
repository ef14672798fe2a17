"""Signals: handed in as the broker would bring them, answered with the committed verdict."""

from typing import Any

import msgspec
from litestar import Controller, Request
from litestar.di import NamedDependency

from order_domain.codes import Code
from order_domain.context import Draft
from order_domain.model.enums import Verdict
from order_domain.model.identifiers import symbol_of
from order_domain.model.inputs import DeliveryInvalid
from order_service.explanation import trace_rows
from order_service.http.auth import SCOPE
from order_service.http.keys import Scope
from order_service.http.problems import Refused
from order_service.http.routes import command
from order_service.http.tracing import TRACE
from order_service.http.wire import now, number, optional_number
from order_service.service import VERDICT_SECONDS, Service


class VerdictView(msgspec.Struct, kw_only=True):
    """What became of a signal.

    Attributes:
        verdict: ordered, denied, expired, duplicate, or parked: it waits for a fact.
        code, text: The reason.
        order_ids: Client order ids of what it made, also of an order that was denied.
    """

    signal_id: str
    delivery: int
    verdict: str
    code: str
    text: str
    order_ids: list[str]


class PreviewView(msgspec.Struct, kw_only=True):
    """What a signal would come to if it were handed in now.

    Attributes:
        verdict: ordered, denied, expired, or duplicate. It never waits: a missing quote denies.
        decision: Every rule that would be asked, with its limit and the actual figure.
        orders: What would be ordered; on a denial what was denied.
        cancels: Orders that would be cancelled first.
    """

    signal_id: str
    verdict: str
    code: str
    text: str
    decision: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    cancels: list[str]


class SignalController(Controller):
    """The only way in besides the broker."""

    path = "/signals"

    @command(status_code=202, opt={SCOPE: Scope.TRADE})
    async def hand_in(
        self, request: Request[Any, Any, Any], service: NamedDependency[Service]
    ) -> VerdictView:
        """Decide one signal. The same signal again does nothing new."""
        raw, trace = await request.body(), request.scope["state"][TRACE]
        delivery, effect = await service.desk.hand_in(raw, VERDICT_SECONDS, trace)
        if isinstance(delivery, DeliveryInvalid):
            raise _refused(delivery)
        signal_id = delivery.signal.signal_id
        if effect.verdict is Verdict.INVALID:
            raise Refused(409, Code.ID_CONFLICT.text, code=effect.code)
        row = await service.verdict(signal_id)
        is_new = effect.verdict is not Verdict.DUPLICATE
        verdict, code = (row.verdict, row.code) if is_new else (effect.verdict, effect.code)
        return VerdictView(
            signal_id=signal_id,
            delivery=effect.number,
            verdict=verdict.value,
            code=code,
            text=Code[code].text,
            order_ids=list(row.order_ids),
        )

    @command("/decide", status_code=200)
    async def decide(
        self, request: Request[Any, Any, Any], service: NamedDependency[Service]
    ) -> PreviewView:
        """Say what a signal would come to, without taking it: nothing is written or sent."""
        delivery = service.desk.read(await request.body())
        if isinstance(delivery, DeliveryInvalid):
            raise _refused(delivery)
        told = await service.preview(delivery.signal, now())
        decision = told.decision
        verdict = Verdict.DUPLICATE if told.known else decision.verdict
        code = Code.DUPLICATE if told.known else decision.code
        return PreviewView(
            signal_id=told.signal.signal_id,
            verdict=verdict.value,
            code=code,
            text=code.text,
            decision=[*map(dict, trace_rows(decision.trace))],
            orders=[_draft_row(draft) for draft in decision.drafts],
            cancels=list(decision.cancels),
        )


def _refused(delivery: DeliveryInvalid) -> Refused:
    reason = {"field": delivery.field, "rule": delivery.rule, "value": delivery.value}
    detail = f"{delivery.field} must be {delivery.rule}."
    return Refused(422, detail, code=delivery.code, errors=[reason])


def _draft_row(draft: Draft) -> dict[str, Any]:
    terms = draft.terms
    return {
        "client_order_id": terms.client_order_id,
        "asset": symbol_of(terms.instrument_id),
        "side": terms.side.value,
        "order_type": terms.order_type.value,
        "time_in_force": terms.time_in_force.value,
        "reduce_only": terms.reduce_only,
        "price": optional_number(draft.price),
        "quantity": number(draft.quantity),
    }

"""Signals: handed in as the broker would bring them, answered with the committed verdict."""

from typing import Any

import msgspec
import structlog
from litestar import Controller, Request
from litestar.di import NamedDependency

from order_domain.codes import Code
from order_domain.model.enums import Verdict
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_service.http.auth import SCOPE
from order_service.http.keys import Scope
from order_service.http.problems import Refused
from order_service.http.routes import command
from order_service.service import VERDICT_SECONDS, Service

log = structlog.get_logger(__name__)


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


class SignalController(Controller):
    """The only way in besides the broker."""

    path = "/signals"

    @command(status_code=202, opt={SCOPE: Scope.TRADE})
    async def hand_in(
        self, request: Request[Any, Any, Any], service: NamedDependency[Service]
    ) -> VerdictView:
        """Decide one signal. The same signal again does nothing new."""
        delivery, effect = await service.desk.hand_in(await request.body(), VERDICT_SECONDS)
        log.info(
            "signal.handled",
            delivery=effect.number,
            verdict=effect.verdict.value,
            code=effect.code,
            signal_id=delivery.signal.signal_id
            if isinstance(delivery, SignalDelivered)
            else delivery.signal_id,
        )
        if isinstance(delivery, DeliveryInvalid):
            reason = {
                "field": delivery.field,
                "rule": delivery.rule,
                "value": delivery.value,
            }
            detail = f"{delivery.field} must be {delivery.rule}."
            raise Refused(422, detail, code=delivery.code, errors=[reason])
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

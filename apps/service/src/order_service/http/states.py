"""Trading states: what may be traded, halted and resumed; needs no ownership of the account."""

from typing import Any

from litestar import Controller, Request
from litestar.di import NamedDependency
from litestar.params import JSONBody

from order_domain.model.enums import Trading
from order_domain.model.identifiers import instrument_id
from order_domain.model.rows import TradingStateRow
from order_service import rows
from order_service.http.auth import SCOPE, actor_of
from order_service.http.forms import HaltForm, ResumeForm, TradingStateForm
from order_service.http.keys import Scope
from order_service.http.problems import Refused
from order_service.http.routes import command, read
from order_service.http.wire import now
from order_service.service import Service

OPERATOR = "OPERATOR"
AnyRequest = Request[Any, Any, Any]


class StateController(Controller):
    """A restriction holds from its commit: owners read it five times a second."""

    @read("/trading-state")
    async def show(self, service: NamedDependency[Service]) -> dict[str, Any]:
        """Every scope and cause, and what they come to for the account."""
        return await _shown(service)

    @command("/trading-state", status_code=200, opt={SCOPE: Scope.ADMIN})
    async def put(
        self,
        request: AnyRequest,
        data: JSONBody[TradingStateForm],
        service: NamedDependency[Service],
    ) -> dict[str, Any]:
        """Set what may be traded in a scope, as the operator's cause."""
        return await _put(request, service, data.scope, OPERATOR, data.state, data.reason)

    @command("/halt", status_code=200, opt={SCOPE: Scope.HALT})
    async def halt(
        self, request: AnyRequest, data: JSONBody[HaltForm], service: NamedDependency[Service]
    ) -> dict[str, Any]:
        """Open nothing more until resume; cancels, closes and flatten still work."""
        return await _put(request, service, data.scope, OPERATOR, Trading.HALTED, data.reason)

    @command("/resume", status_code=200, opt={SCOPE: Scope.ADMIN})
    async def resume(
        self, request: AnyRequest, data: JSONBody[ResumeForm], service: NamedDependency[Service]
    ) -> dict[str, Any]:
        """Lift one cause. Lifting a halt needs another scope than trading."""
        scope = _scope(service, data.scope)
        known = await service.views.trading_states()
        found = next((row for row in known if (row.scope, row.cause) == (scope, data.cause)), None)
        if found is None:
            raise Refused(404, "No such restriction.", code="STATE_NOT_FOUND")
        return await _put(
            request,
            service,
            data.scope,
            data.cause,
            Trading.ACTIVE,
            data.reason,
            # a halt that is set meanwhile is not the one that was to be lifted
            replaces=found.version if data.version is None else data.version,
        )


async def _put(
    request: AnyRequest,
    service: Service,
    scope: str,
    cause: str,
    state: Trading,
    reason: str,
    *,
    replaces: int | None = None,
) -> dict[str, Any]:
    row = TradingStateRow(_scope(service, scope), cause, state, 0, reason, actor_of(request), now())
    await service.restrict(row, replaces)
    return await _shown(service)


async def _shown(service: Service) -> dict[str, Any]:
    states = await service.views.trading_states()
    ours = [row.state for row in states if row.scope == "account"]
    effective = max(ours, key=lambda state: state.severity, default=Trading.ACTIVE)
    return {
        "account": effective.value,
        "states": [rows.trading_state_row(row) for row in states],
    }


def _scope(service: Service, text: str) -> str:
    kind, _, name = text.partition(":")
    if kind != "symbol":
        return text
    return f"symbol:{instrument_id(service.category_of(name), name)}"

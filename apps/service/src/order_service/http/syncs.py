"""Sync: the account read now, differences repaired, told as they were committed."""

from typing import Annotated, Any, Literal
from uuid import uuid4

import attrs
from litestar import Controller, Request
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from order_service.http.auth import SCOPE, actor_of
from order_service.http.forms import SyncForm
from order_service.http.keys import Scope
from order_service.http.routes import command
from order_service.plain import plain
from order_service.runtime.syncing import SyncResult
from order_service.service import Service


class SyncController(Controller):
    """One at a time; another one meanwhile is refused."""

    @command("/sync", status_code=200, opt={SCOPE: Scope.ADMIN})
    async def sync(
        self,
        request: Request[Any, Any, Any],
        service: NamedDependency[Service],
        data: JSONBody[SyncForm | None] = None,
        told: Annotated[
            Literal["orders", "positions", "active", "all"] | None, QueryParameter(name="scope")
        ] = None,
    ) -> dict[str, Any]:
        """Read the whole account; the scope, of query or body, says what the answer tells."""
        chosen = told or (data.scope if data is not None else "all")
        wanted = "orders" if chosen == "active" else chosen
        result = await service.sync(wanted, request_id=f"sync-{uuid4()}", actor=actor_of(request))
        return _shown(result)


def _shown(result: SyncResult) -> dict[str, Any]:
    repairs = [
        {name: plain(value) for name, value in attrs.asdict(each).items()}
        for each in result.repairs
    ]
    return {
        "status": "completed" if result.is_complete else "partial",
        "scope": result.scope,
        "began_at": plain(result.began_at),
        "timestamp": plain(result.ended_at),
        "synced_orders": result.open_orders,
        "updated_orders": len(repairs),
        "repairs": repairs,
        "mismatches": list(result.mismatches),
        "errors": [] if result.is_complete else ["a part of the account could not be read"],
    }

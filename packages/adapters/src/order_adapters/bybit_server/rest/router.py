"""Router: from one HTTP request to the bytes of its answer."""

from typing import Any, Final

import attrs
import msgspec

from order_adapters.bybit_server.failures import (
    BANNED,
    NO_PERMISSION,
    PARAMETER,
    TOO_MANY_VISITS,
    Refused,
)
from order_adapters.bybit_server.limits import FUTURES, SPOT, Allowance
from order_adapters.bybit_server.numbers import milliseconds
from order_adapters.bybit_server.rest.market_data import Desk
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Caller, Reply, Request, authenticate
from order_adapters.bybit_server.rest.routes import GETS, POSTS, PUBLIC, Route
from order_adapters.bybit_server.rest.trading import batch, batch_size
from order_adapters.bybit_server.services import Services

_METHODS: Final = ("GET", "POST")


@attrs.frozen(slots=True)
class Response:
    """Status, headers and JSON of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Router:
    """Serves the V5 paths."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def respond(self, request: Request) -> Response:
        """Answer a request; every answer is an envelope.

        Raises:
            NoAnswer: A fault has eaten the answer.
        """
        headers: dict[str, str] = {}
        try:
            reply = await self._serve(request, headers)
        except Refused as refused:
            return self._response(
                refused.status, refused.code, refused.text, refused.result, {}, headers
            )
        return self._response(200, 0, reply.text, reply.result, reply.extra or {}, headers)

    async def _serve(self, request: Request, headers: dict[str, str]) -> Reply:
        services = self._services
        if not services.addresses.admits(request.address, services.clock.now()):
            raise Refused(*BANNED, status=403)
        if request.method not in _METHODS:
            raise Refused(PARAMETER, "bad method", status=400)
        if request.method == "GET" and request.body:
            raise Refused(BANNED[0], "a GET request must have no body", status=403)
        public = PUBLIC.get(request.path) if request.method == "GET" else None
        if public is not None:
            desk = Desk(services.boards, services.now(), services.config.price_band)
            return await public(desk, request.params)
        route = (GETS if request.method == "GET" else POSTS).get(request.path)
        if route is None:
            raise Refused(10017, "Route not found.", status=404)
        caller = authenticate(request, services.accounts)
        params = request.params
        allowance = allow(services, caller, route, params)
        headers.update(allowance.headers())
        if not allowance.granted:
            raise Refused(*TOO_MANY_VISITS)
        return await carry_out(route, caller, params, allowance)

    def _response(
        self, status: int, code: int, text: str, result: Any, extra: Any, headers: dict[str, str]
    ) -> Response:
        envelope = {
            "retCode": code,
            "retMsg": text,
            "result": result,
            "retExtInfo": extra,
            "time": milliseconds(self._services.now()),
        }
        return Response(status, headers, msgspec.json.encode(envelope))


def allow(services: Services, caller: Caller, route: Route, params: Params) -> Allowance:
    """Count a request against its limit.

    Raises:
        Refused: 10005 for a write with a read-only key; 10001 for a batch of a bad size.
    """
    account = caller.account
    if route.writes and account.config.read_only:
        raise Refused(*NO_PERMISSION)
    bucket = route.bucket
    if route.by_product:
        bucket = f"{bucket}/{SPOT if params.text('category') == SPOT else FUTURES}"
    units = batch_size(params) if route.batch else 1
    return services.limits.take(account.config.user_id, bucket, account.now(), units)


async def carry_out(route: Route, caller: Caller, params: Params, allowance: Allowance) -> Reply:
    """Run a private endpoint."""
    if route.batch:
        return await batch(route.batch, caller, params, allowance)
    if route.handler is None:
        raise Refused(10017, "Route not found.", status=404)
    return await route.handler(caller, params)

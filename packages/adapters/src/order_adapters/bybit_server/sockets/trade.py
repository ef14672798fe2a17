"""Trade socket: orders over a connection; every request is answered under its reqId."""

import asyncio
from typing import Any, Final

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.failures import (
    BANNED,
    TOO_MANY_VISITS,
    NoAnswer,
    Refused,
    invalid,
)
from order_adapters.bybit_server.limits import Allowance
from order_adapters.bybit_server.numbers import milliseconds, stamp, whole
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Caller, Reply
from order_adapters.bybit_server.rest.router import allow, carry_out
from order_adapters.bybit_server.rest.routes import POSTS, Route
from order_adapters.bybit_server.signatures import RECV_WINDOW, check_window
from order_adapters.bybit_server.sockets.auth import account_of
from order_adapters.bybit_server.sockets.connection import Connection

Frame = dict[str, Any]
_ROUTES: Final[dict[str, Route]] = {
    f"order.{name}": POSTS[f"/v5/order/{name}"]
    for name in ("create", "amend", "cancel", "create-batch", "amend-batch", "cancel-batch")
}
_REQUEST_ID_MAX: Final = 36
_REQUEST_IDS_KEPT: Final = 100_000
_HTTP_CODES: Final = {403: 10403, 429: 10429, 500: 10016, 502: 10016, 503: 10016, 504: 10016}
"""What a fault that is an HTTP status becomes on a socket."""


class TradeSession:
    """One trade connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._account: ServerAccount | None = None
        self._seen: dict[str, None] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until either end closes. What was begun at the exchange goes on without it."""
        await self._connection.run(self.handle)

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def handle(self, frame: Any) -> None:
        """Take one frame."""
        request: Frame = frame if isinstance(frame, dict) else {}
        operation = request.get("op")
        if operation == "ping":
            now = stamp(self._connection.services.now())
            self._connection.acknowledge(self._plain(request, "pong", 0, "OK") | {"data": [now]})
        elif operation == "auth":
            self._auth(request)
        else:
            task = asyncio.get_running_loop().create_task(self._trade(request, str(operation)))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        """Let a mistake of this server be seen, instead of a request without an answer."""
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._connection.abort()
            task.get_loop().call_exception_handler(
                {"message": "trade request failed", "exception": task.exception(), "task": task}
            )

    def _auth(self, request: Frame) -> None:
        services = self._connection.services
        if self._account is not None:
            self._connection.acknowledge(self._plain(request, "auth", 20001, "Repeat auth"))
            return
        try:
            self._account = account_of(request.get("args"), services.accounts, services.now())
        except Refused as refused:
            message = self._plain(request, "auth", refused.code, refused.text)
        else:
            message = self._plain(request, "auth", 0, "OK")
        self._connection.acknowledge(message)

    async def _trade(self, request: Frame, operation: str) -> None:
        allowance: list[Allowance] = []
        try:
            reply = await self._served(request, operation, allowance)
        except Refused as refused:
            code = _HTTP_CODES.get(refused.code, refused.code)
            self._answer(request, operation, code, refused.text, Reply({}), allowance)
        except NoAnswer:
            return
        else:
            self._answer(request, operation, 0, "OK", reply, allowance)

    async def _served(self, request: Frame, operation: str, allowance: list[Allowance]) -> Reply:
        services, account = self._connection.services, self._account
        if account is None:
            raise Refused(10003, "Request not authorized")
        if not services.addresses.admits_frame(self._connection.address[0], services.clock.now()):
            raise Refused(*BANNED)
        self._see_new(request.get("reqId"))
        route = _ROUTES.get(operation)
        if route is None:
            raise Refused(10404, f"op {operation} is not found")
        caller = _caller(account, request)
        args = request.get("args")
        if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], dict):
            raise invalid("params error: args must hold one object")
        params = Params(args[0])
        allowance.append(allow(services, caller, route, params))
        if not allowance[0].granted:
            raise Refused(*TOO_MANY_VISITS)
        return await carry_out(route, caller, params, allowance[0])

    def _see_new(self, request_id: Any) -> None:
        if request_id is None:
            return
        if not isinstance(request_id, str) or len(request_id) > _REQUEST_ID_MAX:
            raise invalid("params error: reqId must be a string of at most 36 characters")
        if request_id in self._seen:
            raise Refused(20006, "Duplicate reqId")
        self._seen[request_id] = None
        if len(self._seen) > _REQUEST_IDS_KEPT:
            del self._seen[next(iter(self._seen))]

    def _answer(
        self,
        request: Frame,
        operation: str,
        code: int,
        text: str,
        reply: Reply,
        allowance: list[Allowance],
    ) -> None:
        now = milliseconds(self._connection.services.now())
        header = allowance[0].headers() if allowance else {}
        name = self._connection.name
        message: Frame = {"reqId": request["reqId"]} if "reqId" in request else {}
        message |= {
            "retCode": code,
            "retMsg": text,
            "op": operation,
            "data": reply.result,
            "retExtInfo": reply.extra or {},
            "header": {**header, "Traceid": f"{name[-12:]}{now}", "Timenow": str(now)},
            "connId": name,
        }
        if code and not allowance:
            self._connection.acknowledge(message)
        else:
            self._connection.say(message)

    def _plain(self, request: Frame, operation: str, code: int, text: str) -> Frame:
        message: Frame = {"reqId": request["reqId"]} if "reqId" in request else {}
        return message | {
            "retCode": code,
            "retMsg": text,
            "op": operation,
            "connId": self._connection.name,
        }


def _caller(account: ServerAccount, request: Frame) -> Caller:
    """Read the header: its timestamp is needed, the window has a default.

    Raises:
        Refused: 10001 without a timestamp, 10002 outside the window.
    """
    header = request.get("header")
    values = header if isinstance(header, dict) else {}
    stamped = whole(values.get("X-BAPI-TIMESTAMP"))
    window = values.get("X-BAPI-RECV-WINDOW")
    length = RECV_WINDOW if window in (None, "") else whole(window)
    if stamped is None or length is None:
        raise invalid("params error: X-BAPI-TIMESTAMP or X-BAPI-RECV-WINDOW invalid")
    check_window(stamped, length, account.exchange_now())
    return Caller(account, stamped, length)

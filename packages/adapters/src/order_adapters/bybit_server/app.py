"""App: the ASGI application; HTTP to the router, sockets to their sessions by path."""

from collections.abc import Callable
from typing import Any, Final

from order_adapters.bybit_server.admin import Admin
from order_adapters.bybit_server.failures import NoAnswer
from order_adapters.bybit_server.market.feed import Feed
from order_adapters.bybit_server.rest.request import Request
from order_adapters.bybit_server.rest.router import Response, Router
from order_adapters.bybit_server.services import Services
from order_adapters.bybit_server.sockets.connection import Connection, Receive, Send
from order_adapters.bybit_server.sockets.private import PrivateSession
from order_adapters.bybit_server.sockets.public import PublicSession
from order_adapters.bybit_server.sockets.trade import TradeSession
from order_domain.model.enums import Category

Session = PrivateSession | TradeSession | PublicSession
_BODY_MAX: Final = 1 << 20
_PUBLIC: Final = {f"/v5/public/{category}": category for category in Category}


class App:
    """Bybit V5 and, where it is wanted, the admin API.

    Attributes:
        sessions: Open sockets by kind: private, trade, public.
        admin: None unless the server is to have one.
    """

    def __init__(self, services: Services) -> None:
        self.sessions: dict[str, set[Session]] = {"private": set(), "trade": set(), "public": set()}
        self._services = services
        self._router = Router(services)
        self.admin = Admin(services, self.disconnect) if services.config.admin else None
        for account in services.accounts.values():
            account.on_disconnect = lambda: self.disconnect("private")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)

    def play(self, feed: Feed) -> None:
        """Let the admin hold this market."""
        if self.admin is not None:
            self.admin.feed = feed

    def disconnect(self, kind: str) -> int:
        """Cut every socket of a kind; return how many there were."""
        sessions = tuple(self.sessions[kind])
        for session in sessions:
            session.abort()
        return len(sessions)

    async def _http(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        request = await _read(scope, receive)
        try:
            if self.admin is not None and request.path.startswith("/admin/"):
                response = await self.admin.respond(request)
            else:
                response = await self._router.respond(request)
        except NoAnswer:
            self._services.abort(tuple(scope["client"]))
            # Until the server has noticed, it would take the end of this call for a mistake.
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await _write(response, send)

    async def _socket(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path = scope["path"]
        connection = Connection(self._services, tuple(scope["client"]), receive, send)
        kind, make = _session(path)
        if make is None:
            await receive()
            await send({"type": "websocket.close", "code": 4404})
            return
        connection.limit_idle(scope["query_string"])
        session = make(connection)
        self.sessions[kind].add(session)
        try:
            await session.run()
        finally:
            self.sessions[kind].discard(session)


def _session(path: str) -> tuple[str, Callable[[Connection], Session] | None]:
    if path == "/v5/private":
        return "private", PrivateSession
    if path == "/v5/trade":
        return "trade", TradeSession
    category = _PUBLIC.get(path)
    if category is None:
        return "", None
    return "public", lambda connection: PublicSession(connection, category)


async def _read(scope: dict[str, Any], receive: Receive) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > _BODY_MAX:
            break
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"],
        headers=headers,
        body=body,
        address=scope["client"][0],
    )


async def _write(response: Response, send: Send) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", **response.headers}
    headers["Content-Length"] = str(len(response.body))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": response.body})

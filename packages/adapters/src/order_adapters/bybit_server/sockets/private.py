"""Private stream: auth, then orders, executions, positions and the wallet of one account."""

from typing import Any, Final

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.failures import Refused
from order_adapters.bybit_server.numbers import stamp
from order_adapters.bybit_server.sockets.auth import account_of
from order_adapters.bybit_server.sockets.connection import Connection

_CATEGORIES: Final = ("spot", "linear", "inverse", "option")
_TOPICS: Final = frozenset(
    (
        "order",
        "execution",
        "execution.fast",
        "position",
        "wallet",
        "greeks",
        *(f"order.{each}" for each in _CATEGORIES),
        *(f"execution.{each}" for each in _CATEGORIES),
        *(f"execution.fast.{each}" for each in _CATEGORIES),
        *(f"position.{each}" for each in _CATEGORIES[1:]),
        *(f"dcp.{each}" for each in ("future", "spot", "option")),
    )
)
_ALL_IN_ONE: Final = ("order", "execution", "execution.fast", "position")


class PrivateSession:
    """One private connection.

    Attributes:
        topics: What is subscribed.
    """

    def __init__(self, connection: Connection) -> None:
        self.topics: set[str] = set()
        self._connection = connection
        self._account: ServerAccount | None = None

    def put(self, text: str) -> None:
        """Queue a push."""
        self._connection.put(text)

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    async def run(self) -> None:
        """Serve until either end closes."""
        try:
            await self._connection.run(self.handle)
        finally:
            if self._account is not None:
                self._account.publisher.sessions.discard(self)
                self._look()

    def handle(self, frame: Any) -> None:
        """Take one frame. They are handled strictly in order: subscribing may follow auth at once.

        Other frames than these are answered, never ignored.
        """
        request = frame if isinstance(frame, dict) else {}
        operation = request.get("op")
        if operation == "ping":
            self._pong(request)
        elif operation == "auth":
            self._auth(request)
        elif operation == "subscribe":
            self._subscribe(request)
        elif operation == "unsubscribe":
            self.topics.difference_update(_topics(request) or ())
            self._look()
            self._say(request, "unsubscribe", "")
        else:
            self._say(request, str(operation or ""), "error:unknown operation", success=False)

    def _auth(self, request: dict[str, Any]) -> None:
        services = self._connection.services
        try:
            account = account_of(request.get("args"), services.accounts, services.now())
        except Refused as refused:
            self._say(request, "auth", refused.text, success=False)
            return
        self._account = account
        account.publisher.sessions.add(self)
        self._say(request, "auth", "")

    def _subscribe(self, request: dict[str, Any]) -> None:
        wrong = self._why_not(_topics(request))
        if wrong:
            self._say(request, "subscribe", wrong, success=False)
            return
        self._say(request, "subscribe", "")
        self.topics.update(_topics(request) or ())
        self._look()

    def _look(self) -> None:
        """Let the account see which of its streams protect it."""
        if self._account is not None:
            self._account.protection.look(self._account.publisher.sessions)

    def _why_not(self, topics: list[str] | None) -> str:
        if self._account is None:
            return "Request not authorized"
        if not topics:
            return "Params Error"
        strange = [topic for topic in topics if topic not in _TOPICS]
        if strange:
            return f"error:handler not found,topic:{strange[0]}"
        for whole in _ALL_IN_ONE:
            if whole in topics and any(f"{whole}.{each}" in topics for each in _CATEGORIES):
                return f"error:{whole} and its categories in one request"
        return ""

    def _say(
        self, request: dict[str, Any], operation: str, text: str, *, success: bool = True
    ) -> None:
        message: dict[str, Any] = {"success": success, "ret_msg": text, "op": operation}
        if "req_id" in request:
            message["req_id"] = request["req_id"]
        message["conn_id"] = self._connection.name
        self._connection.acknowledge(message)

    def _pong(self, request: dict[str, Any]) -> None:
        message: dict[str, Any] = {}
        if "req_id" in request:
            message["req_id"] = request["req_id"]
        message |= {
            "op": "pong",
            "args": [stamp(self._connection.services.now())],
            "conn_id": self._connection.name,
        }
        self._connection.acknowledge(message)


def _topics(request: dict[str, Any]) -> list[str] | None:
    args = request.get("args")
    if not isinstance(args, list) or not all(isinstance(each, str) for each in args):
        return None
    return args

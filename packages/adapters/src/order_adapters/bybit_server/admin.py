"""Admin: what a tester does behind the exchange's back; only from this machine."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final

import attrs
import msgspec

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.failures import Refused, invalid
from order_adapters.bybit_server.market.board import Board
from order_adapters.bybit_server.market.feed import Feed
from order_adapters.bybit_server.numbers import milliseconds
from order_adapters.bybit_server.rest.params import Params
from order_adapters.bybit_server.rest.request import Request
from order_adapters.bybit_server.rest.router import Response
from order_adapters.bybit_server.services import Services
from order_adapters.simulator import MarketTrade, parse_faults
from order_domain.errors import InvalidValue
from order_domain.model.enums import PositionSide, Side
from order_domain.model.identifiers import ClientOrderId
from order_domain.model.quote import Quote

Handler = Callable[[Params, bytes], Awaitable[dict[str, Any]]]
_LOOPBACK: Final = ("127.0.0.1", "::1")
_POSITIONS: Final = {0: PositionSide.BOTH, 1: PositionSide.LONG, 2: PositionSide.SHORT}


class Admin:
    """Serves `/admin`; every body and answer is JSON.

    Attributes:
        feed: The market that plays, if one does.
    """

    def __init__(self, services: Services, disconnect: Callable[[str], int]) -> None:
        self.feed: Feed | None = None
        self._services = services
        self._disconnect = disconnect
        self._handlers: dict[tuple[str, str], Handler] = {
            ("POST", "/admin/faults"): self._inject,
            ("POST", "/admin/quote"): self._quote,
            ("POST", "/admin/trade"): self._trade,
            ("POST", "/admin/market"): self._market,
            ("POST", "/admin/order"): self._order,
            ("POST", "/admin/cancel"): self._cancel,
            ("POST", "/admin/liquidate"): self._liquidate,
            ("POST", "/admin/funding"): self._funding,
            ("POST", "/admin/disconnect"): self._cut,
            ("POST", "/admin/ban"): self._ban,
            ("GET", "/admin/state"): self._state,
        }

    async def respond(self, request: Request) -> Response:
        """Answer a request of this machine."""
        if request.address not in _LOOPBACK:
            return _response(403, {"error": "only from this machine"})
        handler = self._handlers.get((request.method, request.path))
        if handler is None:
            return _response(404, {"error": "no such path", "paths": self._paths()})
        try:
            params = Params({}) if request.path == "/admin/faults" else request.params
            return _response(200, await handler(params, request.body))
        except Refused as refused:
            return _response(400, {"error": refused.text})
        except InvalidValue as error:
            return _response(400, {"error": str(error), "details": _plain(error.details)})

    def _paths(self) -> list[str]:
        return [f"{method} {path}" for method, path in self._handlers]

    async def _inject(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Add faults, one JSON object a line; their times count from now."""
        script = parse_faults(body.decode("utf-8", "replace").splitlines())
        for account in self._services.accounts.values():
            for fault in script.faults:
                account.exchange.inject(fault, account.now())
            account.pump()
        return {"faults": len(script.faults)}

    async def _quote(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Move the touch."""
        board = self._board(params)
        bid, ask = _needed(params, "bid"), _needed(params, "ask")
        if not 0 < bid < ask:
            raise invalid("bid and ask must be above 0, and the ask above the bid")
        size = params.amount("size") or Decimal(10)
        now = self._services.clock.now()
        instrument = board.instrument.id
        self._services.boards.feed(Quote(instrument, bid, size, ask, size, now))
        return {"instrument": instrument}

    async def _trade(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Let others trade."""
        board = self._board(params)
        trade = MarketTrade(
            board.instrument.id,
            _needed(params, "price"),
            _needed(params, "size"),
            _side(params),
            self._services.clock.now(),
        )
        self._services.boards.feed(trade)
        return {"instrument": board.instrument.id}

    async def _market(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Hold the playing market still, or let it go on."""
        if self.feed is None:
            raise invalid("no market is playing")
        self.feed.hold(still=not params.flag("running"))
        return {"running": self.feed.is_running}

    async def _order(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Place an order by somebody else's hand."""
        account, board = self._account(params), self._board(params)
        order_id = account.exchange.admin.place(
            board.instrument.id,
            _side(params),
            _needed(params, "qty"),
            account.exchange_now(),
            price=params.amount("price"),
            client_order_id=ClientOrderId(params.text("orderLinkId")),
            reduce_only=params.flag("reduceOnly"),
            position_side=_position(params),
        )
        account.pump()
        return {"orderId": account.index.id_of_core(order_id)}

    async def _cancel(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Cancel an order by somebody else's hand."""
        account = self._account(params)
        order = account.index.find(params.text("orderId"), params.text("orderLinkId"))
        done = order is not None and account.exchange.admin.cancel(
            order.venue_order_id, account.exchange_now()
        )
        account.pump()
        return {"cancelled": done}

    async def _liquidate(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Cancel the orders of an instrument and close its position at mark."""
        account, board = self._account(params), self._board(params)
        account.exchange.admin.liquidate(
            board.instrument.id, account.exchange_now(), position_side=_position(params)
        )
        account.pump()
        return {"instrument": board.instrument.id}

    async def _funding(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Settle funding."""
        account, board = self._account(params), self._board(params)
        account.exchange.admin.fund(
            board.instrument.id, _needed(params, "rate"), account.exchange_now()
        )
        account.pump()
        return {"instrument": board.instrument.id}

    async def _cut(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Cut every socket of a kind."""
        kind = params.required("socket")
        if kind not in ("private", "trade", "public"):
            raise invalid("socket must be private, trade or public")
        return {"cut": self._disconnect(kind)}

    async def _ban(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Ban an address for ten minutes."""
        address = params.required("address")
        self._services.addresses.ban(address, self._services.clock.now())
        return {"address": address}

    async def _state(self, params: Params, body: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Dump an account as plain rows."""
        account = self._account(params)
        return {
            "userId": account.config.user_id,
            "time": milliseconds(account.exchange_now()),
            "openOrders": len(account.exchange.open_orders),
            "rates": self._services.limits.record(account.config.user_id),
            "rateLimited": self._services.limits.refused(account.config.user_id),
            **attrs.asdict(account.exchange.state()),
        }

    def _account(self, params: Params) -> ServerAccount:
        """The account of `apiKey`, else the first."""
        key = params.text("apiKey")
        account = self._services.accounts.get(key) if key else self._services.first
        if account is None:
            raise invalid("apiKey is not known")
        return account

    def _board(self, params: Params) -> Board:
        board = self._services.boards.find(
            params.text("category", "linear"), params.required("symbol")
        )
        if board is None:
            raise invalid("symbol is not listed")
        return board


def _response(status: int, values: dict[str, Any]) -> Response:
    return Response(status, {}, msgspec.json.encode(values))


def _plain(details: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in dict(details).items()}


def _needed(params: Params, name: str) -> Decimal:
    value = params.amount(name)
    if value is None:
        raise invalid(f"{name} is required")
    return value


def _side(params: Params) -> Side:
    try:
        return Side(params.required("side"))
    except ValueError:
        raise invalid("side must be Buy or Sell") from None


def _position(params: Params) -> PositionSide:
    side = _POSITIONS.get(params.whole("positionIdx", 0) or 0)
    if side is None:
        raise invalid("positionIdx must be 0, 1 or 2")
    return side

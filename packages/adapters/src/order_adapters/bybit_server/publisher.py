"""Publisher: what the core reports, written once and handed to every private stream."""

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from order_adapters.bybit_server.numbers import milliseconds
from order_adapters.bybit_server.rows.execution import fast_execution_row, pushed_execution_row
from order_adapters.bybit_server.rows.order import pushed_order_row
from order_adapters.bybit_server.rows.position import position_row, pushed_position_row
from order_adapters.bybit_server.rows.wallet import wallet_row
from order_adapters.simulator.market import Market
from order_domain.model.enums import ExecutionKind, PositionSide
from order_domain.model.execution import Execution
from order_domain.model.instrument import ZERO
from order_domain.model.reports import OrderReport, WalletReport

if TYPE_CHECKING:
    from order_adapters.bybit_server.account import ServerAccount

Row = dict[str, Any]
FAST: Final = "execution.fast"


class Session(Protocol):
    """A private stream."""

    topics: set[str]

    def put(self, text: str) -> None:
        """Queue a message; never waits."""
        ...


class Publisher:
    """Pushes orders, executions, positions and the wallet of one account.

    Attributes:
        sessions: Streams that are open; which topics they want is theirs to say.
    """

    def __init__(self, account: "ServerAccount") -> None:
        self.sessions: set[Session] = set()
        self._account = account
        self._number = 0

    def publish(self, message: OrderReport | Execution | WalletReport) -> None:
        """Push one report."""
        if not self.sessions:
            return
        if isinstance(message, OrderReport):
            self._order(message)
        elif isinstance(message, Execution):
            self._execution(message)
        elif isinstance(message, WalletReport):
            self._wallet(message)

    def _order(self, report: OrderReport) -> None:
        account = self._account
        order = account.order_of(report.client_order_id, report.venue_order_id)
        market = account.markets[report.instrument_id]
        if order is not None:
            closing = account.books.closings.get((order.venue_order_id, order.position_side))
            pnl = ZERO if closing is None else closing.pnl
            row = pushed_order_row(order, report, account.index, pnl)
            self._push("order", market, row, self._next_id())
        if not market.is_spot:
            self._position(market, report.position_side)

    def _position(self, market: Market, side: PositionSide) -> None:
        """A position is pushed with every change of an order, even if nothing else changed."""
        row = pushed_position_row(
            current_position_row(self._account, market, side), market.instrument.category
        )
        self._push("position", market, row, self._next_id())

    def _execution(self, execution: Execution) -> None:
        account = self._account
        market = account.markets[execution.instrument_id]
        order = account.order_of(execution.client_order_id, execution.venue_order_id)
        booked = account.books.booked.get(execution.exec_id)
        if execution.kind is ExecutionKind.TRADE:
            self._push(FAST, market, fast_execution_row(execution, market, account.index), "")
        row = pushed_execution_row(execution, booked, order, market, account.index)
        name = f"{account.config.user_id}_{market.instrument.symbol}_{execution.sequence}"
        self._push("execution", market, row, name)
        if order is None and not market.is_spot:
            self._position(market, execution.position_side)

    def _wallet(self, report: WalletReport) -> None:
        exchange = self._account.exchange
        row = wallet_row(exchange.account, report.balances, exchange.records.open.values())
        self._send("wallet", "wallet", row, self._next_id())

    def _push(self, topic: str, market: Market, row: Row, name: str) -> None:
        self._send(topic, topic, row, name)
        self._send(topic, f"{topic}.{market.instrument.category}", row, name)

    def _send(self, topic: str, form: str, row: Row, name: str) -> None:
        """Hand a row to those who asked for it in this form."""
        wanting = [session for session in self.sessions if form in session.topics]
        if not wanting:
            return
        message: Row = {"id": name} if topic != FAST else {}
        message["topic"] = form
        message["creationTime"] = milliseconds(self._account.exchange_now())
        message["data"] = [row]
        encoded = msgspec.json.encode(message).decode()
        for session in wanting:
            session.put(encoded)

    def _next_id(self) -> str:
        self._number += 1
        return f"{self._account.config.user_id}_{self._number}"


def current_position_row(account: "ServerAccount", market: Market, side: PositionSide) -> Row:
    """Write a position as it stands, as REST has it."""
    key = (market.id, side)
    position = account.position(market, side)
    return position_row(
        position,
        market,
        leverage=account.leverage_of(market.id),
        sequence=account.books.sequences.get(key, -1),
        opened=account.books.opened.get(key),
        guards=dict(account.exchange.guards_of(market, position)),
    )

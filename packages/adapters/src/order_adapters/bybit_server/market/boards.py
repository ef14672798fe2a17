"""Boards: all instruments, the accounts that trade on them, and who listens."""

from collections.abc import Callable, Iterable

from order_adapters.bybit_server.account import ServerAccount
from order_adapters.bybit_server.market.board import Board
from order_adapters.simulator import MarketTrade
from order_domain.model.execution import Execution
from order_domain.model.identifiers import InstrumentId, instrument_id
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote

Listener = Callable[[Board, Quote | MarketTrade | Execution], None]


class Boards:
    """Brings what the market does to everybody, accounts first."""

    def __init__(
        self, instruments: Iterable[Instrument], accounts: Iterable[ServerAccount], depth: int
    ) -> None:
        self._boards = {each.id: Board(each, depth) for each in instruments}
        self._accounts = tuple(accounts)
        self.listeners: list[Listener] = []
        for account in self._accounts:
            account.on_liquidation = self.tell

    def feed(self, news: Quote | MarketTrade) -> None:
        """Take a quote or a trade of now. KeyError for an instrument that is not listed."""
        board = self._boards[news.instrument_id]
        if isinstance(news, Quote):
            board.show(news)
        else:
            board.trade(news)
        for account in self._accounts:
            account.feed(news)
        self._tell(board, news)

    def tell(self, execution: Execution) -> None:
        """Let everybody see the liquidation of an account."""
        self._tell(self._boards[execution.instrument_id], execution)

    def find(self, category: str, symbol: str) -> Board | None:
        """Return the board of a symbol."""
        return self._boards.get(instrument_id(category, symbol))

    def of(self, name: InstrumentId) -> Board:
        """Return the board of a listed instrument."""
        return self._boards[name]

    def in_category(self, category: str) -> list[Board]:
        """All boards of a category, in order of their symbols."""
        found = [b for b in self._boards.values() if b.instrument.category == category]
        return sorted(found, key=lambda board: board.instrument.symbol)

    def _tell(self, board: Board, news: Quote | MarketTrade | Execution) -> None:
        for listener in self.listeners:
            listener(board, news)

"""Bybit simulator: the local Bybit server, from the choices of a person to a stop."""

import asyncio
import signal
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from heapq import merge
from pathlib import Path
from typing import Final

import attrs

from order_adapters.bybit_server import AccountConfig, BybitServer, ServerConfig
from order_adapters.bybit_server.accounts_file import load_accounts
from order_adapters.clock import SystemClock
from order_adapters.intake.market_csv import MarketFile
from order_adapters.intake.synthetic import SyntheticMarket
from order_adapters.simulator import MarketTrade, parse_faults
from order_domain.errors import InvalidValue
from order_domain.model.identifiers import InstrumentId, instrument_id
from order_domain.model.instrument import ONE
from order_domain.model.quote import Quote

DEFAULT_SYMBOL: Final = "BTCUSDT"
_YEAR: Final = timedelta(days=365)
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


@attrs.frozen(slots=True, kw_only=True)
class SimulatorChoices:
    """What a person chose.

    Attributes:
        markets: `[[CATEGORY:]SYMBOL=]FILE` each; without any a synthetic market plays.
        speed: Times real time.
        faults, accounts: Files.
        is_limited: Refuse what exceeds the exchange's rate limits.
    """

    host: str = "127.0.0.1"
    port: int = 0
    markets: tuple[str, ...] = ()
    speed: Decimal = ONE
    seed: int = 0
    faults: Path | None = None
    accounts: Path | None = None
    has_admin: bool = False
    is_limited: bool = True


def make_simulator(choices: SimulatorChoices) -> BybitServer:
    """Make the server, not yet listening.

    Raises:
        InvalidValue: A file or choice breaks its rule.
        OSError: A file cannot be read.
    """
    script = None
    if choices.faults is not None:
        script = parse_faults(choices.faults.read_text().splitlines())
    accounts = (AccountConfig(),) if choices.accounts is None else load_accounts(choices.accounts)
    config = ServerConfig(
        host=choices.host,
        port=choices.port,
        seed=choices.seed,
        accounts=accounts,
        faults=script,
        admin=choices.has_admin,
        uid_limits=choices.is_limited,
        ip_limit=ServerConfig().ip_limit if choices.is_limited else None,
    )
    clock = SystemClock()
    rows: Iterable[Quote | MarketTrade]
    if choices.markets:
        files = [_market_file(text, config) for text in choices.markets]
        rows = merge(*(file for file, _ in files), key=lambda row: row.at)
        sources = [source for _, source in files]
    else:
        synthetic = SyntheticMarket(choices.seed, _YEAR, start=clock.now())
        rows, sources = synthetic, [each.id for each in synthetic.instruments]
    return BybitServer(config, clock, market=rows, sources=sources, speed=choices.speed)


async def run_simulator(server: BybitServer, tell: Callable[[str], None]) -> None:
    """Listen until SIGTERM or SIGINT; once the port is open, tell where, and for whom.

    Raises:
        OSError: The address is taken.
        InputInvalid: A market file is none.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with server:
        for each in _STOPS:
            loop.add_signal_handler(each, stop.set)
        try:
            tell(describe(server))
            stopped, ended = (
                asyncio.ensure_future(stop.wait()),
                asyncio.ensure_future(server.wait()),
            )
            await asyncio.wait((stopped, ended), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if ended.done():
                ended.result()
            ended.cancel()
        finally:
            for each in _STOPS:
                loop.remove_signal_handler(each)


def describe(server: BybitServer) -> str:
    """Say where the server is and what its accounts are; the keys open nothing else."""
    lines = [f"REST       {server.rest_url}"]
    lines += [
        f"WebSocket  {server.ws_url}/v5/{path}"
        for path in ("private", "trade", "public/{linear,inverse,spot}")
    ]
    for account in server.config.accounts:
        mode = "hedge" if account.hedged else "one-way"
        coins = ", ".join(f"{amount} {coin}" for coin, amount in account.balances.items())
        lines += [
            f"Account    {account.user_id}, {mode}, {', '.join(account.categories)}",
            f"           key {account.api_key} secret {account.secret}",
            f"           {coins}",
        ]
    return "\n".join(lines)


def _market_file(text: str, config: ServerConfig) -> tuple[MarketFile, InstrumentId]:
    head, mark, tail = text.rpartition("=")
    symbol = head if mark else DEFAULT_SYMBOL
    category, _, name = symbol.rpartition(":")
    source = instrument_id(category or "linear", name)
    listed = [each.id for each in config.instruments]
    if source not in listed:
        raise InvalidValue(field="market", rule=f"one of {', '.join(listed)}", value=source)
    path = Path(tail if mark else text)
    if not path.is_file():
        raise InvalidValue(field="market", rule="a file", value=path)
    return MarketFile(path, source), source

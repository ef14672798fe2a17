"""Wallet rows: the account and its coins, as wallet-balance and the wallet topic show them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from order_adapters.bybit_server.numbers import rounded, text
from order_adapters.bybit_server.rows.position import MAINTENANCE
from order_adapters.simulator.account import Account, Wallet
from order_adapters.simulator.order import VenueOrder
from order_adapters.simulator.position import worth
from order_domain.model.balance import Balance
from order_domain.model.identifiers import instrument_id
from order_domain.model.instrument import ONE, ZERO

Row = dict[str, Any]
_DOLLARS: Final = ("USDT", "USDC", "USD")


@attrs.define(slots=True)
class _Coin:
    """One coin and what is bound of it."""

    balance: Balance
    usd: Decimal
    locked: Decimal = ZERO
    order_margin: Decimal = ZERO
    position_margin: Decimal = ZERO
    kept: Decimal = ZERO
    realised: Decimal = ZERO

    @property
    def open_gain(self) -> Decimal:
        return self.balance.equity - self.balance.wallet


def wallet_row(account: Account, balances: Iterable[Balance], resting: Iterable[VenueOrder]) -> Row:
    """Write the account with these coins.

    Args:
        balances: The snapshot to show; margins are those of now.
        resting: Every open order.
    """
    locked: dict[str, Decimal] = {}
    for order in resting:
        if order.market.is_spot and order.held:
            coin = account.pays_with(order.market, order.buys)
            locked[coin] = locked.get(coin, ZERO) + order.held
    coins = [
        _coin(account, balance, account.wallet(balance.coin), locked.get(balance.coin, ZERO))
        for balance in balances
    ]
    return _account_fields(coins) | {"coin": [_coin_row(coin) for coin in coins]}


def price_of(account: Account, coin: str) -> Decimal:
    """US dollars for one coin; zero while no market shows it."""
    if coin in _DOLLARS:
        return ONE
    market = account.markets.get(instrument_id("linear", f"{coin}USDT"))
    mark = None if market is None else market.mark_price()
    return ZERO if mark is None else mark


def _coin(account: Account, balance: Balance, wallet: Wallet, locked: Decimal) -> _Coin:
    coin = _Coin(balance, price_of(account, balance.coin), locked, wallet.held - locked)
    for position, market in wallet.positions:
        coin.realised += position.realized - position.fees - position.funding
        mark = market.mark_price()
        if position.size:
            coin.position_margin += position.cost * position.instrument.initial_margin_rate
            if mark is not None:
                value = worth(position.instrument, mark, abs(position.size))
                coin.kept += value * MAINTENANCE
    return coin


def _coin_row(coin: _Coin) -> Row:
    balance = coin.balance
    return {
        "coin": balance.coin,
        "equity": rounded(balance.equity),
        "usdValue": rounded(balance.equity * coin.usd),
        "walletBalance": text(balance.wallet),
        "locked": text(coin.locked),
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": rounded(coin.order_margin),
        "totalPositionIM": rounded(coin.position_margin),
        "totalPositionMM": rounded(coin.kept),
        "unrealisedPnl": rounded(coin.open_gain),
        "cumRealisedPnl": text(coin.realised),
        "bonus": "0",
        "marginCollateral": True,
        "collateralSwitch": True,
        "colRes": "0",
        "spotBorrow": "0",
        "availableToWithdraw": "",
        "availableToBorrow": "",
    }


def _account_fields(coins: list[_Coin]) -> Row:
    wallet = sum((coin.balance.wallet * coin.usd for coin in coins), ZERO)
    gain = sum((coin.open_gain * coin.usd for coin in coins), ZERO)
    bound = sum(((coin.position_margin + coin.order_margin) * coin.usd for coin in coins), ZERO)
    kept = sum((coin.kept * coin.usd for coin in coins), ZERO)
    locked = sum((coin.locked * coin.usd for coin in coins), ZERO)
    equity = wallet + gain
    totals: Mapping[str, Decimal] = {
        "accountIMRate": bound / equity if equity else ZERO,
        "accountMMRate": kept / equity if equity else ZERO,
        "totalEquity": equity,
        "totalWalletBalance": wallet,
        "totalMarginBalance": equity,
        "totalAvailableBalance": max(equity - bound - locked, ZERO),
        "totalPerpUPL": gain,
        "totalInitialMargin": bound,
        "totalMaintenanceMargin": kept,
    }
    row: Row = {name: rounded(value) for name, value in totals.items()}
    for name in (
        "accountIMRate",
        "accountMMRate",
        "totalInitialMargin",
        "totalMaintenanceMargin",
    ):
        row[f"{name}ByMp"] = row[name]
    return {"accountType": "UNIFIED", "accountLTV": "0"} | row

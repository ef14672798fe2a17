"""Account records: positions, wallet, fee rates, and what account and key may do."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import attrs

from order_adapters.intake.invalid import shown
from order_adapters.venues.bybit import words
from order_adapters.venues.bybit.fields import (
    array_or_empty,
    integer_or_none,
    mapping_or_empty,
    moment_or_none,
    not_negative,
    number,
    number_or_none,
    number_or_zero,
    price_or_none,
    text,
    text_or_empty,
)
from order_adapters.venues.bybit.order_records import category_in, instrument_in, position_side_in
from order_adapters.venues.bybit.quarantine import Raw, RecordInvalid
from order_domain.model.balance import Balance
from order_domain.model.enums import Category, PositionSide, Side
from order_domain.model.identifiers import InstrumentId
from order_domain.model.instrument import ZERO
from order_domain.model.reports import PositionReport, WalletReport

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When a position was updated in which nothing was ever traded."""
_UTA_2: Final = (5, 6)


@attrs.frozen(slots=True)
class FeeRate:
    """Fee per unit of notional; a negative maker rate is a rebate."""

    instrument_id: InstrumentId
    taker: Decimal
    maker: Decimal


@attrs.frozen(slots=True)
class Leverage:
    """The leverage that is set for a position, also for an empty one."""

    instrument_id: InstrumentId
    position_side: PositionSide
    leverage: Decimal


@attrs.frozen(slots=True)
class AccountInfo:
    """What kind of account it is.

    Attributes:
        is_supported: A unified account of the second kind; others speak otherwise.
        margin_mode: `ISOLATED_MARGIN`, `REGULAR_MARGIN` or `PORTFOLIO_MARGIN`.
    """

    is_supported: bool
    margin_mode: str


@attrs.frozen(slots=True)
class KeyInfo:
    """What an API key may do.

    Attributes:
        permissions: Every permission as `Group.Permission`.
        addresses: IP addresses it is bound to; `*` or none is every address.
        expires_at: None for a key that does not expire.
    """

    user_id: int
    is_read_only: bool
    permissions: tuple[str, ...]
    addresses: tuple[str, ...]
    expires_at: datetime | None

    @property
    def may_withdraw(self) -> bool:
        """Whether it may send coins away: no order manager needs that."""
        return any("withdraw" in each.lower() for each in self.permissions)

    @property
    def may_trade(self) -> bool:
        """Whether it may place any orders."""
        groups = ("ContractTrade.", "Spot.", "Derivatives.")
        return not self.is_read_only and any(p.startswith(groups) for p in self.permissions)


def decode_position(raw: Raw, category: Category | None = None) -> PositionReport:
    """Decode one position; REST and stream name its entry price differently.

    Raises:
        RecordInvalid: A field breaks its rule; a size without a side is one.
        UnknownWord: Side, index or category is new to us.
    """
    category = category_in(raw, category)
    size = not_negative(raw, "size")
    if size and words.SIDE.read(raw, "side") is Side.SELL:
        size = -size
    updated_at = moment_or_none(raw, "updatedTime")
    if updated_at is None and size:
        raise RecordInvalid("updatedTime", "milliseconds since 1970", raw.get("updatedTime"))
    average_price = price_or_none(raw, "entryPrice" if "entryPrice" in raw else "avgPrice")
    return PositionReport(
        instrument_in(raw, category),
        position_side_in(raw, category),
        size,
        average_price if size else None,
        updated_at or NEVER,
    )


def decode_leverage(raw: Raw, category: Category | None = None) -> Leverage | None:
    """Decode the leverage in the row of a position; None where portfolio margin knows none.

    Raises:
        RecordInvalid: A field breaks its rule.
        UnknownWord: Index or category is new to us.
    """
    category = category_in(raw, category)
    leverage = price_or_none(raw, "leverage")
    if leverage is None:
        return None
    return Leverage(instrument_in(raw, category), position_side_in(raw, category), leverage)


def decode_wallet(raw: Raw, as_of: datetime) -> WalletReport:
    """Decode one account of a wallet; a push may hold a part of its coins.

    Args:
        as_of: The exchange's time of the message that holds it.

    Raises:
        RecordInvalid: A field of the account or of one of its coins breaks its rule.
    """
    balances = []
    for coin in array_or_empty(raw, "coin"):
        if not isinstance(coin, dict):
            raise RecordInvalid("coin", "an object", coin)
        balances.append(_balance(coin, as_of))
    return WalletReport(as_of, tuple(balances))


def decode_fee_rate(raw: Raw, category: Category | None = None) -> FeeRate:
    """Decode the fee rates of one symbol.

    Raises:
        RecordInvalid: A field breaks its rule.
        UnknownWord: The category is new to us.
    """
    category = category_in(raw, category)
    return FeeRate(
        instrument_in(raw, category), number(raw, "takerFeeRate"), number(raw, "makerFeeRate")
    )


def decode_account_info(raw: Raw) -> AccountInfo:
    """Decode what kind of account it is.

    Raises:
        RecordInvalid: A field breaks its rule.
    """
    status = integer_or_none(raw, "unifiedMarginStatus")
    return AccountInfo(status in _UTA_2, text_or_empty(raw, "marginMode"))


def decode_key_info(raw: Raw) -> KeyInfo:
    """Decode what an API key may do.

    Raises:
        RecordInvalid: A field breaks its rule.
    """
    permissions = mapping_or_empty(raw, "permissions")
    return KeyInfo(
        user_id=integer_or_none(raw, "userID") or 0,
        is_read_only=integer_or_none(raw, "readOnly") != 0,
        permissions=tuple(
            f"{shown(group)}.{each}"
            for group in permissions
            for each in _texts(permissions, group, f"permissions.{shown(group)}")
        ),
        addresses=_texts(raw, "ips", "ips"),
        expires_at=_expiry(raw),
    )


def _balance(raw: Raw, as_of: datetime) -> Balance:
    wallet = number(raw, "walletBalance")
    equity = number_or_none(raw, "equity")
    available = number_or_none(raw, "availableToWithdraw")
    if available is None:
        available = _available(raw, wallet)
    return Balance(
        text(raw, "coin"),
        wallet,
        available if available > 0 else ZERO,
        wallet if equity is None else equity,
        as_of,
    )


def _available(raw: Raw, wallet: Decimal) -> Decimal:
    """Compute what the exchange no longer tells: the coin's balance less what holds it.

    A loss that is not realised holds it too; a profit does not add, nor do other coins that serve
    as collateral: rather too little than refused.
    """
    held = sum(
        (
            number_or_zero(raw, key)
            for key in ("totalPositionIM", "totalOrderIM", "locked", "bonus", "spotBorrow")
        ),
        ZERO,
    )
    return wallet - held + min(number_or_zero(raw, "unrealisedPnl"), ZERO)


def _texts(raw: Raw, key: str, name: str) -> tuple[str, ...]:
    values = raw.get(key) or ()
    if isinstance(values, list | tuple) and all(
        isinstance(value, str) and value.isprintable() for value in values
    ):
        return tuple(map(str, values))
    raise RecordInvalid(name, "an array of texts", values)


def _expiry(raw: Raw) -> datetime | None:
    value = text_or_empty(raw, "expiredAt")
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise RecordInvalid("expiredAt", "a time with its zone", value)
    return at.astimezone(UTC) if at > NEVER else None

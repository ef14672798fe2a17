"""Exits: the take-profit, stop-loss and trailing stop that the exchange keeps for a position.

The engine never sets them by itself (it decides its own closes), so they have no place in the port:
this is for a person's tools over the account.
"""

from decimal import Decimal
from typing import Final

import attrs

from order_adapters.venues.bybit import words
from order_adapters.venues.bybit.fields import price_or_none
from order_adapters.venues.bybit.order_records import category_in, instrument_in, position_side_in
from order_adapters.venues.bybit.quarantine import Raw
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category, PositionSide
from order_domain.model.identifiers import InstrumentId, category_of, symbol_of

TRIGGERS: Final = ("LastPrice", "IndexPrice", "MarkPrice")
NOT_MODIFIED: Final = 34040
"""The exits are what they were asked to become."""


@attrs.frozen(slots=True)
class Exit:
    """Where a position is left.

    Attributes:
        price: That triggers it, quote units; 0 takes the exit away.
        limit_price: Of the order that is then made; None makes a market order.
        trigger_by: Which price triggers it, one of `TRIGGERS`.
    """

    price: Decimal
    limit_price: Decimal | None = None
    trigger_by: str = "LastPrice"


@attrs.frozen(slots=True, kw_only=True)
class TradingStop:
    """A change of the exits of one position; None leaves one as it is.

    Attributes:
        trailing: Distance of a trailing stop, quote units; 0 takes it away.
        active_price: From which on it trails; None is at once.
        quantity: Base units (contracts for inverse) that the exits are for, besides those there
            are; None changes those of the whole position.

    Raises:
        InvalidValue: The exchange would not take it.
    """

    instrument_id: InstrumentId
    position_side: PositionSide = PositionSide.BOTH
    take_profit: Exit | None = None
    stop_loss: Exit | None = None
    trailing: Decimal | None = None
    active_price: Decimal | None = None
    quantity: Decimal | None = None

    def __attrs_post_init__(self) -> None:
        exits = [each for each in (self.take_profit, self.stop_loss) if each is not None]
        numbers = [each.price for each in exits]
        numbers += [each.limit_price for each in exits if each.limit_price is not None]
        numbers += [each for each in (self.trailing, self.active_price) if each is not None]
        is_part = self.quantity is not None
        rules = (
            ("instrument_id", "a contract", category_of(self.instrument_id) != Category.SPOT),
            ("exits", "at least one", bool(exits) or self.trailing is not None),
            ("exits", "finite and >= 0", all(_is_sound(each) for each in numbers)),
            ("trigger_by", f"one of {TRIGGERS}", {e.trigger_by for e in exits} <= set(TRIGGERS)),
            ("active_price", "of a trailing stop", self.active_price is None or self._trails),
            ("quantity", "above 0", not is_part or _is_sound(self.quantity, above=True)),
            ("trailing", "for a whole position", not is_part or self.trailing is None),
            ("price", "above 0 for a part", not is_part or all(each.price for each in exits)),
            ("limit_price", "for a part", is_part or all(e.limit_price is None for e in exits)),
        )
        for field, rule, holds in rules:
            if not holds:
                raise InvalidValue(field=field, rule=rule, value=getattr(self, field, field))

    @property
    def _trails(self) -> bool:
        return bool(self.trailing)

    def body(self) -> dict[str, object]:
        """Say it as the exchange takes it."""
        body: dict[str, object] = {
            "category": category_of(self.instrument_id),
            "symbol": symbol_of(self.instrument_id),
            "tpslMode": "Full" if self.quantity is None else "Partial",
            "positionIdx": words.POSITION_INDEX.write(self.position_side),
        }
        for name, short, each in (
            ("takeProfit", "tp", self.take_profit),
            ("stopLoss", "sl", self.stop_loss),
        ):
            if each is not None:
                body |= _exit(name, short, each, self.quantity)
        if self.trailing is not None:
            body["trailingStop"] = f"{self.trailing:f}"
        if self.active_price is not None:
            body["activePrice"] = f"{self.active_price:f}"
        return body


@attrs.frozen(slots=True)
class PositionExits:
    """The exits of a whole position as the exchange shows them; None is none."""

    instrument_id: InstrumentId
    position_side: PositionSide
    take_profit: Decimal | None
    stop_loss: Decimal | None
    trailing: Decimal | None


def decode_exits(raw: Raw, category: Category | None = None) -> PositionExits:
    """Decode the exits in the row of a position.

    Raises:
        RecordInvalid: A field breaks its rule.
        UnknownWord: Index or category is new to us.
    """
    category = category_in(raw, category)
    return PositionExits(
        instrument_in(raw, category),
        position_side_in(raw, category),
        price_or_none(raw, "takeProfit"),
        price_or_none(raw, "stopLoss"),
        price_or_none(raw, "trailingStop"),
    )


def _exit(name: str, short: str, each: Exit, quantity: Decimal | None) -> dict[str, object]:
    body: dict[str, object] = {name: f"{each.price:f}", f"{short}TriggerBy": each.trigger_by}
    if quantity is not None:
        body[f"{short}Size"] = f"{quantity:f}"
        body[f"{short}OrderType"] = "Market" if each.limit_price is None else "Limit"
    if each.limit_price is not None:
        body[f"{short}LimitPrice"] = f"{each.limit_price:f}"
    return body


def _is_sound(value: Decimal | None, *, above: bool = False) -> bool:
    return value is not None and value.is_finite() and (value > 0 if above else value >= 0)

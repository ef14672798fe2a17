"""Positions: one entry per symbol, both sides of hedge mode in it."""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from order_domain.model.enums import PositionSide
from order_domain.model.identifiers import event_id_text, symbol_of
from order_domain.model.instrument import ZERO
from order_domain.model.position import Position
from order_service.http.problems import Refused
from order_service.http.routes import read
from order_service.http.wire import moment, number, optional_number
from order_service.service import Service


class PositionView(msgspec.Struct, kw_only=True):
    """One symbol.

    Attributes:
        size: Signed base units, negative when short; in hedge mode long minus short.
        realized_pnl: Settle-coin units, before fees and funding.
        unrealized_pnl: Likewise, by the newest mark price; null without one.
    """

    id: str
    asset: str
    mode: str
    size: str
    average_entry_price: str | None
    realized_pnl: str
    unrealized_pnl: str | None
    current_price: str | None
    fees_by_coin: dict[str, str]
    funding: str
    long_size: str | None
    short_size: str | None
    long_avg_price: str | None
    short_avg_price: str | None
    last_updated: str


class PositionController(Controller):
    """Read only."""

    path = "/positions"

    @read()
    async def list_positions(
        self,
        service: NamedDependency[Service],
        asset: Annotated[str | None, QueryParameter(max_length=100)] = None,
    ) -> dict[str, Any]:
        """List positions, those that are flat now too."""
        return {"positions": position_views(service, await service.views.positions(asset))}

    @read("/{asset:str}")
    async def show_position(
        self, asset: FromPath[str], service: NamedDependency[Service]
    ) -> PositionView:
        """Show the position of one symbol."""
        found = position_views(service, await service.views.positions(asset))
        if not found:
            detail = f"No position was ever held in {asset[:100]}."
            raise Refused(404, detail, code="POSITION_NOT_FOUND")
        return found[0]


def position_views(service: Service, positions: Iterable[Position]) -> list[PositionView]:
    """Show positions, one entry per symbol."""
    by_symbol: dict[str, list[Position]] = {}
    for position in positions:
        by_symbol.setdefault(symbol_of(position.instrument_id), []).append(position)
    return [_view(service, symbol, found) for symbol, found in sorted(by_symbol.items())]


def _view(service: Service, symbol: str, positions: list[Position]) -> PositionView:
    quote = service.quote(positions[0].instrument_id)
    price = None if quote is None else quote.mark_price
    gain = None if price is None else sum((p.unrealized_pnl(price) for p in positions), ZERO)
    sides = {position.position_side: position for position in positions}
    long, short = sides.get(PositionSide.LONG), sides.get(PositionSide.SHORT)
    one_way = sides.get(PositionSide.BOTH)
    fees: dict[str, Any] = {}
    for position in positions:
        for coin, fee in position.fees.items():
            fees[coin] = fees.get(coin, ZERO) + fee
    return PositionView(
        id=event_id_text(f"position:{symbol}", 0),
        asset=symbol,
        mode="hedge" if long or short else "one-way",
        size=number(sum((position.size for position in positions), ZERO)),
        average_entry_price=optional_number(one_way.average_price if one_way else None),
        realized_pnl=number(sum((position.realized_pnl for position in positions), ZERO)),
        unrealized_pnl=optional_number(gain),
        current_price=optional_number(price),
        fees_by_coin={coin: number(fee) for coin, fee in fees.items()},
        funding=number(sum((position.funding for position in positions), ZERO)),
        long_size=optional_number(long.size if long else None),
        short_size=optional_number(abs(short.size) if short else None),
        long_avg_price=optional_number(long.average_price if long else None),
        short_avg_price=optional_number(short.average_price if short else None),
        last_updated=moment(max(position.updated_at for position in positions)),
    )

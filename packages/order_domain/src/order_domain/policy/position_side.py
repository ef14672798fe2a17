"""Position side: which position an order works on, in one-way and in hedge mode."""

from typing import Final

from order_domain.config import EngineConfig
from order_domain.model.enums import PositionSide, Side
from order_domain.model.identifiers import InstrumentId, may_hedge
from order_domain.model.inputs import PlaceOrder
from order_domain.model.signal import SignalIntent, TradingSignal

_BOTH: Final = PositionSide.BOTH
_BUY: Final = Side.BUY
_CLOSE: Final = SignalIntent.CLOSE
_LONG: Final = PositionSide.LONG
_SHORT: Final = PositionSide.SHORT


def is_hedged(instrument: InstrumentId, config: EngineConfig) -> bool:
    """Tell whether a long and a short position of this instrument are kept apart."""
    return config.hedge_mode and may_hedge(instrument)


def position_side_for(signal: TradingSignal, config: EngineConfig) -> PositionSide:
    """One-way: both. Hedge: buys open long and close short, sells the other way round."""
    if not is_hedged(signal.instrument_id, config):
        return _BOTH
    return _hedged(signal.side, closes=signal.intent is _CLOSE)


def position_side_of(request: PlaceOrder, config: EngineConfig) -> PositionSide:
    """The side a person named; in hedge mode, where none was named, as for signals."""
    if request.position_side is _BOTH and is_hedged(request.instrument_id, config):
        return _hedged(request.side, closes=request.reduce_only)
    return request.position_side


def only_closes(side: Side, position_side: PositionSide) -> bool:
    """A sell on the long position, or a buy on the short one, cannot open anything."""
    return position_side is not _BOTH and position_side is _hedged(side, closes=True)


def _hedged(side: Side, *, closes: bool) -> PositionSide:
    return _LONG if (side is _BUY) != closes else _SHORT

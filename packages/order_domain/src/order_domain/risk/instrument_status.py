"""Instrument: its trading rules are known, and the exchange trades it."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import InstrumentStatus
from order_domain.risk.base import Entry, Proposal

_INSTRUMENT_NOT_TRADING: Final = Code.INSTRUMENT_NOT_TRADING
_TRADING: Final = InstrumentStatus.TRADING
_UNKNOWN_INSTRUMENT: Final = Code.UNKNOWN_INSTRUMENT


def check(proposal: Proposal, context: Context, _config: EngineConfig) -> Entry:
    """Unknown: nothing passes. Any status but Trading: only reductions do."""
    instrument = context.instrument
    if instrument is None:
        return (_UNKNOWN_INSTRUMENT, None, proposal.instrument_id, False)
    status = instrument.status
    passed = (
        status is _TRADING
        or proposal.must_reduce
        or (not proposal.is_sealed and proposal.closable > 0)
    )
    return (_INSTRUMENT_NOT_TRADING, _TRADING, status, passed)

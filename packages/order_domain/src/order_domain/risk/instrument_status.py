"""Instrument: its trading rules are known, and the exchange trades it."""

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.model.enums import InstrumentStatus
from order_domain.risk.base import Entry, Proposal


def check(proposal: Proposal, context: Context, _config: EngineConfig) -> Entry:
    """Unknown: nothing passes. Any status but Trading: only reductions do."""
    instrument = context.instrument
    if instrument is None:
        return (Code.UNKNOWN_INSTRUMENT, None, proposal.instrument_id, False)
    status = instrument.status
    passed = (
        status is InstrumentStatus.TRADING
        or proposal.must_reduce
        or (not proposal.is_sealed and proposal.closable > 0)
    )
    return (Code.INSTRUMENT_NOT_TRADING, InstrumentStatus.TRADING, status, passed)
